"""The library's points: provenance, edit targets, capture, operations, status, stopping."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from persistence import Notice, NotReady
from persistence.testing import FailingStore
from tests.scenarios.tools import (
    MINE,
    OTHER,
    SHOT,
    Empties,
    Images,
    Start,
    Travel,
    Ui,
    operation,
    revision,
    stored,
    target,
)

PROJECT = {"user": "ada", "project": "film"}


# ---------------------------------------------------------------------------- 2: provenance


async def test_explain_tells_the_value_its_origin_and_what_every_layer_says(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(scope="user", frames=1)
        travel.update(frames=3)
        await travel.flush()
        told = travel.explain("frames")
        assert (told.value, told.origin) == (3, "shot")
        assert [(one.scope, one.owner, one.state) for one in told.layers] == [
            ("user", "ada", "shadowed"),
            ("project", "film", "unset"),
            ("shot", "s1", "wins"),
        ]
        shot = told.layers[-1]
        assert (shot.value, shot.author) == (3, "ada")
        assert shot.at == pytest.approx(engine.wall(), abs=1)
        assert shot.revision == await revision(store, "frames")
        assert told.if_reset == 1


async def test_explain_tells_of_a_block_that_the_default_answers(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="user", frames=1)
        travel.block("frames")
        told = travel.explain("frames")
        assert (told.value, told.origin) == (61, "shot")
        assert [one.state for one in told.layers] == ["shadowed", "unset", "blocks"]
        travel.reset("frames")
        assert (travel.values.frames, travel.origin("frames")) == (1, "user")


async def test_explain_tells_of_a_policy_who_and_why(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="boss")
        travel.update(frames=41)
        await travel.enforce("frames", 24, scope="project", note="delivery is in 24")
        told = travel.explain("frames")
        assert (told.value, told.origin) == (24, "project")
        assert told.policy
        enforced = told.layers[1]
        assert (enforced.kind, enforced.author, enforced.note) == (
            "policy",
            "boss",
            "delivery is in 24",
        )
        await travel.relax("frames", scope="project")
        assert travel.values.frames == 41


async def test_a_policy_holds_after_a_restart(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.enforce("frames", 24, scope="project", note="delivery")
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        assert travel.values.frames == 24
        with pytest.raises(ValueError, match="delivery"):
            travel.update(frames=48)


async def test_a_block_holds_after_a_restart(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="user", frames=1)
        travel.block("frames")
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        assert travel.values.frames == 61
        travel.update(scope="project", frames=2)
        assert travel.values.frames == 61


async def test_an_edit_that_a_stronger_layer_hides_warns_which_one(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        assert travel.update(frames=41) == {}
        assert travel.update(scope="project", frames=24, mode="advanced") == {"frames": "shot"}
        assert travel.values.frames == 41
        assert travel.explain("frames").hidden_by in (None, "")


async def test_the_edit_target_can_be_chosen_and_shows_what_it_holds(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, edit="project")
        assert travel.edit_scope == "project"
        travel.update(frames=24)
        travel.update(scope="shot", frames=41)
        assert (travel.shown("frames"), travel.values.frames) == (24, 41)
        travel.choose_edit_scope("shot")
        assert travel.shown("frames") == 41
        travel.update(frames=42)
        await engine.flush()
        assert await stored(store, target(Travel, "project")) == {"frames": 24}
        assert await stored(store) == {"frames": 42}


async def test_an_edit_goes_to_the_declared_scope(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        images, ui = await engine.open(Images, MINE), await engine.open(Ui, MINE)
        images.update(per_prompt=2)
        ui.update(theme="dark")
        await engine.flush()
        assert await stored(store, target(Images, "project")) == {"per_prompt": 2}
        assert await stored(store, target(Ui, "user")) == {"theme": "dark"}


# -------------------------------------------------------------------------- 3: capture, sources


async def test_an_event_captures_what_it_changed_as_one_group(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.capture({"frames": 41, "mode": "advanced"}, source="user")
        travel.capture({"strength": 0.25}, source="user")
        await travel.flush()
        groups = {change.field: change.group for change in await engine.history.changes([SHOT])}
        assert groups["frames"] == groups["mode"] != groups["strength"]


async def test_capturing_a_value_that_did_not_change_writes_nothing(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", mode="advanced")
        await engine.flush()
        before = len(store.written)
        travel.capture(travel.as_dict(), source="user")
        assert not travel.is_dirty
        await asyncio.sleep(5)
        assert len(store.written) == before


async def test_capturing_a_merging_dict_stores_the_keys_that_changed(start: Start) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, PROJECT, edit="project")
        ui.set_key("locks", "shots", True, scope="user")
        ui.set_key("locks", "tasks", True, scope="user")
        live = ui.get("locks")
        live["gens"] = True
        del live["tasks"]
        ui.capture({"locks": live}, source="user")
        ui.set_key("locks", "shots", False, scope="user")
        assert ui.values.locks == {"gens": True, "shots": False}


async def test_a_background_task_that_ends_when_nothing_is_shown_still_writes_where_it_began(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        stack = travel.stack
        await travel.show({})
        travel.capture({"prompt": "made for A"}, source="program", stack=stack)
        await engine.flush()
        assert await stored(store) == {"prompt": "made for A"}


async def test_a_key_removed_during_the_load_is_removed_from_what_the_load_brings(
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
        ui.remove_key("locks", "shots")
        await loading
        await asyncio.sleep(5)
        assert ui.values.locks == {"gens": False}


async def test_pinning_before_the_load_never_pins_a_default_that_nobody_chose(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", frames=24)
    async with start() as engine:
        store.loads.delay(1.0)
        travel = engine.bind(Travel)
        loading = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.5)
        try:
            travel.pin("frames")
        except NotReady:
            pass
        await loading
        await asyncio.sleep(5)
        assert travel.values.frames == 24


# ------------------------------------------------------------------- 4: save, operations, stop


async def test_stopping_flushes_everything(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        tabs = [await engine.open(Travel, {**MINE, "shot": f"s{n}"}) for n in range(5)]
        for tab in tabs:
            tab.update(frames=41)
    for number in range(5):
        assert await stored(store, target(Travel, owner=f"s{number}")) == {"frames": 41}


async def test_stopping_tries_again_when_the_first_try_fails(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        store.commits.fail(2)
    assert await stored(store) == {"frames": 41}


async def test_stopping_gives_up_in_time_when_the_database_stays_away(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        store.commits.fail(None)
        began = asyncio.get_running_loop().time()
        await engine.stop(timeout=3)
        assert asyncio.get_running_loop().time() - began < 4


async def test_stopping_saves_the_others_when_one_target_cannot_be_loaded(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        good = await engine.open(Travel, OTHER)
        store.loads.fail(None, where=lambda at: at.owner == "s1")
        bad = engine.bind(Travel)
        await bad.show(MINE)
        bad.update(frames=41)
        good.update(frames=42)
    assert await stored(store, target(Travel, owner="s2")) == {"frames": 42}


async def test_flushing_saves_the_others_when_one_target_cannot_be_loaded(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        store.loads.fail(None, where=lambda at: at.owner == "s1")
        bad = engine.bind(Travel)
        await bad.show(MINE)
        good = await engine.open(Travel, OTHER)
        bad.update(frames=41)
        good.update(frames=42)
        with pytest.raises(Exception, match="asked to fail"):
            await engine.flush()
        assert await stored(store, target(Travel, owner="s2")) == {"frames": 42}


async def test_a_slow_refresh_never_puts_back_what_was_saved_since_it_began(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41, mode="advanced")
        await travel.flush()
        stale = await store.store.load([SHOT])
        loading = engine.loader.begin(engine.layer(SHOT), again=True)
        original = store.store.load

        async def late(targets: Any) -> Any:
            await asyncio.sleep(2)
            return {**await original(targets), **stale}

        store.store.load = late  # type: ignore[method-assign]
        await asyncio.sleep(0.5)
        travel.update(frames=42)
        travel.reset("mode")
        await travel.flush()
        await loading
        store.store.load = original  # type: ignore[method-assign]
        assert (travel.values.frames, travel.values.mode) == (42, "basic")
        travel.update(frames=43)
        await travel.flush()
        assert travel.conflicts == ()
        assert (await stored(store))["frames"] == 43


# ---------------------------------------------------------------------------- 7, 8: watching


async def test_every_open_tab_shows_a_change_at_once(start: Start) -> None:
    async with start() as engine:
        tabs = [await engine.open(Travel, MINE) for _ in range(3)]
        tabs[0].update(frames=41)
        assert [tab.values.frames for tab in tabs] == [41, 41, 41]


async def test_a_callback_that_was_ended_hears_nothing_more(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        heard: list[object] = []
        end = travel.on_change(lambda changed, _: heard.append(changed))
        end()
        end()
        travel.update(frames=41)
        assert heard == []


async def test_a_closed_binding_hears_and_edits_nothing_more(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel, other = await engine.open(Travel, MINE), await engine.open(Travel, MINE)
        heard: list[object] = []
        travel.on_change(lambda changed, _: heard.append(changed))
        travel.close()
        travel.close()
        other.update(frames=41)
        assert heard == []
        with pytest.raises(NotReady):
            travel.update(frames=42)
        await engine.flush()
        assert await stored(store) == {"frames": 41}


async def test_a_callback_that_changes_its_value_in_place_harms_nobody(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Empties, MINE)
        travel.on_change(lambda changed, _: changed["steps"].append(99))
        travel.update(steps=[3])
        assert travel.values.steps == [3]


async def test_notices_tell_of_an_edits_life_in_order(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        heard: list[Notice] = []
        end = engine.subscribe(heard.append)
        store.commits.fail(1)
        await engine.submit(operation("op", "frames", 41), actor="ada", wait=True)
        end()
        travel.update(frames=42)
        assert [notice.kind for notice in heard] == ["edited", "failed", "committed"]
        assert {notice.target for notice in heard} == {SHOT}
        assert heard[-1].operations == ("op",)
        assert heard[-1].fields == {"frames"}


async def test_a_subscriber_that_fails_harms_nobody(
    start: Start, store: FailingStore, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(notice: Notice) -> None:
        raise RuntimeError("not my day")

    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        engine.subscribe(broken)
        travel.update(frames=41)
        await travel.flush()
        assert await stored(store) == {"frames": 41}
        assert "not my day" in caplog.text


async def test_what_could_not_be_saved_can_be_taken_back_while_the_store_is_away(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.lose_answer()  # nobody knows that it is stored
        travel.update(frames=41)
        await asyncio.sleep(0.31)
        travel.revert()
        assert travel.values.frames == 61
        await asyncio.sleep(30)
        assert (travel.status, travel.last_error, travel.is_dirty) == ("ready", "", False)
        assert await stored(store) == {}


async def test_an_edit_and_its_reverse_around_a_lost_answer_end_where_they_began(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.lose_answer()
        travel.update(frames=41)
        await asyncio.sleep(0.31)
        travel.update(frames=61)
        await asyncio.sleep(30)
        assert (travel.values.frames, travel.is_dirty) == (61, False)
    async with start() as engine:
        assert (await engine.open(Travel, MINE)).values.frames == 61


async def test_reverting_takes_back_ones_own_edits_and_nobody_elses(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        ada = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, {"user": "bob", "project": "film"}, actor="bob",
                                edit="project")  # fmt: skip
        ada.update(scope="project", frames=24)
        bob.update(mode="advanced")
        bob.revert()
        await engine.flush()
        assert await stored(store, target(Travel, "project")) == {"frames": 24}


async def test_a_slow_database_shows_as_loading_and_blocks_no_other_target(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        store.loads.delay(60.0, where=lambda at: at.owner == "s1")
        slow = engine.bind(Travel)
        showing = asyncio.create_task(slow.show(MINE))
        await asyncio.sleep(1)
        quick = engine.bind(Travel)
        async with asyncio.timeout(1):
            await quick.show({"user": "bob", "project": "other", "shot": "s7"})
        assert (slow.status, quick.status) == ("loading", "ready")
        showing.cancel()


async def test_what_a_reader_sees_of_an_unreadable_value_is_said_in_last_error(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        row = await revision(store, "frames")
        (write,) = store.written
        await store.store.commit([write._replace(text='"many"', base=row, operations=())])
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        assert "frames" in travel.last_error
        travel.update(frames=42)  # choosing a value anew mends it
        await travel.flush()
        assert travel.conflicts == ()
        assert (travel.last_error, travel.values.frames) == ("", 42)
