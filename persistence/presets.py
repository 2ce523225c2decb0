"""PRESET: chosen values of one tool, kept under a name by a person, a project, or any owner.

    await presets.keep(travel, "Slow dolly", "frames", "mode", at="project")
    await presets.listed(travel, at="project")                 # by name, with what can't be read
    plan = await presets.plan(travel, "Slow dolly", at="project")
    await engine.apply(plan, actor="ada")

- A preset holds values as they were shown, also inherited ones, so that it does the same anywhere.
- To apply one sets its fields at the edit target, also where something else stands there.
- Values of an older version are migrated. What can't be read stays stored as it is, and is said.
- No secret is ever in one.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .changes import Override, Patch
from .codec import encode
from .errors import EditError, InvalidValue, UnknownField
from .layers import View
from .loads import read_rows
from .plans import Draft, Plan, confirmed_layers
from .scopes import Target
from .specs import ToolSpec
from .store.base import Preset, Row
from .transfers import index_of, refusal, require_view

if TYPE_CHECKING:
    from .binding import Binding

LONGEST_NAME = 100
"""Characters of a name."""

MOST_PRESETS = 200
"""Presets of one tool that an owner may have."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A preset as today's declaration reads it."""

    name: str
    scope: str
    owner: str
    author: str
    at: float
    """Seconds since the epoch."""
    values: Mapping[str, Any]
    """By setting. Of a merging dict its keys."""
    problems: Mapping[str, str]
    """What can't be read, and why, by setting; "" for the preset as a whole."""


async def keep(
    binding: Binding[Any], name: str, *fields: str, at: str, replace: bool = False
) -> Kept:
    """Keep what is shown of these settings under a name, for the owner at scope `at`.

    All settings that inherit, if none are named. With `replace` one of the same name is replaced.
    Raises EditError where the name is taken, InvalidValue for a name or values too long or too
    many presets, UnknownField, NotReady, PermissionDenied, and StoreUnavailable.
    """
    engine, view = binding.engine, require_view(binding)
    target = _owner(view, at)
    name = _check_name(name)
    await engine.permit(binding.actor, "write", target)
    text = _write(binding, view, fields)
    held = {each.name for each in await engine.store.presets(*target)}
    if name in held and not replace:
        raise EditError("name", f"{name!r} is taken: choose another, or replace that preset")
    if name not in held and len(held) >= MOST_PRESETS:
        raise InvalidValue("name", f"there are {MOST_PRESETS} presets already, and no more fit")
    made = Preset(
        *target, name, text, binding.actor, engine.wall(), view.spec.version
    )  # fmt: skip
    await engine.store.keep_preset(made)
    return _read(view.spec, made)


async def listed(binding: Binding[Any], *, at: str) -> list[Kept]:
    """The presets of this tool that the owner at scope `at` keeps, by name.

    Raises NotReady where that scope isn't shown, PermissionDenied, and StoreUnavailable.
    """
    view = require_view(binding)
    target = _owner(view, at)
    await binding.engine.permit(binding.actor, "read", target)
    return [_read(view.spec, each) for each in await binding.engine.store.presets(*target)]


async def plan(binding: Binding[Any], name: str, *, at: str, scope: str | None = None) -> Plan:
    """Set what a preset holds at `scope`, at each setting's edit target if none is named.

    What can't be read or set there is left out, with the reason. Raises UnknownField where there
    is no such preset, NotReady, PermissionDenied, and StoreUnavailable.
    """
    kept = next((each for each in await listed(binding, at=at) if each.name == name), None)
    if kept is None:
        raise UnknownField("name", f"there is no preset {name[:LONGEST_NAME]!r}")
    view = require_view(binding)
    await confirmed_layers(binding.engine, view.stack)
    draft = Draft(f"Apply “{kept.name}”")
    here = _owner(view, scope or binding.edit_scope)
    for field, problem in kept.problems.items():
        draft.skip(here, field, "invalid", problem)
    for field, value in kept.values.items():
        layer = binding.engine.layer(_owner(view, scope or binding.edit_scope_of(field)))
        spec = layer.spec.require(field)
        if reason := refusal(layer, spec, content=True):
            draft.skip(layer.target, field, *reason)
            continue
        held = layer.opinion(field)
        stays = held is not None and held.kind == "pin"
        whole = Patch(value) if spec.merge else value
        draft.change(layer, field, "pin" if stays else "set", whole)
    return draft.plan()


async def remove(binding: Binding[Any], name: str, *, at: str) -> bool:
    """Delete a preset. False where there was none. Raises NotReady, PermissionDenied and
    StoreUnavailable."""
    target = _owner(require_view(binding), at)
    await binding.engine.permit(binding.actor, "write", target)
    return await binding.engine.store.remove_preset(*target, name)


# --- values --------------------------------------------------------------------------------------


def _write(binding: Binding[Any], view: View, fields: tuple[str, ...]) -> str:
    """What is shown of the settings, as text. By the names of the declaration: it is migrated."""
    chosen = dict.fromkeys(fields) or [n for n, s in view.spec.fields.items() if s.inherit]
    values: dict[str, Any] = {}
    for field in chosen:
        spec = view.spec.require(field)
        if spec.secret:
            if fields:
                raise InvalidValue(field, "is secret, and no preset holds secrets")
            continue
        scope = binding.edit_scope_of(field)
        shown = view.at(field, index_of(view, scope))
        values[field] = spec.adapter.dump_python(shown, mode="json")
    return encode(values, field="values", limit=binding.engine.value_limit)


def _read(spec: ToolSpec, preset: Preset) -> Kept:
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    rows: dict[str, Row] = {}
    if preset.version > spec.version:
        problems[""] = f"was kept by version {preset.version}, and this app has {spec.version}"
    else:
        rows = _rows(spec, preset, problems)
    read, unreadable = read_rows(spec, rows, str)
    for field, problem in unreadable.items():
        problems[field] = problem.removeprefix(f"{field}: ")
    for field, held in read.items():
        if field not in problems:
            values[field] = _plain(held)
    return Kept(preset.name, preset.scope, preset.owner, preset.author, preset.at, values, problems)


def _rows(spec: ToolSpec, preset: Preset, problems: dict[str, str]) -> dict[str, Row]:
    """A preset's values as the store holds a layer's, so that they are read and migrated alike."""
    try:
        held: Any = json.loads(preset.text)
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        problems[""] = "can't be read"
        return {}
    rows: dict[str, Row] = {}
    for field, value in cast("dict[str, Any]", held).items():
        known = spec.fields.get(field)
        if known is not None and known.secret:
            problems[field] = "is secret now"
            continue
        value = {"set": value} if known is not None and known.merge else value
        rows[field] = Row("set", json.dumps(value), 0, preset.author, preset.at, preset.version)
    return rows


def _plain(held: Override) -> Any:
    return dict(held.value.set) if isinstance(held.value, Patch) else held.value


# --- names ---------------------------------------------------------------------------------------


def _check_name(name: str) -> str:
    """The name as it is kept: without spaces around it, in one form of Unicode."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name:
        raise InvalidValue("name", "is empty: give the preset a name")
    if len(name) > LONGEST_NAME:
        raise InvalidValue("name", f"must have at most {LONGEST_NAME} characters")
    if not name.isprintable():
        raise InvalidValue("name", "has characters that can't be shown")
    return name


def _owner(view: View, scope: str) -> Target:
    return view.stack[index_of(view, scope)]
