"""Links by which an account's password is set anew: once, for some hours, by who has the link.

An administrator's command makes one and hands it on; no mail is sent. Only its hash is stored.
"""

from __future__ import annotations

import secrets

from sqlmodel import Session, col, delete

from workbench.accounts import limits, passwords, people, sessions
from workbench.accounts.keys import hash_of
from workbench.accounts.limits import Limit, sign_in_limits
from workbench.accounts.names import key_of
from workbench.accounts.passwords import clean_password
from workbench.accounts.signing import Visit
from workbench.database import read, write
from workbench.models import Attempt, ResetLink, User

HOURS = 24


class NoSuchAccount(LookupError):
    """Nobody has that name."""


class LinkGone(Exception):
    """The link was used, is too old, or never was one."""


async def make_link(name: str, *, now: float, hours: float = HOURS) -> str:
    """The token of a new link for that account; earlier ones count no more. NoSuchAccount."""
    return await write(_make_link, name, now + hours * 3600)


async def whose(token: object, *, now: float) -> str:
    """The name of the account that a link is for; "" if it counts no more."""
    return await read(_whose, token, now)


async def use_link(token: object, password: object, visit: Visit) -> str:
    """Set the password; all sessions end, and so does the link. Returns the account's name.

    Raises LinkGone, Refused and TooMany.
    """
    await limits.take(limits.reset_limits(visit.address), now=visit.now)
    name = await whose(token, now=visit.now)
    if not name:
        raise LinkGone("This link was used already or is too old. Ask for another one.")
    hashed = await passwords.hashed(clean_password(password, name=name))
    user, ended = await write(_use_link, token, hashed, visit)
    sessions.forget(*ended)
    people.forget(user)
    return name


def forget_over(session: Session, *, now: float) -> None:
    session.exec(delete(ResetLink).where(col(ResetLink.expires_at) < now))


def _make_link(session: Session, name: str, expires_at: float) -> str:
    row = people.find_account(session, name)
    if row is None:
        raise NoSuchAccount(name)
    session.exec(delete(ResetLink).where(col(ResetLink.user_id) == row.id))
    token = secrets.token_urlsafe(24)
    session.add(ResetLink(token_hash=hash_of(token), user_id=row.id, expires_at=expires_at))
    return token


def _whose(session: Session, token: object, now: float) -> str:
    found = _find(session, token, now)
    return (found[1].name or "") if found else ""


def _use_link(session: Session, token: object, hashed: str, visit: Visit) -> tuple[str, list[str]]:
    found = _find(session, token, visit.now)
    if found is None:  # another request was first
        raise LinkGone("This link was used already or is too old. Ask for another one.")
    link, user = found
    user.password, user.password_at = hashed, visit.now
    session.delete(link)
    for limit in _counted(user, visit.address):
        if (row := session.get(Attempt, limit.key)) is not None:
            session.delete(row)
    return user.id, sessions.end_all_within(session, user.id)


def _counted(user: User, address: str) -> tuple[Limit, ...]:
    """Who has a link may sign in now, however often they tried before."""
    return sign_in_limits(key_of(user.name or ""), address)


def _find(session: Session, token: object, now: float) -> tuple[ResetLink, User] | None:
    if not isinstance(token, str) or not 1 <= len(token) <= 100:
        return None
    link = session.get(ResetLink, hash_of(token))
    user = session.get(User, link.user_id) if link is not None and now < link.expires_at else None
    if link is None or user is None or user.kind != "account":
        return None
    return link, user
