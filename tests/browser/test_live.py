"""What only browsers show of other tabs: hidden pages, dead connections, who is here, another
process on the same file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocketRoute
    from servers import Server

APP = Path(__file__).parent / "library_app"
PINGS = ("2", "3")
"""Frames by which both ends of a socket see that it lives."""

HIDE = """hidden => {
  const get = () => hidden ? "hidden" : "visible";
  Object.defineProperty(document, "visibilityState", { configurable: true, get });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def site(server: Any) -> Server:
    return server(APP)


def visit(page: Page, site: Server, shot: str = "shared") -> Page:
    page.goto(f"{site.url}/shot/{shot}")
    expect(page.locator("#state")).to_have_text("ready", timeout=15_000)
    return page


def traffic_of(page: Page) -> list[str]:
    """From here on: what the page sends and is sent, pings aside."""
    heard: list[str] = []

    def note(kind: str) -> Callable[[Any], None]:
        return lambda data: heard.append(f"{kind} {data}") if data not in PINGS else None

    def follow(socket: Any) -> None:
        socket.on("framesent", note("sent"))
        socket.on("framereceived", note("received"))

    page.on("websocket", follow)
    page.on("request", lambda request: heard.append(f"request {request.url}"))
    return heard


def hide(page: Page) -> None:
    """Until the server knows."""
    page.evaluate(HIDE, True)
    page.wait_for_function(
        "document.getElementById('persistence-presence').dataset.hidden === 'true'"
    )


def come_to_rest(page: Page, traffic: list[str]) -> None:
    """What was under way has come: for a second there was nothing."""
    end = time.monotonic() + 20
    while True:
        traffic.clear()
        page.wait_for_timeout(1_000)
        if not traffic:
            return
        assert time.monotonic() < end, traffic


def test_a_hidden_page_is_silent_and_shows_all_when_it_is_looked_at(site: Server, context: Any):
    user = context()
    hidden = user.new_page()
    traffic = traffic_of(hidden)
    visit(hidden, site)
    other = visit(context().new_page(), site)
    other.locator("#text").press_sequentially("seen", delay=20)
    expect(hidden.locator("#text")).to_have_value("seen")
    hide(hidden)
    come_to_rest(hidden, traffic)
    other.locator("#text").press_sequentially(" and not seen", delay=60)
    other.locator("#shorten").click()
    other.wait_for_function("window.persistence.unconfirmed.length === 0")
    hidden.wait_for_timeout(2_500)  # longer than any timer of the page's scripts that sends
    assert traffic == []
    expect(hidden.locator("#text")).to_have_value("seen")
    hidden.evaluate(HIDE, False)
    expect(hidden.locator("#text")).to_have_value("seen and not seen")
    expect(hidden.locator("#frames")).to_have_value("41")
    other.locator("#text").press_sequentially("!")
    expect(hidden.locator("#text")).to_have_value("seen and not seen!")


def test_a_page_on_a_dead_connection_is_up_to_date_soon_after_it_is_looked_at(
    site: Server, context: Any
):
    """The socket lives for both ends, and nothing comes through: a sleep, another network."""
    page = context().new_page()
    dead: list[bool] = []
    sockets: list[WebSocketRoute] = []

    def pass_on(route: WebSocketRoute) -> None:
        number = len(sockets)
        sockets.append(route)
        behind = route.connect_to_server()
        route.on_message(lambda data: behind.send(data) if number >= len(dead) else None)
        behind.on_message(lambda data: route.send(data) if number >= len(dead) else None)

    page.route_web_socket("**/_event/**", pass_on)
    visit(page, site)
    other = visit(context().new_page(), site)
    hide(page)
    dead.extend(True for _ in sockets)
    other.locator("#text").press_sequentially("missed")
    other.wait_for_function("window.persistence.unconfirmed.length === 0")
    page.locator("#frames").fill("77")  # kept in the browser
    page.evaluate(HIDE, False)
    expect(page.locator("#text")).to_have_value("missed")  # by itself the socket takes minutes
    assert len(sockets) > len(dead)
    expect(other.locator("#frames")).to_have_value("77")


def test_who_is_here_comes_and_goes_and_is_read_by_name(site: Server, context: Any):
    one = visit(context().new_page(), site)
    expect(one.locator("#here")).to_have_count(0)
    context_two = context()
    two = visit(context_two.new_page(), site)
    visit(context_two.new_page(), site)  # a second tab of the same person
    here = one.locator("#here")
    expect(here.locator("summary .persistence-avatar")).to_have_count(1)
    here.locator("summary").focus()
    one.keyboard.press("Enter")
    names = here.get_by_role("list", name="Also here").get_by_role("listitem")
    expect(names).to_have_count(1)
    two.evaluate(HIDE, True)
    expect(names.get_by_text("away")).to_have_count(0)
    context_two.pages[1].evaluate(HIDE, True)
    expect(names.get_by_text("away")).to_have_count(1)
    one.keyboard.press("Escape")
    expect(names).to_be_hidden()
    context_two.close()
    expect(here).to_have_count(0)


def test_a_hidden_page_whose_connection_began_anew_stays_hidden_to_the_server(
    site: Server, context: Any
):
    one, context_two = visit(context().new_page(), site), context()
    two = visit(context_two.new_page(), site)
    here = one.locator("#here")
    two.evaluate(HIDE, True)
    expect(here.get_by_text("away")).to_have_count(1)
    context_two.set_offline(True)
    expect(here).to_have_count(0, timeout=30_000)  # the server has let go of it
    context_two.set_offline(False)
    expect(here).to_have_count(1, timeout=30_000)
    expect(here.get_by_text("away")).to_have_count(1)


def test_what_another_process_saves_in_the_same_file_shows_within_a_second(
    site: Server, server: Any, context: Any
):
    second = server(APP, DATABASE_URL=site.database_url)
    here, there = visit(context().new_page(), site), visit(context().new_page(), second)
    text, took = "", []
    for word in ("from", " another", " process"):
        there.locator("#text").press_sequentially(word)
        there.wait_for_function("window.persistence.unconfirmed.length === 0")
        text, began = text + word, time.monotonic()
        expect(here.locator("#text")).to_have_value(text)
        took.append(time.monotonic() - began)
    assert min(took) < 1, took  # a busy machine is late now and then
    here.locator("#text").press("End")
    here.locator("#text").press_sequentially(" and back")
    there.locator("#frames").fill("33")
    expect(here.locator("#frames")).to_have_value("33")
    expect(there.locator("#text")).to_have_value("from another process and back")


def test_lists_follow_another_person_and_a_name_that_is_being_typed_stays(
    workbench: Server, context: Any
):
    ana, ben = context().new_page(), context().new_page()
    ana.goto(workbench.url)
    ana.get_by_role("button", name="New project").first.click()
    ana.get_by_label("Name of the new project").fill("Harbour")
    ana.keyboard.press("Enter")
    ana.get_by_role("button", name="New shot").first.click()
    for shot in ("Wide", "Close"):
        ana.get_by_label("Name of the new shot").fill(shot)
        ana.keyboard.press("Enter")
        expect(ana.locator("a.card-name", has_text=shot)).to_be_visible()
    ana.get_by_role("button", name=re.compile("^Share")).click()
    ana.get_by_role("button", name="Create link").click()
    ben.goto(ana.get_by_label("The new link").input_value())
    ana.keyboard.press("Escape")
    ben.get_by_role("button", name="Join", exact=True).click()
    expect(ben.locator("a.card-name")).to_have_text(["Wide", "Close"])
    for page in (ana, ben):
        expect(page.locator("header .persistence-avatar")).not_to_have_count(0)
    list_of_ben = ben.context.new_page()
    list_of_ben.goto(workbench.url)
    expect(list_of_ben.locator("li.card", has_text="Harbour")).to_contain_text("2 shots")

    ana.get_by_label("Actions for Wide").click()
    ana.locator(".card", has_text="Wide").get_by_role("button", name="Rename").click()
    name = ana.locator("[data-rename]")
    name.press_sequentially("Wide at")
    ben.get_by_label("Actions for Close").click()
    ben.locator(".card", has_text="Close").get_by_role("button", name="Move earlier").click()
    expect(ana.locator("a.card-name")).to_have_text(["Close"])  # the other one is a field
    expect(ana.locator("#sidebar nav ol li")).to_contain_text(["Close", "Wide"])
    expect(name).to_be_focused()
    name.press_sequentially(" dawn")
    expect(name).to_have_value("Wide at dawn")
    name.press("Enter")
    expect(ben.locator("a.card-name")).to_have_text(["Close", "Wide at dawn"])
    ana.get_by_label("Actions for Close").click()
    ana.locator(".card", has_text="Close").get_by_role("button", name="Delete").click()
    expect(list_of_ben.locator("li.card", has_text="Harbour")).to_contain_text("1 shot")
    ana.get_by_label("Actions for Wide at dawn").focus()
    ben.close()
    expect(ana.locator("header .persistence-avatar")).to_have_count(0)
