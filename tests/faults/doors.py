"""Hostile events, frames and requests of everybody at every door of the running workbench."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.doors.audit import try_all
from tests.doors.door import fresh_database, running
from tests.faults.tally import Experiment, Tally


def run(count: int, seed: int, folder: Path) -> Tally:
    return asyncio.run(_run(count, seed, folder))


def control(seed: int, folder: Path) -> Tally:
    """The library doesn't ask whether somebody may: others try the doors of settings."""

    async def without_asking() -> Tally:
        tally = Tally()
        with fresh_database(folder):
            async with running(authorise=_anybody) as door:
                await try_all(
                    door, 160, seed, tally, roles=("viewer", "other"),
                    only=("persistence_state.receive", "/persistence/operations"),
                )  # fmt: skip
        return tally

    return asyncio.run(without_asking())


def _anybody(*_: object) -> bool:
    return True


async def _run(count: int, seed: int, folder: Path) -> Tally:
    tally = Tally()
    with fresh_database(folder):
        async with running() as door:
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
        slow=True,
        full=200_000,
        portion=10_000,
    )
]
