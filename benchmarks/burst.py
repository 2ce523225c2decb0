"""10,000 dirty settings at once: how long until all are durable, and does anybody feel it?

A ticker task stands for every other user: the longest gap between its turns is what they wait. The
same ticker beside an idle engine says what the machine does by itself.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from persistence import Engine

from .declare import texts
from .measure import Answer, Line, duration, folder, in_turns, runner, show, times
from .raw import RawSQLite

SETTINGS, FIELDS = 10_000, 10
TOOL = "bench-burst"
Panel = texts(TOOL, FIELDS)


def benchmark(quick: bool) -> Iterator[Answer]:
    with folder() as path, runner() as loop:
        yield from _burst(path, loop, rounds=5 if quick else 15)


def _burst(path: Path, loop: asyncio.Runner, rounds: int) -> Iterator[Answer]:
    raw = RawSQLite(path / "raw.db")
    engine = Engine(f"sqlite:///{path}/ours.db", scopes=("user", "project", "shot"), debounce=3600)
    bindings: list[Any] = []
    turn = iter(range(1_000_000))

    async def start() -> None:
        await engine.start()
        shots = [{"shot": f"shot-{number}"} for number in range(SETTINGS // FIELDS)]
        opened = (engine.open(Panel, shot, actor="somebody") for shot in shots)
        bindings.extend(await asyncio.gather(*opened))

    async def ours() -> float:
        text = _text(next(turn))
        for binding in bindings:
            binding.update(**{f"k{i}": text for i in range(FIELDS)})
        begun = time.perf_counter()
        await engine.flush()
        return time.perf_counter() - begun

    def peer() -> float:
        text = f'"{_text(next(turn))}"'
        shots = range(SETTINGS // FIELDS)
        return raw.commit(
            (("shot", f"shot-{shot}", TOOL, f"k{i}"), text) for shot in shots for i in range(FIELDS)
        )

    async def stall() -> float:
        text = _text(next(turn))
        for binding in bindings:
            binding.update(**{f"k{i}": text for i in range(FIELDS)})
        return await _longest_gap(engine.flush)

    last = 0.1

    async def idle() -> float:
        return await _longest_gap(lambda: asyncio.sleep(last))

    loop.run(start())
    found = in_turns({"ours": lambda: loop.run(ours()), "peer": peer}, rounds)
    last = statistics.median(found["ours"])
    gaps = in_turns({"burst": lambda: loop.run(stall()), "idle": lambda: loop.run(idle())}, rounds)
    loop.run(engine.stop())
    raw.close()
    yield times(
        "10,000 dirty settings to durable / raw single commit",
        found["ours"],
        found["peer"],
        "≤ 1.5",
    )
    yield _stall(gaps["burst"], gaps["idle"])


def _stall(burst: list[float], idle: list[float]) -> Line:
    more = sorted((each - other) * 1e3 for each, other in zip(burst, idle, strict=True))
    return Line(
        "the longest stall of the event loop meanwhile, ms above idle",
        duration(statistics.median(burst)),
        duration(statistics.median(idle)),
        (statistics.median(burst) - statistics.median(idle)) * 1e3,
        "≤ 2",
        f"{more[len(more) // 4]:.2f}–{more[-1 - len(more) // 4]:.2f}",
    )


async def _longest_gap(work: Callable[[], Any]) -> float:
    """The longest time between two turns of a task that only wants its turn, while `work` runs."""
    longest = 0.0
    done = False

    async def tick() -> None:
        nonlocal longest
        before = time.perf_counter()
        while not done:
            await asyncio.sleep(0.0005)
            now = time.perf_counter()
            longest = max(longest, now - before - 0.0005)
            before = now

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0.002)
    longest = 0.0
    await work()
    done = True
    await ticker
    return longest


def _text(turn: int) -> str:
    return f"{turn} " + "lorem ipsum " * 8


if __name__ == "__main__":
    show(benchmark)
