"""Bad input: an error that names field, problem and limit; nothing else is disturbed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from persistence import (
    EditError,
    InvalidValue,
    NotReady,
    ScopeNotAllowed,
    Target,
    UnknownField,
)
from persistence.testing import FailingStore
from tests.scenarios.tools import (
    MINE,
    OTHER,
    SHOT,
    Images,
    Range,
    Start,
    Travel,
    Ui,
    journal,
    operation,
    stored,
    target,
)

NAMES = [
    "__class__",
    "__dict__",
    "_hidden",
    "router",
    "a.b",
    "",
    "Frames",
    "fram\u0435s",
    "x" * 10_000,
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:12] or "empty")
async def test_an_unknown_private_or_dunder_name_is_refused_on_every_way_in(
    start: Start, store: FailingStore, name: str
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        for attempt in (
            lambda: travel.update(**{name: 1}),
            lambda: travel.set(name, 1),
            lambda: travel.pin(name),
            lambda: travel.block(name),
            lambda: travel.reset(name),
            lambda: travel.get(name),
            lambda: travel.explain(name),
            lambda: travel.set_key(name, "a", 1),
        ):
            with pytest.raises(UnknownField) as caught:
                attempt()
            assert len(str(caught.value)) < 500
        assert set(travel.capture({name: 1}, source="user")) == {name}
        outcome = await engine.submit(operation("op", name, 1), actor="ada", wait=True)
        assert outcome.status == "refused"
        await asyncio.sleep(5)
        assert store.written == []


@pytest.mark.parametrize("field", ["scope", "source", "group", "operation", "durable", "stack"])
async def test_a_field_of_an_undeclared_tool_may_be_called_like_an_argument(
    start: Start, field: str
) -> None:
    async with start() as engine:
        odd = await engine.open("s-odd-names", MINE)
        odd.set(field, 1)
        assert odd.get(field) == 1
        assert odd.capture({field: 2}, source="user") == {}
        assert odd.get(field) == 2


async def test_one_bad_value_of_an_action_leaves_the_good_ones_undone_too(
    start: Start, store: FailingStore
) -> None:
    async with start(value_limit=1000) as engine:
        travel = await engine.open(Travel, MINE)
        with pytest.raises(InvalidValue, match="prompt"):
            travel.update(frames=41, prompt="x" * 2000)
        assert travel.values.frames == 61
        assert not travel.is_dirty
        await asyncio.sleep(5)
        assert store.written == []


async def test_capture_takes_the_good_values_and_tells_the_bad_ones(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        problems = travel.capture({"frames": 999, "mode": "advanced"}, source="user")
        assert set(problems) == {"frames"}
        assert "241" in problems["frames"].problem
        assert (travel.values.frames, travel.values.mode) == (61, "advanced")
        await travel.flush()
        assert await stored(store) == {"mode": "advanced"}


async def test_a_scope_that_the_field_does_not_allow_is_refused(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        images = await engine.open(Images, MINE)
        images.update(model="wan-2")
        for attempt in (
            lambda: images.update(scope="shot", model="x"),
            lambda: images.pin("model", scope="user"),
            lambda: images.block("model", scope="shot"),
        ):
            with pytest.raises(ScopeNotAllowed, match="project"):
                attempt()
        outcome = await engine.submit(
            operation("op", "model", "x", target=target(Images, "shot")), actor="ada", wait=True
        )
        assert (outcome.status, "project" in outcome.problem) == ("refused", True)
        assert images.values.model == "wan-2"
        await engine.flush()
        assert await stored(store, target(Images, "shot")) == {}


async def test_a_scope_that_nobody_named_is_refused(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        with pytest.raises(EditError):
            travel.update(scope="team", frames=41)
        with pytest.raises(ValueError, match="team"):
            await engine.open(Travel, {**MINE, "team": "t1"})
        outcome = await engine.submit(
            operation("op", "frames", 41, target=Target("team", "t1", "s-travel")),
            actor="ada",
            wait=True,
        )
        assert outcome.status == "refused"


async def test_a_scope_that_is_not_shown_is_refused(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, {"user": "ada", "project": "film"})
        with pytest.raises(NotReady, match="shot"):
            travel.update(scope="shot", frames=41)
        assert store.written == []


async def test_a_browser_cannot_write_to_a_tool_that_nobody_declared(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        for tool in ("nobodys", "../x", "s-travel ", "S-TRAVEL"):
            outcome = await engine.submit(
                operation("op-" + tool, "field", 1, target=Target("shot", "s1", tool)),
                actor="ada",
                wait=True,
            )
            assert outcome.status == "refused"
        assert store.written == []


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": "x" * 65},
        {"id": 7},
        {"id": ["a"]},
        {"client": ""},
        {"client": None},
        {"seq": -1},
        {"seq": True},
        {"seq": 1.5},
        {"seq": 2**60},
        {"base": -1},
        {"base": "1"},
        {"kind": "policy"},
        {"kind": "__class__"},
        {"kind": None},
        {"field": ["frames"]},
        {"field": None},
        {"target": Target("shot", "", "s-travel")},
        {"target": Target("shot", "x" * 201, "s-travel")},
        {"target": Target("shot", None, "s-travel")},  # type: ignore[arg-type]
        {"target": Target("shot", ["s1"], "s-travel")},  # type: ignore[arg-type]
        {"value": {"a": float("nan")}},
        {"value": float("inf")},
        {"value": "\ud800"},
        {"value": object},
        {"value": True},
        {"value": "41"},
        {"value": 10**400},
        {"value": [[[[[[[[]]]]]]]]},
    ],
    ids=repr,
)
async def test_a_crooked_operation_is_refused_and_never_an_error_of_ours(
    start: Start, store: FailingStore, changes: dict[str, Any]
) -> None:
    async with start() as engine:
        known: dict[str, Any] = {"name": "op-1", "field": "frames", "value": 41}
        if "id" in changes:
            known["name"] = changes["id"]
        crooked = operation(**{**known, **{k: v for k, v in changes.items() if k != "id"}})
        outcome = await engine.submit(crooked, actor="ada", wait=True)
        assert outcome.status == "refused"
        assert outcome.problem
        await asyncio.sleep(5)
        assert store.written == []


async def test_a_bottomless_value_in_an_operation_is_refused(start: Start) -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    async with start() as engine:
        outcome = await engine.submit(operation("op", "positions", deep), actor="ada", wait=True)
        assert outcome.status == "refused"


async def test_json_lists_stand_for_tuples_in_an_operation(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        one = operation("op", "positions", [["a", 1], ["b", 2]])
        assert (await engine.submit(one, actor="ada", wait=True)).status == "confirmed"
        travel = await engine.open(Travel, MINE)
        assert travel.values.positions == [("a", 1), ("b", 2)]


async def test_the_validators_refuse_every_way_in(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        settings = await engine.open(Range, MINE)
        with pytest.raises(InvalidValue, match="first must not lie after last"):
            settings.update(first=10)
        settings.update(first=10, last=20)  # together they are fine
        assert set(settings.capture({"last": 5}, source="user")) == {"last"}
        outcome = await engine.submit(
            operation("op", "last", 5, target=target(Range)), actor="ada", wait=True
        )
        assert outcome.status == "refused"
        await settings.flush()
        assert await stored(store, target(Range)) == {"first": 10, "last": 20}


async def test_a_key_of_a_dict_that_does_not_merge_cannot_be_set_alone(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        with pytest.raises(EditError, match="table"):
            travel.set_key("table", "b", 2)
        ui = await engine.open(Ui, {"user": "ada"})
        with pytest.raises(InvalidValue, match="locks"):
            ui.set_key("locks", "gens", "yes")
        with pytest.raises(InvalidValue, match="locks"):
            ui.set_key("locks", 3, True)  # type: ignore[arg-type]
        assert ui.values.locks == {"gens": False}


async def test_an_import_with_one_bad_field_adds_nothing(start: Start, store: FailingStore) -> None:
    async with start(value_limit=1000) as engine:
        for bad in (
            {"s-travel": {"frames": 41, "mode": "expert"}},
            {"s-travel": {"frames": 41, "nonsense": 1}},
            {"s-travel": {"frames": 41, "prompt": "x" * 2000}},
            {"s-travel": {"frames": 41}, "s-images": []},
            {"s-travel": {"frames": 41}, "s-images": {"model": "x"}},
        ):
            with pytest.raises(EditError):
                await engine.import_document("shot", "s1", bad, actor="ada")
        await asyncio.sleep(5)
        assert store.written == []


async def test_a_document_goes_out_and_comes_in_by_its_wire_names(
    start: Start, store: FailingStore
) -> None:
    document = {"s-travel": {"frames": 41, "positions": [["a", 1]]}, "s-images": {"perPrompt": 2}}
    async with start() as engine:
        await engine.import_document("shot", "s1", document, actor="ada")
        assert await engine.export_document("shot", "s1") == document
        travel = await engine.open(Travel, MINE)
        assert (travel.values.frames, travel.values.positions) == (41, [("a", 1)])
        assert await engine.export_document("shot", "s2") == {}


async def test_flush_does_not_pass_for_success_when_an_edit_was_set_aside(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        store.commits.refuse(lambda write: write.field == "prompt")
        travel.update(prompt="never", frames=41)
        with pytest.raises(EditError, match="prompt"):
            await travel.flush()
        assert await stored(store) == {"frames": 41}
        travel.update(frames=42)
        await travel.flush()  # what was said once isn't said of other edits


async def test_an_edit_after_the_engine_stopped_is_refused_and_not_silently_lost(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
    with pytest.raises(EditError):
        travel.update(frames=41)


async def test_nothing_is_written_by_looking(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        for owners in (MINE, OTHER, {"user": "ada"}):
            travel = await engine.open(Travel, owners)
            travel.as_dict()
            travel.explain("frames")
            await travel.show(MINE)
            await travel.save()
            travel.mark_as_interacted()
            travel.revert()
            travel.retry()
            travel.reset()
            await travel.flush()
            travel.close()
        assert await journal(engine) == []
        assert store.commits.log == []
        assert SHOT in store.loads.log[0]
