"""RESOLVE: layer stack → effective value, with its origin. Pure; called by views.

Strong beats weak, with four exceptions: a *policy* in a weak layer beats all stronger ones, a
*block* hides everything weaker and gives the default, a setting that doesn't *inherit* knows the
strongest layer only, and one that *merges* folds its layers key by key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .changes import Override, Patch
from .specs import SettingSpec

DEFAULT = -1
"""The index of no layer: the declaration's default answers."""


class Resolved(NamedTuple):
    """The effective value and the index of the layer that gave it, `DEFAULT` for none."""

    value: Any
    winner: int
    is_policy: bool = False


def resolve(spec: SettingSpec, held: Sequence[Override | None]) -> Resolved:
    """Fold the overrides of one setting, weakest layer first; a None says nothing."""
    if not spec.inherit:
        held = [None] * (len(held) - 1) + list(held[-1:])
    policy = _weakest_policy(held)
    if policy is not None:
        held = held[: policy + 1]
    if spec.merge:
        return _merge(spec, held, policy is not None)
    for index in range(len(held) - 1, -1, -1):
        override = held[index]
        if override is None or override.kind == "reset":
            continue
        if override.kind == "block":
            return Resolved(spec.default(), index)
        return Resolved(override.value, index, policy == index)
    return Resolved(spec.default(), DEFAULT)


def _weakest_policy(held: Sequence[Override | None]) -> int | None:
    for index, override in enumerate(held):
        if override is not None and override.kind == "policy":
            return index
    return None


def _merge(spec: SettingSpec, held: Sequence[Override | None], is_policy: bool) -> Resolved:
    value: dict[str, Any] = spec.default()
    winner = DEFAULT
    for index, override in enumerate(held):
        if override is None or override.kind == "reset":
            continue
        winner = index
        if override.kind == "block":
            value = spec.default()
        else:
            patch: Patch = override.value
            value = patch.apply(value)
    return Resolved(value, winner, is_policy)
