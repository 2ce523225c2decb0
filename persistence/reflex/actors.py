"""Who is behind the page whose event runs, and what becomes of an open page when that changes.

A WebSocket's cookies are those of its start. An app that signs somebody out, ends a session or
deletes an account calls `recheck_actors()`: from then on no page acts for whom it isn't any more.
"""

from __future__ import annotations

from reflex import BaseStateToken

from ..engine import Engine
from ..http import actor_of
from . import _private as rx_
from . import causes
from .channel import PersistenceState
from .doors import HOLDER
from .gate import MARK, forget_everything
from .tabs import Tab, Tabs, require_tabs


def current_actor() -> str:
    """Whose event this is, as `identify` said when it began; "" for nobody and outside of one."""
    return causes.current().actor


def running_engine() -> Engine:
    """The engine of this process. Raises RuntimeError where the plugin isn't installed."""
    return require_tabs().engine


async def recheck_actors() -> int:
    """Ask `identify` again for each open page of this process, by the headers of its connection.

    A page of somebody else by now is let go of at once: its edits are saved as the old actor's, it
    hears of no change any more, and it is emptied (`data-actor` of the hidden root says so to its
    scripts). Returns how many pages that were. Safe to call from a handler.
    """
    tabs = require_tabs()
    changed = 0
    for tab in tuple(tabs.by_token.values()):
        if tab.headers is None:
            continue
        headers = {name.lower(): value for name, value in tab.headers.items()}
        actor = await actor_of(tabs.identify, headers)
        if actor != tab.actor and tabs.by_token.get(tab.token) is tab:
            tabs.close(tab)
            tabs.engine.spawn(_empty(tabs, tab, actor))
            changed += 1
    return changed


async def _empty(tabs: Tabs, tab: Tab, actor: str) -> None:
    """Show nothing of the old actor's. Waits for an event of the page that is under way."""
    if tabs.app is None or not tabs.is_connected(tab.token):
        return
    causes.begin(causes.Cause("remote", actor))
    token = BaseStateToken(ident=tab.token, cls=PersistenceState)
    async with tabs.app.modify_state(token) as state:
        root = rx_.root_of(state)
        mark = rx_.held_by(root).get(MARK)
        if mark is not None and mark[0] == actor:
            return  # it has connected anew meanwhile, as who it is now
        await forget_everything(state, root)
        for note in (MARK, HOLDER):
            rx_.held_by(root).pop(note, None)
        channel = await state.get_state(PersistenceState)
        channel.actor = actor
