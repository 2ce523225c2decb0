"""The life of owners: a new one starts from another's settings, one that is gone is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import transfers
from .errors import EditError
from .layers import Layer
from .scopes import Target

if TYPE_CHECKING:
    from .engine import Engine

REMEMBERED = 100_000
"""Owners that are gone and of which an engine knows that."""


async def forget(engine: Engine, scope: str, owner: str) -> int:
    """The owner is gone: remove what it held, named moments and presets too.

    Returns how many overrides were removed. Who still shows the owner sees its defaults, and edits
    that were on their way are set aside, to be offered back. Where the store is away nothing
    changes: raises StoreUnavailable.
    """
    async with engine.committer.lock:  # what is being written is removed with the rest
        removed = await engine.store.forget(scope, owner)
        held = _retire_all(engine, scope, owner)
    _tell(engine, held)
    return removed


async def hear_forgotten(engine: Engine, scope: str, owner: str) -> None:
    """Another process forgot that owner. What it held is removed already."""
    if (scope, owner) in engine.gone:
        return
    async with engine.committer.lock:  # what is being written has its answer first
        held = _retire_all(engine, scope, owner)
    _tell(engine, held)


def _retire_all(engine: Engine, scope: str, owner: str) -> list[Layer]:
    engine.gone[scope, owner] = None
    if len(engine.gone) > REMEMBERED:
        del engine.gone[next(iter(engine.gone))]
    held = [layer for target, layer in engine.layers.items() if target[:2] == (scope, owner)]
    for layer in held:
        _empty(engine, layer)
    return held


def _tell(engine: Engine, held: list[Layer]) -> None:
    for layer in held:
        for view, _ in layer.views:
            if changed := view.rebuild():
                view.tell(changed, "remote", None)
        engine.tell_of(layer, "forgotten")


def _empty(engine: Engine, layer: Layer) -> None:
    retire(layer)
    engine.scheduler.cancel(layer.pending)
    for field in [*layer.pending.waiting]:
        while (edit := layer.pending.drop(field)) is not None:
            problem = f"belongs to a {layer.target.scope} that is gone"
            engine.recorder.set_aside(layer, edit, problem)
    layer.confirmed.clear()
    layer.conflicts.clear()
    layer.unreadable.clear()


def retire(layer: Layer) -> None:
    """Nothing is loaded into it, and nothing saved from it, any more."""
    layer.gate.retire(f"this {layer.target.scope} is gone")


async def copy(engine: Engine, source: tuple[str, str], to: tuple[str, str], *, actor: str) -> int:
    """Start a new owner from another's configuration; returns how many settings were copied.

    All tools, with pins and blocks. Content (settings that don't inherit), policies and secrets
    stay behind. Raises EditError, and changes nothing, where the new owner has settings already,
    even such that equal the defaults; also ScopeNotAllowed, PermissionDenied, StoreUnavailable.
    """
    plan = await transfers.copy(engine, source, to, actor=actor)
    if await _has_settings(engine, *to):
        raise EditError(to[1], f"this {to[0]} has settings of its own, which stay as they are")
    await engine.apply(plan, actor=actor)
    return len(plan.edits)


async def _has_settings(engine: Engine, scope: str, owner: str) -> bool:
    tools = await transfers.held_tools(engine, scope, owner)
    stored = await engine.store.load([Target(scope, owner, tool) for tool in tools])
    layers = [layer for target, layer in engine.layers.items() if target[:2] == (scope, owner)]
    return any(layer.pending for layer in layers) or any(
        row.kind != "reset" for rows in stored.values() for row in rows.values()
    )
