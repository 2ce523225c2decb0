"""Layers in memory, and the effective views over them. Pure; the engine owns them.

A `Layer` is one target: what is stored (confirmed), what is on its way (pending), its gate.
A `View` is one tool's effective values over a stack of layers. It is patched when a field of a
layer changes and never computed anew, so that a read is one dict look-up and a write costs the same
in a tool of five settings and of five hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .changes import Override, Patch, same
from .errors import PolicyViolation
from .gate import Gate
from .pending import Dirty, Pending
from .resolve import DEFAULT, Resolved, resolve
from .scopes import Stack, Target
from .specs import UNSET, SettingSpec, ToolSpec

Watcher = Callable[[Mapping[str, Any], str, object | None], None]
"""Called with the changed effective values, the source, and the binding that made the change."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An edit that was set aside: what, where, why. It can be retried or discarded."""

    target: Target
    edit: Dirty
    problem: str

    @property
    def field(self) -> str:
        return self.edit.field

    @property
    def value(self) -> Any:
        return self.edit.value


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same field was changed here and elsewhere, and nobody has chosen yet."""

    target: Target
    edit: Dirty
    """Mine: with its author, and its time in seconds since the epoch."""
    theirs: Override
    """What stands there now, by whom and since when."""
    before: Override | None = None
    """What stood there when mine was made; None where the history doesn't know any more."""

    @property
    def field(self) -> str:
        return self.edit.field

    @property
    def mine(self) -> Any:
        return self.edit.value

    @property
    def base(self) -> Any:
        """The value that both sides changed; UNSET where there was none, or nobody knows."""
        return self.before.value if self.before is not None and self.before.holds else UNSET

    @property
    def problem(self) -> str:
        return f"was changed by {self.theirs.author or 'somebody else'} meanwhile"


class Layer:
    """One target in memory."""

    __slots__ = (
        "actions", "confirmed", "conflicts", "gate", "last_saved", "moved", "pending", "problem",
        "refused", "spec", "target", "unreadable", "views",
    )  # fmt: skip

    def __init__(self, target: Target, spec: ToolSpec) -> None:
        self.target, self.spec = target, spec
        self.confirmed: dict[str, Override] = {}
        self.pending = Pending(self)
        self.gate = Gate()
        self.views: list[tuple[View, int]] = []
        self.refused: dict[tuple[str, str], Refused] = {}
        """(field, author) → what was set aside of theirs there, the newest."""
        self.conflicts: dict[tuple[str, str], Conflict] = {}
        self.unreadable: dict[str, str] = {}
        self.moved: dict[str, int] = {}
        """Field with an edit on its way → the revision that is known to be stored under that."""
        self.actions: dict[str, str] = {}
        """Field → the group of its newest edit in this process."""
        self.problem = ""
        self.last_saved: float | None = None

    def opinion(self, field: str) -> Override | None:
        """What this layer says about a field, unconfirmed edits first."""
        pending = self.pending
        if dirty := pending.waiting.get(field) or pending.sent.get(field):
            return dirty.as_override()
        return self.confirmed.get(field)

    def opinion_in_flight(self, field: str) -> Override | None:
        """The same, without what waits."""
        sent = self.pending.sent.get(field)
        return sent.as_override() if sent is not None else self.confirmed.get(field)

    def revision(self, field: str) -> int:
        """The stored row's revision, 0 where nothing was ever written."""
        stored = self.confirmed.get(field)
        return stored.revision if stored else 0

    def has_moved(self, field: str) -> bool:
        """Is what is confirmed here known to be out of date?"""
        return self.moved.get(field, 0) > self.revision(field)

    def fields(self) -> set[str]:
        """What this layer says something about."""
        return {*self.confirmed, *self.pending.waiting, *self.pending.sent}

    def show(self, field: str, source: str, origin: object | None = None) -> None:
        """This layer says something new about a field: patch every view, tell who watches."""
        for view, index in self.views:
            view.patch(field, index, source, origin)

    @property
    def aside(self) -> tuple[Refused | Conflict, ...]:
        """What was set aside and needs somebody's decision."""
        if not self.refused and not self.conflicts:
            return ()
        return (*self.refused.values(), *self.conflicts.values())

    def aside_of(self, author: str) -> tuple[Refused | Conflict, ...]:
        """The same, of one author: nobody else is asked about it, nor shown it."""
        return tuple(each for each in self.aside if each.edit.author == author)

    def aside_in(self, field: str, author: str) -> Refused | Conflict | None:
        """The same, of one author in one field."""
        return self.refused.get((field, author)) or self.conflicts.get((field, author))

    def forget_aside(self, field: str, author: str | None) -> bool:
        """Somebody has dealt with what was set aside of theirs in a field; of all, for None."""
        found = False
        for asides in (self.refused, self.conflicts):
            for key in [key for key in asides if key[0] == field and author in (None, key[1])]:
                del asides[key]
                found = True
        return found

    @property
    def is_dirty(self) -> bool:
        return bool(self.pending or self.refused or self.conflicts)

    @property
    def is_idle(self) -> bool:
        """Can it be forgotten and loaded again? Nobody looks at it, nothing is on its way."""
        return not self.views and not self.is_dirty and self.gate.state not in ("closed", "loading")


