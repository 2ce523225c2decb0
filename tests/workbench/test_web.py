"""Over HTTP: each page brings a guest, and no other site's page acts for one."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse  # noqa: F401
from starlette.websockets import WebSocket, WebSocketDisconnect

from workbench import accounts
from workbench.accounts import COOKIE, read_cookie
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
def client() -> TestClient:
    accounts.secret_key.cache_clear()
    inner = Starlette(
        routes=[
            Route("/", page),
            Route("/data", data, methods=["GET", "POST"]),
            Route("/missing", missing),
            WebSocketRoute("/socket", socket),
            Mount("", routes),
        ]
    )
    with TestClient(protect(inner), base_url="http://film.example") as client:
        yield client
    accounts.secret_key.cache_clear()


def user_of(client: TestClient) -> str:
    return read_cookie(f"{COOKIE}={client.cookies.get(COOKIE)}")


def test_a_page_brings_a_guest_whom_the_next_page_keeps(client):
    first = client.get("/")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(first.headers["set-cookie"].split("; "))
    assert first.headers["cache-control"] == "private, no-cache"
    guest = user_of(client)
    assert guest
    client.get("/")
    assert user_of(client) == guest


def test_data_and_missing_pages_bring_none(client):
    assert "set-cookie" not in client.get("/data").headers
    assert "set-cookie" not in client.get("/missing").headers


def test_a_page_that_came_without_one_asks_for_a_guest_and_never_changes_it(client):
    assert client.post("/auth/guest").json() == {"guest": True}
    guest = user_of(client)
    client.post("/auth/guest")
    assert guest
    assert user_of(client) == guest
    assert client.get("/auth/guest").status_code == 405


def test_the_cookie_is_secure_where_the_page_is(client):
    assert "Secure" not in client.get("/").headers["set-cookie"]
    secure = client.get("https://film.example/").headers["set-cookie"]
    assert secure.endswith("; Secure")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://film.example:81", "null", ""])
def test_another_sites_page_can_neither_post_nor_connect(client, origin):
    headers = {"origin": origin}
    assert client.post("/data", headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/socket", headers=headers):
        pass
    assert client.get("/data", headers=headers).status_code == 200


def test_our_own_page_posts_and_connects(client):
    headers = {"origin": "http://film.example"}
    assert client.post("/data", headers=headers).status_code == 200
    address = "ws://film.example/socket"
    with client.websocket_connect(address, headers=headers) as connection:
        assert connection.receive_text() == "hello"


def test_an_allowed_origin_may_act_too(client, monkeypatch):
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://a.example,https://b.example")
    assert client.post("/data", headers={"origin": "https://b.example"}).status_code == 200
