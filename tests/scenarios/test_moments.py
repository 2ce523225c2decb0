"""Back in time: moments compared, restored and named, and where the kept history begins."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from persistence import (
    Binding,
    Engine,
    InvalidValue,
    NotKept,
    PermissionDenied,
    ScopeNotAllowed,
    Settings,
    setting,
)
from persistence.history import MOST_MOMENTS
from persistence.settings import registry
from persistence.specs import ToolSpec
from persistence.testing import FailingStore
from tests.scenarios.acting import edited, told, word
from tests.scenarios.tools import (
    MINE,
    SHOT,
    Start,
    Travel,
    stored,
    target,
)

PROJECT = target(Travel, "project")


# --- comparing and restoring ---------------------------------------------------------------------


async def test_two_moments_are_compared_and_one_with_now(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10, mode="advanced")
        await edited(travel, frames=20)
        await edited(travel, "project", strength=0.9)
        travel.update(frames=30)
        first = (await engine.history.steps([SHOT])).steps[-1]
        second = (await engine.history.steps([SHOT])).steps[0]
        between = await engine.history.compare([SHOT, PROJECT], first, second)
        assert [(d.target, d.field, word(d.before), word(d.after)) for d in between] == [
            (SHOT, "frames", 10, 20)
        ]
        since = await engine.history.compare([SHOT, PROJECT], first)
        assert [(d.target, d.field, word(d.before), word(d.after)) for d in since] == [
            (SHOT, "frames", 10, 30),
            (PROJECT, "strength", "reset", 0.9),
        ]
        from_nothing = await engine.history.compare([SHOT], 0, second)
        assert [d.field for d in from_nothing] == ["mode", "frames"]  # as they are declared


async def test_everything_can_be_brought_back_to_a_moment(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10, mode="advanced")
        moment = (await engine.history.steps([SHOT])).steps[0]
        await edited(travel, frames=20, strength=0.9)
        travel.reset("mode")
        await edited(travel, "project", frames=5)
        plan = await engine.history.plan_restore([SHOT, PROJECT], moment, actor="ada")
        await engine.apply(plan, actor="ada")
        assert await stored(store) == {"frames": 10, "mode": "advanced"}
        assert await stored(store, PROJECT) == {}
        assert await engine.history.compare([SHOT, PROJECT], moment) == ()
        (step, *_) = (await engine.history.steps([SHOT, PROJECT])).steps
        assert len(step.changes) == 4


async def test_one_field_can_be_brought_back_and_the_others_stay(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10, mode="advanced")
        await edited(travel, frames=20, mode="basic")
        first = (await engine.history.steps([SHOT])).steps[-1]
        plan = await engine.history.plan_restore([SHOT], first, actor="ada", fields=["frames"])
        assert [(edit.field, edit.before.value, edit.after.value) for edit in plan.edits] == [
            ("frames", 20, 10)
        ]
        await engine.apply(plan, actor="ada")
        assert await stored(store) == {"frames": 10, "mode": "basic"}


async def test_pins_blocks_and_policies_come_back_as_what_they_were(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.pin("frames")
        travel.block("mode")
        await travel.enforce("strength", 0.1, scope="project", note="because")
        await engine.flush()
        moment = await engine.store.last_revision()
        await travel.relax("strength", scope="project")
        travel.reset()
        await edited(travel, mode="advanced")
        plan = await engine.history.plan_restore([SHOT, PROJECT], moment, actor="ada")
        await engine.apply(plan, actor="ada")
        now = {
            field: (held.kind, held.value, held.note)
            for layer in (engine.layer(SHOT), engine.layer(PROJECT))
            for field, held in layer.confirmed.items()
        }
        assert now == {
            "frames": ("pin", 61, None),
            "mode": ("block", None, None),
            "strength": ("policy", 0.1, "because"),
        }


async def test_a_policy_comes_back_only_for_who_may_administer(start: Start) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        del scope, owner
        return action != "admin" or actor == "ada"

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await travel.enforce("frames", 24, scope="project")
        plan = await engine.history.plan_restore([PROJECT], 0, actor="bob")
        assert (plan.edits, [each.why for each in plan.skipped]) == ((), ["policy"])
        plan = await engine.history.plan_restore([PROJECT], 0, actor="ada")
        assert [edit.kind for edit in plan.edits] == ["reset"]


async def test_what_may_not_be_written_is_left_out_of_a_restore(start: Start) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        del owner
        return actor == "ada" or action == "read" or scope == "shot"

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        await edited(travel, "project", frames=20)
        plan = await engine.history.plan_restore([SHOT, PROJECT], 0, actor="bob")
        assert [edit.target for edit in plan.edits] == [SHOT]
        assert [(each.target, each.why) for each in plan.skipped] == [(PROJECT, "gone")]


def redeclare(monkeypatch: pytest.MonkeyPatch, old: str, cls: type[Settings]) -> None:
    """A newer release of the app declares the tool of an older one's."""
    monkeypatch.setitem(registry, old, cls.__tool__)


