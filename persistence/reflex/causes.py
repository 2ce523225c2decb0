"""Who set off what is happening now, and what they were looking at.

One event of the page and all that it yields share a `Cause`: its source, and the layer stacks that
were shown when it began. Edits are captured for those stacks, whatever is shown by then.

- `load`: the page is being loaded (hydrate, `on_load` and what they yield). Never saved.
- `user`: an event of the page, and what it yields.
- `program`: a background task, and whatever comes from outside of events.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from ..scopes import Stack

Source = Literal["user", "program", "load", "remote", "undo"]


@dataclass(slots=True, eq=False)
class Cause:
    """What set an event off. Shared by the event and those that it yields."""

    source: Source
    actor: str = ""
    stacks: Mapping[str, Stack] = field(default_factory=dict[str, Stack])
    """Tool → the stack shown when the event began. Replaced where the chain itself switches."""
    group: str = ""
    """The action that its edits are part of, once there are any: one event is one step to undo."""

    def background(self) -> Cause:
        """For a task that runs on by itself: it keeps what was shown when it was set off."""
        source: Source = "program" if self.source == "user" else self.source
        return Cause(source, self.actor, self.stacks)


OUTSIDE = Cause("program")
"""For changes that no event makes."""

_current: ContextVar[Cause] = ContextVar("persistence_cause", default=OUTSIDE)
_expected: dict[str, Cause] = {}
"""Transaction id → the cause of an event that is queued or running."""


def current() -> Cause:
    return _current.get()


def begin(cause: Cause) -> None:
    """From here on, in this task, everything is due to that cause."""
    _current.set(cause)


def expected(txid: str) -> Cause | None:
    """The cause of an event that another event, or the gate, put into the queue."""
    return _expected.get(txid)


def expect(cause: Cause) -> Callable[[str], Callable[[], None]]:
    """Remember a cause for an event to come, until it is done."""

    def remember(txid: str) -> Callable[[], None]:
        _expected[txid] = cause
        return partial(_forget, txid)

    return remember


def remember_child(txid: str) -> Callable[[], None]:
    """The event of this transaction is caused by what is happening now."""
    if (cause := _current.get()) is not OUTSIDE:
        _expected[txid] = cause
    return partial(_forget, txid)


def _forget(txid: str) -> None:
    _expected.pop(txid, None)


@contextmanager
def acting_as(source: Source) -> Generator[Cause]:
    """Within: changes that are captured have this source, whatever the event's is."""
    before = _current.get()
    token = _current.set(replace(before, source=source))
    try:
        yield _current.get()
    finally:
        _current.reset(token)
