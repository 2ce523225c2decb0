"""Accounts in a real browser: what one made stays, and nothing is written as somebody else."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route
    from servers import Server

PASSWORD = "harbour at dawn"


def who(page: Page) -> Locator:
    return page.locator("#sidebar [data-who]")


def fill(page: Page, name: str, password: str) -> None:
    """And Enter."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.keyboard.press("Enter")


def sign(page: Page, workbench: Server, what: str, name: str = "Ann") -> None:
    """`what` is "up" or "in"."""
    page.goto(f"{workbench.url}/sign-{what}")
    expect(who(page)).to_have_attribute("data-who", "guest")
    fill(page, name, PASSWORD)


def make_shot(page: Page, workbench: Server) -> None:
    """A project with a shot, whose page is open then."""
    page.goto(workbench.url)
    page.get_by_role("button", name="New project").first.click()
    page.get_by_label("Name of the new project").fill("Harbour")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Harbour")).to_be_visible()
    page.get_by_role("button", name="New shot").first.click()
    page.get_by_label("Name of the new shot").fill("Gulls")
    page.keyboard.press("Enter")
    page.locator(".card").filter(has_text="Gulls").locator("a.card-name").click()
    expect(page.locator("h1")).to_have_text("Gulls")
    expect(prompt(page)).to_be_enabled()


def prompt(page: Page) -> Locator:
    return page.locator("[data-persistence=prompt]")


def wait_saved(page: Page) -> None:
    page.wait_for_function("window.persistence && !window.persistence.unconfirmed.length")


TYPE = """(text) => {
    document.querySelector("[data-persistence=prompt]").focus();
    document.execCommand("insertText", false, text);
    setTimeout(() => { for (const end = Date.now() + 1_000; Date.now() < end; ); });
}"""
"""And be busy for a second, as a page is on a slow computer now and then."""


def answer_late(route: Route) -> None:
    answer = route.fetch()
    time.sleep(0.8)
    route.fulfill(response=answer)


def prompts(workbench: Server) -> list[tuple[str, str]]:
    """Every author and prompt that was ever stored."""
    query = "SELECT author, text FROM persistence_change WHERE field = 'prompt' ORDER BY revision"
    with sqlite3.connect(workbench.database) as connection:
        return connection.execute(query).fetchall()


def users(workbench: Server) -> dict[str, str]:
    with sqlite3.connect(workbench.database) as connection:
        return dict(connection.execute("SELECT name, id FROM workbench_user").fetchall())


def test_signing_up_keeps_the_guests_work_and_signing_in_elsewhere_finds_it(
    workbench: Server, page: Page, context
):
    make_shot(page, workbench)
    shot = page.url
    prompt(page).press_sequentially("gulls over the pier", delay=5)
    wait_saved(page)
    expect(who(page)).to_contain_text("Sign up to keep your work")
    sign(page, workbench, "up")
    expect(who(page)).to_have_text(re.compile("Ann"))
    expect(page.get_by_text("Harbour").first).to_be_visible()
    laptop = context().new_page()
    sign(laptop, workbench, "in", "ann")
    expect(who(laptop)).to_have_attribute("data-who", "account")
    laptop.goto(shot)
    expect(prompt(laptop)).to_have_value("gulls over the pier")


def test_signing_out_saves_what_was_just_typed_in_another_tab_and_that_tab_says_so(
    workbench: Server, page: Page
):
    sign(page, workbench, "up")
    expect(who(page)).to_have_attribute("data-who", "account")
    make_shot(page, workbench)
    shot = page.url
    other = page.context.new_page()
    other.goto(f"{workbench.url}/account")
    button = other.get_by_role("button", name="Sign out", exact=True)
    expect(button).to_be_visible()
    other.route("**/auth/sign-out", answer_late)
    page.evaluate(TYPE, "typed and not yet sent")
    button.dispatch_event("click")
    notice = page.get_by_role("dialog", name="You signed out")
    expect(notice).to_contain_text("in another tab")
    expect(who(other)).to_have_attribute("data-who", "guest")
    ann = users(workbench)["Ann"]
    assert prompts(workbench)[-1] == (ann, '"typed and not yet sent"')
    expect(prompt(page)).to_have_count(0)
    notice.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="There’s nothing here")).to_be_visible()
    sign(page, workbench, "in")
    expect(who(page)).to_have_attribute("data-who", "account")
    page.goto(shot)
    expect(prompt(page)).to_have_value("typed and not yet sent")
    assert {author for author, _ in prompts(workbench)} == {ann}


