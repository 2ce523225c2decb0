"""A shared project in real browsers: invited by a link, edited by two, looked at, and let go of."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from servers import Server

SEEN = """() => {
  const seen = document.querySelector("[data-persistence=prompt]").dataset;
  return { target: JSON.parse(seen.persistenceTarget), base: Number(seen.persistenceBase) };
}"""
"""The edit target and the revision that a page shows."""
SEND = """async (edit) => {
  const made = { id: "late.00000001", client: "late", seq: 1, field: "prompt", kind: "set" };
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ operations: [{ ...made, ...edit }] });
  const answer = await fetch("/persistence/operations", { method: "POST", headers, body });
  return (await answer.json()).operations[0].status;
}"""
"""An edit as a page sends it, and what became of it."""


class Person:
    """Somebody with a browser of their own, signed up."""

    def __init__(self, page: Page, server: Server, name: str) -> None:
        self.page, self.server, self.name = page, server, name
        page.goto(f"{server.url}/sign-up")
        expect(page.locator("#sidebar [data-who]")).to_have_attribute("data-who", "guest")
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_label("Password", exact=True).fill("harbour at dawn")
        page.keyboard.press("Enter")
        expect(page.locator("#sidebar [data-who]")).to_have_attribute("data-who", "account")

    def make_shot(self) -> None:
        self.page.goto(self.server.url)
        self.page.get_by_role("button", name="New project").first.click()
        self.page.get_by_label("Name of the new project").fill("Harbour")
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="Harbour")).to_be_visible()
        self.page.get_by_role("button", name="New shot").first.click()
        self.page.get_by_label("Name of the new shot").fill("Gulls")
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".card").filter(has_text="Gulls")).to_be_visible()

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog", name="Share Harbour")

    def invite(self, role: str = "editor") -> str:
        """By keyboard where it is one press."""
        if not self.dialog.is_visible():
            self.page.get_by_role("button", name=re.compile("^Share")).press("Enter")
        self.dialog.get_by_label("Who joins").select_option(role)
        self.dialog.get_by_role("button", name="Create link").press("Enter")
        link = self.dialog.get_by_label("The new link")
        expect(link).to_have_value(re.compile("/join/.{22}$"))
        return link.input_value()

    def join(self, link: str) -> None:
        self.page.goto(link)
        self.page.get_by_role("button", name="Join", exact=True).click()
        expect(self.page.get_by_role("heading", name="Harbour")).to_be_visible()

    def open_shot(self) -> None:
        self.page.locator("a.card-name").filter(has_text="Gulls").click()
        expect(self.page.locator("h1")).to_have_text("Gulls")
        expect(self.field("prompt")).to_be_enabled()

    def field(self, name: str) -> Locator:
        return self.page.locator(f"[data-persistence={name}]:not([type=range])")

    def member(self, name: str) -> Locator:
        return self.dialog.locator(".people > li").filter(has_text=name)

    def wait_sent(self) -> None:
        self.page.wait_for_function("window.persistence && !window.persistence.unconfirmed.length")


@pytest.fixture
def person(workbench: Server, context):
    """`person(name)` signs somebody up in a browser of their own."""
    return lambda name, **options: Person(context(**options).new_page(), workbench, name)


def prompts(workbench: Server) -> list[str]:
    query = "SELECT text FROM persistence_change WHERE field = 'prompt' ORDER BY revision"
    with sqlite3.connect(workbench.database) as connection:
        return [text for (text,) in connection.execute(query).fetchall()]


def test_two_work_on_a_project_that_one_of_them_shared_by_a_link(workbench: Server, person):
    ana, ben = person("Ana"), person("Ben", viewport={"width": 390, "height": 844})
    ana.make_shot()
    link = ana.invite()
    ben.page.goto(link)
    expect(ben.page.get_by_text("Ana invites you to this project")).to_be_visible()
    expect(ben.page.get_by_text("You join as Ben.")).to_be_visible()
    ben.page.reload()  # looking at it joins nobody
    expect(ben.page.get_by_role("button", name="Join", exact=True)).to_be_visible()
    expect(ana.dialog.locator(".people > li")).to_have_count(1)
    ben.join(link)
    expect(ben.page.get_by_text("shared by Ana")).to_be_visible()
    expect(ana.member("Ben")).to_be_visible()  # live, in the dialog that is open
    ana.page.keyboard.press("Escape")
    ana.open_shot()
    ben.open_shot()
    ana.field("prompt").press_sequentially("gulls over the pier", delay=0)
    ben.field("text_after").press_sequentially("and nets", delay=0)
    expect(ana.field("text_after")).to_have_value("and nets")
    expect(ben.field("prompt")).to_have_value("gulls over the pier")
    # The same setting, on what Ben saw before Ana's newest edit: it is never written over unasked.
    before = ben.page.evaluate(SEEN)
    ana.field("prompt").fill("gulls at dusk")
    expect(ben.field("prompt")).to_have_value("gulls at dusk")
    assert ben.page.evaluate(SEND, before | {"value": "nets on the pier"}) == "conflict"
    expect(ana.field("prompt")).to_have_value("gulls at dusk")
    ana.page.reload()
    expect(ana.field("prompt")).to_have_value("gulls at dusk")
    # Each takes back what is theirs.
    expect(ben.page.get_by_role("button", name=re.compile("^Undo"))).to_be_enabled()
    ben.page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(ben.field("text_after")).to_have_value("")
    expect(ana.field("text_after")).to_have_value("")
    expect(ana.field("prompt")).to_have_value("gulls at dusk")


def test_who_may_only_look_sees_why_gets_the_right_live_and_is_let_go_of(workbench: Server, person):
    ana, cleo = person("Ana"), person("Cleo")
    ana.make_shot()
    cleo.join(ana.invite("viewer"))
    expect(cleo.page.get_by_text("Ask Ana for the right to edit.")).to_be_visible()
    expect(cleo.page.get_by_role("button", name="New shot")).to_have_count(0)
    expect(cleo.page.get_by_label("Actions for Gulls")).to_have_count(0)
    cleo.open_shot()
    expect(cleo.field("prompt")).to_have_js_property("readOnly", True)
    expect(cleo.field("accelerated_mode")).to_be_disabled()
    cleo.field("prompt").click()
    cleo.page.keyboard.type("mine")
    expect(cleo.field("prompt")).to_have_value("")
    assert cleo.page.evaluate("window.persistence.unconfirmed.length") == 0
    ana.member("Cleo").get_by_label("What Cleo may do").select_option("editor")
    expect(cleo.page.get_by_text("Ask Ana for the right to edit.")).to_have_count(0)
    expect(cleo.field("prompt")).to_have_js_property("readOnly", False)
    cleo.field("prompt").fill("gulls")
    cleo.wait_sent()
    assert prompts(workbench) == ['"gulls"']
    ana.member("Cleo").get_by_label("More for Cleo").click()
    ana.dialog.get_by_role("button", name="Remove…").click()
    expect(ana.dialog.get_by_role("button", name="Cancel")).to_be_focused()
    ana.dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(cleo.page.get_by_role("heading", name="closed to you now")).to_be_visible()
    expect(cleo.page.get_by_text("Gulls")).to_have_count(0)
    expect(cleo.field("prompt")).to_have_count(0)
    cleo.page.get_by_role("link", name="All projects").last.click()
    expect(cleo.page.get_by_text("Harbour")).to_have_count(0)
