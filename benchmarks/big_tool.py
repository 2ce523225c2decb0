"""Does it cost more to save one field of a tool that holds 1 MB than of one that holds 1 KB?"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persistence import Engine

from .declare import texts
from .measure import Answer, folder, in_turns, runner, show, times

SMALL, BIG = texts("bench-small", 10), texts("bench-big", 10_000)
"""Of 100 characters each: 1 KB and 1 MB."""


def benchmark(quick: bool) -> Iterator[Answer]:
    with folder() as path, runner() as loop:
        yield _one_field(path, loop, saves=20, rounds=5 if quick else 15)


def _one_field(path: Path, loop: asyncio.Runner, *, saves: int, rounds: int) -> Answer:
    engine = Engine(f"sqlite:///{path}/ours.db", scopes=("user", "project", "shot"))
    turn = iter(range(1_000_000))

    async def filled(tool: Any) -> Any:
        binding = await engine.open(tool, {"shot": "shot-1"}, actor="somebody")
        binding.update(**dict.fromkeys(binding.spec.fields, "x" * 100))
        await binding.flush()
        return binding

    async def save(binding: Any) -> float:
        each: list[float] = []
        for _ in range(saves):
            text = f"{next(turn)} " + "y" * 95
            begun = time.perf_counter()
            binding.update(k7=text)
            await binding.flush()
            each.append(time.perf_counter() - begun)
        return statistics.median(each)

    loop.run(engine.start())
    big, small = loop.run(filled(BIG)), loop.run(filled(SMALL))
    found = in_turns(
        {"big": lambda: loop.run(save(big)), "small": lambda: loop.run(save(small))}, rounds
    )
    loop.run(engine.stop())
    question = "save one field of a 1 MB tool / of a 1 KB tool"
    return times(question, found["big"], found["small"], "≤ 1.5")


if __name__ == "__main__":
    show(benchmark)
