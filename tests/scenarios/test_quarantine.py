"""Data that can't be read: shown, inherited past, and never gone when an edit takes its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import pytest

from persistence import Engine, Settings, StoreError, Target, setting
from persistence.store import MemoryStore
from persistence.store.base import Layers, Write
from persistence.testing import FailingStore
from tests.scenarios.tools import Start, Travel

PLACE = {"user": "ana", "project": "p1", "shot": "s1"}
BAD = Target("shot", "s1", "quarantined")


def to_2(values: dict[str, Any]) -> dict[str, Any]:
    if values.get("prompt") == "unforeseen":
        raise KeyError("mood")
    return values


class Kept(Settings, tool="quarantined", edit="shot", version=2, migrations={1: to_2}):
    frames: int = setting(61, ge=1, le=241)
    prompt: str = setting("")


def stored(field: str, text: str, version: int = 2) -> Write:
    return Write(BAD, field, "set", text, 0, "bo", "user", 1.0, version=version)


CASES = {
    "no JSON": stored("frames", "{41"),
    "of another type": stored("frames", '"forty"'),
    "out of bounds": stored("frames", "9000"),
    "written by a newer version": stored("frames", '{"first": 1, "last": 9}', version=7),
    "too deep": stored("frames", "[" * 100_000),
}


@pytest.mark.parametrize("write", CASES.values(), ids=CASES)
@pytest.mark.parametrize("edit", ["set", "reset", "to what is inherited", "block"])
async def test_what_cannot_be_read_is_kept_when_an_edit_takes_its_place(
    start: Start, store: FailingStore, write: Write, edit: str
) -> None:
    await store.open()
    await store.commit([write])
    async with start() as engine:
        kept = await engine.open(Kept, PLACE, actor="ana")
        assert kept.values.frames == 61
        assert "frames" in str(kept.last_error)
        assert await engine.quarantined("shot", "s1") == []
        await {
            "set": lambda: change(engine, lambda: kept.update(frames=41)),
            "to what is inherited": lambda: change(engine, lambda: kept.update(frames=61)),
            "reset": lambda: change(engine, lambda: kept.reset("frames")),
            "block": lambda: change(engine, lambda: kept.block("frames")),
        }[edit]()
        (aside,) = await engine.quarantined("shot", "s1")
        assert (aside.target, aside.field, aside.text) == (BAD, "frames", write.text)
        assert (aside.author, aside.version) == ("bo", write.version)
        assert aside.problem
        assert not kept.last_error
    async with start() as engine:
        assert not (await engine.open(Kept, PLACE)).last_error
        (aside,) = await engine.quarantined("shot", "s1")
        assert await engine.remove_quarantined(aside)
        assert await engine.quarantined("shot", "s1") == []
        assert not await engine.remove_quarantined(aside)


async def change(engine: Engine, edit: Callable[[], object]) -> None:
    edit()
    await engine.flush()


async def test_what_a_migration_failed_on_is_kept_too(start: Start, store: FailingStore) -> None:
    await store.open()
    await store.commit([stored("prompt", '"unforeseen"', 1), stored("frames", "50", 1)])
    async with start() as engine:
        kept = await engine.open(Kept, PLACE, actor="ana")
        assert (kept.values.prompt, kept.values.frames) == ("", 61)
        kept.update(prompt="a bridge")
        await engine.flush()
        (aside,) = await engine.quarantined("shot", "s1")
        assert (aside.field, aside.text, aside.version) == ("prompt", '"unforeseen"', 1)
        assert (await store.load([BAD]))[BAD]["frames"].text == "50"


async def test_it_outlasts_pruning_and_ends_with_its_owner(
    start: Start, store: FailingStore
) -> None:
    await store.open()
    await store.commit([stored("frames", "{41")])
    async with start() as engine:
        kept = await engine.open(Kept, PLACE, actor="ana")
        kept.update(frames=41)
        await engine.flush()
        await store.prune(older_than=4e9, keep_operations_after=4e9)
        assert [each.text for each in await engine.quarantined("shot", "s1")] == ["{41"]
        assert await engine.quarantined("shot", "s2") == []
        await engine.forget("shot", "s1")
        assert await engine.quarantined("shot", "s1") == []


async def test_what_can_be_read_is_not_put_aside(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        kept = await engine.open(Kept, PLACE, actor="ana")
        for frames in (41, 42, 43):
            kept.update(frames=frames)
            await engine.flush()
        assert await engine.quarantined("shot", "s1") == []


class Torn(MemoryStore):
    """Its rows are what a damaged file holds: not even their columns are what they should be."""

    def __init__(self) -> None:
        super().__init__()
        self.damage: dict[str, Any] = {}

    async def load(self, targets: Collection[Target]) -> Layers:
        layers = await super().load(targets)
        return {
            target: {field: row._replace(**self.damage) for field, row in rows.items()}
            for target, rows in layers.items()
        }


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": None}, {"kind": "sft"}, {"revision": "x"}, {"revision": None}, {"author": None},
        {"at": "now"}, {"version": None}, {"version": b"1"}, {"text": 7},
    ],
)  # fmt: skip
async def test_a_row_whose_columns_are_damaged_is_told_and_nobody_waits_for_it(
    damage: dict[str, Any],
) -> None:
    store = Torn()
    async with Engine(store, scopes=("shot",), pokes=None) as engine:
        before = await engine.open(Travel, {"shot": "s1"})
        before.update(frames=41)
        await before.flush()
        before.close()
    store.damage = damage
    engine = Engine(store, scopes=("shot",), pokes=None)
    await engine.start()
    async with asyncio.timeout(5):
        travel = await engine.open(Travel, {"shot": "s1"})
    assert travel.values.frames == 61
    assert "frames" in str(travel.last_error)
    await engine.stop(timeout=0.01)


async def test_a_load_that_can_not_be_taken_in_fails_and_closes_the_gate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    async with Engine("memory:", scopes=("shot",), pokes=None) as engine:
        monkeypatch.setattr(engine.loader, "_fill", broken)
        with pytest.raises(StoreError):
            async with asyncio.timeout(5):
                await engine.open(Travel, {"shot": "s1"})
        layer = engine.layer(Target("shot", "s1", "s-travel"))
        assert not layer.gate.is_open
        monkeypatch.undo()
        await asyncio.sleep(30)
        await engine.open(Travel, {"shot": "s1"})
