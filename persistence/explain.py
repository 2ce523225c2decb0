"""PROVENANCE: where a value comes from, the whole story. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .layers import Layer, View
from .resolve import DEFAULT
from .specs import UNSET, SettingSpec

State = Literal["wins", "shadowed", "blocks", "unset", "unreadable", "muted"]
"""`unreadable` and `muted` stand in the table of `inspect` only."""


@dataclass(frozen=True, slots=True)
class LayerView:
    """What one layer says about a setting."""

    scope: str
    owner: str
    state: State
    kind: str
    """set, pin, policy or block; "" where the layer says nothing."""
    value: Any
    """UNSET where the layer says nothing or blocks. For a merging dict its `Patch`."""
    author: str
    at: float
    revision: int
    note: str
    pending: bool
    """Not durable yet."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A setting's value, its origin, and every layer, weakest first."""

    field: str
    value: Any
    origin: str
    """A scope, or "default"."""
    default: Any
    layers: tuple[LayerView, ...]
    policy: str
    """The scope that enforces it, or ""."""
    hidden_by: str
    """The stronger scope that hides edits at the edit target, or ""."""
    if_reset: Any
    """What the edit target would inherit if its override were removed."""


def explain(spec: SettingSpec, view: View | None, index: int) -> Explanation:
    """Tell about one setting; `index` is the edit target's position in the stack."""
    name = spec.name
    if view is None:
        default = spec.default()
        return Explanation(name, default, "default", spec.default(), (), "", "", default)
    winner = view.winners.get(name, DEFAULT)
    return Explanation(
        name,
        spec.copy(view.values.get(name)) if name in view.values else spec.default(),
        "default" if winner < 0 else view.stack[winner].scope,
        spec.default(),
        tuple(
            layer_view(spec, layer, wins=position == winner)
            for position, layer in enumerate(view.layers)
        ),
        view.stack[winner].scope if name in view.policies else "",
        view.hidden_by(name, index) or "",
        spec.copy(view.below(name, index)),
    )


def layer_view(spec: SettingSpec, layer: Layer, *, wins: bool) -> LayerView:
    """What a layer says of a setting; `wins` where the effective value is this layer's."""
    scope, owner, _ = layer.target
    opinion = layer.opinion(spec.name)
    pending = layer.pending.newest(spec.name) is not None
    if opinion is None or opinion.kind == "reset":
        revision = opinion.revision if opinion else 0
        return LayerView(scope, owner, "unset", "", UNSET, "", 0.0, revision, "", pending)
    blocks = opinion.kind == "block"
    return LayerView(
        scope,
        owner,
        "blocks" if blocks and wins else "wins" if wins else "shadowed",
        opinion.kind,
        UNSET if blocks else spec.copy(opinion.value),
        opinion.author,
        opinion.at,
        layer.revision(spec.name),
        opinion.note or "",
        pending,
    )
