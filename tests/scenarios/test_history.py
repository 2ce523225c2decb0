"""History: who changed what when, from what to what; compared, named, restored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from persistence import (
    UNSET,
    Binding,
    Engine,
    InvalidValue,
    NotKept,
    Opinion,
    Patch,
    PermissionDenied,
    ScopeNotAllowed,
    Settings,
    Step,
    StoreUnavailable,
    setting,
)
from persistence.history import MOST_MOMENTS
from persistence.settings import registry
from persistence.specs import ToolSpec
from persistence.store.base import Write
from persistence.testing import FailingStore
from persistence.vault import Vault
from tests.scenarios.tools import (
    MINE,
    SHOT,
    Images,
    Start,
    Travel,
    Ui,
    operation,
    stored,
    target,
)

PROJECT = target(Travel, "project")
USER = target(Ui, "user")


async def edited(binding: Binding[Any], scope: str | None = None, **values: Any) -> None:
    """One action, saved; the next one is a second later."""
    binding.update(scope=scope, **values)
    await binding.flush()
    await asyncio.sleep(1)


def told(step: Step) -> dict[str, tuple[Any, Any]]:
    """Field → from what to what; a word for what isn't a value."""
    return {each.field: (word(each.before), word(each.after)) for each in step.changes}


def word(opinion: Opinion | None) -> Any:
    if opinion is None:
        return "not kept"
    return opinion.kind if opinion.value is UNSET else opinion.value


# --- steps ---------------------------------------------------------------------------------------


async def test_a_step_tells_who_changed_what_when_from_what_to_what(start: Start) -> None:
    async with start() as engine:
        ada = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(ada, frames=41, mode="advanced")
        await edited(bob, frames=50)
        page = await engine.history.steps([SHOT])
        assert [(step.author, told(step)) for step in page.steps] == [
            ("bob", {"frames": (41, 50)}),
            ("ada", {"frames": ("reset", 41), "mode": ("reset", "advanced")}),
        ]
        assert page.steps[0].at - page.steps[1].at == 1.0
        assert (page.before, page.begins) == (None, None)


