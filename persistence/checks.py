"""Values and places that a client names, checked against the declaration. Pure."""

from __future__ import annotations

import json
from typing import Any, cast

from .changes import Patch
from .errors import InvalidValue, ScopeNotAllowed
from .specs import SettingSpec


def check_scope(spec: SettingSpec, scope: str) -> None:
    """Raises ScopeNotAllowed where the declaration doesn't list the scope."""
    if spec.scopes is not None and scope not in spec.scopes:
        allowed = " or ".join(spec.scopes) or "nowhere"
        raise ScopeNotAllowed(spec.name, f"can't be set at {scope}, only at {allowed}")


def check_keys(spec: SettingSpec, value: Any) -> Patch:
    """What a client wants to set and remove in a dict that merges. Raises InvalidValue."""
    if not spec.merge:
        raise InvalidValue(spec.name, "doesn't merge: set it as a whole")
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {"": value}
    keys, gone = given.get("set", {}), given.get("remove", [])
    if given.keys() - {"set", "remove"} or not isinstance(keys, dict) or not isinstance(gone, list):
        raise InvalidValue(spec.name, 'isn\'t {"set": {…}, "remove": […]}')
    if not all(isinstance(key, str) for key in cast("list[Any]", gone)):
        raise InvalidValue(spec.name, "removes what can't be a key")
    parsed: dict[str, Any] = check_json(spec, keys) if keys else {}
    return Patch(parsed, frozenset(cast("list[str]", gone)))


def check_json(spec: SettingSpec, value: Any) -> Any:
    """A value as JSON brings it: a list may stand for a tuple, a whole number for a float."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise InvalidValue(spec.name, "isn't a value that JSON can carry") from None
    return spec.parse(text)
