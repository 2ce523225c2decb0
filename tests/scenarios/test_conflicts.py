"""H2: a conflict as data: mine, theirs and the base, with authors and times; the loser stays."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from persistence import Binding, EditError, Engine, NotReady, Outcome, Settings
from persistence.http import outcome_as_json
from persistence.store.base import Change, Write
from persistence.testing import FailingStore
from tests.scenarios.tools import (
    MINE,
    SHOT,
    Start,
    Travel,
    Ui,
    journal,
    operation,
    revision,
    stored,
    target,
)

KEY = "s_sOgmGJZ4Kg6Gj8Q2QasC2WAJTbx0qOHHT4-1fPws0="  # of the tests alone


async def submit(engine: Engine, actor: str, name: str, value: Any, **more: Any) -> Outcome:
    more = {"client": actor, "field": "frames", **more}
    made = operation(name, more.pop("field"), value, **more)
    return await engine.submit(made, actor=actor, wait=True)


async def losers(engine: Engine, at: Any = SHOT) -> list[Change]:
    return [each for each in await engine.history.changes([at]) if each.source == "conflict"]


async def met(start: Start, here: Engine, there: Engine) -> Binding[Travel]:
    """Ada's 41 is what both see; Bo makes 50 of it; Ada's handler, on another server, 60."""
    mine = await here.open(Travel, MINE, actor="ada")
    mine.update(frames=41)
    await mine.flush()
    theirs = await there.open(Travel, MINE, actor="bo")
    theirs.update(frames=50)
    await theirs.flush()
    mine.update(frames=60)
    with pytest.raises(EditError, match="bo"):
        await mine.flush()
    return mine


# --- operations ----------------------------------------------------------------------------------


async def test_an_operations_conflict_tells_theirs_and_the_base_with_authors_times_and_revisions(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        assert (await submit(engine, "ada", "a", 41)).revision == 1
        await asyncio.sleep(10)
        assert (await submit(engine, "bo", "b", 50, base=1)).revision == 2
        outcome = await submit(engine, "ada", "c", 60, base=1, seq=2)
        assert outcome.status == "conflict"
        assert outcome.theirs is not None
        assert outcome.base_value is not None
        theirs, base = outcome.theirs, outcome.base_value
        assert (theirs.value, theirs.kind, theirs.by, theirs.revision) == (50, "set", "bo", 2)
        assert (base.value, base.kind, base.by, base.revision) == (41, "set", "ada", 1)
        assert theirs.at - base.at > 9
        assert outcome_as_json(outcome) == {
            "id": "c", "status": "conflict", "problem": "was changed by bo meanwhile",
            "revision": 2,
            "theirs": {"value": 50, "kind": "set", "by": "bo", "at": theirs.at, "revision": 2},
            "base_value": {"value": 41, "kind": "set", "by": "ada", "at": base.at, "revision": 1},
        }  # fmt: skip


async def test_where_nothing_was_written_the_base_says_so(start: Start) -> None:
    async with start() as engine:
        await submit(engine, "bo", "b", 50)
        outcome = await submit(engine, "ada", "c", 60)
        assert outcome.base_value is not None
        assert (outcome.base_value.kind, outcome.base_value.value) == ("reset", None)
        assert (outcome.base_value.by, outcome.base_value.revision) == ("", 0)


async def test_a_base_that_is_pruned_is_unknown_and_not_guessed(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await submit(engine, "ada", "a", 41)
        for number, value in enumerate((50, 51, 52)):
            await submit(engine, "bo", f"b{number}", value, base=number + 1, seq=number + 1)
        await store.store.prune(older_than=engine.wall() + 1, keep_operations_after=0)
        outcome = await submit(engine, "ada", "c", 60, base=1, seq=2)
        assert (outcome.status, outcome.base_value) == ("conflict", None)
        assert outcome_as_json(outcome)["base_value"] is None


async def test_a_reset_and_a_dict_that_merges_are_told_as_a_page_shows_them(start: Start) -> None:
    async with start() as engine:
        at = target(Ui, "user")
        await submit(engine, "ada", "a", {"gens": True, "x": True}, field="locks", target=at)
        await submit(engine, "bo", "b", None, field="locks", target=at, kind="reset", base=1)
        outcome = await submit(engine, "ada", "c", {"gens": False}, field="locks", target=at,
                               base=1, seq=2)  # fmt: skip
        assert outcome.theirs is not None
        assert outcome.base_value is not None
        assert (outcome.theirs.kind, outcome.theirs.value) == ("reset", None)
        assert outcome.base_value.value == {"gens": True, "x": True}
        assert json.loads((await losers(engine, at))[0].text or "") == {
            "remove": [], "set": {"gens": False},
        }  # fmt: skip


async def test_a_secrets_values_are_told_to_nobody(
    start: Start, secret_tool: type[Settings]
) -> None:
    at = target(secret_tool, "user")
    async with start(key=KEY) as engine:
        await submit(engine, "ada", "a", "one", field="token", target=at)
        await submit(engine, "bo", "b", "two", field="token", target=at, base=1)
        outcome = await submit(engine, "ada", "c", "three", field="token", target=at, base=1, seq=2)
        told = outcome_as_json(outcome)
        for side, by in (("theirs", "bo"), ("base_value", "ada")):
            assert (told[side]["value"], told[side]["secret"], told[side]["by"]) == (None, True, by)
        assert [each.text for each in await losers(engine, at)] == [None]


async def test_what_was_seen_and_stands_again_is_no_conflict(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await submit(engine, "ada", "a", 41)
        await submit(engine, "bo", "b", 50, base=1)
        await submit(engine, "bo", "c", 41, base=2, seq=2)  # taken back
        assert (await submit(engine, "ada", "d", 60, base=1, seq=2)).status == "confirmed"
        assert await stored(store) == {"frames": 60}


async def test_the_loser_of_an_operation_is_in_the_history_once_however_often_it_comes(
    start: Start, store: FailingStore
) -> None:
    for _ in range(2):  # the second time after a restart
        async with start() as engine:
            await submit(engine, "bo", "b", 50)
            for _ in range(2):
                assert (await submit(engine, "ada", "c", 60)).status == "conflict"
            (mine,) = await losers(engine)
            assert (mine.text, mine.author, mine.kind) == ("60", "ada", "set")
    assert await stored(store) == {"frames": 50}
    async with start() as engine:
        assert await journal(engine) == [("frames", 50)]
        assert (await engine.store.standing([(SHOT, "frames", 99)]))[SHOT, "frames", 99] == (
            await engine.store.history([SHOT])
        )[-1]


async def test_what_was_in_conflict_doesnt_come_late_over_what_was_decided(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await submit(engine, "bo", "b", 50)
        assert (await submit(engine, "ada", "c", 60, client="one")).status == "conflict"
        decided = await submit(engine, "ada", "d", 70, client="two", base=1)
        assert decided.status == "confirmed"
        again = await submit(engine, "ada", "c", 60, client="one")  # from a queue
        assert again.status == "conflict"
        assert await stored(store) == {"frames": 70}


async def test_an_operation_that_finds_out_at_the_write_tells_both_sides_too(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        await submit(here, "ada", "a", 41)
        await there.load([SHOT])
        await submit(here, "bo", "b", 50, base=1)
        outcome = await submit(there, "ada", "c", 60, base=1, seq=2)
        assert outcome.status == "conflict"
        assert outcome.theirs is not None
        assert outcome.base_value is not None
        assert (outcome.theirs.value, outcome.theirs.by) == (50, "bo")
        assert (outcome.base_value.value, outcome.base_value.by) == (41, "ada")
        assert [each.text for each in await losers(here)] == ["60"]


async def test_a_store_that_is_away_makes_the_operation_wait_and_nothing_be_forgotten(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await submit(engine, "bo", "b", 50)
        store.contests.fail()
        assert (await submit(engine, "ada", "c", 60)).status == "pending"
        assert (await submit(engine, "ada", "c", 60)).status == "conflict"
        assert len(await losers(engine)) == 1


# --- handlers ------------------------------------------------------------------------------------


async def test_a_handlers_conflict_has_both_sides_and_its_loser_is_in_the_history_at_once(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine = await met(start, here, there)
        conflict = mine.conflict("frames")
        assert conflict is not None
        assert (conflict.mine, conflict.theirs.value, conflict.base) == (60, 50, 41)
        assert conflict.before is not None
        assert (conflict.edit.author, conflict.theirs.author, conflict.before.author) == (
            "ada", "bo", "ada",
        )  # fmt: skip
        assert conflict.before.at <= conflict.theirs.at <= conflict.edit.at
        assert [each.text for each in await losers(here)] == ["60"]


async def test_keeping_mine_writes_it_and_theirs_is_in_the_history(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine = await met(start, here, there)
        assert mine.keep_mine("frames")
        await mine.flush()
        assert (await stored(store), mine.conflict("frames")) == ({"frames": 60}, None)
        assert await journal(here) == [("frames", 41), ("frames", 50), ("frames", 60)]


async def test_taking_theirs_leaves_mine_in_the_history_from_where_it_can_be_restored(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine = await met(start, here, there)
        assert mine.take_theirs("frames")
        assert (mine.values.frames, mine.status, mine.is_dirty) == (50, "ready", False)
        assert not mine.take_theirs("frames")
        assert not mine.keep_mine("frames")
        page = await here.history.steps([SHOT])
        lost, *others = page.steps
        assert (lost.source, lost.author, lost.changes[0].field) == ("conflict", "ada", "frames")
        before, after = lost.changes[0].before, lost.changes[0].after
        assert before is not None
        assert after is not None
        assert (before.value, after.value) == (50, 60)
        assert [step.source for step in others] == ["user", "user"]
        plan = await here.history.plan_restore([SHOT], lost, actor="ada")
        await here.apply(plan, actor="ada")
        assert await stored(store) == {"frames": 60}


async def test_undo_knows_nothing_of_what_never_stood(start: Start) -> None:
    async with start() as here, start() as there:
        mine = await met(start, here, there)
        mine.take_theirs("frames")
        undoing = await here.undo.plan("ada")
        assert undoing is not None
        (change,) = undoing.changed  # of the 41: Bo changed it since, nobody else
        assert (change.author, undoing.step.source) == ("bo", "user")


async def test_undo_names_who_changed_it_and_not_who_only_wanted_to(start: Start) -> None:
    async with start() as engine:
        await submit(engine, "ada", "a", 41)
        await submit(engine, "cy", "c", 50, base=1)
        assert (await submit(engine, "bo", "b", 60)).status == "conflict"
        undoing = await engine.undo.plan("ada")
        assert undoing is not None
        assert [each.author for each in undoing.changed] == ["cy"]


async def test_something_else_may_be_written(start: Start, store: FailingStore) -> None:
    async with start() as here, start() as there:
        mine = await met(start, here, there)
        mine.resolve("frames", 55)
        await mine.flush()
        assert (await stored(store), mine.conflicts) == ({"frames": 55}, ())
        with pytest.raises(NotReady):
            mine.resolve("frames", 56)


async def test_nobody_decides_about_anothers_conflict(start: Start) -> None:
    async with start() as here, start() as there:
        mine = await met(start, here, there)
        other = await here.open(Travel, MINE, actor="cy")
        assert other.conflict("frames") is None
        assert not other.keep_mine("frames")
        assert not other.take_theirs("frames")
        assert mine.conflict("frames") is not None


async def test_a_base_that_another_server_moved_on_is_still_known(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine = await here.open(Travel, MINE, actor="ada")
        mine.update(frames=41)
        await mine.flush()
        await there.load([SHOT])
        with mine.gesture():
            mine.update(frames=60)
            theirs = await there.open(Travel, MINE, actor="bo")
            theirs.update(frames=50)
            await theirs.flush()
            await here.loader.refresh([here.layer(SHOT)])  # 41 is in memory no more
        with pytest.raises(EditError):
            await mine.flush()
        (conflict,) = mine.conflicts
        assert (conflict.base, conflict.theirs.value) == (41, 50)


async def test_a_loser_that_cant_be_kept_now_is_kept_later(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        store.contests.fail(3)
        await met(start, here, there)
        assert await losers(here) == []
        await asyncio.sleep(120)
        assert [each.text for each in await losers(here)] == ["60"]


async def test_control_without_the_history_of_losers_mine_is_nowhere(
    start: Start, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_: Any, writes: list[Write]) -> None:
        del writes

    monkeypatch.setattr(FailingStore, "contest", nothing)
    async with start() as here, start() as there:
        mine = await met(start, here, there)
        mine.take_theirs("frames")
        texts = [each.text for each in await here.history.changes([SHOT])]
        assert "60" not in texts


async def test_the_revision_of_what_stands_isnt_moved_by_a_loser(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await submit(engine, "bo", "b", 50)
        await submit(engine, "ada", "c", 60)
        assert await revision(store, "frames") == 1
        assert (await submit(engine, "cy", "d", 51, base=1)).status == "confirmed"
