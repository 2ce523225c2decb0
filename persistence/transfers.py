"""TRANSFER: settings from one layer to others, each as a plan that is looked at before it is made.

    plan = await transfers.promote(travel, "frames", to="project")   # the project's default now
    plan = await transfers.copy(engine, ("shot", "s1"), ("shot", "s2"), actor="ada")
    plan = await transfers.push(travel, "frames", owners=shots)      # to all shots
    plan.summary()                                                   # "37 shots, 5 pinned"
    await engine.apply(plan, actor="ada")

- Configuration goes along, content (settings that don't inherit) and secrets never do.
- What a plan leaves out it names, with the reason. What this actor may not write counts as gone.
- All layers of a plan come with one query, and are written in one commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from .changes import Override, Patch, same
from .checks import check_scope
from .errors import EditError, NotReady, PermissionDenied, PolicyViolation, ScopeNotAllowed
from .layers import Layer, View, patch_of
from .plans import Draft, Plan, Why, confirmed_layers, counted
from .resolve import resolve
from .scopes import Target
from .specs import SettingSpec

if TYPE_CHECKING:
    from .binding import Binding
    from .engine import Engine

Own = Literal["keep", "replace"]
"""What becomes of a value that a receiver set itself. What it pinned stays in any case."""

Weaker = Mapping[str, Mapping[str, str]]

CHUNK = 100
"""Owners that a plan looks at before the event loop gets a turn."""


# --- promote -------------------------------------------------------------------------------------


async def promote(binding: Binding[Any], *fields: str, to: str, scope: str | None = None) -> Plan:
    """Make what a layer says the default of a weaker scope: written there, removed here.

    What is shown here stays as it is, and all others that inherit from there follow. `scope` is the
    layer to take from, each setting's edit target if none is named. Raises UnknownField, NotReady
    where one of the two isn't shown, ScopeNotAllowed where `to` isn't the weaker one,
    PermissionDenied, and StoreUnavailable.
    """
    engine, view = binding.engine, require_view(binding)
    draft = Draft(f"Make this the {to}'s default")
    weak = index_of(view, to)
    await engine.permit(binding.actor, "write", view.stack[weak])
    await confirmed_layers(engine, view.stack)
    for field in dict.fromkeys(fields):
        strong = index_of(view, scope or binding.edit_scope_of(field))
        if weak >= strong:
            raise ScopeNotAllowed(field, f"is set at the {view.stack[strong].scope} already")
        if reason := _stays_here(view, field, weak, strong):
            draft.skip(view.stack[strong], field, *reason)
        else:
            _promote(draft, view, field, weak, strong)
    return draft.plan()


def _stays_here(view: View, field: str, weak: int, strong: int) -> tuple[Why, str] | None:
    """Why a field can't become the weaker layer's, if it can't."""
    spec, receiver = view.require(field), view.layers[weak]
    if reason := refusal(receiver, spec):
        return reason
    held = view.layers[strong].opinion(field)
    if held is None or held.kind == "reset":
        return "same", "is inherited already"
    if held.kind == "policy":
        return "policy", f"is enforced by this {view.stack[strong].scope} itself"
    try:
        view.check_policy(field, strong)
    except PolicyViolation as error:
        return "policy", error.problem
    for layer in view.layers[weak + 1 : strong]:
        between = layer.opinion(field)
        if between is not None and between.kind != "reset":
            return "own", f"the {layer.target.scope} in between has a value of its own"
    return None


def _promote(draft: Draft, view: View, field: str, weak: int, strong: int) -> None:
    receiver, giver = view.layers[weak], view.layers[strong]
    held = giver.opinion(field)
    if held is None:
        return
    if held.kind == "block":
        draft.change(receiver, field, "block")
    elif view.require(field).merge:
        draft.change(receiver, field, "set", patch_of(receiver.opinion(field)).then(held.value))
    else:
        draft.change(receiver, field, "set", held.value)
    draft.change(giver, field, "reset")


# --- copy ----------------------------------------------------------------------------------------


