"""The order of an app's own operations in the browser: over users, pages and refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queue_acts import kept, leave, records, settled, submit, visit
from waiting import emptied

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from queue_page import Backend


def test_a_message_doesnt_wait_for_somebody_elses(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    submit(page, "anns")
    kept(page)
    backend.cookie_actor = "bob"
    page.evaluate("document.getElementById('persistence-root').dataset.actor = 'bob'")
    backend.is_away = False
    submit(page, "bobs")
    backend.wait_until(lambda: backend.values() == ["bobs"])
    assert [each["base"] for each in backend.arrived] == [0]


def test_a_message_goes_on_without_the_one_before_it_once_that_is_answered(
    backend: Backend, page: Page
):
    """Also where the server can't know of that one: its function took no note of it."""
    backend.verdict = lambda operation: {
        "status": "confirmed" if operation["value"] == "one" or not operation["base"] else "pending"
    }
    visit(page, backend)
    page.evaluate("persistenceOperations.hold('nothing')")
    submit(page, "one")
    submit(page, "two")
    kept(page)
    page.evaluate("persistenceOperations.release()")
    settled(page)
    assert [(each["value"], each["base"] > 0) for each in backend.arrived] == [
        ("one", False), ("two", True), ("two", False),
    ]  # fmt: skip


def test_a_message_isnt_held_up_by_one_that_is_nowhere_any_more(backend: Backend, page: Page):
    """A crash while storage was full, or between an answer and its note."""
    visit(page, backend)
    backend.is_away = True
    submit(page, "lost")
    submit(page, "left")
    kept(page)
    lost = next(each["id"] for each in records(page) if each["value"] == "lost")
    page.evaluate("(id) => persistenceOutbox.drop(id)", lost)
    leave(page, backend)
    visit(page, backend)
    emptied(page)
    assert [(each["value"], each["base"]) for each in backend.arrived] == [("left", 0)]
