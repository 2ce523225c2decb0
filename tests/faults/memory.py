"""A hundred thousand settings that can't be saved yet, in a process of their own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from persistence import Engine, Settings, setting
from persistence.store import MemoryStore
from persistence.testing import FailingStore
from tests.faults.tally import Experiment, Tally

ROOT = Path(__file__).resolve().parents[2]
FIELDS = 10
MOST = 400
"""Megabytes, of the whole process."""
FLAT = 1.1
"""How much it may grow while the same settings are edited again and again."""
WARM = 6
"""Rounds after which it must not grow any more: some tries that failed are remembered."""
ROUNDS = 14


class Many(Settings, tool="faults-many", edit="shot"):
    a: int = setting(0)
    b: int = setting(0)
    c: int = setting(0)
    d: int = setting(0)
    e: int = setting(0)
    f: int = setting(0)
    g: int = setting(0)
    h: int = setting(0)
    i: int = setting(0)
    j: int = setting(0)


def run(count: int, seed: int, folder: Path, *, leaky: bool = False) -> Tally:
    tally = Tally(count=count)
    command = [sys.executable, "-m", "tests.faults.memory", str(count), "leaky" if leaky else ""]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        tally.fault(f"the process failed: {ended.stderr[-2_000:]}")
        return tally
    told = json.loads(ended.stdout)
    tally.happened["MB before"] = round(told["before"])
    tally.happened["MB with all dirty"] = round(told["dirty"])
    tally.happened[f"MB {ROUNDS - WARM} rounds later"] = round(told["later"])
    if told["later"] > MOST:
        tally.fault(f"{told['later']:.0f} MB")
    if told["later"] - told["before"] > FLAT * (told["dirty"] - told["before"]) + 8:
        tally.fault(f"it grows: {told}")
    for _ in range(told["unsaved"]):
        tally.lose("a setting wasn't saved when the database was back")
    return tally


def megabytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


async def measure(count: int, *, leaky: bool) -> dict[str, float]:
    store = FailingStore(MemoryStore())
    kept: list[object] = []
    async with Engine(store, scopes=("user", "shot"), pokes=None) as engine:
        bindings = [
            await engine.open(Many, {"shot": f"s{number}"}) for number in range(count // FIELDS)
        ]
        before = megabytes()
        store.commits.fail(None)
        found: dict[str, float] = {"before": before}
        for number in range(ROUNDS + 1):
            values = dict.fromkeys(Many.model_fields, number + 1)
            for position, binding in enumerate(bindings):
                binding.update(**values)
                if leaky:
                    kept.append(bytes(20_000))
                if position % 100 == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(0.3)
            store.commits.log.clear()
            found["dirty" if number <= WARM else "later"] = megabytes()
        store.commits.mend()
        await engine.flush()
        rows = await store.store.load([layer.target for layer in engine.layers.values()])
        saved = sum(
            1 for each in rows.values() for row in each.values() if row.text == f"{ROUNDS + 1}"
        )
        found["unsaved"] = count // FIELDS * FIELDS - saved
    return found


def control(seed: int, folder: Path) -> Tally:
    """With a process that keeps a little of each edit."""
    return run(5_000, seed, folder, leaky=True)


EXPERIMENTS = [
    Experiment(
        "memory",
        "100,000 dirty settings, edited again and again while the database is away",
        "dirty settings",
        "≤ 400 MB, flat over time, all saved afterwards",
        run,
        control,
        short=10_000,
        full=100_000,
        slow=True,
    )
]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]), leaky=sys.argv[2] == "leaky"))))
