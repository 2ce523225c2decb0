"""The open pages of this process, when who somebody is changes: save first, then let go."""

from __future__ import annotations

import asyncio
import logging

from persistence import Engine, PersistenceError
from persistence.reflex import recheck_actors, running_engine

log = logging.getLogger("workbench.accounts")

WITHIN = 5.0
"""Seconds that saving may take before one goes on. What waits longer is saved as its author's."""


def engine_here() -> Engine | None:
    """The engine of this process, if it serves pages."""
    try:
        return running_engine()
    except RuntimeError:
        return None


async def save_edits() -> None:
    """All that was edited so far is durable, as who edited it, or waits to be saved as theirs."""
    engine = engine_here()
    if engine is None or not engine.is_running:
        return
    try:
        await asyncio.wait_for(engine.flush(), WITHIN)
    except (PersistenceError, TimeoutError) as error:
        log.warning("not everything was saved yet: %s", str(error) or "out of time")


async def let_go() -> None:
    """From here on no page acts for whom it isn't any more."""
    if engine_here() is not None:
        await recheck_actors()
