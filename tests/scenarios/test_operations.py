"""Operations: a browser's edits are done once, in order, on what they were made on."""

from __future__ import annotations

import asyncio

import pytest

from persistence.http import submit_durably
from persistence.testing import FailingStore
from persistence.turns import Turns
from tests.scenarios.tools import (
    MINE,
    SHOT,
    Start,
    Travel,
    Ui,
    journal,
    operation,
    stored,
    target,
)


async def test_an_operation_to_the_inherited_value_is_not_measured_against_the_default(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", frames=24)
    async with start() as engine:  # nobody has the shot open: a replay after a restart
        outcome = await engine.submit(operation("op", "frames", 61), actor="ada", wait=True)
        assert outcome.status == "confirmed"
        travel = await engine.open(Travel, MINE)
        assert travel.values.frames == 61


async def test_edits_that_a_page_made_together_are_one_action_and_one_to_undo(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(frames=41)
        travel.update(mode="advanced")
        await travel.flush()
        for seq, field in ((7, "frames"), (8, "mode")):
            made = operation(f"op{seq}", field, kind="reset", base=99, seq=seq, together=7)
            assert (await engine.submit(made, actor="ada", wait=True)).status == "confirmed"
        assert (travel.origin("frames"), travel.origin("mode")) == ("default", "default")
        alone = operation("op9", "prompt", "typed", seq=9, together=0)
        assert (await engine.submit(alone, actor="ada", wait=True)).status == "confirmed"
        await engine.undo.apply(await engine.undo.plan("ada"))
        await engine.undo.apply(await engine.undo.plan("ada"))
        assert (travel.values.frames, travel.values.mode) == (41, "advanced")


@pytest.mark.parametrize("kind", ["set", "reset"])
async def test_keys_dont_pass_the_whole_edit_before_them_that_couldnt_be_taken(
    start: Start, store: FailingStore, kind: str
) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"}, actor="ada")
        ui.set_key("locks", "shots", True)
        await ui.flush()
    at = target(Ui, "user", "ada")
    whole = {"assets": True} if kind == "set" else None
    key = {"set": {"music": True}, "remove": []}
    both = [
        operation("tab.1", "locks", whole, seq=1, base=9, kind=kind, target=at),
        operation("tab.2", "locks", key, seq=2, base=9, kind="keys", target=at),
    ]
    async with start() as engine:
        store.loads.fail(times=1)
        answers = await submit_durably(engine, both, "ada")
        assert [each.status for each in answers] == ["pending", "pending"]
        answers = await submit_durably(engine, both, "ada")
        assert [each.status for each in answers] == ["confirmed", "confirmed"]
        ui = await engine.open(Ui, {"user": "ada"})
        locks = {name for name, is_locked in ui.values.locks.items() if is_locked}
        assert locks == ({"assets", "music"} if kind == "set" else {"music"})


@pytest.mark.parametrize("kind", ["set", "pin"])
async def test_a_whole_edit_doesnt_pass_the_keys_that_wait_behind_an_earlier_one(
    start: Start, store: FailingStore, kind: str
) -> None:
    at = target(Ui, "user", "ada")
    key = {"set": {"a": False}, "remove": []}
    edits = [
        operation("tab.1", "locks", {"b": True}, seq=1, base=9, target=at),
        operation("tab.2", "locks", key, seq=2, base=9, kind="keys", target=at),
        operation("tab.3", "locks", {"a": True}, seq=3, base=9, kind=kind, target=at),
    ]
    async with start() as engine:
        store.loads.fail(times=1)
        turns = Turns(engine, "ada")
        for each in edits:
            assert (await turns.submit(each)).status == "pending"
        await submit_durably(engine, edits, "ada")
        ui = await engine.open(Ui, {"user": "ada"})
        assert ui.values.locks["a"] is True


async def test_an_operation_on_a_merging_dict_removes_the_keys_that_it_leaves_out(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"})
        ui.set_key("locks", "shots", True)
    async with start() as engine:
        at = target(Ui, "user")
        one = operation("op", "locks", {"gens": False, "tasks": True}, target=at, base=1)
        assert (await engine.submit(one, actor="ada", wait=True)).status == "confirmed"
        ui = await engine.open(Ui, {"user": "ada"})
        assert ui.values.locks == {"gens": False, "tasks": True}


async def test_an_operation_that_repeats_what_is_in_flight_is_confirmed_only_when_that_is(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        store.commits.delay(5.0)
        travel.update(frames=41)
        await asyncio.sleep(1)
        answer = asyncio.create_task(
            engine.submit(operation("op", "frames", 41), actor="ada", wait=True)
        )
        await asyncio.sleep(1)
        assert await stored(store) == {}
        assert not answer.done()
        assert (await answer).status == "confirmed"
        assert await stored(store) == {"frames": 41}


async def test_an_older_operation_that_comes_after_a_newer_one_of_its_field_changes_nothing(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        newer = await engine.submit(operation("b", "frames", 42, seq=2), actor="ada", wait=True)
        older = await engine.submit(operation("a", "frames", 41, seq=1), actor="ada", wait=True)
        assert (newer.status, older.status) == ("confirmed", "confirmed")
        assert await stored(store) == {"frames": 42}


async def test_a_refused_newer_operation_does_not_swallow_an_older_one(
    start: Start, store: FailingStore
) -> None:
    async with start(value_limit=100) as engine:
        big = operation("b", "prompt", "x" * 200, seq=2)
        assert (await engine.submit(big, actor="ada", wait=True)).status == "refused"
        small = operation("a", "prompt", "short", seq=1)
        assert (await engine.submit(small, actor="ada", wait=True)).status == "confirmed"
        assert await stored(store) == {"prompt": "short"}


async def test_two_users_who_change_one_field_on_the_same_base_are_asked(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ours = await engine.submit(operation("a", "frames", 41), actor="ada", wait=True)
        theirs = await engine.submit(
            operation("b", "frames", 42, client="other"), actor="bob", wait=True
        )
        assert (ours.status, theirs.status) == ("confirmed", "conflict")
        assert "ada" in theirs.problem
        assert await stored(store) == {"frames": 41}


async def test_two_users_who_change_one_field_while_neither_is_saved_do_not_lose_one_silently(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await engine.load([SHOT])
        ours = asyncio.create_task(
            engine.submit(operation("a", "frames", 41), actor="ada", wait=True)
        )
        await asyncio.sleep(0.1)
        theirs = await engine.submit(
            operation("b", "frames", 42, client="other"), actor="bob", wait=True
        )
        first = await ours
        kept = [value for field, value in await journal(engine) if field == "frames"]
        if theirs.status == "confirmed":  # then both stand in the history, each under its name
            assert kept == [41, 42]
            authors = [change.author for change in await engine.history.changes([SHOT])]
            assert authors == ["bob", "ada"]
        else:
            assert (first.status, theirs.status, kept) == ("confirmed", "conflict", [41])


async def test_an_edit_of_another_process_is_rebased_where_it_touches_another_field(
    start: Start, store: FailingStore
) -> None:
    async with start() as one, start() as two:
        here = await one.open(Travel, MINE, actor="ada")
        there = await two.open(Travel, MINE, actor="bob")
        here.update(frames=41)
        there.update(mode="advanced")
        await here.flush()
        await there.flush()
        assert (here.conflicts, there.conflicts) == ((), ())
        assert await stored(store) == {"frames": 41, "mode": "advanced"}


async def test_the_same_field_changed_by_another_process_is_a_conflict_with_mine_and_theirs(
    start: Start, store: FailingStore
) -> None:
    async with start() as one, start() as two:
        here = await one.open(Travel, MINE, actor="ada")
        there = await two.open(Travel, MINE, actor="bob")
        here.update(frames=41)
        await here.flush()
        there.update(frames=42)
        await asyncio.sleep(5)
        (conflict,) = there.conflicts
        assert (conflict.field, conflict.mine, conflict.theirs.value) == ("frames", 42, 41)
        assert conflict.theirs.author == "ada"
        assert there.status == "error"
        assert there.is_dirty
        assert await stored(store) == {"frames": 41}
        assert there.values.frames == 41
        await there.save()  # mine wins
        assert there.conflicts == ()
        assert await stored(store) == {"frames": 42}


async def test_a_conflict_can_be_given_up_for_theirs(start: Start, store: FailingStore) -> None:
    async with start() as one, start() as two:
        here = await one.open(Travel, MINE, actor="ada")
        there = await two.open(Travel, MINE, actor="bob")
        here.update(frames=41)
        await here.flush()
        there.update(frames=42)
        await asyncio.sleep(5)
        there.revert("frames")
        assert (there.values.frames, there.status, there.is_dirty) == (41, "ready", False)
        await asyncio.sleep(5)
        assert await stored(store) == {"frames": 41}


async def test_keys_of_one_merging_dict_changed_by_two_processes_are_all_kept(
    start: Start, store: FailingStore
) -> None:
    async with start() as one, start() as two:
        here = await one.open(Ui, {"user": "ada"}, actor="ada")
        there = await two.open(Ui, {"user": "ada"}, actor="bob")
        here.set_key("locks", "shots", True)
        await here.flush()
        store.commits.delay(1.0)
        there.set_key("locks", "tasks", True)
        await asyncio.sleep(0.5)
        there.set_key("locks", "more", True)  # behind the one in flight, which finds it moved
        await asyncio.sleep(5)
        assert there.values.locks == {"gens": False, "shots": True, "tasks": True, "more": True}
        assert there.conflicts == ()
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"})
        assert ui.values.locks == {"gens": False, "shots": True, "tasks": True, "more": True}


async def test_typing_goes_on_while_another_process_moved_the_row(
    start: Start, store: FailingStore
) -> None:
    async with start() as one, start() as two:
        here = await one.open(Travel, MINE, actor="ada")
        there = await two.open(Travel, MINE, actor="ada")
        here.update(frames=41)
        await here.flush()
        store.commits.delay(1.0)
        there.update(frames=42)
        await asyncio.sleep(0.5)
        there.update(frames=43)
        await asyncio.sleep(5)
        assert (there.values.frames, there.status, there.conflicts) == (43, "ready", ())
        assert await stored(store) == {"frames": 43}


async def test_a_handlers_edit_on_an_operation_whose_answer_was_lost_is_not_lost_with_it(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        store.commits.lose_answer()
        await engine.submit(operation("op", "frames", 41), actor="ada")
        await asyncio.sleep(0.31)
        travel.update(frames=42)
        await asyncio.sleep(30)
        assert (travel.values.frames, await stored(store)) == (42, {"frames": 42})
        again = await engine.submit(operation("op", "frames", 41), actor="ada", wait=True)
        assert again.status == "confirmed"
        assert travel.values.frames == 42


async def test_what_is_typed_on_a_handlers_fresh_edit_of_ones_own_is_no_conflict_when_it_is_posted(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(frames=41, durable=True)  # a button's handler
        await travel.flush()
        late = operation("op", "frames", 42, base=0)  # by a page that left before it heard of it
        assert (await engine.submit(late, actor="ada", wait=True)).status == "confirmed"
        assert await stored(store) == {"frames": 42}
        stranger = operation("op-2", "frames", 43, base=0, client="other")
        assert (await engine.submit(stranger, actor="bob", wait=True)).status == "conflict"


async def test_keys_of_a_merging_dict_are_set_and_removed_whatever_others_did_meanwhile(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"}, actor="ada")
        ui.update(locks={"gens": True, "shots": True})
        await ui.flush()
        ui.set_key("locks", "tasks", True)  # the client hasn't heard of it
        await ui.flush()
        edit = {"set": {"gens": False}, "remove": ["shots"]}
        sent = operation("k", "locks", edit, kind="keys", target=target(Ui, "user"), base=1)
        assert (await engine.submit(sent, actor="bob", wait=True)).status == "confirmed"
        assert ui.values.locks == {"gens": False, "tasks": True}


async def test_an_older_edit_of_other_keys_is_not_lost_to_a_newer_one_that_came_first(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        at = target(Ui, "user")
        for number, key in ((2, "gens"), (1, "tasks")):
            edit = {"set": {key: True}}
            sent = operation(key, "locks", edit, kind="keys", target=at, seq=number)
            assert (await engine.submit(sent, actor="ada", wait=True)).status == "confirmed"
        ui = await engine.open(Ui, {"user": "ada"})
        assert ui.values.locks["gens"]
        assert ui.values.locks["tasks"]


@pytest.mark.parametrize("kind", ["reset", "block"])
async def test_an_older_edit_of_keys_that_comes_after_a_reset_changes_nothing(
    start: Start, store: FailingStore, kind: str
) -> None:
    at = target(Ui, "user")
    async with start() as engine:
        late = operation("tab.00000001", "locks", {"set": {"gens": True}}, kind="keys", target=at)
        done = operation("tab.00000002", "locks", None, kind=kind, target=at, seq=2)
        other = operation(
            "tab.00000003", "locks", {"set": {"a": True}}, kind="keys", target=at, seq=3
        )
        for each in (done, late, other):
            assert (await engine.submit(each, actor="ada", wait=True)).status == "confirmed"
        ui = await engine.open(Ui, {"user": "ada"})
        assert ui.values.locks["a"]
        assert not ui.values.locks.get("gens")


async def test_keys_that_are_none_are_refused(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        at = target(Ui, "user")
        for value in (None, [], {"set": []}, {"remove": [1]}, {"put": {}}, {"set": {"gens": 3}}):
            sent = operation("bad", "locks", value, kind="keys", target=at)
            assert (await engine.submit(sent, actor="ada", wait=True)).status == "refused"
        sent = operation("whole", "frames", {"set": {"a": 1}}, kind="keys")
        outcome = await engine.submit(sent, actor="ada", wait=True)
        assert outcome.status == "refused"
        assert "doesn't merge" in outcome.problem
        assert await stored(store) == {}


async def test_a_reset_is_saved_at_once(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        await engine.submit(operation("a", "frames", 41), actor="ada", wait=True)
        began = asyncio.get_running_loop().time()
        done = operation("b", "frames", None, kind="reset", seq=2, base=1)
        assert (await engine.submit(done, actor="ada", wait=True)).status == "confirmed"
        assert asyncio.get_running_loop().time() - began < 0.1
        assert await stored(store) == {}


async def test_an_older_operation_that_comes_after_a_restart_is_known_to_be_overtaken(
    start: Start, store: FailingStore
) -> None:
    older = operation("tab.00000001", "frames", 41, seq=1)
    async with start() as engine:
        newer = operation("tab.00000002", "frames", 42, seq=2)
        assert (await engine.submit(newer, actor="ada", wait=True)).status == "confirmed"
    async with start() as engine:
        late = await engine.submit(older, actor="ada", wait=True)
        other = operation("tab.00000003", "mode", "advanced", seq=3)
        assert (late.status, late.revision) == ("confirmed", 0)
        assert (await engine.submit(other, actor="ada", wait=True)).status == "confirmed"
        assert await stored(store) == {"frames": 42, "mode": "advanced"}
