"""Two people's handlers edit one field within one debounce: each stands in the history."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from persistence import Binding, EditError, Engine
from persistence.pending import Pending
from persistence.testing import FailingStore, assert_nothing_pending
from tests.scenarios.tools import MINE, SHOT, Start, Travel, Ui, journal, stored, target


async def both(engine: Engine, tool: Any = Travel) -> tuple[Binding[Any], Binding[Any]]:
    return (
        await engine.open(tool, MINE, actor="ada"),
        await engine.open(tool, MINE, actor="bob"),
    )


async def rows(engine: Engine, at: Any = SHOT) -> list[tuple[str, str, str | None]]:
    found = reversed(await engine.history.changes([at]))
    return [(each.author, each.source, each.text) for each in found]


async def test_each_stands_in_the_history_under_its_name_and_the_later_one_counts(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        await asyncio.sleep(0.1)
        bob.update(frames=42)
        assert (ada.values.frames, bob.status) == (42, "saving")
        await asyncio.sleep(2)
        assert await rows(engine) == [("ada", "user", "41"), ("bob", "user", "42")]
        assert await stored(store) == {"frames": 42}
        assert (ada.conflicts, bob.conflicts) == ((), ())
        assert_nothing_pending(engine)


async def test_undo_takes_back_ones_own_only(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        bob.update(frames=42)
        undoing = await engine.undo.plan("bob")
        assert undoing is not None
        await engine.undo.apply(undoing)
        assert await stored(store) == {"frames": 41}
        mine = await engine.undo.plan("ada")
        assert mine is not None
        await engine.undo.apply(mine)
        assert await stored(store) == {}


async def test_control_folded_together_undo_takes_back_both(
    start: Start, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Pending.record

    def fold_all(self: Pending, edit: Any) -> Any:
        older = self.waiting.get(edit.field)
        made = record(self, edit._replace(author=older.author) if older else edit)
        self.waiting[edit.field] = made._replace(author=edit.author)
        return made

    monkeypatch.setattr(Pending, "record", fold_all)
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        bob.update(frames=42)
        await asyncio.sleep(2)
        assert await rows(engine) == [("bob", "user", "42")]


async def test_a_third_and_the_first_again_all_stand_in_order(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        ada.update(frames=42)
        bob.update(frames=43)
        bob.update(frames=44)
        ada.update(frames=45)
        await ada.flush()
        assert await journal(engine) == [("frames", 42), ("frames", 44), ("frames", 45)]


async def test_flush_and_a_durable_edit_wait_for_nothing_but_the_commits(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        bob.update(frames=42, durable=True)
        began = asyncio.get_running_loop().time()
        await bob.flush()
        assert asyncio.get_running_loop().time() - began < 0.1
        assert await stored(store) == {"frames": 42}


async def test_going_back_to_what_is_stored_is_an_edit_where_anothers_leaves_first(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=30)
        await ada.flush()
        ada.update(frames=41)
        bob.update(frames=42)
        bob.update(frames=30)  # what is stored, but not what will be
        assert bob.values.frames == 30
        await bob.flush()
        assert await journal(engine) == [("frames", 30), ("frames", 41), ("frames", 30)]
        assert await stored(store) == {"frames": 30}


async def test_an_edit_that_takes_the_others_back_leaves_both_in_the_history(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=30)
        await ada.flush()
        ada.update(frames=41)
        bob.update(frames=30)
        await bob.flush()
        assert await rows(engine) == [
            ("ada", "user", "30"), ("ada", "user", "41"), ("bob", "user", "30"),
        ]  # fmt: skip


async def test_a_store_that_is_away_mixes_nothing(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        store.commits.fail(3)
        store.commits.delay(0.5)
        ada.update(frames=41)
        await asyncio.sleep(0.6)  # hers is under way, or waits again
        bob.update(frames=42)
        await asyncio.sleep(60)
        assert await rows(engine) == [("ada", "user", "41"), ("bob", "user", "42")]
        assert len(store.commits.log) < 12  # it waits between its tries


async def test_a_lost_answer_is_no_conflict_between_them(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        store.commits.lose_answer()
        ada.update(frames=41)
        bob.update(frames=42)
        await asyncio.sleep(60)
        assert (await stored(store), bob.conflicts) == ({"frames": 42}, ())


async def test_one_who_may_not_write_any_more_takes_nobody_with_them(
    start: Start, store: FailingStore
) -> None:
    gone: set[str] = set()

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return actor not in gone or action == "read"

    async with start(authorise=authorise) as engine:
        ada, bob = await both(engine, Ui)
        ada.set_key("locks", "adas", True)
        bob.set_key("locks", "bobs", True)
        gone.add("ada")
        await asyncio.sleep(2)
        assert (
            "adas"
            not in (await engine.store.load([target(Ui, "user")]))[target(Ui, "user")]["locks"].text
        )
        assert bob.values.locks == {"gens": False, "bobs": True}
        assert [each.value.set for each in ada.refused] == [{"adas": True}]


async def test_keys_of_both_are_kept_and_each_is_ones_own_to_undo(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine, Ui)
        ada.set_key("locks", "adas", True)
        bob.set_key("locks", "bobs", True)
        await bob.flush()
        at = target(Ui, "user")
        texts = [json.loads(text or "")["set"] for _, _, text in await rows(engine, at)]
        assert texts == [{"adas": True}, {"adas": True, "bobs": True}]
        undoing = await engine.undo.plan("ada")
        assert undoing is not None
        await engine.undo.apply(undoing)
        assert bob.values.locks == {"gens": False, "bobs": True}


async def test_reverting_ones_own_leaves_the_others(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        bob.update(frames=42)
        ada.revert("frames")
        assert bob.values.frames == 42
        await bob.flush()
        assert await rows(engine) == [("bob", "user", "42")]
        ada.update(frames=43)
        bob.update(frames=44)
        bob.revert("frames")
        assert ada.values.frames == 43
        await ada.flush()
        assert await stored(store) == {"frames": 43}


async def test_an_owner_that_goes_takes_all_that_waits(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        bob.update(frames=42)
        await engine.forget("shot", "s1")
        await asyncio.sleep(5)
        assert await stored(store) == {}
        assert not engine.layer(SHOT).pending


async def test_another_servers_edit_asks_both(start: Start, store: FailingStore) -> None:
    async with start() as engine, start() as other:
        ada, bob = await both(engine)
        cy = await other.open(Travel, MINE, actor="cy")
        cy.update(frames=50)
        await cy.flush()
        ada.update(frames=41)
        bob.update(frames=42)
        with pytest.raises(EditError):
            await bob.flush()
        await asyncio.sleep(5)
        assert await stored(store) == {"frames": 50}
        lost = [row for row in await rows(engine) if row[1] == "conflict"]
        assert lost == [("ada", "conflict", "41"), ("bob", "conflict", "42")]


async def test_what_was_set_aside_of_one_stays_theirs_to_decide_when_another_edits_the_field(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        store.commits.refuse(lambda write: write.author == "ada", times=1)
        with pytest.raises(EditError):
            await ada.flush()
        bob.update(frames=42)
        await bob.flush()
        assert [each.edit.value for each in engine.layer(SHOT).aside_of("ada")] == [41]
        ada.update(frames=43)  # now she has dealt with it
        assert engine.layer(SHOT).aside == ()


async def test_what_was_set_aside_of_both_together_is_offered_to_each(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        bob.update(frames=42)
        allowed: set[str] = set()
        store.commits.refuse(lambda write: write.author not in allowed)
        with pytest.raises(EditError):
            await bob.flush()
        await asyncio.sleep(60)
        assert [each.value for each in ada.refused] == [41]
        assert [each.value for each in bob.refused] == [42]
        bob.discard("frames")
        assert ([each.value for each in ada.refused], bob.refused) == ([41], ())
        allowed.add("ada")
        ada.retry("frames")
        await ada.flush()
        assert await stored(store) == {"frames": 41}
        assert engine.layer(SHOT).aside == ()


async def test_reverting_what_was_set_aside_leaves_what_waits_of_another(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        store.commits.refuse(lambda write: write.author == "ada", times=1)
        with pytest.raises(EditError):
            await ada.flush()
        bob.update(frames=42)
        ada.discard("frames")
        assert (ada.refused, bob.values.frames) == ((), 42)
        await bob.flush()
        assert await stored(store) == {"frames": 42}


async def test_the_same_value_by_two_is_an_edit_of_each(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        ada.update(frames=41)
        bob.update(frames=41)
        ada.revert("frames")
        assert bob.values.frames == 41
        await bob.flush()
        assert await rows(engine) == [("bob", "user", "41")]


async def test_the_same_value_is_saved_for_one_where_the_other_may_not_write(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada, bob = await both(engine)
        store.commits.refuse(lambda write: write.author == "ada")
        ada.update(frames=41)
        bob.update(frames=41)
        await asyncio.sleep(60)
        assert await stored(store) == {"frames": 41}
        assert ([each.value for each in ada.refused], bob.refused) == ([41], ())