def test_a_page_whose_session_was_ended_from_another_browser_does_nothing_more(
    workbench: Server, page: Page, context
):
    sign(page, workbench, "up")
    expect(who(page)).to_have_attribute("data-who", "account")
    make_shot(page, workbench)
    prompt(page).press_sequentially("before", delay=5)
    wait_saved(page)
    laptop = context().new_page()
    sign(laptop, workbench, "in")
    expect(who(laptop)).to_have_attribute("data-who", "account")
    laptop.goto(f"{workbench.url}/account")
    expect(laptop.locator(".sessions li")).to_have_count(2)
    laptop.get_by_role("button", name="Sign out everywhere else").click()
    expect(laptop.locator(".sessions li")).to_have_count(1)
    notice = page.get_by_role("dialog", name="You were signed out")
    expect(notice).to_contain_text("This session has ended")
    assert prompts(workbench)[-1][1] == '"before"'
    notice.get_by_role("button", name="Go on").click()
    expect(who(page)).to_have_attribute("data-who", "guest")


def test_signing_in_beside_a_guests_work_asks_whether_it_comes_along(
    workbench: Server, page: Page, context
):
    sign(page, workbench, "up")
    expect(who(page)).to_have_attribute("data-who", "account")
    laptop = context().new_page()
    make_shot(laptop, workbench)
    shot = laptop.url
    sign(laptop, workbench, "in")
    expect(laptop.get_by_text("1 project with 1 shot")).to_be_visible()
    laptop.get_by_role("link", name="Leave them for now").click()
    expect(who(laptop)).to_have_attribute("data-who", "account")
    laptop.goto(f"{workbench.url}/account")
    laptop.get_by_role("button", name="Bring them along").click()
    expect(laptop.locator(".card").filter(has_text="Harbour")).to_be_visible()
    page.goto(shot)
    expect(page.locator("h1")).to_have_text("Gulls")


