"""What happens to real pages: closed in mid-word, killed, crashed, or cut off from their server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.proxy import MOODS
from tests.faults.tally import Experiment, Tally
from tests.faults.typists import (
    Killable,
    apart,
    behind,
    browsing,
    come_back,
    judge,
    playing,
    serving,
    somebody,
    type_into,
    visit,
    without_chromium,
)

TOGETHER = 5
"""Pages whose edits one later page brings back."""
PORTION = 10
"""Rounds that share a browser: one that hangs holds up no others, and is tried once more."""


def close_tabs(count: int, seed: int, folder: Path, keeps: bool = True) -> Tally:
    return end_pages(count, seed, folder, keeps, "closed", lambda page: page.close())


def crash_tabs(count: int, seed: int, folder: Path, keeps: bool = True) -> Tally:
    return end_pages(count, seed, folder, keeps, "crashed", crash)


def crash(page: Any) -> None:
    """SIGKILL to the processes that run pages: this one is the only one that is open."""
    devtools = page.context.browser.new_browser_cdp_session()
    for each in devtools.send("SystemInfo.getProcessInfo")["processInfo"]:
        if each["type"] == "renderer":
            with suppress(ProcessLookupError):
                os.kill(each["id"], signal.SIGKILL)
    with suppress(Exception):  # it has crashed
        page.wait_for_timeout(5_000)


def end_pages(
    count: int, seed: int, folder: Path, keeps: bool, how: str, end: Callable[..., None]
) -> Tally:
    """Type, end the page at some moment, with and without a connection; then open another one."""
    tally, done = Tally(), []
    with (
        serving(folder) as server,
        behind(server, seed) as proxy,
        playing() as playwright,
        browsing(playwright) as browser,
    ):
        context = somebody(browser, keeps=keeps)
        visit(context, proxy.url, "first").close()
        for number in range(seed, seed + count):
            random, where = Random(number), f"{how} ({number})"
            page = visit(context, proxy.url, f"s{number}")
            is_cut = not keeps or random.random() < 0.5
            proxy.set("cut" if is_cut else "open")
            typed = type_into(page, f"s{number}", random)
            ended = time.monotonic()
            end(page)
            page.close()
            proxy.set("open")
            tally.happened["without a connection"] += is_cut
            done.append((typed, ended, where))
            tally.count += 1
            if len(done) % TOGETHER == 0 or number == seed + count - 1:
                come_back(context, proxy.url, tally, where, keeps=keeps)
        for typed, ended, where in done:
            judge(server, typed, ended, tally, where)
    return tally


def kill_browsers(count: int, seed: int, folder: Path, keeps: bool = True) -> Tally:
    """SIGKILL to a whole Chromium with two tabs; then the same profile is opened again."""
    tally = Tally()
    with serving(folder) as server, playing() as playwright:
        browser = Killable(playwright, folder / "profile")
        for number in range(seed, seed + count):
            random, where = Random(number), f"killed ({number})"
            try:
                context = browser.start(keeps=keeps)
                pages = [visit(context, server.url, f"s{number}-{each}") for each in "ab"]
                browser.remember(context)
                is_cut = not keeps or random.random() < 0.5
                if is_cut:
                    server.kill()
                typed = [type_into(pages[i], f"s{number}-{'ab'[i]}", random, 0.6) for i in (0, 1)]
                ended = time.monotonic()
                browser.kill()
                if is_cut:
                    server.start()
                tally.happened["without a server"] += is_cut
                come_back(browser.start(keeps=keeps), server.url, tally, where, keeps=keeps)
            finally:
                browser.kill()
            for each in typed:
                judge(server, each, ended, tally, where)
            tally.count += 1
    return tally


def cut_networks(count: int, seed: int, folder: Path, keeps: bool = True) -> Tally:
    """Type while the network is cut, held, slow or torn; then it is back. Now and then the page is
    closed meanwhile, and in the control each time."""
    tally, done = Tally(), []
    with (
        serving(folder) as server,
        behind(server, seed) as proxy,
        playing() as playwright,
        browsing(playwright) as browser,
    ):
        context = somebody(browser, keeps=keeps)
        for number in range(seed, seed + count):
            random = Random(number)
            mood = MOODS[number % len(MOODS)] if keeps else "cut"
            where = f"{mood} ({number})"
            page = visit(context, proxy.url, f"s{number}")
            proxy.set(mood)
            typed = type_into(page, f"s{number}", random, 2.0)
            page.wait_for_timeout(random.choice((0, 200, 1_500)))
            ended = time.monotonic()
            if is_closed := (not keeps or random.random() < 0.3):
                page.close()
            proxy.set("open")
            tally.happened[mood] += 1
            tally.happened["closed meanwhile"] += is_closed
            come_back(context, proxy.url, tally, where, keeps=keeps)
            page.close()
            done.append((typed, ended, where))
            tally.count += 1
        for typed, ended, where in done:
            judge(server, typed, ended, tally, where)
    return tally


Rounds = Callable[..., Tally]


def experiment(
    name: str, what: str, unit: str, rounds: Rounds, short: int, full: int
) -> Experiment:
    def run(count: int, seed: int, folder: Path) -> Tally:
        return apart(rounds, count, seed, folder)

    def control(seed: int, folder: Path) -> Tally:
        """A browser that keeps nothing, and no connection. Chromium tries a request once more that
        broke off: now and then the connection is back by then, and the next ones tell."""
        tally = Tally()
        for number in range(seed, seed + 10, 2):
            (place := folder / str(number)).mkdir()
            tally.add(apart(rounds, 2, number, place, False))
            if tally.faults:
                break
        return tally

    return Experiment(
        name,
        what,
        unit,
        f"{full} of {full}: every edit older than 100 ms is back, once",
        run,
        control,
        short=short,
        full=full,
        portion=PORTION,
        missing=without_chromium,
        slow=True,
        in_browser=True,
    )


EXPERIMENTS = [
    experiment("tabs-closed", "a tab is closed in mid-word", "tabs", close_tabs, 3, 200),
    experiment("tabs-crashed", "a tab's process crashes", "tabs", crash_tabs, 2, 100),
    experiment("browsers-killed", "a browser gets SIGKILL", "browsers", kill_browsers, 2, 100),
    experiment("networks", "the network goes while somebody types", "cuts", cut_networks, 4, 200),
]
