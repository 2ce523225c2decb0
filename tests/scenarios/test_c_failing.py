"""C: what happens when saving fails, and what is refused before it could."""

from __future__ import annotations

import asyncio
import itertools
import math
from typing import Any

import pytest

from persistence import InvalidValue, StoreUnavailable
from persistence.testing import FailingStore
from tests.scenarios.tools import (
    MINE,
    OTHER,
    SHOT,
    Images,
    Start,
    Travel,
    journal,
    stored,
    target,
)


async def test_c7_a_write_that_can_never_succeed_is_set_aside_and_blocks_nobody(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        bad, good = await engine.open(Travel, MINE), await engine.open(Travel, OTHER)
        store.commits.refuse(lambda write: write.target == SHOT and write.field == "prompt")
        bad.update(prompt="never", frames=41)
        good.update(prompt="fine")
        await asyncio.sleep(30)
        assert await stored(store, target(Travel, owner="s2")) == {"prompt": "fine"}
        assert (good.status, good.is_dirty) == ("ready", False)
        assert await stored(store) == {"frames": 41}
        assert [(one.field, one.value) for one in bad.refused] == [("prompt", "never")]
        assert "refuse" in bad.refused[0].problem
        assert bad.status == "error"
        assert "refuse" in bad.last_error
        bad.update(frames=42)
        await bad.flush()
        assert await stored(store) == {"frames": 42}


async def test_c7_what_was_set_aside_can_be_retried(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.refuse(lambda write: write.field == "prompt")
        travel.update(prompt="kept")
        await asyncio.sleep(30)
        assert travel.refused
        store.commits.mend()
        travel.retry()
        await travel.flush()
        assert travel.refused == ()
        assert (travel.status, travel.last_error, travel.is_dirty) == ("ready", "", False)
        assert await stored(store) == {"prompt": "kept"}


async def test_c7_what_was_set_aside_can_be_discarded(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.refuse(lambda write: write.field == "prompt")
        travel.update(prompt="dropped")
        await asyncio.sleep(30)
        travel.discard("prompt")
        assert travel.refused == ()
        assert (travel.status, travel.values.prompt, travel.is_dirty) == ("ready", "", False)
        await asyncio.sleep(30)
        assert await stored(store) == {}


async def test_c7_a_newer_edit_takes_the_place_of_one_that_was_set_aside(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.refuse(lambda write: "never" in (write.text or ""))
        travel.update(prompt="never")
        await asyncio.sleep(30)
        travel.update(prompt="better")
        await travel.flush()
        assert travel.refused == ()
        assert (travel.status, travel.values.prompt) == ("ready", "better")
        assert await stored(store) == {"prompt": "better"}


async def test_c8_a_save_that_fails_retries_with_growing_jittered_waits(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        loop = asyncio.get_running_loop()
        tries = list[float]()
        engine.subscribe(
            lambda notice: tries.append(loop.time()) if notice.kind == "failed" else None
        )
        store.commits.fail(8)
        travel.update(frames=41)
        await asyncio.sleep(0.4)
        assert (travel.status, travel.is_dirty) == ("error", True)
        assert "asked to fail" in travel.last_error
        assert not engine.available
        await asyncio.sleep(120)
        waits = [after - before for before, after in itertools.pairwise(tries)]
        assert len(store.commits.log) == 9
        assert max(waits[:3]) < max(waits[4:])
        assert len({round(wait, 4) for wait in waits}) == len(waits)
        assert (travel.status, travel.is_dirty, travel.last_error) == ("ready", False, "")
        assert engine.available
        assert await stored(store) == {"frames": 41}


async def test_c8_typing_during_an_outage_is_kept_and_saved_once_with_the_last_value(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.fail(None)
        for number in range(60):
            travel.update(prompt="x" * (number + 1))
            await asyncio.sleep(1)
        assert len(store.commits.log) < 40  # typing doesn't hasten the retries
        store.commits.mend()
        await asyncio.sleep(30)
        assert await journal(engine) == [("prompt", "x" * 60)]


async def test_c8_when_the_answer_was_lost_the_edit_is_there_once(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.lose_answer()
        travel.update(frames=41)
        await asyncio.sleep(30)
        assert (travel.status, travel.is_dirty, travel.conflicts) == ("ready", False, ())
        assert travel.values.frames == 41
        assert await journal(engine) == [("frames", 41)]


async def test_c8_when_the_answer_was_lost_typing_goes_on_without_a_conflict_with_oneself(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.lose_answer()
        travel.update(frames=41)
        await asyncio.sleep(0.31)
        travel.update(frames=42)
        await asyncio.sleep(30)
        assert (travel.status, travel.is_dirty, travel.conflicts) == ("ready", False, ())
        assert (travel.values.frames, await stored(store)) == (42, {"frames": 42})


async def test_c8_flush_says_when_the_store_is_away(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.fail(1)
        travel.update(frames=41)
        with pytest.raises(StoreUnavailable):
            await travel.flush()
        assert travel.is_dirty
        await travel.flush()
        assert not travel.is_dirty


async def test_c8_a_database_that_cannot_be_opened_is_said_and_heals_by_itself(
    start: Start, store: FailingStore
) -> None:
    store.opens.fail(3)
    async with start() as engine:
        assert not engine.available
        assert engine.problem
        travel = engine.bind(Travel)
        showing = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(120)
        assert showing.done()
        assert engine.available
        assert travel.status == "ready"
        travel.update(frames=41)
        await travel.flush()
        assert await stored(store) == {"frames": 41}


@pytest.mark.parametrize(
    ("values", "field", "limit"),
    [
        ({"frames": 0}, "frames", "1"),
        ({"frames": 242}, "frames", "241"),
        ({"frames": True}, "frames", ""),
        ({"frames": "41"}, "frames", ""),
        ({"strength": math.nan}, "strength", ""),
        ({"strength": math.inf}, "strength", ""),
        ({"prompt": "x" * 5001}, "prompt", "5000"),
        ({"prompt": b"bytes"}, "prompt", ""),
        ({"prompt": "\ud800"}, "prompt", ""),
        ({"mode": "expert"}, "mode", "advanced"),
        ({"positions": [("a", "b")]}, "positions", "0.1"),
        ({"table": {"a": 10**400}}, "table", ""),
        ({"frames": 41, "mode": "expert"}, "mode", ""),
    ],
)
async def test_c11_a_value_that_cannot_be_stored_is_refused_at_the_edit_with_field_and_limit(
    start: Start, store: FailingStore, values: dict[str, Any], field: str, limit: str
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        before = travel.as_dict()
        with pytest.raises(InvalidValue) as caught:
            travel.update(**values)
        assert caught.value.field == field
        assert limit in str(caught.value)
        assert travel.as_dict() == before
        assert not travel.is_dirty
        await asyncio.sleep(5)
        assert store.written == []


async def test_c11_a_value_over_the_size_limit_is_refused_with_the_limit(
    start: Start, store: FailingStore
) -> None:
    async with start(value_limit=1000) as engine:
        ui = await engine.open(Images, MINE)
        ui.update(prompt="x" * 998)
        with pytest.raises(InvalidValue, match=r"1,?000"):
            ui.update(prompt="ž" * 500)  # 500 characters, 1,000 bytes of UTF-8, and two quotes
        assert ui.values.prompt == "x" * 998


async def test_c11_a_cycle_is_refused(start: Start) -> None:
    async with start() as engine:
        odd = await engine.open("s-undeclared-cycle", MINE)
        cycle: list[Any] = []
        cycle.append(cycle)
        deep: Any = []
        for _ in range(100_000):
            deep = [deep]
        for value in (cycle, deep, {1, 2}, b"x", object(), math.nan, {1: 2}):
            with pytest.raises(InvalidValue, match="field"):
                odd.set("field", value)
        assert odd.as_dict() == {}


async def test_c11_the_last_good_value_stays(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        with pytest.raises(InvalidValue):
            travel.update(frames=999)
        assert travel.values.frames == 41
        await travel.flush()
        assert await stored(store) == {"frames": 41}


async def test_c7_an_edit_set_aside_on_one_whose_answer_was_lost_shows_what_is_stored(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.refuse(lambda write: write.text == "13")
        store.commits.lose_answer()
        travel.update(frames=41)
        await asyncio.sleep(0.31)
        travel.update(frames=13)
        await asyncio.sleep(30)
        assert [one.value for one in travel.refused] == [13]
        assert (travel.values.frames, await stored(store)) == (41, {"frames": 41})


async def test_c8_a_second_users_edit_on_a_first_ones_lost_answer_is_no_conflict(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada = await engine.open(Travel, MINE, actor="ada")
        bo = await engine.open(Travel, MINE, actor="bo")
        store.commits.lose_answer()
        ada.update(frames=41)
        await asyncio.sleep(0.31)
        bo.update(frames=42)  # on what ada's edit shows in this very process
        await asyncio.sleep(30)
        assert (bo.conflicts, bo.status, bo.values.frames) == ((), "ready", 42)
        assert [change.author for change in await engine.history.changes([SHOT])] == ["bo", "ada"]
