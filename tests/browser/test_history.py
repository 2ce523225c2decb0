"""History and undo in Chromium: buttons, keys, what is told, and how it looks to a keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from servers import Server

APP = Path(__file__).parent / "library_app"


@pytest.fixture
def site(server: Any) -> Server:
    return server(APP)


def visit(page: Page, site: Server, shot: str = "a") -> Page:
    page.goto(f"{site.url}/history/{shot}")
    expect(page.locator("#scene")).to_have_attribute("aria-busy", "false")
    return page


def control(page: Page, field: str) -> Locator:
    return (
        page.locator(f'#scene [data-persistence-field$=".{field}"]').locator("input, textarea").last
    )


def steps(page: Page) -> Locator:
    return page.locator("#history .persistence-steps > li")


def undo(page: Page) -> Locator:
    return page.locator("[data-persistence-key=undo]")


def toast(page: Page) -> Locator:
    return page.locator("#undo .persistence-toast")


def saved(page: Page) -> None:
    page.wait_for_function("window.persistence.unconfirmed.length === 0")


def test_an_action_is_undone_by_button_and_by_keys_and_after_a_reload(site: Server, page: Page):
    visit(page, site)
    expect(undo(page)).to_be_disabled()
    page.locator("#both").click()
    expect(control(page, "frames")).to_have_value("12")
    expect(undo(page)).to_have_attribute("aria-label", "Undo: 2 settings in shot a")
    visit(page, site)
    undo(page).click()
    expect(control(page, "frames")).to_have_value("61")
    expect(toast(page)).to_have_text("Undid: 2 settings in shot a")
    page.locator("body").press("Control+y")
    expect(control(page, "frames")).to_have_value("12")
    page.locator("body").press("Control+z")
    expect(control(page, "frames")).to_have_value("61")
    page.locator("body").press("Control+Shift+Z")
    expect(control(page, "frames")).to_have_value("12")
    expect(toast(page)).to_be_visible()
    visit(page, site)
    expect(undo(page)).to_be_enabled()  # the state has come; what it told stays told
    expect(toast(page)).to_be_hidden()


SLOW_STORAGE = """() => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (record) {
        for (let turns = 0; turns < 400; turns += 1) this.get("nothing");
        return put.call(this, record);
    };
}"""


def test_undo_takes_back_what_was_edited_last_though_it_is_still_on_its_way(
    site: Server, page: Page
):
    visit(page, site)
    control(page, "frames").fill("30")
    saved(page)
    expect(undo(page)).to_have_attribute("aria-label", "Undo: Frames in shot a")
    page.evaluate(SLOW_STORAGE)
    # In one go, as quick hands do.
    control(page, "prompt").evaluate(
        """(node) => {
            node.value = "gulls";
            node.dispatchEvent(new Event("input", { bubbles: true }));
            document.querySelector("[data-persistence-key=undo]").click();
            document.querySelector("[data-persistence-key=undo]").click();
        }"""
    )
    expect(toast(page)).to_have_text("Undid: Prompt in shot a")
    expect(control(page, "prompt")).not_to_have_value("gulls")
    expect(control(page, "frames")).to_have_value("30")


def test_in_a_text_the_browsers_own_undo_stays_and_typing_is_one_step(site: Server, page: Page):
    visit(page, site)
    prompt = control(page, "prompt")
    prompt.press_sequentially("fog over the harbour", delay=5)
    saved(page)
    prompt.press("Control+z")
    expect(prompt).not_to_have_value("fog over the harbour")  # the browser's
    expect(toast(page)).to_be_hidden()
    visit(page, site, "b")  # typed without a pause, which would begin another step
    prompt.press_sequentially("fog over the harbour", delay=50)
    saved(page)
    expect(steps(page)).to_have_count(1)
    page.locator("h2").first.click()
    undo(page).click()
    expect(prompt).to_have_value("")
    expect(steps(page)).to_have_count(2)
    expect(steps(page).first).to_contain_text("undid")


def test_history_tells_lives_filters_and_restores(site: Server, page: Page):
    visit(page, site)
    expect(page.locator("#history")).to_contain_text("Nothing was changed yet.")
    control(page, "frames").fill("24")
    expect(steps(page)).to_have_count(1)
    page.locator("#bob").click()
    expect(steps(page)).to_have_count(2)
    expect(steps(page).first).to_contain_text("user bob")
    expect(steps(page).first).to_contain_text("24→33")
    page.locator("#history select").first.select_option("scene.mood")
    expect(steps(page)).to_have_count(0)
    page.locator("#history select").first.select_option("")
    expect(steps(page)).to_have_count(2)
    steps(page).last.get_by_role("button", name="Restore “Frames”").click()
    dialog = page.locator("#persistence-preview")
    expect(dialog).to_contain_text("Restore “Frames”?")
    dialog.get_by_role("button", name="Restore", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(control(page, "frames")).to_have_value("24")
    page.locator("#to-b").click()
    expect(page.locator("#history")).to_contain_text("Nothing was changed yet.")


def test_a_page_whose_server_began_anew_goes_on_telling_what_is_next_and_what_was_done(
    site: Server, page: Page
):
    visit(page, site)
    control(page, "frames").fill("24")
    expect(undo(page)).to_have_attribute("aria-label", "Undo: Frames in shot a")
    site.restart()
    expect(undo(page)).to_have_attribute("aria-label", "Undo: Frames in shot a", timeout=15_000)
    page.locator("#both").click()
    expect(undo(page)).to_have_attribute("aria-label", "Undo: 2 settings in shot a")
    expect(steps(page)).to_have_count(2)


def test_one_is_asked_before_somebody_elses_change_is_undone(site: Server, page: Page):
    visit(page, site)
    page.locator("#both").click()
    expect(undo(page)).to_be_enabled()
    page.locator("#bob").click()
    expect(control(page, "frames")).to_have_value("33")
    undo(page).focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#persistence-preview")
    expect(dialog).to_contain_text("user bob changed Frames in shot a to 33 since.")
    expect(dialog.locator("[data-persistence-first]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(control(page, "frames")).to_have_value("33")
    expect(toast(page)).to_contain_text("Left out")


def test_a_moment_gets_a_name_and_is_compared(site: Server, page: Page):
    visit(page, site)
    control(page, "frames").fill("24")
    expect(steps(page)).to_have_count(1)
    page.get_by_text("Named moments").click()
    page.get_by_label("Name this moment").fill("before grading")
    page.get_by_role("button", name="Name it").click()
    expect(page.locator(".persistence-moments li")).to_have_count(1)
    expect(page.get_by_label("Name this moment")).to_have_value("")
    page.locator("#both").click()
    page.get_by_role("button", name="Compare “before grading” with now").click()
    compared = page.locator(".persistence-compared")
    expect(compared).to_contain_text("From before grading to now")
    expect(compared.locator("dl > div")).to_have_count(2)
    expect(compared).to_contain_text("inherited→Wild")
