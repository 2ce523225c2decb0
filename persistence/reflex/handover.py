"""From the server to the browser: who keeps an edit that couldn't be saved until its user decides.

What was set aside at a commit stands in its layer, in this process alone. The page's browser keeps
it, too, and says so; from then on it is the only one: an edit stands in one place, which outlives
the server and the page. Only its author's browser can have it let go.
"""

from __future__ import annotations

from typing import Any, cast

from ..pending import Dirty
from ..scopes import Target
from .tabs import Tab, Tabs

MOST = 100
"""Edits that a page reports at once."""

HANDLER = "handler:"
"""How the ids begin of edits that no browser made."""


def id_of(edit: Dirty) -> str:
    """What an edit of a handler is called; the same whenever it is told."""
    return f"{HANDLER}{edit.group}:{edit.field}"


def edits_in(sent: object) -> list[tuple[str, Target, str]]:
    """(id, target, field) of what a page reports; what no page of ours would send is left out."""
    if not isinstance(sent, list):
        return []
    found: list[tuple[str, Target, str]] = []
    for each in cast("list[Any]", sent)[:MOST]:
        given = cast("dict[str, Any]", each) if isinstance(each, dict) else {}
        parts: Any = given.get("target")
        texts: list[Any] = [given.get("id"), given.get("field")]
        texts += parts if isinstance(parts, list) else []
        if len(texts) == 5 and all(isinstance(text, str) and len(text) <= 200 for text in texts):
            known, field, *target = texts
            found.append((known, Target(*target), field))
    return found


def hand_over(tabs: Tabs, tab: Tab, target: Target, field: str, known: str = "") -> None:
    """The browser keeps the edit with that id, or, without one, its user has decided about what
    stands in the field: the server lets go of it. Never of somebody else's."""
    layer = tabs.engine.layers.get(target)
    each = layer and layer.aside_in(field, tab.actor)
    if layer is None or not each:
        return
    if known and known != id_of(each.edit) and known not in each.edit.operations:
        return
    layer.forget_aside(field, tab.actor)
    tabs.engine.tell_of(layer, "edited", [field], actor=tab.actor)
