"""What does it cost to put off 100,000 pending saves once more, as typing does?

The peer is what asyncio offers: cancel the timer of each, and set another.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from random import Random
from typing import Any

from persistence.pending import Pending
from persistence.scheduler import Scheduler

from .measure import Answer, in_turns, runner, show, times

PENDING, DEBOUNCE = 100_000, 3_600.0
"""An hour: nothing comes due while it is measured."""


def benchmark(quick: bool) -> Iterator[Answer]:
    order = Random(4).choices(range(PENDING), k=PENDING)
    with runner() as loop:
        found = in_turns(
            {
                "ours": lambda: _touches(order, loop),
                "peer": lambda: loop.run(_timers(order)),
                "neither": lambda: _nothing(order),
            },
            3 if quick else 9,
        )
        bytes_each = in_turns(
            {
                "ours": lambda: _memory_of_touches(loop),
                "peer": lambda: loop.run(_memory_of_timers()),
            },
            2,
        )
    of_the_loop = statistics.median(found["neither"])
    ours = [each - of_the_loop for each in found["ours"]]
    theirs = [each - of_the_loop for each in found["peer"]]
    yield times("re-arm one of 100,000 debounces / call_later + cancel", ours, theirs, "≤ 0.05")
    question = "memory of an armed debounce / call_later"
    yield times(question, bytes_each["ours"], bytes_each["peer"], "≤ 0.4", show="bytes")


def _touches(order: list[int], loop: asyncio.Runner) -> float:
    items = [Pending() for _ in range(PENDING)]
    scheduler, now = _armed(items, loop.get_loop().time)
    begun = time.process_time()
    for index in order:
        scheduler.touch(items[index], now())
    return (time.process_time() - begun) / len(order)


async def _timers(order: list[int]) -> float:
    loop = asyncio.get_running_loop()
    timers = [loop.call_later(DEBOUNCE, _fire, index) for index in range(PENDING)]
    begun = time.process_time()
    for turn, index in enumerate(order):
        timers[index].cancel()
        timers[index] = loop.call_later(DEBOUNCE, _fire, index)
        if turn % 5_000 == 0:
            await asyncio.sleep(0)  # the loop drops cancelled timers in its turns
    taken = time.process_time() - begun
    for timer in timers:
        timer.cancel()
    await asyncio.sleep(0)
    return taken / len(order)


def _nothing(order: list[int]) -> float:
    items = [Pending() for _ in range(PENDING)]
    begun = time.process_time()
    for index in order:
        items[index]
    return (time.process_time() - begun) / len(order)


def _memory_of_touches(loop: asyncio.Runner) -> float:
    items = [Pending() for _ in range(PENDING)]
    before = _traced()
    held = _armed(items, loop.get_loop().time)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del held
    return (after - before) / PENDING


async def _memory_of_timers() -> float:
    loop = asyncio.get_running_loop()
    timers: list[Any] = [None] * PENDING
    before = _traced()
    for index in range(PENDING):
        timers[index] = loop.call_later(DEBOUNCE, _fire, timers)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    for timer in timers:
        timer.cancel()
    await asyncio.sleep(0)
    return (after - before) / PENDING


def _armed(items: list[Pending], now: Any) -> Any:
    scheduler: Scheduler[Pending] = Scheduler(DEBOUNCE, 2 * DEBOUNCE)
    for item in items:
        scheduler.touch(item, now())
    return scheduler, now


def _traced() -> int:
    gc.collect()
    tracemalloc.start()
    return tracemalloc.get_traced_memory()[0]


def _fire(_: object) -> None:
    """Never called: an hour is long."""


if __name__ == "__main__":
    show(benchmark)
