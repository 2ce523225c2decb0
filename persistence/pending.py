"""OBSERVE: the dirty fields of one target. Pure; the engine records, takes and confirms.

- A field has at most one edit in flight and one waiting behind it, which folds all later ones of
  its author. Another person's doesn't fold: the older one goes ahead, in a commit of its own.
- `take` moves what waits into flight; nothing of a field that is in flight is taken.
- `confirm` clears exactly what was in flight: an edit made meanwhile stays, on the new revision.
- `put_back` returns a failed write to the waiting ones, under any newer edit of its field.
- The operations of folded edits travel together, oldest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from .changes import Override, Patch
from .scheduler import NEVER
from .store.base import Kind

Attempt = tuple[Kind, str, float]
"""Kind, author and time of a write that may be stored."""

MOST_ATTEMPTS = 4
"""Remembered of one edit: while the store is away for long, what is edited all the time must not
grow."""
FOLDED = "~"
"""How the last operation of an edit begins that a handler made on top of what a client sent."""


class Dirty(NamedTuple):
    """One field's accepted edit that isn't durable yet."""

    field: str
    kind: Kind
    value: Any
    text: str | None
    base: int
    author: str
    source: str
    at: float
    group: str
    seq: int
    operations: tuple[str, ...] = ()
    note: str | None = None
    delta: Patch | None = None
    """For a setting that merges: what this edit changes, `value` being the whole layer's patch."""
    attempted: tuple[Attempt, ...] = ()
    """It was sent so, and nobody knows whether it arrived: to take it back takes a write."""

    @property
    def signature(self) -> Attempt:
        """What the row of this edit is known by, should it turn out to be stored."""
        return (self.kind, self.author, self.at)

    def as_override(self) -> Override:
        return Override(self.kind, self.value, self.base, self.author, self.at, self.note)


