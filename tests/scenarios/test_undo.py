"""Undo and redo: one step for one action, each person's own, told by the journal alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from persistence import (
    Patch,
    Plan,
)
from persistence.plans import confirmed_layers, propose
from persistence.testing import FailingStore
from tests.scenarios.acting import edited, fields_of_next, planned, redo, undo
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
