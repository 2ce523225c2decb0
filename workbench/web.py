"""What is settled over HTTP, since a WebSocket can't set a cookie: who one is, and which pages may
talk to us.

`protect` wraps the whole app. At its door another site's page is turned away, and so is a cookie
that was replaced or whose session has ended. A page gets the guest's cookie with it, so that the
first WebSocket already says who it is; `POST /auth/guest` is for a page that came without (a cached
one, or from Reflex's development server).
"""

from __future__ import annotations

import os
import re
import time
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from persistence.throttle import is_file
from workbench.accounts import identify, sessions
from workbench.accounts.cookies import (
    GUEST_COOKIE,
    GUEST_SECONDS,
    guest_cookie,
    guest_in,
    is_secure,
    set_cookie,
    ticket_in,
    without_session,
)
from workbench.accounts.routes import ROUTES
from workbench.accounts.visits import is_passing, note_visit
from workbench.database import Unavailable
from workbench.models import new_id

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

POLICY = "; ".join((
    "default-src 'self'",
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Reflex's pages have both
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",
    "frame-src 'none'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
))  # fmt: skip
"""Nothing is loaded from elsewhere, sent elsewhere, or framed. Where pages connect to follows."""

_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")

routes = Starlette(routes=ROUTES)


def protect(app: ASGIApp) -> ASGIApp:
    """Refuse what another site's page sends; let in whose cookie counts; give pages a guest."""

    async def protected(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            if not is_ours(scope, Headers(scope=scope)):
                await refuse(scope, receive, send)
                return
            scope = await at_the_door(scope)
            if scope["type"] == "http":
                send = with_headers(Headers(scope=scope), send)
                if scope["method"] == "GET":
                    send = with_guest(scope, Headers(scope=scope), send)
        await app(scope, receive, send)

    return protected


def is_ours(scope: Scope, headers: Headers) -> bool:
    """Whether this request may act for its cookie: from a page of ours, one of ALLOWED_ORIGINS, or
    from no page at all.

    Reading is free to all (the answer stays with the browser that asked), acting is not.
    """
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return True
    origin = headers.get("origin")
    if origin is None:  # no browser of today posts without one, but it may say so otherwise
        return headers.get("sec-fetch-site", "none") in ("same-origin", "none")
    if origin and origin in os.environ.get("ALLOWED_ORIGINS", "").split(","):
        return True
    try:
        theirs, ours = urlsplit(origin), urlsplit(f"//{headers.get('host', '')}")
    except ValueError:
        return False
    if os.environ.get("REFLEX_ENV_MODE") == "dev":  # page and server have a port each
        return theirs.hostname == ours.hostname
    return bool(theirs.netloc) and theirs.netloc == ours.netloc


async def at_the_door(scope: Scope) -> Scope:
    """The request, without an account's cookie that doesn't count. `/auth/refresh` says itself."""
    path, method = scope["path"], scope.get("method", "")  # a WebSocket has none, and is no file
    ticket = ticket_in(Headers(scope=scope).get("cookie", ""))
    if ticket is None or is_file(method, path) or path == "/auth/refresh":
        return scope
    if await sessions.enter(ticket, now=time.time()):
        return scope
    headers = [
        (name, without_session(value.decode("latin-1")).encode("latin-1"))
        if name == b"cookie"
        else (name, value)
        for name, value in scope["headers"]
    ]
    return {**scope, "headers": headers}


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse("Not from this page.", 403)(scope, receive, send)


def with_headers(headers: Headers, send: Send) -> Send:
    """What browsers should know of each answer: what it is, that nobody frames it, that no address
    of ours is told to others; and of pages, from where they may load."""
    host = headers.get("host", "")
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer = MutableHeaders(scope=message)
            answer["x-content-type-options"] = "nosniff"
            answer["x-frame-options"] = "DENY"
            answer["referrer-policy"] = "same-origin"
            answer["cross-origin-resource-policy"] = "same-origin"
            if answer.get("content-type", "").startswith("text/html"):
                answer["content-security-policy"] = POLICY + f"; connect-src 'self'{sockets}"
                answer["cross-origin-opener-policy"] = "same-origin"
        await send(message)

    return send_with_headers


def with_guest(scope: Scope, headers: Headers, send: Send) -> Send:
    """Set or renew the guest's cookie on answers that are pages. None is shared."""

    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] < 400:
            answer = MutableHeaders(scope=message)
            if answer.get("content-type", "").startswith("text/html"):
                if (guest := await _visiting_guest(headers)) is not None:
                    secure = is_secure(scope.get("scheme", ""), headers)
                    cookie = set_cookie(
                        GUEST_COOKIE, guest_cookie(guest), seconds=GUEST_SECONDS, is_secure=secure
                    )
                    answer.append("set-cookie", cookie)
                answer["cache-control"] = "private, no-cache"
        await send(message)

    return send_with_cookie


async def _visiting_guest(headers: Headers) -> str | None:
    """The guest who looks at this page, a new one if it is nobody; None where the page is an
    account's, or nobody looks."""
    if is_passing(headers):
        return None
    user = await identify(headers)
    if not user:
        return new_id()
    if user != guest_in(headers.get("cookie", "")):
        return None
    try:
        await note_visit(user, now=time.time())
    except Unavailable:
        pass  # the next visit is noted, too
    return user
