"""Panels in Chromium: every widget edits and saves; where values come from; by keyboard alone."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from waiting import emptied

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from servers import Server

APP = Path(__file__).parent / "library_app"


@pytest.fixture
def site(server: Any, tmp_path: Path) -> Server:
    return server(APP, FAULTS=str(tmp_path / "faults"))


@pytest.fixture
def faults(tmp_path: Path) -> Any:
    return lambda words: (tmp_path / "faults").write_text(words)


def visit(page: Page, site: Server, shot: str = "a") -> Page:
    page.goto(f"{site.url}/panel/{shot}")
    expect(page.locator("#every")).to_have_attribute("aria-busy", "false")
    return page


def row(page: Page, field: str, panel: str = "#every") -> Locator:
    return page.locator(f'{panel} [data-persistence-field$=".{field}"]')


def control(page: Page, field: str) -> Locator:
    return row(page, field).locator("input, textarea, select").last


def choose(page: Page, field: str, item: str) -> None:
    """An item of a field's menu."""
    row(page, field).get_by_role("button", name=": more").click()
    page.locator(".persistence-menu:popover-open").get_by_text(item, exact=True).click()


def saved(page: Page) -> None:
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    expect(page.locator("#line")).to_have_attribute("data-state", "ready")


def stored(site: Server, scope: str = "shot", tool: str = "every") -> dict[str, Any]:
    """What the database holds in a layer; None where there is no text, as of secrets."""
    with sqlite3.connect(f"file:{site.database}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT o.field, j.text FROM persistence_override o"
            " JOIN persistence_change j ON j.revision = o.revision"
            " WHERE o.scope = ? AND o.tool = ? AND o.kind != 'reset'",
            (scope, tool),
        ).fetchall()
    return {field: None if text is None else json.loads(text) for field, text in rows}


def story(page: Page) -> Locator:
    popover = page.locator("#persistence-explain")
    expect(popover).to_be_visible()
    expect(popover).not_to_have_attribute("data-waiting", "")
    return popover


def edit_every_widget(page: Page) -> None:
    row(page, "prompt").locator("textarea").fill("gulls\nover the wake")
    control(page, "model").fill("wan-2")
    control(page, "nickname").fill("Jo")
    control(page, "frames").fill("41")
    row(page, "strength").locator("input[type=range]").fill("0.75")
    row(page, "fast").get_by_role("switch").click()
    row(page, "cached").get_by_role("radio", name="Off").click()
    row(page, "mode").get_by_role("radio", name="Advanced").click()
    row(page, "mood").get_by_role("radio", name="Wild").click()
    control(page, "quality").select_option(label="Best there is")
    control(page, "shown_on").fill("2026-02-03")
    control(page, "words").press_sequentially("sea,fog")
    control(page, "words").press("Enter")
    row(page, "numbers").get_by_role("button", name="Add").click()
    page.keyboard.type("7")
    row(page, "cues").get_by_role("button", name="Add").click()
    page.keyboard.type("wide")
    row(page, "cues").get_by_role("spinbutton").fill("24")
    row(page, "spots").get_by_role("button", name="Add").click()
    page.keyboard.type("first")
    row(page, "size").get_by_label("Width").fill("1920")
    row(page, "panes").get_by_role("switch", name="Shots").click()
    row(page, "tones").get_by_role("button", name="Add").click()
    page.keyboard.type("red")
    row(page, "tones").get_by_role("spinbutton").fill("3")
    row(page, "anything").locator("textarea").fill('{"a": [1, 2]}')
    control(page, "token").fill("a secret")
    control(page, "steps").fill("12")


EVERY = {
    "prompt": "gulls\nover the wake", "model": "wan-2", "nickname": "Jo", "frames": 41,
    "strength": 0.75, "fast": True, "cached": False, "mode": "advanced", "mood": "wild",
    "quality": "best", "steps": 12, "shown_on": "2026-02-03", "words": ["sea", "fog"],
    "numbers": [7], "cues": [{"frame": 24, "loud": False, "name": "wide"}],
    "spots": [["first", 0]], "size": [1920, 720], "panes": {"remove": [], "set": {"shots": True}},
    "tones": {"red": 3}, "anything": {"a": [1, 2]},
}  # fmt: skip


