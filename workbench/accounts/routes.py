"""`/auth/…`: accounts over HTTP, since a WebSocket can't set a cookie. JSON both ways.

    POST   /auth/guest               the browser's cookie, for a page that came without
    POST   /auth/sign-up             {name, password}
    POST   /auth/sign-in             {name, password}
    POST   /auth/sign-out            {}
    POST   /auth/refresh             {}            another cookie in place of this one
    GET    /auth/me                                who one is
    POST   /auth/bring               {}            the guest's projects come along
    POST   /auth/password            {password, new_password}
    POST   /auth/reset               {token, new_password}
    GET    /auth/sessions            DELETE /auth/sessions/{id}   DELETE /auth/sessions: all others
    GET    /auth/export              all that is stored, as a file
    DELETE /auth/account             {password}; a guest: {}

What signs in or refreshes answers `{"user": {...}, "token", "expires_in"}`: the bearer token is for
clients, pages have the cookie. Problems: see `answers`. `workbench.web` refuses foreign pages.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from persistence.throttle import client_address
from workbench.accounts import bringing, cookies, erasing, people, resets, sessions, signing
from workbench.accounts.answers import PRIVATE, NotSignedIn, answered, problem, texts_in
from workbench.accounts.cookies import (
    BEARER_SECONDS,
    GUEST_COOKIE,
    GUEST_SECONDS,
    SESSION_COOKIE,
    Ticket,
    bearer_in,
    guest_in,
    ticket_in,
)
from workbench.accounts.devices import device_of
from workbench.accounts.exporting import export
from workbench.accounts.hooks import identify
from workbench.accounts.pages_open import engine_here, let_go, save_edits
from workbench.accounts.people import Person
from workbench.accounts.signing import Visit
from workbench.accounts.visits import is_passing
from workbench.models import new_id


async def become_guest(request: Request) -> Response:
    """Give the visitor a guest's cookie, or the one they have for longer."""
    user = await identify(request.headers)
    response = _json({"guest": not is_passing(request.headers)})
    if is_passing(request.headers):
        return response
    guest = guest_in(request.headers.get("cookie", ""))
    if not user or user == guest:
        _set(request, response, GUEST_COOKIE, cookies.guest_cookie(user or new_id()))
    return response


async def sign_up(request: Request) -> Response:
    sent = await texts_in(request, "name", "password")
    if (user := await _account(request)) is not None:
        return _already(user)
    guest = await _guest(request)
    await save_edits()
    ticket = await signing.sign_up(guest, sent["name"], sent["password"], _visit(request))
    response = await _signed_in(request, ticket)
    _drop(request, response, GUEST_COOKIE)  # its id is the account's now
    await let_go()
    return response


async def sign_in(request: Request) -> Response:
    """From here on the cookie is the account's. The guest's stays for what they made as a guest."""
    sent = await texts_in(request, "name", "password")
    if (user := await _account(request)) is not None:
        return _already(user)
    guest = await _guest(request)
    ticket = await signing.sign_in(sent["name"], sent["password"], _visit(request))
    await save_edits()
    work = await people.work_of(guest) if guest else people.Work()
    waiting = {
        "projects": work.projects,
        "shots": work.shots,
        "shared": work.shared,
        "names": list(work.names),
    }
    return await _signed_in(request, ticket, guest_work=waiting if work.is_any else None)


async def sign_out(request: Request) -> Response:
    """Save as the old user, end the session, and only then answer. Signed out already is no error.

    No body is needed: a page that goes away may send this as its last.
    """
    await save_edits()
    session = _session(request)
    if session is not None:
        await sessions.end(*session)
        await let_go()
    response = _json({"signed_out": session is not None})
    _drop(request, response, SESSION_COOKIE)
    if not await _guest(request):  # else what was left as a guest is there again
        _set(request, response, GUEST_COOKIE, cookies.guest_cookie(new_id()))
    return response


async def refresh(request: Request) -> Response:
    ticket = ticket_in(request.headers.get("cookie", ""))
    refreshed = await sessions.refresh(ticket, now=time.time()) if ticket is not None else None
    if ticket is None or refreshed is None:
        response = problem(401, "Not signed in", "This session has ended. Sign in again.")
        if ticket is not None:
            _drop(request, response, SESSION_COOKIE)
            await let_go()
        return response
    response = await _user_answer(ticket.user, refreshed.session.id)
    if refreshed.ticket is not None:
        _set(request, response, SESSION_COOKIE, cookies.session_cookie(refreshed.ticket))
    return response


async def me(request: Request) -> Response:
    user = await identify(request.headers)
    if not user:
        return _json({"user": None})
    return _json({"user": _shown(await people.person(user, now=time.time()))})


async def bring(request: Request) -> Response:
    await texts_in(request)
    account = await _require_account(request)
    guest = await _guest(request)
    brought = await bringing.bring_along(guest, account.id) if guest else 0
    response = _json({"projects": brought})
    if brought:
        _drop(request, response, GUEST_COOKIE)
    return response


async def change_password(request: Request) -> Response:
    sent = await texts_in(request, "password", "new_password")
    account = await _require_account(request)
    _, session = _session(request) or ("", "")
    ended = await signing.change_password(
        account.id, session, sent["password"], sent["new_password"], _visit(request)
    )
    await let_go()
    return _json({"sessions_ended": ended})


async def reset(request: Request) -> Response:
    sent = await texts_in(request, "token", "new_password")
    name = await resets.use_link(sent["token"], sent["new_password"], _visit(request))
    await let_go()
    return _json({"name": name})


