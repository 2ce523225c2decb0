"""The queue of a page's edits in a real Chromium: kept before it is sent, sent once, never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from queue_page import Backend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

REFUSED = {"status": "refused", "problem": "must be at most 3"}


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend()
    yield made
    made.close()


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


def status(page: Page) -> str:
    return page.locator(".persistence-status-text").inner_text()


def submit(page: Page, text: str) -> None:
    page.evaluate(
        "(text) => void persistence.submit('message.add', ['talk', 't1', ''], text)", text
    )


def test_what_is_refused_is_always_in_one_of_the_stores_until_somebody_settles_it(
    backend: Backend, page: Page
):
    backend.verdict = lambda operation: (
        REFUSED if operation["value"] == "bad" else {"status": "confirmed"}
    )
    visit(page, backend)
    page.locator("#prompt").fill("bad")
    page.locator("#text").fill("good")
    settled(page)
    assert backend.values() == ["good"]
    visit(page, backend)  # it outlives the page
    [entry] = failed(page)
    assert entry["answer"]["problem"] == "must be at most 3"
    assert (entry["operation"]["value"], entry["actor"]) == ("bad", "ann")
    assert records(page) == []
    page.evaluate("(id) => persistence.again(id, 'mended', 9)", entry["id"])
    settled(page)
    page.wait_for_function("persistence.failed().then((all) => all.length === 0)")
    assert backend.values() == ["good", "mended"]
    assert backend.arrived[-1]["base"] == 9


def test_messages_keep_their_order_over_a_reload_and_one_that_is_refused_stops_no_other(
    backend: Backend, page: Page
):
    backend.verdict = lambda operation: (
        REFUSED if operation["value"] == "two" else {"status": "confirmed"}
    )
    visit(page, backend)
    backend.is_away = True
    for text in ("one", "two", "three"):
        submit(page, text)
    kept(page)
    page.goto("about:blank")
    backend.is_away = False
    visit(page, backend)
    submit(page, "four")
    settled(page)
    assert backend.values() == ["one", "three", "four"]
    assert [each["value"] for each in backend.arrived] == ["one", "two", "three", "four"]
    assert [each["operation"]["value"] for each in failed(page)] == ["two"]
