"""A: layers cascade, and only what somebody edited is ever written."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, assert_type

import pytest

from persistence import EditError, StoreUnavailable
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
    journal,
    operation,
    revision,
    stored,
    target,
)


async def test_a1_the_strongest_layer_wins_and_each_reset_gives_the_next_then_the_default(
    start: Start,
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        for scope, frames in (("user", 1), ("project", 2), ("shot", 3)):
            travel.update(scope=scope, frames=frames)
        seen = [travel.values.frames]
        for scope in ("shot", "project", "user"):
            travel.reset("frames", scope=scope)
            seen.append(travel.values.frames)
        assert seen == [3, 2, 1, 61]


async def test_a1_after_a_reset_the_layer_resolves_as_if_never_written_also_after_a_restart(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="user", frames=1)
        travel.update(frames=3)
        await travel.flush()
        travel.reset("frames")
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        assert travel.values.frames == 1
        assert travel.origin("frames") == "user"
        assert await stored(store) == {}


async def test_a1_a_reset_keeps_the_revision_growing_so_that_a_stale_write_is_seen(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(frames=3)
        await travel.flush()
        stale = await revision(store, "frames")
        travel.reset("frames")
        await travel.flush()
        assert await revision(store, "frames") > stale
        outcome = await engine.submit(
            operation("late", "frames", 99, base=stale), actor="bob", wait=True
        )
        assert outcome.status == "conflict"
        assert await stored(store) == {}


async def test_a1_any_number_of_scopes_in_any_order_will_do(start: Start) -> None:
    names = ("site", "studio", "team", "shot", "take")
    async with start(scopes=names) as engine:
        owners = {name: f"{name}-1" for name in names}
        travel = await engine.open(Travel, owners, edit="take")
        for frames, name in enumerate(names, start=10):
            travel.update(scope=name, frames=frames)
            assert (travel.values.frames, travel.origin("frames")) == (frames, name)
        for name in reversed(names):
            assert travel.origin("frames") == name
            travel.reset("frames", scope=name)
        assert travel.origin("frames") == "default"


async def test_a2_editing_one_field_stores_that_field_alone(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="user", strength=0.25)
        await travel.flush()
        travel.update(frames=41)
        await travel.flush()
        assert await stored(store) == {"frames": 41}
        assert await journal(engine) == [("frames", 41)]


async def test_a2_a_later_project_change_of_another_field_still_reaches_the_shot(
    start: Start,
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        travel.update(scope="project", mode="advanced", frames=24)
        assert (travel.values.mode, travel.values.frames) == ("advanced", 41)


async def test_a2_updating_with_the_whole_form_writes_only_what_differs(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", mode="advanced")
        await travel.flush()
        form = travel.as_dict()
        form["frames"] = 41
        travel.update(**form)
        await travel.flush()
        assert await stored(store) == {"frames": 41}


@pytest.mark.parametrize(
    ("field", "empty"),
    [("note", None), ("steps", []), ("table", {}), ("flag", False), ("count", 0), ("text", "")],
)
async def test_a3_an_empty_value_is_an_override_and_a_missing_key_inherits(
    start: Start, store: FailingStore, field: str, empty: Any
) -> None:
    async with start() as engine:
        settings = await engine.open(Empties, MINE)
        settings.update(**{field: empty})
    async with start() as engine:
        settings = await engine.open(Empties, MINE)
        assert settings.get(field) == empty
        assert settings.origin(field) == "shot"
        assert await stored(store, target(Empties)) == {field: empty}
        missing = set(Empties.model_fields) - {field}
        assert {settings.origin(name) for name in missing} == {"default"}


async def test_a4_a_list_override_replaces_the_inherited_list(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", positions=[("a", 1), ("b", 2)])
        travel.update(positions=[("c", 3)])
        assert travel.values.positions == [("c", 3)]


async def test_a4_changing_a_returned_list_in_place_changes_neither_cache_nor_store(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(positions=[("a", 1)])
        await travel.flush()
        for mine in (
            travel.get("positions"),
            travel.as_dict()["positions"],
            travel.shown("positions"),
            travel.explain("positions").value,
        ):
            mine.append(("b", 2))
            assert travel.get("positions") == [("a", 1)]
        travel.update(frames=41)
        await travel.flush()
        assert (await stored(store))["positions"] == [["a", 1]]
        mine = travel.get("positions")
        mine.append(("b", 2))
        travel.update(positions=mine)  # is an edit like any other
        await travel.flush()
        assert (await stored(store))["positions"] == [["a", 1], ["b", 2]]


async def test_a4_changing_the_list_that_was_given_changes_neither_cache_nor_store(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        mine = [("a", 1)]
        travel.update(positions=mine)
        mine.append(("b", 2))
        assert travel.values.positions == [("a", 1)]
        await travel.flush()
        assert (await stored(store))["positions"] == [["a", 1]]


async def test_a5_a_pinned_value_stays_when_the_weaker_layer_changes(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", frames=24)
        travel.pin("frames")
        assert travel.origin("frames") == "shot"
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", frames=48)
        assert travel.values.frames == 24
        travel.reset("frames")
        assert travel.values.frames == 48
        await travel.flush()
        assert await stored(store) == {}


async def test_a5_an_edit_to_the_inherited_value_without_a_pin_writes_nothing(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", frames=24)
        await travel.flush()
        travel.update(frames=24)
        assert not travel.is_dirty
        await travel.flush()
        assert await stored(store) == {}


async def test_a5_a_default_can_be_pinned_too(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.pin("frames")
        travel.update(scope="user", frames=1)
        assert travel.values.frames == 61
        await travel.flush()
        assert await stored(store) == {"frames": 61}


async def test_a6_saving_one_field_keeps_the_inherited_ones_in_view(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="user", strength=0.25)
        travel.update(scope="project", mode="advanced")
        travel.update(frames=41)
        await travel.flush()
        values = travel.values
        assert_type(values, Travel)
        assert (values.strength, values.mode, values.frames) == (0.25, "advanced", 41)


async def test_a6_a_project_write_shows_at_once_in_every_open_shot_that_does_not_override_it(
    start: Start,
) -> None:
    async with start() as engine:
        one, two = await engine.open(Travel, MINE), await engine.open(Travel, OTHER)
        two.update(frames=41)
        seen: list[tuple[dict[str, Any], str]] = []
        one.on_change(lambda changed, source: seen.append((dict(changed), source)))
        project = await engine.open(Travel, {"user": "ada", "project": "film"}, edit="project")
        project.update(frames=24)
        assert (one.values.frames, two.values.frames) == (24, 41)
        assert seen == [({"frames": 24}, "user")]


async def test_a6_a_project_write_does_not_show_in_a_shot_of_another_project(
    start: Start,
) -> None:
    async with start() as engine:
        elsewhere = await engine.open(Travel, {**MINE, "project": "other", "shot": "s9"})
        project = await engine.open(Travel, {"user": "ada", "project": "film"}, edit="project")
        project.update(frames=24)
        assert elsewhere.values.frames == 61


async def test_a6_content_of_a_weaker_layer_never_shows_in_a_shot(start: Start) -> None:
    async with start() as engine:
        shot = await engine.open(Travel, MINE)
        project = await engine.open(Travel, {"user": "ada", "project": "film"}, edit="project")
        project.update(prompt="the project's own text")
        assert project.values.prompt == "the project's own text"
        assert shot.values.prompt == ""
        await project.flush()
        assert shot.values.prompt == ""
    async with start() as engine:
        assert (await engine.open(Travel, MINE)).values.prompt == ""


async def test_a7_a_new_shot_has_no_overrides_it_inherits(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        first = await engine.open(Travel, MINE)
        first.update(prompt="a fox", frames=41)
        first.update(scope="project", mode="advanced")
        new = await engine.open(Travel, OTHER)
        assert (new.values.prompt, new.values.frames, new.values.mode) == ("", 61, "advanced")
        await engine.flush()
        assert await stored(store, target(Travel, owner="s2")) == {}


async def test_a7_new_from_this_shot_copies_configuration_and_never_content(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        first = await engine.open(Travel, MINE)
        first.update(prompt="a fox", frames=41, positions=[("a", 1)])
        await first.flush()
        await engine.copy(("shot", "s1"), ("shot", "s2"), actor="ada")
        new = await engine.open(Travel, OTHER)
        assert (new.values.frames, new.values.positions, new.values.prompt) == (41, [("a", 1)], "")
        await engine.flush()
        assert set(await stored(store, target(Travel, owner="s2"))) == {"frames", "positions"}


async def test_a7_a_copy_takes_edits_that_are_still_pending_along(start: Start) -> None:
    async with start() as engine:
        first = await engine.open(Travel, MINE)
        first.update(frames=41)
        await engine.copy(("shot", "s1"), ("shot", "s2"), actor="ada")
        assert (await engine.open(Travel, OTHER)).values.frames == 41


async def test_a7_a_shot_that_already_has_settings_is_never_overwritten_by_a_copy(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        first, second = await engine.open(Travel, MINE), await engine.open(Travel, OTHER)
        first.update(frames=41, mode="advanced")
        second.pin("frames")  # where it equals the default, too
        await engine.flush()
        with pytest.raises(EditError, match="settings of its own"):
            await engine.copy(("shot", "s1"), ("shot", "s2"), actor="ada")
        await engine.flush()
        assert (second.values.frames, second.values.mode) == (61, "basic")
        assert (await stored(store, target(Travel, owner="s2")))["frames"] == 61


async def test_a8_an_undeclared_tool_warns_once_and_is_still_stored_and_returned(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="persistence"):
        async with start() as engine:
            odd = await engine.open("nobodys-tool", MINE)
            assert odd.as_dict() == {}
            odd.set("colour", {"hue": [1, None, "x"]})
            again = await engine.open("nobodys-tool", MINE)
            assert again.as_dict() == {"colour": {"hue": [1, None, "x"]}}
    assert len([record for record in caplog.records if "nobodys-tool" in record.message]) == 1
    async with start() as engine:
        odd = await engine.open("nobodys-tool", MINE)
        assert odd.get("colour") == {"hue": [1, None, "x"]}


async def test_a8_two_tools_on_one_page_do_not_touch_each_other(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel, images = await engine.open(Travel, MINE), await engine.open(Images, MINE)
        travel.update(prompt="a fox")
        images.update(prompt="a style")
        assert (travel.values.prompt, images.values.prompt) == ("a fox", "a style")
        await travel.flush()
        assert await stored(store) == {"prompt": "a fox"}
        assert images.is_dirty


async def test_a9_a_load_that_fails_is_an_error_and_nothing_is_saved(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        store.loads.fail(None)
        with pytest.raises(StoreUnavailable):
            await engine.open(Travel, MINE)
        travel = engine.bind(Travel)
        await travel.show(MINE)
        assert travel.status == "error"
        assert not travel.ready
        assert "load" in travel.last_error
        travel.update(frames=41)
        await asyncio.sleep(30)
        assert store.written == []


async def test_a9_what_failed_to_load_never_reads_as_defaults_and_heals_by_itself(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=24, mode="advanced")
    async with start() as engine:
        store.loads.fail(3)
        travel = engine.bind(Travel)
        await travel.show(MINE)
        travel.update(frames=41)
        assert travel.status == "error"
        await asyncio.sleep(60)
        assert travel.status == "ready"
        assert (travel.values.frames, travel.values.mode) == (41, "advanced")
        assert await stored(store) == {"frames": 41, "mode": "advanced"}


async def test_a10_a_dict_merges_key_by_key_where_it_is_declared_to(
    start: Start, store: FailingStore
) -> None:
    everywhere = {"user": "ada", "project": "film"}
    async with start() as engine:
        ui = await engine.open(Ui, everywhere, edit="project")
        ui.set_key("locks", "shots", True, scope="user")
        ui.set_key("locks", "tasks", True)
        assert ui.values.locks == {"gens": False, "shots": True, "tasks": True}
        ui.set_key("locks", "gens", True, scope="user")
        assert ui.values.locks == {"gens": True, "shots": True, "tasks": True}
        ui.remove_key("locks", "shots")
        assert ui.values.locks == {"gens": True, "tasks": True}
    async with start() as engine:
        ui = await engine.open(Ui, everywhere, edit="project")
        assert ui.values.locks == {"gens": True, "tasks": True}
        ui.reset("locks")
        assert ui.values.locks == {"gens": True, "shots": True}


async def test_a10_assigning_a_merging_dict_writes_only_the_keys_that_changed(
    start: Start,
) -> None:
    everywhere = {"user": "ada", "project": "film"}
    async with start() as engine:
        ui = await engine.open(Ui, everywhere, edit="project")
        ui.set_key("locks", "shots", True, scope="user")
        ui.update(locks={**ui.values.locks, "tasks": True})
        ui.set_key("locks", "shots", False, scope="user")
        assert ui.values.locks == {"gens": False, "shots": False, "tasks": True}


async def test_a10_a_dict_that_is_not_declared_to_merge_is_replaced(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", table={"b": 2})
        travel.update(table={"c": 3})
        assert travel.values.table == {"c": 3}


async def test_a_corrupt_row_is_kept_as_it_is_and_reported_and_harms_no_other_field(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(mode="advanced", frames=41)
        await travel.flush()
        row = await revision(store, "frames")
        written = next(write for write in store.written if write.field == "frames")
        await store.store.commit([written._replace(text='"many"', base=row, operations=())])
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        assert (travel.values.frames, travel.values.mode) == (61, "advanced")
        travel.update(strength=0.25)
        await engine.flush()
        assert await stored(store, SHOT) == {"mode": "advanced", "frames": "many", "strength": 0.25}
