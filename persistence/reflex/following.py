"""Have an event handler of a page run when something changes that the page shows.

    class Inspector(rx.State):
        @rx.event
        async def load(self):
            ...
            follow([Target("shot", shot, "travel-ui-state")], Inspector.refresh)

For pages that show more than effective values, which `SettingsState` keeps up to date by itself:
shadowed layers, history, counts. The handler reads anew; it isn't told what changed.

What an app keeps in tables of its own (a list of shots) is followed by its owner alone, and whoever
changed it says so:

            follow([("project", project)], Shots.refresh)
    ...
    await rename_shot(shot, name)    # the app's own commit
    announce("project", project)     # the other pages that follow it read again

A tab that is hidden isn't disturbed: its handlers run once when it is looked at again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from reflex_base.utils.format import format_event_handler

from ..engine import Engine, Notice
from ..scopes import Target
from . import _private as rx_
from . import causes
from .mirror import tab_of_event, tab_still_open
from .tabs import Page, Tab, Tabs, require_tabs, tabs_of_process

QUIET = 0.05
"""Seconds in which further changes come along."""

Topic = tuple[str, str]
"""`(scope, owner)`: something of that owner's that the app keeps itself."""


@dataclass(slots=True, eq=False)
class _Following:
    what: frozenset[Target | Topic] | None
    """None for whatever the tab's actor changes, wherever."""
    page: Page | None
    """The page that followed; another one in the tab follows nothing of it. None for every page."""
    tab_id: str = ""
    """Of the tab as it was: somebody else's tab follows nothing of it."""
    is_due: bool = False


_followed: WeakKeyDictionary[Tab, dict[str, _Following]] = WeakKeyDictionary()
_heard: WeakSet[Engine] = WeakSet()


def follow(what: Iterable[Target | Topic], handler: Any) -> None:
    """Run this handler, without arguments, soon after anything changes in these layers, or is
    announced of these `(scope, owner)`.

    - What the same handler followed before in this tab is followed no more; nothing: nothing.
    - It ends when the tab closes or loses its connection, shows another page, or is somebody
      else's. What `on_load` follows is followed again when the page is back.
    - Changes that come close together run it once. Its cause is `remote`: nothing that it does
      counts as an edit of the user.

    Belongs into an event handler; who may see what changed is the handler's to ask.
    """
    wanted = frozenset(what)
    if (tab := tab_still_open("follow")) is not None:
        _follow(tab, handler, _Following(wanted, tab.page, tab.id) if wanted else None)


def follow_own(handler: Any) -> None:
    """Run this handler, without arguments, soon after something that the tab's actor did is saved,
    in whichever tab and layer it was. It ends when the tab closes or is somebody else's.

    Belongs into an event handler.
    """
    if (tab := tab_still_open("follow_own")) is not None:
        _follow(tab, handler, _Following(None, None, tab.id))


def announce(scope: str, owner: str) -> None:
    """Say that something changed that the app keeps for this owner: the handlers that follow it
    run, in all tabs but the one whose event this is, which knows. Say it after the commit.

    - It carries nothing: who reads again asks for permission again.
    - It reaches the pages of this process.
    - Nothing happens where the plugin isn't installed, so that scripts may call what announces.
    """
    tabs, own = tabs_of_process(), tab_of_event()
    if tabs is None:
        return
    topic = (scope, owner)
    _poke(tabs, lambda each, tab: tab is not own and each.what is not None and topic in each.what)
    tabs.presence.recheck(topic)


def run_due(tabs: Tabs, tab: Tab) -> None:
    """The tab is looked at again: what it missed runs now."""
    for name, each in _followed.get(tab, {}).items():
        if each.is_due:
            tabs.engine.spawn(_run(tabs, tab, name, each))


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
    _poke(tabs, lambda each, tab: _concerns(each, tab, notice))


def _poke(tabs: Tabs, concerns: Callable[[_Following, Tab], bool]) -> None:
    for tab, known in tuple(_followed.items()):
        for name, each in tuple(known.items()):
            if not each.is_due and concerns(each, tab):
                each.is_due = True
                if not tab.is_hidden:
                    tabs.engine.spawn(_run(tabs, tab, name, each))


def _concerns(following: _Following, tab: Tab, notice: Notice) -> bool:
    if following.what is not None:
        return notice.target in following.what
    # A commit of several people's edits is told of as one's.
    is_shown = any(notice.target in stack for stack in tab.shown.values())
    return notice.kind != "edited" and (notice.actor == tab.actor or is_shown)


async def _run(tabs: Tabs, tab: Tab, name: str, following: _Following) -> None:
    await asyncio.sleep(QUIET)
    if tab.is_hidden:
        return
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
