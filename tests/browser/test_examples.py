"""Each of the apps in examples/ opens in Chromium and does what it is there for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from servers import ROOT, environment, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from servers import Server

EXAMPLES = ROOT / "examples"


@pytest.fixture
def example(server: Any) -> Any:
    """Starts one of them, with the lock of the page's packages that its own command would take."""

    def start(name: str) -> Server:
        folder = EXAMPLES / name
        if not (folder / "reflex.lock").exists():
            shutil.copytree(ROOT / "reflex.lock", folder / "reflex.lock")
        return server(folder)

    return start


def test_notes_keeps_a_sentence_over_a_kill_of_its_server(page: Page, example: Any) -> None:
    site = example("notes")
    page.goto(site.url)
    page.wait_for_function("document.getElementById('persistence-root')?.dataset.actor")
    page.locator("#text").press_sequentially("Gulls over the wake")
    expect(page.locator("#words")).to_have_text("4 words", timeout=15_000)
    page.click("#dark")
    expect(page.locator("html")).to_have_attribute("data-device-theme", "dark")
    page.click("#wider")
    expect(page.locator("main")).to_have_css("max-width", "800px")
    expect(page.locator("#status")).to_contain_text("Saved")
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    site.restart()
    page.reload()
    expect(page.locator("#text")).to_have_value("Gulls over the wake", timeout=15_000)
    expect(page.locator("html")).to_have_attribute("data-device-theme", "dark")
    expect(page.locator("main")).to_have_css("max-width", "800px")


def test_dashboard_shows_each_person_what_stands_for_them(page: Page, example: Any) -> None:
    site = example("dashboard")
    page.goto(site.url)
    expect(page.locator("#persistence-root")).to_have_attribute("data-hydrated", "true")
    page.click("#as-ana")
    expect(page.locator("#heading")).to_have_text("Last 30 days", timeout=15_000)
    page.click("#settings summary")
    expect(page.locator("[data-persistence-panel=dashboard]")).to_be_visible()
    page.locator("[data-persistence=days]").first.fill("7")
    expect(page.locator("#heading")).to_have_text("Last 7 days")
    page.click("#enforce")
    expect(page.locator("[data-persistence-panel=dashboard]")).to_contain_text("one ledger")
    page.click("#as-cho")
    expect(page.locator("#actor")).to_have_text("Signed in: cho", timeout=15_000)
    expect(page.locator("#heading")).to_have_text("Last 30 days")
    expect(page.locator("#settings")).to_have_attribute("open", "")  # this screen remembers
    expect(page.locator("[data-persistence-panel=dashboard]")).to_contain_text("one ledger")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """The service, started as its command starts it."""
    port = free_port()
    command = ["-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port)]
    env = environment(EXAMPLES / "service", tmp_path, port)
    process = subprocess.Popen(
        [sys.executable, *command, "service:app"],
        cwd=EXAMPLES / "service",
        env=env | {"DATABASE_URL": f"sqlite:///{tmp_path}/service.db"},
    )
    url = f"http://127.0.0.1:{port}/shots/harbour/s1"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            break
        except OSError:
            assert process.poll() is None, "it ended"
    yield url
    process.terminate()
    assert process.wait(20) == 0


def test_service_opens_and_keeps_what_is_sent(page: Page, service: str) -> None:
    assert page.request.patch(service, data={"scope": "project", "frames": 41}).ok
    page.goto(service.replace("s1", "s2"))
    shown = json.loads(page.locator("pre").inner_text())
    assert shown["frames"] == {"value": 41, "from": "project"}
    wrong = page.request.patch(service, data={"frames": 900})
    assert (wrong.status, wrong.json()["problem"]) == (422, "must be at most 241")