async def copy(
    engine: Engine,
    source: tuple[str, str],
    to: tuple[str, str],
    *,
    actor: str,
    tools: Iterable[str] | None = None,
    own: Own = "keep",
) -> Plan:
    """Copy what one `(scope, owner)` overrides to another of the same scope; of these tools only,
    if any are named.

    Raises ScopeNotAllowed where the scopes differ, PermissionDenied, and StoreUnavailable.
    """
    if source[0] != to[0]:
        raise ScopeNotAllowed(source[0], f"can't be copied to a {to[0]}: the scopes differ")
    draft = Draft(f"Copy settings to this {to[0]}")
    wanted = await held_tools(engine, *source)
    if tools is not None:
        wanted = sorted({*tools}.intersection(wanted))
    pairs = [(Target(*source, tool), Target(*to, tool)) for tool in wanted]
    for one, other in pairs[:1]:  # the app is asked about owners
        await engine.permit(actor, "read", one)
        await engine.permit(actor, "write", other)
    await confirmed_layers(engine, [target for pair in pairs for target in pair])
    for one, other in pairs:
        giver = engine.layer(one)
        for field in sorted(giver.fields()):
            _copy(draft, giver, engine.layer(other), field, own)
    return draft.plan()


def _copy(draft: Draft, giver: Layer, receiver: Layer, field: str, own: Own) -> None:
    held = giver.opinion(field)
    if held is None or held.kind == "reset":
        return
    if reason := (
        refusal(receiver, giver.spec.require(field))
        or (("policy", "is a policy there") if held.kind == "policy" else None)
        or _own(receiver, field, own, held.value if held.holds else None)
    ):
        draft.skip(receiver.target, field, *reason)
    else:
        draft.change(receiver, field, held.kind, held.value)


# --- push ----------------------------------------------------------------------------------------


async def push(
    binding: Binding[Any],
    *fields: str,
    owners: Iterable[str],
    scope: str | None = None,
    own: Own = "keep",
    weaker: Weaker | None = None,
) -> Plan:
    """Give other owners of the same scope what is shown here.

    Those that pinned a setting, and those under a policy, are left out. With `own="keep"` only
    those that inherit are written, with "replace" also those with a value of their own. The weaker
    layers are taken to be those of the binding; `weaker` says for an owner which differ: `{"s7":
    {"project": "p2"}}`. Raises UnknownField, NotReady, PermissionDenied where this layer may not be
    read, and StoreUnavailable.
    """
    engine, view = binding.engine, require_view(binding)
    index = index_of(view, scope or binding.edit_scope)
    here = view.stack[index]
    names = tuple(dict.fromkeys(fields))
    await engine.permit(binding.actor, "read", here)
    await confirmed_layers(engine, view.stack)
    given = {field: _given(view, field, index) for field in names}
    draft = Draft(f"Push to other {counted(2, here.scope)[2:]}")
    stacks: list[tuple[Target, ...]] = []
    for owner in dict.fromkeys(owners):
        target = Target(here.scope, owner, here.tool)
        if target == here:
            continue
        if await _may_write(engine, binding.actor, target):
            stacks.append((*_weaker(view, index, (weaker or {}).get(owner, {})), target))
        else:
            for field in names:
                draft.skip(target, field, "gone", f"there is no such {here.scope} of yours")
    await confirmed_layers(engine, [target for stack in stacks for target in stack])
    for position, stack in enumerate(stacks):
        layers = [engine.layer(target) for target in stack]
        receive(draft, layers, given, own)
        if position % CHUNK == CHUNK - 1:
            await asyncio.sleep(0)
    return draft.plan()


def _given(view: View, field: str, index: int) -> Any:
    """What is pushed: what the layer itself says, else what it inherits."""
    spec = view.require(field)
    if not spec.merge:
        return spec.copy(view.at(field, index))
    held = view.layers[index].opinion(field)
    return held.value if held is not None and held.holds else Patch(view.at(field, index))


def _weaker(view: View, index: int, other: Mapping[str, str]) -> list[Target]:
    return [
        target._replace(owner=other.get(target.scope, target.owner))
        for target in view.stack[:index]
    ]


async def _may_write(engine: Engine, actor: str, target: Target) -> bool:
    try:
        await engine.permit(actor, "read", target)
        await engine.permit(actor, "write", target)
    except PermissionDenied:
        return False
    return True


