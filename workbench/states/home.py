"""The list of projects."""

from __future__ import annotations

import reflex as rx

from persistence.reflex import follow, running_engine
from workbench import projects
from workbench.database import Unavailable
from workbench.projects import ProjectRow
from workbench.sample.film import read_film
from workbench.sample.make import id_of, make
from workbench.settings import Preferences
from workbench.states.common import (
    Card,
    PageState,
    actor_of,
    ago,
    become_guest,
    count_of,
    hue_of,
    name_in,
    nothing,
    said_on,
)
from workbench.states.live import tell, tell_rights

COVER_FRAMES = 6


class Home(PageState, rx.State):
    cards: rx.Field[list[Card]] = rx.field(default_factory=list)
    """All that are live, the latest first."""
    own: rx.Field[list[Card]] = rx.field(default_factory=list)
    shared: rx.Field[list[Card]] = rx.field(default_factory=list)
    """Of these, one's own and other people's."""
    deleted: rx.Field[list[Card]] = rx.field(default_factory=list)

    last: rx.Field[Card] = rx.field(default_factory=nothing)
    """The project to go on with."""
    has_sample: rx.Field[bool] = rx.field(True)
    sample_done: rx.Field[int] = rx.field(0)
    sample_steps: rx.Field[int] = rx.field(0)
    """How many steps of how many, while the sample film is being made; 0 of 0 else."""

    @rx.event
    async def load(self):
        self.dismiss()
        self.renaming, self.creating = "", False
        if not actor_of(self):
            return become_guest(Home.hear_cookies)
        follow([("user", actor_of(self))], Home.follow)
        return await self.refresh()

    async def refresh(self) -> None:
        try:
            rows = await projects.list_projects(actor_of(self))
        except Unavailable as error:
            self.status, self.problem = "away", str(error)
            return
        self.cards = [_card(row) for row in rows.live]
        self.own = [card for card in self.cards if not card.by]
        self.shared = [card for card in self.cards if card.by]
        self.has_sample = any(row.id == id_of(actor_of(self)) for row in rows.live)
        preferences = await self.get_state(Preferences)
        last = preferences.last_opened_project_id
        self.last = next((card for card in self.cards if card.id == last), nothing())
        self.deleted = [_card(row) for row in rows.deleted]
        self.status = "ready"

    @rx.event
    async def follow(self):
        """Somebody has changed the lists. What can't be read now stays as it is."""
        if self.status == "ready":
            await self.refresh()

    @rx.event
    async def create(self, form: dict[str, str]):
        with said_on(self):
            project = await projects.create_project(actor_of(self), name_in(form))
            self.creating = False
            await tell(project)
            return rx.redirect(f"/p/{project}")

    @rx.event
    async def make_sample(self):
        """Make the sample film, step by step, and open it."""
        self.sample_done, self.sample_steps = 0, len(read_film().steps)
        yield
        with said_on(self):
            async for done in make(running_engine(), actor_of(self)):
                self.sample_done = done
                yield
            await tell(id_of(actor_of(self)))
            yield rx.redirect(f"/p/{id_of(actor_of(self))}")
        self.sample_done = self.sample_steps = 0

    @rx.event
    async def rename(self, project: str, name: str):
        if self.renaming != project:
            return  # done already: a field may be left twice
        with said_on(self):
            await projects.rename_project(actor_of(self), project, name)
            self.renaming = ""
            await tell(project)
        await self.refresh()

    @rx.event
    async def delete(self, project: str):
        with said_on(self):
            self.gone_name = await projects.delete_project(actor_of(self), project)
            self.gone_id = project
            await tell_rights(project)
        await self.refresh()

    @rx.event
    async def restore(self, project: str):
        with said_on(self):
            await projects.restore_project(actor_of(self), project)
            if self.gone_id == project:
                self.gone_id = ""
            await tell_rights(project)
        await self.refresh()

    @rx.event
    async def undo(self):
        await self.restore(self.gone_id)


def _card(row: ProjectRow) -> Card:
    if row.deleted_at is not None:
        detail = f"{count_of(row.shots, 'shot')} · deleted {ago(row.deleted_at)}"
    else:
        detail = f"{count_of(row.shots, 'shot')} · {ago(row.opened_at)}"
    if row.owner:
        detail = f"Shared by {row.owner} · {detail}"
    elif row.members:
        detail = f"{detail} · shared with {row.members}"
    return Card(
        row.id,
        row.name,
        f"/p/{row.id}",
        str(row.shots),
        detail,
        hue_of(row.id),
        frames=list(range(min(row.shots, COVER_FRAMES))),
        by=row.owner,
    )