async def list_sessions(request: Request) -> Response:
    account = await _require_account(request)
    _, current = _session(request) or ("", "")
    items = [
        {
            "id": each.id,
            "device": each.device,
            "signed_in_at": each.created_at,
            "seen_at": each.seen_at,
            "is_current": each.id == current,
        }
        for each in await sessions.list_of(account.id, now=time.time())
    ]
    return _json({"items": items, "total": len(items), "next_cursor": None})


async def end_session(request: Request) -> Response:
    account = await _require_account(request)
    await save_edits()
    if not await sessions.end(account.id, request.path_params["id"]):
        return problem(404, "Not found", "There is no such session of yours.")
    await let_go()
    return Response(status_code=204)


async def end_others(request: Request) -> Response:
    account = await _require_account(request)
    await save_edits()
    _, current = _session(request) or ("", "")
    ended = await sessions.end_all(account.id, but=current)
    await let_go()
    return _json({"sessions_ended": ended})


async def export_all(request: Request) -> Response:
    user, engine = await identify(request.headers), engine_here()
    if not user:
        raise NotSignedIn
    if engine is None or not engine.is_running:
        return problem(503, "Not now", "The server is just starting. Try again in a moment.")
    headers = {**PRIVATE, "content-disposition": 'attachment; filename="workbench-export.json"'}
    pieces = export(engine, user, now=time.time())
    first = await anext(pieces)  # what can go wrong first is still answered as a problem

    async def all_pieces() -> AsyncGenerator[str]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(all_pieces(), media_type="application/json", headers=headers)


async def delete_account(request: Request) -> Response:
    """All that is theirs. An account says its password for it."""
    sent = await texts_in(request, optional=["password"])
    user, engine = await identify(request.headers), engine_here()
    if not user:
        raise NotSignedIn
    if engine is None or not engine.is_running:
        return problem(503, "Not now", "The server is just starting. Try again in a moment.")
    person = await people.person(user, now=time.time())
    if person.kind == "account":
        await signing.check_password(person.name, sent["password"], _visit(request), is_sure=True)
    await erasing.erase(engine, user, now=time.time())
    response = Response(status_code=204)
    _drop(request, response, SESSION_COOKIE)
    if not await _guest(request):
        _set(request, response, GUEST_COOKIE, cookies.guest_cookie(new_id()))
    return response


ROUTES = [
    Route(path, answered(handler), methods=[method])
    for method, path, handler in (
        ("POST", "/auth/guest", become_guest),
        ("POST", "/auth/sign-up", sign_up),
        ("POST", "/auth/sign-in", sign_in),
        ("POST", "/auth/sign-out", sign_out),
        ("POST", "/auth/refresh", refresh),
        ("GET", "/auth/me", me),
        ("POST", "/auth/bring", bring),
        ("POST", "/auth/password", change_password),
        ("POST", "/auth/reset", reset),
        ("GET", "/auth/sessions", list_sessions),
        ("DELETE", "/auth/sessions", end_others),
        ("DELETE", "/auth/sessions/{id}", end_session),
        ("GET", "/auth/export", export_all),
        ("DELETE", "/auth/account", delete_account),
    )
]


def _visit(request: Request) -> Visit:
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "")
    proxies = os.environ.get("PROXIES", "")
    address = client_address(
        peer, forwarded, proxies=int(proxies) if proxies.isdecimal() else 0
    )  # fmt: skip
    return Visit(address, device_of(request.headers.get("user-agent", "")), time.time())


def _session(request: Request) -> tuple[str, str] | None:
    """The user and the session that a request is of, by cookie or token. Not whether it lives."""
    if authorization := request.headers.get("authorization", ""):
        return bearer_in(authorization, now=time.time())
    ticket = ticket_in(request.headers.get("cookie", ""))
    return (ticket.user, ticket.session) if ticket is not None else None


async def _account(request: Request) -> Person | None:
    user = await identify(request.headers)
    person = await people.person(user, now=time.time()) if user else None
    return person if person is not None and person.kind == "account" else None


async def _require_account(request: Request) -> Person:
    account = await _account(request)
    if account is None:
        raise NotSignedIn
    return account


async def _guest(request: Request) -> str:
    """The guest of this browser, also beside an account's cookie; "" if they are one no more."""
    guest = guest_in(request.headers.get("cookie", ""))
    return guest if guest and await people.is_guest(guest, now=time.time()) else ""


def _already(user: Person) -> Response:
    return problem(409, "Signed in already", f"You are signed in as {user.name}. Sign out first.")


async def _signed_in(request: Request, ticket: Ticket, **more: Any) -> JSONResponse:
    response = await _user_answer(ticket.user, ticket.session, **more)
    _set(request, response, SESSION_COOKIE, cookies.session_cookie(ticket))
    return response


async def _user_answer(user: str, session: str, **more: Any) -> JSONResponse:
    now = time.time()
    token = cookies.bearer_token(user, session, now=now)
    shown = _shown(await people.person(user, now=now))
    return _json({"user": shown, "token": token, "expires_in": BEARER_SECONDS, **more})


def _shown(person: Person) -> dict[str, str]:
    return {"id": person.id, "kind": person.kind, "name": person.name}


def _json(body: dict[str, Any]) -> JSONResponse:
    return JSONResponse(body, headers=PRIVATE)


def _set(request: Request, response: Response, name: str, value: str) -> None:
    seconds = GUEST_SECONDS if name == GUEST_COOKIE else int(sessions.IDLE)
    is_secure = cookies.is_secure(request.url.scheme, request.headers)
    cookie = cookies.set_cookie(name, value, seconds=seconds, is_secure=is_secure)
    response.headers.append("set-cookie", cookie)


def _drop(request: Request, response: Response, name: str) -> None:
    is_secure = cookies.is_secure(request.url.scheme, request.headers)
    response.headers.append("set-cookie", cookies.drop_cookie(name, is_secure=is_secure))
