"""Presets: values under a name, kept by whoever is shown, applied by a plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from persistence import (
    Binding,
    EditError,
    Engine,
    InvalidValue,
    NotReady,
    PermissionDenied,
    Settings,
    UnknownField,
    exchange,
    presets,
    setting,
    transfers,
)
from persistence.settings import registry
from persistence.store.base import Preset
from persistence.testing import FailingStore
from persistence.vault import Vault
from tests.scenarios.tools import MINE, OTHER, Range, Start, Travel, Ui, stored, target


async def shot(engine: Engine, owner: str = "s1", **options: Any) -> Binding[Travel]:
    return await engine.open(Travel, {**MINE, "shot": owner}, actor="ada", **options)


async def test_a_preset_keeps_what_is_shown_also_what_is_inherited_and_does_the_same_elsewhere(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await shot(engine)
        travel.update(scope="project", mode="advanced")
        travel.update(frames=41, positions=[("a", 1)])
        kept = await presets.keep(
            travel, "  Slow   dolly ", "frames", "mode", "positions", at="project"
        )
        assert (kept.name, kept.scope, kept.owner, kept.author) == (
            "Slow dolly", "project", "film", "ada",
        )  # fmt: skip
        elsewhere = await engine.open(Travel, {**OTHER, "project": "film"}, actor="bob")
        elsewhere.update(frames=7, strength=0.1)
        plan = await presets.plan(elsewhere, "Slow dolly", at="project")
        assert plan.title == "Apply “Slow dolly”"
        await engine.apply(plan, actor="bob")
        assert await stored(store, target(Travel, owner="s2")) == {
            "frames": 41, "mode": "advanced", "positions": [["a", 1]], "strength": 0.1,
        }  # fmt: skip


async def test_presets_outlive_the_engine_and_are_listed_by_name(start: Start) -> None:
    async with start() as engine:
        travel = await shot(engine)
        for name in ("b", "a"):
            await presets.keep(travel, name, "frames", at="user")
        await presets.keep(travel, "c", "frames", at="project")
    async with start() as engine:
        travel = await shot(engine)
        assert [kept.name for kept in await presets.listed(travel, at="user")] == ["a", "b"]
        (kept,) = await presets.listed(travel, at="project")
        assert (kept.values, kept.problems) == ({"frames": 61}, {})
        other = await engine.open(Ui, MINE)
        assert await presets.listed(other, at="user") == []


async def test_without_fields_a_preset_holds_the_configuration_and_no_content(
    start: Start,
) -> None:
    async with start() as engine:
        travel = await shot(engine)
        travel.update(prompt="a fox")
        kept = await presets.keep(travel, "all", at="user")
        assert kept.values.keys() == Travel.__tool__.fields.keys() - {"prompt"}
        kept = await presets.keep(travel, "words", "prompt", at="user")
        assert kept.values == {"prompt": "a fox"}  # where it was asked for


async def test_a_name_that_is_taken_is_replaced_only_if_said(start: Start) -> None:
    async with start() as engine:
        travel = await shot(engine)
        await presets.keep(travel, "one", "frames", at="user")
        travel.update(frames=41)
        with pytest.raises(EditError, match="taken"):
            await presets.keep(travel, "one", "frames", at="user")
        await presets.keep(travel, "one", "frames", at="user", replace=True)
        assert [kept.values for kept in await presets.listed(travel, at="user")] == [{"frames": 41}]


async def test_a_preset_is_deleted_once(start: Start) -> None:
    async with start() as engine:
        travel = await shot(engine)
        await presets.keep(travel, "one", "frames", at="user")
        assert await presets.remove(travel, "one", at="user")
        assert not await presets.remove(travel, "one", at="user")
        with pytest.raises(UnknownField, match="no preset 'one'"):
            await presets.plan(travel, "one", at="user")


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\u202eb"])
async def test_a_name_that_cant_be_shown_is_refused(start: Start, name: str) -> None:
    async with start() as engine:
        with pytest.raises(InvalidValue):
            await presets.keep(await shot(engine), name, "frames", at="user")


async def test_there_is_a_limit_to_the_presets_of_a_tool(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "MOST_PRESETS", 2)
    async with start() as engine:
        travel = await shot(engine)
        for name in ("a", "b"):
            await presets.keep(travel, name, "frames", at="user")
        with pytest.raises(InvalidValue, match="2 presets"):
            await presets.keep(travel, "c", "frames", at="user")
        await presets.keep(travel, "b", "frames", at="user", replace=True)


async def test_a_preset_too_large_is_refused_with_the_limit(start: Start) -> None:
    async with start(value_limit=1000) as engine:
        travel = await shot(engine)
        travel.update(positions=[("x" * 90, 1)] * 8, prompt="x" * 900)
        with pytest.raises(InvalidValue, match="1,000"):
            await presets.keep(travel, "big", "positions", "prompt", at="user")


async def test_to_apply_one_leaves_out_what_is_so_already_enforced_or_not_allowed_there(
    start: Start,
) -> None:
    async with start() as engine:
        travel = await shot(engine)
        travel.update(frames=41, mode="advanced", strength=0.1)
        await presets.keep(travel, "one", "frames", "mode", "strength", at="user")
        other = await shot(engine, "s2")
        other.update(frames=41)
        other.pin("strength")
        await other.enforce("mode", "basic", scope="project")
        plan = await presets.plan(other, "one", at="user")
        assert {s.field: s.why for s in plan.skipped} == {"frames": "same", "mode": "policy"}
        assert [(e.field, e.kind, e.value) for e in plan.edits] == [("strength", "pin", 0.1)]


async def test_a_preset_can_be_applied_to_another_layer(start: Start) -> None:
    async with start() as engine:
        travel = await shot(engine)
        travel.update(frames=41)
        await presets.keep(travel, "one", "frames", at="user")
        plan = await presets.plan(travel, "one", at="user", scope="project")
        assert [edit.target for edit in plan.edits] == [target(Travel, "project")]


async def test_a_preset_of_a_merging_dict_holds_its_keys(start: Start) -> None:
    async with start() as engine:
        panes = await engine.open(Ui, {"user": "ada"}, actor="ada")
        panes.set_key("locks", "shots", True)
        await presets.keep(panes, "one", "locks", at="user")
        panes.set_key("locks", "tasks", True)
        panes.set_key("locks", "shots", False)
        await engine.apply(await presets.plan(panes, "one", at="user"), actor="ada")
        assert panes.values.locks == {"gens": False, "shots": True}


async def test_what_cant_be_read_stays_stored_and_is_said_and_the_rest_is_applied(
    start: Start, store: FailingStore
) -> None:
    values = {"frames": 500, "mode": "advanced", "lost": 1}
    at = target(Travel, "user")
    async with start() as engine:
        travel = await shot(engine)
        await store.keep_preset(Preset(*at, "old", json.dumps(values), "ada", 1.0))
        await store.keep_preset(Preset(*at, "bad", "{", "ada", 1.0))
        await store.keep_preset(Preset(*at, "newer", "{}", "ada", 1.0, version=9))
        kept = {each.name: each for each in await presets.listed(travel, at="user")}
        assert kept["old"].values == {"mode": "advanced"}
        assert kept["old"].problems == {
            "frames": "must be at most 241",
            "lost": "no such setting any more",
        }
        assert kept["bad"].problems == {"": "can't be read"}
        assert "version 9" in kept["newer"].problems[""]
        plan = await presets.plan(travel, "old", at="user")
        assert [edit.field for edit in plan.edits] == ["mode"]
        assert {s.field: s.why for s in plan.skipped} == {"frames": "invalid", "lost": "invalid"}
        assert len(await store.presets(*at)) == 3


async def test_values_of_an_older_version_are_migrated(
    start: Start, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as engine:
        travel = await shot(engine)
        spec = travel.spec
        monkeypatch.setitem(vars(spec), "version", 2)
        monkeypatch.setitem(
            vars(spec), "migrations", {1: lambda old: {"frames": old["length"] * 2}}
        )
        text = json.dumps({"length": 20})
        await store.keep_preset(Preset(*target(Travel, "user"), "old", text, "ada", 1.0))
        (kept,) = await presets.listed(travel, at="user")
        assert (kept.values, kept.problems) == ({"frames": 40}, {})


async def test_rules_across_settings_hold_for_a_preset(start: Start) -> None:
    async with start() as engine:
        one = await engine.open(Range, MINE)
        one.update(first=8)
        await presets.keep(one, "late", "first", at="user")
        other = await engine.open(Range, OTHER)
        other.update(last=5)
        plan = await presets.plan(other, "late", at="user")
        with pytest.raises(InvalidValue, match="must not lie after"):
            await engine.apply(plan, actor="")
        assert other.values.first == 1


async def test_presets_of_an_owner_that_isnt_mine_are_out_of_reach(start: Start) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return actor == "ada" or (action == "read" and scope != "user")

    async with start(authorise=authorise) as engine:
        await presets.keep(await shot(engine), "one", "frames", at="project")
        bob = await engine.open(Travel, {"project": "film", "shot": "s1"}, actor="bob")
        assert len(await presets.listed(bob, at="project")) == 1
        with pytest.raises(PermissionDenied):
            await presets.keep(bob, "two", "frames", at="project")
        with pytest.raises(PermissionDenied):
            await presets.remove(bob, "one", at="project")
        with pytest.raises(NotReady):
            await presets.listed(bob, at="user")


async def test_a_project_that_is_forgotten_takes_its_presets_along(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await presets.keep(await shot(engine), "one", "frames", at="project")
        await engine.forget("project", "film")
        assert await store.presets(*target(Travel, "project")) == []


@pytest.fixture
def keys() -> Iterator[Any]:
    """A tool with a secret, declared for one test: an engine without a key refuses to start."""
    pytest.importorskip("cryptography")

    class Keys(Settings, tool="s-preset-keys", edit="user"):
        token: str = setting("", secret=True)
        region: str = setting("eu")

    yield Keys
    del registry[Keys.__tool__.tool]


async def test_no_secret_leaves_by_a_preset_a_copy_or_a_document(start: Start, keys: Any) -> None:
    async with start(key=Vault.new_key()) as engine:
        mine = await engine.open(keys, MINE, actor="ada", edit="shot")
        mine.update(scope="shot", token="x9", region="us")
        assert (await presets.keep(mine, "all", at="user")).values == {"region": "us"}
        with pytest.raises(InvalidValue, match="secret"):
            await presets.keep(mine, "token", "token", at="user")
        copied = await transfers.copy(engine, ("shot", "s1"), ("shot", "s2"), actor="ada")
        pushed = await transfers.push(mine, "token", "region", owners=["s2"], scope="shot")
        promoted = await transfers.promote(mine, "token", to="project", scope="shot")
        document = {"s-preset-keys": {"token": "y"}}
        imported = await exchange.plan_import(engine, "shot", "s2", document, actor="ada")
        for plan in (copied, pushed, promoted, imported):
            assert [each.field for each in plan.skipped if each.why == "secret"] == ["token"]
            assert "token" not in {edit.field for edit in plan.edits}
            assert "x9" not in repr(plan)
        text = await exchange.export_text(engine, "shot", "s1", actor="ada")
        assert "us" in text
        assert "x9" not in text
