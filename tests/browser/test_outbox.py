"""The browser's outbox: an edit outlives page, browser and server, and goes once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect
from servers import FLAGS, free_port
from test_library import APP, append, saved, stored, visit
from waiting import emptied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page
    from servers import Server


@pytest.fixture
def site(server: Any) -> Server:
    return server(APP)


def keep(page: Page) -> None:
    """All that was edited is in the outbox."""
    page.wait_for_function("window.persistence.unkept.length === 0")


def left(page: Page) -> int:
    """How many operations are in the browser's outbox."""
    return page.evaluate(
        """async () => {
            const base = await window.persistenceOutbox.opened;
            const all = base.transaction("operations").objectStore("operations").getAllKeys();
            return new Promise((done) => { all.onsuccess = () => done(all.result.length); });
        }"""
    )


def test_what_is_saved_leaves_the_outbox(site: Server, page: Page):
    visit(page, site)
    append(page, "#prompt", "!")
    saved(page)
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    assert left(page) == 0


def test_a_closed_tabs_edits_are_sent_by_another_tab(site: Server, context: Any):
    user = context()
    one, two = visit(user.new_page(), site), visit(user.new_page(), site)
    site.kill()
    one.locator("#prompt").fill("from a tab that is gone")
    keep(one)
    one.close()
    site.start()
    saved(visit(two, site))
    expect(two.locator("#prompt")).to_have_value("from a tab that is gone", timeout=15_000)
    emptied(two)
    assert stored(site) == {"prompt": "from a tab that is gone"}


def test_what_is_edited_while_the_server_is_away_outlives_a_reload(site: Server, page: Page):
    visit(page, site)
    site.kill()
    page.locator("#prompt").fill("offline")
    page.locator("#frames").fill("30")
    keep(page)
    page.goto("about:blank")
    site.start()
    visit(page, site)
    expect(page.locator("#prompt")).to_have_value("offline", timeout=15_000)
    saved(page)
    assert stored(site) == {"prompt": "offline", "frames": 30}


def test_what_one_user_left_is_never_sent_for_another(site: Server, context: Any):
    browser = context()
    page = visit(browser.new_page(), site)
    site.kill()
    page.locator("#prompt").fill("mine alone")
    keep(page)
    page.close()
    ours = browser.cookies()
    browser.clear_cookies()  # somebody else, in the same browser
    site.start()
    page = visit(browser.new_page(), site)
    append(page, "#text", "theirs")
    saved(page)
    expect(page.locator("#prompt")).to_have_value("default prompt")
    assert left(page) == 1
    browser.clear_cookies()
    browser.add_cookies(ours)
    visit(page, site)
    expect(page.locator("#prompt")).to_have_value("mine alone", timeout=15_000)
    saved(page)
    assert left(page) == 0


def test_without_storage_the_page_goes_on_from_memory(site: Server, context: Any):
    user = context()
    user.add_init_script(
        "indexedDB.open = () => { throw new DOMException('no', 'SecurityError'); }"
    )
    page = visit(user.new_page(), site)
    append(page, "#prompt", "!")
    saved(page)
    assert stored(site) == {"prompt": "default prompt!"}
    assert page.evaluate("window.persistenceOutbox.trouble") == "blocked"


def test_a_record_that_cannot_be_read_is_put_aside_and_the_others_go(site: Server, page: Page):
    visit(page, site)
    site.kill()
    page.locator("#prompt").fill("good")
    keep(page)
    page.evaluate(
        """async () => {
            const base = await window.persistenceOutbox.opened;
            const work = base.transaction("operations", "readwrite");
            work.objectStore("operations").put({ id: "bad", target: 7, actor: null });
            return new Promise((done) => { work.oncomplete = () => done(true); });
        }"""
    )
    page.goto("about:blank")
    site.start()
    visit(page, site)
    expect(page.locator("#prompt")).to_have_value("good", timeout=15_000)
    saved(page)
    assert left(page) == 0
    aside = """async () => {
        const base = await window.persistenceOutbox.opened;
        const all = base.transaction("aside").objectStore("aside").getAll();
        return new Promise((done) => {
            all.onsuccess = () => done(all.result.map((each) => each.id));
        });
    }"""
    assert page.evaluate(aside) == ["bad"]


# --- a browser that is killed --------------------------------------------------------------------


@pytest.fixture
def launch(
    browser: Browser, chromium: str, tmp_path: Path
) -> Iterator[Callable[[], tuple[subprocess.Popen[bytes], BrowserContext]]]:
    """Starts a Chromium of its own, always on the same profile."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> tuple[subprocess.Popen[bytes], BrowserContext]:
        port, profile = free_port(), tmp_path / "profile"
        command = [chromium, "--headless", *FLAGS, f"--remote-debugging-port={port}",
                   f"--user-data-dir={profile}", "about:blank"]  # fmt: skip
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        started.append(process)
        return process, connected(browser, port).contexts[0]

    yield start
    for process in started:
        kill(process)


def connected(browser: Browser, port: int) -> Browser:
    """The Chromium that listens there, as soon as it does."""
    end = time.monotonic() + 30
    while True:
        try:
            return browser.browser_type.connect_over_cdp(f"http://127.0.0.1:{port}")
        except PlaywrightError as error:
            if "ECONNREFUSED" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.05)


def kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def test_a_killed_browser_brings_its_edits_back(site: Server, launch: Any):
    chromium, context = launch()
    page = visit(context.new_page(), site)
    cookies = context.cookies()
    site.kill()
    page.locator("#prompt").fill("typed before the kill")
    keep(page)
    kill(chromium)
    site.start()
    _, context = launch()
    context.add_cookies(cookies)  # a killed Chromium may forget the newest
    page = visit(context.new_page(), site)
    expect(page.locator("#prompt")).to_have_value("typed before the kill", timeout=15_000)
    saved(page)
    assert stored(site) == {"prompt": "typed before the kill"}
