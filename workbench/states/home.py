"""The list of projects."""

from __future__ import annotations

import reflex as rx

from workbench import projects
from workbench.database import Unavailable
from workbench.projects import ProjectRow
from workbench.states.common import (
    Card,
    PageState,
    actor_of,
    ago,
    become_guest,
    count_of,
    hue_of,
    name_in,
    said_on,
)

COVER_FRAMES = 6


class Home(PageState, rx.State):
    cards: rx.Field[list[Card]] = rx.field(default_factory=list)
    deleted: rx.Field[list[Card]] = rx.field(default_factory=list)

    @rx.event
    async def load(self):
        self.dismiss()
        self.renaming, self.creating = "", False
        if not actor_of(self):
            return become_guest(Home.hear_cookies)
        return await self.refresh()

    async def refresh(self) -> None:
        try:
            rows = await projects.list_projects(actor_of(self))
        except Unavailable as error:
            self.status, self.problem = "away", str(error)
            return
        self.cards = [_card(row) for row in rows.live]
        self.deleted = [_card(row) for row in rows.deleted]
        self.status = "ready"

    @rx.event
    async def create(self, form: dict[str, str]):
        with said_on(self):
            project = await projects.create_project(actor_of(self), name_in(form))
            self.creating = False
            return rx.redirect(f"/p/{project}")

    @rx.event
    async def rename(self, project: str, name: str):
        if self.renaming != project:
            return  # done already: a field may be left twice
        with said_on(self):
            await projects.rename_project(actor_of(self), project, name)
            self.renaming = ""
        await self.refresh()

    @rx.event
    async def delete(self, project: str):
        with said_on(self):
            self.gone_name = await projects.delete_project(actor_of(self), project)
            self.gone_id = project
        await self.refresh()

    @rx.event
    async def restore(self, project: str):
        with said_on(self):
            await projects.restore_project(actor_of(self), project)
            if self.gone_id == project:
                self.gone_id = ""
        await self.refresh()

    @rx.event
    async def undo(self):
        await self.restore(self.gone_id)


def _card(row: ProjectRow) -> Card:
    if row.deleted_at is not None:
        detail = f"{count_of(row.shots, 'shot')} · deleted {ago(row.deleted_at)}"
    else:
        detail = f"{count_of(row.shots, 'shot')} · {ago(row.opened_at)}"
    return Card(
        row.id,
        row.name,
        f"/p/{row.id}",
        str(row.shots),
        detail,
        hue_of(row.id),
        frames=list(range(min(row.shots, COVER_FRAMES))),
    )
