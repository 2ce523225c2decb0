"""The dialog in which a project is shared: its members, their roles, and links that invite."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import reflex as rx

from persistence.reflex import announce, follow
from persistence.throttle import client_address
from workbench import sharing
from workbench.access import NotAllowed, NotFound
from workbench.accounts.limits import TooMany
from workbench.database import Unavailable
from workbench.sharing import MemberRow, Sharing
from workbench.states.common import PageState, actor_of, ago, become_guest, count_of, said_on
from workbench.states.live import tell_rights

ROLE_WORDS = {"owner": "Owner", "editor": "Can edit", "viewer": "Can look"}


@dataclass
class Person:
    """A member in the list."""

    user: str
    name: str
    initial: str
    note: str
    role: str
    role_word: str
    is_you: bool


@dataclass
class Link:
    """An open link in the list."""

    id: str
    role_word: str
    note: str


class Share(PageState, rx.State):
    project: rx.Field[str] = rx.field("")
    name: rx.Field[str] = rx.field("")
    role: rx.Field[str] = rx.field("")
    """Of who looks."""
    owner: rx.Field[str] = rx.field("")
    people: rx.Field[list[Person]] = rx.field(default_factory=list)
    links: rx.Field[list[Link]] = rx.field(default_factory=list)
    url: rx.Field[str] = rx.field("")
    """The link that was just made, while it is open; it can't be shown a second time."""
    url_note: rx.Field[str] = rx.field("")
    _url_id: str = ""
    """Which of the links that is."""
    asking: rx.Field[str] = rx.field("")
    """What has to be confirmed: "remove", "own" or "leave"."""
    about: rx.Field[str] = rx.field("")
    """The member whom that is about, and what they are called."""
    about_name: rx.Field[str] = rx.field("")
    said: rx.Field[str] = rx.field("")
    """What was just done."""

    @rx.event
    async def open(self, project: str):
        """Show who a project is shared with."""
        self._calm()
        self.url = self._url_id = self.said = ""
        self.status, self.project = "loading", project if isinstance(project, str) else ""
        await self._read()

    @rx.event
    async def refresh(self):
        """Somebody else has changed it."""
        await self._read()

    async def _read(self) -> None:
        try:
            shown = await sharing.sharing_of(actor_of(self), self.project)
        except (NotFound, NotAllowed):
            self.status, self.people, self.links, self.url = "missing", [], [], ""
            return
        except Unavailable as error:
            self.status, self.problem = "away", str(error)
            return
        follow([("project", self.project)], Share.refresh)
        self._show(shown, now=time.time())

    def _show(self, shown: Sharing, *, now: float) -> None:
        self.name, self.role = shown.name, shown.role
        self.owner = shown.members[0].name
        self.people = [_person(each, now) for each in shown.members]
        self.links = [
            Link(
                each.id,
                ROLE_WORDS[each.role],
                f"{'for one person' if each.is_single else 'for all who have it'} · made "
                f"{ago(each.made_at, now=now)} · ends in {_days(each.expires_at - now)}"
                + (f" · {_people(each.joined)} joined" if each.joined else ""),
            )
            for each in shown.links
        ]
        if self._url_id and all(each.id != self._url_id for each in self.links):
            self.url = self._url_id = ""
        self.status = "ready"

    def _calm(self) -> None:
        self.asking = self.about = self.about_name = self.problem = ""

    # --- what the owner does ---------------------------------------------------------------------

    @rx.event
    async def make_link(self, form: dict[str, Any]):
        """Make a link with the role and the kind that were chosen."""
        self._calm()
        self.url = self._url_id = self.said = ""
        chosen: Any = form if isinstance(form, dict) else {}
        once = chosen.get("kind") == "once"
        with said_on(self):
            token = await sharing.invite(
                actor_of(self), self.project, chosen.get("role"), once=once
            )
            self.url = f"{self.router.url.origin}/join/{token}"
            who = "One person" if once else "Whoever has it"
            can = "edit" if chosen.get("role") == "editor" else "look"
            self.url_note = f"{who} can join with it, for a week, and {can}."
            announce("project", self.project)
        await self._read()
        if self.url and self.links:
            self._url_id = self.links[0].id  # the newest

    @rx.event
    async def revoke(self, link: str):
        with said_on(self):
            await sharing.revoke(actor_of(self), self.project, link)
            self.said = "The link was revoked."
            announce("project", self.project)
        await self._read()

    @rx.event
    async def set_role(self, user: str, role: str):
        self._calm()
        with said_on(self):
            name = await sharing.change_role(actor_of(self), self.project, user, role)
            self.said = f"{name} {'can edit' if role == 'editor' else 'can look'} now."
            await tell_rights(self.project, user)
        await self._read()

    @rx.event
    def ask(self, what: str, user: str):
        """Ask whether to remove a member, make one the owner, or leave."""
        if what in ("remove", "own", "leave"):
            self.problem = self.said = ""
            named = next((each for each in self.people if each.user == user), None)
            self.asking, self.about = what, user if named else ""
            self.about_name = named.name if named else ""

    @rx.event
    def dismiss_question(self):
        self._calm()

    @rx.event
    async def confirm(self):
        """Do what was asked about."""
        what, user, project = self.asking, self.about, self.project
        self._calm()
        with said_on(self):
            if what == "remove":
                name = await sharing.remove(actor_of(self), project, user)
                self.said = f"{name} was removed, and the open links are revoked."
            elif what == "own":
                name = await sharing.pass_on(actor_of(self), project, user)
                self.said = f"{name} owns this project now. You can edit it."
            elif what == "leave":
                await sharing.leave(actor_of(self), project)
            else:
                return None
            await tell_rights(project, user, actor_of(self))
            if what == "leave":
                return rx.redirect("/")
        return await self._read()


