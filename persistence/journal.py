"""JOURNAL: rows of the journal, read as what layers said, from what to what. Pure.

`history` and `undo` ask the store for rows and make `Step`s of them here. A value that today's
declaration can't read is shown as it is stored, and never written again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from .changes import same
from .loads import read_rows
from .plans import Opinion
from .scopes import Target
from .specs import UNSET, ToolSpec
from .store.base import Change, Point, Row

Verb = Literal["", "undo", "redo"]
Standing = Mapping[Point, Change | None]
Place = tuple[Target, str]
"""A field of a target."""

NOTHING = Opinion("reset")
"""What a layer says where nothing was ever written."""


class ActionId(NamedTuple):
    """What the group of a journal row says: the action itself, its undoing, or that undone."""

    verb: Verb
    action: str
    turn: int = 1
    """How many times the action was undone, this time included."""

    def __str__(self) -> str:
        more = f"#{self.turn}" if self.turn > 1 else ""
        return f"{self.verb}:{self.action}{more}" if self.verb else self.action

    @property
    def opposite(self) -> ActionId:
        """What takes this back."""
        if self.verb == "undo":
            return self._replace(verb="redo")
        return ActionId("undo", self.action, self.turn + 1 if self.verb else 1)


_TURNED = re.compile(r"(undo|redo):(.*?)(?:#(\d{1,9}))?", re.DOTALL)


def action_of(group: str) -> ActionId:
    """Read a group."""
    found = _TURNED.fullmatch(group)
    if found is None:
        return ActionId("", group)
    verb: Verb = "undo" if found[1] == "undo" else "redo"
    return ActionId(verb, found[2], int(found[3] or 1))


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one layer, from what to what."""

    target: Target
    field: str
    before: Opinion | None
    """None where the journal doesn't reach back so far."""
    after: Opinion | None
    secret: bool = False
    """It changed; to what is nobody's business."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one person did at once, as they would tell it."""

    group: str
    author: str
    at: float
    """When it ended, in seconds since the epoch."""
    source: str
    changes: tuple[Difference, ...]
    first: int
    """The revision of its first change."""
    revision: int
    """The revision of its last one: how everything stood right after it."""

    @property
    def verb(self) -> Verb:
        """Did it take something back, or do it again?"""
        return action_of(self.group).verb


class Span(NamedTuple):
    """A field's changes within an action."""

    first: Change
    last: Change


def spans(rows: Iterable[Change]) -> dict[Place, Span]:
    """Each field's first and last change among rows, which come newest first."""
    found: dict[Place, Span] = {}
    for row in rows:
        place = (row.target, row.field)
        found[place] = Span(row, found[place].last if place in found else row)
    return found


def points(rows: Iterable[Change]) -> list[Point]:
    """What has to be asked of the store to tell what stood before an action."""
    return [(target, field, span.first.revision) for (target, field), span in spans(rows).items()]


def step_of(
    rows: Sequence[Change], standing: Standing, tool: Callable[[str], ToolSpec], pruned: int
) -> Step | None:
    """The rows of one action, newest first, as a step; None where all in all it changed nothing.

    Nothing is said about what stood before a row that isn't younger than `pruned`.
    """
    changes: list[Difference] = []
    for (target, field), (first, last) in spans(rows).items():
        spec = tool(target.tool)
        stood = standing.get((target, field, first.revision))
        before = opinion(spec, stood) if first.revision > pruned else None
        after = opinion(spec, last)
        secret = is_secret(spec, field)
        if secret or before is None or not agree(before, after):
            changes.append(Difference(target, field, before, after, secret))
    if not changes:
        return None
    newest, oldest = rows[0], rows[-1]
    return Step(
        newest.group, newest.author, newest.at, newest.source, tuple(reversed(changes)),
        oldest.revision, newest.revision,
    )  # fmt: skip


def agree(one: Opinion, other: Opinion) -> bool:
    """Do they say the same?"""
    return (one.kind, one.note) == (other.kind, other.note) and same(one.value, other.value)


def is_secret(spec: ToolSpec, field: str) -> bool:
    known = spec.fields.get(field)
    return known is not None and known.secret


def opinion(spec: ToolSpec, change: Change | None) -> Opinion:
    """What a row says, for people. What can't be read any more is given as its plain JSON."""
    if change is None or change.kind == "reset":
        return NOTHING
    said, _ = layer_at(spec, {change.field: change})
    return said.get(change.field) or _as_stored(change)


def layer_at(
    spec: ToolSpec, changes: Mapping[str, Change]
) -> tuple[dict[str, Opinion], frozenset[str]]:
    """What the rows of one layer said, in the shape of today's declaration, by field; and which of
    it can't be read any more, and is given as its plain JSON."""
    rows = {
        field: Row(
            change.kind, change.text, change.revision, change.author, change.at, change.version,
            change.note,
        )
        for field, change in changes.items()
        if not is_secret(spec, field)
    }  # fmt: skip
    stored, unreadable = read_rows(spec, rows, _never)
    said = {
        field: Opinion(held.kind, held.value if held.holds else UNSET, held.note or "")
        for field, held in stored.items()
        if held.kind != "reset" and field not in unreadable
    }
    for field, change in changes.items():
        if change.kind != "reset" and (field in unreadable or is_secret(spec, field)):
            said[field] = _as_stored(change)
    return said, frozenset(unreadable)


def _as_stored(change: Change) -> Opinion:
    """For a secret, whose value no journal has, its kind alone."""
    value: Any = UNSET if change.text is None else json.loads(change.text)
    return Opinion(change.kind, value, change.note or "")


def _never(text: str) -> str:
    raise ValueError(f"a journal holds no secrets to decrypt ({len(text)} characters)")
