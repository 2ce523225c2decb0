"""How many transactions does a flush take, and how many saves a target in a window?

Counted, not timed: a store that notes what it is handed, in virtual time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence

from persistence import Engine
from persistence.scopes import Target
from persistence.store import MemoryStore, Receipt, Write
from persistence.testing import run_virtual

from .declare import texts
from .measure import Answer, Line, show

TARGETS, FIELDS = 100, 10
TOOL = texts("bench-commits", FIELDS)


class Counting(MemoryStore):
    """Notes every commit, and how often a target was in one."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[Counter[Target]] = []

    async def commit(self, writes: Sequence[Write]) -> Receipt:
        self.commits.append(Counter(write.target for write in writes))
        return await super().commit(writes)


def benchmark(quick: bool) -> Iterator[Answer]:
    del quick  # it takes no time
    flush = run_virtual(_flush())
    yield Line(
        f"commits of one flush of {TARGETS * FIELDS:,} settings of {TARGETS} targets",
        str(flush), "1", float(flush), "≤ 1",
    )  # fmt: skip
    most = run_virtual(_typing())
    yield Line(
        "saves of one target in a window of 300 ms, under constant edits, at most",
        str(most), "1", float(most), "≤ 1",
    )  # fmt: skip


async def _flush() -> int:
    store = Counting()
    async with Engine(store, scopes=("user", "project", "shot")) as engine:
        for shot in range(TARGETS):
            binding = await engine.open(TOOL, {"shot": f"shot-{shot}"})
            binding.update(**{f"k{i}": f"{shot} {i}" for i in range(FIELDS)})
        await engine.flush()
        assert sum(commit.total() for commit in store.commits) == TARGETS * FIELDS
        return len(store.commits)


async def _typing() -> int:
    """Ten seconds of an edit every 20 ms: the most commits that any 300 ms saw of the target."""
    store = Counting()
    loop = asyncio.get_running_loop()
    moments: list[float] = []
    async with Engine(store, scopes=("user", "project", "shot")) as engine:
        binding = await engine.open(TOOL, {"shot": "shot-1"})
        for turn in range(500):
            binding.update(k1="x" * (turn + 1))
            await asyncio.sleep(0.02)
            if len(store.commits) > len(moments):
                moments.append(loop.time())
    return max(sum(begin <= each < begin + 0.3 for each in moments) for begin in moments)


if __name__ == "__main__":
    show(benchmark)
