"""OBSERVE: the dirty fields of one target. Pure; the engine records, takes and confirms.

- A field has at most one edit in flight and one waiting behind it, which folds all later ones.
- `take` moves what waits into flight; nothing of a field that is in flight is taken.
- `confirm` clears exactly what was in flight: an edit made meanwhile stays, on the new revision.
- `put_back` returns a failed write to the waiting ones, under any newer edit of its field.
- The operations of folded edits travel together, oldest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .changes import Override, Patch
from .scheduler import NEVER
from .store.base import Kind

Attempt = tuple[Kind, str, float]
"""Kind, author and time of a write that may be stored."""

MOST_ATTEMPTS = 100


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

    __slots__ = ("holds", "latest", "owner", "sent", "slot", "touched", "waiting")

    def __init__(self, owner: Any = None) -> None:
        self.owner = owner
        self.waiting: dict[str, Dirty] = {}
        self.sent: dict[str, Dirty] = {}
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

    def record(self, edit: Dirty) -> Dirty:
        """Fold an edit onto what waits for its field; it keeps that one's base."""
        older = self.waiting.get(edit.field)
        if older is not None:
            edit = _fold(older, edit)
        self.waiting[edit.field] = edit
        return edit

    def drop(self, field: str) -> Dirty | None:
        """Forget what waits for the field; what is in flight goes on."""
        return self.waiting.pop(field, None)

    def take(self) -> list[Dirty]:
        """Move all that may go into flight."""
        if not self.sent:
            self.sent, self.waiting = self.waiting, {}
            return list(self.sent.values())
        taken = [edit for field, edit in self.waiting.items() if field not in self.sent]
        for edit in taken:
            self.sent[edit.field] = self.waiting.pop(edit.field)
        return taken

    def confirm(self, field: str, revision: int) -> Dirty:
        """The one in flight is durable. What waits behind it now builds on its revision."""
        done = self.sent.pop(field)
        if (later := self.waiting.get(field)) is not None:
            self.waiting[field] = later._replace(base=revision)
        return done

    def withdraw(self, field: str) -> Dirty:
        """The one in flight will never be durable as it is; the caller decides what follows."""
        return self.sent.pop(field)

    def put_back(self, fields: Iterable[str]) -> None:
        """Those in flight failed for now: they wait again, folded under what is newer."""
        for field in list(fields):
            edit = self.sent.pop(field)
            edit = edit._replace(attempted=(*edit.attempted, edit.signature)[-MOST_ATTEMPTS:])
            later = self.waiting.get(field)
            self.waiting[field] = edit if later is None else _fold(edit, later)


def _fold(older: Dirty, newer: Dirty) -> Dirty:
    """Both edits as one, made on the base of the older."""
    delta = newer.delta
    if older.delta is None:
        delta = None  # keys on top of a reset or a block: only both together are what was meant
    elif delta is not None:
        delta = older.delta.then(delta)
    operations = older.operations + newer.operations
    if older.operations and not newer.operations:
        # The store takes a write for done when its newest operation is. This edit is none of them.
        operations += (f"~{newer.at:.6f}-{newer.seq:x}",)
    return newer._replace(
        base=older.base,
        seq=older.seq,  # who waits for the older edit waits for both
        operations=operations,
        delta=delta,
        attempted=older.attempted,
    )
