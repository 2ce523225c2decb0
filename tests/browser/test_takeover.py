"""Moving in from the browser, and buttons that edit by themselves, in Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page
    from servers import Server

APP = Path(__file__).parent / "library_app"


@pytest.fixture
def site(server: Any) -> Server:
    return server(APP)


def visit(page: Page, site: Server) -> Page:
    page.goto(f"{site.url}/interface")
    page.wait_for_function("document.getElementById('persistence-root')?.dataset.actor")
    expect(page.locator("#state")).to_have_text("ready", timeout=15_000)
    return page


def plant(context: BrowserContext, site: Server, cookie: str, **entries: str) -> None:
    """What an earlier release of the app left in this browser."""
    page = context.new_page()
    page.route("**/empty", lambda route: route.fulfill(content_type="text/html", body="<p>"))
    page.goto(f"{site.url}/empty")
    page.evaluate(
        "([cookie, entries]) => { document.cookie = cookie;"
        " for (const [name, text] of Object.entries(entries)) localStorage.setItem(name, text); }",
        [cookie, entries],
    )
    page.close()


def old(page: Page) -> dict[str, str]:
    names = ["app.theme", "app.columns", "drawer-width"]
    held = page.evaluate("Object.fromEntries(Object.entries(localStorage))")
    return {name: held[name] for name in names if name in held}


def test_old_values_are_taken_over_once_and_go_when_they_are_durable(
    context: Any, site: Server
) -> None:
    one = context()
    entries = {"app.theme": "dark", "app.columns": "99", "drawer-width": "333"}
    plant(one, site, "compact=yes; path=/", **entries)
    page = visit(one.new_page(), site)
    expect(page.locator("#theme")).to_have_text("dark")
    expect(page.locator("#theme-control")).to_have_value("dark")
    expect(page.locator("#compact")).to_have_text("true")
    expect(page.locator("#drawer")).to_have_text("333")
    expect(page.locator("#notice")).to_have_text(
        "“Columns” couldn't be taken over from this browser: must be at most 8."
    )
    page.wait_for_function("localStorage.getItem('app.theme') === null")
    assert old(page) == {"app.columns": "99"}  # what doesn't fit stays
    assert "compact=yes" in page.evaluate("document.cookie")  # nobody asked to remove it
    page.click("#light")
    page.click("#toggle")
    expect(page.locator("#compact")).to_have_text("false")
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    page.evaluate("localStorage.setItem('app.theme', 'dark')")  # the old release ran once more
    visit(page, site)
    expect(page.locator("#theme")).to_have_text("light")
    expect(page.locator("#compact")).to_have_text("false")


def test_another_person_at_this_browser_is_asked_about_anew(context: Any, site: Server) -> None:
    one = context()
    plant(one, site, "compact=yes; path=/")
    page = visit(one.new_page(), site)
    expect(page.locator("#compact")).to_have_text("true")
    guest = next(each for each in one.cookies() if each["name"] == "persistence_guest")
    one.clear_cookies(name=guest["name"])
    page.evaluate("sessionStorage.clear()")
    visit(page, site)
    expect(page.locator("#compact")).to_have_text("true")


def test_buttons_edit_by_themselves(page: Page, site: Server) -> None:
    visit(page, site)
    page.click("#light")
    expect(page.locator("#theme")).to_have_text("light")
    expect(page.locator("#theme-control")).to_have_value("light")
    page.click("#shots")
    expect(page.locator("#locks")).to_have_text('{"shots":true}')
    page.click("#gens")
    expect(page.locator("#locks")).to_contain_text('"gens":true')
    page.click("#shots")
    expect(page.locator("#locks")).to_contain_text('"shots":false')
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    site.kill()
    site.start()
    visit(page, site)
    expect(page.locator("#theme")).to_have_text("light")
    expect(page.locator("#locks")).to_contain_text('"gens":true')


def test_buttons_that_are_pressed_without_a_connection_turn_what_was_turned_last(
    page: Page, site: Server
) -> None:
    visit(page, site)
    page.context.set_offline(True)
    for button in ("shots", "gens", "toggle", "toggle", "gens", "gens"):
        page.click(f"#{button}")
    page.wait_for_function("window.persistence.unkept.length === 0")
    page.context.set_offline(False)
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    expect(page.locator("#locks")).to_contain_text('"shots":true')
    expect(page.locator("#locks")).to_contain_text('"gens":true')
    expect(page.locator("#compact")).to_have_text("false")


def test_two_devices_that_toggle_different_keys_without_a_connection_keep_both(
    context: Any, site: Server
) -> None:
    one, two = context(), context()
    here = visit(one.new_page(), site)
    two.add_cookies(one.cookies())
    there = visit(two.new_page(), site)
    two.set_offline(True)
    there.click("#gens")
    there.wait_for_function("window.persistence.unconfirmed.length === 1")
    here.click("#shots")
    expect(here.locator("#locks")).to_have_text('{"shots":true}')
    here.wait_for_function("window.persistence.unconfirmed.length === 0")
    two.set_offline(False)
    for page in (here, there):
        expect(page.locator("#locks")).to_contain_text('"gens":true', timeout=15_000)
        expect(page.locator("#locks")).to_contain_text('"shots":true')
