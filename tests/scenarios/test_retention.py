"""How far back the history reaches: kept as long as asked, and what is needed longer than that."""

from __future__ import annotations

import asyncio
import logging

import pytest

from persistence import Engine
from persistence.errors import StoreUnavailable
from persistence.retention import DAY, EVERY, KEEP_OPERATIONS
from persistence.testing import FailingStore
from tests.scenarios.tools import MINE, SHOT, Start, Travel, journal, operation, stored

pytestmark = pytest.mark.virtual_time(limit=1_000 * DAY)


async def edited(engine: Engine, *frames: int) -> None:
    """Edit the field, once an hour."""
    binding = await engine.open(Travel, MINE, actor="ada")
    for each in frames:
        binding.update(frames=each)
        await binding.flush()
        await asyncio.sleep(3_600)
    binding.close()


async def test_the_history_is_kept_for_ninety_days_and_what_stands_for_ever(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await edited(engine, 41, 42, 43)
        await asyncio.sleep(89 * DAY)
        assert [value for _, value in await journal(engine)] == [41, 42, 43]
        await asyncio.sleep(2 * DAY)
        assert await journal(engine) == [("frames", 43)]
    await asyncio.sleep(365 * DAY)
    async with start() as engine:
        await asyncio.sleep(EVERY)
        assert await journal(engine) == [("frames", 43)]
        assert await stored(store) == {"frames": 43}


async def test_an_app_says_how_long_its_history_is_kept(start: Start) -> None:
    async with start(keep_history=2 * 3_600.0) as engine:
        await edited(engine, 41, 42, 43)
        await asyncio.sleep(3 * 3_600)
        assert await journal(engine) == [("frames", 43)]


async def test_a_history_that_is_kept_for_ever_is(start: Start) -> None:
    async with start(keep_history=None) as engine:
        await edited(engine, 41, 42)
    await asyncio.sleep(900 * DAY)
    async with start(keep_history=None) as engine:
        await asyncio.sleep(EVERY)
        assert [value for _, value in await journal(engine)] == [41, 42]


async def test_old_history_goes_at_the_start_too(start: Start) -> None:
    async with start() as engine:
        await edited(engine, 41, 42)
    await asyncio.sleep(91 * DAY)
    async with start() as engine:
        await asyncio.sleep(1)
        assert await journal(engine) == [("frames", 42)]


async def test_a_named_moment_keeps_what_it_shows(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        await edited(engine, 41)
        await engine.history.name_moment("shot", MINE["shot"], "First cut", actor="ada")
        await edited(engine, 42, 43)
        await asyncio.sleep(100 * DAY)
        assert [value for _, value in await journal(engine)] == [41, 43]
        (moment,) = await store.moments("shot", MINE["shot"])
        shown = (await store.at([SHOT], moment.revision))[SHOT]["frames"]
        assert shown.text == "41"


async def test_an_operation_that_comes_again_is_known_for_as_long_as_a_client_may_hold_it(
    start: Start, store: FailingStore
) -> None:
    async with start(keep_history=DAY) as engine:
        await engine.submit(operation("op-1", "frames", 41), actor="ada", wait=True)
        await asyncio.sleep(KEEP_OPERATIONS - DAY)
        assert await store.done(["op-1"]) == {"op-1": 1}
        await engine.submit(operation("op-1", "frames", 41), actor="ada", wait=True)
        assert await journal(engine) == [("frames", 41)]
        await asyncio.sleep(DAY + EVERY)
        assert await store.done(["op-1"]) == {}


async def test_a_database_that_is_away_is_pruned_when_it_is_back(
    start: Start, store: FailingStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "persistence")
    async with start(keep_history=DAY) as engine:
        await edited(engine, 41, 42)
        store.prunes.fail(None, StoreUnavailable("the database is away"))
        await asyncio.sleep(2 * DAY)
        assert "wasn't pruned: the database is away" in caplog.text
        assert len(await journal(engine)) == 2
        store.prunes.mend()
        await asyncio.sleep(EVERY)
        assert await journal(engine) == [("frames", 42)]


async def test_a_time_to_keep_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="keep_history: a number of seconds, or None"):
        Engine("memory:", scopes=("user",), keep_history=-1.0)


async def test_saves_do_not_wait_for_pruning(start: Start) -> None:
    """Virtual time: pruning pauses between its writes, a save begun meanwhile doesn't wait."""
    async with start(keep_history=DAY) as engine:
        binding = await engine.open(Travel, MINE, actor="ada")
        for number in range(450):
            binding.update(frames=number % 241 + 1)
            await binding.flush()
        await asyncio.sleep(2 * DAY)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        binding.update(mode="advanced")
        await binding.flush()
        assert loop.time() - begun < 0.001
