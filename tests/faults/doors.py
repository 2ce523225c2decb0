"""Hostile events, frames and requests of everybody at every door of the running workbench."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.doors.audit import try_all
from tests.doors.door import fresh_database, running
from tests.faults.tally import Experiment, Tally


def run(count: int, seed: int, folder: Path) -> Tally:
    return asyncio.run(_run(count, seed, folder))


def control(seed: int, folder: Path) -> Tally:
    """The library doesn't ask whether somebody may."""
    return asyncio.run(_run(700, seed, folder, authorise=_anybody))


def _anybody(*_: object) -> bool:
    return True


async def _run(count: int, seed: int, folder: Path, **options: Any) -> Tally:
    tally = Tally()
    with fresh_database(folder):
        async with running(**options) as door:
            await try_all(door, count, seed, tally)
    return tally


EXPERIMENTS = [
    Experiment(
        name="doors",
        what="every handler and route × hostile input × owner, member, other, guest, nobody",
        unit="trials",
        target="no server error, no second's wait, nothing told or written that isn't theirs",
        run=run,
        control=control,
        short=600,
        full=200_000,
        portion=10_000,
    )
]