def receive(draft: Draft, layers: list[Layer], given: Mapping[str, Any], own: Own) -> None:
    """Plan one owner's part: `layers` is its stack, weakest first, its own last."""
    *_, layer = layers
    accepted: dict[str, Any] = {}
    for field, value in given.items():
        spec = layer.spec.require(field)
        whole = patch_of(layer.opinion(field)).then(value) if spec.merge else value
        if reason := (
            refusal(layer, spec)
            or _enforced(layers, spec)
            or _own(layer, field, own, whole)
            or _inherits_it(layers, spec, value)
        ):
            draft.skip(layer.target, field, *reason)
        else:
            accepted[field] = whole
    problem = _together(layers, accepted)
    for field, whole in accepted.items():
        if problem:
            draft.skip(layer.target, field, "invalid", problem)
        else:
            draft.change(layer, field, "set", whole)


def _enforced(layers: list[Layer], spec: SettingSpec) -> tuple[Why, str] | None:
    for layer in layers:
        held = layer.opinion(spec.name)
        if held is not None and held.kind == "policy":
            because = f": {held.note}" if held.note else ""
            return "policy", f"is enforced by the {layer.target.scope}{because}"
    return None


def _inherits_it(layers: list[Layer], spec: SettingSpec, value: Any) -> tuple[Why, str] | None:
    held = layers[-1].opinion(spec.name)
    if held is not None and held.kind != "reset":
        return None
    below = _effective(layers, spec, {})
    wanted = value.apply(below) if spec.merge else value
    return ("same", "is inherited already") if same(below, wanted) else None


def _effective(layers: list[Layer], spec: SettingSpec, planned: Mapping[str, Any]) -> Any:
    """A setting's value over a stack, its last layer saying what is planned."""
    opinions = [layer.opinion(spec.name) for layer in layers]
    if spec.name in planned:
        opinions[-1] = Override("set", planned[spec.name])
    return resolve(spec, opinions).value


def _together(layers: list[Layer], planned: Mapping[str, Any]) -> str:
    """What the rules across settings say against those edits; "" where nothing."""
    declared = layers[-1].spec
    if not declared.validators or not planned:
        return ""
    would = {n: _effective(layers, spec, planned) for n, spec in declared.fields.items()}
    try:
        declared.check_together(would, planned)
    except EditError as error:
        return error.problem
    return ""


# --- what all of them ask ------------------------------------------------------------------------


def refusal(layer: Layer, spec: SettingSpec, *, content: bool = False) -> tuple[Why, str] | None:
    """Why a layer can't be given this setting from elsewhere, if it can't; content, if not so
    asked."""
    scope = layer.target.scope
    if layer.gate.state == "gone":
        return "gone", layer.gate.problem
    if spec.secret:
        return "secret", "secrets stay where they are"
    if not spec.inherit and not content:
        return "content", f"is the {scope}'s own content"
    try:
        check_scope(spec, scope)
        for view, index in layer.views:
            view.check_policy(spec.name, index)
    except PolicyViolation as error:
        return "policy", error.problem
    except ScopeNotAllowed as error:
        return "scope", error.problem
    held = layer.opinion(spec.name)
    if held is not None and held.kind == "policy":
        return "policy", f"is enforced by this {scope} itself"
    return None


def _own(layer: Layer, field: str, own: Own, value: Any) -> tuple[Why, str] | None:
    """Does the receiver keep what it has? Not where it says the same already: that is told so."""
    held = layer.opinion(field)
    if held is None or held.kind == "reset":
        return None
    if held.holds and same(held.value, value):
        return "same", ""
    if held.kind == "pin":
        return "pinned", "is pinned there"
    return ("own", "has a value of its own there") if own == "keep" else None


async def held_tools(engine: Engine, scope: str, owner: str) -> list[str]:
    """The tools that an owner holds something of, stored or still on its way."""
    stored = await engine.store.tools(scope, owner)
    pending = (
        t.tool for t, held in engine.layers.items() if t[:2] == (scope, owner) and held.pending
    )
    return sorted({*stored, *pending})


def require_view(binding: Binding[Any]) -> View:
    """What a binding shows, all of it loaded. Raises NotReady and StoreUnavailable."""
    binding.require_ready()
    view = binding.view
    if view is None:
        raise NotReady(binding.spec.tool, "nobody's settings are shown")
    return view


def index_of(view: View, scope: str) -> int:
    """The position of a scope in what is shown. Raises NotReady where it isn't."""
    for index, target in enumerate(view.stack):
        if target.scope == scope:
            return index
    raise NotReady(view.spec.tool, f"no {scope} is shown")
