"""The loading gate of one target. Pure; the engine opens and closes it.

- It starts closed, and only a finished load opens it.
- A load counts only if it is the newest one that was begun: a late answer is ignored.
- A failed load leaves it closed, with the reason, until a later load succeeds.
- Once its owner is gone it never opens again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "loading", "open", "failed", "gone"]


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
        if self.state not in ("open", "gone"):
            self.state, self.problem = "loading", ""
        return self.epoch

    def finish(self, epoch: int) -> bool:
        """The load of that epoch succeeded. False where a newer one is under way."""
        if not self._counts(epoch):
            return False
        self.state, self.problem = "open", ""
        return True

    def fail(self, epoch: int, problem: str) -> bool:
        """The load of that epoch failed. False where a newer one is under way."""
        if not self._counts(epoch):
            return False
        if self.state != "open":  # a failed refresh leaves what is loaded usable
            self.state = "failed"
        self.problem = problem
        return True

    def shut(self) -> None:
        """What a load brought is of no use: nothing is loaded."""
        if self.state != "gone":
            self.state = "loading"

    def _counts(self, epoch: int) -> bool:
        return epoch == self.epoch and self.state != "gone"

    def retire(self, problem: str) -> None:
        """The owner is gone: nothing may be saved any more, and loads under way are moot."""
        self.epoch += 1
        self.state, self.problem = "gone", problem
