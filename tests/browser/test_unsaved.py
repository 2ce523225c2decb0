"""What couldn't be saved: the drawer and the notes at fields, on a page without Reflex.

Its server answers as a test says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect
from unsaved_acts import FRAMES, PROMPT, drawer, entry, kept, press, refused, said, tell, visit
from waiting import emptied, until

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from queue_page import Backend


def test_it_says_what_where_and_why_after_a_reload_and_what_is_mended_is_saved(
    backend: Backend, page: Page
):
    def verdict(operation: dict[str, Any]) -> dict[str, Any]:
        is_fine = operation["field"] != "frames" or operation["value"] == 30
        return {"status": "confirmed"} if is_fine else refused("must be at most 241", FRAMES)

    backend.verdict = verdict
    visit(page, backend)
    page.locator("#frames").fill("1000")
    kept(page, 1)
    said(page, "Not saved: Frames must be at most 241.")
    page.locator("#text").fill("good")  # one bad edit holds up nothing
    kept(page, 1)
    assert backend.values() == ["good"]
    visit(page, backend)
    kept(page, 1)
    expect(page.locator(".persistence-status-text")).to_have_text(
        "Not saved: Frames must be at most 241"
    )
    expect(page.locator("#unsaved")).to_have_attribute("aria-label", "Not saved: 1")
    it = entry(page, "Frames")
    expect(it).to_contain_text("Travel · Dusk, The Last Ferry")
    expect(it).to_contain_text("Frames must be at most 241.")
    expect(it).to_contain_text("1000")
    press(it, "Edit")
    it.get_by_role("spinbutton").fill("500")
    page.keyboard.press("Enter")
    expect(it.get_by_role("alert")).to_have_text("At most 241")
    it.get_by_role("spinbutton").fill("30")
    page.keyboard.press("Enter")
    kept(page, 0)
    said(page, "Saved: Frames")
    assert backend.values() == ["good", 30]
    expect(drawer(page)).to_contain_text("Everything is saved.")
    expect(page.locator(".persistence-status-text")).to_contain_text("Saved")


def test_a_reason_that_is_a_sentence_of_the_apps_is_told_as_one(backend: Backend, page: Page):
    backend.verdict = lambda _: refused("You can look at this. Ask Ana for the right to edit.")
    visit(page, backend)
    page.locator("#prompt").fill("gulls")
    kept(page, 1)
    words = "Prompt: You can look at this. Ask Ana for the right to edit"
    expect(page.locator(".persistence-status-text")).to_have_text(f"Not saved: {words}")
    expect(entry(page, "Prompt").locator(".persistence-unsaved-why")).to_have_text(f"{words}.")


def test_what_fails_once_more_comes_back_with_its_new_reason(backend: Backend, page: Page):
    backend.verdict = lambda each: refused(f"is bad: {each['value']}")
    visit(page, backend)
    page.locator("#prompt").fill("one")
    kept(page, 1)
    press(entry(page, "Prompt"), "Edit")
    entry(page, "Prompt").get_by_role("textbox").fill("two")
    press(entry(page, "Prompt"), "Save")
    expect(entry(page, "Prompt")).to_contain_text("Prompt is bad: two.")
    kept(page, 1)
    backend.verdict = lambda _: {"status": "confirmed"}
    press(entry(page, "Prompt"), "Try again")
    kept(page, 0)
    assert backend.values() == ["two"]


def test_typing_on_replaces_an_entry_and_what_is_out_of_sight_stays(backend: Backend, page: Page):
    backend.verdict = lambda each: (
        refused("is too long") if len(each["value"]) > 5 else {"status": "confirmed"}
    )
    visit(page, backend)
    page.locator("#prompt").fill("")
    page.locator("#prompt").press_sequentially("much too long", delay=40)
    kept(page, 1)  # not one a key
    emptied(page)
    visit(page, backend)
    kept(page, 1)
    expect(page.locator(".persistence-mine")).to_have_text("Yours: much too long")
    page.locator("#prompt").fill("short")
    kept(page, 1)  # what wasn't to be seen isn't given up by that
    assert backend.values()[-1] == "short"
    page.locator("#prompt").fill("long again")
    kept(page, 2)
    page.locator("#prompt").fill("ok")
    kept(page, 1)


def test_export_holds_everything_but_secrets_and_discarding_asks_first(
    backend: Backend, page: Page, tmp_path: Path
):
    secret = {**PROMPT, "title": "Token", "control": {"kind": "text"}, "secret": True}
    backend.verdict = lambda each: refused("is bad", secret if each["field"] == "text" else PROMPT)
    visit(page, backend)
    page.locator("#prompt").fill("a long night")
    page.locator("#text").fill("hush hush")
    kept(page, 2)
    with page.expect_download() as download:
        press(drawer(page), "Export all")
    download.value.save_as(tmp_path / "unsaved.json")
    edits = json.loads((tmp_path / "unsaved.json").read_text())["edits"]
    held = {each["what"]: each for each in edits}
    assert (held["Prompt"]["value"], held["Prompt"]["why"]) == ("a long night", "Prompt is bad")
    assert held["Prompt"]["where"] == "Travel · Dusk, The Last Ferry"
    assert (held["Token"]["value"], held["Token"]["secret"]) == (None, True)
    said(page, "1 secret left out")
    assert "hush" not in page.locator("#persistence-unsaved").inner_html()
    assert entry(page, "Token").get_by_role("button", name="Export").count() == 0
    press(entry(page, "Prompt"), "Discard")
    kept(page, 2)
    press(entry(page, "Prompt"), "Keep it")
    press(entry(page, "Prompt"), "Discard")
    press(entry(page, "Prompt"), "Discard")
    kept(page, 1)
    expect(entry(page, "Token")).to_contain_text("kept only as long as this page")
    press(entry(page, "Token"), "Edit")
    expect(entry(page, "Token").locator("input[type=password]")).to_have_value("")
    backend.verdict = lambda _: {"status": "confirmed"}
    press(entry(page, "Token"), "Cancel")
    press(entry(page, "Token"), "Try again")  # as it was typed
    kept(page, 0)
    assert backend.values() == ["hush hush"]
    visit(page, backend)
    kept(page, 0)


def test_a_secret_that_was_refused_is_never_on_the_browsers_disk(backend: Backend, page: Page):
    secret = {**PROMPT, "title": "Token", "secret": True}
    backend.verdict = lambda _: refused("is bad", secret)
    visit(page, backend)
    page.locator("#prompt").fill("hush hush")
    kept(page, 1)
    assert (
        page.evaluate("persistence.failed().then((all) => all[0].operation.value)") == "hush hush"
    )
    backend.verdict = lambda _: {"status": "pending"}
    press(entry(page, "Token"), "Try again")
    expect(drawer(page)).to_contain_text("Saving…")
    visit(page, backend)
    page.wait_for_function("window.persistence.trouble === ''")
    for store in ("operations", "failed", "aside"):
        stored = page.evaluate(
            """async (store) => {
                const base = await window.persistenceOutbox.opened;
                const all = base.transaction(store).objectStore(store).getAll();
                return new Promise((done) => { all.onsuccess = () => done(all.result); });
            }""",
            store,
        )
        assert "hush" not in json.dumps(stored)


def test_offline_a_field_says_what_its_control_cant_show(backend: Backend, page: Page):
    visit(page, backend)
    control, note = page.locator("#prompt"), page.locator(".persistence-note")
    backend.is_away = True
    for kind, words in (("reset", "It inherits again"), ("pin", "It is pinned")):
        control.evaluate("(node, kind) => persistence.act(kind, node)", kind)
        expect(note).to_have_text(f"{words} as soon as there is a connection.", timeout=15_000)
    control.fill("typed after it")
    expect(note).to_have_count(0)
    control.evaluate("(node) => persistence.act('block', node)")
    expect(note).to_contain_text("It is blocked")
    backend.is_away = False
    expect(note).to_have_count(0, timeout=30_000)
    emptied(page)


def test_what_was_deleted_is_offered_back_and_not_sent_again(backend: Backend, page: Page):
    backend.verdict = lambda _: refused("belongs to a shot that is gone", {**PROMPT, "gone": True})
    visit(page, backend)
    page.locator("#prompt").fill("too late")
    kept(page, 1)
    it = entry(page, "Prompt")
    expect(it).to_contain_text("was deleted. Your edit is kept here.")
    expect(it.get_by_role("button")).to_have_text(["Copy", "Export", "Discard"])


def put_aside(page: Page, *actors: Any) -> None:
    """Records that nobody can read, of these."""
    page.evaluate(
        """async (actors) => {
            const base = await window.persistenceOutbox.opened;
            const work = base.transaction("aside", "readwrite"), aside = work.objectStore("aside");
            for (const actor of actors) aside.add({ id: `bad ${actor}`, actor });
            return new Promise((done) => { work.oncomplete = () => done(true); });
        }""",
        actors,
    )


def test_what_nobody_can_read_is_told_and_removed_but_nothing_of_another_user(
    backend: Backend, page: Page
):
    visit(page, backend)
    put_aside(page, 7, "ann", "bob")
    visit(page, backend)
    expect(page.locator("#unsaved")).to_have_attribute("aria-label", "Not saved: 1")
    expect(drawer(page)).to_contain_text("2 records in this browser can’t be read")
    press(drawer(page), "Remove")
    press(drawer(page), "Really remove")
    expect(drawer(page)).not_to_contain_text("can’t be read")
    assert [each["id"] for each in page.evaluate("persistence.aside()")] == ["bad bob"]


SLOW_DISK = {
    "request.onsuccess = () => resolve(request.result);": (
        "request.onsuccess = () => setTimeout(() => resolve(request.result), 700);"
    )
}


def test_the_drawer_shows_at_once_what_is_known_and_keeps_what_it_asked(
    backend: Backend, page: Page
):
    backend.without = SLOW_DISK
    backend.verdict = lambda _: refused("is bad")
    visit(page, backend)
    put_aside(page, "ann")
    page.locator("#prompt").fill("one")
    expect(page.locator("#unsaved")).to_have_attribute("aria-label", "Not saved: 2", timeout=15_000)
    it = page.locator("#persistence-unsaved")
    shown = "document.querySelectorAll('#persistence-unsaved li').length"
    assert page.evaluate(f"persistenceUnsaved.show(), {shown}") == 1
    press(it, "Remove")
    page.evaluate("persistenceUnsaved.read()")  # it looks anew
    expect(it.get_by_role("button", name="Really remove")).to_be_focused()
    press(it, "Really remove")
    expect(it).not_to_contain_text("can’t be read", timeout=15_000)


def test_a_note_goes_with_its_entry_though_more_is_still_being_read(backend: Backend, page: Page):
    backend.without = SLOW_DISK
    backend.verdict = lambda _: refused("is bad")
    visit(page, backend)
    page.locator("#prompt").fill("one")
    expect(page.locator(".persistence-note")).to_be_visible(timeout=15_000)
    press(page.locator(".persistence-note"), "Discard")
    notes = page.evaluate(
        """() => new Promise((done) => {
            const look = () => {
                persistenceUnsaved.read();
                if (persistenceUnsaved.entries.length) setTimeout(look, 5);
                else done(document.querySelectorAll(".persistence-note").length);
            };
            look();
        })"""
    )
    assert notes == 0


def test_it_is_used_by_keyboard_and_gives_the_focus_back(backend: Backend, page: Page):
    backend.verdict = lambda _: refused("is bad")
    visit(page, backend)
    page.locator("#prompt").fill("x" * 2000)
    kept(page, 1)
    page.locator("#unsaved").focus()
    page.keyboard.press("Enter")
    expect(drawer(page).get_by_role("heading", name="Not saved")).to_be_focused()
    for name in ("Close", "Show all", "Edit: Prompt"):
        page.keyboard.press("Tab")
        expect(drawer(page).get_by_role("button", name=name)).to_be_focused()
    page.keyboard.press("Enter")
    expect(entry(page, "Prompt").get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")  # of the edit alone
    expect(entry(page, "Prompt").get_by_role("textbox")).to_have_count(0)
    expect(drawer(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#persistence-unsaved")).not_to_be_visible()
    expect(page.locator("#unsaved")).to_be_focused()
    page.locator(".persistence-note").get_by_role("button", name="Details: Prompt").press("Enter")
    press(entry(page, "Prompt"), "Discard")
    press(entry(page, "Prompt"), "Discard")
    kept(page, 0)
    page.keyboard.press("Escape")  # the note is gone, and its button
    expect(page.locator("#prompt")).to_be_focused()


def test_a_try_that_a_newer_edit_stood_for_is_over(backend: Backend, page: Page):
    backend.verdict = lambda _: refused("is bad")
    visit(page, backend)
    page.locator("#prompt").fill("one")
    kept(page, 1)
    backend.verdict = lambda each: {"status": "pending" if each["value"] == "one" else "confirmed"}
    press(entry(page, "Prompt"), "Try again")
    backend.wait_until(lambda: len(backend.arrived) > 1)  # it has left, and has no answer
    expect(drawer(page)).to_contain_text("Saving…")
    page.keyboard.press("Escape")
    page.locator("#prompt").fill("two")
    kept(page, 0)
    expect(drawer(page)).to_contain_text("Everything is saved.")
    assert backend.values() == ["two"]


def test_without_a_connection_a_try_is_said_to_wait(backend: Backend, page: Page):
    backend.verdict = lambda _: refused("is bad")
    visit(page, backend)
    page.locator("#prompt").fill("one")
    kept(page, 1)
    page.context.set_offline(True)
    press(entry(page, "Prompt"), "Try again")
    expect(drawer(page)).to_contain_text("No connection: waits")
    expect(drawer(page)).not_to_contain_text("Saving…")
    page.context.set_offline(False)
    kept(page, 1)
    expect(entry(page, "Prompt")).to_contain_text("Prompt is bad.")


def test_the_control_shows_what_was_typed_until_its_user_has_decided(backend: Backend, page: Page):
    backend.verdict = lambda _: refused("is bad")
    visit(page, backend)
    control = page.locator("#prompt")
    control.fill("mine")
    kept(page, 1)
    for complains in ("true", "false"):  # a page that connects anew hears no complaint any more
        control.evaluate("(node, is) => { node.dataset.persistenceRefused = is; }", complains)
    expect(control).to_have_value("mine")
    expect(page.locator(".persistence-mine")).to_have_count(0)
    tell(control, "theirs")  # what another tab saved is shown, and the note says what isn't
    expect(control).to_have_value("theirs")
    expect(page.locator(".persistence-mine")).to_have_text("Yours: mine")
    press(page.locator(".persistence-note"), "Discard")
    kept(page, 0)
    expect(control).to_have_value("theirs")


def test_a_slow_disk_takes_nothing_out_of_sight(backend: Backend, page: Page):
    backend.verdict = lambda _: refused("is bad")
    visit(page, backend)
    control = page.locator("#prompt")
    control.fill("gulls")
    kept(page, 1)
    control.blur()
    page.evaluate(
        """() => {
            const all = IDBObjectStore.prototype.getAll;
            IDBObjectStore.prototype.getAll = function () {
                const real = all.call(this), slow = {};
                real.onsuccess = () => { slow.result = real.result; window.answer = slow; };
                return slow;
            };
            persistenceUnsaved.read();
            window.until = performance.now() + 3500;
        }"""
    )
    page.wait_for_function("performance.now() > window.until")
    control.evaluate("(node) => { node.dataset.persistenceBase = '5'; }")
    expect(page.locator(".persistence-status-text")).to_contain_text("Not saved")
    expect(page.locator(".persistence-note")).to_have_count(1)
    expect(control).to_have_value("gulls")


def test_what_is_discarded_in_the_drawer_is_what_it_shows(backend: Backend, page: Page):
    backend.verdict = lambda _: refused("is bad")
    visit(page, backend)
    page.locator("#prompt").fill("shown")
    kept(page, 1)
    press(entry(page, "Prompt"), "Discard")
    page.evaluate(
        """() => {
            const control = document.getElementById("prompt");
            document.addEventListener("persistence-answer", () => {
                document.querySelector("#persistence-unsaved [data-act=discard]").click();
            }, { once: true });
            control.value = "newer";
            control.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    page.wait_for_function("persistenceUnsaved.entries[0]?.operation.value === 'newer'")
    until(page, "async () => (await persistence.failed()).length === 1")


def test_nothing_of_somebody_elses_is_told_at_a_field(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    page.locator("#text").evaluate("(node) => persistence.act('reset', node)")
    note = page.locator(".persistence-note")
    expect(note).to_have_count(1)
    backend.cookie_actor = "bob"
    page.evaluate("document.getElementById('persistence-root').dataset.actor = 'bob'")
    expect(note).to_have_count(0)