async def test_what_todays_declaration_cannot_read_is_shown_as_stored_and_not_restored(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Before(Settings, tool="h-shape", edit="shot"):
        size: str = setting("")
        gone: int = setting(0)

    before = registry.pop("h-shape")

    class After(Settings, tool="h-shape", edit="shot"):
        size: int = setting(1)

    after = registry.pop("h-shape")
    at = target(Before)
    monkeypatch.setitem(registry, "h-shape", before)
    async with start() as engine:
        old: Any = await engine.open(Before, MINE, actor="ada")
        await edited(old, size="large", gone=3)
    monkeypatch.setitem(registry, "h-shape", after)
    async with start() as engine:
        new: Any = await engine.open(After, MINE, actor="ada")
        await edited(new, size=5)
        newest, first = (await engine.history.steps([at])).steps
        assert told(newest) == {"size": ("large", 5)}
        assert told(first) == {"size": ("reset", "large"), "gone": ("reset", 3)}
        plan = await engine.history.plan_restore([at], first, actor="ada")
        assert plan.is_empty
        assert {each.field: each.why for each in plan.skipped} == {
            "size": "unknown",
            "gone": "unknown",
        }


async def test_values_of_an_older_version_are_restored_in_todays_shape(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Old(Settings, tool="h-version", edit="shot"):
        seconds: int = setting(0)

    old: ToolSpec = registry.pop("h-version")

    def to_frames(values: dict[str, Any]) -> dict[str, Any]:
        return {"frames": values["seconds"] * 24} if "seconds" in values else values

    class New(Settings, tool="h-version", edit="shot", version=2, migrations={1: to_frames}):
        frames: int = setting(0)

    new: ToolSpec = registry.pop("h-version")
    at = target(Old)
    monkeypatch.setitem(registry, "h-version", old)
    async with start() as engine:
        first: Any = await engine.open(Old, MINE, actor="ada")
        await edited(first, seconds=2)
    monkeypatch.setitem(registry, "h-version", new)
    async with start() as engine:
        second: Any = await engine.open(New, MINE, actor="ada")
        await edited(second, frames=100)
        moment = (await engine.history.steps([at])).steps[-1]
        plan = await engine.history.plan_restore([at], moment, actor="ada")
        assert [(edit.field, edit.value) for edit in plan.edits] == [("frames", 48)]


# --- named moments -------------------------------------------------------------------------------


async def test_a_moment_can_be_named_listed_and_forgotten(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        travel.update(frames=20)  # saved before the moment is named
        moment = await engine.history.name_moment("shot", "s1", "  before   grading ", actor="ada")
        assert (moment.name, moment.author, moment.at) == ("before grading", "ada", engine.wall())
        await edited(travel, frames=30)
        assert await engine.history.moments("shot", "s1", actor="ada") == [moment]
        assert [word(d.before) for d in await engine.history.compare([SHOT], moment)] == [20]
        assert await engine.history.remove_moment("shot", "s1", moment.name, actor="ada")
        assert not await engine.history.remove_moment("shot", "s1", moment.name, actor="ada")
        assert await engine.history.moments("shot", "s1", actor="ada") == []


async def test_an_earlier_moment_can_be_named_too(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        await edited(travel, frames=20)
        first = (await engine.history.steps([SHOT])).steps[-1]
        moment = await engine.history.name_moment("shot", "s1", "ten", actor="ada", at=first)
        assert moment.revision == first.revision


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "must be a text"),
        ("  ", "must be a text"),
        (7, "must be a text"),
        ("bell\a", "must be a text"),
        ("x" * 81, "at most 80 characters"),
        ("taken", "is taken"),
    ],
)
async def test_a_wrong_name_is_refused_with_the_reason(
    start: Start, name: Any, problem: str
) -> None:
    async with start() as engine:
        await engine.history.name_moment("shot", "s1", "taken", actor="ada")
        with pytest.raises(InvalidValue, match=problem):
            await engine.history.name_moment("shot", "s1", name, actor="ada")


async def test_there_is_a_limit_to_named_moments_and_it_is_told(start: Start) -> None:
    async with start() as engine:
        for number in range(MOST_MOMENTS):
            await engine.history.name_moment("shot", "s1", f"m{number}", actor="ada")
        with pytest.raises(InvalidValue, match="has 100 named moments already: remove one first"):
            await engine.history.name_moment("shot", "s1", "one more", actor="ada")
        await engine.history.name_moment("shot", "s2", "elsewhere", actor="ada")


async def test_moments_are_of_those_who_may_write_and_read(start: Start) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        del scope, owner
        return actor == "ada" or (actor == "bob" and action == "read")

    async with start(authorise=authorise) as engine:
        history = engine.history
        await history.name_moment("shot", "s1", "mine", actor="ada")
        assert len(await history.moments("shot", "s1", actor="bob")) == 1
        with pytest.raises(PermissionDenied):
            await history.name_moment("shot", "s1", "his", actor="bob")
        with pytest.raises(PermissionDenied):
            await history.remove_moment("shot", "s1", "mine", actor="bob")
        with pytest.raises(PermissionDenied):
            await history.moments("shot", "s1", actor="eve")
        with pytest.raises(ScopeNotAllowed):
            await history.name_moment("planet", "s1", "mine", actor="ada")


# --- the horizon ---------------------------------------------------------------------------------


async def grown_old(engine: Engine, store: FailingStore) -> Binding[Travel]:
    """Frames 10 and 20 are before the horizon, 30 and 40 after it."""
    travel: Binding[Travel] = await engine.open(Travel, MINE, actor="ada")
    await edited(travel, frames=10)
    await edited(travel, frames=20)
    await asyncio.sleep(1000)
    await edited(travel, frames=30)
    await edited(travel, frames=40)
    await store.prune(older_than=engine.wall() - 500, keep_operations_after=0)
    return travel


async def test_where_history_begins_is_said_and_what_was_before_is_not_guessed(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await grown_old(engine, store)
        page = await engine.history.steps([SHOT])
        assert [told(step)["frames"] for step in page.steps] == [
            (30, 40),
            (20, 30),
            ("not kept", 20),
        ]
        assert page.begins == page.steps[1].at
        first = await engine.history.steps([SHOT], limit=1)
        assert first.begins is None


async def test_nobody_can_go_back_to_before_the_horizon_but_to_a_named_moment(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel: Binding[Travel] = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=5)
        moment = await engine.history.name_moment("shot", "s1", "five", actor="ada")
        await grown_old(engine, store)
        with pytest.raises(NotKept):
            await engine.history.compare([SHOT], moment.revision + 1)
        with pytest.raises(NotKept):
            await engine.history.plan_restore([SHOT], moment.revision + 1, actor="ada")
        with pytest.raises(NotKept):  # the name keeps the history of its own shot alone
            await engine.history.plan_restore([SHOT, PROJECT], moment, actor="ada")
        with pytest.raises(NotKept):
            await engine.history.name_moment("shot", "s1", "x", actor="ada", at=2)
        plan = await engine.history.plan_restore([SHOT], moment, actor="ada")
        assert [edit.value for edit in plan.edits] == [5]
