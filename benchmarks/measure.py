"""Measure two sides of one question in turns, and print the answer as one line.

A machine is never quiet, so a figure is a ratio: both sides run interleaved in one process, in
rotating order, and the medians are divided. The spread is that of the ratio, round by round.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import statistics
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Side = Callable[[], float]
"""Runs one round and returns what it took, in seconds or any other unit, per operation."""

QUESTION, FIGURE, RATIO = 66, 12, 9
HEADER = (
    f"{'question':<{QUESTION}}{'ours':>{FIGURE}}{'peer':>{FIGURE}}{'ratio':>{RATIO}}"
    f"{'target':>{RATIO}}  {'':<7}spread"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One answer. `target` reads "≤ 1.5" or "≥ 80"; `ours` and `peer` are for people to read."""

    question: str
    ours: str
    peer: str
    ratio: float
    target: str
    spread: str = ""

    @property
    def is_ok(self) -> bool:
        sign, limit = self.target.split()
        bound = float(limit.replace(",", ""))
        return self.ratio <= bound if sign == "≤" else self.ratio >= bound

    def __str__(self) -> str:
        return (
            f"{self.question:<{QUESTION}}{self.ours:>{FIGURE}}{self.peer:>{FIGURE}}"
            f"{_figure(self.ratio):>{RATIO}}{self.target:>{RATIO}}"
            f"  {'ok' if self.is_ok else 'NOT OK':<7}{self.spread}"
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """A question whose peer isn't installed."""

    question: str
    package: str

    def __str__(self) -> str:
        return f"{self.question:<{QUESTION}}{'':>{FIGURE}}peer missing (pip install {self.package})"


Answer = Line | Missing
Benchmark = Callable[[bool], Iterator[Answer]]
"""Takes `quick`, and yields its answers one by one."""


def in_turns(sides: Mapping[str, Side], rounds: int) -> dict[str, list[float]]:
    """Run all sides `rounds` times, each time beginning with another one."""
    names = list(sides)
    results: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            gc.collect()
            results[name].append(sides[name]())
    return results


def times(
    question: str, ours: Sequence[float], peer: Sequence[float], target: str, *, show: str = "time"
) -> Line:
    """Compare seconds per operation: a target with ≤ is on time, one with ≥ on operations/s."""
    faster = target.startswith("≥")
    ratios = sorted(
        theirs / mine if faster else mine / theirs for mine, theirs in zip(ours, peer, strict=True)
    )
    mine, theirs = statistics.median(ours), statistics.median(peer)
    form = {"time": duration, "bytes": size, "count": _figure}[show] if not faster else rate
    return Line(
        question,
        form(mine),
        form(theirs),
        theirs / mine if faster else mine / theirs,
        target,
        f"{_figure(ratios[len(ratios) // 4])}–{_figure(ratios[-1 - len(ratios) // 4])}",
    )


def calls(
    statement: str, names: Mapping[str, Any], *, unroll: int = 10, last: float = 0.02
) -> Side:
    """Time a statement of some nanoseconds, written out `unroll` times a turn of the loop.

    In processor time, as all that is pure computation: what others do doesn't count.
    """
    body = "\n".join([statement] * unroll)
    timer = timeit.Timer(body, globals=dict(names), timer=time.process_time)
    number = 1
    while (taken := timer.timeit(number)) < last / 4:
        number *= 2
    number = max(1, int(number * last / taken))
    return lambda: timer.timeit(number) / number / unroll


def peer(module: str) -> Any:
    """A package that the library doesn't need, or None."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


@contextmanager
def folder() -> Iterator[Path]:
    """A place for databases, gone afterwards. Set TMPDIR to measure another disk."""
    with tempfile.TemporaryDirectory(prefix="persistence-bench-") as path:
        yield Path(path)


def runner() -> asyncio.Runner:
    """One event loop for all rounds of an asynchronous side."""
    return asyncio.Runner()


def show(benchmark: Benchmark) -> None:
    """What a file does when it is run alone."""
    if os.environ.get("BENCHMARKS_HEADER", "1") == "1":
        print(HEADER)
    for answer in benchmark("--quick" in sys.argv):
        print(answer, flush=True)


def duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{_figure(seconds / scale)} {unit}"
    return f"{_figure(seconds * 1e9)} ns"


def rate(seconds: float) -> str:
    return f"{1 / seconds:,.0f}/s"


def size(count: float) -> str:
    return f"{count:,.0f} B"


def _figure(number: float) -> str:
    """Three digits that count."""
    if number >= 100:
        return f"{number:,.0f}"
    return (
        f"{number:.1f}" if number >= 10 else f"{number:.2f}" if number >= 0.1 else f"{number:.4f}"
    )