class Pending:
    """The edits of one target on their way to the store, and when they are due."""

    __slots__ = ("ahead", "holds", "latest", "owner", "sent", "slot", "touched", "waiting")

    def __init__(self, owner: Any = None) -> None:
        self.owner = owner
        self.waiting: dict[str, Dirty] = {}
        self.sent: dict[str, Dirty] = {}
        self.ahead: dict[str, list[Dirty]] | None = None
        """Field → edits of other people that leave before the one that waits, oldest first."""
        self.touched = self.latest = NEVER
        self.slot: int | None = None
        self.holds = 0

    def __bool__(self) -> bool:
        return bool(self.waiting or self.sent)

    def newest(self, field: str) -> Dirty | None:
        """What the user sees of a dirty field."""
        return self.waiting.get(field) or self.sent.get(field)

    def fields(self) -> Iterator[str]:
        yield from self.waiting
        yield from (field for field in self.sent if field not in self.waiting)

    def edits(self) -> Iterator[Dirty]:
        """All that isn't confirmed yet."""
        yield from self.waiting.values()
        yield from self.sent.values()
        for queue in (self.ahead or {}).values():
            yield from queue

    def record(self, edit: Dirty) -> Dirty:
        """Fold an edit onto what its author has waiting for the field; it keeps that one's base.

        What another person has waiting goes ahead of it, unless nothing is loaded yet.
        """
        older = self.waiting.get(edit.field)
        if older is not None and (older.author == edit.author or older.base < 0):
            edit = _fold(older, edit)
        elif older is not None:
            self._queue(edit.field).append(older)
        self.waiting[edit.field] = edit
        return edit

    def put_first(self, edit: Dirty) -> None:
        """Put an edit before all that waits for its field; it folds with the next, if that is of
        the same author."""
        queue = (self.ahead or {}).get(edit.field)
        following = queue[0] if queue else self.waiting.get(edit.field)
        if following is None:
            self.waiting[edit.field] = edit
        elif following.author != edit.author:
            self._queue(edit.field).insert(0, edit)
        elif queue:
            queue[0] = _fold(edit, following)
        else:
            self.waiting[edit.field] = _fold(edit, following)

    def drop(self, field: str) -> Dirty | None:
        """Forget what waits for the field, but not what goes ahead of it, nor what is in flight."""
        dropped = self.waiting.pop(field, None)
        if queue := (self.ahead or {}).get(field):
            self.waiting[field] = queue[-1]
            self._leave(field, len(queue) - 1)
        return dropped

    def drop_ahead(self, field: str, author: str) -> list[Dirty]:
        """Forget what goes ahead of the waiting one and is this author's."""
        queue = (self.ahead or {}).get(field, [])
        found = [at for at, each in enumerate(queue) if each.author == author]
        return [self._leave(field, at) for at in reversed(found)]

    def in_line(self, field: str) -> list[Dirty]:
        """All that waits for the field, in the order in which it leaves."""
        last = self.waiting.get(field)
        return [*(self.ahead or {}).get(field, ()), *([last] if last is not None else ())]

    def replace_line(self, field: str, edits: Sequence[Dirty]) -> None:
        """The same edits, as they are written now."""
        *first, self.waiting[field] = edits
        if first:
            self._queue(field)[:] = first

    def _queue(self, field: str) -> list[Dirty]:
        if self.ahead is None:
            self.ahead = {}
        return self.ahead.setdefault(field, [])

    def _leave(self, field: str, at: int) -> Dirty:
        queue = self._queue(field)
        edit = queue.pop(at)
        if not queue and self.ahead is not None:
            del self.ahead[field]
            self.ahead = self.ahead or None
        return edit

    def take(self) -> list[Dirty]:
        """Move all that may go into flight."""
        if not self.sent and not self.ahead:
            self.sent, self.waiting = self.waiting, {}
            return list(self.sent.values())
        free = [field for field in self.waiting if field not in self.sent]
        for field in free:
            is_behind = field in (self.ahead or ())
            self.sent[field] = self._leave(field, 0) if is_behind else self.waiting.pop(field)
        return [self.sent[field] for field in free]

    def confirm(self, field: str, revision: int) -> Dirty:
        """The one in flight is durable. What waits behind it now builds on its revision."""
        done = self.sent.pop(field)
        self.build_on(field, revision)
        return done

    def build_on(self, field: str, revision: int) -> None:
        """The next that waits for the field was made on what has that revision."""
        if queue := (self.ahead or {}).get(field):
            queue[0] = queue[0]._replace(base=revision)
        elif (later := self.waiting.get(field)) is not None:
            self.waiting[field] = later._replace(base=revision)

    def withdraw(self, field: str) -> Dirty:
        """The one in flight will never be durable as it is; the caller decides what follows."""
        return self.sent.pop(field)

    def put_back(self, fields: Iterable[str]) -> None:
        """Those in flight failed for now: they wait again, folded under what is newer."""
        for field in list(fields):
            edit = self.sent.pop(field)
            if edit.signature not in edit.attempted:
                edit = edit._replace(attempted=(*edit.attempted, edit.signature)[-MOST_ATTEMPTS:])
            self.put_first(edit)


def _fold(older: Dirty, newer: Dirty) -> Dirty:
    """Both edits as one, made on the base of the older."""
    operations = older.operations + newer.operations
    if older.operations and not newer.operations:
        # The store takes a write for done when its newest operation is. This edit is none of them.
        operations += (f"{FOLDED}{newer.at:.6f}-{newer.seq:x}",)
    return newer._replace(
        base=older.base,
        seq=older.seq,  # who waits for the older edit waits for both
        operations=operations,
        delta=both(older.delta, newer.delta),
        attempted=older.attempted,
    )


def both(older: Patch | None, newer: Patch | None) -> Patch | None:
    """The keys that two edits change, one after the other; None where one replaces the whole: keys
    on top of a reset or a block are only together what was meant."""
    return older.then(newer) if older is not None and newer is not None else None
