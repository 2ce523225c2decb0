"""What the tests of the queue do with its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from queue_page import Backend


def visit(page: Page, backend: Backend) -> Page:
    page.goto(backend.url)
    page.wait_for_function("Boolean(window.persistence?.status)")
    return page


def settled(page: Page) -> None:
    """Nothing waits any more."""
    page.wait_for_function("window.persistence.unconfirmed.length === 0")


def kept(page: Page) -> None:
    page.wait_for_function("window.persistence.unkept.length === 0")


def records(page: Page, store: str = "operations") -> list[dict[str, Any]]:
    return page.evaluate(
        """async (store) => {
            const base = await window.persistenceOutbox.opened;
            const all = base.transaction(store).objectStore(store).getAll();
            return new Promise((done) => { all.onsuccess = () => done(all.result); });
        }""",
        store,
    )


def failed(page: Page) -> list[dict[str, Any]]:
    return page.evaluate("window.persistence.failed()")


def says(page: Page, words: str) -> None:
    """The status line does."""
    expect(page.locator(".persistence-status-text")).to_contain_text(words, timeout=15_000)


def leave(page: Page, backend: Backend) -> None:
    """Go away from the page, which nobody answers."""
    backend.is_away = True
    kept(page)
    before = len(backend.tries)
    page.goto("about:blank")
    backend.wait_for(before + 1)  # what a page that goes still says
    backend.is_away = False


def submit(page: Page, text: str) -> None:
    page.evaluate(
        "(text) => void persistence.submit('message.add', ['talk', 't1', ''], text)", text
    )
