"""Have an event handler of a page run when something changes in layers that the page shows.

    class Inspector(rx.State):
        @rx.event
        async def load(self):
            ...
            follow([Target("shot", shot, "travel-ui-state")], Inspector.refresh)

For pages that show more than effective values, which `SettingsState` keeps up to date by itself:
shadowed layers, history, counts. The handler reads anew; it isn't told what changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from reflex_base.utils.format import format_event_handler

from ..engine import Engine, Notice
from ..scopes import Target
from . import _private as rx_
from . import causes
from .mirror import tab_of_event
from .tabs import Page, Tab, Tabs, require_tabs

QUIET = 0.05
"""Seconds in which further changes come along."""


@dataclass(slots=True, eq=False)
class _Following:
    targets: frozenset[Target] | None
    """None for whatever the tab's actor changes, wherever."""
    page: Page | None
    """The page that followed; another one in the tab follows nothing of it. None for every page."""
    tab_id: str = ""
    """Of the tab as it was: somebody else's tab follows nothing of it."""
    is_due: bool = False


_followed: WeakKeyDictionary[Tab, dict[str, _Following]] = WeakKeyDictionary()
_heard: WeakSet[Engine] = WeakSet()


def follow(targets: Iterable[Target], handler: Any) -> None:
    """Run this handler, without arguments, soon after anything changes in these layers.

    - What the same handler followed before in this tab is followed no more; no targets: nothing.
    - It ends when the tab closes, shows another page, or is somebody else's.
    - Changes that come close together run it once. Its cause is `remote`: nothing that it does
      counts as an edit of the user.

    Belongs into an event handler; who may see what changed is the handler's to ask.
    """
    wanted = frozenset(targets)
    tab = _tab("follow")
    _follow(tab, handler, _Following(wanted, tab.page, tab.id) if wanted else None)


def follow_own(handler: Any) -> None:
    """Run this handler, without arguments, soon after something that the tab's actor did is saved,
    in whichever tab and layer it was. It ends when the tab closes or is somebody else's.

    Belongs into an event handler.
    """
    tab = _tab("follow_own")
    _follow(tab, handler, _Following(None, None, tab.id))


def _tab(name: str) -> Tab:
    tab = tab_of_event()
    if tab is None:
        raise RuntimeError(f"{name}(...) belongs into an event handler")
    return tab


def _follow(tab: Tab, handler: Any, following: _Following | None) -> None:
    tabs = require_tabs()
    name = format_event_handler(handler)
    known = _followed.setdefault(tab, {})
    known.pop(name, None)
    if following is not None:
        known[name] = following
    if tabs.engine not in _heard:
        _heard.add(tabs.engine)
        tabs.engine.subscribe(lambda notice: _hear(tabs, notice))


def _hear(tabs: Tabs, notice: Notice) -> None:
    for tab, known in tuple(_followed.items()):
        for name, each in tuple(known.items()):
            if not each.is_due and _concerns(each, tab, notice):
                each.is_due = True
                tabs.engine.spawn(_run(tabs, tab, name, each))


def _concerns(following: _Following, tab: Tab, notice: Notice) -> bool:
    if following.targets is not None:
        return notice.target in following.targets
    # A commit of several people's edits is told of as one's.
    is_shown = any(notice.target in stack for stack in tab.shown.values())
    return notice.kind != "edited" and (notice.actor == tab.actor or is_shown)


async def _run(tabs: Tabs, tab: Tab, name: str, following: _Following) -> None:
    await asyncio.sleep(QUIET)
    following.is_due = False
    known = _followed.get(tab, {})
    if known.get(name) is not following:
        return
    is_there = tabs.by_token.get(tab.token) is tab and tab.id == following.tab_id
    is_there = is_there and following.page in (None, tab.page)
    if tabs.app is None or not is_there or not tabs.is_connected(tab.token):
        del known[name]
        return
    cause = causes.Cause("remote", tab.actor, tab.shown)
    router: Any = tab.router or {}  # without it the page's address would be forgotten
    event = rx_.Event(name=name, payload={}, router_data=router)
    await rx_.enqueue(tabs.app, tab.token, event, causes.expect(cause))
