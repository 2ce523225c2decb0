"""SCHEDULE: when is a target due. Pure; the engine owns the one timer and asks what is due.

- Each touch of an item puts its deadline off to `debounce` after now, but never past `max_wait`
  after its first touch.
- Re-arming stores one number: the item stays in its slot of the wheel, and moves on lazily when
  that slot comes up. 100,000 pending items cost one timer.
- A held item isn't due, whatever its deadline, until it is released.
- Times are seconds of the caller's clock; an item is handed out at most one tick (5 ms) late.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Generic, Protocol, TypeVar

TICK = 0.005
SLACK = 1e-6
"""In ticks: what division may be wrong by."""
NEVER = float("inf")


class Schedulable(Protocol):
    """What the scheduler keeps on an item: times start as NEVER, `slot` as None."""

    touched: float
    """The last touch; NEVER for one that was expedited."""
    latest: float
    """The deadline is `debounce` after the last touch, or this, if it is earlier."""
    slot: int | None
    """Where it is on the wheel; None for one that isn't scheduled."""
    holds: int


Item = TypeVar("Item", bound=Schedulable)


class Scheduler(Generic[Item]):
    """Deadlines of many items, of which only the next one needs a timer."""

    __slots__ = ("_slots", "_ticks", "debounce", "max_wait")

    def __init__(self, debounce: float, max_wait: float) -> None:
        self.debounce, self.max_wait = debounce, max_wait
        self._slots: dict[int, deque[Item]] = {}
        self._ticks: list[int] = []

    def touch(self, item: Item, now: float) -> None:
        """Something of it changed: due after the debounce, at the latest after the max wait."""
        if item.slot is None:
            item.touched, item.latest = now, now + self.max_wait
            self._enter(item, self._deadline(item))
        elif item.touched < now:  # one that was expedited, to now or to a retry, stays there
            item.touched = now

    def expedite(self, item: Item, when: float) -> None:
        """Due at `when`, which may lie in the future (a retry), whatever was said before."""
        item.touched, item.latest = NEVER, when
        self._put(item, int(when / TICK))  # the tick before: what is due now doesn't wait for one

    def cancel(self, item: Item) -> None:
        """Not due any more. Its slot forgets it when it comes up."""
        item.touched = item.latest = NEVER
        item.slot = None

    def due(self, now: float, *, most: int | None = None) -> list[Item]:
        """Take out the items whose deadline has passed, held ones excepted; all, or so many."""
        found: list[Item] = []
        tick = int(now / TICK + SLACK)
        while self._ticks and self._ticks[0] <= tick and len(found) != most:
            slot = self._ticks[0]
            if not (held := self._slots[slot]):
                heapq.heappop(self._ticks)
                del self._slots[slot]
                continue
            item = held.popleft()
            if item.slot != slot:
                continue  # cancelled, or put into an earlier slot since
            item.slot = None
            if item.holds:
                continue
            deadline = self._deadline(item)
            if deadline <= now + SLACK * TICK:
                item.touched = item.latest = NEVER
                found.append(item)
            else:
                self._enter(item, deadline)
        return found

    def next(self) -> float | None:
        """When to ask again; None while nothing is scheduled."""
        return self._ticks[0] * TICK if self._ticks else None

    def _deadline(self, item: Item) -> float:
        return min(item.touched + self.debounce, item.latest)

    def _enter(self, item: Item, deadline: float) -> None:
        self._put(item, int(deadline / TICK - SLACK) + 1)  # the first tick that isn't before it

    def _put(self, item: Item, slot: int) -> None:
        if item.slot is not None and item.slot <= slot:
            return  # it comes up in time, and moves on then
        item.slot = slot
        held = self._slots.get(slot)
        if held is None:
            self._slots[slot] = deque((item,))
            heapq.heappush(self._ticks, slot)
        else:
            held.append(item)
