"""What lives in the browser alone, in Chromium: scenarios E1 to E4."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page
    from servers import Server

APP = Path(__file__).parent / "library_app"
PREFIX = "persistence.device."
BLOCKED = """for (const name of ["localStorage", "sessionStorage"])
Object.defineProperty(window, name, {
  configurable: true, get() { throw new DOMException("Access is denied.", "SecurityError"); } });"""
AT_FIRST_PAINT = """new PerformanceObserver(() => {
  window.atFirstPaint ??= {
    columns: document.documentElement.dataset.deviceColumns,
    property: document.documentElement.style.getPropertyValue("--device-columns"),
    open: document.getElementById("motion")?.open,
    width: document.getElementById("side")?.offsetWidth,
  };
}).observe({ type: "paint", buffered: true });"""


@pytest.fixture
def site(server: Any) -> Server:
    return server(APP)


@pytest.fixture(autouse=True)
def no_page_fails() -> Iterator[None]:
    """React says so where what the script does to a page isn't what it expects there."""
    errors: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: errors.append(str(error)))

    WATCHES.append(watch)
    yield
    WATCHES.remove(watch)
    assert errors == []


WATCHES: list[Callable[[Page], None]] = []


def visit(page: Page, site: Server) -> Page:
    for watch in WATCHES:
        watch(page)
    page.goto(f"{site.url}/device")
    page.wait_for_function("document.getElementById('persistence-root')?.dataset.actor")
    expect(page.locator("#ready")).to_have_text("ready", timeout=15_000)
    return page


def kept(page: Page) -> dict[str, str]:
    """All that the browser's storage holds."""
    return page.evaluate("Object.fromEntries(Object.entries(localStorage))")


def values(page: Page) -> dict[str, str]:
    """Those of them that are ours, but for the copy of a setting."""
    held = kept(page)
    held.pop(f"{PREFIX}theme", None)
    return {name: text for name, text in held.items() if name.startswith(PREFIX)}


def plant(context: BrowserContext, site: Server, **entries: str) -> None:
    """Have the storage hold this before a page of ours is opened."""
    page = context.new_page()
    page.route("**/empty", lambda route: route.fulfill(content_type="text/html", body="<p>"))
    page.goto(f"{site.url}/empty")
    page.evaluate("entries => Object.entries(entries).forEach((e) => localStorage.setItem(...e))", {
        name.replace("__", "."): text for name, text in entries.items()
    })  # fmt: skip
    page.close()


def test_what_a_handler_sets_is_there_after_a_reload_and_on_no_server(
    page: Page, site: Server
) -> None:
    visit(page, site)
    expect(page.locator("#columns")).to_have_text("4")
    assert values(page) == {}  # a default is never kept
    page.click("#wider")
    expect(page.locator("#columns")).to_have_text("5")
    page.click("#lean")
    page.click("#lean")
    expect(page.locator("#layout")).to_have_text('{"left":0.5}')
    site.restart()
    page.reload()
    expect(page.locator("#columns")).to_have_text("5", timeout=15_000)
    expect(page.locator("#layout")).to_have_text('{"left":0.5}')
    expect(page.locator("#doubled")).to_have_text("10")
    assert kept(page)[f"{PREFIX}columns"] == "5"


def test_a_click_right_after_a_reload_counts_from_what_is_kept(page: Page, site: Server) -> None:
    visit(page, site)
    page.click("#wider")
    expect(page.locator("#columns")).to_have_text("5")
    page.reload()
    page.click("#wider")  # as soon as the button takes it
    expect(page.locator("#columns")).to_have_text("6", timeout=15_000)
    page.reload()
    expect(page.locator("#columns")).to_have_text("6", timeout=15_000)


def test_a_page_that_outlives_its_server_brings_its_values_back(page: Page, site: Server) -> None:
    visit(page, site)
    page.click("#wider")
    expect(page.locator("#columns")).to_have_text("5")
    site.restart()
    page.click("#wider")
    expect(page.locator("#columns")).to_have_text("6", timeout=20_000)
    assert kept(page)[f"{PREFIX}columns"] == "6"


def test_css_and_elements_have_it_at_the_first_paint(context: Any, site: Server) -> None:
    one = context()
    visit(one.new_page(), site).close()
    plant(
        one, site, persistence__device__columns="7", **{
            "persistence.device.motion.open": "true", "persistence.device.side.width": "333"
        },
    )  # fmt: skip
    page = one.new_page()
    page.add_init_script(AT_FIRST_PAINT)
    visit(page, site)
    at_first = page.evaluate("window.atFirstPaint")
    assert at_first == {"columns": "7", "property": "7", "open": True, "width": 333}
    expect(page.locator("#by-css")).to_be_visible()


def test_a_copy_of_a_setting_is_there_before_the_server_says_anything(
    page: Page, site: Server
) -> None:
    visit(page, site)
    page.select_option("#theme", "dark")
    expect(page.locator("html")).to_have_attribute("data-device-theme", "dark")
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    page.route("**/*_event*", lambda route: route.abort())  # the server says nothing
    page.route_web_socket("**", lambda _: None)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-device-theme", "dark")
    expect(page.locator("#ready")).to_have_text("…")


