"""The order of an app's own operations in the browser: over users, pages and refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
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
    page.evaluate(
        """() => { for (const text of ["one", "two"])
            persistence.submit("message.add", ["talk", "t1", ""], text); }"""
    )
    kept(page)
    page.evaluate("persistenceOperations.release()")
    settled(page)
    arrived = dict.fromkeys((each["value"], each["base"] > 0) for each in backend.arrived)
    assert list(arrived) == [("one", False), ("two", True), ("two", False)]


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


def test_a_message_waits_for_what_a_storage_that_opens_late_may_hold(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    submit(page, "before")
    leave(page, backend)
    page.add_init_script(
        """const open = indexedDB.open.bind(indexedDB);
        indexedDB.open = (...all) => {
            const known = open(...all), request = { get result() { return known.result; } };
            known.onupgradeneeded = (event) => request.onupgradeneeded(event);
            known.onsuccess = () => { window.letItOpen = () => request.onsuccess(); };
            return request;
        };"""
    )
    visit(page, backend)
    page.wait_for_function("persistence.trouble === 'blocked'")  # it isn't waited for any longer
    page.evaluate("window.letItOpen()")
    page.wait_for_function("persistence.trouble === ''")
    submit(page, "after")
    kept(page)
    page.evaluate("dispatchEvent(new Event('online'))")
    settled(page)
    assert backend.values() == ["before", "after"]


def test_what_was_taken_over_while_its_user_left_is_sent_when_they_are_back(
    backend: Backend, page: Page
):
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill("left behind")
    leave(page, backend)
    page.add_init_script(
        """navigator.locks.request("persistence-claim", () => new Promise((done) => {
            window.letItLook = done;
        }));"""
    )
    visit(page, backend)
    page.evaluate("document.getElementById('persistence-root').dataset.actor = 'bob'")
    page.evaluate("window.letItLook()")
    page.evaluate("persistenceOutbox.claim('nobody', 'nobody')")  # after the page's own looks
    page.evaluate("document.getElementById('persistence-root').dataset.actor = 'ann'")
    emptied(page)
    assert backend.values() == ["left behind"]


TOGGLE = """(isOn) => void persistence.toggled(
    "travel", "text", '["shot","s1","travel"]', 3, null, isOn)"""


def test_a_toggle_looks_at_no_edit_from_before_a_reset_nor_of_somebody_else(
    backend: Backend, page: Page
):
    visit(page, backend)
    backend.is_away = True
    page.evaluate(TOGGLE, True)
    page.evaluate("persistence.act('reset', document.getElementById('text'))")
    page.evaluate(TOGGLE, True)
    page.evaluate("document.getElementById('persistence-root').dataset.actor = 'bob'")
    page.evaluate(TOGGLE, True)
    made = page.evaluate("persistence.unconfirmed.map(({ kind, value }) => [kind, value])")
    assert made == [["set", False], ["reset", None], ["set", False], ["set", False]]


EDIT = "([kind, value]) => void persistence.edit(kind, ['shot', 's1', 'travel'], 'text', value, 3)"
WHOLE, KEY = {"a": 1, "b": 2}, {"set": {"a": 7}, "remove": []}
LOOKS_LATE = """
    const request = navigator.locks.request.bind(navigator.locks);
    navigator.locks.request = async (name, ...rest) => {
        if (name === "persistence-claim") await new Promise((done) => setTimeout(done, 900));
        return request(name, ...rest);
    };
"""


@pytest.mark.parametrize("kind", ["set", "reset"])
def test_a_key_never_goes_before_the_whole_edit_that_it_was_made_on(
    backend: Backend, page: Page, kind: str
):
    """The server takes an edit of all keys for old news once it knows a later key."""
    visit(page, backend)
    whole = WHOLE if kind == "set" else None
    backend.is_away = True
    page.evaluate(EDIT, [kind, whole])
    backend.wait_for(1)  # into the void, and tried again after 2 s
    backend.is_away = False
    page.evaluate(EDIT, ["keys", KEY])
    emptied(page)
    assert backend.values() == [whole, KEY]


@pytest.mark.parametrize("length", [10, 150_000, 70_000])
def test_a_page_that_goes_says_both_in_their_order_however_long_they_are(
    backend: Backend, page: Page, length: int
):
    visit(page, backend)
    whole = {"a": "x" * length}
    backend.verdict = lambda _: {"status": "pending"}
    page.evaluate(EDIT, ["set", whole])
    backend.wait_until(lambda: len(backend.arrived) > 0)
    page.evaluate(EDIT, ["keys", KEY])
    kept(page)
    backend.verdict = lambda _: {"status": "confirmed"}
    page.reload()
    page.wait_for_function("Boolean(window.persistence?.status)")
    emptied(page)
    made = {each["id"]: each["value"] for each in backend.arrived}
    assert [made[each] for each in backend.done] == [whole, KEY]


def test_a_key_waits_until_its_page_has_looked_for_what_an_earlier_one_left(
    backend: Backend, page: Page
):
    visit(page, backend)
    backend.is_away = True
    page.evaluate(EDIT, ["set", WHOLE])
    kept(page)
    leave(page, backend)
    page.add_init_script(LOOKS_LATE)
    visit(page, backend)
    page.evaluate(EDIT, ["keys", KEY])
    emptied(page)
    assert backend.values() == [WHOLE, KEY]


def test_a_whole_edit_doesnt_pass_a_key_that_waits(backend: Backend, page: Page):
    page.add_init_script(LOOKS_LATE)
    visit(page, backend)
    page.evaluate(EDIT, ["keys", KEY])
    page.evaluate(EDIT, ["set", WHOLE])
    emptied(page)
    assert backend.values() == [KEY, WHOLE]


def test_a_key_doesnt_pass_where_a_request_is_taken_apart(backend: Backend, page: Page):
    """One of another field can't be read."""
    visit(page, backend)
    seen: list[str] = []

    def verdict(operation: dict[str, Any]) -> dict[str, Any]:
        seen.append(operation["kind"])
        is_late = operation["kind"] == "set" and seen.count("set") == 1
        return {"status": "pending"} if is_late else {"status": "confirmed"}

    backend.verdict = verdict
    page.evaluate("window.isSocketAway = true")
    page.evaluate(
        """([whole, key]) => {
            const edit = (kind, field, value) =>
                persistence.edit(kind, ["shot", "s1", "travel"], field, value, 3);
            edit("set", "prompt", "poison");
            edit("set", "text", whole);
            edit("keys", "text", key);
        }""",
        [WHOLE, KEY],
    )
    kept(page)
    page.evaluate("void dispatchEvent(new Event('online'))")  # all in one request
    emptied(page)
    assert seen == ["set", "set", "keys"]


def test_a_whole_edit_that_isnt_kept_yet_doesnt_go_along_with_its_key(backend: Backend, page: Page):
    page.add_init_script(
        """const send = window.fetch;
        window.early = [];
        window.fetch = (path, options) => {
            const unkept = new Set(persistence.unkept.map(({ id }) => id));
            for (const { id } of JSON.parse(options.body).operations)
                if (unkept.has(id)) window.early.push(id);
            return send(path, options);
        };"""
    )
    visit(page, backend)
    page.evaluate(
        """() => {
            const edit = (kind, value) =>
                persistence.edit(kind, ["shot", "s1", "travel"], "text", value, 3);
            edit("set", { a: 1 });
            edit("set", { a: 1, b: 2 });
            edit("keys", { set: { a: 7 }, remove: [] });
        }"""
    )
    emptied(page)
    assert page.evaluate("window.early") == []
    assert backend.values() == [WHOLE, KEY]
