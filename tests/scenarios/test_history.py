"""History: who changed what when, from what to what; compared, named, restored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from persistence import (
    Opinion,
    Patch,
    Settings,
    StoreUnavailable,
)
from persistence.store.base import Write
from persistence.testing import FailingStore
from persistence.vault import Vault
from tests.scenarios.acting import edited, told
from tests.scenarios.tools import (
    MINE,
    SHOT,
    Images,
    Start,
    Travel,
    Ui,
    operation,
    target,
)

PROJECT = target(Travel, "project")
USER = target(Ui, "user")


async def test_a_step_tells_who_changed_what_when_from_what_to_what(start: Start) -> None:
    async with start() as engine:
        ada = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(ada, frames=41, mode="advanced")
        await edited(bob, frames=50)
        page = await engine.history.steps([SHOT])
        assert [(step.author, told(step)) for step in page.steps] == [
            ("bob", {"frames": (41, 50)}),
            ("ada", {"frames": ("reset", 41), "mode": ("reset", "advanced")}),
        ]
        assert page.steps[0].at - page.steps[1].at == 1.0
        assert (page.before, page.begins) == (None, None)


async def test_every_kind_of_edit_can_be_told(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.pin("frames")
        await travel.flush()
        travel.block("frames")
        await travel.flush()
        travel.reset("frames")
        await travel.flush()
        await travel.enforce("frames", 24, scope="project", note="the cinema's")
        page = await engine.history.steps([SHOT, PROJECT])
        assert [told(step)["frames"] for step in page.steps] == [
            ("reset", 24),
            ("block", "reset"),
            (61, "block"),
            ("reset", 61),
        ]
        policy = page.steps[0].changes[0].after
        assert policy == Opinion("policy", 24, "the cinema's")


async def test_an_action_over_several_tools_and_layers_is_one_step(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        images = await engine.open(Images, MINE, actor="ada")
        group = engine.recorder.group()
        travel.update(frames=41, group=group)
        travel.update(frames=50, scope="project", group=group)
        images.update(prompt="fog", group=group)
        await engine.flush()
        targets = [SHOT, PROJECT, target(Images, "project")]
        (step,) = (await engine.history.steps(targets)).steps
        assert {(each.target, each.field) for each in step.changes} == {
            (SHOT, "frames"),
            (PROJECT, "frames"),
            (target(Images, "project"), "prompt"),
        }
        (part,) = (await engine.history.steps([SHOT])).steps
        assert [each.target for each in part.changes] == [SHOT]


async def test_typing_is_one_step_from_the_first_text_to_the_last(start: Start) -> None:
    async with start() as engine:
        for seq, text in enumerate(("h", "he", "hey")):
            await engine.submit(operation(f"a{seq}", "prompt", text, seq=seq), actor="ada")
            await asyncio.sleep(1.2)
        (step,) = (await engine.history.steps([SHOT])).steps
        assert told(step) == {"prompt": ("reset", "hey")}
        assert len(await engine.history.changes([SHOT])) == 3


async def test_a_merging_dict_is_told_by_its_patch(start: Start) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, {"user": "ada"}, actor="ada")
        ui.set_key("locks", "shots", True)
        await ui.flush()
        ui.remove_key("locks", "gens")
        await ui.flush()
        (newest, first) = (await engine.history.steps([USER])).steps
        assert told(first) == {"locks": ("reset", Patch({"shots": True}))}
        assert newest.changes[0].after is not None
        assert newest.changes[0].after.value == Patch({"shots": True}, frozenset({"gens"}))


async def test_one_field_or_one_person_can_be_looked_for(start: Start) -> None:
    async with start() as engine:
        ada = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        await edited(ada, frames=41)
        for number in range(250):
            bob.update(strength=number / 250)
            await bob.flush()
        await edited(bob, frames=50, mode="advanced")
        history = engine.history
        of_field = await history.steps([SHOT], field="frames")
        assert [told(step) for step in of_field.steps] == [
            {"frames": (41, 50)},
            {"frames": ("reset", 41)},
        ]
        of_person = await history.steps([SHOT], author="ada")
        assert [told(step) for step in of_person.steps] == [{"frames": ("reset", 41)}]


async def test_pages_neither_skip_nor_repeat_a_step_while_people_go_on(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        for number in range(1, 24):
            await edited(travel, frames=number, strength=number / 100)
        seen: list[Any] = []
        before: int | None = None
        while True:
            page = await engine.history.steps([SHOT], before=before, limit=5)
            seen += [told(step)["frames"][1] for step in page.steps]
            await edited(travel, frames=200 + len(seen))
            if (before := page.before) is None:
                break
        assert seen == list(range(23, 0, -1))


async def test_two_people_who_type_at_the_same_time_each_have_a_whole_step(start: Start) -> None:
    async with start() as engine:
        groups = {name: engine.recorder.group() for name in ("ada", "bob")}
        ada = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, MINE, actor="bob")
        for number in range(1, 6):
            ada.update(frames=number, group=groups["ada"])
            await ada.flush()
            bob.update(strength=number / 10, group=groups["bob"])
            await bob.flush()
        page = await engine.history.steps([SHOT], limit=1)
        assert [told(step) for step in page.steps] == [
            {"strength": ("reset", 0.5)},
            {"frames": ("reset", 5)},
        ]
        assert page.before is None


async def test_an_undo_is_told_as_one(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        await edited(travel, frames=41)
        undoing = await engine.undo.plan("ada")
        assert undoing is not None
        await engine.undo.apply(undoing)
        newest, first = (await engine.history.steps([SHOT])).steps
        assert (newest.verb, newest.source, told(newest)) == (
            "undo",
            "undo",
            {"frames": (41, "reset")},
        )
        assert first.verb == ""


async def test_of_a_secret_it_tells_that_it_changed_and_never_to_what(
    start: Start, secret_tool: type[Settings]
) -> None:
    at = target(secret_tool, "user")
    async with start(key=Vault.new_key()) as engine:
        keys: Any = await engine.open(secret_tool, {"user": "ada"}, actor="ada")
        await edited(keys, token="hidden-one", label="mine")
        await edited(keys, token="hidden-two")
        page = await engine.history.steps([at])
        assert [[(c.field, c.secret) for c in step.changes] for step in page.steps] == [
            [("token", True)],
            [("token", True), ("label", False)],
        ]
        first = page.steps[-1]
        compared = await engine.history.compare([at], first)
        assert [(each.field, each.secret) for each in compared] == [("token", True)]
        plan = await engine.history.plan_restore([at], first.first - 1, actor="ada")
        assert [(each.field, each.why) for each in plan.skipped] == [("token", "secret")]
        assert [each.field for each in plan.edits] == ["label"]
        assert "hidden" not in repr((page, compared, plan))


async def test_history_of_a_database_that_is_away_says_so(
    start: Start, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("the database is away")

    async with start() as engine:
        monkeypatch.setattr(store, "history", away)
        with pytest.raises(StoreUnavailable):
            await engine.history.steps([SHOT])


async def test_rows_without_an_action_are_steps_of_their_own(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        writes: Mapping[str, Any] = {"frames": 10, "mode": "advanced"}
        await store.commit(
            [
                Write(SHOT, field, "set", json.dumps(value), 0, "ada", "user", 1.0)
                for field, value in writes.items()
            ]
        )
        assert len((await engine.history.steps([SHOT])).steps) == 2
        assert await engine.undo.next("ada") is None
