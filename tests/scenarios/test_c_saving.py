"""C: what is dirty, when it is saved, what happens when that fails, and what is said meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from persistence import Notice
from persistence.testing import FailingStore
from tests.scenarios.tools import (
    MINE,
    SHOT,
    Images,
    Start,
    Travel,
    Ui,
    journal,
    operation,
    stored,
    target,
)


async def test_c1_ten_edits_within_the_debounce_are_one_write_with_the_last_values(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        for number in range(1, 11):
            travel.update(frames=number, prompt="x" * number)
            await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        assert len(store.commits.log) == 1
        assert sorted(await journal(engine)) == [("frames", 10), ("prompt", "x" * 10)]


async def test_c1_an_edit_and_its_reverse_are_no_write_and_not_dirty(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        assert (travel.is_dirty, travel.status) == (True, "saving")
        travel.reset("frames")
        assert (travel.is_dirty, travel.status) == (False, "ready")
        await asyncio.sleep(5)
        assert store.written == []


async def test_c1_an_edit_back_to_the_saved_value_is_no_write_and_not_dirty(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        travel.update(frames=42)
        travel.update(frames=41)
        assert not travel.is_dirty
        await asyncio.sleep(5)
        assert await journal(engine) == [("frames", 41)]


async def test_c1_an_edit_back_to_the_inherited_value_leaves_no_override(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        travel.update(frames=61)
        await asyncio.sleep(5)
        assert travel.values.frames == 61
        assert not travel.is_dirty
        assert await stored(store) in ({}, {"frames": 61})


async def test_c1_an_edit_and_its_reverse_while_the_edit_is_in_flight_ends_at_the_old_value(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        store.commits.delay(1.0)
        travel.update(frames=42)
        await asyncio.sleep(0.5)  # in flight
        travel.update(frames=41)
        await asyncio.sleep(5)
        assert travel.values.frames == 41
        assert await stored(store) == {"frames": 41}
        assert await journal(engine) == [("frames", 41), ("frames", 42), ("frames", 41)]


async def test_c2_continuous_typing_still_saves_at_least_every_max_wait(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        loop = asyncio.get_running_loop()
        began, saves = loop.time(), list[float]()
        engine.subscribe(
            lambda notice: saves.append(loop.time()) if notice.kind == "committed" else None
        )
        for number in range(100):
            travel.update(prompt="x" * (number + 1))
            await asyncio.sleep(0.1)
        gaps = [after - before for before, after in zip([began, *saves], saves, strict=False)]
        assert len(saves) in range(9, 12)
        assert max(gaps) <= 1.15


async def test_c3_typing_goes_on_during_a_save_and_a_second_save_follows(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.delay(2.0, 2)
        travel.update(prompt="older")
        await asyncio.sleep(1)
        travel.update(prompt="newer")
        await asyncio.sleep(1.5)  # the first save has ended
        assert await stored(store) == {"prompt": "older"}
        assert travel.values.prompt == "newer"
        assert (travel.is_dirty, travel.status) == (True, "saving")
        await asyncio.sleep(3)
        assert await stored(store) == {"prompt": "newer"}
        assert (travel.is_dirty, travel.status) == (False, "ready")
        assert len(store.commits.log) == 2


async def test_c4_save_cancels_the_debounce_one_write(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.save()
        assert await stored(store) == {"frames": 41}
        assert not travel.is_dirty
        await asyncio.sleep(5)
        assert len(store.commits.log) == 1


async def test_c4_revert_returns_to_the_last_confirmed_values_and_cancels(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.save()
        travel.update(frames=42, prompt="no")
        travel.revert()
        assert (travel.values.frames, travel.values.prompt) == (41, "")
        assert not travel.is_dirty
        await asyncio.sleep(5)
        assert await journal(engine) == [("frames", 41)]


async def test_c4_revert_of_one_field_leaves_the_others(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=42, prompt="yes")
        travel.revert("frames")
        await travel.flush()
        assert await stored(store) == {"prompt": "yes"}


async def test_c4_revert_while_the_save_is_in_flight_ends_at_the_last_confirmed_value(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.save()
        store.commits.delay(2.0)
        travel.update(frames=42)
        await asyncio.sleep(1)
        travel.revert()
        assert travel.values.frames == 41
        await asyncio.sleep(10)
        assert travel.values.frames == 41
        assert await stored(store) == {"frames": 41}


async def test_c4_reset_returns_to_what_is_inherited(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", frames=24)
        travel.update(frames=41, mode="advanced", prompt="a fox")
        await travel.flush()
        travel.reset("frames")
        assert travel.values.frames == 24
        travel.reset()
        assert (travel.values.mode, travel.values.prompt) == ("basic", "")
        await travel.flush()
        assert await stored(store) == {}


async def test_c5_two_triggers_of_the_same_flush_are_one_write(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.delay(1.0, None)
        travel.update(frames=41)
        await asyncio.gather(travel.flush(), engine.flush(), travel.save())
        travel.close()
        assert len(store.commits.log) == 1
    assert len(store.commits.log) == 1


async def test_c6_debounced_then_immediate_is_one_merged_write(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        images = await engine.open(Images, MINE)
        images.update(per_prompt=2)
        await asyncio.sleep(0.1)
        images.update(quality="high")  # declared with flush="now"
        await asyncio.sleep(0.02)
        assert await stored(store, target(Images, "project")) == {
            "per_prompt": 2,
            "quality": "high",
        }
        await asyncio.sleep(5)
        assert len(store.commits.log) == 1


async def test_c9_during_a_drag_nothing_is_sent_and_when_it_ends_the_newest_value_is(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        with travel.gesture():
            for number in range(1, 50):
                travel.update(frames=number)
                await asyncio.sleep(0.1)
            assert store.written == []
            assert travel.is_dirty
        await asyncio.sleep(0.4)
        assert await journal(engine) == [("frames", 49)]


async def test_c9_of_two_gestures_the_last_one_to_end_releases(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.hold()
        travel.hold()
        travel.update(frames=41)
        travel.release()
        await asyncio.sleep(5)
        assert store.written == []
        travel.release()
        await asyncio.sleep(0.4)
        assert await stored(store) == {"frames": 41}


async def test_c9_stopping_in_the_middle_of_a_drag_saves_what_is_there(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.hold()
        travel.update(frames=41)
    assert await stored(store) == {"frames": 41}


async def test_c9_a_gesture_that_is_abandoned_by_closing_its_page_does_not_hold_for_ever(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.hold()
        travel.update(frames=41)
        travel.close()
        await asyncio.sleep(5)
        assert await stored(store) == {"frames": 41}


async def test_c10_our_own_save_is_not_an_external_change(start: Start) -> None:
    async with start() as engine:
        mine, theirs = await engine.open(Travel, MINE), await engine.open(Travel, MINE)
        notices: list[Notice] = []
        engine.subscribe(notices.append)
        heard: list[tuple[dict[str, Any], str]] = []
        mine.on_change(lambda changed, source: heard.append((dict(changed), source)))
        mine.update(frames=41)
        await mine.flush()
        assert heard == [({"frames": 41}, "user")]
        assert theirs.values.frames == 41
        assert {notice.origin for notice in notices if notice.kind == "edited"} == {mine}
        assert [notice.kind for notice in notices] == ["edited", "committed"]


async def test_c10_a_remote_tab_hears_of_the_change_once_and_of_its_save_not_at_all(
    start: Start,
) -> None:
    async with start() as engine:
        mine, theirs = await engine.open(Travel, MINE), await engine.open(Travel, MINE)
        heard: list[dict[str, Any]] = []
        theirs.on_change(lambda changed, _: heard.append(dict(changed)))
        mine.update(frames=41)
        await mine.flush()
        assert heard == [{"frames": 41}]


async def test_c12_a_durable_edit_is_saved_without_waiting_for_the_debounce(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41, durable=True)
        await asyncio.sleep(0.02)
        assert await stored(store) == {"frames": 41}


async def test_an_edit_of_a_target_waits_behind_no_edit_of_another(
    start: Start, store: FailingStore
) -> None:
    """One transaction holds all that is due; what comes due during it goes with the next."""
    async with start() as engine:
        tabs = [await engine.open(Travel, {**MINE, "shot": f"s{n}"}) for n in range(50)]
        for number, tab in enumerate(tabs):
            tab.update(frames=number + 1)
        await asyncio.sleep(1)
        assert len(store.commits.log) == 1
        assert all(not tab.is_dirty for tab in tabs)


async def test_mark_as_interacted_counts_a_programs_change_as_the_users_and_saves_at_once(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(source="program", frames=41)
        travel.mark_as_interacted()
        await asyncio.sleep(0.02)
        assert await stored(store) == {"frames": 41}


async def test_status_is_true_at_every_moment_of_an_edits_life(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = engine.bind(Travel)
        seen = [travel.status]
        store.loads.delay(1.0)
        showing = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.5)
        seen.append(travel.status)
        await showing
        seen.append(travel.status)
        assert travel.last_saved is None
        travel.update(frames=41)
        seen.append(travel.status)
        store.commits.fail(1)
        await asyncio.sleep(0.31)
        seen.append(travel.status)
        await asyncio.sleep(10)
        seen.append(travel.status)
        assert travel.last_saved is not None
        await travel.show({})
        seen.append(travel.status)
        assert seen == ["idle", "loading", "ready", "saving", "error", "ready", "idle"]


async def test_last_saved_is_the_time_of_the_commit_and_survives_a_restart(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        await asyncio.sleep(100)
        travel.update(frames=41)
        await travel.flush()
        saved = travel.last_saved
        assert saved is not None
        assert saved - engine.wall() == pytest.approx(0, abs=1)
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        assert travel.last_saved == pytest.approx(saved, abs=1)


async def test_an_operation_with_an_id_is_done_once_however_often_it_arrives(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        first = operation("op-1", "frames", 41)
        assert (await engine.submit(first, actor="ada", wait=True)).status == "confirmed"
        second = operation("op-2", "frames", 42, base=0, seq=2)
        assert (await engine.submit(second, actor="ada", wait=True)).status in (
            "confirmed",
            "conflict",
        )
        before = await journal(engine)
        assert (await engine.submit(first, actor="ada", wait=True)).status == "confirmed"
        assert await journal(engine) == before
    async with start() as engine:
        assert (await engine.submit(first, actor="ada", wait=True)).status == "confirmed"
        assert await journal(engine) == before


async def test_operations_that_were_folded_into_one_write_are_all_known_as_done(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        typed = [operation(f"op-{n}", "prompt", "x" * n, seq=n) for n in range(1, 6)]
        for one in typed:
            assert (await engine.submit(one, actor="ada")).status == "pending"
        await engine.flush()
        assert await journal(engine) == [("prompt", "xxxxx")]
        for one in typed:
            assert (await engine.submit(one, actor="ada", wait=True)).status == "confirmed"
        assert await journal(engine) == [("prompt", "xxxxx")]
    async with start() as engine:
        for one in typed:
            assert (await engine.submit(one, actor="ada", wait=True)).status == "confirmed"
        assert await journal(engine) == [("prompt", "xxxxx")]


async def test_an_operation_that_arrives_again_while_it_is_in_flight_is_not_done_twice(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await engine.load([SHOT])
        store.commits.delay(1.0)
        one = operation("op-1", "frames", 41)
        answers = await asyncio.gather(
            *(engine.submit(one, actor="ada", wait=True) for _ in range(3))
        )
        assert {answer.status for answer in answers} == {"confirmed"}
        assert await journal(engine) == [("frames", 41)]


async def test_operations_of_a_merging_setting_keep_each_others_keys(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"})
        ui.set_key("locks", "shots", True)
        ui.set_key("locks", "tasks", True)
        await ui.flush()
        assert ui.values.locks == {"gens": False, "shots": True, "tasks": True}
        assert len(store.commits.log) == 1
