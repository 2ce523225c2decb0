"""Documents and their texts: out, in again, and everything that can be wrong with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from persistence import EditError, Engine, InvalidValue, PermissionDenied, Plan, StoreUnavailable
from persistence.exchange import export_text, plan_import, read_text
from persistence.formats import LIMITS, META, MOST_FIELDS, Form
from persistence.settings import Settings, registry, setting
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
    stored,
    target,
)

ELSEWHERE = {"user": "eve", "project": "play", "shot": "s2"}


async def plan_of(engine: Engine, document: Any, **options: Any) -> Plan:
    return await plan_import(engine, "shot", "s2", document, actor="ada", **options)


def said(plan: Plan) -> dict[str, tuple[str, str]]:
    """tool.field → why it was left out, and the words about it."""
    return {f"{s.target.tool}.{s.field}": (s.why, s.detail) for s in plan.skipped}


@pytest.mark.parametrize("form", ["json", "toml"])
async def test_what_goes_out_as_text_comes_in_the_same(
    start: Start, store: FailingStore, form: Form
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(prompt='a "fox"\n✓', frames=41, positions=[("a", 1)], table={"b": 2})
        travel.block("mode")
        travel.pin("strength")
        empties = await engine.open(Empties, MINE)
        empties.update(note=None, steps=[], table={}, flag=False, count=0, text="")
        panes = await engine.open(Ui, MINE)
        panes.set_key("locks", "shots", True, scope="shot")
        panes.remove_key("locks", "gens", scope="shot")
        text = await export_text(engine, "shot", "s1", actor="ada", form=form)
        plan = await plan_of(engine, await read_text(text))
        assert plan.skipped == ()
        await engine.apply(plan, actor="ada")
        for tool in (Travel, Empties, Ui):
            there = await stored(store, target(tool, "shot", "s2"))
            assert there == await stored(store, target(tool, "shot"))
        other = await engine.open(Travel, OTHER)
        assert other.explain("strength").layers[-1].kind == "pin"


async def test_the_text_keeps_the_document_view_and_says_the_rest_beside_it(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        travel.block("mode")
        images = await engine.open(Images, MINE)
        images.update(scope="shot", per_prompt=2)
        await images.enforce("quality", "high", scope="shot")
        text = await export_text(engine, "shot", "s1", actor="")
        assert json.loads(text) == {
            "s-images": {"perPrompt": 2, "quality": "high"},
            "s-travel": {"frames": 41},
            META: {
                "format": 1,
                "versions": {"s-images": 1, "s-travel": 1},
                "blocked": {"s-travel": ["mode"]},
                "enforced": {"s-images": ["quality"]},
            },
        }
        one = await export_text(engine, "shot", "s1", actor="", tools=["s-images", "s-none"])
        assert json.loads(one).keys() == {"s-images", META}


async def test_a_policy_comes_in_as_a_plain_value(start: Start) -> None:
    async with start() as engine:
        images = await engine.open(Images, MINE)
        await images.enforce("quality", "high", scope="shot")
        text = await export_text(engine, "shot", "s1", actor="")
        plan = await plan_of(engine, await read_text(text))
        assert [(edit.field, edit.kind) for edit in plan.edits] == [("quality", "set")]


async def test_null_is_a_value_in_json_and_stands_as_json_in_toml(start: Start) -> None:
    async with start() as engine:
        empties = await engine.open(Empties, MINE)
        empties.update(note=None)
        assert '"note": null' in await export_text(engine, "shot", "s1", actor="")
        toml = await export_text(engine, "shot", "s1", actor="", form="toml")
        assert 'note = "null"' in toml
        (edit,) = (await plan_of(engine, await read_text(toml))).edits
        assert (edit.field, edit.kind, edit.value) == ("note", "set", None)


async def test_what_cant_be_taken_in_is_listed_with_its_limit_and_the_rest_is_planned(
    start: Start, store: FailingStore
) -> None:
    document = {
        "s-travel": {"frames": 500, "mode": "advanced", "nonsense": 1, "positions": [["a", "b"]]},
        "s-images": {"model": "x", "perPrompt": 2, "per_prompt": 3},
        "nobodys": {"x": 1},
        "s-ui": ["no", "fields"],
    }
    async with start() as engine:
        plan = await plan_of(engine, document)
        assert said(plan) == {
            "s-travel.frames": ("invalid", "must be at most 241"),
            "s-travel.nonsense": ("unknown", "s-travel has no such setting"),
            "s-travel.positions": ("invalid", "0.1: must be a whole number"),
            "s-images.model": ("scope", "can't be set at shot, only at project"),
            "s-images.per_prompt": ("invalid", "stands there as perPrompt too"),
            "nobodys.": ("unknown", "there is no such tool"),
            "s-ui.": ("invalid", "isn't an object of fields"),
        }
        assert {edit.field for edit in plan.edits} == {"mode", "per_prompt"}
        assert plan.summary() == "2 settings, 1 not allowed there, 2 unknown, 4 not valid"
        assert store.written == []


async def test_a_value_too_large_is_left_out_with_the_limit(start: Start) -> None:
    async with start(value_limit=1000) as engine:
        plan = await plan_of(engine, {"s-travel": {"prompt": "x" * 2000, "frames": 4}})
        ((why, words),) = said(plan).values()
        assert why == "invalid"
        assert "1,000" in words
        assert [edit.field for edit in plan.edits] == ["frames"]


async def test_what_the_layer_says_already_and_what_is_enforced_is_left_out(start: Start) -> None:
    async with start() as engine:
        other = await engine.open(Travel, OTHER)
        other.update(frames=41)
        await other.enforce("mode", "basic", scope="project", note="house rule")
        plan = await plan_of(
            engine, {"s-travel": {"frames": 41, "mode": "advanced", "strength": 1.0}}
        )
        assert {name: why for name, (why, _) in said(plan).items()} == {
            "s-travel.frames": "same",
            "s-travel.mode": "policy",
        }


async def test_an_import_takes_in_the_named_tools_only_and_leaves_the_other_settings_alone(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        other = await engine.open(Travel, OTHER)
        other.update(strength=0.1)
        document = {"s-travel": {"frames": 41}, "s-images": {"perPrompt": 2}}
        await engine.apply(await plan_of(engine, document, tools=["s-travel"]), actor="ada")
        assert await stored(store, target(Travel, owner="s2")) == {"frames": 41, "strength": 0.1}
        assert await stored(store, target(Images, "shot", "s2")) == {}


async def test_an_import_sets_also_what_equals_the_default(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await engine.apply(await plan_of(engine, {"s-travel": {"frames": 61}}), actor="ada")
        assert await stored(store, target(Travel, owner="s2")) == {"frames": 61}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": {\n  "b": }', "line 2, column 8"),
        ("[tool]\nx = \n", "line 2"),
        ("[tool]\nx =", "line 2"),
        ("[tool]\nx = 1\nx = 2\n", "line 3"),
        ('{"a": {"b": 1, "b": 2}}', "'b' stands twice"),
        ('{"a": {"b": NaN}}', "NaN"),
        ('{"a": ' * 100_000, "too deeply"),
        ('{"a": {"b": ' + "9" * 5000 + "}}", "isn't JSON"),
        ("[1, 2]", "line 1"),
        ('{"$persistence": 3}', "isn't an object"),
        ('{"$persistence": {"format": 2}}', "newer program"),
        (json.dumps({"a": dict.fromkeys(map(str, range(MOST_FIELDS + 1)), 1)}), "10,000"),
    ],
)
async def test_a_malformed_text_is_refused_with_its_line(
    start: Start, store: FailingStore, text: str, problem: str
) -> None:
    async with start() as engine:
        with pytest.raises(InvalidValue) as refused:
            await plan_of(engine, await read_text(text))
        assert refused.value.field == "document"
        assert problem in refused.value.problem


async def test_json_is_told_from_toml_unless_it_is_said() -> None:
    assert await read_text(' {"a": {"b": 1}}') == await read_text("[a]\nb = 1") == {"a": {"b": 1}}
    assert await read_text("\ufeff") == {}
    with pytest.raises(InvalidValue, match="object of tools"):
        await read_text("[1, 2]", "json")
    with pytest.raises(InvalidValue, match="too deeply"):
        await read_text("a = " + "[" * 100_000, "toml")


async def test_a_text_beyond_the_limit_is_refused_with_both_sizes() -> None:
    for form, limit in LIMITS.items():
        with pytest.raises(InvalidValue, match=f"{limit + 1:,} bytes, and at most {limit:,}"):
            await read_text(" " * (limit + 1), form)


@pytest.mark.parametrize(
    "meta",
    [
        {"versions": 3, "pinned": {"s-travel": "frames"}, "blocked": {"s-travel": [3]}},
        {"removed": {"s-travel": 7}, "json": {"s-travel": []}, "enforced": None, "more": {}},
    ],
)
async def test_nonsense_beside_the_tools_is_harmless(start: Start, meta: Any) -> None:
    async with start() as engine:
        plan = await plan_of(engine, {"s-travel": {"frames": 41}, META: meta})
        assert [(edit.field, edit.kind) for edit in plan.edits] == [("frames", "set")]


async def test_values_of_an_older_version_are_migrated_and_of_a_newer_one_left_out(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("persistence.settings.registry", declared := dict(registry))

    class Clip(
        Settings,
        tool="s-exchange-clip",
        edit="shot",
        version=2,
        migrations={1: lambda old: {"frames": old.get("frame_count", 1) * 2, "odd": 1}},
    ):
        frames: int = setting(1)

    registry[Clip.__tool__.tool] = declared[Clip.__tool__.tool]
    try:
        async with start() as engine:
            old = {
                "s-exchange-clip": {"frameCount": 20},
                META: {"versions": {"s-exchange-clip": 1}},
            }
            plan = await plan_of(engine, old)
            assert [(edit.field, edit.value) for edit in plan.edits] == [("frames", 40)]
            assert said(plan).keys() == {"s-exchange-clip.odd"}
            new = {"s-exchange-clip": {"frames": 20}, META: {"versions": {"s-exchange-clip": 3}}}
            plan = await plan_of(engine, new)
            assert plan.is_empty
            assert "version 3, and this app has version 2" in plan.skipped[0].detail
    finally:
        del registry["s-exchange-clip"]


async def test_what_isnt_theirs_can_neither_be_exported_nor_imported_to(start: Start) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return owner != "theirs" and (action == "read" or owner != "readonly")

    async with start(authorise=authorise) as engine:
        with pytest.raises(PermissionDenied):
            await export_text(engine, "shot", "theirs", actor="ada")
        for owner in ("theirs", "readonly"):
            with pytest.raises(PermissionDenied):
                await plan_import(engine, "shot", owner, {}, actor="ada")


async def test_a_failing_store_leaves_an_import_whole(start: Start, store: FailingStore) -> None:
    document = {"s-travel": {"frames": 41}, "s-images": {"perPrompt": 2}}
    async with start() as engine:
        plan = await plan_of(engine, document)
        store.commits.fail()
        with pytest.raises(StoreUnavailable):
            await engine.apply(plan, actor="ada")
        assert await stored(store, target(Travel, owner="s2")) == {}
        await engine.flush()
        assert await stored(store, target(Travel, owner="s2")) == {"frames": 41}
        assert await stored(store, target(Images, "shot", "s2")) == {"per_prompt": 2}


# ------------------------------------------------------------------- the life of entities


async def test_forget_removes_all_tools_of_an_owner_also_those_nobody_looks_at(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        (await engine.open(Travel, MINE)).update(frames=41)
        (await engine.open(Images, MINE)).update(scope="shot", per_prompt=2)
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        assert await engine.forget("shot", "s1") == 2
        assert travel.values.frames == 61
        assert await stored(store) == await stored(store, target(Images, "shot")) == {}


async def test_nothing_is_saved_to_what_is_gone_not_even_by_a_tool_that_wasnt_in_memory(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        await engine.forget("shot", "s1")
        for binding in (travel, engine.bind(Images)):
            await binding.show(MINE)
            with pytest.raises(EditError, match="gone"):
                binding.set("prompt", "back from the dead", scope="shot")
        plan = await plan_import(engine, "shot", "s1", {"s-travel": {"frames": 4}}, actor="")
        assert [each.why for each in plan.skipped] == ["gone"]
        await engine.flush()
        assert store.written == []


async def test_forget_while_the_store_is_away_changes_nothing(
    start: Start, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(scope: str, owner: str) -> int:
        raise StoreUnavailable("away")

    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        with monkeypatch.context() as patched:
            patched.setattr(store, "forget", away)
            with pytest.raises(StoreUnavailable):
                await engine.forget("shot", "s1")
        travel.update(frames=42)
        await travel.flush()
        assert await stored(store, SHOT) == {"frames": 42}


async def test_a_copy_of_a_shot_keeps_pins_and_blocks_and_is_one_action(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41, prompt="a fox")
        travel.pin("strength")
        travel.block("mode")
        assert await engine.copy(("shot", "s1"), ("shot", "s2"), actor="ada") == 3
        rows = await store.history([target(Travel, owner="s2")])
        assert sorted((row.field, row.kind) for row in rows) == [
            ("frames", "set"), ("mode", "block"), ("strength", "pin"),
        ]  # fmt: skip
        assert len({row.group for row in rows}) == 1
