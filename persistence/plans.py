"""PLAN: several edits that can be looked at first, and are then made as one action.

    plan = await transfers.promote(travel, "frames", to="project")
    plan.summary()                                    # "1 setting"
    await engine.apply(plan, actor="ada")             # all of it or nothing, one step to undo

- A plan changes nothing by itself. It says what each layer holds now, what it would hold, and
  what was left out, with the reason.
- It stands on the revisions that it was made on: where one of its fields moved since, `apply`
  raises PlanOutdated and does nothing.
- All edits are recorded before any view is patched, so that no value in between is ever shown,
  and leave in one commit, under one group.

Undo, restore, copies, presets and imports are plans. Who makes one loads with
`confirmed_layers` and describes each edit with `propose`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .changes import Moved, Override, Patch, same
from .checks import check_scope
from .errors import EditError, PlanOutdated, PolicyViolation
from .layers import Layer, View
from .recorder import Cause, Prepared
from .resolve import DEFAULT, resolve
from .scopes import Target
from .specs import UNSET
from .store.base import VALUED, Kind

if TYPE_CHECKING:
    from .engine import Engine

Why = Literal[
    "pinned", "policy", "same", "own", "changed", "scope", "content", "secret", "gone", "unknown",
    "invalid",
]  # fmt: skip
"""Why an edit was left out of a plan."""

WORDS: Mapping[Why, str] = {
    "pinned": "pinned",
    "policy": "under policy",
    "same": "already so",
    "own": "with a value of their own",
    "changed": "changed since",
    "scope": "not allowed there",
    "content": "content that stays",
    "secret": "secret",
    "gone": "gone",
    "unknown": "unknown",
    "invalid": "not valid",
}
"""What `Plan.summary` says after the number, most important first."""


class Opinion(NamedTuple):
    """What a layer says about a field, for people. A secret's value is never in it."""

    kind: Kind
    """reset where the layer says nothing: it inherits."""
    value: Any = UNSET
    """UNSET unless the kind holds a value. For a merging dict its `Patch`."""
    note: str = ""
    """A policy's reason."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """One edit that a plan would make: `field` of `target` becomes what `after` says."""

    target: Target
    field: str
    kind: Kind
    value: Any
    """None for reset and block. For a merging dict the `Patch` that the layer then holds, whole."""
    note: str | None
    base: int
    """The revision of the stored row that it was planned on, 0 where there was none."""
    before: Opinion
    after: Opinion


@dataclass(frozen=True, slots=True)
class Skipped:
    """An edit that a plan leaves out."""

    target: Target
    field: str
    why: Why
    detail: str = ""
    """More about it in words for a user: who enforces it, what is wrong with the value."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Edits that are made together or not at all, and what was left out of them."""

    title: str
    """What it does, in a few words for a button or a heading."""
    edits: tuple[Proposed, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Would it change nothing?"""
        return not self.edits

    @property
    def targets(self) -> tuple[Target, ...]:
        """What it would write to, each once, in the order of the edits."""
        return tuple(dict.fromkeys(edit.target for edit in self.edits))

    def summary(self) -> str:
        """What would change and what not, in words: "37 shots, 5 pinned, 2 under policy".

        Entities are counted where a plan is about several of one scope, else settings.
        """
        owners = {each.target[:2] for each in (*self.edits, *self.skipped)}
        by_entity = any(count > 1 for count in Counter(scope for scope, _ in owners).values())
        left_out = {(s.why, s.target[:2] if by_entity else _place(s)) for s in self.skipped}
        skipped = Counter(why for why, _ in left_out)
        parts = [f"{skipped[why]} {words}" for why, words in WORDS.items() if skipped[why]]
        return ", ".join([_changed(self.edits, by_entity), *parts])


def _place(each: Proposed | Skipped) -> tuple[str, str]:
    return each.target.tool, each.field


def _changed(edits: Sequence[Proposed], by_entity: bool) -> str:
    if not edits:
        return "nothing changes"
    if not by_entity:
        return counted(len({_place(edit) for edit in edits}), "setting")
    scopes = Counter(scope for scope, _ in {edit.target[:2] for edit in edits})
    return ", ".join(counted(number, scope) for scope, number in scopes.items())


def counted(number: int, word: str) -> str:
    """ "1 shot", "37 shots", "2 entities"."""
    if number == 1:
        return f"1 {word}"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{number:,} {word[:-1]}ies"
    return f"{number:,} {word}s"


# --- making one ----------------------------------------------------------------------------------


async def confirmed_layers(engine: Engine, targets: Iterable[Target]) -> list[Layer]:
    """These targets in memory, with nothing on its way to the store: what a plan stands on.

    One query for what isn't loaded. Edits that were set aside stay aside. Raises StoreUnavailable.
    """
    wanted = list(dict.fromkeys(targets))
    await engine.load(wanted)
    layers = [engine.layer(target) for target in wanted]
    if any(layer.pending for layer in layers):
        with suppress(EditError):
            await engine.flush(wanted)
    return layers


def opinion_of(layer: Layer, field: str) -> Opinion:
    """What the layer says about a field now."""
    held = layer.opinion(field)
    if held is None:
        return Opinion("reset")
    return _opinion(layer, field, held.kind, held.value, held.note)


def propose(
    layer: Layer, field: str, kind: Kind, value: Any = None, *, note: str | None = None
) -> Proposed:
    """One edit of a plan, on what the layer holds now. Raises UnknownField.

    The value must be checked; for a merging dict it is the whole `Patch` of the layer.
    """
    value = layer.spec.require(field).copy(value) if kind in VALUED else None
    after = _opinion(layer, field, kind, value, note)
    base = layer.revision(field)
    return Proposed(layer.target, field, kind, value, note, base, opinion_of(layer, field), after)


def _opinion(layer: Layer, field: str, kind: Kind, value: Any, note: str | None) -> Opinion:
    spec = layer.spec.fields.get(field) or layer.spec.require(field)
    shows = kind in VALUED and not spec.secret
    return Opinion(kind, spec.copy(value) if shows else UNSET, note or "")


class Draft:
    """Collects the edits of a plan, and what it leaves out."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._edits: list[Proposed] = []
        self._skipped: list[Skipped] = []

    def change(self, layer: Layer, field: str, kind: Kind, value: Any = None) -> None:
        """Propose an edit, or note that the layer says so already. The value must be checked."""
        if says(layer, field, kind, value):
            self.skip(layer.target, field, "same")
        else:
            self._edits.append(propose(layer, field, kind, value))

    def skip(self, target: Target, field: str, why: Why, detail: str = "") -> None:
        self._skipped.append(Skipped(target, field, why, detail))

    def plan(self) -> Plan:
        return Plan(self.title, tuple(self._edits), tuple(self._skipped))


def says(layer: Layer, field: str, kind: Kind, value: Any = None) -> bool:
    """Does the layer say that already? A pinned value is set, too."""
    held = layer.opinion(field)
    if held is None or held.kind == "reset":
        return kind == "reset"
    if held.kind != kind and not (held.kind == "pin" and kind == "set"):
        return False
    return kind not in VALUED or same(held.value, value)


# --- applying one --------------------------------------------------------------------------------


async def apply(
    engine: Engine, plan: Plan, *, actor: str, source: str = "user", group: str = ""
) -> str:
    """Make all edits of a plan as one action; returns its group. See `Engine.apply`."""
    group = group or engine.recorder.group()
    if plan.is_empty:
        return group
    for target in _each_owner(plan.targets):
        await engine.permit(actor, "write", target)
    layers = {layer.target: layer for layer in await confirmed_layers(engine, plan.targets)}
    await engine.loader.refresh(layers.values())
    administered = [e.target for e in plan.edits if administers(layers[e.target], e)]
    for target in _each_owner(administered):
        await engine.permit(actor, "admin", target)
    # From here to the end of `accept_together` nothing waits: what was checked still holds.
    if moved := tuple(_moved(layers, plan.edits)):
        raise PlanOutdated(moved)
    prepared = [(layers[edit.target], _prepare(engine, layers, edit)) for edit in plan.edits]
    _check_views(layers, plan.edits)
    cause = Cause(actor, source, group, durable=True)
    engine.recorder.accept_together(prepared, cause)
    await engine.flush(plan.targets)
    return group


def _each_owner(targets: Iterable[Target]) -> Iterable[Target]:
    """One target of each owner: the app is asked about owners."""
    return {target[:2]: target for target in targets}.values()


def administers(layer: Layer, edit: Proposed) -> bool:
    """Does it set or lift a policy?"""
    held = layer.opinion(edit.field)
    return edit.kind == "policy" or (held is not None and held.kind == "policy")


def _moved(layers: Mapping[Target, Layer], edits: Iterable[Proposed]) -> Iterable[Moved]:
    for edit in edits:
        layer = layers[edit.target]
        held = layer.pending.newest(edit.field)
        if held is not None:
            yield Moved(edit.target, edit.field, held.author)
        elif layer.revision(edit.field) != edit.base:
            stored = layer.confirmed.get(edit.field)
            yield Moved(edit.target, edit.field, stored.author if stored else "")


def _prepare(engine: Engine, layers: Mapping[Target, Layer], edit: Proposed) -> Prepared:
    layer = layers[edit.target]
    spec = layer.spec.require(edit.field)
    value, whole = edit.value, None
    if edit.kind in VALUED:
        check_scope(spec, edit.target.scope)
        if spec.merge:
            whole = Patch(spec.check(dict(value.set)), value.remove)
        else:
            value = spec.check(spec.copy(value))
    admin = administers(layer, edit)
    return engine.recorder.prepare(
        layer, spec, edit.kind, value, whole=whole, note=edit.note, admin=admin
    )


def _check_views(layers: Mapping[Target, Layer], edits: Iterable[Proposed]) -> None:
    """Policies, and the rules across settings, in every view of what is edited, as it would be.

    Raises PolicyViolation and InvalidValue.
    """
    planned = {(edit.target, edit.field): edit for edit in edits}
    touched: dict[View, set[str]] = {}
    for edit in planned.values():
        for view, index in layers[edit.target].views:
            if edit.kind not in ("reset", "policy"):
                check_policy(view, index, edit.field, planned)
            touched.setdefault(view, set()).add(edit.field)
    for view, fields in touched.items():
        if view.spec.validators:
            would = {field: resolved_with(view, field, planned) for field in fields}
            changed = [f for f in fields if not same(would[f], view.values.get(f))]
            view.spec.check_together({**view.values, **would}, changed)


def check_policy(
    view: View, index: int, field: str, planned: Mapping[tuple[Target, str], Proposed]
) -> None:
    """Raises PolicyViolation where a weaker layer enforces the field and goes on doing so."""
    try:
        view.check_policy(field, index)
    except PolicyViolation:
        enforcing = view.layers[view.winners.get(field, DEFAULT)].target
        if (enforcing, field) not in planned:  # else the plan itself lifts or changes the policy
            raise


def resolved_with(view: View, field: str, planned: Mapping[tuple[Target, str], Proposed]) -> Any:
    """The effective value as it would be after those edits."""
    held = [
        _override(edit) if (edit := planned.get((layer.target, field))) else layer.opinion(field)
        for layer in view.layers
    ]
    return resolve(view.require(field), held).value


def _override(edit: Proposed) -> Override:
    return Override(edit.kind, edit.value, edit.base, note=edit.note)
