"""Two processes on one database: what one doesn't know yet is checked at the write."""

from __future__ import annotations

import asyncio

import pytest

from persistence import Binding, EditError, Engine, Operation
from persistence.operations import operation_id
from persistence.testing import FailingStore
from tests.scenarios.tools import MINE, Start, Travel, Ui, stored, target


async def test_h2_different_fields_of_two_writers_merge_silently(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine = await here.open(Travel, MINE, actor="ada")
        theirs = await there.open(Travel, MINE, actor="bo")
        mine.update(frames=41)
        theirs.update(mode="advanced")
        await asyncio.gather(mine.flush(), theirs.flush())
        assert (mine.conflicts, theirs.conflicts) == ((), ())
        assert await stored(store) == {"frames": 41, "mode": "advanced"}


async def test_h2_the_same_field_is_a_conflict_with_mine_theirs_and_base(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine, theirs = await _both(here, there)
        theirs.update(frames=50)
        await theirs.flush()
        mine.update(frames=60)
        with pytest.raises(EditError, match="bo"):
            await mine.flush()
        [conflict] = mine.conflicts
        assert (conflict.mine, conflict.theirs.value, conflict.base) == (60, 50, 41)
        assert (mine.status, mine.is_dirty) == ("error", True)
        assert "bo" in mine.last_error
        assert mine.values.frames == 50
        assert await stored(store) == {"frames": 50}


async def test_h2_a_reset_of_what_somebody_else_set_meanwhile_asks_too(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine, theirs = await _both(here, there)
        theirs.update(frames=50)
        await theirs.flush()
        mine.reset("frames")
        with pytest.raises(EditError, match="bo"):
            await mine.flush()
        [conflict] = mine.conflicts
        assert (conflict.edit.kind, conflict.theirs.value) == ("reset", 50)
        assert await stored(store) == {"frames": 50}
        await mine.save()
        assert (mine.conflicts, mine.values.frames) == ((), 61)


async def test_h2_saving_a_conflict_keeps_mine_and_theirs_stays_in_the_history(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine, theirs = await _both(here, there)
        theirs.update(frames=50)
        await theirs.flush()
        mine.update(frames=60)
        with pytest.raises(EditError):
            await mine.flush()
        await mine.save()
        assert (mine.status, mine.values.frames) == ("ready", 60)
        history = await here.history.changes([target(Travel)], field="frames")
        assert [(change.text, change.source) for change in history] == [
            ("60", "user"), ("60", "conflict"), ("50", "user"), ("41", "user"),
        ]  # fmt: skip


async def test_h2_reverting_a_conflict_takes_theirs(start: Start) -> None:
    async with start() as here, start() as there:
        mine, theirs = await _both(here, there)
        theirs.update(frames=50)
        await theirs.flush()
        mine.update(frames=60)
        with pytest.raises(EditError):
            await mine.flush()
        mine.revert()
        assert (mine.status, mine.is_dirty, mine.values.frames) == ("ready", False, 50)


async def test_h2_two_writers_of_the_same_value_agree(start: Start) -> None:
    async with start() as here, start() as there:
        mine, theirs = await _both(here, there)
        theirs.update(frames=50)
        await theirs.flush()
        mine.update(frames=50)
        await mine.flush()
        assert (mine.status, mine.conflicts) == ("ready", ())


async def test_h2_keys_of_a_merging_dict_merge_though_the_field_moved(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine = await here.open(Ui, MINE, actor="ada")
        theirs = await there.open(Ui, MINE, actor="bo")
        theirs.set_key("locks", "shots", True)
        await theirs.flush()
        mine.set_key("locks", "tasks", True)
        await mine.flush()
        assert mine.values.locks == {"gens": False, "shots": True, "tasks": True}
        held = (await stored(store, target(Ui, "user")))["locks"]
        assert held["set"] == {"shots": True, "tasks": True}


async def test_h3_one_person_at_two_servers_has_no_conflict_with_himself(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        mine = await here.open(Travel, MINE, actor="ada")
        other = await there.open(Travel, MINE, actor="ada")
        other.update(frames=50)
        await other.flush()
        mine.update(frames=60)
        mine.update(prompt="typed on")
        await mine.flush()
        assert (mine.status, mine.conflicts) == ("ready", ())
        assert await stored(store) == {"frames": 60, "prompt": "typed on"}


async def _both(here: Engine, there: Engine) -> tuple[Binding[Travel], Binding[Travel]]:
    mine = await here.open(Travel, MINE, actor="ada")
    mine.update(frames=41)
    await mine.flush()
    return mine, await there.open(Travel, MINE, actor="bo")


async def test_an_edit_that_waited_here_gives_way_to_its_clients_later_one_that_was_done_there(
    start: Start, store: FailingStore
) -> None:
    def edit(seq: int, value: int) -> Operation:
        name = operation_id("tab", seq)
        return Operation(name, "tab", seq, target(Travel), "frames", "set", value)

    async with start() as here, start() as there:
        await here.open(Travel, MINE, actor="ada")
        first = await here.submit(edit(1, 41), actor="ada")
        assert first.status == "pending"
        await there.submit(edit(2, 50), actor="ada")
        await there.flush()
        await here.flush()
        assert await stored(store) == {"frames": 50}
        again = await here.submit(edit(1, 41), actor="ada")
        assert again.status == "confirmed"