def test_every_widget_edits_saves_and_survives_a_kill(site: Server, page: Page):
    visit(page, site)
    edit_every_widget(page)
    saved(page)
    assert stored(site) == EVERY
    assert stored(site, "user") == {"token": None}
    site.restart()
    visit(page, site)
    expect(row(page, "prompt").locator("textarea")).to_have_value("gulls\nover the wake")
    expect(row(page, "strength").locator("input[type=number]")).to_have_value("0.75")
    expect(row(page, "mood").get_by_role("radio", name="Wild")).to_be_checked()
    expect(row(page, "words").get_by_role("listitem")).to_have_text(["sea", "fog"])
    expect(row(page, "cues").get_by_role("spinbutton")).to_have_value("24")
    expect(row(page, "panes").get_by_role("switch", name="Shots")).to_be_checked()
    expect(row(page, "panes").get_by_role("switch", name="Generations")).not_to_be_checked()
    expect(control(page, "token")).to_have_value("")
    expect(control(page, "token")).to_have_attribute("placeholder", "•••••••• (stored)")
    expect(row(page, "steps")).to_be_visible()


def test_every_widgets_edits_outlive_page_and_server_and_a_secret_is_on_no_disk(
    site: Server, page: Page
):
    visit(page, site)
    row(page, "mode").get_by_role("radio", name="Advanced").click()
    expect(row(page, "steps")).to_be_visible()  # which the server decides
    saved(page)
    site.kill()
    edit_every_widget(page)
    page.wait_for_function("persistence.unkept.every(({ isSecret }) => isSecret)")
    page.goto("about:blank")
    site.start()
    visit(page, site)
    emptied(page)
    assert stored(site) == EVERY
    assert stored(site, "user") == {}


def test_what_another_tab_edits_comes_into_every_widget_and_typing_stays(
    site: Server, context: Any
):
    user = context()
    one, two = visit(user.new_page(), site), visit(user.new_page(), site)
    row(two, "spots").get_by_role("button", name="Add").click()
    two.keyboard.type("mine")
    saved(two)
    expect(row(one, "spots").get_by_role("textbox")).to_have_value("mine")
    row(two, "spots").get_by_role("textbox").press_sequentially(" and more", delay=5)
    edit_every_widget(one)
    expect(control(two, "frames")).to_have_value("41")
    expect(row(two, "words").get_by_role("listitem")).to_have_text(["sea", "fog"])
    expect(row(two, "tones").get_by_role("textbox")).to_have_value("red")
    expect(row(two, "size").get_by_label("Width")).to_have_value("1920")
    expect(row(two, "anything").locator("textarea")).to_have_value(
        '{\n  "a": [\n    1,\n    2\n  ]\n}'
    )
    two.locator("#handler").click()
    expect(row(one, "words").get_by_role("listitem")).to_have_text(["from", "a", "handler"])


def test_keys_of_a_merging_dict_of_two_tabs_dont_undo_one_another(site: Server, context: Any):
    user = context()
    one, two = visit(user.new_page(), site), visit(user.new_page(), site)
    row(one, "panes").get_by_role("switch", name="Generations").click()
    row(two, "panes").get_by_role("switch", name="Shots").click()
    saved(one)
    saved(two)
    assert stored(site)["panes"]["set"] == {"gens": True, "shots": True}
    expect(row(one, "panes").get_by_role("switch", name="Shots")).to_be_checked()


