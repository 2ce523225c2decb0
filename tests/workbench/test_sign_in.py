"""Accounts over HTTP: sign-up keeps the guest, one cookie at a time, limits, what is refused."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from persistence.throttle import client_address
from workbench import projects
from workbench.accounts import identify, limits, passwords, sessions
from workbench.accounts.cookies import GUEST_COOKIE, SESSION_COOKIE, ticket_in
from workbench.database import read
from workbench.models import Attempt, Session, User
from workbench.web import protect, routes

PASSWORD = "harbour at dawn"
BASE = "http://film.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def page(request):
    return HTMLResponse("<p>page</p>")


@pytest.fixture
def app() -> Any:
    return protect(Starlette(routes=[Route("/", page), Mount("", routes)]))


class Browser:
    """A browser with its cookies, at an address."""

    def __init__(self, app: Any, address: str = "192.0.2.1") -> None:
        transport = httpx.ASGITransport(app, client=(address, 4000))
        headers = {"user-agent": FIREFOX, "origin": BASE}
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    @property
    def cookies(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    async def who(self) -> str:
        return await identify({"cookie": self.cookies})

    async def open(self) -> str:
        """Look at a page. Returns who one is then."""
        await self.http.get("/")
        return await self.who()

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"/auth/{path}", json=body)

    async def sign_up(self, name: str = "Ann", password: str = PASSWORD) -> httpx.Response:
        return await self.post("sign-up", name=name, password=password)

    async def sign_in(self, name: str = "Ann", password: str = PASSWORD) -> httpx.Response:
        return await self.post("sign-in", name=name, password=password)

    def copy_of_cookies(self, app: Any) -> Browser:
        """Somebody who has got hold of them."""
        thief = Browser(app, "203.0.113.9")
        thief.http.cookies.update(self.http.cookies)
        return thief


@pytest.fixture
def browser(app) -> Browser:
    return Browser(app)


@pytest.fixture
def ann(app) -> Browser:
    """Who signs up first, as Ann."""
    return Browser(app)


async def rows(table: Any) -> list[Any]:
    return await read(lambda session: list(session.exec(select(table)).all()))


def errors(answer: httpx.Response) -> dict[str, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["detail"]
    return {each["field"]: each["detail"] for each in body.get("errors", ())}


async def test_sign_up_keeps_the_guest_and_all_that_is_theirs(browser):
    guest = await browser.open()
    await projects.create_project(guest, "Harbour")
    answer = await browser.sign_up("Ann")
    assert answer.json()["user"] == {"id": guest, "kind": "account", "name": "Ann"}
    assert await browser.who() == guest
    assert GUEST_COOKIE not in browser.http.cookies
    assert len((await projects.list_projects(guest)).live) == 1


async def test_the_guests_old_cookie_opens_nothing_once_there_is_an_account(browser, app):
    guest = await browser.open()
    before = browser.copy_of_cookies(app)
    await browser.sign_up()
    assert await before.who() == ""
    again = await before.sign_up("Bob")
    assert again.json()["user"]["id"] != guest


async def test_the_cookie_is_out_of_reach_for_scripts_and_for_other_sites(browser):
    answer = await browser.sign_up()
    [cookie] = [c for c in answer.headers.get_list("set-cookie") if c.startswith(SESSION_COOKIE)]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert answer.headers["cache-control"] == "no-store"
    secure = await browser.http.post("/auth/sign-out", headers={"x-forwarded-proto": "https"})
    assert all(c.endswith("; Secure") for c in secure.headers.get_list("set-cookie"))


async def test_neither_password_nor_secret_is_stored_or_told(ann, own_database, caplog):
    await ann.sign_up()
    caplog.set_level("DEBUG")
    ticket = ticket_in(ann.cookies)
    await ann.sign_in(password="another guess")
    [user] = await rows(User)
    assert user.password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    stored = b"".join(path.read_bytes() for path in own_database.parent.glob("workbench.db*"))
    assert ticket.secret.encode() not in stored
    assert PASSWORD.encode() not in stored
    for secret in (PASSWORD, "another guess", ticket.secret):
        assert secret not in caplog.text


async def test_signing_in_elsewhere_finds_the_account_however_its_name_is_written(ann, app):
    await ann.sign_up()
    for name in ("ann", " ANN ", "Ａnn"):
        other = Browser(app, "192.0.2.2")
        answer = await other.sign_in(name)
        assert answer.json()["user"]["name"] == "Ann"
        assert await other.who() == await ann.who()


async def test_signing_out_ends_the_session_whoever_kept_its_cookie(ann, app):
    await ann.sign_up()
    copied, ticket = ann.copy_of_cookies(app), ticket_in(ann.cookies)
    assert (await ann.post("sign-out")).json() == {"signed_out": True}
    assert SESSION_COOKIE not in ann.http.cookies
    assert await copied.who() == ""
    assert await rows(Session) == []
    assert (await ann.post("sign-out")).json() == {"signed_out": False}
    guest = await ann.who()
    assert guest not in ("", ticket.user)
    assert await ann.open() == guest


async def test_a_bearer_token_is_its_account_for_ten_minutes_and_only_while_the_session_lives(
    ann, monkeypatch
):
    await ann.sign_up()
    made = (await ann.post("refresh")).json()
    assert made["expires_in"] == 600
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert await identify(bearer) == made["user"]["id"]
    now = __import__("time").time()
    with monkeypatch.context() as later:
        later.setattr("workbench.accounts.hooks.time.time", lambda: now + 601)
        assert await identify(bearer) == ""
    assert (
        await identify({"authorization": f"Bearer {made['token']}x", "cookie": ann.cookies}) == ""
    )
    await ann.post("sign-out")
    assert await identify(bearer) == ""


async def test_a_refresh_gives_another_cookie(ann):
    await ann.sign_up()
    before = ticket_in(ann.cookies)
    assert (await ann.post("refresh")).status_code == 200
    after = ticket_in(ann.cookies)
    assert after.session == before.session
    assert after.secret != before.secret
    assert await ann.who() == before.user


async def test_two_tabs_that_refresh_at_once_both_stay_signed_in(ann, app):
    await ann.sign_up()
    other_tab = ann.copy_of_cookies(app)
    assert (await ann.post("refresh")).status_code == 200
    late = await other_tab.post("refresh")
    assert late.status_code == 200
    assert "set-cookie" not in late.headers  # the browser has the newer one already
    assert (await ann.http.get("/auth/me")).json()["user"]["name"] == "Ann"


async def test_a_refresh_without_a_session_says_so(ann, app):
    await ann.sign_up()
    stranger = Browser(app)
    assert (await stranger.post("refresh")).status_code == 401
    await sessions.end_all(await ann.who())
    answer = await ann.post("refresh")
    assert answer.status_code == 401
    assert SESSION_COOKIE not in ann.http.cookies


async def test_wrong_and_unknown_are_one_answer_that_takes_the_same_work(ann, app, monkeypatch):
    await ann.sign_up()
    checked: list[str] = []
    real = passwords._verify
    monkeypatch.setattr(
        passwords, "_verify", lambda stored, given: checked.append(stored) or real(stored, given)
    )
    stranger = Browser(app)
    wrong = await stranger.sign_in("Ann", "not the password")
    unknown = await stranger.sign_in("Nobody", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert [stored.split("$")[:4] for stored in checked] == [checked[0].split("$")[:4]] * 2


async def test_guessing_at_a_name_is_stopped_and_its_owner_elsewhere_isnt(ann, app):
    await ann.sign_up()
    guesser, owner = Browser(app, "203.0.113.9"), Browser(app, "192.0.2.7")
    for _ in range(10):
        assert (await guesser.sign_in("Ann", "not the password")).status_code == 401
    stopped = await guesser.sign_in("Ann", PASSWORD)
    assert stopped.status_code == 429
    assert 0 < int(stopped.headers["retry-after"]) <= 15 * 60 + 1
    assert re.search(r"Try again in \d+ minutes", stopped.json()["detail"])
    assert (await owner.sign_in()).status_code == 200
    unknown = [await guesser.sign_in("Nobody", "not the password") for _ in range(11)]
    assert [answer.status_code for answer in unknown] == [401] * 10 + [429]


async def test_limits_end_with_their_time_and_right_ones_dont_count(own_database):
    some = limits.sign_in_limits("ann", "192.0.2.1")
    for _ in range(30):
        await limits.take(some, now=1000.0)
        await limits.give_back(some)
    for _ in range(10):
        await limits.take(some, now=1000.0)
    with pytest.raises(limits.TooMany) as stopped:
        await limits.take(some, now=1600.0)
    assert stopped.value.seconds == 301
    assert str(stopped.value) == "Too many attempts. Try again in 6 minutes."
    await limits.take(some, now=1000.0 + 15 * 60)
    assert not any("ann" in row.key or "192" in row.key for row in await rows(Attempt))


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", 0, "192.0.2.1"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "", 0, "192.0.2.1"),
        ("nonsense", "", 0, "nonsense"),
    ],
)
def test_who_asks_is_told_by_ones_own_proxies_alone(peer, forwarded, proxies, address):
    assert client_address(peer, forwarded, proxies=proxies) == address


async def test_a_name_is_one_accounts_only(ann, app):
    await ann.sign_up()
    answer = await Browser(app).sign_up("aNN")
    assert answer.status_code == 422
    assert errors(answer) == {"name": "Name is taken; choose another one."}


async def test_all_that_is_wrong_is_said_at_once_and_beside_its_field(browser):
    answer = await browser.sign_up("", "")
    assert errors(answer) == {"name": "Name is missing.", "password": "Password is missing."}
    answer = await browser.sign_up("x y", "short")
    assert set(errors(answer)) == {"name", "password"}
    assert "at least 8 characters" in errors(answer)["password"]
    assert await rows(User) == []


async def test_who_is_signed_in_signs_out_first(ann):
    await ann.sign_up()
    for answer in (await ann.sign_up("Bob"), await ann.sign_in()):
        assert answer.status_code == 409
        assert "signed in as Ann" in answer.json()["detail"]


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"{",
    b'"x"',
    b"\xff\xfe",
    b"[" * 10_000,
    b'{"name": 1, "password": "harbour at dawn"}',
    b'{"name": null, "password": "harbour at dawn"}',
    b'{"name": {"$ne": ""}, "password": {"$ne": ""}}',
    b'{"name": "Ann", "password": ["harbour at dawn"]}',
    b'{"name": "Ann"}',
    b'{"name": "Ann", "password": "harbour at dawn", "kind": "admin"}',
    b'{"name": "' + b"x" * 30_000 + b'", "password": "harbour at dawn"}',
    b'{"name": "' + b"x" * 10_000 + b'", "password": "harbour at dawn"}',
    b'{"name": "a\\u0000b", "password": "harbour at dawn"}',
    b'{"name": "\\ud800", "password": "harbour at dawn"}',
    b'{"name": "a<b>", "password": "harbour at dawn"}',
    b'{"name": "\\u202eAnn", "password": "harbour at dawn"}',
    b'{"name": "Ann", "password": "\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800"}',
]


@pytest.mark.parametrize("path", ["sign-up", "sign-in", "password", "reset", "account"])
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
async def test_whatever_is_sent_is_answered_by_a_problem(browser, path, body):
    await browser.open()
    method = "DELETE" if path == "account" else "POST"
    headers = {"content-type": "application/json"}
    answer = await browser.http.request(method, f"/auth/{path}", content=body, headers=headers)
    assert 400 <= answer.status_code < 500 or (path == "account" and answer.status_code == 503)
    errors(answer)
    assert SESSION_COOKIE not in browser.http.cookies


async def test_a_form_of_another_site_can_neither_sign_in_nor_out(ann, app):
    await ann.sign_up()
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}):
        assert (await ann.http.post("/auth/sign-out", headers=headers)).status_code == 403
    assert await ann.who()
    stranger = Browser(app)
    form = await stranger.http.post("/auth/sign-in", data={"name": "Ann", "password": PASSWORD})
    assert form.status_code == 415


async def test_who_may_is_asked_of_each_route(ann, app):
    await ann.sign_up()
    stranger = Browser(app)
    for method, path in (
        ("POST", "bring"), ("GET", "sessions"), ("DELETE", "sessions"), ("DELETE", "sessions/x"),
    ):  # fmt: skip
        body = {"json": {}} if path == "bring" else {}
        assert (await stranger.http.request(method, f"/auth/{path}", **body)).status_code == 401
    body = {"password": PASSWORD, "new_password": "gulls over the pier"}
    assert (await stranger.post("password", **body)).status_code == 401
    assert (await stranger.http.get("/auth/export")).status_code == 401
    assert (await stranger.http.get("/auth/me")).json() == {"user": None}


async def test_the_list_of_sessions_ends_ones_own_alone(ann, app):
    await ann.sign_up()
    other, bob = Browser(app, "192.0.2.2"), Browser(app, "192.0.2.3")
    await other.sign_in()
    await bob.sign_up("Bob")
    listed = (await ann.http.get("/auth/sessions")).json()["items"]
    assert [each["device"] for each in listed] == ["Firefox on Linux"] * 2
    [here] = [each for each in listed if each["is_current"]]
    [there] = [each for each in listed if not each["is_current"]]
    assert (await bob.http.delete(f"/auth/sessions/{there['id']}")).status_code == 404
    assert await other.who()
    assert (await ann.http.delete(f"/auth/sessions/{there['id']}")).status_code == 204
    assert await other.who() == ""
    assert here["id"] == ticket_in(ann.cookies).session
    await other.sign_in()
    assert (await ann.http.delete("/auth/sessions")).json() == {"sessions_ended": 1}
    assert await other.who() == ""
    assert await ann.who()


async def test_another_password_ends_all_other_sessions(ann, app):
    await ann.sign_up()
    other = Browser(app, "192.0.2.2")
    await other.sign_in()
    wrong = await ann.post("password", password="not it", new_password="gulls over the pier")
    assert errors(wrong) == {"password": "That isn’t your password."}
    weak = await ann.post("password", password=PASSWORD, new_password="ann12")
    assert "at least 8" in errors(weak)["new_password"]
    answer = await ann.post("password", password=PASSWORD, new_password="gulls over the pier")
    assert answer.json() == {"sessions_ended": 1}
    assert await other.who() == ""
    assert await ann.who()
    assert (await other.sign_in()).status_code == 401
    assert (await other.sign_in(password="gulls over the pier")).status_code == 200


async def test_a_sign_in_beside_a_guests_work_asks_and_brings_it_along_only_then(ann, app):
    await ann.sign_up()
    account = await ann.who()
    laptop = Browser(app, "192.0.2.2")
    guest = await laptop.open()
    await projects.create_project(guest, "Harbour")
    deleted = await projects.create_project(guest, "Pier")
    await projects.delete_project(guest, deleted)
    answer = await laptop.sign_in()
    assert answer.json()["guest_work"] == {
        "projects": 2,
        "shots": 0,
        "shared": 0,
        "names": ["Harbour"],
    }
    assert await laptop.who() == account
    assert (await projects.list_projects(account)).live == []
    await laptop.post("sign-out")
    assert await laptop.who() == guest  # left for now: it is there again
    await laptop.sign_in()
    assert (await laptop.post("bring")).json() == {"projects": 2}
    lists = await projects.list_projects(account)
    assert [row.name for row in (*lists.live, *lists.deleted)] == ["Harbour", "Pier"]
    assert (await laptop.post("bring")).json() == {"projects": 0}
    await laptop.post("sign-out")
    assert await laptop.who() not in ("", guest, account)


async def test_a_sign_in_without_a_guests_work_asks_nothing(ann, app):
    await ann.sign_up()
    laptop = Browser(app, "192.0.2.2")
    await laptop.open()
    assert (await laptop.sign_in()).json()["guest_work"] is None
