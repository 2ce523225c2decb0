"""Undo where somebody was there since: what is asked, skipped, refused, and never guessed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from persistence import (
    InvalidValue,
    Opinion,
    PlanOutdated,
    Settings,
    StoreUnavailable,
)
from persistence.testing import FailingStore
from persistence.vault import Vault
from tests.scenarios.acting import edited, fields_of_next, planned, redo, undo
from tests.scenarios.tools import (
    MINE,
    SHOT,
    Range,
    Start,
    Travel,
    target,
)

PROJECT = target(Travel, "project")


async def test_a_field_that_somebody_changed_since_is_asked_about(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10, mode="advanced")
        await edited(bob, frames=33)
        undoing = await planned(engine)
        (asked,) = undoing.changed
        assert (asked.target, asked.field, asked.author) == (SHOT, "frames", "bob")
        assert (asked.now.value, asked.to) == (33, Opinion("reset"))
        assert undoing.rest.summary() == "1 setting, 1 changed since"
        await engine.undo.apply(undoing)
        assert (travel.values.frames, travel.values.mode) == (33, "basic")
        assert await engine.undo.next("ada") is None
        await redo(engine)
        assert (travel.values.frames, travel.values.mode) == (33, "advanced")


async def test_undone_anyway_it_goes_back_over_what_others_made_of_it(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10, mode="advanced")
        await edited(bob, frames=33)
        await undo(engine, anyway=True)
        assert (travel.values.frames, travel.values.mode) == (61, "basic")
        await redo(engine)
        assert (travel.values.frames, travel.values.mode) == (33, "advanced")


async def test_one_is_asked_though_somebody_set_the_same_value_again(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10)
        await edited(bob, frames=33)
        await edited(bob, frames=10)
        assert [each.author for each in (await planned(engine)).changed] == ["bob"]


async def test_one_is_not_asked_where_somebody_took_his_change_back(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10)
        await edited(bob, frames=33)
        await undo(engine, "bob")
        assert not (await planned(engine)).changed
        await undo(engine)
        assert travel.values.frames == 61


async def test_a_step_of_which_nothing_is_left_is_passed_over(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, mode="advanced")
        await edited(travel, frames=10)
        await edited(bob, frames=33)
        assert (await undo(engine)).is_empty
        assert await fields_of_next(engine) == ["mode"]
        await undo(engine)
        assert (travel.values.frames, travel.values.mode) == (33, "basic")


async def test_what_moves_between_looking_and_doing_is_looked_at_again(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(travel, frames=10)
        undoing = await planned(engine)
        await edited(bob, frames=33)
        with pytest.raises(PlanOutdated) as outdated:
            await engine.undo.apply(undoing)
        assert [moved.author for moved in outdated.value.moved] == ["bob"]
        assert travel.values.frames == 33
        assert [each.author for each in (await planned(engine)).changed] == ["bob"]


async def test_what_is_gone_or_not_allowed_any_more_is_skipped_and_said(start: Start) -> None:
    foreign: set[str] = set()

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        del actor, action, scope
        return owner not in foreign

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        group = engine.recorder.group()
        travel.update(frames=10, group=group)
        travel.update(frames=20, scope="project", group=group)
        await travel.flush()
        foreign.add("s1")
        undoing = await planned(engine)
        (skipped,) = undoing.rest.skipped
        assert (skipped.target, skipped.why) == (SHOT, "gone")
        assert "no such shot" in skipped.detail
        await engine.undo.apply(undoing)
        assert engine.layer(PROJECT).confirmed["frames"].kind == "reset"
        assert engine.layer(SHOT).confirmed["frames"].value == 10


async def test_what_was_deleted_is_no_step_any_more(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, "project", frames=20)
        await edited(travel, frames=10)
        await engine.forget("shot", "s1")
        step = await engine.undo.next("ada")
        assert step is not None
        assert [change.target for change in step.changes] == [PROJECT]


async def test_a_policy_that_came_since_stands_in_the_way_and_that_is_said(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        travel.reset("frames")
        await travel.flush()
        bob = await engine.open(Travel, MINE, actor="bob")
        await bob.enforce("frames", 24, scope="project", note="the cinema's")
        undoing = await planned(engine)
        (skipped,) = undoing.rest.skipped
        assert (skipped.why, undoing.rest.is_empty) == ("policy", True)
        assert "the cinema's" in skipped.detail


async def test_a_rule_across_settings_refuses_an_undo_and_the_step_before_is_next(
    start: Start,
) -> None:
    async with start() as engine:
        ada = await engine.open(Range, {"shot": "s1"}, actor="ada")
        bob = await engine.open(Range, {"shot": "s1"}, actor="bob")
        await edited(ada, first=2)
        await edited(ada, last=20)
        await edited(bob, first=15)
        with pytest.raises(InvalidValue, match="first must not lie after last"):
            await undo(engine)
        assert (ada.values.first, ada.values.last) == (15, 20)
        assert await fields_of_next(engine) == ["first"]


async def test_a_secret_is_never_taken_back(start: Start, secret_tool: type[Settings]) -> None:
    async with start(key=Vault.new_key()) as engine:
        keys: Any = await engine.open(secret_tool, {"user": "ada"}, actor="ada")
        await edited(keys, token="one", label="mine")
        await edited(keys, token="two")
        assert await fields_of_next(engine) == ["label", "token"]
        plan = await undo(engine)
        assert [(each.field, each.why) for each in plan.skipped] == [("token", "secret")]
        assert (keys.values.token, keys.values.label) == ("two", "")


async def test_while_the_database_is_away_nothing_is_undone_and_that_is_said(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        store.commits.fail(None)
        travel.update(frames=20)
        with pytest.raises(StoreUnavailable):
            await engine.undo.plan("ada")
        store.commits.mend()
        await undo(engine)
        assert travel.values.frames == 10


async def test_what_was_pruned_is_not_guessed(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=10)
        await asyncio.sleep(100)
        await edited(travel, frames=20)
        await asyncio.sleep(100)
        await edited(travel, frames=30)
        now = engine.wall()
        await store.prune(older_than=now - 50, keep_operations_after=0)
        await undo(engine)
        assert travel.values.frames == 20  # what stood at the horizon is kept
        undoing = await planned(engine)
        assert [each.why for each in undoing.rest.skipped] == ["unknown"]
        assert undoing.rest.is_empty