async def test_every_kind_of_edit_can_be_told(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.pin("frames")
        await travel.flush()
        travel.block("frames")
        await travel.flush()
        travel.reset("frames")
        await travel.flush()
        await travel.enforce("frames", 24, scope="project", note="the cinema's")
        page = await engine.history.steps([SHOT, PROJECT])
        assert [told(step)["frames"] for step in page.steps] == [
            ("reset", 24),
            ("block", "reset"),
            (61, "block"),
            ("reset", 61),
        ]
        policy = page.steps[0].changes[0].after
        assert policy == Opinion("policy", 24, "the cinema's")


async def test_an_action_over_several_tools_and_layers_is_one_step(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        images = await engine.open(Images, MINE, actor="ada")
        group = engine.recorder.group()
        travel.update(frames=41, group=group)
        travel.update(frames=50, scope="project", group=group)
        images.update(prompt="fog", group=group)
        await engine.flush()
        targets = [SHOT, PROJECT, target(Images, "project")]
        (step,) = (await engine.history.steps(targets)).steps
        assert {(each.target, each.field) for each in step.changes} == {
            (SHOT, "frames"),
            (PROJECT, "frames"),
            (target(Images, "project"), "prompt"),
        }
        (part,) = (await engine.history.steps([SHOT])).steps
        assert [each.target for each in part.changes] == [SHOT]


async def test_typing_is_one_step_from_the_first_text_to_the_last(start: Start) -> None:
    async with start() as engine:
        for seq, text in enumerate(("h", "he", "hey")):
            await engine.submit(operation(f"a{seq}", "prompt", text, seq=seq), actor="ada")
            await asyncio.sleep(1.2)
        (step,) = (await engine.history.steps([SHOT])).steps
        assert told(step) == {"prompt": ("reset", "hey")}
        assert len(await engine.history.changes([SHOT])) == 3


async def test_a_merging_dict_is_told_by_its_patch(start: Start) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"}, actor="ada")
        ui.set_key("locks", "shots", True)
        await ui.flush()
        ui.remove_key("locks", "gens")
        await ui.flush()
        (newest, first) = (await engine.history.steps([USER])).steps
        assert told(first) == {"locks": ("reset", Patch({"shots": True}))}
        assert newest.changes[0].after is not None
        assert newest.changes[0].after.value == Patch({"shots": True}, frozenset({"gens"}))


async def test_one_field_or_one_person_can_be_looked_for(start: Start) -> None:
    async with start() as engine:
        ada = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(ada, frames=41)
        for number in range(250):
            bob.update(strength=number / 250)
            await bob.flush()
        await edited(bob, frames=50, mode="advanced")
        history = engine.history
        of_field = await history.steps([SHOT], field="frames")
        assert [told(step) for step in of_field.steps] == [
            {"frames": (41, 50)},
            {"frames": ("reset", 41)},
        ]
        of_person = await history.steps([SHOT], author="ada")
        assert [told(step) for step in of_person.steps] == [{"frames": ("reset", 41)}]


async def test_pages_neither_skip_nor_repeat_a_step_while_people_go_on(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        for number in range(1, 24):
            await edited(travel, frames=number, strength=number / 100)
        seen: list[Any] = []
        before: int | None = None
        while True:
            page = await engine.history.steps([SHOT], before=before, limit=5)
            seen += [told(step)["frames"][1] for step in page.steps]
            await edited(travel, frames=200 + len(seen))
            if (before := page.before) is None:
                break
        assert seen == list(range(23, 0, -1))


async def test_two_people_who_type_at_the_same_time_each_have_a_whole_step(start: Start) -> None:
    async with start() as engine:
        groups = {name: engine.recorder.group() for name in ("ada", "bob")}
        ada = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        for number in range(1, 6):
            ada.update(frames=number, group=groups["ada"])
            await ada.flush()
            bob.update(strength=number / 10, group=groups["bob"])
            await bob.flush()
        page = await engine.history.steps([SHOT], limit=1)
        assert [told(step) for step in page.steps] == [
            {"strength": ("reset", 0.5)},
            {"frames": ("reset", 5)},
        ]
        assert page.before is None


async def test_an_undo_is_told_as_one(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=41)
        undoing = await engine.undo.plan("ada")
        assert undoing is not None
        await engine.undo.apply(undoing)
        newest, first = (await engine.history.steps([SHOT])).steps
        assert (newest.verb, newest.source, told(newest)) == (
            "undo",
            "undo",
            {"frames": (41, "reset")},
        )
        assert first.verb == ""


async def test_of_a_secret_it_tells_that_it_changed_and_never_to_what(
    start: Start, keys_tool: type[Settings]
) -> None:
    at = target(keys_tool, "user")
    async with start(key=Vault.new_key()) as engine:
        keys: Any = await engine.open(keys_tool, {"user": "ada"}, actor="ada")
        await edited(keys, token="hidden-one", label="mine")
        await edited(keys, token="hidden-two")
        page = await engine.history.steps([at])
        assert [[(c.field, c.secret) for c in step.changes] for step in page.steps] == [
            [("token", True)],
            [("token", True), ("label", False)],
        ]
        first = page.steps[-1]
        compared = await engine.history.compare([at], first)
        assert [(each.field, each.secret) for each in compared] == [("token", True)]
        plan = await engine.history.plan_restore([at], first.first - 1, actor="ada")
        assert [(each.field, each.why) for each in plan.skipped] == [("token", "secret")]
        assert [each.field for each in plan.edits] == ["label"]
        assert "hidden" not in repr((page, compared, plan))


@pytest.fixture
def keys_tool(monkeypatch: pytest.MonkeyPatch) -> type[Settings]:
    """Declared for one test: an engine without a key refuses to start where there is a secret."""

    class Keys(Settings, tool="h-keys", edit="user"):
        token: str = setting("", secret=True)
        label: str = setting("")

    monkeypatch.setitem(registry, "h-keys", registry.pop("h-keys"))
    return Keys


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


async def test_history_of_a_database_that_is_away_says_so(
    start: Start, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("the database is away")

    async with start() as engine:
        monkeypatch.setattr(store, "history", away)
        with pytest.raises(StoreUnavailable):
            await engine.history.steps([SHOT])


async def test_rows_without_an_action_are_steps_of_their_own(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        writes: Mapping[str, Any] = {"frames": 10, "mode": "advanced"}
        await store.commit(
            [
                Write(SHOT, field, "set", json.dumps(value), 0, "ada", "user", 1.0)
                for field, value in writes.items()
            ]
        )
        assert len((await engine.history.steps([SHOT])).steps) == 2
        assert await engine.undo.next("ada") is None
