"""The whole stack of a tool as a table: winners, losers, marks, muted layers, secrets."""

from __future__ import annotations

from typing import Any

import pytest

from persistence import UNSET, Binding, Engine, Patch, Settings, setting
from persistence.inspect import MASKED, InspectedRow, inspect, words
from persistence.store.base import Write
from persistence.testing import FailingStore
from persistence.vault import Vault
from tests.scenarios.tools import MINE, SHOT, Images, Start, Travel, Ui, target


@pytest.fixture
def keys_tool(monkeypatch: pytest.MonkeyPatch) -> type[Settings]:
    """Declared for one test: an engine without a key refuses to start where there is a secret."""
    monkeypatch.setattr("persistence.settings.registry", {})

    class Keys(Settings, tool="s-keys", edit="user"):
        token: str = setting("", secret=True)
        region: str = setting("eu")

    return Keys


def rows(binding: Binding[Any], **options: Any) -> dict[str, InspectedRow]:
    assert binding.view is not None
    return {row.field: row for row in inspect(binding.view, **options)}


def states(row: InspectedRow) -> dict[str, str]:
    return {layer.scope: layer.state for layer in row.layers}


async def frames_on_all_layers(engine: Engine) -> Binding[Travel]:
    travel: Binding[Travel] = await engine.open(Travel, MINE, actor="ada")
    for scope, frames in (("user", 10), ("project", 20), ("shot", 30)):
        travel.update(frames=frames, scope=scope)
    return travel


async def test_a_row_tells_what_each_layer_says_and_which_one_wins(start: Start) -> None:
    async with start() as engine:
        travel = await frames_on_all_layers(engine)
        row = rows(travel)["frames"]
        assert (row.title, row.alias, row.default) == ("Frames", "frames", 61)
        assert (row.value, row.origin) == (30, "shot")
        assert [(cell.scope, cell.value) for cell in row.layers] == [
            ("user", 10),
            ("project", 20),
            ("shot", 30),
        ]
        assert states(row) == {"user": "shadowed", "project": "shadowed", "shot": "wins"}
        assert {cell.author for cell in row.layers} == {"ada"}


