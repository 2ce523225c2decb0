"""How often what happens in a simulation, and what came of it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Odds:
    """Weights of what may happen next, and how wrong things go on the way."""

    edit: int = 40
    switch: int = 6
    reset: int = 4
    wait: int = 20
    open_tab: int = 3
    close_tab: int = 2
    kill_browser: int = 2
    kill_server: int = 3
    stop_server: int = 1
    store_fails: int = 3
    answer_lost: int = 3
    store_slow: int = 3
    network_cut: int = 3
    network_back: int = 4
    say: int = 15
    """A line for a list, where there are any."""
    lost: float = 0.05
    """The part of all messages that is lost, either way."""
    doubled: float = 0.05
    """The part of all messages that arrives twice."""
    late: float = 0.05
    """The part of all messages that arrives once more, up to half a minute later: from a queue."""
    longest_way: float = 0.2
    """Seconds that a message is under way at most."""
    applying_fails: float = 0.05
    """The part of all lines whose database is away, or stuck after the commit."""


WEIGHTS = tuple(name for name, kind in Odds.__annotations__.items() if kind == "int")
"""What may happen, by name."""


@dataclass(slots=True)
class Report:
    """What happened in one schedule, or in many."""

    seeds: int = 0
    """Schedules played."""
    happened: Counter[str] = field(default_factory=Counter[str])
    """Edits, answers, kills and so on, by name."""
    faults: list[str] = field(default_factory=list[str])
    """What came out wrong, each with its seed; empty if all is well."""

    def add(self, other: Report) -> None:
        self.seeds += other.seeds
        self.happened += other.happened
        self.faults += other.faults

    def __str__(self) -> str:
        counts = ", ".join(f"{number:,} {what}" for what, number in sorted(self.happened.items()))
        wrong = "; ".join(self.faults[:5]) or "nothing lost, doubled, misplaced or unasked"
        return f"{self.seeds:,} schedules: {counts}. {wrong}."
