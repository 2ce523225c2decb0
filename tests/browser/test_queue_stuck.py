"""What can't go holds up nothing else: answers that never come, values, storage and clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queue_acts import leave, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from queue_page import Backend


def test_more_than_a_request_of_what_cant_be_answered_now_holds_up_nothing_behind_it(
    backend: Backend, page: Page
):
    backend.verdict = lambda operation: {
        "status": "pending" if operation["kind"] == "message.add" else "confirmed"
    }
    visit(page, backend)
    backend.is_away = True
    page.evaluate(
        """() => { for (let n = 0; n < 60; n++)
            persistence.submit("message.add", ["talk", "t1", ""], `message ${n}`); }"""
    )
    page.locator("#prompt").fill("behind them")
    leave(page, backend)
    visit(page, backend)
    backend.wait_until(lambda: backend.values() == ["behind them"])
