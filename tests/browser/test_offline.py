"""Pages in Chromium whose server is away: shown as they were, edited, saved once it is back."""

from __future__ import annotations

import http.server
import re
import sqlite3
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import test_panel
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect
from test_accounts import PASSWORD, make_shot, prompt, prompts, sign, users, wait_saved, who
from test_library import APP, append, saved, stored, visit
from waiting import emptied, until

from persistence.reflex.offline import WORKER, worker_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Locator, Page
    from servers import Server

KEPT = """async ([path, words]) => {
    for (const end = Date.now() + 30_000; Date.now() < end; ) {
        const found = await persistenceShelf.find(path);
        if (found?.content.body.includes(words)) return;
        await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(path + " isn't kept");
}"""
EMPTY = """async () => {
    for (const end = Date.now() + 30_000; Date.now() < end; ) {
        if (!(await persistence.offline.pages()).length) return;
        await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error("pages are still kept");
}"""
GONE = """async () => {
    for (const end = Date.now() + 30_000; Date.now() < end; ) {
        const left = await navigator.serviceWorker.getRegistrations();
        if (!left.length && !(await persistenceShelf.list()).length) return;
        await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error("the worker or pages are still there");
}"""

HOSTILE = (
    '<p id="click" onclick="window.ran = 1">text</p>'
    '<input type="password" id="secret" data-persistence>'
    '<iframe srcdoc="<b>frame</b>"></iframe><a id="script" href="javascript:window.ran=1">link</a>'
    '<p data-persistence-offline="never">for nobody else</p><svg><script>ran = 1</script></svg>'
)
ADD = """(markup) => {
    document.body.append(Object.assign(document.createElement("div"), { innerHTML: markup }));
    document.getElementById("secret").value = "hunter2";
}"""
FORGE = """async (markup) => {
    const { owner, page, content } = await persistenceShelf.find("/shot/a");
    await persistenceShelf.keep(owner, page, { ...content, body: content.body + markup });
}"""


@pytest.fixture
def site(server: Any) -> Server:
    return server(APP)


@pytest.fixture
def user(context: Any) -> BrowserContext:
    return context(service_workers="allow")


def bar(page: Page) -> Locator:
    return page.locator("#persistence-offline-bar")


def kept(page: Page, path: str, words: str = "") -> None:
    """The page is kept, with that in it."""
    page.evaluate(KEPT, [path, words])


def reload(page: Page) -> None:
    """Once all that was edited is in the outbox."""
    until(page, "window.persistence.unkept.length === 0")
    page.reload()


def edits(site: Server, field: str) -> list[str]:
    """Every value of a field that was ever stored."""
    query = "SELECT text FROM persistence_change WHERE field = ? ORDER BY revision"
    with sqlite3.connect(site.database) as database:
        return [text for (text,) in database.execute(query, (field,))]


