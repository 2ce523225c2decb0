"""One document among a thousand that can never be saved, in real time."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from random import Random

from persistence import Engine
from persistence.engine import Notice
from persistence.store.sqlite import SQLiteStore
from tests.faults.tally import Experiment, Tally
from tests.faults.workload import TOOL, Worked

DOCUMENTS = 1_000
POISONED = "document-500"
EDITS_A_SECOND = 1_000
RATIO = 1.2
TURN, LEAST = 30, 3
"""Seconds of one turn, and how many there are at least. With and without it by turns, and the best
of each is compared, since machines are shared."""


def run(count: int, seed: int, folder: Path, *, deaf: bool = False) -> Tally:
    """`count` is for how many seconds people edit, with and without the bad document."""
    tally = Tally(count=count)
    with_it, without = [], []
    turns = max(LEAST, count // TURN)
    for turn in range(turns):
        for poisoned, slowest in ((False, without), (True, with_it)):
            path = folder / f"{turn}-{poisoned}.db"
            latencies = asyncio.run(edit_for(count / turns, path, seed, tally, poisoned))
            slowest.append(sorted(latencies)[int(len(latencies) * 0.99)])
    ratio = min(with_it) / min(without)
    tally.happened["p99 with it, in ms"] = round(min(with_it) * 1000)
    tally.happened["p99 without, in ms"] = round(min(without) * 1000)
    tally.happened["ratio, in %"] = round(ratio * 100)
    if ratio > RATIO:
        tally.fault(f"the others' p99 is {ratio:.2f} of what it is without")
    return tally


async def edit_for(
    seconds: float, path: Path, seed: int, tally: Tally, poisoned: bool
) -> list[float]:
    random, made, waits = Random(seed), dict[str, float](), list[float]()

    def hear(notice: Notice) -> None:
        owner = notice.target.owner
        if notice.kind == "committed" and owner in made:
            waits.append(time.perf_counter() - made.pop(owner))

    async with Engine(SQLiteStore(path), scopes=("user", "shot")) as engine:
        if poisoned:
            refuse(path)
        names = [f"document-{number}" for number in range(DOCUMENTS)]
        opened = {name: await engine.open(Worked, {"shot": name}, actor="ann") for name in names}
        engine.subscribe(hear)
        end, number = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            for name in (*random.sample(names, EDITS_A_SECOND // 100), POISONED):
                number += 1
                made.setdefault(name, time.perf_counter())
                opened[name].update(one=f"{number}:{name}")
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.5)
        bad = opened[POISONED]
        tally.happened["edits"] += number
        if poisoned:
            shown = [(each.field, each.value, each.problem) for each in bad.refused]
            if not shown or "one" not in bad.last_error or not shown[0][1].endswith(POISONED):
                tally.lose(f"the bad edit isn't shown: {shown} {bad.last_error}")
            elif not json.dumps(shown):
                tally.fault("it can't be exported")
            made.pop(POISONED, None)
        for name in made:
            tally.lose(f"{name} isn't saved")
    return waits


def refuse(path: Path) -> None:
    """What the database will never take."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON persistence_change "
            f"WHEN NEW.tool = '{TOOL}' AND NEW.owner = '{POISONED}' "
            "BEGIN SELECT raise(ABORT, 'this one never'); END"
        )


def control(seed: int, folder: Path) -> Tally:
    """With a store that refuses all where it can't take one."""
    from persistence.errors import StoreUnavailable
    from persistence.store.base import Receipt, Write

    commit = SQLiteStore.commit

    async def whole(self: SQLiteStore, writes: list[Write]) -> Receipt:
        receipt = await commit(self, writes)
        if receipt.refused:
            raise StoreUnavailable("not all of it could be saved")
        return receipt

    SQLiteStore.commit = whole  # type: ignore[method-assign,assignment]
    try:
        return run(1, seed, folder)
    finally:
        SQLiteStore.commit = commit  # type: ignore[method-assign]


EXPERIMENTS = [
    Experiment(
        "poison",
        "one document among 1,000 can never be saved",
        "seconds",
        "the others' p99 ≤ 1.2×; the one is shown, and can be exported",
        run,
        control,
        short=3,
        full=90,
        slow=True,
    )
]
