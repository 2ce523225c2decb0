"""What is true of a stack of layers at this moment, in words for a user. Pure; bindings show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from .layers import Layer

Status = Literal["idle", "loading", "ready", "saving", "error"]


def status_of(layers: Sequence[Layer], actor: str) -> Status:
    """`error` where a load failed, a save fails or an edit of this actor was set aside; see
    `problems`."""
    if not layers:
        return "idle"
    if any(
        layer.gate.state in ("failed", "gone") or (layer.problem and layer.pending)
        for layer in layers
    ):
        return "error"
    if any(layer.aside_of(actor) for layer in layers):
        return "error"
    if not all(layer.gate.is_open for layer in layers):
        return "loading"
    return "saving" if any(layer.pending for layer in layers) else "ready"


def problems(layers: Sequence[Layer], actor: str) -> Iterator[str]:
    """What isn't as it should be for this actor, the worst first."""
    for layer in layers:
        if layer.gate.state == "gone":
            yield layer.gate.problem
        elif layer.gate.state == "failed":
            yield f"not loaded: {layer.gate.problem}"
        elif layer.problem and layer.pending:
            yield f"not saved: {layer.problem}; trying again"
    for layer in layers:
        for each in layer.aside_of(actor):
            yield f"not saved: {each.field} {each.problem}"
        for field, problem in layer.unreadable.items():
            yield f"{field}: what is stored can't be read and was set aside ({problem})"


def last_saved(layers: Sequence[Layer]) -> float | None:
    """When something of them was last made durable, in seconds since the epoch."""
    return max((at for layer in layers if (at := layer.last_saved) is not None), default=None)
