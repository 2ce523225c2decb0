"""What is typed into a secret setting is never on the browser's disk, and arrives all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from queue_acts import says, settled
from queue_page import Backend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

SECRET = "hunter2 of the harbour"


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend()
    yield made
    made.close()


def visit(page: Page, backend: Backend, *, is_secret: bool = True) -> None:
    page.goto(backend.url)
    page.wait_for_function("Boolean(window.persistence?.status)")
    if is_secret:
        page.evaluate("document.getElementById('prompt').dataset.persistenceSecret = 'true'")


def on_disk(page: Page) -> str:
    """All that this browser keeps for the site."""
    return page.evaluate(
        """async () => {
            const base = await window.persistenceOutbox.opened, found = [];
            for (const store of base.objectStoreNames) {
                const all = base.transaction(store).objectStore(store).getAll();
                const read = (done) => { all.onsuccess = () => done(all.result); };
                found.push(await new Promise(read));
            }
            return JSON.stringify([found, {...localStorage}, {...sessionStorage}]);
        }"""
    )


def looked(page: Page) -> None:
    """What was under way to the disk has arrived: another edit behind it has."""
    page.locator("#text").fill("behind it")
    page.wait_for_function("window.persistence.waiting.length === 2")
    page.wait_for_function("window.persistence.unkept.every(({ isSecret }) => isSecret)")


def test_it_waits_in_the_page_alone_and_is_sent_when_somebody_answers(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill(SECRET)
    looked(page)
    assert "behind it" in on_disk(page)
    assert SECRET not in on_disk(page)
    says(page, "in this page alone: keep it")
    backend.is_away = False
    settled(page)
    assert SECRET in backend.values()


def test_one_that_is_refused_is_shown_as_long_as_the_page_lives(backend: Backend, page: Page):
    backend.verdict = lambda _: {"status": "refused", "problem": "is too short"}
    visit(page, backend)
    page.locator("#prompt").fill(SECRET)
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    [entry] = page.evaluate("persistence.failed()")
    assert SECRET not in on_disk(page)
    backend.verdict = lambda _: {"status": "confirmed"}
    page.evaluate("(id) => void persistence.again(id, 'longer', 1)", entry["id"])
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    assert page.evaluate("persistence.failed()") == []
    assert backend.values()[-1] == "longer"


def test_any_other_edit_is_on_the_disk(backend: Backend, page: Page):
    """The control of those above."""
    visit(page, backend, is_secret=False)
    backend.is_away = True
    page.locator("#prompt").fill(SECRET)
    looked(page)
    assert SECRET in on_disk(page)