class View:
    """The effective values of one tool over one stack. Others only read `values`."""

    __slots__ = (
        "_watchers",
        "layers",
        "policies",
        "spec",
        "stack",
        "values",
        "winners",
    )

    def __init__(self, spec: ToolSpec, layers: Iterable[Layer]) -> None:
        self.spec = spec
        self.layers = tuple(layers)
        self.stack: Stack = tuple(layer.target for layer in self.layers)
        self.values: dict[str, Any] = {}
        self.winners: dict[str, int] = {}  # none for a default
        self.policies: set[str] = set()
        self._watchers: list[Watcher] = []
        for index, layer in enumerate(self.layers):
            layer.views.append((self, index))
        self._resolve_all()

    def close(self) -> None:
        """Leave the layers; they no longer patch this view."""
        for layer in self.layers:
            layer.views = [pair for pair in layer.views if pair[0] is not self]

    def watch(self, watcher: Watcher) -> None:
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        if watcher in self._watchers:
            self._watchers.remove(watcher)

    @property
    def is_watched(self) -> bool:
        return bool(self._watchers)

    def rebuild(self) -> dict[str, Any]:
        """Resolve every field, after a load. Returns what changed."""
        before = self.values
        self._resolve_all()
        return {
            field: value
            for field, value in self.values.items()
            if (was := before.get(field, _NOTHING)) is not value and not same(was, value)
        }

    def _resolve_all(self) -> None:
        self.values, self.winners = self.spec.defaults(), {}
        self.policies.clear()
        for field in self._lay_over():
            self._keep(field, self.resolve(field))

    def _lay_over(self) -> set[str]:
        """Plain values, the stronger over the weaker. Returns the fields that need resolving."""
        special = self.spec.special
        others: set[str] = set()
        for index, layer in enumerate(self.layers):
            others.update(layer.pending.waiting, layer.pending.sent)
            for field, override in layer.confirmed.items():
                kind = override.kind
                if kind in ("block", "policy") or field in special:
                    others.add(field)
                elif kind != "reset":
                    self.values[field] = override.value
                    self.winners[field] = index
        return others

    def patch(self, field: str, index: int, source: str, origin: object | None) -> None:
        """The layer at `index` says something new about `field`."""
        values = self.values
        before = values.get(field, _NOTHING)
        dirty = self.layers[index].pending.waiting.get(field)
        if (
            dirty is not None
            and dirty.kind == "set"
            and index >= self.winners.get(field, DEFAULT)
            and field not in self.policies
            and field not in self.spec.special
        ):  # nearly always: a plain value on top of the layer that won so far
            values[field] = after = dirty.value
            self.winners[field] = index
        else:
            self._keep(field, self.resolve(field))
            after = values[field]
        if before is not after and self._watchers and not same(before, after):
            self.tell({field: after}, source, origin)

    def tell(self, changed: Mapping[str, Any], source: str, origin: object | None) -> None:
        for watcher in tuple(self._watchers):
            watcher(changed, source, origin)

    def resolve(self, field: str, upto: int | None = None) -> Resolved:
        """Resolve one field over the layers before `upto` (over all, if not given)."""
        layers = self.layers if upto is None else self.layers[:upto]
        spec = self.require(field)
        if not spec.inherit and upto is not None and upto < len(self.layers):
            return Resolved(spec.default(), DEFAULT)
        return resolve(spec, [layer.opinion(field) for layer in layers] or [None])

    def below(self, field: str, index: int) -> Any:
        """What the layer at `index` would inherit."""
        return self.resolve(field, index).value

    def at(self, field: str, index: int) -> Any:
        """The value as the layer at `index` sees it, stronger layers left out."""
        if index == len(self.layers) - 1:
            return self.values[field]
        if not self.require(field).inherit:
            opinion = self.layers[index].opinion(field)
            return opinion.value if opinion and opinion.holds else self.require(field).default()
        return self.resolve(field, index + 1).value

    def require(self, field: str) -> SettingSpec:
        return self.spec.require(field)

    def check_policy(self, field: str, index: int) -> None:
        """Raises PolicyViolation where a layer weaker than `index` enforces the field."""
        if field not in self.policies:
            return
        winner = self.winners[field]
        if winner < index and (held := self.layers[winner].opinion(field)):
            because = f": {held.note}" if held.note else ""
            scope = self.layers[winner].target.scope
            raise PolicyViolation(field, f"is enforced by the {scope}{because}")

    def hidden_by(self, field: str, index: int) -> str | None:
        """The scope of the stronger layer that hides what is written at `index`, if any."""
        winner = self.winners.get(field, DEFAULT)
        return self.layers[winner].target.scope if winner > index else None

    def _keep(self, field: str, resolved: Resolved) -> None:
        self.values[field] = resolved.value
        if resolved.winner == DEFAULT:
            self.winners.pop(field, None)
        else:
            self.winners[field] = resolved.winner
        if resolved.is_policy:
            self.policies.add(field)
        else:
            self.policies.discard(field)


class _Nothing:
    """Stands for no value at all; equal to none."""


_NOTHING = _Nothing()


def patch_of(override: Override | None) -> Patch:
    """A merging field's patch in a layer; empty where it says nothing."""
    return override.value if override is not None and override.holds else Patch()