def test_the_story_tells_every_layer_and_what_a_reset_would_give(site: Server, page: Page):
    visit(page, site)
    choose(page, "frames", "Project")
    edits(page, "frames", "project")
    control(page, "frames").fill("50")
    saved(page)
    choose(page, "frames", "This shot")
    edits(page, "frames", "shot")
    control(page, "frames").fill("41")
    saved(page)
    row(page, "frames").get_by_role("button", name="This shot").click()
    told = story(page)
    expect(told.get_by_role("row")).to_have_count(5)
    expect(told.get_by_role("row").nth(1)).to_contain_text("This shot")
    expect(told.get_by_role("row").nth(1)).to_contain_text("41 frames")
    expect(told.get_by_role("row").nth(1)).to_contain_text("You")
    expect(told.get_by_role("row").nth(2)).to_contain_text("50 frames")
    expect(told.get_by_role("row").nth(2)).to_contain_text("project p")
    expect(told.get_by_role("row").nth(3)).to_contain_text("inherits")
    expect(told.get_by_role("row").nth(4)).to_contain_text("61 frames")
    expect(told).to_contain_text("If reset: 50 frames")
    expect(told.locator("time").first).not_to_be_empty()
    page.keyboard.press("Escape")
    expect(told).not_to_be_visible()
    choose(page, "fast", "Where this comes from")
    expect(story(page).get_by_role("heading")).to_have_text("Fast")
    expect(page.locator("#persistence-announcer")).to_contain_text("Fast. Off from Default")


def edits(page: Page, field: str, scope: str) -> None:
    """The control is that of a scope's value: another scope's is another control."""
    target = re.compile(rf'^\["{scope}"')
    expect(control(page, field)).to_have_attribute("data-persistence-target", target)


def test_reset_pin_and_block_from_the_menu(site: Server, page: Page):
    visit(page, site)
    control(page, "frames").fill("41")
    saved(page)
    choose(page, "frames", "Reset to what is inherited")
    expect(control(page, "frames")).to_have_value("61")
    choose(page, "quality", "Pin this value")
    expect(row(page, "quality")).to_contain_text("pinned")
    choose(page, "limit", "Project")
    edits(page, "limit", "project")
    control(page, "limit").fill("9")
    saved(page)
    choose(page, "limit", "This shot")
    edits(page, "limit", "shot")
    expect(control(page, "limit")).to_have_value("9")
    choose(page, "limit", "Block what is inherited")
    expect(control(page, "limit")).to_have_value("")
    expect(row(page, "limit")).to_contain_text("blocked")
    saved(page)
    assert stored(site) == {"quality": "middle", "limit": None}
    row(page, "limit").get_by_role("button", name="Reset Limit").click()
    expect(control(page, "limit")).to_have_value("9")


def test_a_policy_closes_the_control_and_says_who_and_why(site: Server, page: Page):
    visit(page, site)
    page.locator("#rule").click()
    expect(control(page, "frames")).to_be_disabled()
    expect(control(page, "frames")).to_have_value("24")
    expect(row(page, "frames")).to_contain_text("A policy of Project: until the review (you)")
    row(page, "frames").get_by_role("button", name=": more").click()
    expect(page.get_by_role("menuitem", name="Pin this value")).to_have_count(0)


def test_an_edit_that_is_hidden_says_by_what(site: Server, page: Page):
    visit(page, site)
    control(page, "frames").fill("41")
    saved(page)
    page.locator("#every").get_by_role("button", name="Project").first.click()
    expect(row(page, "frames")).to_contain_text("Hidden here")
    control(page, "frames").fill("50")
    saved(page)
    assert stored(site, "project") == {"frames": 50}
    expect(row(page, "frames").locator(".persistence-origin")).to_contain_text("This shot")
    expect(control(page, "frames")).to_have_value("50")


def test_a_setting_that_belongs_elsewhere_is_edited_there_whatever_the_panel_edits(
    site: Server, page: Page
):
    visit(page, site)
    page.locator("#every").get_by_role("button", name="Project").first.click()
    expect(row(page, "prompt")).to_contain_text("Edited for This shot")
    row(page, "prompt").locator("textarea").fill("still the shot's")
    control(page, "frames").fill("50")
    saved(page)
    assert stored(site) == {"prompt": "still the shot's"}
    assert stored(site, "project") == {"frames": 50}


def test_a_refused_edit_stays_beside_its_reason_until_it_is_discarded(site: Server, page: Page):
    visit(page, site)
    control(page, "model").fill("")
    note = row(page, "model").locator(".persistence-note:visible")
    expect(note).to_contain_text("Not saved: must have at least 1")
    expect(page.locator("#persistence-announcer")).to_contain_text("Not saved: Model must have")
    expect(control(page, "model")).to_have_value("")
    described = control(page, "model").get_attribute("aria-describedby") or ""
    assert "must have at least 1" in page.locator(f"#{described.split()[-1]}").inner_text()
    expect(page.locator("#line")).to_contain_text("Not saved: Model must have")
    row(page, "model").get_by_role("button", name="Discard").click()
    expect(control(page, "model")).to_have_value("wan-local")
    saved(page)
    assert stored(site) == {}


