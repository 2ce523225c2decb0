"""The preview: what a plan would change, in words; answered once, by who was asked."""

from __future__ import annotations

from typing import Any

import pytest
import reflex as rx

from persistence import Plan, Target
from persistence.plans import Draft, confirmed_layers
from persistence.reflex import SettingsState, setting
from persistence.reflex.preview import (
    MOST_ROWS,
    Choice,
    PreviewState,
    Question,
    ask,
)
from persistence.reflex.preview_view import preview_dialog
from persistence.reflex.tabs import require_tabs
from persistence.store import open_store
from persistence.testing import FailingStore


def studio() -> Any:
    class Clip(SettingsState, tool="preview-clip", edit="shot", title="Clip"):
        frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames", unit="frames")
        mode: rx.Field[str] = setting("basic", title="Mode")

    class Buttons(rx.State):
        @rx.event
        async def slow_down(self, count: int = 1):
            """Asks whether to give shots 90 frames, or 120."""

            async def plan(frames: int) -> Plan:
                engine = require_tabs().engine
                targets = [Target("shot", f"s{number}", "preview-clip") for number in range(count)]
                draft = Draft("Slow down")
                for layer in await confirmed_layers(engine, targets):
                    draft.change(layer, "frames", "set", frames)
                draft.skip(
                    Target("shot", "s9", "preview-clip"), "mode", "pinned", "is pinned there"
                )
                return draft.plan()

            async def make() -> Question:
                choices = Choice("Slow", await plan(90)), Choice("Slower", await plan(120))
                return Question("Slow down?", choices, button="Slow down", done="Slower now")

            await ask(self, make)

    return Clip, Buttons, PreviewState


def describe(scope: str, ids: list[str]) -> dict[str, str]:
    return {each: f"{scope.title()} {each[1:]}" for each in ids}


def shown(tab: Any, state: Any) -> dict[str, Any]:
    return tab.shows(state, "preview") or {}


async def test_a_question_tells_what_changes_in_words(serve: Any) -> None:
    _, buttons, state = studio()
    async with serve(describe=describe) as site:
        tab = await site.open("one")
        await tab.send(buttons.slow_down, count=2)
        preview = shown(tab, state)
        assert preview["title"] == "Slow down?"
        assert preview["summary"] == "2 shots, 1 pinned"
        assert preview["choices"] == ["Slow", "Slower"]
        assert [group["name"] for group in preview["groups"]] == ["Shot 0", "Shot 1"]
        (row,) = preview["groups"][0]["rows"]
        assert (row["title"], row["before"], row["after"]) == ("Frames", "inherits", "90 frames")
        assert preview["left_out"] == [{"words": "1 pinned", "names": ["Mode – is pinned there"]}]


async def test_what_is_chosen_is_what_is_done_and_the_dialog_closes(serve: Any) -> None:
    _, buttons, state = studio()
    async with serve() as site:
        tab = await site.open("one")
        await tab.send(buttons.slow_down)
        number = shown(tab, state)["number"]
        await tab.send(state.choose, number=number, choice=1)
        assert shown(tab, state)["groups"][0]["rows"][0]["after"] == "120 frames"
        await tab.send(state.confirm, number=number)
        assert shown(tab, state)["number"] == 0
        assert tab.shows(state, "done") == f"{number}|Slower now"
        assert await site.stored("shot", "s0", "preview-clip") == {"frames": "120"}
        await tab.send(state.confirm, number=number)  # twice is once
        rows = await site.engine.store.history([Target("shot", "s0", "preview-clip")])
        assert len(rows) == 1


async def test_cancel_does_nothing(serve: Any) -> None:
    _, buttons, state = studio()
    async with serve() as site:
        tab = await site.open("one")
        await tab.send(buttons.slow_down)
        number = shown(tab, state)["number"]
        await tab.send(state.cancel, number=number)
        assert shown(tab, state)["number"] == 0
        await tab.send(state.confirm, number=number)
        assert await site.stored("shot", "s0", "preview-clip") == {}


