"""What is settled over HTTP, since a WebSocket can't set a cookie: who the guest is, and which
pages may talk to us.

`protect` wraps the whole app: a page gets the guest's cookie with it, so that the first WebSocket
already says who it is. `POST /auth/guest` is for a page that came without (a cached one, or from
Reflex's development server).
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.accounts import COOKIE, COOKIE_SECONDS, identify, new_guest, sign

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


async def become_guest(request: Request) -> Response:
    """Give the visitor a guest's cookie, or the one they have for longer."""
    user = identify(request.headers)
    response = JSONResponse({"guest": True}, headers={"cache-control": "no-store"})
    response.headers["set-cookie"] = cookie(request.scope, sign(user) if user else new_guest())
    return response


routes = Starlette(routes=[Route("/auth/guest", become_guest, methods=["POST"])])


def protect(app: ASGIApp) -> ASGIApp:
    """Refuse what another site's page sends; give each page of ours a guest."""

    async def protected(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            if not is_ours(scope, headers):
                await refuse(scope, receive, send)
                return
            if scope["type"] == "http" and scope["method"] == "GET":
                send = with_guest(scope, headers, send)
        await app(scope, receive, send)

    return protected


def is_ours(scope: Scope, headers: Headers) -> bool:
    """Whether this request may act for its cookie: no Origin, our own, or one of ALLOWED_ORIGINS.

    Reading is free to all (the answer stays with the browser that asked), acting is not.
    """
    origin = headers.get("origin")
    if origin is None or (scope["type"] == "http" and scope["method"] in SAFE_METHODS):
        return True
    if origin and origin in os.environ.get("ALLOWED_ORIGINS", "").split(","):
        return True
    theirs, ours = urlsplit(origin), urlsplit(f"//{headers.get('host', '')}")
    if os.environ.get("REFLEX_ENV_MODE") == "dev":  # page and server have a port each
        return theirs.hostname == ours.hostname
    return theirs.netloc == ours.netloc


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse("Not from this page.", 403)(scope, receive, send)


def with_guest(scope: Scope, headers: Headers, send: Send) -> Send:
    """Set or renew the cookie on answers that are pages. Those are never shared or framed."""

    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] < 400:
            answer = MutableHeaders(scope=message)
            if answer.get("content-type", "").startswith("text/html"):
                user = identify(headers)
                answer.append("set-cookie", cookie(scope, sign(user) if user else new_guest()))
                answer["cache-control"] = "private, no-cache"
                answer["x-frame-options"] = "DENY"
                answer["referrer-policy"] = "same-origin"
        await send(message)

    return send_with_cookie


def cookie(scope: Scope, value: str) -> str:
    """The Set-Cookie header: unreadable for scripts, not sent along from other sites' forms."""
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{COOKIE}={value}; Max-Age={COOKIE_SECONDS}; Path=/; HttpOnly; SameSite=Lax{secure}"