class Join(PageState, rx.State):
    """The page of a link that invites."""

    state: rx.Field[str] = rx.field("")
    """As `sharing.Offer`; limited: too many were tried."""
    project: rx.Field[str] = rx.field("")
    name: rx.Field[str] = rx.field("")
    by: rx.Field[str] = rx.field("")
    role: rx.Field[str] = rx.field("")
    held: rx.Field[str] = rx.field("")
    why: rx.Field[str] = rx.field("")

    @rx.event
    async def load(self):
        """Say what the link offers. Nothing is joined by looking."""
        self.problem, self.status = "", "loading"
        if not actor_of(self):
            return become_guest(Join.hear_cookies)
        try:
            offer = await sharing.look_at(self._token(), actor_of(self), self._address())
        except NotFound:
            self.status = "missing"
        except TooMany as error:
            self.status, self.state, self.why = "ready", "limited", str(error)
        except Unavailable as error:
            self.status, self.problem = "away", str(error)
        else:
            self.state, self.project, self.name = offer.state, offer.project, offer.name
            self.by, self.role, self.held = offer.by, offer.role, offer.held or ""
            self.why = sharing.WHY.get(offer.state, "")
            self.status = "ready"
        return None

    @rx.event
    async def join(self):
        """Become a member. The one thing here that changes anything."""
        with said_on(self):
            try:
                project = await sharing.join(self._token(), actor_of(self), self._address())
            except TooMany as error:
                self.problem = str(error)
                return None
            await tell_rights(project, actor_of(self))
            return rx.redirect(f"/p/{project}")
        return None

    def _token(self) -> str:
        return str(getattr(self, "token", ""))

    def _address(self) -> str:
        """As limits count it: of an IPv6 address the network. Proxies are taken off already."""
        return client_address(self.router.session.client_ip, "", proxies=0)


def _person(row: MemberRow, now: float) -> Person:
    notes = ["No account" if row.is_guest else ""]
    if row.role != "owner":
        notes.append(f"joined {ago(row.since, now=now)}")
        notes.append(
            f"invited by {'you' if row.invited_by == 'You' else row.invited_by}"
            if row.invited_by
            else ""
        )
    note = " · ".join(filter(None, notes))
    return Person(
        row.user, row.name, row.name[:1].upper(), note, row.role, ROLE_WORDS[row.role], row.is_you
    )


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _days(seconds: float) -> str:
    hours = -int(-seconds // 3600)
    return count_of(hours, "hour") if hours < 24 else count_of(round(hours / 24), "day")