def test_half_a_json_text_is_kept_said_and_never_sent(site: Server, page: Page):
    visit(page, site)
    area = row(page, "anything").locator("textarea")
    area.fill('{"a": [1,')
    expect(row(page, "anything")).to_contain_text("this isn't JSON yet")
    control(page, "frames").fill("41")
    expect(page.locator("#line")).to_contain_text("Not saved yet: Anything")
    expect(area).to_have_value('{"a": [1,')
    area.fill('{"a": [1]}')
    saved(page)
    assert stored(site) == {"anything": {"a": [1]}, "frames": 41}


def test_reset_all_asks_and_leaves_content_alone(site: Server, page: Page):
    visit(page, site)
    row(page, "prompt").locator("textarea").fill("mine")
    control(page, "frames").fill("41")
    row(page, "fast").get_by_role("switch").click()
    saved(page)
    page.get_by_role("button", name="Every widget: more").click()
    page.get_by_role("menuitem", name="Reset all…").click()
    dialog = page.get_by_role("dialog", name="Reset Every widget?")
    expect(dialog.get_by_role("listitem")).to_have_text(
        ["Frames for This shot", "Fast for This shot"]
    )
    page.keyboard.press("Escape")
    expect(control(page, "frames")).to_have_value("41")
    page.get_by_role("button", name="Every widget: more").click()
    page.get_by_role("menuitem", name="Reset all…").click()
    dialog.get_by_role("button", name="Reset").click()
    expect(control(page, "frames")).to_have_value("61")
    saved(page)
    assert stored(site) == {"prompt": "mine"}


def test_a_condition_hides_a_field_that_keeps_its_value(site: Server, page: Page):
    visit(page, site)
    expect(row(page, "steps")).to_be_hidden()
    row(page, "mode").get_by_role("radio", name="Advanced").click()
    control(page, "steps").fill("20")
    row(page, "mode").get_by_role("radio", name="Basic").click()
    expect(row(page, "steps")).to_be_hidden()
    saved(page)
    assert stored(site)["steps"] == 20


def test_search_by_keyboard_filters_counts_and_clears(site: Server, page: Page):
    visit(page, site)
    page.keyboard.press("/")
    page.keyboard.type("rougher")
    expect(row(page, "fast")).to_be_visible()
    expect(row(page, "frames")).to_be_hidden()
    expect(page.locator("#every .persistence-search-count")).to_have_text("1 setting")
    expect(page.locator("#every [data-persistence-group]").first).to_be_hidden()
    page.keyboard.press("Escape")
    expect(row(page, "frames")).to_be_visible()
    page.keyboard.type("zzz")
    expect(page.locator("#every .persistence-search-count")).to_contain_text("No setting matches")


def test_a_group_stays_as_it_was_left_on_this_device(site: Server, page: Page):
    visit(page, site)
    page.locator("#every summary", has_text="Parts").click()
    expect(row(page, "words")).to_be_hidden()
    visit(page, site)
    expect(row(page, "words")).to_be_hidden()
    expect(row(page, "shown_on")).to_be_visible()


def test_by_keyboard_alone(site: Server, page: Page):
    visit(page, site)
    control(page, "frames").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("41")
    saved(page)
    reset = row(page, "frames").get_by_role("button", name="Reset Frames")
    expect(reset).to_be_visible()
    page.keyboard.press("Tab")
    expect(reset).to_be_focused()
    page.keyboard.press("Enter")
    expect(control(page, "frames")).to_have_value("61")
    expect(control(page, "frames")).to_be_focused()
    page.keyboard.press("Tab")  # where it comes from
    page.keyboard.press("Enter")
    story(page)
    page.keyboard.press("Escape")
    expect(row(page, "frames").locator(".persistence-origin")).to_be_focused()
    page.keyboard.press("Tab")  # menu
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_text("Where this comes from")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text("Pin this value")
    while page.locator(":focus").inner_text() != "Project":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(row(page, "frames")).to_contain_text("Edited for Project")
    expect(row(page, "frames").get_by_role("button", name=": more")).to_be_focused()


