"""What the page states share: who asks, how a failure is said, cards, and the way back."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import reflex as rx
from reflex.config import get_config
from reflex.utils.exec import is_prod_mode

from persistence import PersistenceError, StoreUnavailable
from persistence.reflex import current_actor
from workbench.access import NotAllowed, NotFound
from workbench.database import Unavailable
from workbench.names import Refused

HUES = 12
"""As many colours as `assets/covers.css` has for covers."""


@dataclass
class Card:
    """One project or shot in a list."""

    id: str
    name: str
    href: str
    number: str
    detail: str
    hue: int
    is_first: bool = False
    is_last: bool = False
    frames: list[int] = field(default_factory=list)
    """One for each of the first shots, drawn on a project's cover."""
    by: str = ""
    """Who owns a project that is shared with whoever looks."""


def nothing() -> Card:
    """In the place of a card that isn't there."""
    return Card("", "", "", "", "", 0)


class PageState(rx.State, mixin=True):
    """Loading, refusals, renaming and the way back, for a page with a list."""

    status: rx.Field[str] = rx.field("loading")
    """loading · ready · missing · ended (no longer shared, or deleted) · away · blocked (no
    cookies)"""
    problem: rx.Field[str] = rx.field("")
    """Why the last action was refused, for the user."""
    renaming: rx.Field[str] = rx.field("")
    """The id of what is being renamed."""
    creating: rx.Field[bool] = rx.field(False)
    gone_id: rx.Field[str] = rx.field("")
    gone_name: rx.Field[str] = rx.field("")
    """What was deleted last, and can be brought back."""

    @rx.event
    def dismiss(self):
        self.gone_id, self.problem = "", ""

    @rx.event
    def hear_cookies(self, answer: str):
        if answer == "blocked":
            self.status = "blocked"

    @rx.event
    def start_rename(self, card: str):
        self.renaming, self.problem = str(card), ""

    @rx.event
    def start_creating(self):
        self.creating, self.problem = True, ""

    @rx.event
    def stop_creating(self):
        self.creating = False


def actor_of(state: rx.State) -> str:  # noqa: ARG001  # whoever has a state asks with it
    """The id of the user whose event this is; "" for nobody."""
    return current_actor()


def name_in(form: object) -> str:
    """What was typed into a form's `name`; any client may send any form."""
    name = form.get("name") if isinstance(form, dict) else None
    return name if isinstance(name, str) else ""


def become_guest(on_blocked: Any) -> rx.event.EventSpec:
    """For a page that came without a cookie: ask for one, and come again with it.

    Where the browser keeps none, `on_blocked` hears it instead of the page loading for ever.
    """
    backend = "" if is_prod_mode() else get_config().api_url
    return rx.call_script(f"window.workbench.becomeGuest({backend!r})", callback=on_blocked)


@contextmanager
def said_on(state: PageState) -> Iterator[None]:
    """What fails within is said on the page, and the page goes on."""
    state.problem = ""
    try:
        yield
    except Refused as error:
        state.problem = f"{error}."
    except NotAllowed as error:
        state.problem = str(error)
    except NotFound:
        state.problem = "That is no longer there. Reload the page to see what is."
    except (Unavailable, StoreUnavailable) as error:
        state.problem = f"Not done: the database can't be reached ({error}). Try again."
    except PersistenceError as error:
        state.problem = f"Not done: {error}."


def hue_of(identity: str) -> int:
    """The same colour for the same thing, everywhere and always."""
    return zlib.crc32(identity.encode()) % HUES


def ago(then: float, *, now: float | None = None) -> str:
    """ "just now", "5 min ago", "3 h ago", "12 days ago"."""
    seconds = (time.time() if now is None else now) - then
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 24 * 3600:
        return f"{int(seconds // 3600)} h ago"
    days = int(seconds // (24 * 3600))
    return "yesterday" if days == 1 else f"{days} days ago"


def count_of(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number or 'No'} {noun}s"
