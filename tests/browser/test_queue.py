"""The queue of a page's edits in a real Chromium: kept before it is sent, sent once, never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from queue_acts import failed, hold, kept, leave, records, says, settled, submit, visit
from queue_page import Backend
from waiting import emptied, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext, Page

REFUSED = {"status": "refused", "problem": "must be at most 3"}


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
    emptied(page)
    [entry] = failed(page)
    assert entry["answer"]["problem"] == "must be at most 3"
    assert (entry["operation"]["value"], entry["actor"]) == ("bad", "ann")
    assert records(page) == []
    page.evaluate("(id) => persistence.again(id, 'mended', 9)", entry["id"])
    settled(page)
    until(page, "persistence.failed().then((all) => all.length === 0)")
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
    leave(page, backend)
    visit(page, backend)
    submit(page, "four")
    settled(page)
    assert backend.values() == ["one", "three", "four"]
    assert [each["value"] for each in backend.arrived] == ["one", "two", "three", "four"]
    assert [each["operation"]["value"] for each in failed(page)] == ["two"]


def test_a_message_waits_until_the_page_knows_what_came_before_it(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    submit(page, "before")
    leave(page, backend)
    page.add_init_script(
        """navigator.locks.request("persistence-claim", () => new Promise((done) => {
            window.letItLook = done;
        }));"""
    )
    visit(page, backend)
    submit(page, "after")
    page.locator("#prompt").fill("a setting has no order")
    backend.wait_until(lambda: backend.values() != [])
    assert backend.values() == ["a setting has no order"]
    page.evaluate("window.letItLook()")
    settled(page)
    assert backend.values() == ["a setting has no order", "before", "after"]


LOG = """
    window.log = [];
    const begin = IDBDatabase.prototype.transaction, put = IDBObjectStore.prototype.put;
    IDBDatabase.prototype.transaction = function (...all) {
      const made = Object.assign(begin.apply(this, all), { values: [] });
      made.addEventListener("complete", () => made.values.map((each) => log.push("kept " + each)));
      return made;
    };
    IDBObjectStore.prototype.put = function (record) {
      this.transaction.values.push(record.value);
      return put.call(this, record);
    };
    const send = window.fetch;
    window.fetch = (path, options) => {
      for (const each of JSON.parse(options.body).operations) window.log.push("sent " + each.value);
      return send(path, options);
    };
"""


def is_kept_before_it_leaves(backend: Backend, context: Any) -> bool:
    page = context().new_page()
    page.add_init_script(LOG)
    visit(page, backend)
    page.locator("#prompt").press_sequentially("!?", delay=150)
    page.evaluate("void persistence.edit('set', ['shot', 's1', 'travel'], 'text', 'at once', 3)")
    submit(page, "hello")
    settled(page)
    log = page.evaluate("window.log")
    sent = [each[5:] for each in log if each.startswith("sent")]
    assert sent
    return all(
        f"kept {each}" in log and log.index(f"kept {each}") < log.index(f"sent {each}")
        for each in sent
    )


def is_never_sent_for_another(backend: Backend, context: Any) -> bool:
    page = visit(context().new_page(), backend)
    backend.is_away = True
    page.locator("#prompt").fill("anns")
    leave(page, backend)
    backend.cookie_actor = backend.page_actor = "bob"
    visit(page, backend)
    backend.tries.clear()  # the page before this one has been heard by now
    for _ in range(2):
        page.evaluate("dispatchEvent(new Event('online'))")
        page.evaluate("persistenceOutbox.claim('nobody', 'nobody')")  # after its look
    page.evaluate("window.isSocketAway = true")
    hold(page, "text")  # no other request than the last one
    page.locator("#text").fill("bobs")
    kept(page)
    ids = {each["id"] for each in records(page) if each["actor"] == "ann"}
    before = len(backend.tries)
    page.goto("about:blank")
    backend.wait_for(before + 1)  # all that it may send goes with it
    return len(ids) == 1 and not ids & {each for sent in backend.tries for each in sent}


def is_in_one_of_the_stores(backend: Backend, context: Any) -> bool:
    """Also where the second store can't take it."""
    user: BrowserContext = context()
    page = user.new_page()
    page.add_init_script(
        """const put = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = function (record) {
            if (this.name === "failed") throw new DOMException("no room", "QuotaExceededError");
            return put.call(this, record);
        };"""
    )
    backend.verdict = lambda _: REFUSED
    visit(page, backend)
    page.locator("#prompt").fill("bad")
    settled(page)
    page.wait_for_function("persistence.trouble === 'full'")
    page.close()
    page = visit(user.new_page(), backend)
    page.evaluate("persistenceOutbox.claim('nobody', 'nobody')")  # after the page's own look
    settled(page)
    return len(records(page)) + len(failed(page)) == 1


