"""Seeded schedules of tabs, servers, networks and stores that fail, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from persistence import Settings, setting
from persistence.simulation import Report, simulate
from persistence.store import MemoryStore, Store
from persistence.store.base import Receipt, Write
from persistence.store.sqlite import SQLiteStore
from tests.faults.tally import Experiment, Tally, classified


class Scheduled(Settings, tool="faults-scheduled", edit="shot"):
    frames: int = setting(61, ge=1, le=241)
    mode: Literal["a", "b", "c"] = setting("a")
    prompt: str = setting("", inherit=False, max_length=500)
    quick: int = setting(0, flush="now")
    locks: dict[str, bool] = setting({"a": True}, merge=True)


VALUES = {"locks": [{"a": True}, {"a": False}, {"b": True}]}
ON_A_FILE = 10
"""One schedule in so many runs on a file instead of in memory."""


def run(count: int, seed: int, folder: Path) -> Tally:
    """One server, two and three, by turns."""

    def file(number: int) -> Callable[[], Store]:
        return lambda: SQLiteStore(folder / f"{number}.db", threaded=False)

    tally = Tally()
    for number in range(seed, seed + count):
        store = file(number) if number % ON_A_FILE == 0 else MemoryStore
        tally.add(told(play(number, servers=number % 3 + 1, store=store)))
        for path in folder.iterdir():
            path.unlink()
    return tally


def play(seed: int, *, servers: int, store: Callable[[], Store]) -> Report:
    return simulate(seed, [Scheduled], values=VALUES, servers=servers, store=store)


def told(report: Report) -> Tally:
    tally = Tally(count=report.seeds, happened=report.happened)
    classified(report.faults, tally)
    return tally


class Forgetful(MemoryStore):
    """Doesn't keep which operations were done."""

    async def commit(self, writes: Sequence[Write]) -> Receipt:
        return await super().commit([write._replace(operations=()) for write in writes])


def control(seed: int, folder: Path) -> Tally:
    """Without the operations' ids, what is sent again is done again."""
    tally = Tally()
    for number in range(seed, seed + 20):
        tally.add(told(play(number, servers=1, store=Forgetful)))
    return tally


EXPERIMENTS = [
    Experiment(
        "schedules",
        "tabs, servers, network and store fail in any order, in virtual time",
        "schedules",
        "10,000 and more: 0 confirmed lost, 0 doubled, 0 elsewhere; any seed replays",
        run,
        control,
        short=20,
        full=10_000,
        portion=250,
    )
]
