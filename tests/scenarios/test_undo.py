"""Undo and redo: one step for one action, each person's own, told by the journal alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from persistence import (
    Binding,
    Engine,
    InvalidValue,
    Opinion,
    Patch,
    Plan,
    PlanOutdated,
    Settings,
    StoreUnavailable,
    Undoing,
    setting,
)
from persistence.plans import confirmed_layers, propose
from persistence.settings import registry
from persistence.testing import FailingStore
from persistence.vault import Vault
from tests.scenarios.tools import (
    MINE,
    SHOT,
    Images,
    Range,
    Start,
    Travel,
    Ui,
    operation,
    stored,
    target,
)

PROJECT = target(Travel, "project")
USER = target(Ui, "user")


@pytest.fixture
def keys_tool(monkeypatch: pytest.MonkeyPatch) -> type[Settings]:
    """Declared for one test: an engine without a key refuses to start where there is a secret."""

    class Keys(Settings, tool="u-keys", edit="user"):
        token: str = setting("", secret=True)
        label: str = setting("")

    declared = registry.pop("u-keys")
    monkeypatch.setitem(registry, "u-keys", declared)
    return Keys


async def planned(engine: Engine, actor: str = "ada", *, redo: bool = False) -> Undoing:
    undoing = await engine.undo.plan(actor, redo=redo)
    assert undoing is not None, "nothing to take back"
    return undoing


async def undo(engine: Engine, actor: str = "ada", *, anyway: bool = False) -> Plan:
    return await engine.undo.apply(await planned(engine, actor), anyway=anyway)


async def redo(engine: Engine, actor: str = "ada") -> Plan:
    return await engine.undo.apply(await planned(engine, actor, redo=True))


async def edited(binding: Binding[Any], scope: str | None = None, **values: Any) -> None:
    """One action, saved."""
    binding.update(scope=scope, **values)
    await binding.flush()


async def fields_of_next(engine: Engine, actor: str = "ada") -> list[str] | None:
    step = await engine.undo.next(actor)
    return None if step is None else sorted(change.field for change in step.changes)


# --- one action, one step ------------------------------------------------------------------------


async def test_an_edit_goes_back_to_what_was_inherited_and_comes_again(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, "project", frames=50)
        await edited(travel, frames=41)
        await undo(engine)
        assert (travel.values.frames, travel.origin("frames")) == (50, "project")
        assert await stored(store) == {}
        await redo(engine)
        assert (travel.values.frames, travel.origin("frames")) == (41, "shot")
        assert await stored(store) == {"frames": 41}


async def test_all_fields_of_an_action_are_one_step(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10, mode="advanced")
        await edited(travel, frames=20)
        assert await fields_of_next(engine) == ["frames"]
        await undo(engine)
        assert (travel.values.frames, travel.values.mode) == (10, "advanced")
        assert await fields_of_next(engine) == ["frames", "mode"]
        await undo(engine)
        assert (travel.values.frames, travel.values.mode) == (61, "basic")
        assert await engine.undo.next("ada") is None


async def test_a_push_over_37_shots_and_two_tools_is_one_step(
    start: Start, store: FailingStore
) -> None:
    shots = [target(Travel, "shot", f"p{number}") for number in range(37)]
    async with start() as engine:
        layers = await confirmed_layers(engine, [*shots, target(Images, "project")])
        fields: list[tuple[str, Any]] = [*[("frames", 24)] * 37, ("prompt", "fog")]
        edits = [propose(each, f, "pin", v) for each, (f, v) in zip(layers, fields, strict=True)]
        await engine.apply(Plan("Push", tuple(edits)), actor="ada")
        step = await engine.undo.next("ada")
        assert step is not None
        assert len(step.changes) == 38
        plan = await undo(engine)
        assert plan.summary() == "37 shots, 1 project"
        assert all([await stored(store, shot) == {} for shot in shots])
        assert await engine.undo.next("ada") is None
        await redo(engine)
        assert all([await stored(store, shot) == {"frames": 24} for shot in shots])
        assert len((await engine.history.steps(shots)).steps) == 3


async def test_typing_is_taken_back_as_one_and_a_pause_begins_another_step(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        for seq, text in enumerate(("h", "he", "hey")):
            await engine.submit(operation(f"a{seq}", "prompt", text, seq=seq), actor="ada")
            await asyncio.sleep(1.2)  # saved in between
        await asyncio.sleep(5)
        base = (await engine.history.changes([SHOT]))[0].revision
        last = operation("b", "prompt", "hey you", seq=9, base=base)
        await engine.submit(last, actor="ada", wait=True)
        assert len(await engine.history.changes([SHOT])) == 4
        await undo(engine)
        assert travel.values.prompt == "hey"
        await undo(engine)
        assert travel.values.prompt == ""
        await redo(engine)
        assert travel.values.prompt == "hey"


async def test_typing_after_an_undo_is_a_step_of_its_own(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await engine.submit(operation("a", "prompt", "fog", seq=1), actor="ada", wait=True)
        await undo(engine)
        base = (await engine.history.changes([SHOT]))[0].revision
        again = operation("b", "prompt", "sun", seq=2, base=base)
        await engine.submit(again, actor="ada", wait=True)
        await undo(engine)
        assert travel.values.prompt == ""
        assert await engine.undo.next("ada") is None


async def test_each_click_on_a_key_of_a_merging_dict_is_a_step(start: Start) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"}, actor="ada")
        for seq, held in enumerate(({"gens": True}, {"gens": True, "shots": True})):
            click = operation(f"a{seq}", "locks", held, seq=seq, target=USER)
            await engine.submit(click, actor="ada", wait=True)
        await undo(engine)
        assert ui.values.locks == {"gens": True}


async def test_what_comes_to_nothing_is_no_step(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        group = engine.recorder.group()
        for frames in (41, 50):
            travel.update(frames=frames, group=group)
            await travel.flush()
        undoing = await planned(engine)
        await engine.apply(undoing.rest, actor="ada", group=group)
        assert len(await engine.history.changes([SHOT])) == 3
        assert await engine.undo.next("ada") is None


# --- every kind of edit --------------------------------------------------------------------------


async def test_pin_block_and_reset_are_taken_back(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=41)
        for act in (travel.block, travel.pin, travel.reset):
            act("frames")
            await travel.flush()
        states: list[Any] = []
        for _ in range(3):
            await undo(engine)
            states.append((await stored(store)).get("frames"))
        assert states == [61, "block", 41]
        for _ in range(3):
            await redo(engine)
        assert await stored(store) == {}


async def test_a_policy_is_taken_back_by_who_may_administer_and_by_nobody_else(
    start: Start, store: FailingStore
) -> None:
    admins = {"ada"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        del scope, owner
        return action != "admin" or actor in admins

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await travel.enforce("frames", 24, scope="project", note="the cinema's")
        await travel.relax("frames", scope="project")
        admins.clear()
        undoing = await planned(engine)
        assert undoing.rest.is_empty
        assert [each.why for each in undoing.rest.skipped] == ["policy"]
        admins.add("ada")
        await undo(engine)
        held = engine.layer(PROJECT).confirmed["frames"]
        assert (held.kind, held.value, held.note) == ("policy", 24, "the cinema's")
        await undo(engine)
        assert await stored(store, PROJECT) == {}


async def test_of_a_merging_dict_only_the_keys_of_the_action_go_back(start: Start) -> None:
    async with start() as engine:
        ada = await engine.open(Ui, {"user": "ada"}, actor="ada")
        bob = await engine.open(Ui, {"user": "ada"}, actor="bob")
        ada.set_key("locks", "gens", True)
        await ada.flush()
        bob.set_key("locks", "shots", True)
        await bob.flush()
        undoing = await planned(engine)
        assert not undoing.changed
        await engine.undo.apply(undoing)
        assert ada.values.locks == {"gens": False, "shots": True}
        await undo(engine, "bob")
        assert engine.layer(USER).confirmed["locks"].kind == "reset"
        await redo(engine)
        await redo(engine, "bob")
        assert ada.values.locks == {"gens": True, "shots": True}


async def test_a_key_that_was_removed_comes_back(start: Start) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"}, actor="ada")
        ui.remove_key("locks", "gens")
        await ui.flush()
        assert ui.values.locks == {}
        await undo(engine)
        assert ui.values.locks == {"gens": False}
        await redo(engine)
        assert engine.layer(USER).confirmed["locks"].value == Patch(remove=frozenset({"gens"}))


async def test_a_key_that_somebody_changed_since_is_asked_about(start: Start) -> None:
    async with start() as engine:
        ada = await engine.open(Ui, {"user": "ada"}, actor="ada")
        bob = await engine.open(Ui, {"user": "ada"}, actor="bob")
        ada.update(locks={"gens": True, "shots": True})
        await ada.flush()
        bob.set_key("locks", "shots", False)
        await bob.flush()
        undoing = await planned(engine)
        (asked,) = undoing.changed
        assert (asked.field, asked.keys, asked.author) == ("locks", ("shots",), "bob")
        await engine.undo.apply(undoing)
        assert ada.values.locks == {"gens": False, "shots": False}


async def test_a_restored_moment_is_one_step_too(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10, mode="advanced")
        moment = await engine.history.name_moment("shot", "s1", "before", actor="ada")
        await edited(travel, frames=20)
        await edited(travel, mode="basic")
        plan = await engine.history.plan_restore([SHOT], moment, actor="ada")
        await engine.apply(plan, actor="ada")
        assert (travel.values.frames, travel.values.mode) == (10, "advanced")
        await undo(engine)
        assert (travel.values.frames, travel.values.mode) == (20, "basic")


# --- whose steps ---------------------------------------------------------------------------------


async def test_programs_and_other_people_make_no_steps_of_mine(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10)
        travel.update(mode="advanced", source="program")
        await travel.flush()
        await edited(bob, strength=0.9)
        assert await fields_of_next(engine) == ["frames"]
        await undo(engine)
        assert await engine.undo.next("ada") is None
        assert (travel.values.mode, travel.values.strength) == ("advanced", 0.9)


async def test_of_an_action_that_a_program_had_part_in_only_the_persons_part_goes_back(
    start: Start,
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        group = engine.recorder.group()
        travel.update(frames=10, group=group)
        travel.update(mode="advanced", group=group, source="program")
        await travel.flush()
        await undo(engine)
        assert (travel.values.frames, travel.values.mode) == (61, "advanced")


async def test_nobody_has_nothing_to_undo(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        await edited(travel, frames=10)
        assert await engine.undo.next("") is None
        assert await engine.undo.plan("") is None


async def test_what_can_be_undone_outlives_the_engine(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        await edited(travel, frames=20)
        await undo(engine)
    async with start() as engine:
        await redo(engine)
        assert await stored(store) == {"frames": 20}
    async with start() as engine:
        await undo(engine)
        await undo(engine)
        assert await stored(store) == {}
        assert await engine.undo.next("ada") is None


async def test_a_new_edit_clears_what_could_be_done_again(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        await edited(travel, frames=20)
        await undo(engine)
        await edited(travel, mode="advanced")
        assert await engine.undo.next_redo("ada") is None
        await undo(engine)
        assert await fields_of_next(engine) == ["frames"]
        await redo(engine)
        assert await engine.undo.next_redo("ada") is None
        assert (travel.values.frames, travel.values.mode) == (10, "advanced")


async def test_a_step_goes_back_and_forth_as_often_as_one_likes(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        await edited(travel, mode="advanced")
        for _ in range(3):
            await undo(engine)
            await undo(engine)
            assert (travel.values.frames, travel.values.mode) == (61, "basic")
            assert await engine.undo.next("ada") is None
            await redo(engine)
            await redo(engine)
            assert (travel.values.frames, travel.values.mode) == (10, "advanced")
            assert await engine.undo.next_redo("ada") is None


async def test_pending_edits_are_saved_first_and_are_what_is_undone(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        travel.update(frames=20)
        await undo(engine)
        assert travel.values.frames == 10
        assert [json.loads(w.text or "") for w in store.written] == [10, 20, 10]


# --- asked, skipped, refused ---------------------------------------------------------------------


async def test_a_field_that_somebody_changed_since_is_asked_about(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10, mode="advanced")
        await edited(bob, frames=33)
        undoing = await planned(engine)
        (asked,) = undoing.changed
        assert (asked.target, asked.field, asked.author) == (SHOT, "frames", "bob")
        assert (asked.now.value, asked.to) == (33, Opinion("reset"))
        assert undoing.rest.summary() == "1 setting, 1 changed since"
        await engine.undo.apply(undoing)
        assert (travel.values.frames, travel.values.mode) == (33, "basic")
        assert await engine.undo.next("ada") is None
        await redo(engine)
        assert (travel.values.frames, travel.values.mode) == (33, "advanced")


async def test_undone_anyway_it_goes_back_over_what_others_made_of_it(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10, mode="advanced")
        await edited(bob, frames=33)
        await undo(engine, anyway=True)
        assert (travel.values.frames, travel.values.mode) == (61, "basic")
        await redo(engine)
        assert (travel.values.frames, travel.values.mode) == (33, "advanced")


async def test_one_is_asked_though_somebody_set_the_same_value_again(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10)
        await edited(bob, frames=33)
        await edited(bob, frames=10)
        assert [each.author for each in (await planned(engine)).changed] == ["bob"]


async def test_one_is_not_asked_where_somebody_took_his_change_back(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10)
        await edited(bob, frames=33)
        await undo(engine, "bob")
        assert not (await planned(engine)).changed
        await undo(engine)
        assert travel.values.frames == 61


async def test_a_step_of_which_nothing_is_left_is_passed_over(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, mode="advanced")
        await edited(travel, frames=10)
        await edited(bob, frames=33)
        assert (await undo(engine)).is_empty
        assert await fields_of_next(engine) == ["mode"]
        await undo(engine)
        assert (travel.values.frames, travel.values.mode) == (33, "basic")


async def test_what_moves_between_looking_and_doing_is_looked_at_again(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10)
        undoing = await planned(engine)
        await edited(bob, frames=33)
        with pytest.raises(PlanOutdated) as outdated:
            await engine.undo.apply(undoing)
        assert [moved.author for moved in outdated.value.moved] == ["bob"]
        assert travel.values.frames == 33
        assert [each.author for each in (await planned(engine)).changed] == ["bob"]


async def test_what_is_gone_or_not_allowed_any_more_is_skipped_and_said(start: Start) -> None:
    foreign: set[str] = set()

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        del actor, action, scope
        return owner not in foreign

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        group = engine.recorder.group()
        travel.update(frames=10, group=group)
        travel.update(frames=20, scope="project", group=group)
        await travel.flush()
        foreign.add("s1")
        undoing = await planned(engine)
        (skipped,) = undoing.rest.skipped
        assert (skipped.target, skipped.why) == (SHOT, "gone")
        assert "no such shot" in skipped.detail
        await engine.undo.apply(undoing)
        assert engine.layer(PROJECT).confirmed["frames"].kind == "reset"
        assert engine.layer(SHOT).confirmed["frames"].value == 10


async def test_what_was_deleted_is_no_step_any_more(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, "project", frames=20)
        await edited(travel, frames=10)
        await engine.forget("shot", "s1")
        step = await engine.undo.next("ada")
        assert step is not None
        assert [change.target for change in step.changes] == [PROJECT]


async def test_a_policy_that_came_since_stands_in_the_way_and_that_is_said(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        travel.reset("frames")
        await travel.flush()
        bob = await engine.open(Travel, MINE, actor="bob")
        await bob.enforce("frames", 24, scope="project", note="the cinema's")
        undoing = await planned(engine)
        (skipped,) = undoing.rest.skipped
        assert (skipped.why, undoing.rest.is_empty) == ("policy", True)
        assert "the cinema's" in skipped.detail


async def test_a_rule_across_settings_refuses_an_undo_and_the_step_before_is_next(
    start: Start,
) -> None:
    async with start() as engine:
        ada = await engine.open(Range, {"shot": "s1"}, actor="ada")
        bob = await engine.open(Range, {"shot": "s1"}, actor="bob")
        await edited(ada, first=2)
        await edited(ada, last=20)
        await edited(bob, first=15)
        with pytest.raises(InvalidValue, match="first must not lie after last"):
            await undo(engine)
        assert (ada.values.first, ada.values.last) == (15, 20)
        assert await fields_of_next(engine) == ["first"]


async def test_a_secret_is_never_taken_back(start: Start, keys_tool: type[Settings]) -> None:
    async with start(key=Vault.new_key()) as engine:
        keys: Any = await engine.open(keys_tool, {"user": "ada"}, actor="ada")
        await edited(keys, token="one", label="mine")
        await edited(keys, token="two")
        assert await fields_of_next(engine) == ["label", "token"]
        plan = await undo(engine)
        assert [(each.field, each.why) for each in plan.skipped] == [("token", "secret")]
        assert (keys.values.token, keys.values.label) == ("two", "")


async def test_while_the_database_is_away_nothing_is_undone_and_that_is_said(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        store.commits.fail(None)
        travel.update(frames=20)
        with pytest.raises(StoreUnavailable):
            await engine.undo.plan("ada")
        store.commits.mend()
        await undo(engine)
        assert travel.values.frames == 10


async def test_what_was_pruned_is_not_guessed(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        await asyncio.sleep(100)
        await edited(travel, frames=20)
        await asyncio.sleep(100)
        await edited(travel, frames=30)
        now = engine.wall()
        await store.prune(older_than=now - 50, keep_operations_after=0)
        await undo(engine)
        assert travel.values.frames == 20  # what stood at the horizon is kept
        undoing = await planned(engine)
        assert [each.why for each in undoing.rest.skipped] == ["unknown"]
        assert undoing.rest.is_empty
