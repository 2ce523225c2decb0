"""B: nothing is saved before it was loaded, and a load never takes away what a user typed."""

from __future__ import annotations

import asyncio

import pytest

from persistence import StoreError
from persistence.testing import FailingStore
from tests.scenarios.tools import (
    MINE,
    OTHER,
    SHOT,
    Range,
    Start,
    Travel,
    Ui,
    journal,
    operation,
    stored,
    target,
)


async def fill(start: Start) -> None:
    """What an earlier session left in the database."""
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(prompt="the database's", mode="advanced")
        other = await engine.open(Travel, OTHER)
        other.update(prompt="of the other shot", frames=24)


async def test_b1_an_edit_during_the_load_is_rebased_and_exactly_it_is_written(
    start: Start, store: FailingStore
) -> None:
    await fill(start)
    async with start() as engine:
        store.loads.delay(1.0)
        travel = engine.bind(Travel)
        loading = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.5)
        assert travel.status == "loading"
        travel.update(prompt="the user's")
        await loading
        assert travel.status in ("ready", "saving")
        assert (travel.values.prompt, travel.values.mode) == ("the user's", "advanced")
        before = await journal(engine)
        await travel.flush()
        assert await journal(engine) == [*before, ("prompt", "the user's")]


async def test_b1_an_edit_during_the_load_to_what_the_database_holds_writes_nothing(
    start: Start, store: FailingStore
) -> None:
    await fill(start)
    async with start() as engine:
        store.loads.delay(1.0)
        travel = engine.bind(Travel)
        loading = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.5)
        travel.update(mode="advanced")
        await loading
        before = await journal(engine)
        await travel.flush()
        assert not travel.is_dirty
        assert await journal(engine) == before


async def test_b1_of_many_edits_during_the_load_the_last_of_each_field_is_written(
    start: Start, store: FailingStore
) -> None:
    await fill(start)
    async with start() as engine:
        store.loads.delay(1.0)
        travel = engine.bind(Travel)
        loading = asyncio.create_task(travel.show(MINE))
        for text in ("f", "fo", "fox"):
            await asyncio.sleep(0.1)
            travel.update(prompt=text)
        travel.update(frames=41)
        await loading
        before = await journal(engine)
        await travel.flush()
        new = (await journal(engine))[len(before) :]
        assert sorted(new) == [("frames", 41), ("prompt", "fox")]


async def test_b1_a_key_edited_during_the_load_leaves_the_other_keys_as_they_are_stored(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"})
        ui.set_key("locks", "shots", True)
    async with start() as engine:
        store.loads.delay(1.0)
        ui = engine.bind(Ui)
        loading = asyncio.create_task(ui.show({"user": "ada"}))
        await asyncio.sleep(0.5)
        ui.set_key("locks", "tasks", True)
        await loading
        assert ui.values.locks == {"gens": False, "shots": True, "tasks": True}


async def test_b1_a_reset_during_the_load_removes_what_the_load_brings(
    start: Start, store: FailingStore
) -> None:
    await fill(start)
    async with start() as engine:
        store.loads.delay(1.0)
        travel = engine.bind(Travel)
        loading = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.5)
        travel.reset("mode")
        await loading
        await travel.flush()
        assert travel.values.mode == "basic"
        assert await stored(store) == {"prompt": "the database's"}


async def test_b1_an_edit_during_the_load_that_breaks_a_rule_is_refused_at_once(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        store.loads.delay(1.0)
        travel = engine.bind(Travel)
        loading = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.5)
        with pytest.raises(ValueError, match="frames"):
            travel.update(frames=0)
        await loading
        assert travel.values.frames == 61
        assert not travel.is_dirty


async def test_b1_an_edit_during_the_load_that_a_validator_refuses_later_is_kept_and_shown(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        settings = await engine.open(Range, MINE)
        settings.update(first=1, last=3)
    async with start() as engine:
        store.loads.delay(1.0)
        settings = engine.bind(Range)
        loading = asyncio.create_task(settings.show(MINE))
        await asyncio.sleep(0.5)
        settings.update(first=5)  # fine with the default last=9, wrong with the stored last=3
        await loading
        await asyncio.sleep(5)
        assert [(one.field, one.value) for one in settings.refused] == [("first", 5)]
        assert await stored(store, target(Range)) == {"first": 1, "last": 3} or await stored(
            store, target(Range)
        ) == {"last": 3}


async def test_b2_a_program_that_sets_a_field_during_the_load_loses_to_the_database(
    start: Start, store: FailingStore
) -> None:
    await fill(start)
    async with start() as engine:
        store.loads.delay(1.0)
        travel = engine.bind(Travel)
        loading = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.5)
        travel.update(source="program", mode="basic", frames=24)
        await loading
        assert (travel.values.mode, travel.values.frames) == ("advanced", 61)
        before = await journal(engine)
        await asyncio.sleep(5)
        assert await journal(engine) == before


async def test_b2_what_a_page_load_sets_is_never_saved_and_the_database_shows_again(
    start: Start, store: FailingStore
) -> None:
    await fill(start)
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        before = await journal(engine)
        travel.capture({"mode": "basic", "frames": 24}, source="load")
        assert (travel.values.mode, travel.values.frames) == ("advanced", 61)
        await asyncio.sleep(5)
        assert not travel.is_dirty
        assert await journal(engine) == before


