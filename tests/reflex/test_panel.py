"""Panels without a browser: what is made of a declaration, and what is told when somebody asks."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import reflex as rx

from persistence import DeclarationError
from persistence.reflex import (
    SettingsState,
    explain_button,
    field_row,
    origin_badge,
    persisted,
    save_status,
    setting,
    settings_panel,
)
from persistence.reflex.panel import field_items
from persistence.reflex.panel.base import menu_item
from persistence.reflex.panel.explain import PanelState

OWNERS = {"user": "ann", "project": "ann-p", "shot": "ann-A"}


def declare() -> Any:
    class Travel(SettingsState, tool="panel.travel", edit="shot", title="Travel"):
        prompt: rx.Field[str] = setting("", inherit=False, scopes=("shot",), max_length=5000)
        mode: rx.Field[Literal["basic", "advanced"]] = setting("basic")
        frames: rx.Field[int] = setting(
            61, ge=1, le=241, title="Frames", unit="frames", group="Motion",
            shown_if={"mode": "advanced"},
        )  # fmt: skip
        locks: rx.Field[dict[str, bool]] = setting(default_factory=dict, merge=True)
        unseen: rx.Field[str] = setting("", widget="none")

    return Travel


def html(component: rx.Component) -> str:
    return str(component)


async def story_of(site: Any, tab: Any, tool: Any, field: Any) -> Any:
    before = (tab.shows(PanelState, "story") or {}).get("number")
    await tab.send(PanelState.explain, tool=tool, field=field)
    story = tab.shows(PanelState, "story")
    return None if story is None or story["number"] == before else story


def test_a_panel_has_a_row_for_each_setting_but_those_that_want_none(states: Any):
    made = html(settings_panel(declare()))
    for name in ("prompt", "mode", "frames", "locks"):
        assert f'"data-persistence-field":"panel.travel.{name}"' in made
    assert "panel.travel.unseen" not in made
    assert "persistence-dict" in made
    assert '"data-persistence-group":"panel.travel/Motion"' in made


def test_only_some_settings_in_an_order_of_ones_own(states: Any):
    made = html(settings_panel(declare(), only=("mode", "prompt"), header=False))
    assert made.index("panel.travel.mode") < made.index("panel.travel.prompt")
    assert "panel.travel.frames" not in made


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"only": ("nothing",)}, DeclarationError, "has no setting"),
        ({"widgets": {"nothing": lambda _: rx.fragment()}}, DeclarationError, "has no setting"),
        ({"parts": {"footer": lambda _: rx.fragment()}}, TypeError, "has no part"),
    ],
)
def test_what_a_panel_does_not_have_is_refused(states: Any, options: Any, error: Any, words: str):
    with pytest.raises(error, match=words):
        settings_panel(declare(), **options)


def test_a_var_that_is_no_setting_of_a_settings_state_is_refused(states: Any):
    class Other(rx.State):
        columns: rx.Field[int] = persisted(4, tool="panel.other", edit="user")
        plain: int = 0

    for var in (Other.columns, Other.plain):
        with pytest.raises(DeclarationError, match="isn't a setting"):
            field_row(var)


def test_parts_stand_alone(states: Any):
    travel = declare()
    assert "panel.travel.frames" in html(field_row(travel.frames))
    assert "persistence-origin" in html(origin_badge(travel.frames))
    assert "persistence-explain" in html(explain_button(travel.frames))
    line = html(save_status(travel, class_name="mine"))
    assert "persistence-status mine" in line
    assert "Saved" not in line  # the compiled page claims nothing


def test_others_add_items_to_the_menus(states: Any):
    def promote(field: Any) -> rx.Component | None:
        return menu_item(f"Promote {field.name}") if field.spec.inherit else None

    field_items.append(promote)
    try:
        made = html(settings_panel(declare()))
    finally:
        field_items.remove(promote)
    assert "Promote frames" in made
    assert "Promote prompt" not in made


async def test_a_story_is_told_when_somebody_asks_and_held_for_nobody_else(serve: Any):
    travel = declare()
    names = {"ann-p": "Harbour", "bob": "Bob"}
    async with serve(describe=lambda _, ids: {i: names[i] for i in ids if i in names}) as site:
        tab = await site.open("t1")
        other = await site.engine.open(travel, OWNERS, actor="bob")
        other.update(scope="project", frames=50)
        await tab.operate(travel, "frames", 41)
        await site.settle()
        story = await story_of(site, tab, "panel.travel", "frames")
        assert (story["title"], story["value"], story["origin"]) == ("Frames", "41 frames", "shot")
        assert (story["default"], story["if_reset"]) == ("61 frames", "50 frames")
        shot, project, user = story["rows"]
        assert (shot["state"], shot["author"], shot["value"]) == ("wins", "You", "41 frames")
        assert (project["state"], project["owner"], project["author"]) == (
            "shadowed", "Harbour", "Bob",
        )  # fmt: skip
        assert (user["state"], user["kind"], user["owner"]) == ("unset", "", "")
        assert shot["at"] > 0
        assert "frames" not in str(tab.shows(travel, "aside"))


async def test_a_story_of_keys_of_blocks_and_of_nothing_to_reset(serve: Any):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        binding = await site.engine.open(travel, OWNERS, actor="ann")
        binding.set_key("locks", "gens", True)
        binding.block("mode")
        await site.settle()
        locks = await story_of(site, tab, "panel.travel", "locks")
        assert locks["rows"][0]["value"] == "gens: On"
        mode = await story_of(site, tab, "panel.travel", "mode")
        assert (mode["rows"][0]["state"], mode["rows"][0]["value"]) == ("blocks", "")
        prompt = await story_of(site, tab, "panel.travel", "prompt")
        assert prompt["if_reset"] == ""


@pytest.mark.parametrize(
    ("tool", "field"),
    [
        ("panel.travel", "nothing"), ("nothing", "frames"), (3, "frames"), (["panel.travel"], "x"),
        ("panel.travel", ["frames"]), ("panel.travel", None), ({}, {}),
    ],
)  # fmt: skip
async def test_hostile_questions_get_no_answer(serve: Any, tool: Any, field: Any):
    declare()
    async with serve() as site:
        tab = await site.open("t1")
        assert await story_of(site, tab, tool, field) is None


async def test_what_an_actor_may_not_read_has_no_story(serve: Any):
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return owner != "ann-p"

    declare()
    async with serve(authorise=authorise) as site:
        tab = await site.open("t1")
        story = await story_of(site, tab, "panel.travel", "frames")
        assert story is None or story["rows"] == []


async def test_save_writes_once_revert_returns_and_reset_inherits(serve: Any):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        for value in (40, 41, 42):
            await tab.operate(travel, "frames", value)
        await tab.send(travel.save)
        rows = await site.engine.store.history([site.engine.layer(_shot(site)).target])
        assert [row.text for row in rows] == ["42"]
        await tab.operate(travel, "frames", 43)
        await tab.send(travel.revert)
        assert tab.shows(travel, "frames") == 42
        await site.settle()
        assert await site.stored("shot", "ann-A", "panel.travel") == {"frames": "42"}
        await tab.send(travel.reset_field, field="frames")
        assert tab.shows(travel, "frames") == 61
        assert await site.stored("shot", "ann-A", "panel.travel") == {}


def _shot(site: Any) -> Any:
    return next(target for target in site.engine.layers if target.scope == "shot")
