"""From which pages a socket is taken: the host's own, those that are allowed, and no others."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
import reflex as rx
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from persistence.reflex import _private as rx_
from persistence.reflex.doors import Doors, guarded
from persistence.reflex.origins import Origins
from persistence.throttle import Throttle

HOST = "film.example"


def is_ours(origins: Origins, origin: str, host: str = HOST, **more: str) -> bool:
    return origins.is_ours({}, Headers({"host": host, "origin": origin, **more}))


def test_in_production_the_origin_is_the_host_or_one_that_is_named():
    origins = Origins(["https://pages.example"])
    assert is_ours(origins, f"https://{HOST}")
    assert is_ours(origins, "https://pages.example")
    for foreign in ("https://pages.example.evil", "http://pages.example", "null", "http://["):
        assert not is_ours(origins, foreign)
    assert not is_ours(origins, "http://localhost:3000", "localhost:8000")


def test_who_sends_no_origin_is_no_page_of_another_site():
    assert Origins([]).is_ours({}, Headers({"host": HOST}))
    assert not Origins([]).is_ours({}, Headers({"host": HOST, "sec-fetch-site": "cross-site"}))


def test_in_development_page_and_server_have_a_port_each():
    origins = Origins([], is_development=True)
    assert is_ours(origins, "http://localhost:3000", "localhost:8000")
    assert is_ours(origins, "http://localhost:3000", "127.0.0.1:8000")
    assert is_ours(origins, "http://192.0.2.7:3000", "192.0.2.7:8000")
    assert not is_ours(origins, "http://evil.example", "localhost:8000")


def test_an_app_that_lets_in_all_is_warned_at_its_start(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        Origins([]).tell()
        assert not caplog.records
        Origins(["https://pages.example"]).tell()
        assert caplog.records[-1].levelno == logging.INFO
        Origins(["*"]).tell()
    assert caplog.records[-1].levelno == logging.WARNING
    assert "pages of any site" in caplog.records[-1].message
    assert is_ours(Origins(["*"]), "http://evil.example")


def restricted(**config: Any) -> tuple[list[str], Any, Any]:
    """What the app says itself, what its configuration says then, and what the server does."""
    made = rx.Config(app_name="origins", **config)
    before = rx_.set_context(made)
    server = [Middleware(CORSMiddleware, allow_origins=made.cors_allowed_origins)]
    app: Any = SimpleNamespace(_api=SimpleNamespace(user_middleware=server))
    try:
        said = rx_.restrict_origins(app, ["https://pages.example"])
    finally:
        rx_.RegistrationContext.set(before)
    return said, made.cors_allowed_origins, server[0].kwargs["allow_origins"]


def test_where_the_configuration_says_nothing_answers_are_for_ones_own_pages():
    named = ("https://pages.example",)
    assert restricted() == ([], named, named)


@pytest.mark.parametrize("said", ["*", "https://other.example"])
def test_what_the_configuration_says_stands(said: str):
    told, config, server = restricted(cors_allowed_origins=[said])
    assert told == list(config) == list(server) == [said]


@pytest.mark.parametrize(
    ("origin", "comes_in"), [(f"https://{HOST}", True), ("http://evil", False)]
)
async def test_a_socket_of_another_sites_page_is_closed_before_the_app_sees_it(
    origin: str, comes_in: bool
):
    seen: list[str] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    no_app: Any = None
    doors = Doors(no_app, Throttle(lambda _: ""))
    headers = [(b"host", HOST.encode()), (b"origin", origin.encode())]
    scope = {"type": "websocket", "path": "/_event/", "headers": headers}
    await guarded(app, doors, Origins([]).is_ours)(scope, receive, send)
    assert seen == (["/_event/"] if comes_in else [])
    assert sent == ([] if comes_in else [{"type": "websocket.close", "code": 1008}])
