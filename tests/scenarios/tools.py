"""What the scenarios declare, and how they look into the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from persistence import Engine, Operation, Settings, Target, setting, validates
from persistence.testing import FailingStore

SCOPES = ("user", "project", "shot")
MINE = {"user": "ada", "project": "film", "shot": "s1"}
OTHER = {**MINE, "shot": "s2"}


class Travel(Settings, tool="s-travel", edit="shot"):
    """Prompt and motion of one shot."""

    prompt: str = setting("", inherit=False, max_length=5000)
    mode: Literal["basic", "advanced"] = setting("basic")
    frames: int = setting(61, ge=1, le=241, title="Frames")
    strength: float = setting(0.5, ge=0, le=1)
    positions: list[tuple[str, int]] = setting(default_factory=list)
    table: dict[str, int] = setting({"a": 1})


class Images(Settings, tool="s-images", edit="project"):
    """How pictures are made in one project."""

    prompt: str = setting("")
    per_prompt: int = setting(4, ge=1, le=16)
    model: str = setting("wan-local", scopes=("project",))
    quality: str = setting("standard", flush="now")


class Ui(Settings, tool="s-ui", edit="user"):
    """How the page looks to one user."""

    locks: dict[str, bool] = setting({"gens": False}, merge=True)
    theme: Literal["light", "dark", "system"] = setting("system")


class Empties(Settings, tool="s-empties", edit="shot"):
    """Settings whose defaults are not empty, so that emptiness is an edit."""

    note: str | None = setting("note")
    steps: list[int] = setting([1, 2])
    table: dict[str, int] = setting({"a": 1})
    flag: bool = setting(True)
    count: int = setting(7)
    text: str = setting("text")


class Range(Settings, tool="s-range", edit="shot"):
    """Two settings that only make sense together."""

    first: int = setting(1)
    last: int = setting(9)

    @validates("first", "last")
    def in_order(values: Mapping[str, Any]) -> None:  # noqa: N805  # it becomes a static method
        if values["first"] > values["last"]:
            raise ValueError("first must not lie after last")


class Start(Protocol):
    """Makes an engine on the test's database; every call is a restart."""

    def __call__(self, **options: Any) -> Engine: ...


def target(tool: type[Settings], scope: str = "shot", owner: str = "") -> Target:
    return Target(scope, owner or MINE[scope], tool.__tool__.tool)


SHOT = target(Travel)


async def stored(store: FailingStore, at: Target = SHOT) -> dict[str, Any]:
    """The overrides that the database holds for a target, by field."""
    rows = (await store.store.load([at]))[at]
    return {
        field: json.loads(row.text) if row.text is not None else row.kind
        for field, row in rows.items()
        if row.kind != "reset"
    }


async def journal(engine: Engine, at: Target = SHOT) -> list[tuple[str, Any]]:
    """Every change that was ever written for a target, oldest first."""
    known = await engine.history.changes([at])
    changes = [change for change in known if change.source != "conflict"]
    return [
        (change.field, json.loads(change.text) if change.text is not None else change.kind)
        for change in reversed(changes)
    ]


async def revision(store: FailingStore, field: str, at: Target = SHOT) -> int:
    """The revision of a field's row; 0 where none was ever written."""
    rows = (await store.store.load([at]))[at]
    return rows[field].revision if field in rows else 0


def operation(
    name: str, field: str, value: Any = None, *, base: int = 0, seq: int = 1, **keywords: Any
) -> Operation:
    """What a browser sends for one edit of a bound control."""
    known: dict[str, Any] = {"client": "tab", "kind": "set", "target": SHOT, **keywords}
    return Operation(id=name, seq=seq, field=field, value=value, base=base, **known)
