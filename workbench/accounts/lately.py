"""What was read from the database a moment ago, so that not every event of a page asks again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from workbench.database import Unavailable

T = TypeVar("T")

FRESH = 5.0
"""Seconds that an answer counts: so late another process's change may be noticed. Those of this
process are noticed at once."""
REMEMBERED = 20_000


class Lately(Generic[T]):
    """Answers by key.

    - An answer counts for `FRESH` seconds, and longer while the database is away.
    - `drop` counts at once: a read that began before it is not remembered.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._changes = 0

    async def get(self, key: str, read: Callable[[], Awaitable[T]], *, now: float) -> T:
        """Raises Unavailable where the database is away and nothing is remembered."""
        known = self._answers.get(key)
        if known is not None and 0 <= now - known[0] < FRESH:
            return known[1]
        changes = self._changes
        try:
            answer = await read()
        except Unavailable:
            if known is None:
                raise
            return known[1]
        if changes == self._changes:
            self._answers[key] = (now, answer)
            self._answers.move_to_end(key)
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    def known(self) -> list[tuple[str, T]]:
        """All that is remembered, however old."""
        return [(key, answer) for key, (_, answer) in self._answers.items()]

    def drop(self, *keys: str) -> None:
        """What is known of these isn't so any more."""
        self._changes += 1
        for key in keys:
            self._answers.pop(key, None)
