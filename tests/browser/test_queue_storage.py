"""The browser's outbox where its storage is older, newer, full or blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queue_acts import failed, leave, records, says, settled, visit
from waiting import emptied, until

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from queue_page import Backend


MAKE = """([version, stores, record]) => new Promise((done) => {
    const request = indexedDB.open("persistence", version);
    request.onupgradeneeded = () => {
        for (const each of stores) request.result.createObjectStore(each, { keyPath: "id" });
        request.transaction.objectStore("operations").put(record);
    };
    request.onsuccess = () => { request.result.close(); done(true); };
})"""


def a_record(version: int) -> dict[str, Any]:
    client = "018000000000-00000000000000aa"
    return {
        "id": f"{client}.00000001", "client": client, "seq": 1, "target": ["shot", "s1", "travel"],
        "field": "prompt", "kind": "set", "value": "from before", "base": 3, "actor": "ann",
        "madeAt": 1, "version": version,
    }  # fmt: skip


def test_an_older_outbox_is_taken_over(backend: Backend, page: Page):
    page.goto(f"{backend.url}/empty")
    page.evaluate(MAKE, [1, ["operations"], a_record(1)])
    visit(page, backend)
    says(page, "1 change from an earlier visit was saved")
    assert backend.values() == ["from before"]
    assert [records(page, store) for store in ("operations", "failed", "aside")] == [[], [], []]


def test_a_newer_outbox_is_left_alone_and_the_page_goes_on_from_memory(
    backend: Backend, page: Page
):
    page.goto(f"{backend.url}/empty")
    page.evaluate(MAKE, [7, ["operations", "later"], a_record(7)])
    visit(page, backend)
    page.locator("#text").fill("typed")
    settled(page)
    says(page, "A newer version is open: load this page again")
    assert backend.values() == ["typed"]
    still = page.evaluate(
        """() => new Promise((done) => {
            const request = indexedDB.open("persistence");
            request.onsuccess = () => {
                const base = request.result, store = base.transaction("operations");
                const count = store.objectStore("operations").count();
                count.onsuccess = () => done([base.version, count.result]);
            };
        })"""
    )
    assert still == [7, 1]


def test_full_storage_is_said_and_edits_go_out_from_memory(backend: Backend, page: Page):
    visit(page, backend)
    tools = page.context.new_cdp_session(page)
    tools.send("Storage.overrideQuotaForOrigin", {"origin": backend.url, "quotaSize": 1})
    backend.is_away = True
    page.locator("#prompt").fill("x" * 50_000)
    says(page, "No connection. 1 change waits in this page alone: keep it open. Storage is full")
    assert page.evaluate("persistence.unkept.length") == 1
    backend.is_away = False
    settled(page)
    assert [len(each) for each in backend.values()] == [50_000]
    tools.send("Storage.overrideQuotaForOrigin", {"origin": backend.url})
    page.locator("#prompt").fill("short")
    settled(page)
    page.wait_for_function("persistence.trouble === ''")


def test_what_failed_stays_until_what_is_sent_again_is_kept_or_answered(
    backend: Backend, page: Page
):
    backend.verdict = lambda operation: (
        {"status": "refused", "problem": "is bad"}
        if operation["value"] == "bad"
        else {"status": "confirmed"}
    )
    visit(page, backend)
    page.locator("#prompt").fill("bad")
    settled(page)
    [entry] = failed(page)
    page.evaluate(
        """() => { IDBObjectStore.prototype.put = () => {
            throw new DOMException("", "QuotaExceededError");
        }; }"""
    )
    backend.is_away = True
    page.evaluate("(id) => void persistence.again(id, 'mended', 9)", entry["id"])
    page.wait_for_function("persistence.trouble === 'full'")
    page.wait_for_function("persistence.unconfirmed.length === 1")
    page.evaluate("persistence.failed()")  # after whatever was begun before
    assert [each["id"] for each in records(page, "failed")] == [entry["id"]]
    backend.is_away = False
    settled(page)
    until(page, "persistence.failed().then((all) => all.length === 0)")
    assert records(page, "failed") == []
    assert backend.values() == ["mended"]


def test_blocked_storage_is_said_and_edits_go_out_from_memory(backend: Backend, page: Page):
    page.add_init_script(
        "indexedDB.open = () => { throw new DOMException('no', 'SecurityError'); }"
    )
    visit(page, backend)
    page.locator("#prompt").fill("typed")
    settled(page)
    assert backend.values() == ["typed"]
    says(page, "Storage is blocked: allow it for this site")


def test_an_edit_says_by_which_version_of_its_tool_its_page_was_built(
    page: Page, backend: Backend
) -> None:
    """Also when a page of another build sends it, and when it is sent once more."""
    visit(page, backend)
    backend.is_away = True
    page.locator("#text").fill("of the first build")
    leave(page, backend)
    backend.schemas = {"travel": 2}
    backend.verdict = lambda each: (
        {"status": "refused", "problem": "no"}
        if each["field"] == "text"
        else {"status": "confirmed"}
    )
    visit(page, backend)
    page.locator("#prompt").fill("of the second")
    backend.wait_until(lambda: {each["field"] for each in backend.arrived} == {"text", "prompt"})
    assert {each["field"]: each["schema"] for each in backend.arrived} == {"text": 1, "prompt": 2}
    settled(page)
    (entry,) = failed(page)
    page.evaluate("(id) => void persistence.again(id)", entry["id"])
    backend.wait_until(lambda: len(backend.arrived) == 3)
    assert backend.arrived[-1]["schema"] == 1
    settled(page)
    (entry,) = failed(page)
    page.evaluate("(id) => void persistence.again(id, 'mended')", entry["id"])
    backend.wait_until(lambda: len(backend.arrived) == 4)
    assert backend.arrived[-1]["schema"] == 2


def test_h5_leaving_asks_where_what_is_edited_would_be_lost_and_only_there(
    backend: Backend, page: Page
):
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill("kept")
    says(page, "No connection. 1 change waits")
    visit(page, backend)  # the browser keeps it: nothing to ask about
    assert asked == []
    backend.is_away = False
    settled(page)
    page.evaluate(
        """() => { IDBObjectStore.prototype.put = () => {
            throw new DOMException("", "QuotaExceededError");
        }; }"""
    )
    backend.is_away = True
    page.locator("#text").fill("in this page alone")
    until(page, "persistence.isOffline && persistence.unkept.length === 1")
    page.goto(f"{backend.url}/empty")
    assert asked == ["beforeunload"]


def test_what_is_typed_while_the_key_before_is_being_written_is_kept_though_the_page_goes(
    backend: Backend, page: Page
):
    visit(page, backend)
    backend.is_away = True
    page.evaluate(
        """() => {
            const put = IDBObjectStore.prototype.put;
            IDBObjectStore.prototype.put = function (record) {
                for (let turns = 0; turns < 300; turns += 1) this.get("nothing");
                window.isWriting = true;
                return put.call(this, record);
            };
        }"""
    )
    page.locator("#prompt").press("End")
    # The second key comes while the first one is on its way, and the page goes at once.
    page.evaluate(
        """async () => {
            const control = document.getElementById("prompt");
            const type = (text) => {
                control.value = text;
                control.dispatchEvent(new Event("input", { bubbles: true }));
            };
            type("a");
            while (!window.isWriting) await null;
            type("ab");
            location.href = "/empty";
        }"""
    )
    page.wait_for_url("**/empty")
    backend.is_away = False
    visit(page, backend)
    emptied(page)
    assert backend.values()[-1:] == ["ab"]


def test_what_couldnt_be_removed_is_said(backend: Backend, page: Page):
    """A disk that stalls while one signs out."""
    visit(page, backend)
    backend.is_away = True
    page.locator("#prompt").fill("private")
    page.wait_for_function("persistence.unkept.length === 0")
    page.evaluate(
        """() => {
            const look = IDBObjectStore.prototype.openCursor;
            IDBObjectStore.prototype.openCursor = function () {
                const spin = () => { if (!window.isFree) this.count().onsuccess = spin; };
                spin();
                return look.call(this);
            };
        }"""
    )
    assert page.evaluate("persistence.clear()") is False
    page.evaluate("window.isFree = true")
    assert page.evaluate("persistence.clear()") is True
    assert records(page) == []