def test_a_link_from_the_command_sets_another_password_once(workbench: Server, page: Page):
    sign(page, workbench, "up")
    expect(who(page)).to_have_attribute("data-who", "account")
    command = ["-m", "workbench.accounts.reset_password", "ann", "--url", workbench.url]
    made = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True,
        env={"DATABASE_URL": workbench.database_url, "PATH": "/usr/bin", "HOME": "/tmp"},
    )  # fmt: skip
    link = made.stdout.strip()
    page.goto(link)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ann")
    page.get_by_label("New password", exact=True).fill("gulls over the pier")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/")
    expect(who(page)).to_have_attribute("data-who", "guest")
    fill(page, "Ann", PASSWORD)
    expect(page.locator("#password-error")).to_have_text("The name or the password isn’t right.")
    fill(page, "Ann", "gulls over the pier")
    expect(who(page)).to_have_attribute("data-who", "account")
    page.goto(link)
    expect(page.get_by_role("heading", name="This link is gone")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_form_says_what_is_wrong_beside_the_field_and_nothing_jumps(
    workbench: Server, context, width: int
):
    page = context(viewport={"width": width, "height": 844}).new_page()
    page.goto(f"{workbench.url}/sign-up")
    expect(page.locator("[data-who]")).to_have_attribute("data-who", "guest")
    submit = page.get_by_role("button", name="Sign up", exact=True)
    before = submit.bounding_box()
    fill(page, "", "")
    name, password = (
        page.get_by_label("Name", exact=True),
        page.get_by_label("Password", exact=True),
    )
    expect(page.locator("#name-error")).to_have_text("Name is missing.")
    expect(name).to_be_focused()
    fill(page, "ann", "password1")
    expect(page.locator("#password-error")).to_contain_text("most common")
    expect(password).to_be_focused()
    expect(password).to_have_attribute("aria-invalid", "true")
    assert submit.bounding_box() == before
    assert (name.get_attribute("autocomplete"), password.get_attribute("autocomplete")) == (
        "username", "new-password",
    )  # fmt: skip
    expect(password).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show password").click()
    expect(password).to_have_attribute("type", "text")
    fill(page, "ann", PASSWORD)
    expect(page.locator("[data-who]")).to_have_attribute("data-who", "account")


def test_who_deletes_their_account_is_a_new_guest_without_anything(workbench: Server, page: Page):
    make_shot(page, workbench)
    sign(page, workbench, "up")
    expect(who(page)).to_have_attribute("data-who", "account")
    page.goto(f"{workbench.url}/account")
    with page.expect_download() as told:
        page.get_by_role("button", name="Export as JSON").click()
    assert '"name": "Gulls"' in told.value.path().read_text()
    page.get_by_text("Delete my account").click()
    part = page.get_by_role("region", name="Delete this account")
    part.get_by_label("Password", exact=True).fill("not this one")
    page.keyboard.press("Enter")
    expect(part.locator("#delete-password-error")).to_have_text("That isn’t your password.")
    part.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(who(page)).to_have_attribute("data-who", "guest")
    expect(page.locator(".card")).to_have_count(0)
    assert "Ann" not in users(workbench)
    assert prompts(workbench) == []


# --- signed out while edits wait -----------------------------------------------------------------


def post(page: Page, workbench: Server, what: str, name: str = "") -> None:
    """As the page's browser, without its forms."""
    body = {"name": name, "password": PASSWORD} if name else {}
    assert page.context.request.post(f"{workbench.url}/auth/{what}", data=body).ok


def edited_away(workbench: Server, page: Page, text: str) -> None:
    """Ann's session ends while the server is away and she goes on typing."""
    post(page, workbench, "sign-up", "Ann")
    make_shot(page, workbench)
    wait_saved(page)
    workbench.kill()
    prompt(page).press_sequentially(text, delay=5)
    page.wait_for_function("window.persistence.unkept.length === 0")
    page.context.clear_cookies(name="workbench_session")
    workbench.start()


AS_SOMEBODY = """() => {
    const actor = JSON.parse(sessionStorage.getItem("workbench-was")).id;
    const detail = { actor, now: "guest-1", waiting: 1 };
    document.dispatchEvent(new CustomEvent("persistence-identity", { detail }));
}"""


def test_a_session_that_ended_offline_is_asked_for_in_place_and_goes_on_as_the_same_person(
    workbench: Server, page: Page
):
    edited_away(workbench, page, "typed offline")
    shot = page.url
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_contain_text("1 change of Ann waits on this device", timeout=30_000)
    expect(dialog.locator("q")).to_have_text("typed offline")
    page.keyboard.press("Escape")  # not now: the way back stays in sight
    note = page.locator("#sign-in-again-note")
    expect(note).to_contain_text("1 change of Ann waits")
    page.evaluate(AS_SOMEBODY)  # the browser became a guest meanwhile: no reason to ask anew
    expect(dialog).to_be_hidden()
    note.get_by_role("button").press("Enter")
    expect(dialog).to_be_visible()
    expect(note).to_have_count(0)
    dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(who(page)).to_have_attribute("data-who", "account")
    expect(prompt(page)).to_have_value("typed offline")
    wait_saved(page)
    assert page.url == shot
    ann = users(workbench)["Ann"]
    assert prompts(workbench)[-1] == (ann, '"typed offline"')


def test_who_signs_in_as_somebody_else_sends_nothing_of_the_one_before(
    workbench: Server, page: Page, context
):
    post(context().new_page(), workbench, "sign-up", "Bob")
    edited_away(workbench, page, "of Ann alone")
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible(timeout=30_000)
    dialog.get_by_label("Your name", exact=True).fill("Bob")
    dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("You are signed in as Bob. 1 change of Ann stays sealed")
    dialog.get_by_role("button", name="Go on").click()
    expect(who(page)).to_contain_text("Bob")
    assert "of Ann alone" not in str(prompts(workbench))
    post(page, workbench, "sign-out")
    post(page, workbench, "sign-in", "Ann")
    page.goto(workbench.url)
    expect(page.locator(".persistence-status-text").first).to_contain_text(
        "1 change from before you signed out was saved", timeout=20_000
    )
    ann = users(workbench)["Ann"]
    assert prompts(workbench)[-1] == (ann, '"of Ann alone"')


def test_another_account_in_the_same_tab_is_told_how_much_waits_and_not_what(
    workbench: Server, page: Page, context
):
    post(context().new_page(), workbench, "sign-up", "Bob")
    edited_away(workbench, page, "of Ann alone")
    post(page, workbench, "sign-in", "Bob")
    page.goto(workbench.url)
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_contain_text("1 change of Ann waits on this device", timeout=30_000)
    page.evaluate("persistence.sealed()")  # after what the dialog reads
    assert dialog.locator("q").count() == 0