def test_rows_are_added_moved_and_removed_by_keyboard(site: Server, page: Page):
    visit(page, site)
    row(page, "spots").get_by_role("button", name="Add").press("Enter")
    for name in ("one", "two", "three"):
        page.keyboard.type(name)
        if name != "three":
            page.keyboard.press("Enter")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(":focus")).to_have_value("three")
    row(page, "spots").locator(".persistence-grip").first.press("ArrowDown")
    saved(page)
    assert stored(site)["spots"] == [["three", 0], ["one", 0], ["two", 0]]
    row(page, "spots").get_by_role("button", name="Remove Spots 2").press("Enter")
    expect(page.locator(":focus")).to_have_attribute("title", "Remove Spots 2")
    expect(page.locator("#persistence-announcer")).to_contain_text("2 left")
    saved(page)
    assert stored(site)["spots"] == [["three", 0], ["two", 0]]


def test_the_status_line_is_never_ahead_of_the_database(site: Server, page: Page, faults: Any):
    visit(page, site)
    faults("hold commit")
    control(page, "frames").fill("41")
    expect(page.locator("#line")).to_have_attribute("data-state", "saving")
    assert stored(site) == {}
    faults("")
    while (page.locator("#line").get_attribute("data-state")) == "saving":
        page.wait_for_timeout(50)
    assert stored(site) == {"frames": 41}
    expect(page.locator("#line [role=status]")).to_contain_text("Saved")
    faults("fail commit")
    control(page, "frames").fill("42")
    expect(page.locator("#line")).to_contain_text("Not saved")
    faults("")
    again = page.locator("#line [data-persistence-retry=every]")
    again.dispatch_event("click")  # it may be gone: the engine tries again by itself, too
    saved(page)
    assert stored(site) == {"frames": 42}


def test_the_status_line_says_that_nobody_answers(site: Server, page: Page):
    visit(page, site)
    site.kill()
    control(page, "frames").fill("41")
    expect(page.locator("#line")).to_contain_text("No connection. 1 change waits")
    site.start()
    saved(page)
    assert stored(site) == {"frames": 41}


def test_while_it_loads_everything_has_its_place_and_nothing_a_value(
    site: Server, page: Page, faults: Any
):
    faults("hold load")
    page.goto(f"{site.url}/panel/a")
    expect(control(page, "frames")).to_have_value("")
    place = row(page, "strength").bounding_box()
    assert page.locator("#line").inner_text().strip() in ("", "Loading…")
    faults("")
    expect(page.locator("#every")).to_have_attribute("aria-busy", "false")
    assert row(page, "strength").bounding_box() == place


def test_parts_are_replaced_and_stand_alone(site: Server, page: Page):
    visit(page, site)
    small = page.locator("#small")
    expect(small.get_by_role("heading")).to_have_text("Replaced")
    expect(small.locator(".own-help")).to_have_text(["about note", "about volume"])
    expect(small.get_by_role("button", name="Take")).to_be_visible()
    small.locator("[data-own-widget]").fill("7")
    expect(page.locator("#own-control")).to_have_value("7")
    page.locator("#parts").get_by_role("textbox", name="Note").fill("alone")
    expect(row(page, "note", "#small").locator("input")).to_have_value("alone")
    parts = page.locator("#parts")
    parts.get_by_role("button", name="Volume: more").click()
    page.locator(".persistence-menu:popover-open").get_by_text("Reset to what").click()
    expect(page.locator("#own-control")).to_have_value("5")
    parts.locator(".persistence-icon-button[data-persistence-explain]").click()
    expect(story(page).get_by_role("heading")).to_have_text("Volume")
    saved(page)
    assert stored(site, tool="small") == {"note": "alone"}


def test_nothing_is_wider_than_a_phone(site: Server, context: Any):
    page = visit(context(viewport={"width": 390, "height": 844}).new_page(), site)
    edit_every_widget(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    row(page, "frames").get_by_role("button", name=": more").click()
    box = page.locator(".persistence-menu:popover-open").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
