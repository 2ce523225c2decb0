"""Bring open tabs up to date with what the engine holds.

- One push a tab is under way or waiting; what changes meanwhile comes with it, or with the next.
- It takes the tab's lock as any event does, and never while somebody holds it for us.
- A tab that nobody is connected to is left alone.
- So is a tab that is hidden, but for what it asked: its script asks for the rest when it is looked
  at again.
"""

from __future__ import annotations

import asyncio
import logging

from reflex import BaseStateToken

from . import _private as rx_
from . import causes
from .channel import PersistenceState
from .gate import catch_up, has_news, is_closed
from .tabs import Tab, Tabs

log = logging.getLogger("persistence")


class Pusher:
    """Pushes to tabs, each by itself."""

    def __init__(self, tabs: Tabs) -> None:
        self._tabs = tabs

    def push(self, tab: Tab) -> None:
        """Soon; safe to call from anywhere, also with the tab's lock held."""
        if not tab.parked and not has_news(tab):
            return
        if tab.is_hidden and not (tab.parked or tab.confirmed or tab.answers):
            return
        if asyncio.get_running_loop().time() < tab.answering_until:
            return
        if not tab.is_pushing and self._tabs.engine.is_running:
            tab.is_pushing = True
            self._tabs.engine.spawn(self._push(tab))

    async def _push(self, tab: Tab) -> None:
        await asyncio.sleep(0)  # what else changes in this turn comes along
        tabs = self._tabs
        app = tabs.app
        try:
            if app is None or tabs.by_token.get(tab.token) is not tab:
                return
            if has_news(tab) and tabs.is_connected(tab.token):
                causes.begin(causes.Cause("remote", tab.actor, tab.shown))
                token = BaseStateToken(ident=tab.token, cls=PersistenceState)
                async with app.modify_state(token) as state:
                    tab.is_pushing = False  # from here on, news needs another push
                    await catch_up(state, tab)
            await self._bring_back(tab)
        finally:
            tab.is_pushing = False

    async def _bring_back(self, tab: Tab) -> None:
        """Run what was held up, in its order, where its tool is loaded by now."""
        if self._tabs.app is None or not tab.parked:
            return
        parked, tab.parked = tab.parked, []
        for event, cause, tool in parked:
            if is_closed(tab, tool):
                tab.parked.append((event, cause, tool))
            else:
                await rx_.enqueue(self._tabs.app, tab.token, event, causes.expect(cause))
