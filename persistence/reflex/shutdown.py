"""Save before the server begins to end.

Servers tear connections down and run an app's shutdown at the same time, and one of them (granian,
with open sockets) may abort its worker while it does. So on SIGTERM and SIGINT everything is saved
first, and only then does the server's own handler run. What is edited after that is saved by the
app's shutdown.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any

from ..engine import Engine
from ..errors import PersistenceError

log = logging.getLogger("persistence")

WITHIN = 5.0
"""Seconds that saving may delay the end."""


def save_on_signals(engine: Engine) -> None:
    """Take the place of the server's handlers of this loop; each then runs after the save."""
    loop = asyncio.get_running_loop()
    # The only way to a loop's handlers; a loop without it ends as it always did.
    handlers: dict[int, asyncio.Handle] = getattr(loop, "_signal_handlers", {})
    for number in (signal.SIGTERM, signal.SIGINT):
        before = handlers.get(number)
        if before is not None:
            loop.add_signal_handler(number, _save_first, engine, before)


def _save_first(engine: Engine, before: Any) -> None:
    if not engine.is_running:
        before._run()
        return
    saving = engine.spawn(_save(engine))
    saving.add_done_callback(lambda _: before._run())


async def _save(engine: Engine) -> None:
    try:
        await asyncio.wait_for(engine.flush(), WITHIN)
    except (PersistenceError, TimeoutError) as error:
        log.warning("not everything was saved before the end: %s", str(error) or "out of time")
