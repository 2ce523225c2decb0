"""Over HTTP: each page brings a guest, and no other site's page acts for one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from workbench.accounts.cookies import GUEST_COOKIE, guest_in
from workbench.database import read
from workbench.models import User
from workbench.web import protect, routes


async def page(request):
    return HTMLResponse("<p>page</p>")


async def data(request):
    return JSONResponse({})


async def missing(request):
    return HTMLResponse("<p>none</p>", status_code=404)


async def socket(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@pytest.fixture
def app() -> ASGIApp:
    return protect(
        Starlette(
            routes=[
                Route("/", page),
                Route("/data", data, methods=["GET", "POST"]),
                Route("/missing", missing),
                WebSocketRoute("/socket", socket),
                Mount("", routes),
            ]
        )
    )


@pytest.fixture
def client(app: ASGIApp) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://film.example")


def user_of(client: httpx.AsyncClient) -> str:
    return guest_in(f"{GUEST_COOKIE}={client.cookies.get(GUEST_COOKIE)}")


async def connect(app: ASGIApp, origin: str) -> list[str]:
    """What the server answers to a WebSocket of that origin, by the kind of each message."""
    headers = [(b"host", b"film.example"), (b"origin", origin.encode())]
    scope: dict[str, Any] = {
        "type": "websocket", "path": "/socket", "headers": headers, "scheme": "ws",
        "query_string": b"", "subprotocols": [],
    }  # fmt: skip
    answers: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        answers.append(message["type"])

    await app(scope, receive, send)
    return answers


async def test_a_page_brings_a_guest_whom_the_next_page_keeps(client):
    first = await client.get("/")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(first.headers["set-cookie"].split("; "))
    assert first.headers["cache-control"] == "private, no-cache"
    guest = user_of(client)
    assert guest
    await client.get("/")
    assert user_of(client) == guest


async def test_data_and_missing_pages_bring_none(client):
    assert "set-cookie" not in (await client.get("/data")).headers
    assert "set-cookie" not in (await client.get("/missing")).headers


async def test_a_page_that_came_without_one_asks_for_a_guest_and_never_changes_it(client):
    assert (await client.post("/auth/guest")).json() == {"guest": True}
    guest = user_of(client)
    await client.post("/auth/guest")
    assert guest
    assert user_of(client) == guest
    assert (await client.get("/auth/guest")).status_code == 405


async def test_the_cookie_is_secure_where_the_page_is(client):
    assert "Secure" not in (await client.get("/")).headers["set-cookie"]
    secure = await client.get("https://film.example/")
    assert secure.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://film.example:81", "null", ""])
async def test_another_sites_page_can_neither_post_nor_connect(client, app, origin):
    headers = {"origin": origin}
    assert (await client.post("/data", headers=headers)).status_code == 403
    assert await connect(app, origin) == ["websocket.close"]
    assert (await client.get("/data", headers=headers)).status_code == 200


async def test_our_own_page_posts_and_connects(client, app):
    ours = "http://film.example"
    assert (await client.post("/data", headers={"origin": ours})).status_code == 200
    assert (await connect(app, ours))[0] == "websocket.accept"


async def test_an_allowed_origin_may_act_too(client, monkeypatch):
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://a.example,https://b.example")
    headers = {"origin": "https://b.example"}
    assert (await client.post("/data", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)],
)
async def test_without_an_origin_a_browser_may_still_say_where_it_comes_from(client, site, status):
    answer = await client.post("/data", headers={"sec-fetch-site": site})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"user-agent": "facebookexternalhit/1.1"},
        {"user-agent": "WhatsApp/2.23.20.0"},
        {"user-agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"user-agent": "Mozilla/5.0 (compatible; bingpreview/1.0b)"},
        {"user-agent": "TelegramBot (like TwitterBot)"},
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"x-moz": "prefetch"},
    ],
)
async def test_who_doesnt_look_at_the_page_is_no_guest(client, headers, own_database):
    assert "set-cookie" not in (await client.get("/", headers=headers)).headers
    asked = await client.post("/auth/guest", headers=headers)
    assert asked.json() == {"guest": False}
    assert "set-cookie" not in asked.headers
    assert "set-cookie" not in (await client.head("/")).headers


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 30) AppleWebKit/537.36 Chrome/120.0",
    ],
)
async def test_a_browser_is_a_guest_of_whom_nothing_is_stored(client, agent):
    assert "set-cookie" in (await client.get("/", headers={"user-agent": agent})).headers
    assert not await read(lambda session: session.exec(select(User)).all())


async def test_every_answer_says_what_it_is_and_that_nobody_may_frame_it(client):
    for path in ("/", "/data", "/missing", "/nowhere"):
        answer = await client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
    refused = await client.post("/data", headers={"origin": "http://evil.example"})
    assert refused.status_code == 403


async def test_a_page_loads_from_this_host_alone_and_connects_to_no_other(client):
    policy = (await client.get("/")).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["object-src"] == "'none'"
    assert rules["connect-src"] == "'self' ws://film.example wss://film.example"
    odd = await client.get("/", headers={"host": "a.example; script-src *"})
    assert odd.headers["content-security-policy"].endswith("connect-src 'self'")
    assert "content-security-policy" not in (await client.get("/data")).headers


@pytest.mark.parametrize("origin", ["http://[", "null", "", "//", "http://[::1"])
async def test_an_origin_that_is_none_is_refused(client, origin):
    answer = await client.post("/data", headers={"origin": origin, "host": "film.example"})
    assert answer.status_code == 403
