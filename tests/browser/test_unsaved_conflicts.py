"""What met somebody else's edit: mine, theirs and before, in the drawer and at the field.

On a page without Reflex, whose server answers as a test says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect
from unsaved_acts import BASE, MINE, THEIRS, conflict, entry, kept, on_old_base, press, tell, visit
from waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from queue_page import Backend


def test_a_conflict_shows_mine_theirs_and_before_by_name_and_what_differs(
    backend: Backend, page: Page
):
    conflict(page, backend)
    note = page.locator(".persistence-note-conflict")
    expect(note).to_contain_text("Bob changed this on Nov 14, 2023")
    press(note, "Compare")
    it = entry(page, "Prompt")
    mine, theirs = it.locator("[data-side=mine]"), it.locator("[data-side=theirs]")
    expect(mine).to_contain_text(MINE)
    expect(mine.locator("mark")).to_have_text(["old", "leans", "wind"])
    expect(theirs).to_contain_text("Bob")
    expect(theirs.locator("mark")).to_have_text(["turns", "storm"])
    it.get_by_text("Before both").click()
    expect(it.locator("details")).to_contain_text(BASE)
    expect(it.locator("details")).to_contain_text("You")
    expect(page.locator(".persistence-status-text")).to_have_text(
        "Not saved: Bob changed Prompt, too"
    )


def test_mine_is_kept_on_what_stands_now(backend: Backend, page: Page):
    conflict(page, backend)
    press(page.locator(".persistence-note-conflict"), "Keep mine")
    kept(page, 0)
    assert (backend.values(), backend.arrived[-1]["base"]) == ([MINE], 9)
    expect(page.locator(".persistence-note-conflict")).to_have_count(0)


def test_theirs_is_taken_and_the_control_shows_it(backend: Backend, page: Page):
    conflict(page, backend)
    control = page.locator("#prompt")
    tell(control, THEIRS)
    expect(control).to_have_value(MINE)  # until its user has decided
    press(page.locator(".persistence-note-conflict"), "Take theirs")
    kept(page, 0)
    expect(control).to_have_value(THEIRS)
    assert backend.values() == []


def test_both_are_made_one_text(backend: Backend, page: Page):
    conflict(page, backend)
    press(entry(page, "Prompt"), "Edit")
    expect(entry(page, "Prompt").get_by_role("textbox")).to_have_value(MINE)
    press(entry(page, "Prompt"), "Start from theirs")
    text = entry(page, "Prompt").get_by_role("textbox")
    expect(text).to_have_value(THEIRS)
    text.fill("Both.")
    page.keyboard.press("Control+Enter")
    kept(page, 0)
    assert (backend.values(), backend.arrived[-1]["base"]) == (["Both."], 9)


def test_typing_on_never_passes_over_what_somebody_else_wrote_meanwhile(
    backend: Backend, page: Page
):
    backend.verdict = on_old_base
    visit(page, backend)
    control = page.locator("#prompt")
    control.press_sequentially("a", delay=0)
    tell(control, "bob")  # while one types: the control doesn't show it
    control.press_sequentially("bc")
    kept(page, 1)
    control.press_sequentially("d")
    kept(page, 1)
    assert {each["base"] for each in backend.arrived} == {3}
    assert backend.values() == []
    press(page.locator(".persistence-note-conflict"), "Take theirs")
    expect(control).to_have_value("bob")
    control.press_sequentially("!")
    kept(page, 0)
    assert (backend.values(), backend.arrived[-1]["base"]) == (["bob!"], 9)


def test_what_one_decides_just_as_the_next_edit_fails_too_counts_for_that(
    backend: Backend, page: Page
):
    backend.without = {"setTimeout(read, 30)": "setTimeout(read, 500)"}  # what is told comes late
    for way, stays in (("Take theirs", []), ("Keep mine", ["ad"])):
        page.goto("about:blank")
        backend.arrived.clear()
        backend.verdict = on_old_base
        visit(page, backend)
        control = page.locator("#prompt")
        control.fill("a")
        kept(page, 1)
        tell(control, "bob")
        note = page.locator(".persistence-note-conflict")
        expect(note).to_be_visible()
        control.press_sequentially("d")
        page.wait_for_function("persistence.unconfirmed.length === 0")
        press(note, way)
        kept(page, 0)
        until(page, "async () => (await persistence.failed()).length === 0")
        assert backend.values() == stays
