"""Servers and browsers for the tests in Chromium.

`server(app)` starts an app's server; `workbench` is the one that most tests want. `page` is a fresh
page in a context of its own; `context()` makes more (another user), `context.new_page()` another
tab of the same user. After a failure each open page's screenshot and each server's log are in
`failures/`.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `servers`, wherever pytest was started
from servers import FLAGS, ROOT, Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page
    from queue_page import Backend

FAILURES = Path(__file__).parent / "failures"
REPORT = pytest.StashKey[pytest.TestReport]()

LONG = 30_000
"""How many ms a step or a claim may take on a busy machine, where its test names no other limit."""

StartServer = Callable[..., Server]
NewContext = Callable[..., "BrowserContext"]


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # once a run, however many processes share it
        shutil.rmtree(FAILURES, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[REPORT] = report
    return report


@pytest.fixture
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """`server(app, **env)` starts one; `app` is the folder of its rxconfig.py."""
    servers: list[Server] = []

    def start(app: Path = ROOT, **env: str) -> Server:
        made = Server(app, tmp_path_factory.mktemp("server"), env)
        servers.append(made)
        return made.start()

    yield start
    for one in servers:
        one.kill()
        if failed(request):
            failure(request, f"server-{one.port}.log").write_text(one.log)


@pytest.fixture
def workbench(server: StartServer) -> Server:
    """The workbench on an empty database of its own."""
    return server()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=LONG)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[NewContext]:
    """`context(**options)` makes a browser context: a user of its own, with empty storage. Without
    the worker that keeps pages for offline; `service_workers="allow"` brings it."""
    from playwright.sync_api import Error as PlaywrightError

    contexts: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        made = browser.new_context(
            **{
                "viewport": {"width": 1280, "height": 900},
                "reduced_motion": "reduce",
                "service_workers": "block",
            }
            | options
        )
        made.set_default_timeout(LONG)
        contexts.append(made)
        return made

    yield make
    for number, one in enumerate(contexts):
        for tab, page in enumerate(one.pages):
            if failed(request):
                with suppress(PlaywrightError):  # a page that crashed, or a run that was ended
                    page.screenshot(path=failure(request, f"{number}-{tab}.png"), full_page=True)
        with suppress(PlaywrightError):
            one.close()


@pytest.fixture
def page(context: NewContext) -> Page:
    return context().new_page()


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A page of the library's scripts alone, with a small server of its own."""
    from queue_page import Backend

    made = Backend()
    yield made
    made.close()


def failed(request: pytest.FixtureRequest) -> bool:
    report = request.node.stash.get(REPORT, None)
    return report is None or report.failed


def failure(request: pytest.FixtureRequest, name: str) -> Path:
    FAILURES.mkdir(exist_ok=True)
    return FAILURES / f"{re.sub(r'[^a-zA-Z0-9_-]+', '-', request.node.name)}-{name}"
