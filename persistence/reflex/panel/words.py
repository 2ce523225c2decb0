"""The page's words: scopes as the app calls them, values as people read them. Pure but for the
plugin's configuration, which is read when a page is made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from reflex.config import get_config

from ...changes import Patch
from ...presentation import choices_of, words_of
from ...scopes import ScopeChain
from ...shapes import shape_of
from ...specs import UNSET, SettingSpec

DEFAULT = "default"
LONGEST = 240
"""Characters of a value that an explanation shows."""
SECRET = "••••••••"  # noqa: S105  # what stands for a secret, not one


def scope_chain() -> tuple[str, ...]:
    """The app's scopes, weakest first, as the plugin in `rxconfig.py` was given them."""
    scopes: Sequence[str] | ScopeChain = getattr(_plugin(), "scopes", ())
    return scopes.names if isinstance(scopes, ScopeChain) else tuple(scopes)


def scope_names(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Words for each scope and for the default: the panel's, else the plugin's, else its own."""
    said = {**getattr(_plugin(), "scope_names", {}), **(more or {})}
    return {name: said.get(name, words_of(name)) for name in (*scope_chain(), DEFAULT, *said)}


def _plugin() -> object:
    from ..plugin import PersistencePlugin

    found = [each for each in get_config().plugins if isinstance(each, PersistencePlugin)]
    return found[0] if found else None


def value_words(spec: SettingSpec, value: Any) -> str:
    """A value as people read it: "On", "3 entries: …", the words of a choice."""
    if spec.secret:
        return SECRET
    if value is UNSET:
        return ""
    if isinstance(value, Patch):
        parts = [f"{key}: {_plain(held)}" for key, held in value.set.items()]
        return _cut(", ".join([*parts, *(f"without {key}" for key in sorted(value.remove))]))
    sent = as_json(spec, value)
    if shape_of(spec.annotation).kind in ("choice", "boolean"):
        known = {json.dumps(choice): words for choice, words in choices_of(spec)}
        if (words := known.get(json.dumps(sent))) is not None:
            return words
    unit = spec.presentation.get("unit", "")
    return _cut(_plain(sent) + (f" {unit}" if unit and sent is not None else ""))


def as_json(spec: SettingSpec, value: Any) -> Any:
    """A value as the page has it. Whole numbers are whole: JSON in a browser knows one kind."""
    sent = spec.adapter.dump_python(value, mode="json", warnings=False)
    return int(sent) if isinstance(sent, float) and sent.is_integer() else sent


def _plain(value: Any) -> str:
    if value is None:
        return "Not set"
    if isinstance(value, bool):
        return "On" if value else "Off"
    if isinstance(value, str):
        return value if value.strip() else "Empty"
    if isinstance(value, list):
        held = cast("list[Any]", value)
        texts = ", ".join(map(_part, held))
        return f"{len(held)}: {texts}" if held else "Empty"
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return ", ".join(f"{key}: {_plain(each)}" for key, each in pairs) or "Empty"
    return json.dumps(value, ensure_ascii=False)


def _part(value: Any) -> str:
    """An entry of a list: what is a list itself is told by its parts, without their count."""
    if isinstance(value, list):
        return "(" + ", ".join(map(_part, cast("list[Any]", value))) + ")"
    return _plain(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