def is_claimed_by_one(backend: Backend, context: Any) -> bool:
    user: BrowserContext = context()
    one, two, gone = (visit(user.new_page(), backend) for _ in range(3))
    backend.is_away = True
    gone.locator("#prompt").fill("left behind")
    kept(gone)
    gone.close()
    until(
        one,
        "navigator.locks.query().then(({ held }) => held.filter("
        "({ name }) => name.startsWith('persistence-page:')).length === 2)",
    )
    for page in (one, two, one, two):  # the first may still be busy with a look of its own
        page.evaluate("dispatchEvent(new Event('online'))")
        page.evaluate("persistenceOutbox.claim('nobody', 'nobody')")  # after its look
    return sum(page.evaluate("persistence.unconfirmed.length") for page in (one, two)) == 1


GUARDS: dict[str, tuple[Callable[[Backend, Any], bool], dict[str, str]]] = {
    "kept first": (
        is_kept_before_it_leaves,
        {"filter((each) => !each.sentAt && each.isReady)": "filter((each) => !each.sentAt)"},
    ),
    "its user": (  # at claiming, at adopting, and at both ways out
        is_never_sent_for_another,
        {
            "each.actor !== actor || !isLeft": "!isLeft",
            "strays.filter((each) => each.actor === actor)": "strays",
            "operations.filter((each) => each.actor === actor)": "operations",
            "waiting().filter((each) => each.actor === actorNow())": "waiting()",
        },
    ),
    "one transaction": (
        is_in_one_of_the_stores,
        {
            "return writeAtOnce((operations, failed)": "drop(entry.id);"
            " return writeAtOnce((operations, failed)"
        },
    ),
    "one page": (
        is_claimed_by_one,
        {"operations.put({ ...found.at(-1), version: VERSION });": ""},
    ),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_holds_and_without_it_the_same_goes_wrong(
    backend: Backend, context: Any, guard: str
):
    experiment, without = GUARDS[guard]
    assert experiment(backend, context)
    again = Backend()
    again.without = without
    try:
        assert not experiment(again, context)
    finally:
        again.close()


def test_offline_everything_waits_and_then_goes_once_in_its_order(backend: Backend, page: Page):
    visit(page, backend)
    page.context.set_offline(True)
    page.locator("#prompt").fill("first")
    submit(page, "second")
    page.locator("#text").fill("third")
    says(page, "No connection. 3 changes wait")
    expect(page.locator("#prompt")).to_have_value("first")
    assert backend.tries == []
    page.context.set_offline(False)
    settled(page)
    assert backend.values() == ["first", "second", "third"]
    assert len(backend.arrived) == 3
    says(page, "Saved")
    assert records(page) == []


def test_a_server_that_goes_silent_is_said_without_the_browsers_word(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill("typed")
    says(page, "No connection. 1 change waits")
    backend.is_away = False
    says(page, "Saved")
    assert backend.values() == ["typed"]


def test_a_server_that_answers_and_cant_save_yet_isnt_said_to_be_silent(
    backend: Backend, page: Page
):
    backend.verdict = lambda _: {"status": "pending"}
    visit(page, backend)
    page.locator("#prompt").fill("typed")
    says(page, "Not saved yet: the server goes on trying")
    backend.verdict = lambda _: {"status": "confirmed"}
    says(page, "Saved")


def test_signed_out_meanwhile_it_waits_and_goes_as_soon_as_the_same_user_is_back(
    backend: Backend, page: Page
):
    visit(page, backend)
    page.evaluate(
        "document.addEventListener('persistence-identity', (e) => { window.asked = e.detail; })"
    )
    page.evaluate("window.isSocketAway = true")
    backend.cookie_actor = ""
    page.locator("#prompt").fill("mine")
    says(page, "Signed out. 1 change waits until you sign in again")
    assert page.evaluate("window.asked") == {"actor": "ann", "now": "", "waiting": 1}
    backend.cookie_actor = "ann"
    says(page, "Saved")
    assert backend.values() == ["mine"]
    assert page.evaluate("window.asked") is None


def test_what_one_left_is_sealed_while_another_is_signed_in(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill("anns")
    submit(page, "anns too")
    kept(page)
    page.evaluate("persistence.seal()")
    leave(page, backend)
    backend.cookie_actor = backend.page_actor = "bob"
    visit(page, backend)
    page.locator("#text").fill("bobs")
    settled(page)
    assert page.evaluate("persistence.sealed()") == 2
    assert backend.values() == ["bobs"]
    assert page.evaluate("persistence.failed()") == []
    backend.cookie_actor = backend.page_actor = "ann"
    visit(page, backend)
    says(page, "2 changes from before you signed out were saved")
    assert backend.values() == ["bobs", "anns", "anns too"]
    assert records(page) == []


def test_another_users_cookie_saves_nothing_of_a_page_that_is_still_open(
    backend: Backend, page: Page
):
    visit(page, backend)
    backend.cookie_actor = "bob"
    page.locator("#prompt").fill("anns")
    says(page, "1 change waits until you sign in")
    page.evaluate("document.getElementById('persistence-root').dataset.actor = 'bob'")
    says(page, "1 change waits until you sign in as before")
    tries = len(backend.tries)
    page.locator("#text").fill("bobs")
    page.wait_for_function("persistence.unconfirmed.length === 1")
    assert backend.values() == ["bobs"]
    assert all(len(each) == 1 for each in backend.tries[tries:])  # his alone


def test_what_is_kept_on_this_device_can_be_removed(backend: Backend, page: Page):
    backend.verdict = lambda _: REFUSED
    visit(page, backend)
    page.locator("#text").fill("refused")
    settled(page)
    backend.is_away = True
    page.locator("#prompt").fill("secret plans")
    kept(page)
    page.evaluate("persistence.clear()")
    assert [records(page, store) for store in ("operations", "failed", "aside")] == [[], [], []]
    assert page.evaluate("persistence.unconfirmed") == []


def test_without_locks_what_is_old_enough_is_sent_once(backend: Backend, page: Page):
    page.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill("left behind")
    leave(page, backend)
    visit(page, backend)
    assert page.evaluate("persistence.unconfirmed") == []  # its page may live
    page.evaluate(
        """async () => {
            const base = await window.persistenceOutbox.opened;
            const work = base.transaction("operations", "readwrite");
            const store = work.objectStore("operations"), all = store.getAll();
            all.onsuccess = () => all.result.map((each) => store.put({ ...each, madeAt: 1 }));
            return new Promise((done) => { work.oncomplete = () => done(true); });
        }"""
    )
    visit(page, backend)
    emptied(page)
    assert backend.values() == ["left behind"]
    assert len(backend.arrived) == 1


def test_what_the_server_cannot_read_holds_up_nothing(backend: Backend, page: Page):
    visit(page, backend)
    page.evaluate("window.isSocketAway = true")
    page.locator("#prompt").fill("poison")
    page.locator("#text").fill("good")
    settled(page)
    assert backend.values() == ["good"]
    [entry] = failed(page)
    assert entry["operation"]["value"] == "poison"
    assert "is poison" in entry["answer"]["problem"]


def test_more_than_a_page_may_send_as_it_goes_comes_back_from_the_outbox(
    backend: Backend, page: Page
):
    visit(page, backend)
    page.evaluate("window.isSocketAway = true")
    long = "ü" * 45_000  # 90 kB as it is sent
    page.locator("#prompt").fill(long)
    page.locator("#text").fill("short")
    kept(page)
    page.goto("about:blank")
    visit(page, backend)
    emptied(page)
    assert sorted(backend.values()) == sorted([long, "short"])


def test_a_page_out_of_the_browsers_cache_sends_what_it_still_holds(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill("typed")
    kept(page)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    backend.is_away = False
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    settled(page)
    assert backend.values() == ["typed"]


def test_edits_made_together_are_one_action_and_outlive_the_page(backend: Backend, page: Page):
    visit(page, backend)
    page.evaluate("window.isSocketAway = true")  # what was broken off there may be tried again
    backend.is_away = True
    page.evaluate(
        """void persistence.editAll(["prompt", "text"].map((field) => (
            { kind: "reset", target: ["shot", "s1", "travel"], field, value: null, base: 3 })))"""
    )
    leave(page, backend)
    visit(page, backend)
    emptied(page)
    done = [(each["kind"], each["field"], each["together"]) for each in backend.arrived]
    assert done == [("reset", "prompt", 1), ("reset", "text", 1)]


def test_single_keys_that_a_script_edits_dont_take_one_anothers_place(backend: Backend, page: Page):
    backend.verdict = lambda operation: (
        REFUSED if operation["value"]["set"] == {"bad": 1} else {"status": "confirmed"}
    )
    visit(page, backend)
    edit = (
        "persistence.edit('keys', ['shot', 's1', 'travel'], 'locks', {{ set: {}, remove: [] }}, 3)"
    )
    page.evaluate(f"void {edit.format('{ bad: 1 }')}")
    settled(page)
    [entry] = failed(page)
    page.context.set_offline(True)
    page.evaluate(f"void {edit.format('{ one: 1 }')}")
    page.evaluate(
        "(id) => void persistence.again(id, { set: { mended: 1 }, remove: [] }, 3)", entry["id"]
    )
    page.evaluate(f"void {edit.format('{ two: 2 }')}")
    kept(page)
    page.context.set_offline(False)
    settled(page)
    assert [each["set"] for each in backend.values()] == [{"one": 1}, {"mended": 1}, {"two": 2}]


def test_a_buttons_edit_doesnt_pass_for_one_that_its_component_shows(backend: Backend, page: Page):
    visit(page, backend)
    page.context.set_offline(True)
    edited = "persistence.edited('travel', 'text', '[\"shot\",\"s1\",\"travel\"]', 3, '{}', {})"
    page.evaluate(f"void {edited.format('chosen', 'true')}")
    page.evaluate(f"void {edited.format('by a button', 'false')}")
    kept(page)
    page.context.set_offline(False)
    settled(page)
    last = max(backend.arrived, key=lambda each: each["seq"])  # the earlier one may come late
    assert (last["value"], backend.is_done(last["id"])) == ("by a button", True)
    assert not last["id"].endswith("-w")


def test_keys_without_an_answer_are_given_up_once_a_reset_after_them_is_saved(
    backend: Backend, page: Page
):
    backend.verdict = lambda operation: {
        "status": "pending" if operation["kind"] == "keys" else "confirmed"
    }
    visit(page, backend)
    edit = "persistence.edit('{}', ['shot', 's1', 'travel'], 'locks', {}, 3)"
    page.evaluate("void " + edit.format("keys", "{ set: { one: 1 }, remove: [] }"))
    backend.wait_until(lambda: bool(backend.arrived))
    page.evaluate("void " + edit.format("reset", "null"))
    settled(page)
    assert [each["kind"] for each in backend.arrived if backend.is_done(each["id"])] == ["reset"]
