"""The library in Chromium, on an app that uses nothing else."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page
    from servers import Server

APP = Path(__file__).parent / "library_app"
SAVING = """() => {
  const state = document.getElementById("state");
  const look = () => { window.wasSaving ||= state.textContent === "saving"; };
  const all = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(state, all);
}"""


@pytest.fixture
def site(server: Any, tmp_path: Path) -> Server:
    return server(APP, FAULTS=str(tmp_path / "faults"))


@pytest.fixture
def faults(tmp_path: Path) -> Any:
    def say(words: str) -> None:
        (tmp_path / "faults").write_text(words)

    return say


def visit(page: Page, site: Server, shot: str = "a") -> Page:
    page.goto(f"{site.url}/shot/{shot}")
    expect(page.locator("#state")).to_have_text("ready")
    return page


def saved(page: Page) -> None:
    """The page says that all is saved, and holds nothing of its own."""
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    expect(page.locator("#status")).to_contain_text("Saved")


def append(page: Page, field: str, text: str, delay: float = 0) -> None:
    """Type at the end of what a field holds."""
    page.locator(field).press("End")
    page.locator(field).press_sequentially(text, delay=delay)


def stored(site: Server, shot: str = "a", tool: str = "travel-ui-state") -> dict[str, Any]:
    """What the database holds for a shot."""
    with sqlite3.connect(f"file:{site.database}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT o.field, j.text FROM persistence_override o"
            " JOIN persistence_change j ON j.revision = o.revision"
            " WHERE o.owner LIKE ? AND o.tool = ? AND o.kind IN ('set', 'pin')",
            (f"%:{shot}", tool),
        ).fetchall()
    return {field: json.loads(text) for field, text in rows}


def comes_to_hold(page: Page, site: Server, values: dict[str, Any]) -> None:
    """The database does for the first shot, with nobody there who could say when."""
    end = time.monotonic() + 20
    while stored(site) != values and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert stored(site) == values


def test_what_is_typed_is_saved_and_there_after_a_reload(site: Server, page: Page):
    visit(page, site)
    append(page, "#prompt", "!")
    expect(page.locator("#prompt-shown")).to_have_text("default prompt!")
    saved(page)
    assert stored(site) == {"prompt": "default prompt!"}
    visit(page, site)
    expect(page.locator("#prompt")).to_have_value("default prompt!")
    expect(page.locator("#origin")).to_have_text("default")


def test_every_kind_of_control_saves_and_follows(site: Server, page: Page):
    visit(page, site)
    page.locator("#text").fill("text area")
    page.locator("#frames").fill("30")
    page.locator("#mode-native").select_option("advanced")
    page.locator("#fast").click()
    page.locator("#strength").fill("0.75")
    saved(page)
    assert stored(site) == {
        "text": "text area", "frames": 30, "mode": "advanced", "fast": True, "strength": 0.75,
    }  # fmt: skip
    expect(page.locator("#fast-native")).to_be_checked()
    expect(page.get_by_role("slider").last).to_have_attribute("aria-valuenow", "30")
    page.get_by_role("slider").last.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#frames")).to_have_value("31")
    page.get_by_role("combobox").last.click()
    page.get_by_role("option", name="basic").click()
    expect(page.locator("#mode-native")).to_have_value("basic")
    saved(page)
    assert stored(site)["frames"] == 31
    assert "mode" not in stored(site) or stored(site)["mode"] == "basic"


def test_two_tabs_show_each_others_changes(site: Server, context: Any):
    user = context()
    one, two = visit(user.new_page(), site), visit(user.new_page(), site)
    one.locator("#prompt").fill("from one")
    expect(two.locator("#prompt")).to_have_value("from one")
    two.locator("#shorten").click()
    expect(one.locator("#frames")).to_have_value("41")


def test_another_user_sees_nothing_of_it(site: Server, context: Any):
    one, two = visit(context().new_page(), site), visit(context().new_page(), site)
    one.locator("#prompt").fill("private")
    saved(one)
    visit(two, site)
    expect(two.locator("#prompt")).to_have_value("default prompt")


def test_typing_is_not_clobbered_by_another_tab(site: Server, context: Any):
    user = context()
    one, two = visit(user.new_page(), site), visit(user.new_page(), site)
    text = "the quick brown fox jumps over"
    one.locator("#prompt").fill("")
    for number, letter in enumerate(text):
        append(one, "#prompt", letter)
        if number % 5 == 0:
            two.locator("#text").fill(f"other {number}")
    expect(one.locator("#prompt")).to_have_value(text)
    saved(one)
    assert stored(site)["prompt"] == text


def test_a_tidied_value_waits_until_the_user_leaves(site: Server, page: Page):
    visit(page, site)
    page.locator("#text").fill("spaces   ")
    saved(page)
    page.evaluate("document.querySelector('#tidy').click()")  # the field keeps its focus
    expect(page.locator("#text")).to_have_value("spaces")
    assert page.evaluate("document.activeElement.id") == "text"


def test_a_tidied_value_is_not_put_into_a_field_that_is_being_typed_in(site: Server, page: Page):
    visit(page, site)
    page.locator("#tidied").press_sequentially("two ")
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    page.wait_for_timeout(300)
    expect(page.locator("#tidied")).to_have_value("two ")
    page.locator("#tidied").press_sequentially("words ")
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    page.locator("#prompt").click()
    expect(page.locator("#tidied")).to_have_value("two words")
    saved(page)
    assert stored(site) == {"tidied": "two words"}


def test_switching_inside_the_debounce_saves_to_the_shot_it_was_typed_in(site: Server, page: Page):
    visit(page, site)
    append(page, "#prompt", "AAA", delay=20)
    page.evaluate("document.querySelector('#to-b').click()")  # without leaving the field
    expect(page).to_have_url(f"{site.url}/shot/b")
    expect(page.locator("#prompt")).to_have_value("default prompt")
    saved(page)
    page.locator("#to-a").click()
    expect(page.locator("#prompt")).to_have_value("default promptAAA")
    assert stored(site, "a") == {"prompt": "default promptAAA"}
    assert stored(site, "b") == {}


def test_saved_survives_sigkill(site: Server, page: Page):
    visit(page, site)
    page.locator("#prompt").fill("kept")
    saved(page)
    site.restart()
    visit(page, site)
    expect(page.locator("#prompt")).to_have_value("kept")


def test_a_click_that_edits_survives_sigkill_as_soon_as_it_shows(site: Server, page: Page):
    visit(page, site)
    for expected in (62, 63, 64):
        page.locator("#more").click()
        expect(page.locator("#frames-shown")).to_have_text(str(expected))
        expect(page.locator("#state")).to_have_text("ready")  # a slow commit shows as "saving"
        site.kill()
        assert stored(site) == {"frames": expected}
        site.start()
        visit(page, site)


def test_what_was_typed_while_the_server_was_gone_arrives_when_it_is_back(site: Server, page: Page):
    visit(page, site)
    site.kill()
    page.locator("#prompt").fill("typed into the void")
    page.wait_for_timeout(1_000)
    site.start()
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    assert stored(site) == {"prompt": "typed into the void"}
    expect(page.locator("#prompt")).to_have_value("typed into the void")


@pytest.mark.parametrize("wait", [0, 60, 250])
def test_a_closed_tab_loses_nothing(site: Server, context: Any, wait: int):
    user: BrowserContext = context()
    page, other = visit(user.new_page(), site), visit(user.new_page(), site, "b")
    append(page, "#prompt", "closing")
    page.wait_for_timeout(wait)
    page.close(run_before_unload=True)
    comes_to_hold(other, site, {"prompt": "default promptclosing"})


def test_defaults_never_flash(site: Server, page: Page):
    visit(page, site)
    page.locator("#prompt").fill("stored")
    saved(page)
    page.add_init_script("""
        window.seen = [];
        const look = () => {
          for (const id of ['prompt-shown', 'skeleton']) {
            const at = document.getElementById(id); if (at) window.seen.push(at.textContent); }
          const input = document.getElementById('prompt'); if (input) window.seen.push('=' +
          input.value); requestAnimationFrame(look); };
        look();
    """)
    visit(page, site)
    page.wait_for_function("window.seen.includes('stored')")
    page.wait_for_timeout(300)
    assert set(page.evaluate("window.seen")) <= {"…", "=", "stored", "=stored"}


def test_a_slow_database_shows_loading_and_the_page_still_answers(
    site: Server, page: Page, faults: Any
):
    visit(page, site, "a")
    page.locator("#shorten").click()
    expect(page.locator("#frames")).to_have_value("41")
    saved(page)
    faults("hold load")
    page.locator("#to-b").click()
    expect(page.locator("#state")).to_have_text("loading")
    expect(page.locator("#prompt")).to_be_disabled()
    page.locator("#tick").click()
    expect(page.locator("#ticks")).to_have_text("1")
    page.locator(
        "#more"
    ).click()  # held up: it must not run on defaults of a shot that isn't there yet
    expect(page.locator("#state")).to_have_text("loading")
    faults("")
    expect(page.locator("#state")).to_have_text("ready")
    expect(page.locator("#frames-shown")).to_have_text("62")
    saved(page)
    assert stored(site, "b") == {"frames": 62}
    assert stored(site, "a") == {"frames": 41}


def test_a_slow_commit_does_not_freeze_the_page(site: Server, page: Page, faults: Any):
    visit(page, site)
    faults("hold commit")
    page.locator("#shorten").click()
    expect(page.locator("#frames-shown")).to_have_text("41")
    expect(page.locator("#state")).to_have_text("saving")
    page.locator("#tick").click()
    expect(page.locator("#ticks")).to_have_text("1")
    assert stored(site) == {}
    faults("")
    saved(page)
    assert stored(site) == {"frames": 41}


def test_a_load_that_fails_says_so_and_heals(site: Server, page: Page, faults: Any):
    visit(page, site)
    faults("fail load")
    page.locator("#to-b").click()
    expect(page.locator("#last-error")).to_contain_text("database is away")
    expect(page.locator("#state")).to_have_text("error")
    faults("")
    expect(page.locator("#state")).to_have_text("ready", timeout=20_000)


def test_a_commit_that_fails_says_so_and_heals(site: Server, page: Page, faults: Any):
    visit(page, site)
    faults("fail commit")
    page.locator("#prompt").fill("held")
    expect(page.locator("#status")).to_contain_text("database is away")
    assert page.evaluate("window.persistence.unconfirmed.length") == 1
    faults("")
    saved(page)
    assert stored(site) == {"prompt": "held"}


def test_out_of_bounds_shows_why_and_keeps_what_was_typed(site: Server, page: Page):
    visit(page, site)
    page.locator("#frames").fill("30")
    saved(page)
    page.locator("#frames").fill("1000")
    expect(page.locator("#frames-error")).to_contain_text("241")
    expect(page.locator("#frames")).to_have_value("1000")
    expect(page.locator("#frames")).to_have_attribute("aria-invalid", "true")
    assert stored(site) == {"frames": 30}
    page.locator("#frames").fill("31")
    expect(page.locator("#frames-error")).to_have_count(0)
    saved(page)
    assert stored(site) == {"frames": 31}


def test_half_a_number_is_not_sent(site: Server, page: Page):
    visit(page, site)
    page.locator("#frames").fill("")
    page.wait_for_timeout(400)
    assert page.evaluate("window.persistence.unconfirmed.length") == 0
    page.locator("#prompt").click()
    expect(page.locator("#frames")).to_have_value("61")
    assert stored(site) == {}


def test_a_press_right_after_typing_comes_after_it(site: Server, page: Page):
    visit(page, site)
    page.locator("#frames").press("Control+a")
    page.locator("#frames").press_sequentially("100")
    page.locator("#more").click()
    expect(page.locator("#frames-shown")).to_have_text("101")
    expect(page.locator("#frames")).to_have_value("101")
    saved(page)
    assert stored(site) == {"frames": 101}


def test_a_text_too_large_for_a_frame_of_the_socket_is_saved(site: Server, page: Page):
    visit(page, site)
    text = "long " * 180_000
    page.locator("#text").fill(text)
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    assert stored(site) == {"text": text}
    expect(page.locator("#state")).to_have_text("ready")


def test_a_reset_takes_the_override_back(site: Server, page: Page):
    visit(page, site)
    page.locator("#frames").fill("90")
    saved(page)
    expect(page.locator("#origin")).to_have_text("shot")
    page.locator("#reset").click()
    expect(page.locator("#frames")).to_have_value("61")
    expect(page.locator("#origin")).to_have_text("default")
    expect(page.locator("#state")).to_have_text("ready")
    assert stored(site) == {}


def test_a_task_that_ends_after_the_switch_writes_to_the_shot_it_began_under(
    site: Server, page: Page
):
    visit(page, site)
    page.locator("#later").click()
    page.locator("#to-b").click()
    comes_to_hold(page, site, {"frames": 77})
    expect(page).to_have_url(f"{site.url}/shot/b")
    expect(page.locator("#frames-shown")).to_have_text("61")
    assert stored(site, "b") == {}


def test_rows_of_a_list_save_to_their_own_entities(site: Server, context: Any):
    user = context()
    page, other = user.new_page(), visit(user.new_page(), site, "b")
    page.goto(f"{site.url}/overview")
    frames = page.locator(".row-frames")
    expect(frames).to_have_count(3)
    frames.nth(1).fill("22")
    expect(other.locator("#frames")).to_have_value("22")
    other.locator("#more").click()
    expect(frames.nth(1)).to_have_value("23")
    expect(other.locator("#frames")).to_have_value("23")
    saved(other)
    page.locator(".row-fast").nth(2).click()
    frames.nth(0).fill("999")
    expect(page.locator(".row-error").nth(0)).to_contain_text("241")
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    assert stored(site, "a") == {}
    assert stored(site, "b") == {"frames": 23}
    assert stored(site, "c") == {"fast": True}


def test_a_single_var_of_any_state_is_saved(site: Server, page: Page):
    page.goto(f"{site.url}/overview")
    expect(page.locator("#columns-shown")).to_have_text("4")
    page.locator("#wider").click()
    expect(page.locator("#columns")).to_have_value("5")
    page.locator("#columns").fill("7")
    expect(page.locator("#columns-shown")).to_have_text("7")
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    site.restart()
    page.goto(f"{site.url}/overview")
    expect(page.locator("#columns")).to_have_value("7")


@pytest.mark.parametrize("number", range(3))
def test_sigterm_saves_what_waits(site: Server, page: Page, number: int):
    visit(page, site)
    page.evaluate(SAVING)  # which may last a moment alone
    page.locator("#prompt").fill(f"last words {number}")
    page.wait_for_function("window.wasSaving")
    assert site.terminate() == 0
    assert stored(site) == {"prompt": f"last words {number}"}
