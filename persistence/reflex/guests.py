"""Who somebody is where the app has no accounts: a guest, known by an unguessable cookie."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

COOKIE = "persistence_guest"
PATH = "/persistence/guest"
_ISSUED = re.compile(r"[A-Za-z0-9_-]{22,64}")


def identify_guest(headers: Mapping[str, str]) -> str:
    """The guest of a request; "" for a browser that has no cookie yet. The cookie itself isn't told
    on."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    if morsel is None or not _ISSUED.fullmatch(morsel.value):
        return ""
    return "guest-" + hashlib.sha256(morsel.value.encode()).hexdigest()[:22]


async def become_guest(request: Request) -> Response:
    """Give the browser a cookie. The page's script asks for it once, then loads anew."""
    response = Response(status_code=204)
    if not identify_guest(request.headers):
        response.set_cookie(
            COOKIE,
            secrets.token_urlsafe(24),
            max_age=400 * 24 * 3600,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return response


GUEST_ROUTES = [Route(PATH, become_guest, methods=["POST"])]
