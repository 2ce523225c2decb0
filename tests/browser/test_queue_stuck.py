"""What can't go holds up nothing else: answers that never come, values, storage and clocks."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error as PlaywrightError
from queue_acts import kept, leave, records, settled, submit, visit
from waiting import emptied, until

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


@pytest.mark.parametrize(
    "value", ["10n", "(() => { const all = []; all.push(all); return all; })()", "() => 1"]
)
def test_a_value_that_json_cant_carry_is_refused_at_once_and_holds_up_nothing(
    backend: Backend, page: Page, value: str
):
    visit(page, backend)
    for how in (
        f"persistence.submit('message.add', ['talk', 't1', ''], {value})",
        f"persistence.edit('set', ['shot', 's1', 'travel'], 'text', {value}, 3)",
    ):
        with pytest.raises(PlaywrightError, match="TypeError"):
            page.evaluate(f"void {how}")
    submit(page, "good")
    settled(page)
    assert backend.values() == ["good"]


@pytest.mark.parametrize("target", ["undefined", "'t1'", "['talk', 't1']", "['talk', '', '']"])
def test_a_target_that_is_none_is_refused_at_once(backend: Backend, page: Page, target: str):
    visit(page, backend)
    for how in (
        f"persistence.submit('message.add', {target}, 'a')",
        f"persistence.edit('set', {target}, 'text', 'a', 3)",
    ):
        with pytest.raises(PlaywrightError, match="TypeError"):
            page.evaluate(f"void {how}")
    assert page.evaluate("persistence.unconfirmed") == []


def test_what_an_app_changes_after_it_has_submitted_it_is_sent_as_it_was(
    backend: Backend, page: Page
):
    visit(page, backend)
    page.evaluate(
        """() => {
            const draft = { text: "as it was" };
            persistence.submit("message.add", ["talk", "t1", ""], draft);
            draft.text = "changed";
        }"""
    )
    settled(page)
    assert backend.values() == [{"text": "as it was"}]


def test_a_record_whose_value_json_cant_carry_is_put_aside(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    submit(page, "good")
    kept(page)
    page.evaluate(
        """async () => {
            const base = await persistenceOutbox.opened;
            const work = base.transaction("operations", "readwrite");
            const store = work.objectStore("operations"), all = store.getAll();
            all.onsuccess = () => store.put({ ...all.result[0], id: "odd", seq: 9, value: 10n });
            return new Promise((done) => { work.oncomplete = () => done(true); });
        }"""
    )
    leave(page, backend)
    visit(page, backend)
    emptied(page)
    assert backend.values() == ["good"]
    assert page.evaluate("persistence.aside().then((all) => all.map(({ id }) => id))") == ["odd"]


def test_a_clock_that_is_put_back_holds_up_nothing(backend: Backend, page: Page):
    page.add_init_script(
        "const now = Date.now; window.ahead = 0; Date.now = () => now() + window.ahead;"
    )
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill("sent into the void")
    page.wait_for_function("persistence.isOffline")
    page.evaluate("window.ahead = -3_600_000")
    backend.is_away = False
    settled(page)
    assert backend.values() == ["sent into the void"]


def test_storage_that_never_answers_is_said_and_edits_go_out_from_memory(
    backend: Backend, page: Page
):
    visit(page, backend)
    page.evaluate(
        """() => {
            const put = IDBObjectStore.prototype.put;
            IDBTransaction.prototype.commit = () => {};
            IDBObjectStore.prototype.put = function (record) {
                const spin = () => { if (window.isFree) return;
                    this.get("nothing").onsuccess = spin; };
                spin();
                return put.call(this, record);
            };
        }"""
    )
    page.locator("#prompt").fill("typed")
    backend.wait_until(lambda: backend.values() == ["typed"])
    assert page.evaluate("persistence.trouble") == "blocked"
    assert page.evaluate(  # one may sign out
        """Promise.race([persistence.seal().then(() => true),
            new Promise((done) => setTimeout(done, 20_000, false))])"""
    )
    page.evaluate("window.isFree = true")
    page.wait_for_function("persistence.trouble === ''")
    emptied(page)


def test_what_is_removed_while_it_is_being_written_stays_removed(backend: Backend, page: Page):
    visit(page, backend)
    backend.is_away = True
    page.evaluate(
        """async () => {
            for (const value of ["once", "again"])
                persistence.edit("set", ["shot", "s1", "travel"], "prompt", value, 3);
            await persistence.clear();
        }"""
    )
    page.evaluate("persistenceOutbox.claim('nobody', 'nobody')")  # after whatever was begun
    until(page, "persistenceOutbox.left('ann').then((all) => all.length === 0)")
    assert records(page) == []


SPY = """(random) => {
    Math.random = () => random;
    const send = window.fetch;
    Object.assign(window, { tries: [], underWay: 0 });
    window.fetch = (...request) => {
        const one = { began: Date.now() };
        tries.push(one);
        underWay += 1;
        return send(...request).finally(() => { one.ended = Date.now(); underWay -= 1; });
    };
}"""


@pytest.mark.parametrize(
    ("random", "waits"), [(1, [4000, 8000, 15000, 15000]), (0, [2000, 800, 1500, 1500])]
)
def test_tries_that_fail_are_repeated_after_growing_waits_of_any_part_of_their_bound(
    backend: Backend, page: Page, random: float, waits: list[int]
):
    """A tenth of it at least, and 2 s after the first."""
    page.clock.install()
    visit(page, backend)
    page.evaluate(SPY, random)
    backend.is_away = True
    page.evaluate("isSocketAway = true")
    page.locator("#prompt").fill("typed")
    for _ in range(200):
        page.clock.run_for(500)
        until(page, "underWay === 0")
        if page.evaluate("tries.length") > len(waits):
            break
    tries: list[dict[str, int]] = page.evaluate("tries")
    for (before, after), wait in zip(itertools.pairwise(tries), waits, strict=False):
        assert wait <= after["began"] - before["began"]
        assert after["began"] - before["ended"] <= wait + 1500  # it looks every half second
