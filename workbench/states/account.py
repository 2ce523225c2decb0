"""The account's own page, the question about a guest's work, and a reset link."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

import reflex as rx

from workbench.accounts import bringing, people, resets, sessions
from workbench.accounts.cookies import guest_in, ticket_in
from workbench.accounts.pages_open import let_go, save_edits
from workbench.database import Unavailable
from workbench.names import Refused
from workbench.states.common import actor_of, become_guest, count_of

T = TypeVar("T")


@dataclass
class SignIn:
    """One session of the list."""

    id: str
    device: str
    signed_in_at: float
    seen_at: float
    is_current: bool


class Account(rx.State):
    status: rx.Field[str] = rx.field("loading")
    """loading · ready · away · blocked"""
    problem: rx.Field[str] = rx.field("")
    said: rx.Field[str] = rx.field("")
    """What was just done."""
    kind: rx.Field[str] = rx.field("")
    name: rx.Field[str] = rx.field("")
    created_at: rx.Field[float] = rx.field(0.0)
    password_at: rx.Field[float] = rx.field(0.0)
    sign_ins: rx.Field[list[SignIn]] = rx.field(default_factory=list)
    work: rx.Field[str] = rx.field("")
    """ "3 projects with 14 shots"."""
    lent: rx.Field[list[str]] = rx.field(default_factory=list)
    """Names of their projects that others are members of."""
    guest_projects: rx.Field[int] = rx.field(0)
    guest_work: rx.Field[str] = rx.field("")
    guest_names: rx.Field[list[str]] = rx.field(default_factory=list)
    """What was made in this browser as a guest, and still waits there."""

    @rx.event
    async def load(self):
        self.problem, self.said = "", ""
        if not actor_of(self):
            return become_guest(Account.hear_cookies)
        return await self.refresh()

    async def refresh(self) -> None:
        try:
            await self._read(actor_of(self), now=time.time())
        except Unavailable as error:
            self.status, self.problem = "away", str(error)

    async def _read(self, user: str, *, now: float) -> None:
        person = await people.person(user, now=now)
        work = await people.work_of(user)
        self.kind, self.name, self.created_at = person.kind, person.name, person.created_at
        self.password_at = person.password_at
        self.work, self.lent = in_words(work), list(work.lent)
        current = self._session()
        self.sign_ins = [
            SignIn(each.id, each.device, each.created_at, each.seen_at, each.id == current)
            for each in await sessions.list_of(user, now=now)
        ]
        guest = await self._guest(now=now)
        waiting = await people.work_of(guest) if guest and guest != user else people.Work()
        self.guest_projects = waiting.projects + waiting.shared
        self.guest_names = list(waiting.names)
        self.guest_work = in_words(waiting)
        self.status = "ready"

    @rx.event
    def hear_cookies(self, answer: str):
        if answer == "blocked":
            self.status = "blocked"

    @rx.event
    async def end_session(self, session: str):
        """Sign one of their browsers out."""
        await save_edits()
        if isinstance(session, str) and await self._done(sessions.end(actor_of(self), session)):
            self.said = "That session has ended."
        await let_go()
        await self.refresh()

    @rx.event
    async def end_others(self):
        await save_edits()
        await self._done(sessions.end_all(actor_of(self), but=self._session()))
        self.said = "Signed out everywhere else."
        await let_go()
        await self.refresh()

    @rx.event
    async def bring(self):
        """What was made as a guest comes along."""
        guest = await self._guest(now=time.time())
        try:
            brought = await bringing.bring_along(guest, actor_of(self)) if guest else 0
        except Refused as error:
            self.problem = f"{error}."
            return None
        except Unavailable as error:
            self.problem = f"Not done: the database can’t be reached ({error}). Try again."
            return None
        self.said = f"{count_of(brought, 'project')} came along."
        return rx.redirect("/")

    async def _done(self, work: Awaitable[T]) -> T | None:
        try:
            return await work
        except Unavailable as error:
            self.problem = f"Not done: the database can’t be reached ({error}). Try again."
            return None

    async def _guest(self, *, now: float) -> str:
        guest = guest_in(self.router.headers.cookie)
        return guest if guest and await people.is_guest(guest, now=now) else ""

    def _session(self) -> str:
        ticket = ticket_in(self.router.headers.cookie)
        return ticket.session if ticket is not None else ""


class Reset(rx.State):
    """The page of a reset link."""

    status: rx.Field[str] = rx.field("loading")
    """loading · ready · gone · away"""
    name: rx.Field[str] = rx.field("")

    @rx.event
    async def load(self):
        try:
            self.name = await resets.whose(getattr(self, "token", ""), now=time.time())
        except Unavailable:
            self.status = "away"
            return
        self.status = "ready" if self.name else "gone"


def in_words(work: people.Work) -> str:
    """ "3 projects with 14 shots, and 1 that is shared with you"."""
    own = f"{count_of(work.projects, 'project')} with {count_of(work.shots, 'shot').lower()}"
    if not work.shared:
        return own if work.projects else "no projects"
    if not work.projects:
        return f"{count_of(work.shared, 'project')} shared with you"
    return f"{own}, and {work.shared} that {'is' if work.shared == 1 else 'are'} shared with you"
