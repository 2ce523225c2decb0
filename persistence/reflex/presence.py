"""Who looks at the same now: the people behind the open tabs of this process, by what they show.

- A place is a `(scope, owner)` that tabs show: this shot, that project. Somebody is there once,
  with however many tabs; away, while all of them are hidden.
- Who may not read a place isn't told who is there, and isn't told of.
- Nobody polls: who comes, goes or hides a tab makes the others' pages news, soon.

Several processes: each knows its own tabs. What it would take is a set of `(place, actor, process)`
with a time to live in Redis, kept alive by each process, and a poke when it changes; `_others` is
the one place that asks who is there.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from typing import TYPE_CHECKING, TypedDict

from ..errors import PersistenceError
from ..scopes import Target
from .causes import OUTSIDE, begin

if TYPE_CHECKING:
    from .tabs import Tab, Tabs

log = logging.getLogger("persistence")

QUIET = 0.1
"""Seconds in which further comings and goings come along."""
HUES = 8
"""As many colours as `presence.css` has."""
MOST = 100
"""People that one page is told of."""

Place = tuple[str, str]
"""`(scope, owner)`."""


class Person(TypedDict):
    """Somebody else who looks at the same."""

    id: str
    name: str
    initials: str
    hue: int
    away: bool
    """Have they turned to something else, without closing it?"""


class Presence:
    """Knows which tabs show what, and tells each who else does."""

    def __init__(self, tabs: Tabs) -> None:
        self._tabs = tabs
        self._places: dict[Place, set[Tab]] = {}
        self._of: dict[Tab, frozenset[Place]] = {}
        self._due: set[Place] = set()

    def moved(self, tab: Tab) -> None:
        """The tab shows something else, is hidden or looked at, has gone or come back."""
        is_there = tab.actor != "" and tab.gone_since is None
        now = frozenset(tab.owners.items()) if is_there else frozenset[Place]()
        before = self._of.pop(tab, frozenset[Place]())
        if now:
            self._of[tab] = now
        for place in before - now:
            self._places[place].discard(tab)
            if not self._places[place]:
                del self._places[place]
        for place in now - before:
            self._places.setdefault(place, set()).add(tab)
        for place in before | now:
            self.recheck(place)

    def recheck(self, place: Place) -> None:
        """Ask again who is there, and who may know it."""
        if place in self._due or place not in self._places or not self._tabs.engine.is_running:
            return
        self._due.add(place)
        self._tabs.engine.spawn(self._tell(place))

    async def _tell(self, place: Place) -> None:
        begin(OUTSIDE)  # nobody's event: the app's hooks answer for everybody
        await asyncio.sleep(QUIET)
        self._due.discard(place)
        scope, owner = place
        people = await self._others(place)
        for tab in tuple(self._places.get(place, ())):
            known = tab.actor in people
            others = [each for actor, each in people.items() if actor != tab.actor and known]
            told = tuple(others[:MOST])
            if tab.owners.get(scope) == owner and tab.here.get(scope, ()) != told:
                tab.here = {**tab.here, scope: told}
                tab.has_news = True
                self._tabs.push(tab)

    async def _others(self, place: Place) -> dict[str, Person]:
        """Everybody who is there and may be, by name."""
        found: dict[str, bool] = {}
        for tab in self._places.get(place, ()):
            found[tab.actor] = found.get(tab.actor, True) and tab.is_hidden
        if len(found) < 2:
            return {}  # nobody to tell, and nothing
        allowed = {actor: away for actor, away in found.items() if await self._may(actor, place)}
        scope = self._tabs.engine.scopes.names[0]
        names = await self._tabs.directory.names(scope, allowed)
        people = [person(actor, names[actor], away=away) for actor, away in allowed.items()]
        people.sort(key=lambda each: (each["away"], each["name"].casefold(), each["id"]))
        return {each["id"]: each for each in people}

    async def _may(self, actor: str, place: Place) -> bool:
        try:
            await self._tabs.engine.permit(actor, "read", Target(*place, ""))
        except PersistenceError:
            return False
        except Exception:
            log.exception("authorise failed for %s %s", *place)
            return False
        return True


def person(actor: str, name: str, *, away: bool = False) -> Person:
    hue = zlib.crc32(actor.encode()) % HUES
    return Person(id=actor, name=name, initials=initials(name), hue=hue, away=away)


def initials(name: str) -> str:
    """ "AL" for Ana Lima, "B" for bo@example.org, "?" for nothing readable."""
    words = [word for word in name.partition("@")[0].split() if word[0].isalnum()]
    first = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))
    return first.upper()[:2] or "?"
