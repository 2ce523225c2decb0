"""DOCUMENT: what an owner overrides, out as a document or its text, and in again by a plan.

    text = await exchange.export_text(engine, "shot", "s1", actor="ada", form="toml")
    document = await exchange.read_text(text)                     # or a dict of your own
    plan = await exchange.plan_import(engine, "shot", "s2", document, actor="ada")

A document is `{tool: {field: value}}` as an entity's JSON column holds it elsewhere; `formats` says
what may stand beside it. One that says no version is taken as one of today's.

- Secrets never go out, and never come in. A policy comes in as a plain value.
- What can't be taken in is listed by tool and field, with the reason and the limit.
- Older versions are migrated; what was written by a newer one is left out.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import formats
from .changes import Override, Patch
from .errors import (
    EditError,
    InvalidValue,
    PermissionDenied,
    PolicyViolation,
    ScopeNotAllowed,
    UnknownField,
)
from .formats import Document, Form, Part
from .layers import Layer
from .loads import read_rows
from .plans import Draft, Plan, Skipped, Why, confirmed_layers
from .scopes import Target
from .settings import registry
from .specs import NAME, SettingSpec, ToolSpec
from .store.base import Row
from .transfers import held_tools, refusal

if TYPE_CHECKING:
    from .engine import Engine


# --- out -----------------------------------------------------------------------------------------


async def export_document(engine: Engine, scope: str, owner: str) -> Document:
    """What this owner overrides, by tool and wire name. Secrets stay out."""
    held = await _held(engine, scope, owner)
    return {tool: part.values for tool, part in held.items() if part.values}


async def export_text(
    engine: Engine,
    scope: str,
    owner: str,
    *,
    actor: str,
    form: Form = "json",
    tools: Iterable[str] | None = None,
) -> str:
    """All that this owner overrides, or what it does of these tools, as a text that `read_text`
    takes. Raises PermissionDenied and StoreUnavailable."""
    await engine.permit(actor, "read", Target(scope, owner, "*"))
    held = await _held(engine, scope, owner, tools)
    return await asyncio.to_thread(formats.write, held, form)


async def _held(
    engine: Engine, scope: str, owner: str, tools: Iterable[str] | None = None
) -> dict[str, Part]:
    found = await held_tools(engine, scope, owner)
    wanted = found if tools is None else sorted({*tools}.intersection(found))
    layers = await confirmed_layers(engine, [Target(scope, owner, tool) for tool in wanted])
    parts = {layer.target.tool: part_of(layer) for layer in layers}
    return {tool: part for tool, part in parts.items() if part}


def part_of(layer: Layer) -> Part:
    """What a layer overrides, by wire name, as JSON can carry it. Secrets stay out."""
    part = Part(version=layer.spec.version)
    for name in sorted(layer.fields()):
        spec, held = layer.spec.require(name), layer.opinion(name)
        if held is None or held.kind == "reset" or spec.secret:
            continue
        if held.kind == "block":
            part.blocked |= {spec.alias}
            continue
        value = held.value
        if isinstance(value, Patch):
            if value.remove:
                part.removed[spec.alias] = sorted(value.remove)
            value = value.set
        part.values[spec.alias] = spec.adapter.dump_python(value, mode="json")
        if held.kind == "pin":
            part.pinned |= {spec.alias}
        elif held.kind == "policy":
            part.enforced |= {spec.alias}
    return part


# --- in ------------------------------------------------------------------------------------------


async def read_text(text: str, form: Form | None = None) -> Document:
    """The document in a text; whether it is JSON or TOML is seen, if it isn't said.

    Raises InvalidValue with the line where it isn't well formed, and with the limit where it is
    too large.
    """
    return await asyncio.to_thread(formats.read, text, form)


async def plan_import(
    engine: Engine,
    scope: str,
    owner: str,
    document: Mapping[str, Any],
    *,
    actor: str,
    tools: Iterable[str] | None = None,
) -> Plan:
    """Set what a document holds as this owner's overrides; of these tools only, if any are named.

    What the owner overrides and the document doesn't mention stays. Unknown tools and fields, and
    values that don't fit, are left out and listed. Raises InvalidValue where it is no document at
    all, PermissionDenied, and StoreUnavailable.
    """
    here = Target(scope, owner, "*")
    await engine.permit(actor, "read", here)
    await engine.permit(actor, "write", here)
    draft = Draft(f"Import settings into this {scope}")
    chosen = None if tools is None else set(tools)
    known: dict[Target, Part] = {}
    for tool, part in formats.parts_of(document).items():
        target = here._replace(tool=tool[:100])
        if chosen is not None and tool not in chosen:
            continue
        if isinstance(part, str):
            draft.skip(target, "", "invalid", part)
        elif tool not in registry:
            draft.skip(target, "", "unknown", "there is no such tool")
        else:
            known[target] = part
    for layer in await confirmed_layers(engine, known):
        take(engine, draft, layer, known[layer.target])
    return draft.plan()


def take(engine: Engine, draft: Draft, layer: Layer, part: Part) -> None:
    """Plan what a document says of one tool, on a layer that is loaded."""
    spec = layer.spec
    version = part.version or spec.version
    if version > spec.version:
        problem = f"was written by version {version}, and this app has version {spec.version}"
        draft.skip(layer.target, "", "invalid", problem)
        return
    wire: dict[str, str] = {}
    rows: dict[str, Row] = {}
    for alias in (*part.values, *sorted(part.blocked)):
        name = _name(spec, alias, version)
        if name is None:
            draft.skip(layer.target, alias[:100], "unknown", f"{spec.tool} has no such setting")
        elif name in wire:
            draft.skip(layer.target, alias[:100], "invalid", f"stands there as {wire[name]} too")
        else:
            wire[name] = alias
            try:
                rows[name] = _row(spec.fields.get(name), alias, part, version)
            except ValueError as error:
                draft.skip(layer.target, alias, "invalid", str(error))
    secret = {name for name in rows if name in spec.fields and spec.fields[name].secret}
    read, problems = read_rows(spec, {n: r for n, r in rows.items() if n not in secret}, str)
    for name in secret:
        draft.skip(layer.target, wire[name], "secret", "secrets stay where they are")
    for name, problem in problems.items():
        words = problem.removeprefix(f"{name}: ")  # the field is named beside it
        draft.skip(layer.target, wire.get(name, name), "invalid", words)
    for name, held in read.items():
        if name in problems:
            continue
        known = spec.require(name)
        if reason := refusal(layer, known, content=True) or _unfit(engine, layer, known, held):
            draft.skip(layer.target, wire.get(name, known.alias), *reason)
        else:
            draft.change(layer, name, held.kind, held.value)


def _name(spec: ToolSpec, alias: str, version: int) -> str | None:
    """The setting that is called so on the wire, or was in an older version."""
    if (known := spec.by_alias.get(alias) or spec.fields.get(alias)) is not None:
        return known.name
    if version < spec.version and NAME.fullmatch(alias):
        return re.sub(r"(?<!^)(?=[A-Z])", "_", alias).lower()
    return None


def _row(known: SettingSpec | None, alias: str, part: Part, version: int) -> Row:
    """A field of a document as the store would hold it. Raises ValueError."""
    if alias in part.blocked:
        if known is None:
            raise ValueError("is no setting any more")
        return Row("block", None, 0, "", 0.0, version)
    value = part.values[alias]
    if known is not None and known.merge:
        value = {"set": value, "remove": part.removed.get(alias, [])}
    try:
        text = json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("isn't a value that JSON can carry") from None
    return Row("pin" if alias in part.pinned else "set", text, 0, "", 0.0, version)


def _unfit(
    engine: Engine, layer: Layer, spec: SettingSpec, held: Override
) -> tuple[Why, str] | None:
    """Would the layer refuse it, for its size or for what JSON can't carry?"""
    whole = held.value if isinstance(held.value, Patch) else None
    try:
        engine.recorder.prepare(layer, spec, held.kind, held.value, whole=whole)
    except EditError as error:
        return "invalid", error.problem
    return None


async def import_document(
    engine: Engine, scope: str, owner: str, document: Mapping[str, Any], *, actor: str
) -> int:
    """Set what a document holds as this owner's overrides: all of it, or nothing if any is wrong.

    Returns how many fields were set. Raises the kinds of EditError, and StoreUnavailable.
    """
    plan = await plan_import(engine, scope, owner, document, actor=actor)
    for each in plan.skipped:
        if each.why != "same":
            raise _error(each)
    await engine.apply(plan, actor=actor)
    return len(plan.edits)


_ERRORS: Mapping[Why, type[EditError]] = {
    "gone": PermissionDenied,
    "policy": PolicyViolation,
    "scope": ScopeNotAllowed,
    "unknown": UnknownField,
}


def _error(skipped: Skipped) -> EditError:
    kind = _ERRORS.get(skipped.why, InvalidValue)
    return kind(skipped.field or skipped.target.tool, skipped.detail)
