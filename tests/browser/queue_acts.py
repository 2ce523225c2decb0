"""What the tests of the queue do with its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect
from waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from queue_page import Backend


NUMBER = "document.getElementById('persistence-root').dataset.operations.split('?page=')[1]"
"""The page's own at its server."""
LIVING = """async () => {
    const { held } = (await navigator.locks?.query()) || { held: [] };
    return held.filter(({ name }) => name.startsWith("persistence-page:")).length;
}"""
"""How many pages there are, as far as the browser can tell."""


def visit(page: Page, backend: Backend) -> Page:
    page.goto(backend.url)
    page.wait_for_function("Boolean(window.persistence?.status)")
    return page


def settled(page: Page) -> None:
    """Nothing waits any more."""
    page.wait_for_function("window.persistence.unconfirmed.length === 0")


def kept(page: Page) -> None:
    page.wait_for_function("window.persistence.unkept.length === 0")


def hold(page: Page, field: str) -> None:
    """Nothing of the field is sent until the page goes, however long that takes."""
    page.evaluate(
        """(field) => { const { hold, keyOf } = persistenceOperations;
            hold(keyOf(["shot", "s1", "travel"], field)); }""",
        field,
    )


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
    expect(page.locator(".persistence-status-text")).to_contain_text(words)


def leave(page: Page, backend: Backend) -> None:
    """Go away from the page, which nobody answers, until the browser knows that it is gone."""
    backend.is_away = True
    kept(page)
    hear_no_more(page, backend)
    living = page.evaluate(LIVING)
    page.goto(f"{backend.url}/empty")
    if living:  # the browser has locks
        until(page, f"async (before) => await ({LIVING})() < before", living)
    backend.is_away = False


def hear_no_more(page: Page, backend: Backend) -> None:
    """What the page still says, as it goes too, comes to nobody."""
    backend.gone.add(page.evaluate(NUMBER))


def submit(page: Page, text: str) -> None:
    page.evaluate(
        "(text) => void persistence.submit('message.add', ['talk', 't1', ''], text)", text
    )
