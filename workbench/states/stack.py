"""What the inspector shows of a stack, in words: lines, cells, a setting's story and past."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from persistence import LayerView, Opinion, Patch, Step
from persistence.inspect import MASKED, InspectedRow, words

PLACES = {"default": "Default", "user": "You", "project": "Project", "shot": "Shot"}
"""Scopes in the words of the page."""

LONG = 280
"""Characters of a value in the table; beside it all of it stands."""

MARKS = {"pin": "pinned", "policy": "policy", "block": "blocked"}


@dataclass
class Choice:
    """Something that can be looked at instead."""

    id: str
    name: str
    detail: str
    href: str
    is_here: bool = False


@dataclass
class Head:
    """A layer, as the head of its column."""

    scope: str
    place: str
    name: str
    muted: bool


@dataclass
class Cell:
    """What one layer says of one setting."""

    scope: str
    place: str
    state: str
    text: str
    mark: str
    pending: bool


@dataclass
class Line:
    """One setting over the whole stack."""

    field: str = ""
    title: str = ""
    help: str = ""
    href: str = ""
    default: str = ""
    value: str = ""
    whole: str = ""
    """The value, however long."""
    origin: str = "default"
    place: str = ""
    policy: bool = False
    would: bool = False
    """Is it another value than with all layers?"""
    is_set: bool = False
    searched: str = ""
    cells: list[Cell] = dataclasses.field(default_factory=list)


@dataclass
class Says:
    """What one layer says, with who said it when."""

    scope: str
    place: str
    owner: str
    state: str
    text: str
    mark: str
    note: str
    author: str
    at: float
    revision: int


@dataclass
class Past:
    """One change of the setting."""

    key: str
    author: str
    at: float
    place: str
    scope: str
    verb: str
    before: str
    after: str


def text_of(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "Not set"
    if isinstance(value, bool):
        return "On" if value else "Off"
    if isinstance(value, str):
        return value if value.strip() else "Empty"
    if isinstance(value, list | tuple):
        return ", ".join(map(_item, value)) or "Empty"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {text_of(each)}" for key, each in value.items()) or "Empty"
    if isinstance(value, Patch):
        gone = [f"without {key}" for key in sorted(value.remove)]
        return ", ".join([*filter(None, [text_of(value.set) if value.set else ""]), *gone])
    return words(value)


def _item(each: Any) -> str:
    """One of a list; a pair such as a name and a frame stays together."""
    return " ".join(map(text_of, each)) if isinstance(each, list | tuple) else text_of(each)


def line_of(row: InspectedRow, plain: InspectedRow, href: str) -> Line:
    """A row of the table; `plain` is the same with no layer muted."""
    cells = [cell_of(layer) for layer in row.layers]
    whole = text_of(row.value)
    said = [row.field, row.alias, row.title, whole, *(text_of(each.value) for each in row.layers)]
    return Line(
        row.field,
        row.title or row.field,
        row.help,
        href,
        cut(text_of(row.default)),
        cut(whole),
        whole,
        row.origin,
        PLACES.get(row.origin, row.origin),
        bool(row.policy),
        row.value != plain.value,
        row.is_set,
        "\n".join(said).casefold(),
        cells,
    )


def cell_of(layer: LayerView) -> Cell:
    return Cell(
        layer.scope,
        PLACES.get(layer.scope, layer.scope),
        layer.state,
        "Can’t be read" if layer.state == "unreadable" else cut(text_of(layer.value)),
        MARKS.get(layer.kind, ""),
        layer.pending,
    )


def says_of(layer: LayerView, owners: Mapping[str, str], people: Mapping[str, str]) -> Says:
    return Says(
        layer.scope,
        PLACES.get(layer.scope, layer.scope),
        owners.get(layer.scope, ""),
        layer.state,
        text_of(layer.value),
        MARKS.get(layer.kind, ""),
        layer.note,
        people.get(layer.author, layer.author),
        layer.at,
        layer.revision,
    )


def past_of(step: Step, people: Mapping[str, str]) -> list[Past]:
    """One step of a setting's history: a change, or one in each of several layers."""
    return [
        Past(
            f"{step.revision}-{number}",
            people.get(step.author, step.author) or "Somebody",
            step.at,
            PLACES.get(change.target.scope, change.target.scope),
            change.target.scope,
            {"undo": "Undone", "redo": "Redone", "": ""}[step.verb],
            opinion_text(change.before, is_secret=change.secret),
            opinion_text(change.after, is_secret=change.secret),
        )
        for number, change in enumerate(step.changes)
    ]


def opinion_text(opinion: Opinion | None, *, is_secret: bool) -> str:
    """What a layer said, in words."""
    if opinion is None:
        return "no longer kept"
    if opinion.kind == "reset":
        return "Inherited"
    if opinion.kind == "block":
        return "Blocked"
    if is_secret:
        return MASKED
    mark = MARKS.get(opinion.kind)
    return cut(text_of(opinion.value)) + (f" ({mark})" if mark else "")


def cut(text: str) -> str:
    return text if len(text) <= LONG else text[: LONG - 1] + "…"