def test_elements_remember_by_themselves(page: Page, site: Server) -> None:
    visit(page, site)
    page.click("#motion-summary")
    page.fill("#filter", "gulls")
    page.check("#tick")
    page.mouse.move(*corner(page))
    page.mouse.down()
    page.mouse.move(corner(page)[0] + 60, corner(page)[1], steps=5)
    page.mouse.up()
    page.wait_for_function(f"localStorage.getItem('{PREFIX}side.width') !== null")
    width = page.locator("#side").evaluate("node => node.offsetWidth")
    assert width > 230
    page.reload()
    expect(page.locator("#ready")).to_have_text("ready", timeout=15_000)
    expect(page.locator("#motion")).to_have_attribute("open", "")
    expect(page.locator("#filter")).to_have_value("gulls")
    expect(page.locator("#tick")).to_be_checked()
    assert page.locator("#side").evaluate("node => node.offsetWidth") == width


def corner(page: Page) -> tuple[float, float]:
    box = page.locator("#side").bounding_box()
    assert box is not None
    return box["x"] + box["width"] - 4, box["y"] + box["height"] - 4


def test_blocked_storage_works_from_memory_and_says_so(context: Any, site: Server) -> None:
    """E1"""
    one = context()
    page = one.new_page()
    visit(page, site)  # who somebody is comes by a cookie, which isn't blocked here
    page.add_init_script(BLOCKED)
    visit(page, site)
    page.click("#wider")
    page.click("#wider")
    expect(page.locator("#columns")).to_have_text("6")
    expect(page.locator("#shelf")).to_have_text("6")
    page.click("#motion-summary")
    expect(page.locator("#again")).to_have_attribute("open", "")
    expect(page.locator("#notice")).to_contain_text("lasts until the page is closed")
    site.restart()
    page.click("#wider")  # the server knows nothing any more; the page does
    expect(page.locator("#columns")).to_have_text("7", timeout=20_000)


def test_a_text_that_is_no_use_gives_the_default_and_is_kept_aside(
    context: Any, site: Server
) -> None:
    """E2"""
    one = context()
    visit(one.new_page(), site).close()  # a new guest gets the first page twice
    for bad in ("{not json", "", "99", '"four"', "[4]"):
        keeps_aside(one, site, bad)


def keeps_aside(one: BrowserContext, site: Server, bad: str) -> None:
    plant(one, site, **{f"{PREFIX}columns": bad, f"{PREFIX}motion.open": bad, "other": bad})
    page = visit(one.new_page(), site)
    expect(page.locator("#columns")).to_have_text("4")
    expect(page.locator("#notice")).to_contain_text("“Columns”")
    held = kept(page)
    assert held["persistence.aside.columns"] == held["persistence.aside.motion.open"] == bad
    assert held["other"] == bad
    assert values(page) == {}
    page.click("#wider")
    expect(page.locator("#columns")).to_have_text("5")
    assert kept(page)["persistence.aside.columns"] == bad
    assert kept(page)[f"{PREFIX}columns"] == "5"
    page.evaluate("localStorage.clear()")
    page.close()


def test_a_value_over_the_limit_stays_in_the_page_with_a_warning(page: Page, site: Server) -> None:
    """E3"""
    visit(page, site)
    page.click("#little")
    expect(page.locator("#notes")).to_have_text("5")
    page.click("#much")  # 2,100,000 characters of two bytes
    expect(page.locator("#notes")).to_have_text("2100000")
    expect(page.locator("#notice")).to_contain_text("“Notes” is too large")
    expect(page.locator("#notice")).to_contain_text("4.2 of at most 4.0 MB")
    assert kept(page)[f"{PREFIX}notes"] == '"short"'
    site.restart()  # it is the page that has it: it tells the new server, in parts
    page.click("#wider")
    expect(page.locator("#columns")).to_have_text("5", timeout=30_000)
    expect(page.locator("#notes")).to_have_text("2100000")
    page.click("#little")
    expect(page.locator("#notice")).to_be_hidden()
    page.click("#much")
    page.reload()
    expect(page.locator("#notes")).to_have_text("5", timeout=15_000)


def test_two_elements_two_vars_and_two_tabs_agree_and_other_keys_are_left_alone(
    context: Any, site: Server
) -> None:
    """E4"""
    one = context()
    plant(one, site, columns="mine", persistence="mine too", **{"persistence.devices": "3"})
    first, second = visit(one.new_page(), site), visit(one.new_page(), site)
    first.click("#wider")
    for page in (first, second):
        for name in ("#columns", "#shelf"):
            expect(page.locator(name)).to_have_text("5")
        expect(page.locator("#doubled")).to_have_text("10")
    second.click("#wider")
    expect(first.locator("#shelf")).to_have_text("6")
    second.fill("#filter", "gulls")
    for page in (first, second):
        expect(page.locator("#filter")).to_have_value("gulls")
        expect(page.locator("#filter-too")).to_have_value("gulls")
    first.click("#again-summary")
    expect(second.locator("#motion")).to_have_attribute("open", "")
    first.evaluate(f"localStorage.removeItem('{PREFIX}columns')")  # somebody clears it by hand
    expect(second.locator("#columns")).to_have_text("4")
    held = kept(first)
    assert (held["columns"], held["persistence"], held["persistence.devices"]) == (
        "mine", "mine too", "3",
    )  # fmt: skip
    assert json.loads(held[f"{PREFIX}filter"]) == "gulls"
