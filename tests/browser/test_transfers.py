"""Between layers in Chromium: menus, forms and the preview, by mouse and by keyboard."""

from __future__ import annotations

import json
import sqlite3
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
    page.goto(f"{site.url}/panel/{shot}")
    expect(page.locator("#every")).to_have_attribute("aria-busy", "false")
    return page


def row(page: Page, field: str) -> Locator:
    return page.locator(f'#every [data-persistence-field$=".{field}"]')


def edit_frames(page: Page, frames: int) -> None:
    row(page, "frames").locator("input").fill(str(frames))
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    expect(page.locator("#line")).to_have_attribute("data-state", "ready")


def open_form(page: Page, item: str) -> Locator:
    """By the panel's menu."""
    page.locator("#every .persistence-actions .persistence-icon-button").click()
    page.locator(".persistence-menu:popover-open").get_by_text(item).click()
    dialog = page.locator("#persistence-transfer")
    expect(dialog).to_be_visible()
    return dialog


def preview(page: Page) -> Locator:
    dialog = page.locator("#persistence-preview")
    expect(dialog).to_be_visible()
    return dialog


def stored(site: Server, scope: str = "shot") -> dict[str, dict[str, Any]]:
    """What the layers of a scope hold, by the last part of their owner."""
    with sqlite3.connect(f"file:{site.database}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT o.owner, o.field, j.text FROM persistence_override o"
            " JOIN persistence_change j ON j.revision = o.revision"
            " WHERE o.scope = ? AND o.kind != 'reset'",
            (scope,),
        ).fetchall()
    found: dict[str, dict[str, Any]] = {}
    for owner, field, text in rows:
        found.setdefault(owner.rpartition(":")[2], {})[field] = json.loads(text)
    return found


def test_a_push_and_a_preset_show_first_what_they_change(site: Server, page: Page) -> None:
    visit(page, site, "b")
    edit_frames(page, 7)
    visit(page, site)
    edit_frames(page, 41)
    form = open_form(page, "Push to others…")
    expect(form.get_by_label("Frames")).to_be_checked()
    expect(form.get_by_label("shot b")).to_be_checked()
    expect(form.get_by_label("All of them")).to_be_checked()
    form.get_by_role("button", name="Preview").click()
    dialog = preview(page)
    expect(form).to_be_hidden()
    expect(dialog.locator(".persistence-preview-summary")).to_have_text(
        "1 shot, 1 with a value of their own"
    )
    dialog.get_by_label("Replace it").click()
    expect(dialog.get_by_label("Replace it")).to_be_checked()
    expect(dialog.locator(".persistence-preview-summary")).to_have_text("2 shots")
    expect(dialog.get_by_role("region")).to_contain_text("shot b")
    dialog.get_by_role("button", name="Push").click()
    expect(dialog).to_be_hidden()
    assert stored(site) == {each: {"frames": 41} for each in "abc"}

    form = open_form(page, "Presets…")
    form.get_by_role("textbox", name="Name").fill("Slow dolly")
    form.get_by_label("Kept for").select_option(label="Project")
    form.get_by_role("button", name="Keep").click()
    expect(form.get_by_role("listitem")).to_contain_text("Slow dolly")
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    edit_frames(page, 12)
    open_form(page, "Presets…").get_by_role("button", name="Apply Slow dolly").click()
    expect(preview(page).get_by_role("region")).to_contain_text("12")
    preview(page).get_by_role("button", name="Apply").click()
    expect(row(page, "frames").locator("input")).to_have_value("41")


WATCH = """() => {
  const input = document.querySelector('#every [data-persistence-field$=".frames"] input');
  window.seen = [input.value];
  const look = () => {
    if (input.value !== window.seen.at(-1)) window.seen.push(input.value);
    requestAnimationFrame(look);
  };
  look();
}"""


def test_a_setting_becomes_the_projects_default_without_a_flash_and_goes_out_and_in_as_text(
    site: Server, page: Page
) -> None:
    visit(page, site)
    edit_frames(page, 41)
    page.evaluate(WATCH)
    more = row(page, "frames").get_by_role("button", name=": more")
    more.focus()
    page.keyboard.press("Enter")
    menu = page.locator(".persistence-menu:popover-open")
    menu.get_by_role("menuitem", name="Make this the project's default").focus()
    page.keyboard.press("Enter")
    dialog = preview(page)
    expect(dialog.get_by_role("button", name="Apply")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert stored(site, "project") == {}
    page.keyboard.press("Enter")  # the focus is back at the menu's button
    menu.get_by_role("menuitem", name="Make this the project's default").click()
    expect(dialog.get_by_role("button", name="Apply")).to_be_focused()
    page.keyboard.press("Enter")
    origin = row(page, "frames").locator(".persistence-origin-word")
    expect(origin).to_have_text("Project")
    assert (stored(site), stored(site, "project")) == ({}, {"p": {"frames": 41}})
    assert page.evaluate("window.seen") == ["41"]

    edit_frames(page, 24)
    form = open_form(page, "Export…")
    form.get_by_label("TOML").click()
    expect(form.get_by_label("TOML")).to_be_checked()
    with page.expect_download() as found:
        form.get_by_role("button", name="Download").click()
    text = Path(found.value.path()).read_text()
    assert found.value.suggested_filename == "shot-a-every.toml"
    assert "frames = 24" in text

    form = open_form(page, "Import…")
    form.get_by_label("document").fill("[every]\nframes =")
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_role("alert")).to_contain_text("line 2")
    form.locator("input[type=file]").set_input_files(
        {"name": "a.toml", "mimeType": "text/plain", "buffer": text.replace("24", "12").encode()}
    )
    expect(form.get_by_label("document")).to_have_value(text.replace("24", "12"))
    form.get_by_role("button", name="Preview").click()
    expect(preview(page).get_by_role("region")).to_contain_text("24")
    preview(page).get_by_role("button", name="Import").click()
    expect(row(page, "frames").locator("input")).to_have_value("12")
    assert stored(site) == {"a": {"frames": 12}}
