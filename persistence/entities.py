"""The life of owners: forget one that is gone, copy one's configuration, export and import.

A document is `{tool: {field: value}}` with the names of the wire, as an entity's JSON column holds
it elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from .changes import Patch
from .errors import EditError, ScopeNotAllowed, UnknownField
from .layers import Layer
from .operations import check_json, check_scope
from .recorder import Cause, Prepared
from .scopes import Target
from .specs import SettingSpec

if TYPE_CHECKING:
    from .engine import Engine

Document = dict[str, dict[str, Any]]


async def forget(engine: Engine, scope: str, owner: str) -> int:
    """The owner is gone: remove what it held. Edits still pending are set aside, not saved.

    Returns how many overrides were removed. Whoever still shows the owner sees its defaults.
    """
    held = [each for each in engine.layers.values() if each.target[:2] == (scope, owner)]
    for layer in held:
        layer.gate.retire(f"this {scope} is gone")
        engine.scheduler.cancel(layer.pending)
    async with engine.committer.lock:  # what is being written is removed with the rest
        removed = await engine.store.forget(scope, owner)
    for layer in held:
        for edit in [*layer.pending.waiting.values()]:
            layer.pending.drop(edit.field)
            engine.recorder.set_aside(layer, edit, f"belongs to a {scope} that is gone")
        layer.confirmed.clear()
        for view, _ in layer.views:
            if changed := view.rebuild():
                view.tell(changed, "remote", None)
        engine.tell_of(layer, "forgotten")
    return removed


async def copy(engine: Engine, source: tuple[str, str], to: tuple[str, str], *, actor: str) -> int:
    """Copy what one owner overrides to another of the same scope; returns how many fields.

    Content (settings that don't inherit) and secrets stay behind. Raises EditError, and changes
    nothing, where the other owner has overrides already.
    """
    if source[0] != to[0]:
        raise ScopeNotAllowed(source[0], f"can't be copied to a {to[0]}: the scopes differ")
    tools = await _tools(engine, *source)
    pairs = [(Target(*source, tool), Target(*to, tool)) for tool in tools]
    for one, other in pairs:
        await engine.permit(actor, "read", one)
        await engine.permit(actor, "write", other)
    taken = await engine.store.load([Target(*to, tool) for tool in await _tools(engine, *to)])
    await engine.load([target for pair in pairs for target in pair])
    held = any(row.kind != "reset" for rows in taken.values() for row in rows.values())
    if held or any(engine.layer(other).pending for _, other in pairs):
        raise EditError(to[1], f"this {to[0]} has settings of its own, which stay as they are")
    cause = Cause(actor, "user", engine.recorder.group(), durable=True)
    count = 0
    for one, other in pairs:
        layer = engine.layer(one)
        for field in sorted(layer.fields()):
            spec, override = layer.spec.require(field), layer.opinion(field)
            if override is None or not spec.inherit or spec.secret:
                continue
            if override.kind in ("set", "pin", "block"):
                delta = override.value if spec.merge and override.holds else None
                kind = "pin" if override.kind == "set" else override.kind
                engine.recorder.record(
                    engine.layer(other), spec, kind, spec.copy(override.value), cause, delta=delta
                )
                count += 1
    await engine.flush([other for _, other in pairs])
    return count


async def export_document(engine: Engine, scope: str, owner: str) -> Document:
    """What this owner overrides, by tool and wire name. Secrets stay out."""
    layers = await _layers(engine, scope, owner)
    document: Document = {}
    for layer in layers:
        held: dict[str, Any] = {}
        for field in sorted(layer.fields()):
            opinion = layer.opinion(field)
            spec = layer.spec.require(field)
            if opinion is not None and opinion.holds and not spec.secret:
                value = opinion.value.set if isinstance(opinion.value, Patch) else opinion.value
                held[spec.alias] = spec.adapter.dump_python(value, mode="json")
        if held:
            document[layer.target.tool] = held
    return document


async def import_document(
    engine: Engine, scope: str, owner: str, document: Mapping[str, Any], *, actor: str
) -> int:
    """Set what a document holds as this owner's overrides: all of it, or nothing if any is wrong.

    Returns how many fields were set. Raises the kinds of EditError.
    """
    edits: list[tuple[Layer, SettingSpec, Any]] = []
    for tool, fields in document.items():
        target = Target(scope, owner, tool)
        await engine.permit(actor, "write", target)
        await engine.load([target])
        layer = engine.layer(target)
        if not isinstance(fields, Mapping):
            raise UnknownField(str(tool)[:80], "isn't an object of fields")
        for name, value in cast("Mapping[str, Any]", fields).items():
            spec = layer.spec.by_alias.get(name) or layer.spec.require(name)
            check_scope(spec, scope)
            edits.append((layer, spec, check_json(spec, value)))
    cause = Cause(actor, "user", engine.recorder.group(), durable=True)
    prepared: list[tuple[Layer, Prepared]] = []
    for layer, spec, value in edits:
        delta = Patch(value) if spec.merge else None
        prepared.append((layer, engine.recorder.prepare(layer, spec, "pin", value, delta=delta)))
    for layer, each in prepared:
        engine.recorder.accept(layer, each, cause)
    await engine.flush({layer.target for layer, _, _ in edits})
    return len(edits)


async def _tools(engine: Engine, scope: str, owner: str) -> list[str]:
    """The tools that the owner holds something of, stored or still on its way."""
    stored = await engine.store.tools(scope, owner)
    pending = (
        t.tool for t, held in engine.layers.items() if t[:2] == (scope, owner) and held.pending
    )
    return sorted({*stored, *pending})


async def _layers(engine: Engine, scope: str, owner: str) -> list[Layer]:
    targets = [Target(scope, owner, tool) for tool in await _tools(engine, scope, owner)]
    await engine.load(targets)
    return [engine.layer(target) for target in targets]
