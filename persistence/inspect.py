"""INSPECT: a tool's whole stack as a table, a row for each setting. Pure.

Used by the command line and by pages that show where everything comes from. With layers *muted* it
tells what would be if they said nothing. A secret's value is never in it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .changes import Patch
from .explain import LayerView, layer_view
from .layers import Layer, View
from .resolve import DEFAULT, Resolved, resolve
from .specs import UNSET, SettingSpec, ToolSpec, undeclared_tool

MASKED = "••••••"
"""Stands for a secret's value."""


@dataclass(frozen=True, slots=True)
class InspectedRow:
    """One setting over the whole stack."""

    field: str
    alias: str
    """Its name on the wire and in exports."""
    title: str
    help: str
    value: Any
    """What is effective; UNSET where nothing declares the setting and nothing can be read."""
    origin: str
    """The scope that won, or "default"."""
    default: Any
    """UNSET where nothing declares the setting."""
    policy: str
    """The scope that enforces it, or ""."""
    is_secret: bool
    layers: tuple[LayerView, ...]
    """Weakest first."""

    @property
    def is_set(self) -> bool:
        """Does any layer say something?"""
        return any(layer.kind or layer.state == "unreadable" for layer in self.layers)


def inspect(view: View, *, muted: Collection[str] = ()) -> tuple[InspectedRow, ...]:
    """Every setting of the view's tool, as if the layers of the `muted` scopes said nothing.

    Settings come in the order of their declaration, then what is stored beyond them.
    """
    return tuple(_row(spec, view, frozenset(muted)) for spec in _settings(view))


def words(value: Any) -> str:
    """A value in one line, as people read it: text as it is, the rest as JSON."""
    if value is UNSET:
        return ""
    if isinstance(value, Patch):
        keys = [f"{key}: {words(held)}" for key, held in sorted(value.set.items())]
        return ", ".join([*keys, *(f"without {key}" for key in sorted(value.remove))])
    if isinstance(value, str):
        return " ".join(value.split()) if value.strip() else json.dumps(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _settings(view: View) -> Iterator[SettingSpec]:
    spec = view.spec
    yield from spec.fields.values()
    stored: set[str] = set()
    for layer in view.layers:
        stored.update(layer.fields(), layer.unreadable)
    for name in sorted(stored - spec.fields.keys()):
        yield _beyond(spec).require(name)


def _beyond(spec: ToolSpec) -> ToolSpec:
    """For what stands in the database and isn't declared: its values are any JSON."""
    return undeclared_tool(spec.tool, spec.edit)


def _row(spec: SettingSpec, view: View, muted: frozenset[str]) -> InspectedRow:
    name = spec.name
    won = _resolve(spec, view, muted)
    default = _seen(spec, spec.default()) if spec.declared else UNSET
    scope = "" if won.winner == DEFAULT else view.stack[won.winner].scope
    return InspectedRow(
        name,
        spec.alias,
        spec.title,
        spec.help,
        default if won.winner == DEFAULT else _seen(spec, spec.copy(won.value)),
        scope or "default",
        default,
        scope if won.is_policy else "",
        spec.secret,
        tuple(
            _cell(spec, layer, muted, wins=position == won.winner)
            for position, layer in enumerate(view.layers)
        ),
    )


def _seen(spec: SettingSpec, value: Any) -> Any:
    return MASKED if spec.secret and value not in (UNSET, None, "") else value


def _resolve(spec: SettingSpec, view: View, muted: frozenset[str]) -> Resolved:
    held = [
        None if layer.target.scope in muted else layer.opinion(spec.name) for layer in view.layers
    ]
    return resolve(spec, held or [None])


def _cell(spec: SettingSpec, layer: Layer, muted: frozenset[str], *, wins: bool) -> LayerView:
    cell = layer_view(spec, layer, wins=wins)
    if problem := layer.unreadable.get(spec.name):
        return replace(cell, state="unreadable", note=problem)
    cell = replace(cell, value=_seen(spec, cell.value))
    if layer.target.scope in muted and cell.kind:
        return replace(cell, state="muted")
    return cell
