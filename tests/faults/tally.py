"""What an experiment counts, and what an experiment is.

A module of this folder that holds `EXPERIMENTS`, a list of `Experiment`, takes part: in the tests
with its short count, in `python3 -m tests faults --long` with its full one.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

ON_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


SLOWEST = "slowest"
"""What begins so is the greatest of all parts of a run, not their sum."""


@dataclass(slots=True)
class Tally:
    """What came of a run."""

    count: int = 0
    """How often it was tried, in the experiment's unit."""
    lost: int = 0
    doubled: int = 0
    elsewhere: int = 0
    """Edits that are at another target or field than their own."""
    faults: list[str] = field(default_factory=list[str])
    """All that came out wrong, in words, the three above included; each says how to repeat it."""
    happened: Counter[str] = field(default_factory=Counter[str])
    """What else is worth a number: edits, kills, answers."""

    def add(self, other: Tally) -> None:
        self.count += other.count
        self.lost += other.lost
        self.doubled += other.doubled
        self.elsewhere += other.elsewhere
        self.faults += other.faults
        for what, number in other.happened.items():
            if what.startswith(SLOWEST):
                self.happened[what] = max(self.happened[what], number)
            else:
                self.happened[what] += number

    def lose(self, what: str) -> None:
        self.lost += 1
        self.faults.append(f"lost: {what}")

    def double(self, what: str) -> None:
        self.doubled += 1
        self.faults.append(f"doubled: {what}")

    def misplace(self, what: str) -> None:
        self.elsewhere += 1
        self.faults.append(f"elsewhere: {what}")

    def fault(self, what: str) -> None:
        """Anything else."""
        self.faults.append(what)

    @property
    def numbers(self) -> str:
        other = len(self.faults) - self.lost - self.doubled - self.elsewhere
        return (
            f"{self.lost} lost, {self.doubled} doubled, {self.elsewhere} elsewhere, "
            f"{other} other faults"
        )

    def __str__(self) -> str:
        told = "".join(f"\n  {each[:2_000]}" for each in self.faults[:5])
        more = ", ".join(f"{number:,} {what}" for what, number in sorted(self.happened.items()))
        return f"{self.count:,}: {self.numbers} ({more}){told}"


def nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """Something is done to the real thing, and it has to bear it."""

    name: str
    what: str
    """One line: what is done."""
    unit: str
    """What is counted."""
    target: str
    """What has to come out, at the full count."""
    run: Callable[[int, int, Path], Tally]
    """`run(count, seed, folder)`: an empty folder of its own, removed afterwards. The same count
    and seed try the same things."""
    control: Callable[[int, Path], Tally]
    """`control(seed, folder)`: the same without the guard. It must report faults."""
    short: int
    """The count in the tests: some seconds at most."""
    full: int
    portion: int = 0
    """The full count is shared out in portions of so many, on all cores; 0: it is one piece."""
    missing: Callable[[], str] = nothing
    """What the machine lacks for it, in words; empty where nothing."""
    slow: bool = False
    """Its short run takes seconds, or real processes: it isn't among the fast tests."""
    in_browser: bool = False
    """It runs with the tests in the browser."""


def without_programs(*names: str) -> Callable[[], str]:
    """For `missing`: the programs that aren't on this machine."""

    def missing() -> str:
        lacking = [name for name in names if shutil.which(name) is None]
        return f"no {' and no '.join(lacking)} on this machine" if lacking else ""

    return missing


def classified(faults: Iterable[str], tally: Tally) -> None:
    """Take in faults that are told in words only, as the simulation's are."""
    for each in faults:
        if "misplaced" in each:
            tally.misplace(each)
        elif "doubled" in each:
            tally.double(each)
        elif "lost" in each:
            tally.lose(each)
        else:
            tally.fault(each)
