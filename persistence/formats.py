"""A document as text, JSON or TOML, and what it says of each tool. Pure; `exchange` moves values.

    {"travel-ui-state": {"frames": 41}, "$persistence": {"format": 1, "versions": {…}, …}}

A document is `{tool: {field: value}}` with the names of the wire. What that shape can't say stands
under `"$persistence"`: the schema `versions`, which fields are `pinned`, `blocked` or `enforced`,
the keys that a merging dict has `removed`, and as `json` the values that hold a null, which TOML
can't write.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import tomli_w

from .errors import InvalidValue

Document = dict[str, dict[str, Any]]
Form = Literal["json", "toml"]

META = "$persistence"
FORMAT = 1

LIMITS: Mapping[Form, int] = {"json": 4_000_000, "toml": 1_000_000}
"""Bytes of UTF-8 that a text may have. TOML takes Python about ten times as long to read."""

MOST_FIELDS = 10_000
"""Fields of one document."""


@dataclass(slots=True)
class Part:
    """What a document says of one tool, by the names of the wire."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    version: int | None = None
    pinned: frozenset[str] = frozenset()
    enforced: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    removed: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def __bool__(self) -> bool:
        return bool(self.values or self.blocked)


# --- text → parts --------------------------------------------------------------------------------


def read(text: str, form: Form | None = None) -> Document:
    """The document in a text; whether it is JSON or TOML is seen, if it isn't said.

    Raises InvalidValue with the line where it isn't well formed, and with the limit where it is
    too large.
    """
    text = text.lstrip("\ufeff")
    form = form or ("json" if text.lstrip().startswith("{") else "toml")  # `[tool]` is TOML
    size = len(text.encode(errors="replace"))
    if size > LIMITS[form]:
        raise malformed(f"has {size:,} bytes, and at most {LIMITS[form]:,} can be read")
    try:
        found: Any = _read_json(text) if form == "json" else tomllib.loads(text)
    except RecursionError:
        raise malformed("is nested too deeply") from None
    except ValueError as error:
        raise malformed(f"isn't {form.upper()}: {_place(error, text)}") from None
    if not isinstance(found, dict):
        raise malformed("isn't an object of tools")
    return cast("Document", found)


def malformed(problem: str) -> InvalidValue:
    """What is wrong with a document as a whole."""
    return InvalidValue("document", problem)


def _read_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_constant)


def _place(error: ValueError, text: str) -> str:
    """What is wrong, and in which line."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (at line {error.lineno}, column {error.colno})"
    last = text.count("\n") + 1
    return str(error).replace("at end of document", f"at the end, in line {last}")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in made if names.count(name) > 1)
        raise ValueError(f"{twice[:80]!r} stands twice in one object")
    return made


def _no_constant(name: str) -> None:
    raise ValueError(f"it has no {name}")


def parts_of(document: Mapping[str, Any]) -> dict[str, Part | str]:
    """What a document says of each tool, or in words what is wrong there.

    Raises InvalidValue where it is no document at all.
    """
    whole = _object(document)
    if whole is None:
        raise malformed("isn't an object of tools")
    fields = sum(len(_object(values) or ()) for values in whole.values())
    if fields > MOST_FIELDS:
        raise malformed(f"has {fields:,} fields, and at most {MOST_FIELDS:,} can be read")
    meta = _object(whole.get(META, {}))
    if meta is None:
        raise malformed(f"has a {META} that isn't an object")
    if meta.get("format", FORMAT) != FORMAT:
        raise malformed(f"has a format other than {FORMAT}: a newer program wrote it")
    tools = {tool for tool in whole if tool != META}
    for about in ("blocked", "removed", "json"):
        tools.update(_object(meta.get(about)) or ())
    return {tool: _part(whole.get(tool, {}), meta, tool) for tool in sorted(tools)}


def _part(said: Any, meta: Mapping[str, Any], tool: str) -> Part | str:
    values = _object(said)
    if values is None:
        return "isn't an object of fields"
    version = _about(meta, "versions", tool)
    if version is not None and (type(version) is not int or version < 1):
        return "has a version that isn't a whole number"
    part = Part(dict(values), version)
    part.pinned = frozenset(_names(_about(meta, "pinned", tool)))
    part.enforced = frozenset(_names(_about(meta, "enforced", tool)))
    part.blocked = frozenset(_names(_about(meta, "blocked", tool))) - part.values.keys()
    for name, keys in (_object(_about(meta, "removed", tool)) or {}).items():
        part.removed[name] = _names(keys)
        part.values.setdefault(name, {})
    for name, text in (_object(_about(meta, "json", tool)) or {}).items():
        try:
            part.values[name] = _read_json(text)
        except (TypeError, ValueError, RecursionError):
            return f"{name[:80]}: isn't a value in JSON"
    return part


def _about(meta: Mapping[str, Any], about: str, tool: str) -> Any:
    """What stands under `$persistence` about something of a tool, None for nothing."""
    return (_object(meta.get(about)) or {}).get(tool)


def _object(value: Any) -> Mapping[str, Any] | None:
    """A mapping whose keys are texts; None for anything else."""
    if not isinstance(value, Mapping):
        return None
    held = cast("Mapping[Any, Any]", value)
    return held if all(isinstance(key, str) for key in held) else None


def _names(value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        return []
    return [name for name in cast("list[Any]", value) if isinstance(name, str)]


# --- parts → text --------------------------------------------------------------------------------


def write(parts: Mapping[str, Part], form: Form) -> str:
    """A text that says all of it."""
    document: dict[str, Any] = {}
    beside: dict[str, Any] = {"format": FORMAT}
    for tool, part in parts.items():
        nulls: dict[str, str] = {}
        if form == "toml":
            nulls = {name: json.dumps(v) for name, v in part.values.items() if _has_null(v)}
        document[tool] = {name: v for name, v in part.values.items() if name not in nulls}
        said = {
            "versions": part.version,
            "pinned": sorted(part.pinned),
            "enforced": sorted(part.enforced),
            "blocked": sorted(part.blocked),
            "removed": part.removed,
            "json": nulls,
        }
        for about, what in said.items():
            if what:
                beside.setdefault(about, {})[tool] = what
    document[META] = beside
    if form == "toml":
        return tomli_w.dumps(document)
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, cast("dict[str, Any]", value).values()))
    if isinstance(value, list):
        return any(map(_has_null, cast("list[Any]", value)))
    return value is None
