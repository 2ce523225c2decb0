"""How much somebody may do in how much time. Pure: the time comes as an argument, from any clock
that doesn't go back.

A rate is kept as one number a key: the moment at which its whole allowance would be there again
(the generic cell rate algorithm). So it needs no window, no list of times and no timer, and what is
whole again is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass

REMEMBERED = 10_000
"""Keys that are kept before those are looked for whose allowance is whole."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`amount` in `seconds`, from then on; as many at once, or `burst` if that is said."""

    amount: float
    seconds: float = 60.0
    burst: float = 0.0

    def __post_init__(self) -> None:
        if not (self.amount > 0 and self.seconds > 0 and self.burst >= 0):
            raise ValueError("a rate is a positive amount in a positive number of seconds")

    @property
    def each(self) -> float:
        """Seconds that one costs."""
        return self.seconds / self.amount

    @property
    def most(self) -> float:
        """Seconds' worth of allowance that may be used at once."""
        return (self.burst or self.amount) * self.each


class Rates:
    """One rate for many keys.

    - What is within the rate is never delayed; after a pause the whole burst is there again.
    - `take` counts only what it allows, so that asking in vain doesn't make it later.
    - `wait` counts always, and says how much later: whoever waits is let in, in order.
    - A cost beyond the whole allowance counts as the whole.
    """

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._whole_at: dict[str, float] = {}
        self._crowded = REMEMBERED

    def __len__(self) -> int:
        return len(self._whole_at)

    def take(self, key: str, now: float, cost: float = 1.0) -> float:
        """0.0 where it is allowed, and then it counts; else the seconds until it will be."""
        whole_at = self._after(key, now, cost)
        late = whole_at - now - self.rate.most
        if late > 1e-9:
            return late
        self._note(key, whole_at, now)
        return 0.0

    def wait(self, key: str, now: float, cost: float = 1.0) -> float:
        """Count it, and say how many seconds it must wait; 0.0 for what is within the rate."""
        whole_at = self._after(key, now, cost)
        self._note(key, whole_at, now)
        late = whole_at - now - self.rate.most
        return late if late > 1e-9 else 0.0

    def _after(self, key: str, now: float, cost: float) -> float:
        used = min(cost * self.rate.each, self.rate.most)
        return max(self._whole_at.get(key, now), now) + used

    def _note(self, key: str, whole_at: float, now: float) -> None:
        self._whole_at[key] = whole_at
        if len(self._whole_at) > self._crowded:
            self._whole_at = {each: at for each, at in self._whole_at.items() if at > now}
            self._crowded = max(REMEMBERED, 2 * len(self._whole_at))
