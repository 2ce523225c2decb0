"""What accounts need while the server runs: other processes' sign-outs, and cleaning up."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from persistence import PersistenceError
from persistence.reflex import recheck_actors, running_engine
from workbench.accounts import people, sessions
from workbench.accounts.visits import clean_up
from workbench.database import Unavailable

log = logging.getLogger("workbench.accounts")

LOOK_EVERY = 10.0
"""Seconds until a session that another process has ended (`reset-password`, another worker) lets go
of the pages that are open here."""
CLEAN_EVERY = 3600.0
GUEST_DAYS = 90.0
"""Without a visit; `GUEST_DAYS` in the environment says otherwise, 0 is never."""


@asynccontextmanager
async def watch_accounts() -> AsyncGenerator[None]:
    """For as long as the server runs."""
    engine = running_engine()
    tasks = [engine.spawn(_look_around()), engine.spawn(_clean())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def notice_others() -> int:
    """Let go of pages whose session or guest another process has ended. Returns how many pages."""
    noticed = await sessions.notice_ended() + await people.notice_changed()
    return await recheck_actors() if noticed else 0


def guest_days() -> float:
    try:
        return max(0.0, float(os.environ.get("GUEST_DAYS") or GUEST_DAYS))
    except ValueError:
        log.error("GUEST_DAYS isn't a number of days: guests stay")  # noqa: TRY400
        return 0.0


async def _look_around() -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            await notice_others()
        except Unavailable as error:
            log.debug("can't look for ended sessions: %s", error)


async def _clean() -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY)  # the first pages come first
        try:
            gone = await clean_up(running_engine(), days=guest_days(), now=time.time())
            if gone:
                log.info("removed %d idle guests", gone)
        except (Unavailable, PersistenceError) as error:
            log.warning("idle guests aren't cleaned up now: %s", error)
        await asyncio.sleep(CLEAN_EVERY)
