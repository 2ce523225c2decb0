"""Who is it, and what is theirs: guests by cookie, and the hooks that the library asks.

A guest is an id of 128 random bits with our signature, in an HttpOnly cookie that comes with the
first page. Nothing is stored until they make their first project, so that crawlers and link
previews leave no rows behind.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from functools import cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from persistence import StoreUnavailable
from persistence.reflex import Page
from workbench import projects
from workbench.database import Unavailable
from workbench.models import new_id

COOKIE = "workbench_guest"
COOKIE_SECONDS = 400 * 24 * 3600
"""As long as browsers keep any; renewed at each page."""

KEY_FILE = Path(".secret_key")


def identify(headers: Mapping[str, str]) -> str:
    """The user's id by the request's cookie; "" for nobody."""
    return read_cookie(headers.get("cookie", ""))


async def authorise(actor: str, action: str, scope: str, owner: str) -> bool:  # noqa: ARG001  # there all is allowed
    """The library's question before each load and write: is it one's own, and live?"""
    try:
        return bool(actor) and await projects.owns(actor, scope, owner)
    except Unavailable as error:
        raise StoreUnavailable(str(error)) from error


async def owners(page: Page) -> dict[str, str | None]:
    """The library's question which project's and shot's settings a page shows: the address says.

    Only for what is there: the page says of anything else that there is nothing.
    """
    project, shot = page.params.get("project_id"), page.params.get("shot_id")
    if project is None:
        return {}
    try:
        if not await projects.has(page.actor, project, shot):
            return {}
    except Unavailable:
        pass  # then the load fails too, and says so
    return {"project": project, "shot": shot}


def new_guest() -> str:
    """The cookie's value for somebody new."""
    return sign(new_id())


def sign(user: str) -> str:
    return f"{user}.{_signature(user)}"


def read_cookie(header: str) -> str:
    """The user's id in a Cookie header, if the signature is ours; else ""."""
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    user, _, signature = (morsel.value if morsel else "").rpartition(".")
    if not user or not signature.isascii():
        return ""
    return user if hmac.compare_digest(signature, _signature(user)) else ""


def _signature(user: str) -> str:
    return hmac.new(secret_key(), f"guest:{user}".encode(), hashlib.sha256).hexdigest()


@cache
def secret_key() -> bytes:
    """`SECRET_KEY`, or one that is made at the first run and kept beside the app."""
    if given := os.environ.get("SECRET_KEY"):
        return given.encode()
    if not KEY_FILE.exists():
        _keep_new_key()
    return KEY_FILE.read_text().strip().encode()


def _keep_new_key() -> None:
    """Whole or not at all, and only the first of several processes that start together."""
    draft = KEY_FILE.with_name(f"{KEY_FILE.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(secrets.token_hex(32))
    try:
        os.link(draft, KEY_FILE)
    except FileExistsError:
        pass  # another one was first
    finally:
        draft.unlink()