async def test_rows_stand_in_the_order_of_the_declaration_and_those_unset_say_so(
    start: Start,
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        table = rows(travel)
        assert list(table) == list(Travel.__tool__.fields)
        assert table["mode"].origin == "default"
        assert table["mode"].value == table["mode"].default == "basic"
        assert not table["mode"].is_set
        assert set(states(table["mode"]).values()) == {"unset"}


async def test_revisions_and_times_are_those_of_the_stored_rows(start: Start) -> None:
    async with start() as engine:
        travel = await frames_on_all_layers(engine)
        pending = rows(travel)["frames"].layers[-1]
        assert pending.pending
        assert pending.revision == 0
        await travel.flush()
        stored = rows(travel)["frames"].layers[-1]
        assert not stored.pending
        assert stored.revision > 0
        assert stored.at > 0


async def test_muting_a_layer_shows_what_would_be_without_it(start: Start) -> None:
    async with start() as engine:
        travel = await frames_on_all_layers(engine)
        row = rows(travel, muted={"shot"})["frames"]
        assert (row.value, row.origin) == (20, "project")
        assert states(row) == {"user": "shadowed", "project": "wins", "shot": "muted"}
        assert row.layers[-1].value == 30, "what it says can still be read"
        assert rows(travel, muted={"shot", "project"})["frames"].value == 10
        everything = rows(travel, muted={"user", "project", "shot"})["frames"]
        assert (everything.value, everything.origin) == (61, "default")
        assert rows(travel)["frames"].value == travel.values.frames == 30, "nothing was changed"


async def test_muting_a_layer_lifts_its_policy(start: Start) -> None:
    async with start() as engine:
        travel = await frames_on_all_layers(engine)
        await travel.enforce("frames", 5, scope="project", note="the budget")
        row = rows(travel)["frames"]
        assert (row.value, row.policy) == (5, "project")
        assert states(row) == {"user": "shadowed", "project": "wins", "shot": "shadowed"}
        assert (row.layers[1].kind, row.layers[1].note) == ("policy", "the budget")
        lifted = rows(travel, muted={"project"})["frames"]
        assert (lifted.value, lifted.policy) == (30, "")


async def test_a_block_wins_with_the_default(start: Start) -> None:
    async with start() as engine:
        travel = await frames_on_all_layers(engine)
        travel.block("frames")
        row = rows(travel)["frames"]
        assert (row.value, row.origin) == (61, "shot")
        assert states(row)["shot"] == "blocks"
        assert row.layers[-1].value is UNSET


async def test_content_comes_from_its_own_layer_or_from_none(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(prompt="gulls", scope="project")
        travel.update(prompt="open sea")
        assert rows(travel)["prompt"].value == "open sea"
        muted = rows(travel, muted={"shot"})["prompt"]
        assert (muted.value, muted.origin) == ("", "default")
        assert states(muted)["project"] == "shadowed"


async def test_a_merging_setting_is_folded_again_without_the_muted_layer(start: Start) -> None:
    async with start() as engine:
        ui = await engine.open(Ui, MINE)
        ui.set_key("locks", "gens", True, scope="user")
        ui.set_key("locks", "shots", True, scope="shot")
        assert rows(ui)["locks"].value == {"gens": True, "shots": True}
        muted = rows(ui, muted={"user"})["locks"]
        assert muted.value == {"gens": False, "shots": True}
        assert muted.layers[0].value == Patch({"gens": True})


async def test_a_secret_is_masked_wherever_it_would_stand(
    start: Start, keys_tool: type[Settings]
) -> None:
    async with start(key=Vault.new_key()) as engine:
        keys: Binding[Any] = await engine.open(keys_tool, {"user": "ada"})
        assert rows(keys)["token"].value == "", "an empty one may be seen to be empty"
        keys.update(token="hunter2", region="us")
        await keys.flush()
        table = rows(keys)
        assert table["token"].is_secret
        assert table["token"].value == table["token"].layers[0].value == MASKED
        assert table["region"].value == "us"
        assert "hunter2" not in repr(table)


async def test_what_cant_be_read_is_in_the_table_with_the_reason(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        await store.store.commit(
            [
                Write(SHOT, field, "set", text, 0, "ada", "user", 1.0)
                for field, text in (("frames", '"many"'), ("tempo", "3"), ("mode", "{"))
            ]
        )
        table = rows(await engine.open(Travel, MINE))
        assert (table["frames"].value, table["frames"].origin) == (61, "default")
        assert states(table["frames"])["shot"] == "unreadable"
        assert "whole number" in table["frames"].layers[-1].note
        assert table["tempo"].value is UNSET
        assert table["tempo"].layers[-1].note == "no such setting any more"
        assert table["tempo"].is_set
        assert list(table)[-1] == "tempo"


async def test_a_tool_that_nobody_declared_shows_what_is_stored(start: Start) -> None:
    async with start() as engine:
        unknown: Binding[Any] = await engine.open("s-undeclared", MINE)
        unknown.set("zeta", [1, 2])
        unknown.set("alpha", 0, scope="project")
        table = rows(unknown)
        assert list(table) == ["alpha", "zeta"]
        assert (table["alpha"].value, table["alpha"].origin) == (0, "project")
        assert table["zeta"].value == [1, 2]


async def test_the_table_gives_copies(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(positions=[("a", 1)])
        for _ in range(2):
            row = rows(travel)["positions"]
            assert row.value == row.layers[-1].value == [("a", 1)]
            row.value.clear()
            row.layers[-1].value.clear()


async def test_a_stack_of_fewer_layers_is_as_good(start: Start) -> None:
    async with start() as engine:
        images = await engine.open(Images, {"project": MINE["project"]})
        images.update(per_prompt=2)
        row = rows(images)["per_prompt"]
        assert (row.value, states(row)) == (2, {"project": "wins"})
        assert target(Images, "project").owner == row.layers[0].owner


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("gulls  over\nthe wake", "gulls over the wake"),
        ("", '""'),
        ("  ", '"  "'),
        (True, "true"),
        (None, "null"),
        (UNSET, ""),
        ([("a", 1)], '[["a", 1]]'),
        ({"ä": 0.5}, '{"ä": 0.5}'),
        (Patch({"b": True, "a": "x"}, frozenset({"z"})), "a: x, b: true, without z"),
    ],
)
def test_a_value_reads_as_one_line(value: Any, line: str) -> None:
    assert words(value) == line
