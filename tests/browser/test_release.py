"""A page that was opened before the app was updated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from servers import Server

APP = Path(__file__).parent / "library_app"
NOTE = "#persistence-release"


@pytest.fixture
def site(server) -> Server:
    return server(APP)


def visit(page: Page, site: Server) -> Page:
    page.goto(f"{site.url}/shot/a")
    expect(page.locator("#state")).to_have_text("ready", timeout=15_000)
    return page


def update(site: Server) -> None:
    """Give the compiled page the name that another build of it would have."""
    client = site.folder / "web" / "build" / "client"
    (manifest,) = client.glob("assets/manifest-*.js")
    old = re.fullmatch(r"manifest-(.+)\.js", manifest.name)
    assert old is not None
    for file in [*client.glob("*.html"), manifest]:
        file.write_text(file.read_text().replace(old[1], "0ther"))
        for packed in file.parent.glob(f"{file.name}.*"):
            packed.unlink()
    manifest.rename(manifest.with_name("manifest-0ther.js"))


def test_an_old_page_offers_the_new_one_and_keeps_what_was_typed(page: Page, site: Server) -> None:
    visit(page, site)
    page.evaluate("window.persistence.release.look()")
    expect(page.locator(NOTE)).to_have_count(0)
    site.kill()
    update(site)
    page.locator("#prompt").fill("typed in the old page")
    site.start()
    expect(page.locator(NOTE)).to_contain_text("updated", timeout=30_000)
    page.get_by_role("button", name="Reload").click()
    page.wait_for_function("window.__reactRouterManifest?.version === '0ther'")
    expect(page.locator("#prompt")).to_have_value("typed in the old page")
    expect(page.locator(NOTE)).to_have_count(0)


def test_an_old_page_that_nobody_looks_at_reloads_by_itself(page: Page, site: Server) -> None:
    visit(page, site)
    page.evaluate("Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'})")
    site.kill()
    update(site)
    site.start()
    page.wait_for_function("window.__reactRouterManifest?.version === '0ther'", timeout=75_000)
    expect(page.locator("#state")).to_have_text("ready", timeout=30_000)
