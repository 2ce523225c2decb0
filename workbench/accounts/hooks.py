"""What the library asks: who sends this, may they, and whose settings does a page show."""

from __future__ import annotations

import time
from collections.abc import Mapping

from persistence import PermissionDenied, StoreUnavailable
from persistence.reflex import Page
from workbench import projects
from workbench.access import Action, NotAllowed
from workbench.accounts import people, sessions
from workbench.accounts.cookies import bearer_in, guest_in, ticket_in
from workbench.database import Unavailable


async def identify(headers: Mapping[str, str]) -> str:
    """The user's id, by lower-case header names; "" for nobody.

    A bearer token stands for itself. Else the cookies: an account's counts while its session lives,
    a guest's until they have an account or are gone.
    """
    now = time.time()
    if authorization := headers.get("authorization", ""):
        named = bearer_in(authorization, now=now)
        is_live = named is not None and await sessions.is_live(*named, now=now)
        return named[0] if named is not None and is_live else ""
    cookie = headers.get("cookie", "")
    ticket = ticket_in(cookie)
    if ticket is not None and await sessions.is_live(ticket.user, ticket.session, now=now):
        return ticket.user
    guest = guest_in(cookie)
    return guest if guest and await people.is_guest(guest, now=now) else ""


async def authorise(actor: str, action: Action, scope: str, owner: str) -> bool:
    """The library's question before each load and write: does one's role go so far, and is it live?

    Raises PermissionDenied where it may be looked at and no more, with whom to ask.
    """
    try:
        is_allowed = bool(actor) and await projects.check(actor, action, scope, owner)
    except NotAllowed as error:
        raise PermissionDenied(scope, str(error)) from error
    except Unavailable as error:
        raise StoreUnavailable(str(error)) from error
    return is_allowed and await people.is_here(actor, now=time.time())


async def owners(page: Page) -> dict[str, str | None]:
    """The library's question which project's and shot's settings a page shows: the address says.

    Only for what is there: the page says of anything else that there is nothing.
    """
    project, shot = page.params.get("project_id"), page.params.get("shot_id")
    if project is None:
        return {}
    try:
        if not await projects.has(page.actor, project, shot):
            return {}
    except Unavailable:
        pass  # then the load fails too, and says so
    return {"project": project, "shot": shot}
