"""What the tests of the drawer and of the notes do with their page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from queue_page import Backend

PROMPT = {
    "title": "Prompt", "tool": "Travel", "where": ["Dusk", "The Last Ferry"], "scope": "this shot",
    "control": {"kind": "long"}, "secret": False, "gone": False, "people": {"bob": "Bob"},
}  # fmt: skip
FRAMES = {**PROMPT, "title": "Frames", "control": {"kind": "number", "min": 1, "max": 241}}
BASE = "The ferry leans into the wind, gulls over its wake."
THEIRS = "The ferry turns into the storm, gulls over its wake."
MINE = "The old ferry leans into the wind, gulls over its wake."


def refused(problem: str, about: dict[str, Any] = PROMPT) -> dict[str, Any]:
    return {"status": "refused", "problem": problem, "revision": 0, "about": about}


CONFLICT = {
    "status": "conflict", "problem": "was changed by Bob meanwhile", "revision": 9, "about": PROMPT,
    "theirs": {"value": THEIRS, "kind": "set", "by": "bob", "at": 1_700_000_000, "revision": 9},
    "base_value": {"value": BASE, "kind": "set", "by": "ann", "at": 1_600_000_000, "revision": 3},
}  # fmt: skip


def on_old_base(operation: dict[str, Any]) -> dict[str, Any]:
    """Bob has changed everything since revision 3."""
    return CONFLICT if operation["base"] < 9 else {"status": "confirmed"}


def visit(page: Page, backend: Backend) -> Page:
    page.goto(backend.url)
    page.wait_for_function("Boolean(window.persistenceNotes)")
    return page


def kept(page: Page, count: int) -> None:
    """So many edits wait for a decision."""
    page.wait_for_function(
        "(count) => persistenceUnsaved.entries.length === count"
        " && persistence.unconfirmed.length === 0",
        arg=count,
    )


def drawer(page: Page) -> Locator:
    """The drawer, opened by its button."""
    found = page.locator("#persistence-unsaved")
    if not found.is_visible():
        page.locator("#unsaved").click()
    expect(found).to_be_visible()
    return found


def entry(page: Page, title: str) -> Locator:
    return drawer(page).get_by_role("listitem").filter(has=page.get_by_role("heading", name=title))


def press(where: Locator, name: str) -> None:
    where.get_by_role("button", name=re.compile(f"^{name}")).click()


def said(page: Page, words: str) -> None:
    expect(page.locator("#persistence-announcer")).to_contain_text(words)


def tell(control: Locator, value: str) -> None:
    """Somebody else's value, as the server says it."""
    control.evaluate(
        "(node, value) => Object.assign(node.dataset,"
        " { persistenceBase: '9', persistenceValue: JSON.stringify(value) })",
        value,
    )


def conflict(page: Page, backend: Backend) -> None:
    """Ann's text meets Bob's."""
    backend.verdict = on_old_base
    visit(page, backend)
    page.locator("#prompt").fill(MINE)
    kept(page, 1)
