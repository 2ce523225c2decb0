"""The two cookies, and the bearer token of clients: what they hold, written and read. Pure.

- A guest's cookie is their id with our signature. Nothing is stored for it.
- An account's cookie is a `Ticket`: a session and that session's newest secret, signed. Another
  secret takes its place at each refresh.
- A bearer token is an account, a session and when the token ends, signed: for clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from workbench.accounts.keys import sign, signed

GUEST_COOKIE = "workbench_guest"
GUEST_SECONDS = 400 * 24 * 3600
"""As long as browsers keep any; renewed at each page."""

SESSION_COOKIE = "workbench_session"

BEARER_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an account's cookie says. The account's id is in it so that a page can be told who one
    is while the database is away."""

    user: str
    session: str
    secret: str


def guest_cookie(user: str) -> str:
    """The value that makes the browser this guest's."""
    return sign("guest", user)


def guest_in(header: str) -> str:
    """The guest's id in a Cookie header, if the signature is ours; else ""."""
    return signed("guest", _value(header, GUEST_COOKIE))


def session_cookie(ticket: Ticket) -> str:
    return sign("session", f"{ticket.user}.{ticket.session}.{ticket.secret}")


def ticket_in(header: str) -> Ticket | None:
    parts = signed("session", _value(header, SESSION_COOKIE)).split(".")
    return Ticket(*parts) if len(parts) == 3 and all(parts) else None


def bearer_token(user: str, session: str, *, now: float) -> str:
    return sign("bearer", f"{user}.{session}.{int(now) + BEARER_SECONDS}")


def bearer_in(header: str, *, now: float) -> tuple[str, str] | None:
    """The user and the session that an Authorization header names, while its token lasts."""
    scheme, _, token = header.partition(" ")
    parts = signed("bearer", token.strip()).split(".") if scheme.lower() == "bearer" else []
    if len(parts) != 3 or not parts[2].isdecimal() or now >= int(parts[2]):
        return None
    return parts[0], parts[1]


def set_cookie(name: str, value: str, *, seconds: int, is_secure: bool) -> str:
    """The Set-Cookie header: unreadable for scripts, not sent along from other sites' forms."""
    secure = "; Secure" if is_secure else ""
    return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"


def drop_cookie(name: str, *, is_secure: bool) -> str:
    return set_cookie(name, "", seconds=0, is_secure=is_secure)


def without_session(header: str) -> str:
    """A Cookie header with all but the account's."""
    parts = (part.strip() for part in header.split(";"))
    return "; ".join(part for part in parts if not part.startswith(f"{SESSION_COOKIE}="))


def is_secure(scheme: str, headers: Mapping[str, str]) -> bool:
    """Whether the browser came by HTTPS, by what the proxy in front says too."""
    return scheme in ("https", "wss") or headers.get("x-forwarded-proto", "") == "https"


def _value(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