async def test_an_outdated_question_is_asked_again_and_says_by_whom(serve: Any) -> None:
    clip, buttons, state = studio()
    async with serve(describe=describe) as site:
        tab = await site.open("one")
        await tab.send(buttons.slow_down)
        number = shown(tab, state)["number"]
        bob = await site.engine.open(clip, {"shot": "s0"}, actor="bob")
        bob.update(frames=7)
        await tab.send(state.confirm, number=number)
        preview = shown(tab, state)
        assert preview["problem"] == "Look again: “Frames” was changed by User ob meanwhile."
        assert preview["groups"][0]["rows"][0]["before"] == "7 frames"
        assert await site.stored("shot", "s0", "preview-clip") == {"frames": "7"}
        await tab.send(state.confirm, number=preview["number"])
        assert await site.stored("shot", "s0", "preview-clip") == {"frames": "90"}


async def test_while_the_database_is_away_it_is_done_and_said_to_be_saved_later(serve: Any) -> None:
    _, buttons, state = studio()
    store = FailingStore(open_store("memory:"))
    async with serve(database=store) as site:
        tab = await site.open("one")
        await tab.send(buttons.slow_down)
        store.commits.fail(None)
        await tab.send(state.confirm, number=shown(tab, state)["number"])
        assert shown(tab, state)["number"] == 0
        assert "saved once the database is back" in tab.shows(state, "done")
        store.commits.mend()
        await site.engine.flush()
        assert await site.stored("shot", "s0", "preview-clip") == {"frames": "90"}


async def test_what_cant_even_be_read_stays_asked(serve: Any) -> None:
    _, buttons, state = studio()
    store = FailingStore(open_store("memory:"))
    async with serve(database=store) as site:
        tab = await site.open("one")
        await tab.send(buttons.slow_down)
        site.engine.layers.pop(Target("shot", "s0", "preview-clip"))
        store.loads.fail(None)
        await tab.send(state.confirm, number=shown(tab, state)["number"])
        assert "can't be reached" in shown(tab, state)["problem"]
        store.loads.mend()
        await tab.send(state.confirm, number=shown(tab, state)["number"])
        assert await site.stored("shot", "s0", "preview-clip") == {"frames": "90"}


async def test_what_isnt_allowed_is_said_and_nothing_is_done(serve: Any) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action == "read" or owner != "s0"

    _, buttons, state = studio()
    async with serve(authorise=authorise) as site:
        tab = await site.open("one")
        await tab.send(buttons.slow_down)
        await tab.send(state.confirm, number=shown(tab, state)["number"])
        assert "no such shot of yours" in shown(tab, state)["problem"]
        assert await site.stored("shot", "s0", "preview-clip") == {}


@pytest.mark.parametrize("number", [0, 99, -1, "1", None, True, 1.5, [1]])
async def test_no_other_number_answers_a_question(serve: Any, number: Any) -> None:
    _, buttons, state = studio()
    async with serve() as site:
        tab = await site.open("one")
        await tab.send(state.confirm, number=number)  # none is open
        await tab.send(buttons.slow_down)
        await tab.send(buttons.slow_down)  # the second takes the place of the first
        for handler in (state.confirm, state.cancel):
            await tab.send(handler, number=1 if number == 99 else number)
        await tab.send(state.choose, number=2, choice=number)
        assert shown(tab, state)["number"] == 2
        assert await site.stored("shot", "s0", "preview-clip") == {}


async def test_another_tab_or_another_person_cant_answer(serve: Any) -> None:
    _, buttons, state = studio()
    async with serve() as site:
        tab, other = await site.open("one"), await site.open("two", "bob")
        await tab.send(buttons.slow_down)
        number = shown(tab, state)["number"]
        await other.send(state.confirm, number=number)
        tab.user = "bob"  # the same browser tab, somebody else signed in
        await tab.send(state.confirm, number=number)
        assert await site.stored("shot", "s0", "preview-clip") == {}


async def test_a_long_plan_is_cut_and_counted(serve: Any) -> None:
    _, buttons, state = studio()
    async with serve() as site:
        tab = await site.open("one")
        await tab.send(buttons.slow_down, count=MOST_ROWS + 5)
        preview = shown(tab, state)
        assert (len(preview["groups"]), preview["more"]) == (MOST_ROWS, 5)
        assert preview["summary"] == f"{MOST_ROWS + 5} shots, 1 pinned"


def test_the_dialog_compiles() -> None:
    made = str(preview_dialog().render())
    assert "data-persistence-open" in made
