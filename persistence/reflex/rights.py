"""May the people who look at a page also edit what it shows? Known before they try.

Asked of the app's `authorise` when a page turns to owners, once for each of them, and again when
the app says that roles have changed (`recheck_rights`). It is asked at each write in any case: this
is what the page says beforehand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from ..engine import Engine
from .tabs import Tab, Tabs, require_tabs

log = logging.getLogger("persistence")

READ_ONLY = "You can look at this, and not change it."
"""Where the app doesn't say why."""


async def denied_to(engine: Engine, actor: str, owners: Mapping[str, str]) -> dict[str, str]:
    """Scope → why this actor may not edit there; the other scopes are missing.

    What the app can't tell just now counts as allowed: the write is refused then, or waits.
    """
    if engine.authorise is None:
        return {}
    asked = [_why(engine, actor, scope, owner) for scope, owner in owners.items()]
    answers = zip(owners, await asyncio.gather(*asked), strict=True)
    return {scope: why for scope, why in answers if why}


async def recheck_rights(scope: str, owner: str) -> int:
    """Ask `authorise` again for each open page of this process that shows what this owner holds.

    A page whose actor may no longer look at it shows nothing of it; where they may no longer edit,
    or may from now on, it says so where it stands. What they edited before is theirs to see as not
    saved. Returns how many pages were asked about. Safe to call from a handler.
    """
    tabs = require_tabs()
    at = (scope, owner)
    found = {tab for target, those in tabs.watching.items() if target[:2] == at for tab in those}
    await asyncio.gather(*(recheck(tabs, tab) for tab in found))
    for tab in found:
        tabs.presence.moved(tab)  # who may no longer look is no longer here
    return len(found)


async def _why(engine: Engine, actor: str, scope: str, owner: str) -> str:
    try:
        reason = await engine.refusal(actor, "write", scope, owner)
    except Exception as error:  # noqa: BLE001  # an app's function: whatever it raises
        log.debug("whether %s may be edited can't be told: %r", scope, error)
        return ""
    return "" if reason is None else reason or READ_ONLY


async def recheck(tabs: Tabs, tab: Tab) -> None:
    """Ask again what this tab's actor may do with what it shows."""
    owners = tab.owners
    denied = await denied_to(tabs.engine, tab.actor, owners)
    await recheck_rows(tab)  # the tab's other bindings are rechecked before they are shown
    if tab.owners is not owners:
        return  # it shows something else by now, and has asked about that
    for tool, binding in tab.bindings.items():
        binding.denied = denied
        tab.behind[tool] = None
    tabs.push(tab)


async def recheck_rows(tab: Tab) -> None:
    """Ask of each row of the tab's keyed views whether its reader may still see it."""
    for view in tab.keyed.values():
        for binding in tuple(view.values()):
            await binding.recheck()
