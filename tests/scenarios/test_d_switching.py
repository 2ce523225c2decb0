"""D: an edit belongs to the entity that it was made on, wherever the user has gone since."""

from __future__ import annotations

import asyncio

import pytest

from persistence import PermissionDenied
from persistence.testing import FailingStore
from tests.scenarios.tools import (
    MINE,
    OTHER,
    SHOT,
    Images,
    Start,
    Travel,
    journal,
    operation,
    stored,
    target,
)

SECOND = target(Travel, owner="s2")


async def test_d1_an_edit_of_a_and_a_switch_inside_the_debounce_is_saved_to_a_and_b_is_untouched(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(prompt="for A")
        await travel.show(OTHER)
        assert travel.values.prompt == ""
        await asyncio.sleep(5)
        assert await stored(store) == {"prompt": "for A"}
        assert await stored(store, SECOND) == {}


async def test_d1_the_switch_flushes_a_at_once(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(prompt="for A")
        await travel.show(OTHER)
        await asyncio.sleep(0.05)
        assert await stored(store) == {"prompt": "for A"}


async def test_d1_an_edit_during_the_load_of_a_and_a_switch_before_it_ends_is_saved_to_a(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        store.loads.delay(2.0, where=lambda at: at.owner == "s1")
        travel = engine.bind(Travel)
        first = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.5)
        travel.update(prompt="for A")
        second = asyncio.create_task(travel.show(OTHER))
        await asyncio.sleep(10)
        await asyncio.gather(first, second, return_exceptions=True)
        assert travel.values.prompt == ""
        assert await stored(store) == {"prompt": "for A"}
        assert await stored(store, SECOND) == {}


async def test_d2_a_then_b_then_a_quickly_shows_as_edit(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.delay(2.0)
        travel.update(prompt="for A")
        await travel.show(OTHER)
        assert travel.values.prompt == ""
        await travel.show(MINE)
        assert travel.values.prompt == "for A"
        await asyncio.sleep(10)
        assert travel.values.prompt == "for A"
        assert await journal(engine) == [("prompt", "for A")]


async def test_d2_switches_that_do_not_wait_for_each_other_end_at_the_last_one(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(prompt="for A")
        await travel.flush()
        store.loads.delay(1.0, 1)
        shows = [asyncio.create_task(travel.show(owners)) for owners in (OTHER, MINE, OTHER, MINE)]
        await asyncio.gather(*shows, return_exceptions=True)
        assert (travel.owners, travel.values.prompt, travel.status) == (MINE, "for A", "ready")


async def test_d3_a_failing_save_of_a_does_not_block_b_and_b_is_not_dirty(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.fail(None)
        travel.update(prompt="for A")
        loop = asyncio.get_running_loop()
        began = loop.time()
        await travel.show(OTHER)
        assert loop.time() - began < 0.01
        assert travel.ready
        assert not travel.is_dirty
        await asyncio.sleep(5)
        assert not travel.is_dirty
        store.commits.mend()
        await asyncio.sleep(30)
        assert await stored(store) == {"prompt": "for A"}


async def test_d3_a_slow_save_of_a_does_not_block_b(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.delay(20.0)
        travel.update(prompt="for A")
        await asyncio.sleep(1)
        async with asyncio.timeout(1):
            await travel.show(OTHER)
        assert (travel.ready, travel.is_dirty, travel.status) == (True, False, "ready")


async def test_d4_switching_to_nothing_flushes_a_first_then_shows_defaults_and_idle(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(prompt="for A", frames=41)
        await travel.show({})
        assert (travel.status, travel.ready, travel.is_dirty) == ("idle", False, False)
        assert (travel.values.prompt, travel.values.frames) == ("", 61)
        await asyncio.sleep(0.05)
        assert await stored(store) == {"prompt": "for A", "frames": 41}


async def test_d5_b_in_cache_is_ready_in_the_same_update(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, OTHER)
        travel.update(prompt="of B")
        await travel.flush()
        await travel.show(MINE)
        showing = travel.show(OTHER)
        with pytest.raises(StopIteration):
            showing.send(None)  # runs to its end without waiting for anything
        assert (travel.status, travel.values.prompt) == ("ready", "of B")
        assert len(store.loads.log) == 2


async def test_d5_as_values_never_show_under_b_while_b_loads(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(prompt="of A", frames=41)
        store.loads.delay(2.0)
        showing = asyncio.create_task(travel.show(OTHER))
        for _ in range(10):
            await asyncio.sleep(0.1)
            assert (travel.status, travel.ready) == ("loading", False)
            assert (travel.values.prompt, travel.values.frames) == ("", 61)
        await showing
        assert (travel.status, travel.values.prompt) == ("ready", "")


async def test_d6_the_same_id_under_two_tools_or_two_scopes_is_two_targets(
    start: Start, store: FailingStore
) -> None:
    owners = {"user": "7", "project": "7", "shot": "7"}
    async with start() as engine:
        travel, images = await engine.open(Travel, owners), await engine.open(Images, owners)
        travel.update(scope="user", frames=1)
        travel.update(scope="project", frames=2)
        travel.update(scope="shot", prompt="travel")
        images.update(scope="shot", prompt="images")
    async with start() as engine:
        for scope, tool, held in (
            ("user", Travel, {"frames": 1}),
            ("project", Travel, {"frames": 2}),
            ("shot", Travel, {"prompt": "travel"}),
            ("shot", Images, {"prompt": "images"}),
            ("project", Images, {}),
        ):
            assert await stored(store, target(tool, scope, "7")) == held
        travel = await engine.open(Travel, owners)
        assert (travel.values.frames, travel.values.prompt) == (2, "travel")


async def test_d7_an_entity_that_is_deleted_while_dirty_does_not_come_back(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        travel.update(prompt="typed just before")
        await engine.forget("shot", "s1")
        await asyncio.sleep(60)
        assert await stored(store) == {}
        commits = len(store.commits.log)
        await asyncio.sleep(600)
        assert len(store.commits.log) == commits
        assert [(one.field, one.value) for one in travel.refused] == [
            ("prompt", "typed just before")
        ]
    assert await stored(store) == {}


async def test_d7_an_entity_that_is_deleted_while_its_save_is_in_flight_does_not_come_back(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.delay(1.0)
        travel.update(frames=41)
        await asyncio.sleep(0.5)
        await engine.forget("shot", "s1")
        await asyncio.sleep(60)
        assert await stored(store) == {}


async def test_d7_forgetting_one_shot_leaves_the_others_and_its_project_alone(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        one, two = await engine.open(Travel, MINE), await engine.open(Travel, OTHER)
        one.update(frames=41)
        one.update(scope="project", mode="advanced")
        two.update(frames=42)
        await engine.flush()
        await engine.forget("shot", "s1")
        assert (two.values.frames, two.values.mode) == (42, "advanced")
        assert await stored(store, SECOND) == {"frames": 42}


async def test_d9_a_background_task_begun_under_a_that_ends_under_b_writes_a(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        stack = travel.stack

        async def generate() -> None:
            await asyncio.sleep(10)
            travel.capture({"prompt": "made for A"}, source="program", stack=stack)

        task = asyncio.create_task(generate())
        await travel.show(OTHER)
        await task
        assert travel.values.prompt == ""
        await asyncio.sleep(5)
        assert await stored(store) == {"prompt": "made for A"}
        assert await stored(store, SECOND) == {}


async def test_d10_signing_out_with_pending_edits_flushes_them_as_the_old_user(
    start: Start, store: FailingStore
) -> None:
    allowed = {"ada": {"ada", "film", "s1"}, "bob": {"bob", "film"}}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return owner in allowed.get(actor, set())

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(prompt="ada's")
        travel.update(scope="project", frames=24)
        travel.close()
        bob = await engine.open(Travel, {"user": "bob", "project": "film"}, actor="bob",
                                edit="project")  # fmt: skip
        bob.update(mode="advanced")
        await engine.flush()
        project = SHOT._replace(scope="project", owner="film")
        authors = {
            change.field: change.author for change in await engine.history.changes([SHOT, project])
        }
        assert authors == {"prompt": "ada", "frames": "ada", "mode": "bob"}
        assert await stored(store) == {"prompt": "ada's"}


async def test_d2_a_switch_that_is_still_being_permitted_does_not_come_back_over_a_later_one(
    start: Start, store: FailingStore
) -> None:
    waits = {"s1": 5.0, "s2": 0.1}

    async def slow(actor: str, action: str, scope: str, owner: str) -> bool:
        await asyncio.sleep(waits.get(owner, 0.0))
        return True

    async with start(authorise=slow) as engine:
        travel = engine.bind(Travel, actor="ada")
        first = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.2)
        await travel.show(OTHER)
        travel.update(prompt="for B")
        await first
        assert (travel.owners, travel.values.prompt) == (OTHER, "for B")
        await travel.flush()
        assert await stored(store, SECOND) == {"prompt": "for B"}
        assert await stored(store) == {}


async def test_d7_what_is_typed_after_the_deletion_is_refused_and_never_saved(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        await engine.forget("shot", "s1")
        assert (travel.status, travel.ready) == ("error", False)
        assert "gone" in travel.last_error
        with pytest.raises(PermissionDenied, match="gone"):
            travel.update(prompt="too late")
        outcome = await engine.submit(operation("op", "frames", 42), actor="", wait=True)
        assert outcome.status == "refused"
        await travel.show(MINE)
        await asyncio.sleep(60)
        assert travel.ready is False
        assert await stored(store) == {}