async def test_b2_after_the_load_a_program_may_edit(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(source="program", frames=24)
        await travel.flush()
        assert await stored(store) == {"frames": 24}
        assert [change.source for change in await engine.history.changes([SHOT])] == ["program"]


async def test_b3_idle_counts_as_not_ready_and_nothing_is_saved(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = engine.bind(Travel)
        assert (travel.status, travel.ready, travel.is_dirty) == ("idle", False, False)
        with pytest.raises(ValueError):
            travel.update(frames=41)
        await asyncio.sleep(5)
        assert store.written == []
        assert travel.values.frames == 61


async def test_b3_a_program_may_not_save_while_idle_either(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = engine.bind(Travel)
        travel.capture({"frames": 41}, source="program")
        await asyncio.sleep(5)
        assert store.written == []


@pytest.mark.parametrize("succeeds", [True, False])
async def test_b4_the_load_of_a_that_ends_after_the_switch_to_b_is_ignored(
    start: Start, store: FailingStore, succeeds: bool
) -> None:
    await fill(start)
    async with start() as engine:
        await engine.load([SHOT._replace(scope="user", owner="ada"),
                           SHOT._replace(scope="project", owner="film")])  # fmt: skip
        store.loads.delay(2.0, where=lambda at: at.owner == "s1")
        if not succeeds:
            store.loads.fail(1, where=lambda at: at.owner == "s1")
        travel = engine.bind(Travel)
        first = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.1)
        await travel.show(OTHER)
        assert (travel.status, travel.values.prompt) == ("ready", "of the other shot")
        await asyncio.gather(first, return_exceptions=True)
        await asyncio.sleep(5)
        assert (travel.status, travel.last_error) == ("ready", "")
        assert (travel.values.prompt, travel.values.frames) == ("of the other shot", 24)
        assert travel.owners == OTHER


async def test_b5_a_field_missing_in_the_database_is_its_default_after_a_switch(
    start: Start,
) -> None:
    await fill(start)
    async with start() as engine:
        travel = await engine.open(Travel, OTHER)
        assert travel.values.frames == 24
        await travel.show(MINE)
        assert travel.values.frames == 61
        await travel.show({**MINE, "shot": "never-seen"})
        assert travel.values.prompt == ""


async def test_b6_a_refresh_does_not_take_away_what_the_user_types(start: Start) -> None:
    async with start() as engine:
        mine = await engine.open(Travel, MINE, actor="ada")
        theirs = await engine.open(Travel, MINE, actor="bob")
        mine.update(prompt="what I type")
        theirs.update(frames=24)
        await theirs.flush()
        assert (mine.values.prompt, mine.values.frames) == ("what I type", 24)


async def test_b6_a_refresh_that_brings_nothing_new_changes_nothing(
    start: Start, store: FailingStore
) -> None:
    await fill(start)
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        heard: list[object] = []
        travel.on_change(lambda changed, _: heard.append(changed))
        await engine.load([SHOT])
        await travel.show(MINE)
        assert heard == []
        assert travel.status == "ready"


async def test_b8_a_replayed_edit_that_arrives_before_any_load_lands_on_the_loaded_values(
    start: Start, store: FailingStore
) -> None:
    await fill(start)
    async with start() as engine:
        store.loads.delay(1.0)
        outcome = await engine.submit(operation("op-1", "frames", 41), actor="ada", wait=True)
        assert outcome.status == "confirmed"
        assert await stored(store) == {
            "prompt": "the database's",
            "mode": "advanced",
            "frames": 41,
        }


async def test_b8_a_replayed_edit_whose_load_fails_is_not_said_to_be_saved(
    start: Start, store: FailingStore
) -> None:
    await fill(start)
    async with start() as engine:
        store.loads.fail(1)
        try:
            outcome = await engine.submit(operation("op-1", "frames", 41), actor="ada", wait=True)
        except StoreError:
            pass  # it may say so either way, as long as it doesn't say "confirmed"
        else:
            assert outcome.status == "pending"
            return
        assert "frames" not in await stored(store)
        again = await engine.submit(operation("op-1", "frames", 41), actor="ada", wait=True)
        assert again.status == "confirmed"


async def test_all_loads_of_one_moment_are_one_query(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel, ui = engine.bind(Travel), engine.bind(Ui)
        await asyncio.gather(travel.show(MINE), ui.show(MINE), travel.show(MINE))
        assert len(store.loads.log) == 1
        assert len(store.loads.log[0]) == len(set(store.loads.log[0])) == 6


async def test_nothing_leaves_for_a_target_that_is_not_loaded_though_it_were_due(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        store.loads.delay(5.0)
        travel = engine.bind(Travel)
        loading = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.5)
        travel.update(frames=41)
        engine.scheduler.expedite(engine.layer(SHOT).pending, 0.0)  # by whatever mistake
        engine.committer.arm()
        await asyncio.sleep(2)
        assert store.written == []
        await loading
        await travel.flush()
        assert await stored(store) == {"frames": 41}