@contextmanager
def unavailable(port: int) -> Iterator[None]:
    """What a proxy answers whose server is being replaced."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            pass

    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        yield
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()


def test_a_page_reloaded_without_server_is_as_it_was_and_what_is_typed_there_is_saved_once(
    site: Server, user: BrowserContext
):
    page = visit(user.new_page(), site)
    append(page, "#prompt", "!")
    saved(page)
    kept(page, "/shot/a", "DEFAULT PROMPT!")
    site.kill()
    page.reload()
    expect(page.locator("#shout")).to_have_text("DEFAULT PROMPT!")
    expect(page.locator("#prompt")).to_have_value("default prompt!")
    expect(bar(page)).to_contain_text("Offline. This is how it was at")
    expect(page.locator("#more")).to_be_disabled()
    expect(page.locator("#fast")).to_be_disabled()  # a control that only the app's own script moves

    page.locator("#prompt").fill("typed offline")
    page.locator("#frames").fill("33")
    expect(bar(page)).to_contain_text("(2 changes wait)")
    expect(page.locator("#status")).to_contain_text("2 changes wait")
    reload(page)
    expect(page.locator("#frames")).to_have_value("33")
    expect(page.locator("#prompt")).to_have_value("typed offline")
    append(page, "#prompt", ", twice")  # over an edit that a page left which is gone
    expect(bar(page)).to_contain_text("wait)")
    reload(page)
    expect(page.locator("#prompt")).to_have_value("typed offline, twice")

    page.evaluate("dispatchEvent(new CompositionEvent('compositionstart'))")  # in mid-word
    site.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(bar(page)).to_contain_text("The connection is back")
    expect(page.locator("#status .persistence-status-text")).to_have_text("2 changes wait")
    append(page, "#prompt", " and more")
    page.evaluate("dispatchEvent(new CompositionEvent('compositionend'))")
    expect(bar(page)).to_have_count(0, timeout=30_000)
    expect(page.locator("#shout")).to_have_text("TYPED OFFLINE, TWICE AND MORE", timeout=15_000)
    expect(page.locator("#prompt")).to_be_focused()
    saved(page)
    assert stored(site) == {"prompt": "typed offline, twice and more", "frames": 33}
    assert edits(site, "prompt") == ['"default prompt!"', '"typed offline, twice and more"']
    assert edits(site, "frames") == ["33"]


def test_one_goes_on_where_one_was_though_the_server_takes_its_time(
    server: Any, user: BrowserContext, tmp_path: Path
):
    site = server(APP, FAULTS=str(tmp_path / "faults"))
    page = visit(user.new_page(), site)
    kept(page, "/shot/a")
    site.kill()
    page.reload()
    page.locator("#prompt").fill("typed offline")
    (tmp_path / "faults").write_text("load 5")
    page.evaluate("dispatchEvent(new Event('online'))")  # it looks often from now on
    site.start()
    expect(bar(page)).to_have_count(0, timeout=30_000)
    expect(page.locator("#prompt")).to_be_focused()


def test_all_kinds_of_controls_go_on_in_a_kept_page(site: Server, user: BrowserContext):
    page = test_panel.visit(user.new_page(), site)
    row = partial(test_panel.row, page)
    kept(page, "/panel/a")
    site.kill()
    page.reload()
    row("prompt").locator("textarea").fill("gulls\nover the wake")
    row("strength").locator("input[type=range]").fill("0.75")
    row("fast").get_by_role("switch").click()
    row("mood").get_by_role("radio", name="Wild").click()
    row("quality").locator("select").select_option(label="Best there is")
    row("words").locator("input").press_sequentially("sea,fog")
    page.keyboard.press("Enter")
    row("numbers").get_by_role("button", name="Add").click()
    page.keyboard.type("7")
    row("size").get_by_label("Width").fill("1920")
    row("panes").get_by_role("switch", name="Shots").click()
    row("anything").locator("textarea").fill('{"a": [1, 2]}')
    expect(row("token").locator("input")).to_be_disabled()
    expect(bar(page)).to_contain_text("wait)")
    reload(page)
    expect(row("panes").get_by_role("switch", name="Shots")).to_be_checked()
    row("panes").get_by_role("switch", name="Generations").click()
    for is_kept in (True, False):  # as it was left, then by the server
        if is_kept:
            reload(page)
        else:
            page.evaluate("dispatchEvent(new Event('online'))")  # it looks often from now on
            site.start()
            expect(bar(page)).to_have_count(0, timeout=30_000)
            test_panel.saved(page)
        expect(row("prompt").locator("textarea")).to_have_value("gulls\nover the wake")
        expect(row("strength").locator("input[type=number]")).to_have_value("0.75")
        expect(row("mood").get_by_role("radio", name="Wild")).to_be_checked()
        expect(row("words").get_by_role("listitem")).to_have_text(["sea", "fog"])
        expect(row("numbers").get_by_role("spinbutton")).to_have_value("7")
        expect(row("size").get_by_label("Width")).to_have_value("1920")
        expect(row("panes").get_by_role("switch", name="Shots")).to_be_checked()
        expect(row("panes").get_by_role("switch", name="Generations")).to_be_checked()
        expect(row("anything").locator("textarea")).to_have_value(re.compile(r'^\{\s*"a": \[\s*1,'))
    emptied(page)
    assert test_panel.stored(site) == {
        "prompt": "gulls\nover the wake", "strength": 0.75, "fast": True, "mood": "wild",
        "quality": "best", "words": ["sea", "fog"], "numbers": [7], "size": [1920, 720],
        "panes": {"remove": [], "set": {"gens": True, "shots": True}}, "anything": {"a": [1, 2]},
    }  # fmt: skip


def test_without_the_worker_a_reload_shows_the_browsers_error(site: Server, page: Page):
    visit(page, site)
    site.kill()
    with pytest.raises(PlaywrightError, match="ERR_CONNECTION_REFUSED"):
        page.reload()


def test_nothing_in_a_kept_page_runs_and_no_secret_is_in_it(site: Server, user: BrowserContext):
    page = visit(user.new_page(), site)
    hostile = "</textarea><img src=x onerror=window.ran=1>"
    page.locator("#text").fill(hostile)
    saved(page)
    page.evaluate(ADD, HOSTILE)
    kept(page, "/shot/a", 'id="click"')
    everything = page.evaluate("persistenceShelf.find('/shot/a').then(JSON.stringify)")
    assert "hunter2" not in everything
    assert "for nobody else" not in everything
    assert "<script" not in everything
    assert "onclick" not in everything
    # Whatever got in all the same wouldn't run: the page's policy is for our own script alone.
    page.evaluate(FORGE, '<script>window.ran = 1</script><img src="x" onerror="window.ran = 1">')
    site.kill()
    with unavailable(site.port):  # away as well
        answer = page.reload()
        assert answer is not None
        assert "script-src 'nonce-" in answer.headers["content-security-policy"]
        expect(page.locator("#text")).to_have_value(hostile)
        page.locator("#click").click()
        page.locator("#script").click(force=True)
        assert page.locator("#secret").input_value() == ""
        assert page.locator("iframe").count() == 0
        assert page.evaluate("window.ran") is None
        # An address that was never seen, and the way from there.
        page.goto(f"{site.url}/shot/never-seen")
        expect(page.get_by_role("heading", name="Offline")).to_be_visible()
        page.locator("main").get_by_role("link").click()
        expect(page.locator("#shout")).to_have_text("DEFAULT PROMPT")


def test_what_couldnt_be_saved_is_offered_in_a_kept_page(site: Server, user: BrowserContext):
    page = visit(user.new_page(), site)
    page.goto(f"{site.url}/joint/shared1")
    expect(page.locator("#bare")).to_have_value("untitled")
    page.locator("#bare").fill("much too long a name")
    expect(page.locator("#unsaved")).to_have_attribute("data-count", "1")
    page.wait_for_function("persistence.unconfirmed.length === 0")
    kept(page, "/joint/shared1", "much too long a name")
    site.kill()
    page.reload()
    expect(bar(page)).to_contain_text("Offline")
    expect(page.locator(".persistence-note[data-unsaved]")).to_have_count(2)  # panel and control
    page.locator("#unsaved").click()
    drawer = page.locator("dialog#persistence-unsaved")
    expect(drawer).to_contain_text("much too long a name")
    drawer.get_by_role("button", name="Edit: Name").click()
    drawer.get_by_role("textbox").fill("short")
    drawer.get_by_role("button", name="Save: Name").click()
    expect(page.locator("#unsaved")).to_have_attribute("data-count", "")
    expect(bar(page)).to_contain_text("(1 change waits)")
    page.keyboard.press("Escape")
    site.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(bar(page)).to_have_count(0, timeout=30_000)
    expect(page.locator("#bare")).to_have_value("short")
    expect(page.locator("#line")).to_contain_text("Saved", timeout=10_000)
    emptied(page)
    assert edits(site, "name") == ['"short"']


def test_a_kept_page_is_its_users_alone(site: Server, user: BrowserContext):
    page = visit(user.new_page(), site)
    kept(page, "/shot/a")
    user.clear_cookies()  # somebody else, in the same browser
    page = visit(user.new_page(), site, "b")
    kept(page, "/shot/b")
    site.kill()
    page.goto(f"{site.url}/shot/a")
    expect(page.get_by_role("heading", name="Offline")).to_be_visible()
    expect(page.locator("main").get_by_role("link")).to_have_count(1)
    assert page.evaluate("persistenceShelf.find('/shot/a')") is None


def test_signing_out_removes_what_was_kept(workbench: Server, user: BrowserContext):
    page = user.new_page()
    sign(page, workbench, "up")
    expect(who(page)).to_have_attribute("data-who", "account")
    make_shot(page, workbench)
    shot, path = page.url, page.evaluate("persistenceShelf.pathOf(location.href)")
    kept(page, path)
    page.goto(f"{workbench.url}/account")
    # The answer comes, and then nothing more: no other page may be what clears it.
    page.route("**/auth/sign-out", lambda route: (workbench.kill(), route.fulfill(json={})))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Offline")).to_be_visible(timeout=15_000)
    page.goto(shot)
    expect(page.get_by_role("heading", name="Offline")).to_be_visible()
    expect(page.get_by_text("Gulls")).to_have_count(0)


def test_a_session_that_ended_while_a_kept_page_stood_in_is_asked_for_and_its_edits_follow(
    workbench: Server, user: BrowserContext
):
    page = user.new_page()
    sign(page, workbench, "up")
    expect(who(page)).to_have_attribute("data-who", "account")
    make_shot(page, workbench)
    shot = page.url
    kept(page, page.evaluate("persistenceShelf.pathOf(location.href)"))
    workbench.kill()
    page.reload()
    prompt(page).fill("typed in the tunnel")
    expect(bar(page)).to_contain_text("(1 change waits)")
    user.clear_cookies(name="workbench_session")
    page.evaluate("dispatchEvent(new Event('online'))")  # it looks often from now on
    workbench.start()
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_contain_text("1 change of Ann waits on this device", timeout=30_000)
    assert prompts(workbench) == []
    dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(who(page)).to_have_attribute("data-who", "account")
    expect(prompt(page)).to_have_value("typed in the tunnel")
    wait_saved(page)
    assert page.url == shot
    assert prompts(workbench) == [(users(workbench)["Ann"], '"typed in the tunnel"')]


def test_what_the_server_wants_stored_nowhere_and_who_asks_for_a_password_is_not_kept(
    site: Server, user: BrowserContext
):
    page = user.new_page()

    def answer(route: Any) -> None:
        if route.request.method == "HEAD":
            route.fulfill(headers={"cache-control": "private, no-store"})
        else:
            route.fallback()

    page.route("**/shot/a", answer)
    with page.expect_request(lambda request: request.method == "HEAD"):
        visit(page, site)
    page.locator("#to-b").click()
    kept(page, "/shot/b")
    assert [each["path"] for each in page.evaluate("persistence.offline.pages()")] == ["/shot/b"]
    page.evaluate("""document.body.insertAdjacentHTML("beforeend", '<input type="password">')""")
    page.evaluate(EMPTY)  # a page that asks for a password goes again


def test_switched_off_the_worker_and_what_it_kept_are_gone(site: Server, user: BrowserContext):
    page = visit(user.new_page(), site)
    kept(page, "/shot/a")
    page.evaluate("persistence.offline.off()")
    page.evaluate(GONE)
    page.reload()
    expect(page.locator("#state")).to_have_text("ready")
    page.evaluate(GONE)
    page.evaluate("persistence.offline.on()")
    kept(page, "/shot/a")
    # The app's next release has `offline=False`: another file in the worker's place.
    built = site.folder / "web" / "build" / "client" / WORKER
    built.write_text(worker_file(is_on=False, base="/")[1])
    built.with_name(f"{WORKER}.gz").unlink(missing_ok=True)
    page.evaluate("navigator.serviceWorker.getRegistration().then((each) => each.update())")
    page.evaluate(GONE)


FULL = """() => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (...values) {
        if (this.name === "operations") throw new DOMException("full", "QuotaExceededError");
        return put.apply(this, values);
    };
}"""


def test_what_a_kept_page_alone_holds_is_saved_before_it_goes(site: Server, user: BrowserContext):
    page = visit(user.new_page(), site)
    kept(page, "/shot/a")
    site.kill()
    page.reload()
    expect(bar(page)).to_contain_text("Your changes are kept")
    page.evaluate(FULL)
    page.locator("#prompt").fill("in this page alone")
    expect(bar(page)).to_contain_text("This browser keeps no changes now")
    page.evaluate("dispatchEvent(new Event('online'))")  # it looks often from now on
    site.start()
    expect(bar(page)).to_have_count(0, timeout=30_000)
    expect(page.locator("#prompt")).to_have_value("in this page alone")
    assert stored(site) == {"prompt": "in this page alone"}
