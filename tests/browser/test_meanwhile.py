"""What somebody else changes while one is in the control, on a page without Reflex: nothing that is
being typed is replaced, and nothing that wasn't seen is written over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from queue_page import Backend
from unsaved_acts import conflict, kept, on_old_base, press, tell, visit
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

HALF = "persistence.drafts.length === 0 && persistence.unconfirmed.length === 0"


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend()
    made.verdict = on_old_base
    yield made
    made.close()


def compose(page: Page, text: str) -> Any:
    """Begin a word by an input method. Returns what ends it with a text."""
    session = page.context.new_cdp_session(page)
    at = {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
    session.send("Input.imeSetComposition", at)
    return lambda done: session.send("Input.insertText", {"text": done})


def shown(control: Locator) -> str | None:
    """What the server says, once the page's scripts have had their turn."""
    control.evaluate("() => new Promise((done) => setTimeout(done))")
    return control.input_value()


def test_a_word_that_an_input_method_makes_stays_and_is_asked_about(backend: Backend, page: Page):
    visit(page, backend)
    control = page.locator("#prompt")
    control.focus()
    page.keyboard.press("End")
    end = compose(page, "にほ")
    tell(control, "bob")
    assert shown(control) == "defaultにほ"
    end("日本")
    kept(page, 1)
    expect(control).to_have_value("default日本")
    assert (backend.arrived[-1]["value"], backend.arrived[-1]["base"]) == ("default日本", 3)


def test_a_word_that_is_given_up_is_no_edit_and_shows_what_came(backend: Backend, page: Page):
    visit(page, backend)
    control = page.locator("#prompt")
    control.focus()
    page.keyboard.press("End")
    compose(page, "にほ")
    tell(control, "bob")
    compose(page, "")
    expect(control).to_have_value("bob")
    assert backend.arrived == []


def test_a_number_that_is_typed_anew_isnt_filled_in_meanwhile(backend: Backend, page: Page):
    visit(page, backend)
    control = page.locator("#frames")
    control.evaluate(
        "node => { node.type = 'number'; node.dataset.persistenceKind = 'number';"
        " node.dataset.persistenceValue = '61'; }"
    )
    expect(control).to_have_value("61")
    control.focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    tell(control, "7")
    control.evaluate("node => { node.dataset.persistenceValue = '7'; }")
    assert shown(control) == ""
    page.keyboard.type("5")
    kept(page, 1)  # somebody else's 7 wasn't seen
    expect(control).to_have_value("5")
    assert (backend.arrived[-1]["value"], backend.arrived[-1]["base"]) == (5, 3)


def test_a_number_beside_a_slider_isnt_filled_in_meanwhile_either(backend: Backend, page: Page):
    visit(page, backend)
    page.evaluate(
        """() => {
            const number = document.getElementById("frames"), slider = number.cloneNode();
            for (const [each, type] of [[slider, "range"], [number, "number"]]) {
                Object.assign(each, { type, max: 241 });
                Object.assign(each.dataset, { persistenceKind: "number", persistenceValue: "61" });
            }
            slider.id = "slider";
            number.before(slider);
        }"""
    )
    control, slider = page.locator("#frames"), page.locator("#slider")
    expect(control).to_have_value("61")
    control.focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.evaluate(
        "() => { for (const each of ['slider', 'frames'])"
        " document.getElementById(each).dataset.persistenceValue = '7'; }"
    )
    tell(control, "7")
    tell(slider, "7")
    assert shown(control) == ""
    page.keyboard.type("5")
    kept(page, 1)
    expect(control).to_have_value("5")


def test_a_number_that_is_given_up_half_shows_what_came(backend: Backend, page: Page):
    visit(page, backend)
    control = page.locator("#frames")
    control.evaluate(
        "node => { node.type = 'number'; node.dataset.persistenceKind = 'number';"
        " node.dataset.persistenceValue = '61'; }"
    )
    expect(control).to_have_value("61")
    control.fill("")
    control.evaluate("node => { node.dataset.persistenceValue = '7'; }")
    assert shown(control) == ""
    control.blur()
    expect(control).to_have_value("7")
    until(page, HALF)


def act(page: Page, kind: str) -> None:
    page.evaluate("kind => persistence.act(kind, document.getElementById('prompt'))", kind)


@pytest.mark.parametrize("kind", ["reset", "block", "pin"])
def test_what_a_menu_does_is_made_on_what_its_control_showed(
    backend: Backend, page: Page, kind: str
):
    visit(page, backend)
    control = page.locator("#prompt")
    control.press_sequentially("a", delay=0)
    tell(control, "bob")  # while one types: the control doesn't show it
    act(page, kind)
    kept(page, 1)
    assert {each["base"] for each in backend.arrived} == {3}


def test_who_resets_in_a_conflict_is_asked_once_and_the_control_follows(
    backend: Backend, page: Page
):
    conflict(page, backend)
    act(page, "reset")
    kept(page, 1)
    note = page.locator(".persistence-note-conflict")
    expect(note).to_contain_text("Yours: Nothing set here: inherited")
    press(note, "Keep mine")
    kept(page, 0)
    assert (backend.arrived[-1]["kind"], backend.arrived[-1]["base"]) == ("reset", 9)
    control = page.locator("#prompt")
    tell(control, "inherited")
    expect(control).to_have_value("inherited")
