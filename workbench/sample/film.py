"""Reads a sample film: what stands in its file becomes steps, each of them one action. Pure.

The file's own comments say how it is written.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from persistence.store.base import Kind

FILE = Path(__file__).with_name("the_last_ferry.toml")


class Edit(NamedTuple):
    """One field, at the place where a film maker would set it."""

    place: str
    """"user", "project", or the key of a shot."""
    tool: str
    name: str
    """On the wire."""
    kind: Kind
    value: Any
    note: str = ""


class Step(NamedTuple):
    """What is done at once, and is one entry of the history."""

    what: str
    edits: tuple[Edit, ...]


class Moment(NamedTuple):
    """A name for the film as it is after so many of its steps."""

    name: str
    after: int


class Preset(NamedTuple):
    """Values of one tool under a name, to be used again."""

    name: str
    tool: str
    values: Mapping[str, Any]


class Film(NamedTuple):
    title: str
    shots: tuple[tuple[str, str], ...]
    """Key and name, in the film's order."""
    steps: tuple[Step, ...]
    moments: tuple[Moment, ...]
    presets: tuple[Preset, ...]


@cache
def read_film(path: Path = FILE) -> Film:
    """Raises KeyError and ValueError where the file isn't as its comments say."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    steps = [
        Step("Your own preferences", tuple(_edits("user", told["you"]))),
        Step("What every shot begins with", tuple(_edits("project", told["project"]))),
        *(Step(shot["name"], tuple(_edits(shot["key"], _tools(shot)))) for shot in told["shots"]),
    ]
    begun = len(steps)
    steps += [Step(step["what"], tuple(_later(step))) for step in told["steps"]]
    return Film(
        told["title"],
        tuple((shot["key"], shot["name"]) for shot in told["shots"]),
        tuple(steps),
        tuple(Moment(each["name"], begun + each["after"]) for each in told["moments"]),
        tuple(Preset(each["name"], each["tool"], each["set"]) for each in told["presets"]),
    )


def _tools(shot: Mapping[str, Any]) -> dict[str, Any]:
    return {tool: fields for tool, fields in shot.items() if tool not in ("key", "name")}


def _edits(place: str, document: Mapping[str, Mapping[str, Any]]) -> Iterator[Edit]:
    for tool, fields in document.items():
        for name, value in fields.items():
            yield Edit(place, tool, name, "set", value)


def _later(step: Mapping[str, Any]) -> Iterator[Edit]:
    """A later change says its verb: `set`, `pin` or `policy`, of a shot or of the film."""
    place = step.get("shot", "project")
    verbs: tuple[Kind, ...] = ("set", "pin", "policy")
    for kind in verbs:
        for name, value in step.get(kind, {}).items():
            yield Edit(place, step["tool"], name, kind, value, step.get("because", ""))
