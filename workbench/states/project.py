"""One project and its shots; the shot page shows them too, as the list to switch by."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from persistence import PersistenceError
from persistence.reflex import KeyedSettings, follow, running_engine, show
from workbench import projects
from workbench.access import NotFound
from workbench.database import Unavailable
from workbench.projects import ProjectPage, ShotRow
from workbench.settings import TOOLS, Preferences, Travel
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
from workbench.states.live import tell
from workbench.states.share import Share

CARD_TEXT = 160
CARDS_WITH_TEXT = 100


class Prompts(KeyedSettings, settings=Travel, scope="shot", fields=("prompt",)):
    """How the prompts of a project's shots begin, for their cards."""

    @rx.var
    def begins(self) -> dict[str, str]:
        return {row["owner"]: row["values"]["prompt"][:CARD_TEXT] for row in self.rows}


class Project(PageState, rx.State):
    path: rx.Field[str] = rx.field("")
    """The address that all of this belongs to; another one in the browser means "not yet"."""
    id: rx.Field[str] = rx.field("")
    role: rx.Field[str] = rx.field("")
    """Of whoever looks: owner · editor · viewer."""
    owner: rx.Field[str] = rx.field("")
    """Whose it is, if it is another one's."""
    members: rx.Field[int] = rx.field(0)
    """Besides the owner."""
    name: rx.Field[str] = rx.field("")
    detail: rx.Field[str] = rx.field("")
    shots: rx.Field[list[Card]] = rx.field(default_factory=list)
    deleted: rx.Field[list[Card]] = rx.field(default_factory=list)
    shot: rx.Field[Card] = rx.field(default_factory=nothing)
    """The chosen one, on the shot's page."""
    previous: rx.Field[str] = rx.field("")
    next: rx.Field[str] = rx.field("")
    """Where to go from it; "" at the ends."""

    @rx.event
    async def load(self):
        """The project's page, or one of its shots', by the address."""
        self.renaming, self.creating, self.problem = "", False, ""
        if not actor_of(self):
            return become_guest(Project.hear_cookies)
        if _argument(self, "project_id") != self.id:
            self.gone_id = ""
        await self.refresh()
        self._note_visit()
        follow([("project", self.id)] if self.status == "ready" else [], Project.follow)
        share = await self.get_state(Share)
        if self.id and share.project == self.id:
            await share.refresh()  # it may stand open, after a connection was lost
        await self._begin_anew()
        await self._note_as_last()
        await self._show_prompts()
        self.path = self.router.url.path.rstrip("/")
        return None

    async def _begin_anew(self) -> None:
        """What was refused went with the page it was typed into; edits go where they usually do."""
        for declared in TOOLS:
            tool = await self.get_state(declared)
            tool.errors = {}
            if tool.edit_scope != declared.__tool__.edit:
                await tool.choose_edit_scope(declared.__tool__.edit)

    def _note_visit(self) -> None:
        """The page doesn't wait for that, and comes also where nothing can be written."""
        if self.status == "ready":
            running_engine().spawn(projects.note_visit(actor_of(self), self.id))

    async def _note_as_last(self) -> None:
        preferences = await self.get_state(Preferences)
        if self.status == "ready" and preferences.last_opened_project_id != self.id:
            with preferences.acting_as("program"):
                preferences.last_opened_project_id = self.id

    async def _show_prompts(self) -> None:
        has_cards = self.status == "ready" and not _argument(self, "shot_id")
        on_cards = self.shots[:CARDS_WITH_TEXT] if has_cards else []
        prompts = await self.get_state(Prompts)
        await prompts.show_rows([card.id for card in on_cards])

    async def refresh(self) -> None:
        wanted, shot = _argument(self, "project_id"), _argument(self, "shot_id")
        try:
            page = await projects.open_project(actor_of(self), wanted)
        except NotFound:
            self._let_go("missing")
        except Unavailable as error:
            self.status, self.problem = "away", str(error)
        else:
            self._show(page, shot)

    def _show(self, page: ProjectPage, shot: str) -> None:
        self.id, self.name = page.project.id, page.project.name
        self.role, self.owner = page.project.role, page.project.owner
        self.members = page.project.members
        self.detail = count_of(len(page.shots), "shot")
        last = len(page.shots)
        self.shots = [_card(self.id, row, last=last) for row in page.shots]
        self.deleted = [_card(self.id, row, last=0) for row in page.deleted]
        self.status = "ready"
        if shot:
            self._choose(shot)

    def _let_go(self, status: str) -> None:
        """Show nothing of it any more."""
        self.status, self.id, self.name, self.detail = status, "", "", ""
        self.role = self.owner = self.gone_id = ""
        self.shots, self.deleted, self.shot, self.members = [], [], nothing(), 0

    def _choose(self, shot: str) -> None:
        here = next((i for i, card in enumerate(self.shots) if card.id == shot), None)
        if here is None:
            self.status = "missing"
            return
        self.shot = self.shots[here]
        self.previous = self.shots[here - 1].href if here > 0 else ""
        self.next = self.shots[here + 1].href if here + 1 < len(self.shots) else ""

    @rx.event
    async def follow(self):
        """Somebody has changed the lists. A shot that is open here stays, though it may be gone; a
        project that whoever looks may see no more doesn't."""
        shot = _argument(self, "shot_id")
        try:
            page = await projects.open_project(actor_of(self), _argument(self, "project_id"))
        except NotFound:
            if self.status == "ready":
                self._let_go("ended")
                await self._show_prompts()
                await show(self, {})
            return
        except Unavailable:
            return
        is_here = not shot or any(row.id == shot for row in page.shots)
        if self.status == "ready" and page.project.id == self.id:
            self._show(page, shot if is_here else "")
            await self._show_prompts()

    @rx.event
    async def rename_project(self, name: str):
        if self.renaming != self.id:
            return
        with said_on(self):
            await projects.rename_project(actor_of(self), self.id, name)
            self.renaming = ""
            await tell(self.id)
        await self.refresh()

    @rx.event
    async def add_shot(self, form: dict[str, str]):
        """Append a shot; the field stays open for the next one."""
        with said_on(self):
            await projects.create_shot(actor_of(self), self.id, name_in(form).strip())
            await tell(self.id)
        await self.refresh()

    @rx.event
    async def new_from(self, shot: str):
        """A new shot behind that one, with its configuration and none of its content."""
        actor = actor_of(self)
        with said_on(self):
            made = await projects.create_shot_after(actor, shot)
            try:
                await running_engine().copy(("shot", shot), ("shot", made), actor=actor)
            except PersistenceError:
                await projects.delete_shot(actor, made)
                raise
            await tell(self.id)
            return rx.redirect(f"/p/{self.id}/s/{made}")
        return await self.refresh()

    @rx.event
    async def rename(self, shot: str, name: str):
        if self.renaming != shot:
            return  # done already: a field may be left twice
        with said_on(self):
            await projects.rename_shot(actor_of(self), shot, name)
            self.renaming = ""
            await tell(self.id)
        await self.refresh()

    @rx.event
    async def move(self, shot: str, by: Literal[-1, 1]):
        with said_on(self):
            await projects.move_shot(actor_of(self), shot, by)
            await tell(self.id)
        await self.refresh()

    @rx.event
    async def place(self, dropped: list[Any]):
        """Where a card was dropped: the shot's id and its place, 1 for the first."""
        if type(dropped) is list and len(dropped) == 2:
            with said_on(self):
                await projects.place_shot(actor_of(self), *dropped)
                await tell(self.id)
            await self.refresh()

    @rx.event
    async def delete(self, shot: str):
        with said_on(self):
            self.gone_name = await projects.delete_shot(actor_of(self), shot)
            self.gone_id = shot
            await tell(self.id)
        if shot == _argument(self, "shot_id") and self.gone_id == shot:
            return rx.redirect(f"/p/{self.id}")
        return await self.refresh()

    @rx.event
    async def restore(self, shot: str):
        with said_on(self):
            await projects.restore_shot(actor_of(self), shot)
            if self.gone_id == shot:
                self.gone_id = ""
            await tell(self.id)
        await self.refresh()

    @rx.event
    async def undo(self):
        await self.restore(self.gone_id)


def _argument(state: rx.State, name: str) -> str:
    """A part of the address, as Reflex names it in the route; "" if this page has none."""
    return str(getattr(state, name, ""))


def _card(project: str, row: ShotRow, *, last: int) -> Card:
    deleted = "" if row.deleted_at is None else f"Deleted {ago(row.deleted_at)}"
    return Card(
        row.id,
        row.name,
        f"/p/{project}/s/{row.id}",
        f"{row.number:02}",
        deleted,
        hue_of(row.id),
        row.number == 1,
        row.number == last,
    )
