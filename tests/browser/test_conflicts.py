"""What couldn't be saved, in an app: two people, a reload, a server that is killed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from unsaved_acts import entry, kept, press

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page
    from servers import Server

APP = Path(__file__).parent / "library_app"


@pytest.fixture
def site(server: Any) -> Server:
    return server(APP)


@pytest.fixture
def person(context: Any, site: Server) -> Any:
    """`person("ana")`: a browser of hers."""

    def named(name: str) -> BrowserContext:
        made = context()
        made.add_cookies([{"name": "persistence_guest", "value": name * 8, "url": site.url}])
        return made

    return named


def open_joint(browser: BrowserContext, site: Server) -> Page:
    page = browser.new_page()
    page.goto(f"{site.url}/joint/shared1")
    ready(page)
    return page


def ready(page: Page) -> None:
    expect(page.locator("#joint")).to_have_attribute("aria-busy", "false")


def control(page: Page, field: str) -> Locator:
    return page.locator(f'#joint [data-persistence="{field}"]').last


def saved(page: Page) -> None:
    page.wait_for_function("window.persistence.unconfirmed.length === 0")


def hold(page: Page, field: str) -> None:
    """Nothing of a field is sent, however long it waits: as while a slider is dragged."""
    control(page, field).evaluate(
        """control => persistenceOperations.hold(persistenceOperations.keyOf(
            JSON.parse(control.dataset.persistenceTarget), control.dataset.persistence))"""
    )


def meet(ana: Page, bob: Page, mine: str, theirs: str) -> None:
    """Both change the prompt, she last, on what stood before."""
    base = control(ana, "prompt").input_value()
    expect(control(bob, "prompt")).to_have_value(base)
    hold(ana, "prompt")
    control(ana, "prompt").fill(mine)
    control(bob, "prompt").fill(theirs)
    saved(bob)
    ana.evaluate("persistenceOperations.release()")
    kept(ana, 1)


def history(site: Server) -> list[Any]:
    """Every prompt that the history holds, also those that lost."""
    with sqlite3.connect(f"file:{site.database}?mode=ro", uri=True) as database:
        texts = database.execute(
            "SELECT text FROM persistence_change WHERE field = 'prompt' UNION ALL"
            " SELECT text FROM persistence_contested WHERE field = 'prompt'"
        ).fetchall()
    return [json.loads(text) for (text,) in texts]


def test_what_was_refused_outlives_reload_and_server_and_is_saved_once_it_is_mended(
    site: Server, person: Any
):
    page = open_joint(person("ana"), site)
    control(page, "frames").fill("1000")
    control(page, "name").fill("much too long a name")
    kept(page, 2)
    expect(page.locator("#line")).to_contain_text("2 changes couldn’t be saved")
    notes = page.locator(".persistence-note:visible")
    expect(notes).to_have_count(3)  # the name has a second control
    site.restart()
    page.goto(f"{site.url}/joint/shared1")
    ready(page)
    kept(page, 2)
    expect(control(page, "frames")).to_have_value("61")
    it = entry(page, "Frames")
    expect(it).to_contain_text("Travel · shot shared1, project p")
    expect(it).to_contain_text("1000 frames")
    press(it, "Edit")
    it.get_by_role("spinbutton").fill("30")
    press(it, "Save")
    kept(page, 1)
    press(entry(page, "Name"), "Discard")
    press(entry(page, "Name"), "Discard")
    kept(page, 0)
    page.keyboard.press("Escape")
    expect(control(page, "frames")).to_have_value("30")
    expect(page.locator("#line")).to_contain_text("Saved")
    expect(notes).to_have_count(0)


def test_two_people_change_the_same_and_she_keeps_hers_takes_his_and_writes_a_third(
    site: Server, person: Any
):
    ana, bob = open_joint(person("ana"), site), open_joint(person("bob"), site)
    control(ana, "prompt").fill("first")
    saved(ana)
    meet(ana, bob, "hers 1", "his 1")
    note = ana.locator(".persistence-note-conflict")
    expect(note).to_contain_text("Bob changed this just now. Yours isn’t saved.")
    expect(control(ana, "prompt")).to_have_value("hers 1")
    it = entry(ana, "Prompt")
    expect(it.locator("[data-side=mine]")).to_contain_text("hers 1")
    expect(it.locator("[data-side=theirs]")).to_contain_text("his 1")
    expect(it.locator("details")).to_contain_text("You")  # what both began with is her own
    press(it, "Keep mine")
    kept(ana, 0)
    expect(control(bob, "prompt")).to_have_value("hers 1")
    ana.keyboard.press("Escape")
    meet(ana, bob, "hers 2", "his 2")
    press(note, "Take theirs")
    kept(ana, 0)
    expect(control(ana, "prompt")).to_have_value("his 2")
    meet(ana, bob, "hers 3", "his 3")
    press(note, "Compare")
    press(entry(ana, "Prompt"), "Edit")
    entry(ana, "Prompt").get_by_role("textbox").fill("both 3")
    press(entry(ana, "Prompt"), "Save")
    kept(ana, 0)
    expect(control(bob, "prompt")).to_have_value("both 3")
    kept(bob, 0)
    told = history(site)
    assert set(told) >= {"first", "hers 1", "his 1", "hers 2", "his 2", "hers 3", "his 3", "both 3"}


def test_nobody_is_asked_about_a_conflict_with_himself(site: Server, person: Any):
    user = person("ana")
    one, two = open_joint(user, site), open_joint(user, site)
    control(one, "prompt").fill("first")
    expect(control(two, "prompt")).to_have_value("first")
    hold(one, "prompt")
    control(one, "prompt").fill("later")
    control(two, "prompt").fill("sooner")
    saved(two)
    one.evaluate("persistenceOperations.release()")
    saved(one)
    expect(control(two, "prompt")).to_have_value("later")
    for page in (one, two):
        kept(page, 0)
        expect(page.locator(".persistence-note:visible")).to_have_count(0)
