"""The loading gate of one target. Pure; the engine opens and closes it.

- It starts closed, and only a finished load opens it.
- A load counts only if it is the newest one that was begun: a late answer is ignored.
- A failed load leaves it closed, with the reason, until a later load succeeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "loading", "open", "failed"]


@dataclass(slots=True)
class Gate:
    """May edits of this target be tracked and saved yet?"""

    state: State = "closed"
    epoch: int = 0
    problem: str = ""

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    def begin(self) -> int:
        """A load starts. Returns the epoch that it must show when it ends."""
        self.epoch += 1
        if self.state != "open":
            self.state, self.problem = "loading", ""
        return self.epoch

    def finish(self, epoch: int) -> bool:
        """The load of that epoch succeeded. False where a newer one is under way."""
        if epoch != self.epoch:
            return False
        self.state, self.problem = "open", ""
        return True

    def fail(self, epoch: int, problem: str) -> bool:
        """The load of that epoch failed. False where a newer one is under way."""
        if epoch != self.epoch:
            return False
        if self.state != "open":  # a failed refresh of what is loaded leaves it usable
            self.state = "failed"
        self.problem = problem
        return True

    def close(self, problem: str = "") -> None:
        """Nothing may be saved any more; loads under way are moot."""
        self.epoch += 1
        self.state, self.problem = "closed", problem
