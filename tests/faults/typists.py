"""Somebody types in a real page until something happens to it; and what has to be there then."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from tests.browser.servers import FLAGS, Server, free_port
from tests.browser.waiting import ARE_ALL_ANSWERED, is_so
from tests.faults.proxy import Proxy
from tests.faults.tally import Tally

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

Result = TypeVar("Result")

APP = Path(__file__).resolve().parents[1] / "browser" / "library_app"
OLD = 0.1
"""Seconds: an edit that is older may not get lost by anything."""
WITHOUT_STORAGE = """
    Object.defineProperty(window, "indexedDB", {
        get() { throw new DOMException("blocked", "SecurityError"); }
    });
"""
"""The control: a browser that keeps nothing."""


@dataclass(slots=True)
class Typed:
    """What was typed into a shot's text, and when."""

    shot: str
    states: list[tuple[str, float]] = field(default_factory=lambda: [("", 0.0)])
    """The text after each key, with the time at which the browser had it."""

    @property
    def text(self) -> str:
        return self.states[-1][0]

    def least(self, ended: float) -> str:
        """What has to be there of it, when everything stopped at that time."""
        return [text for text, at in self.states if at <= ended - OLD or not text][-1]


def chromium() -> str:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or ""


def without_chromium() -> str:
    return "" if chromium() else "no Chromium on this machine"


def apart(work: Callable[..., Result], count: int, seed: int, folder: Path, *more: Any) -> Result:
    """In a process of its own: Playwright wants a thread without an event loop. Where a browser
    hangs, once more."""
    try:
        return _apart(work, count, seed, folder, *more)
    except TimeoutError:
        (place := folder / "again").mkdir()
        return _apart(work, count, seed, place, *more)


def _apart(work: Callable[..., Result], count: int, *more: Any) -> Result:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(work, count, *more).result(timeout=30 + 8 * count)
        except BaseException:
            for each in pool._processes.values():  # else its end would be waited for
                each.kill()
            raise


@contextmanager
def playing() -> Iterator[Playwright]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    with Server(APP, folder, {}).start() as server:
        yield server


@contextmanager
def behind(server: Server, seed: int) -> Iterator[Proxy]:
    """A network in front of the server, that its pages know instead of it."""
    with Proxy(server.port, seed) as proxy:
        for file in server.folder.glob("web/build/client/assets/reflex-env-*.js"):
            file.write_text(file.read_text().replace(str(server.port), str(proxy.port)))
        yield proxy


@contextmanager
def browsing(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS, headless=True)
    yield browser
    browser.close()


def somebody(browser: Browser, *, keeps: bool = True) -> BrowserContext:
    made = browser.new_context(reduced_motion="reduce")
    made.set_default_timeout(20_000)
    if not keeps:
        made.add_init_script(WITHOUT_STORAGE)
    return made


def visit(context: BrowserContext, url: str, shot: str) -> Page:
    page = context.new_page()
    page.goto(f"{url}/shot/{shot}")
    page.wait_for_function("document.getElementById('state')?.textContent === 'ready'")
    return page


def type_into(page: Page, shot: str, random: Random, longest: float = 1.2) -> Typed:
    """Until some moment within so many seconds."""
    typed, stop = Typed(shot), time.monotonic() + random.uniform(0.05, longest)
    page.locator("#text").focus()
    while time.monotonic() < stop:
        letter = random.choice("abcdefgh ")
        page.keyboard.insert_text(letter)
        typed.states.append((typed.text + letter, time.monotonic()))
        page.wait_for_timeout(random.choice((0, 10, 30, 150)))
    return typed


def come_back(
    context: BrowserContext, url: str, tally: Tally, where: str, *, keeps: bool = True
) -> None:
    """A new page of the same browser takes over what is left; wait until all is saved.

    Where its storage is blocked (not `keeps`), nothing is left.
    """
    page = visit(context, url, "elsewhere")
    if not is_so(page, ARE_ALL_ANSWERED, keeps, within=40):
        left = page.evaluate("JSON.stringify(window.persistence.unconfirmed)")
        tally.fault(f"{where}: something stays unsaved: {left[:300]}")
    page.close()


def judge(server: Server, typed: Typed, ended: float, tally: Tally, where: str) -> None:
    """Each row of the journal is something that was typed, later ones more; the last holds all
    that is old enough."""
    with closing(sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT owner, scope, field, text FROM persistence_change"
            " WHERE tool = 'travel-ui-state' AND owner LIKE ? ORDER BY revision",
            (f"%:{typed.shot}",),
        ).fetchall()
    known = {text: number for number, (text, _) in enumerate(typed.states)}
    last = 0
    for owner, scope, name, value in rows:
        text = json.loads(value) if value else ""
        if (scope, name) != ("shot", "text") or text not in known:
            tally.misplace(f"{where}: nobody typed {name}={value} of {owner}")
        elif text and known[text] <= last:
            tally.double(f"{where}: {text!r} came again")
        last = max(last, known.get(text, 0))
    if last < (least := known[typed.least(ended)]):
        tally.lose(f"{where}: {typed.states[least][0]!r} was typed, {typed.states[last][0]!r} kept")
    tally.happened["keys"] += len(typed.states) - 1
    tally.happened["edits that had to be there"] += least


class Killable:
    """A Chromium of its own, always on the same profile, that can be killed with SIGKILL."""

    def __init__(self, playwright: Playwright, profile: Path) -> None:
        self._playwright, self._profile = playwright, profile
        self._process: subprocess.Popen[bytes] | None = None
        self._cookies: list[Any] = []

    def start(self, *, keeps: bool = True) -> BrowserContext:
        port = free_port()
        command = [chromium(), "--headless", *FLAGS, f"--remote-debugging-port={port}",
                   f"--user-data-dir={self._profile}", "about:blank"]  # fmt: skip
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        context = self._connected(port).contexts[0]
        context.set_default_timeout(20_000)
        if not keeps:
            context.add_init_script(WITHOUT_STORAGE)
        context.add_cookies(self._cookies)
        return context

    def remember(self, context: BrowserContext) -> None:
        """A browser's cookies of a session are gone with it; who has signed in keeps theirs."""
        self._cookies = list(context.cookies())

    def _connected(self, port: int) -> Browser:
        end = time.monotonic() + 30
        while True:
            try:
                return self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
            except Exception:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
