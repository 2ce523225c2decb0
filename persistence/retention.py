"""RETENTION: how long the journal is kept. The engine runs `retain` as a task of its own."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NoReturn

from .errors import StoreError

if TYPE_CHECKING:
    from .engine import Engine

DAY = 86_400.0
"""Seconds."""

KEEP_HISTORY = 90 * DAY
"""How long changes are kept if an app says nothing else."""

KEEP_OPERATIONS = 90 * DAY
"""How long a client may hold on to an edit: one that comes later than this after it was done might
be done twice, where nobody has changed the field since."""

EVERY = 3_600.0
"""Seconds between two rounds."""

log = logging.getLogger("persistence")


async def retain(engine: Engine) -> NoReturn:
    """Prune now and every hour; in rounds of small writes, between which saves get their turn.

    A database that is away, or a round that fails, is left to the next one.
    """
    while True:
        try:
            await prune(engine)
        except StoreError as error:
            log.info("the history wasn't pruned: %s", error)
        await asyncio.sleep(EVERY)


async def prune(engine: Engine) -> int:
    """One round; how many rows went."""
    now, keep = engine.wall(), engine.keep_history
    gone = await engine.store.prune(
        older_than=0.0 if keep is None else now - keep,
        keep_operations_after=now - KEEP_OPERATIONS,
    )
    if gone:
        log.info("%d rows of old history are gone", gone)
    return gone
