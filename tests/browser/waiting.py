"""Waiting in a page for what it answers later.

Playwright's `wait_for_function` takes a promise for true, so that a wait for one waits for nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARE_ALL_ANSWERED = """async (keeps) => {
    if (window.persistence.unconfirmed.length) return false;
    const base = await window.persistenceOutbox.opened;
    if (!base) return !keeps;
    const count = base.transaction("operations").objectStore("operations").count();
    return new Promise((done) => { count.onsuccess = () => done(count.result === 0); });
}"""
"""Does nothing wait any more, neither in the page nor in the outbox of a browser that keeps one? A
storage that takes its time to open says nothing yet."""


def is_so(page: Page, question: str, arg: Any = None, *, within: float = 30) -> bool:
    """Whether the page answers the question with true within so many seconds. It may answer with a
    promise."""
    end = time.monotonic() + within
    while not page.evaluate(question, arg):
        if time.monotonic() > end:
            return False
        page.wait_for_timeout(20)
    return True


def until(page: Page, question: str, arg: Any = None, *, within: float = 30) -> None:
    assert is_so(page, question, arg, within=within), f"not within {within:g} s: {question}"


def emptied(page: Page) -> None:
    """Everything is answered, and gone from the browser."""
    until(page, ARE_ALL_ANSWERED, True)
