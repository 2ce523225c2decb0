"""How many of a thing there may be where nothing else says it. Pure; asked when an edit is made.

A refusal names the setting and the limit, and nothing is lost: the edit is refused as any other,
and what stands stays. Sizes of values, names and requests are limited where they are read.
"""

from __future__ import annotations

from collections.abc import Container, Sized
from typing import Protocol

from .changes import Patch
from .errors import InvalidValue
from .specs import SettingSpec

MOST_KEYS = 10_000
"""Keys that one layer sets or removes in one dict that merges."""
MOST_FIELDS = 1_000
"""Fields that one layer holds of a tool that nobody declared: a declared one says itself which."""


class Held(Sized, Container[str], Protocol):
    """The fields that a layer holds something of."""


def check_keys(spec: SettingSpec, patch: Patch) -> None:
    """Raises InvalidValue where a layer would hold too many keys of the setting."""
    if len(patch.set) + len(patch.remove) > MOST_KEYS:
        raise InvalidValue(spec.name, f"can't have more than {MOST_KEYS:,} keys")


def check_fields(spec: SettingSpec, tool: str, held: Held) -> None:
    """Raises InvalidValue where a layer would hold too many fields of a tool of any fields."""
    if not spec.declared and spec.name not in held and len(held) >= MOST_FIELDS:
        problem = f"isn't taken: {tool} has {MOST_FIELDS:,} fields there already, the most"
        raise InvalidValue(spec.name, problem)
