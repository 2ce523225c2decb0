"""What a page left behind meets what another page of the same user did: nothing newer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queue_acts import hear_no_more, hold, kept, leave, records, settled, visit
from waiting import emptied, until

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from queue_page import Backend


def test_a_later_edit_of_a_page_that_is_gone_counts_though_this_one_edited_the_field_before(
    backend: Backend, page: Page
):
    visit(page, backend)
    page.locator("#prompt").fill("before")
    settled(page)
    other = visit(page.context.new_page(), backend)
    backend.is_away = True
    other.locator("#prompt").fill("later")
    leave(other, backend)
    page.evaluate("dispatchEvent(new Event('online'))")
    until(page, "persistenceOutbox.left('ann').then((all) => all.length === 0)")
    settled(page)
    assert backend.values() == ["before", "later"]


def test_an_earlier_edit_of_a_page_that_is_gone_stands_behind_this_ones(
    backend: Backend, page: Page
):
    visit(page, backend)
    other = visit(page.context.new_page(), backend)
    backend.is_away = True
    other.locator("#prompt").fill("earlier")
    kept(other)
    page.locator("#prompt").fill("later")
    kept(page)
    hear_no_more(other, backend)
    other.close()
    backend.is_away = False
    until(page, "persistenceOutbox.left('ann').then((all) => all.length === 0)")
    settled(page)
    assert backend.values()[-1] == "later"


def test_an_edit_that_went_on_for_long_is_as_late_as_its_last_key(backend: Backend, page: Page):
    visit(page, backend)
    other = visit(page.context.new_page(), backend)
    backend.is_away = True
    other.evaluate("window.isSocketAway = true")
    hold(other, "prompt")
    other.locator("#prompt").fill("begun")
    kept(other)
    backend.is_away = False
    page.locator("#prompt").fill("between")
    settled(page)
    other.locator("#prompt").fill("begun and ended")
    kept(other)
    backend.is_away = True
    other.close()
    page.wait_for_function("persistence.unconfirmed.length === 1")
    backend.is_away = False
    settled(page)
    assert backend.values() == ["between", "begun and ended"]


def test_two_people_on_one_page_edit_one_field_and_neither_takes_the_others_away(
    backend: Backend, page: Page
):
    visit(page, backend)
    page.evaluate("window.isSocketAway = true")
    hold(page, "prompt")
    page.locator("#prompt").fill("anns")
    kept(page)
    backend.cookie_actor = "bob"
    page.evaluate("document.getElementById('persistence-root').dataset.actor = 'bob'")
    page.locator("#prompt").fill("bobs")
    page.evaluate("persistenceOperations.release()")
    page.wait_for_function("persistence.unconfirmed.length === 1")
    assert [(each["actor"], each["value"]) for each in records(page)] == [("ann", "anns")]
    assert backend.values() == ["bobs"]
    backend.cookie_actor = "ann"
    page.evaluate("document.getElementById('persistence-root').dataset.actor = 'ann'")
    settled(page)
    assert backend.values() == ["bobs", "anns"]


def test_storage_that_failed_once_and_works_again_is_no_trouble(backend: Backend, page: Page):
    page.add_init_script(
        """const put = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = function (record) {
            if (window.isBroken) throw new DOMException("not now", "UnknownError");
            return put.call(this, record);
        };"""
    )
    visit(page, backend)
    backend.is_away = True
    page.evaluate("window.isBroken = true")
    page.locator("#prompt").fill("first")
    page.wait_for_function("persistence.trouble === 'blocked'")
    page.evaluate("window.isBroken = false")
    page.locator("#text").fill("second")
    page.wait_for_function("persistence.trouble === '' && !persistence.unkept.length")
    assert sorted(each["value"] for each in records(page)) == ["first", "second"]


def test_what_was_edited_comes_as_it_was_made_with_its_user_and_base(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill("typed")
    kept(page)
    [record] = records(page)
    assert record["version"] == 2
    leave(page, backend)
    visit(page, backend)
    emptied(page)
    [arrived] = backend.arrived
    assert arrived == {
        "id": f"{record['client']}.00000001", "client": record["client"], "seq": 1,
        "target": ["shot", "s1", "travel"], "field": "prompt", "kind": "set", "value": "typed",
        "base": 3, "actor": "ann", "schema": 1,
    }  # fmt: skip


def test_an_answer_takes_away_exactly_the_edit_that_it_answers(backend: Backend, page: Page):
    backend.verdict = lambda _: {"status": "pending"}
    visit(page, backend)
    page.locator("#prompt").fill("first")
    backend.wait_until(lambda: bool(backend.arrived))
    page.locator("#prompt").fill("second")
    kept(page)
    assert sorted(each["value"] for each in records(page)) == ["first", "second"]
    page.evaluate(
        "(id) => { const root = document.getElementById('persistence-root');"
        " root.dataset.confirmed = JSON.stringify([id]); }",
        backend.arrived[0]["id"],
    )
    page.wait_for_function("persistence.unconfirmed.length === 1")
    page.evaluate("persistenceOutbox.claim('nobody', 'nobody')")  # after what was begun
    assert [each["value"] for each in records(page)] == ["second"]
