"""Real browsers on a real server, and when each commit reached the disk. See `keystroke.py`.

All clocks are the machine's own: what a page notes by `Date.now()` and what is seen in the file by
`time.time()` are compared as they are, to the millisecond.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from .measure import Answer, Line, Missing, duration, folder

TESTS = Path(__file__).resolve().parents[1] / "tests" / "browser"
APP = TESTS / "library_app"
LOOK = 0.0005
"""Seconds between two looks at the file."""

NOTE = """() => {
  window.seen = [];
  const text = document.querySelector("#text");
  const note = () => {
    const last = window.seen.at(-1);
    if (!last || last[1] !== text.value.length) window.seen.push([Date.now(), text.value.length]);
  };
  text.addEventListener("input", note, true);
  const look = () => { note(); requestAnimationFrame(look); };
  look();
}"""
"""Has a page note when its text became how long: at the key, or at the next frame."""


class Commits:
    """Looks at the file until `stop`, and notes when the text in it became how long."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._is_done = threading.Event()
        self.seen: list[tuple[float, int]] = []
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_done.set()
        self._thread.join()

    def _look(self) -> None:
        connection = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)
        known = -1
        newest = (
            "SELECT text FROM persistence_change WHERE field = 'text' "
            "ORDER BY revision DESC LIMIT 1"
        )
        while not self._is_done.wait(LOOK):
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if version == known:
                continue
            known, at = version, time.time()
            if row := connection.execute(newest).fetchone():
                self.seen.append((at, len(json.loads(row[0] or '""'))))
        connection.close()

    def after(self, length: int) -> float:
        """When a text at least so long was in the file, in seconds since the epoch."""
        return first(self.seen, length)


def first(seen: Iterable[tuple[float, int]], length: int) -> float:
    """When it was at least so long first; infinite if it never was."""
    return next((at for at, held in seen if held >= length), float("inf"))


def noted(page: Any) -> list[tuple[float, int]]:
    """What a page has noted so far: seconds since the epoch, and how long its text was then."""
    return [(at / 1000, length) for at, length in page.evaluate("window.seen")]


class Room:
    """Servers on one database, and pages of one shared shot; each page's text is noted."""

    def __init__(self, stack: ExitStack, browser: Any, path: Path) -> None:
        self._stack, self._browser, self._path = stack, browser, path
        self._servers: list[Any] = []
        self.commits: Commits | None = None

    def page(self, *, server: int = 0) -> Any:
        """A page in a browser context of its own, at the first or at another server."""
        from servers import Server  # pyright: ignore[reportMissingImports]

        while len(self._servers) <= server:
            place = self._path / str(len(self._servers))
            place.mkdir()
            env = {"DATABASE_URL": self._servers[0].database_url} if self._servers else {}
            made: Any = Server(APP, place, env).start()
            self._stack.callback(made.kill)
            self._servers.append(made)
        page = self._browser.new_context().new_page()
        page.goto(f"{self._servers[server].url}/shot/shared")
        page.locator("#state", has_text="ready").wait_for(timeout=20_000)
        page.evaluate(NOTE)
        if self.commits is None:
            self.commits = Commits(self._servers[0].database)
            self._stack.callback(self.commits.stop)
        return page


@contextmanager
def room() -> Generator[Room]:
    """Builds the tests' app if need be, which takes a minute."""
    from playwright.sync_api import sync_playwright

    sys.path.insert(0, str(TESTS))
    from servers import FLAGS  # pyright: ignore[reportMissingImports]

    with ExitStack() as stack:
        path = stack.enter_context(folder())
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        stack.callback(browser.close)
        yield Room(stack, browser, path)


def chromium() -> str:
    return shutil.which("chromium") or shutil.which("chromium-browser") or ""


def missing(question: str) -> Missing | None:
    """Where there is no browser to measure with."""
    from .measure import peer

    if peer("playwright") is None:
        return Missing(question, "playwright")
    return None if chromium() else Missing(question, "chromium")


def answer(question: str, taken: Sequence[float], share: float, limit: float) -> Answer:
    """Is that share of them within the limit? Both in seconds."""
    ordered = sorted(taken)
    reached = at_share(ordered, share)
    shares = ", ".join(f"p{each * 100:g} {_late(at_share(ordered, each))}" for each in (0.5, 0.99))
    return Line(
        question, _late(reached), duration(limit), reached / limit, "≤ 1",
        f"{shares}, {len(ordered)} times",
    )  # fmt: skip


def at_share(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them doesn't exceed."""
    numbers = range(1, len(ordered) + 1)
    return ordered[bisect_left(numbers, share * len(ordered))]


def _late(seconds: float) -> str:
    return duration(seconds) if seconds else "before it"
