"""What does a setting cost in memory, its value apart?

A tool of 200 settings, open for many shots: user, project and shot loaded, some settings
overridden in the shot. All that an open shot costs is shared out among its settings:
binding, view, layer, pending edits. Declarations are one for all, and the values are numbers that
Python holds anyway.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persistence import Engine
from persistence.scopes import Target
from persistence.store import Write

from .declare import numbers
from .measure import Answer, Line, folder, runner, show, size

FIELDS = 200
TOOL = numbers("bench-memory", FIELDS)
LIMIT = "≤ 100"


def benchmark(quick: bool) -> Iterator[Answer]:
    shots = 50 if quick else 300
    for share, words in ((0.2, "a fifth overridden"), (1.0, "all overridden")):
        with folder() as path, runner() as loop:
            each = loop.run(_bytes_each(path, shots, int(FIELDS * share)))
        question = f"memory of a tracked setting, its value apart, {words}"
        yield Line(question, size(each), LIMIT.replace("≤ ", "") + " B", each, LIMIT)


async def _bytes_each(path: Path, shots: int, overridden: int) -> float:
    """Open the tool for so many shots; the memory that this took, by the number of settings."""
    url = f"sqlite:///{path}/ours.db"
    async with Engine(url, scopes=("user", "project", "shot")) as engine:
        for shot in range(shots):
            target = Target("shot", f"shot-{shot}", "bench-memory")
            await engine.store.commit(
                [_write(target, f"k{i}", (i + 1) % FIELDS) for i in range(overridden)]
            )
        owners = [{"user": "u", "project": "p", "shot": f"shot-{shot}"} for shot in range(shots)]
        await engine.open(TOOL, {**owners[0], "shot": "another"})
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        bindings: list[Any] = [await engine.open(TOOL, each) for each in owners]
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return (after - before) / len(bindings) / FIELDS


def _write(target: Target, field: str, value: int) -> Write:
    return Write(target, field, "set", str(value), 0, "somebody", "user", 1.7e9 + value, "group-1")


if __name__ == "__main__":
    show(benchmark)
