"""Edits as data: what a change does to one field of one layer. Pure; used by the engine.

A setting that merges holds a `Patch` in each layer: the keys it sets and the keys it removes. Every
other setting holds its whole value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from .scopes import Target
from .specs import UNSET
from .store.base import VALUED, Kind


class Override(NamedTuple):
    """One value in one layer, with what is told about it. Frozen, but its value may be a list."""

    kind: Kind
    value: Any
    revision: int = 0
    author: str = ""
    at: float = 0.0
    note: str | None = None

    @property
    def holds(self) -> bool:
        """Has it a value? A block and the tombstone of a reset have none."""
        return self.kind in VALUED


class Moved(NamedTuple):
    """A field that was changed after a plan was made, and by whom ("" where nobody is known)."""

    target: Target
    field: str
    author: str


@dataclass(frozen=True, slots=True)
class Patch:
    """What a layer says about a dict that merges: keys to set, keys to remove."""

    set: Mapping[str, Any] = field(default_factory=dict[str, Any])
    remove: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.set or self.remove)

    def apply(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The dict with this patch on top."""
        kept = {key: held for key, held in value.items() if key not in self.remove}
        return {**kept, **self.set}

    def then(self, later: Patch) -> Patch:
        """Both patches as one."""
        kept = {key: held for key, held in self.set.items() if key not in later.remove}
        gone = self.remove.difference(later.set) | later.remove
        return Patch({**kept, **later.set}, gone)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Patch:
    """The patch that makes `after` of `before`; empty when they are the same."""
    changed = {
        key: value
        for key, value in after.items()
        if key not in before or not same(before[key], value)
    }
    return Patch(changed, frozenset(before.keys() - after.keys()))


def same(one: Any, other: Any) -> bool:
    """Equal, and of one kind all the way down: `True` isn't `1`, though Python says it equals."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        ours, others = cast("list[Any]", one), cast("list[Any]", other)
        return len(ours) == len(others) and all(map(same, ours, others))
    if isinstance(one, dict):
        held, theirs = cast("dict[Any, Any]", one), cast("dict[Any, Any]", other)
        return held.keys() == theirs.keys() and all(same(held[key], theirs[key]) for key in held)
    return bool(one == other)


def three_way(base: Any, mine: Any, theirs: Any) -> Any:
    """What both sides made of `base`, merged; UNSET where they disagree: somebody must choose."""
    if same(mine, theirs) or same(base, theirs):
        return mine
    if same(base, mine):
        return theirs
    return UNSET
