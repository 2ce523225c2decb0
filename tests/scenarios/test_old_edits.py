"""Edits of a page or an outbox of another release: migrated, or refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from persistence import Settings, Target, setting
from persistence.operations import Operation, operation_id
from tests.scenarios.tools import Start

AT = Target("shot", "s1", "old-edits")


def to_2(old: dict[str, Any]) -> dict[str, Any]:
    """`seconds` became `frames`, `title` and `note` one text, and `locks` counts from one."""
    new = {name: value for name, value in old.items() if name not in ("seconds", "both")}
    if "seconds" in old:
        new["frames"] = old["seconds"] * 24
    if "both" in old:
        new["title"], new["note"] = old["both"].split("|")
    if "speed" in old:
        new["speed"] = old["speed"] * 1_000
    return new


class Old(Settings, tool="old-edits", edit="shot", version=2, migrations={1: to_2}):
    frames: int = setting(61, ge=1, le=2_410)
    speed: int = setting(1_000)
    title: str = setting("")
    note: str = setting("")
    locks: dict[str, bool] = setting({}, merge=True)


def made(seq: int, field: str, value: Any, kind: str = "set", schema: int = 1) -> Operation:
    return Operation(operation_id("tab", seq), "tab", seq, AT, field, kind, value, schema=schema)


async def test_an_edit_of_an_older_version_is_migrated_like_a_row(start: Start) -> None:
    async with start() as engine:
        old = await engine.open(Old, {"shot": "s1"})
        for operation in (
            made(1, "speed", 2),
            made(2, "seconds", 3),
            made(3, "title", "as it is"),
            made(4, "locks", {"set": {"shots": True}, "remove": []}, "keys"),
            made(5, "note", None, "reset"),
        ):
            outcome = await engine.submit(operation, actor="ada", wait=True)
            assert (outcome.status, outcome.problem) == ("confirmed", "")
        assert (old.values.speed, old.values.frames) == (2_000, 72)
        assert (old.values.title, old.values.locks) == ("as it is", {"shots": True})


async def test_one_that_does_not_say_its_version_or_says_this_one_is_taken_as_it_is(
    start: Start,
) -> None:
    async with start() as engine:
        old = await engine.open(Old, {"shot": "s1"})
        for seq, schema in ((1, 0), (2, 2)):
            edit = made(seq, "speed", seq, schema=schema)
            assert (await engine.submit(edit, actor="ada", wait=True)).status == "confirmed"
            assert old.values.speed == seq


@pytest.mark.parametrize(
    "operation",
    [
        made(1, "both", "a|b"),
        made(1, "both", "no line in it"),
        made(1, "seconds", {"no": "number"}),
        made(1, "seconds", None, "reset"),
        made(1, "speed", 5, schema=3),
    ],
    ids=["two fields", "fails", "no fit", "no field", "newer"],
)
async def test_one_that_cannot_be_brought_into_shape_is_refused_and_changes_nothing(
    start: Start, operation: Operation
) -> None:
    async with start() as engine:
        old = await engine.open(Old, {"shot": "s1"})
        outcome = await engine.submit(operation, actor="ada", wait=True)
        assert outcome.status == "refused"
        assert "version" in outcome.problem or "setting" in outcome.problem
        assert old.values == Old()


async def test_a_late_replay_of_one_that_was_migrated_changes_nothing(start: Start) -> None:
    async with start() as engine:
        await engine.submit(made(2, "seconds", 4), actor="ada", wait=True)
    async with start() as engine:  # the earlier one comes after the later one, and after a restart
        for late in (made(1, "seconds", 3), made(2, "seconds", 4)):
            assert (await engine.submit(late, actor="ada", wait=True)).status == "confirmed"
        assert (await engine.open(Old, {"shot": "s1"})).values.frames == 96


@pytest.mark.parametrize(
    ("target", "field", "why"),
    [
        (AT, "given_up", "no such setting"),
        (Target("shot", "s1", "given-up"), "frames", "a tool that nobody declared"),
        (Target("scene", "s1", "old-edits"), "frames", "scene is no scope"),
    ],
)
async def test_what_this_release_has_no_more_is_refused_by_its_name(
    start: Start, target: Target, field: str, why: str
) -> None:
    """Its page keeps it and shows it, as anything that is refused."""
    async with start() as engine:
        operation = Operation(operation_id("tab", 1), "tab", 1, target, field, "set", 41)
        outcome = await engine.submit(operation, actor="ada", wait=True)
        assert outcome.status == "refused"
        assert why in outcome.problem
