"""What the inspector can be pointed at, and how it words a stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from persistence import UNSET, LayerView, Opinion, Patch
from persistence.inspect import InspectedRow
from workbench import projects
from workbench.access import NotFound
from workbench.inspecting import Entity, find_entities, stack_of
from workbench.states.stack import line_of, opinion_text, text_of

NewUser = Callable[[], str]


async def film(actor: str, name: str = "Harbour at dawn") -> tuple[str, str]:
    project = await projects.create_project(actor, name)
    return project, await projects.create_shot(actor, project, "Gulls over the wake")


async def names(actor: str, text: str) -> list[str]:
    return [each.name for each in await find_entities(actor, text)]


async def test_projects_and_shots_are_found_by_name(new_user: NewUser) -> None:
    ann = new_user()
    await film(ann)
    await film(ann, "Dune")
    assert await names(ann, "harbour") == ["Harbour at dawn", "Gulls over the wake"]
    assert await names(ann, " WAKE ") == ["Gulls over the wake", "Gulls over the wake"]
    assert len(await names(ann, "")) == 4
    assert await names(ann, "nothing") == []


async def test_a_search_is_taken_literally(new_user: NewUser) -> None:
    ann = new_user()
    await film(ann, "100 %")
    await film(ann, "a_b")
    assert await names(ann, "%") == ["100 %", "Gulls over the wake"]
    assert await names(ann, "a_") == ["a_b", "Gulls over the wake"]


async def test_what_no_name_can_hold_is_in_none(new_user: NewUser) -> None:
    ann = new_user()
    await film(ann)
    assert await names(ann, "\ud800") == await names(ann, "\0") == []
    for project, shot in (("\ud800", None), (None, "\ud800"), ("\0", "\0")):
        with pytest.raises(NotFound):
            await stack_of(ann, project, shot)


async def test_only_what_is_ones_own_and_live_is_found(new_user: NewUser) -> None:
    ann, bob = new_user(), new_user()
    project, shot = await film(ann)
    assert await names(bob, "") == []
    await projects.delete_shot(ann, shot)
    assert await names(ann, "") == ["Harbour at dawn"]
    await projects.delete_project(ann, project)
    assert await names(ann, "") == []


async def test_a_stack_is_oneself_then_the_project_then_the_shot(new_user: NewUser) -> None:
    ann = new_user()
    project, shot = await film(ann)
    assert await stack_of(ann, "", "") == [Entity("user", ann, "You")]
    assert [each.scope for each in await stack_of(ann, project, "")] == ["user", "project"]
    whole = await stack_of(ann, "", shot)
    assert [each.id for each in whole] == [ann, project, shot]
    assert whole[-1].within == "Harbour at dawn"
    assert await stack_of(ann, project, shot) == whole


@pytest.mark.parametrize("shot", [None, 3, "x" * 1000, "nothing", "'; --"])
async def test_what_is_foreign_answers_as_if_it_werent_there(
    new_user: NewUser, shot: object
) -> None:
    ann, bob = new_user(), new_user()
    project, own = await film(ann)
    other, _ = await film(ann, "Dune")
    for actor, in_project, at_shot in (
        (bob, project, ""), (bob, "", own), (ann, other, own), (ann, "no", ""), ("", "", ""),
        (ann, "no" if shot is None else "", shot),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await stack_of(actor, in_project, at_shot)


def row(value: Any, origin: str = "shot", **layers: Any) -> InspectedRow:
    said = tuple(
        LayerView(scope, "x", "wins" if scope == origin else "shadowed", "set", each, "", 1.0, 1,
                  "", False)
        for scope, each in layers.items()
    )  # fmt: skip
    return InspectedRow("frames", "frames", "Frames", "", value, origin, 61, "", False, said)


def test_a_line_marks_what_muting_changes() -> None:
    plain, muted = row(41, project=50, shot=41), row(50, "project", project=50, shot=41)
    assert line_of(muted, plain, "/").would
    assert not line_of(plain, plain, "/").would
    assert line_of(plain, plain, "/").place == "Shot"


def test_a_line_is_found_by_its_names_and_by_every_value_in_it() -> None:
    line = line_of(row(41, project="Dusk", shot=41), row(41), "/")
    for text in ("frames", "dusk", "41"):
        assert text in line.searched


def test_a_long_value_is_cut_in_the_table_and_whole_beside_it() -> None:
    line = line_of(row("x" * 1000, shot="x" * 1000), row(""), "/")
    assert len(line.value) == len(line.cells[0].text) == 280
    assert line.whole == "x" * 1000


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "On"), (None, "Not set"), ("", "Empty"), ([], "Empty"), (UNSET, ""), (41, "41"),
     ([("a", 1), ("b", 2)], "a 1, b 2"),
     ({"gens": True}, "gens: On"),
     (Patch({"gens": False}, frozenset({"x"})), "gens: Off, without x"),
     ("a\nb", "a\nb")],
)  # fmt: skip
def test_values_are_worded_for_people(value: Any, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("opinion", "text"),
    [
        (None, "no longer kept"),
        (Opinion("reset"), "Inherited"),
        (Opinion("block"), "Blocked"),
        (Opinion("set", 41), "41"),
        (Opinion("pin", True), "On (pinned)"),
    ],
)
def test_what_a_layer_said_is_worded_for_people(opinion: Opinion | None, text: str) -> None:
    assert opinion_text(opinion, is_secret=False) == text


def test_a_secret_is_masked_in_the_history() -> None:
    assert opinion_text(Opinion("set", "hunter2"), is_secret=True) == "••••••"
