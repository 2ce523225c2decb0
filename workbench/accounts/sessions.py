"""Sign-ins. Each is a family of secrets of which one counts at a time.

- The browser's cookie holds the newest secret, the database its hash. A refresh puts another one in
  its place.
- The one before still counts for `GRACE` seconds, since two tabs may refresh at once, and for as
  long as the newest one hasn't come back: then its answer was lost on the way.
- Any older one was copied: whoever sends it ends the whole session, for both.
- A session ends after `IDLE` without a visit, and after `LONGEST` in any case.

Times are seconds since the epoch and come as arguments.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from dataclasses import dataclass

from sqlmodel import Session as Database
from sqlmodel import col, delete, select

from workbench.access import is_id
from workbench.accounts.cookies import Ticket
from workbench.accounts.keys import hash_of
from workbench.accounts.lately import Lately
from workbench.database import Unavailable, read, write
from workbench.models import Session, User, new_id

log = logging.getLogger("workbench.accounts")

DAY = 24 * 3600
IDLE = 30 * DAY
LONGEST = 180 * DAY
GRACE = 30
SEEN_EVERY = 3600
"""Seconds between two notes of a visit."""
SESSIONS_LIMIT = 50
"""Of one account; the one longest unused makes room."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A session as the database held it."""

    id: str
    user: str
    secret_hash: str
    previous_hash: str
    rotated_at: float
    is_used: bool
    created_at: float
    seen_at: float
    device: str

    def is_live(self, now: float) -> bool:
        return now < self.seen_at + IDLE and now < self.created_at + LONGEST

    def takes(self, secret: str, now: float) -> bool:
        given = hash_of(secret)
        if hmac.compare_digest(given, self.secret_hash):
            return True
        is_previous = hmac.compare_digest(given, self.previous_hash)
        return is_previous and (not self.is_used or 0 <= now - self.rotated_at < GRACE)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """`ticket` is None where a refresh a moment ago has given the browser a newer one already."""

    ticket: Ticket | None
    session: Facts


_lately: Lately[Facts | None] = Lately()


async def start(user: str, *, device: str, now: float) -> Ticket:
    """A new session of an account, whose sign-in was right."""
    return await write(start_within, user, device, now)


async def is_live(user: str, session: str, *, now: float) -> bool:
    """Whether that session of that user may act. Yes for a signed one while nobody can be asked."""
    try:
        facts = await find(session, now=now)
    except Unavailable:
        return True
    return facts is not None and facts.user == user


async def find(session: str, *, now: float) -> Facts | None:
    """The session if it lives. Raises Unavailable."""
    facts = await _lately.get(session, lambda: read(_find, session), now=now)
    return facts if facts is not None and facts.is_live(now) else None


async def enter(ticket: Ticket, *, now: float) -> bool:
    """At the door: does this ticket count? One that was replaced ends its session."""
    try:
        facts = await find(ticket.session, now=now)
        if facts is not None and not facts.takes(ticket.secret, now):
            _lately.drop(ticket.session)  # another process may have given a newer one
            facts = await find(ticket.session, now=now)
        if facts is None or facts.user != ticket.user:
            return False
        if not facts.takes(ticket.secret, now):
            await _end_copied(ticket)
            return False
        is_first = not facts.is_used and hash_of(ticket.secret) == facts.secret_hash
        if is_first or now - facts.seen_at > SEEN_EVERY:
            await write(_note_visit, ticket, now)
            _lately.drop(ticket.session)
    except Unavailable:
        return True  # it is signed; nothing can be read or written now anyway
    return True


async def refresh(ticket: Ticket, *, now: float) -> Refreshed | None:
    """Another secret in place of the ticket's. None where that doesn't count: sign in again."""
    refreshed = await write(_refresh, ticket, now)
    _lately.drop(ticket.session)
    if refreshed is None:
        await enter(ticket, now=now)  # ends the session of a ticket that was copied
    return refreshed


async def end(user: str, session: str) -> bool:
    """Sign out. Returns whether there was such a session of theirs."""
    if not is_id(session):
        return False
    ended = await write(_end, user, session)
    _lately.drop(session)
    return ended


async def end_all(user: str, *, but: str = "") -> int:
    """Sign out everywhere, or everywhere else. Returns how many sessions that were."""
    ended = await write(end_all_within, user, but)
    forget(*ended)
    return len(ended)


async def list_of(user: str, *, now: float) -> list[Facts]:
    """Their live sessions, the latest used first."""
    found = await read(_list_of, user)
    return [facts for facts in found if facts.is_live(now)]


async def notice_ended() -> int:
    """Those that another process has ended count no more here. Returns how many that were."""
    known = [key for key, facts in _lately.known() if facts is not None]
    ended = set(known) - await read(_existing, known)
    forget(*ended)
    return len(ended)


def forget(*sessions: str) -> None:
    """They were ended by other means: this process knows it from here on."""
    if sessions:
        _lately.drop(*sessions)


async def _end_copied(ticket: Ticket) -> None:
    log.warning("a replaced cookie of session %s… was used again: ended", ticket.session[:6])
    await end(ticket.user, ticket.session)


def start_within(database: Database, user: str, device: str, now: float) -> Ticket:
    """`start` within a transaction that does more."""
    mine = database.exec(
        select(Session).where(Session.user_id == user).order_by(col(Session.seen_at).desc())
    ).all()
    for old in mine[SESSIONS_LIMIT - 1 :]:
        database.delete(old)
    secret = secrets.token_urlsafe(32)
    row = Session(
        id=new_id(), user_id=user, secret_hash=hash_of(secret), rotated_at=now, created_at=now,
        seen_at=now, device=device[:80],
    )  # fmt: skip
    database.add(row)
    return Ticket(user, row.id, secret)


def end_all_within(database: Database, user: str, but: str = "") -> list[str]:
    """`end_all` within a transaction that does more; `forget` those after it."""
    query = select(Session.id).where(Session.user_id == user, Session.id != but)
    ended = list(database.exec(query))
    database.exec(delete(Session).where(col(Session.user_id) == user, col(Session.id) != but))
    return ended


def forget_over(database: Database, *, now: float) -> None:
    """Remove sessions that have ended by time."""
    is_over = (col(Session.seen_at) < now - IDLE) | (col(Session.created_at) < now - LONGEST)
    database.exec(delete(Session).where(is_over))


def _find(database: Database, session: str) -> Facts | None:
    row = database.get(Session, session)
    return _facts(row) if row is not None else None


def _existing(database: Database, sessions: list[str]) -> set[str]:
    found: set[str] = set()
    for start_at in range(0, len(sessions), 500):
        some = sessions[start_at : start_at + 500]
        found.update(database.exec(select(Session.id).where(col(Session.id).in_(some))))
    return found


def _list_of(database: Database, user: str) -> list[Facts]:
    query = select(Session).where(Session.user_id == user).order_by(col(Session.seen_at).desc())
    return [_facts(row) for row in database.exec(query)]


def _note_visit(database: Database, ticket: Ticket, now: float) -> None:
    row = database.get(Session, ticket.session)
    if row is None:
        return
    row.seen_at = max(row.seen_at, now)
    row.is_used = row.is_used or row.secret_hash == hash_of(ticket.secret)
    if (user := database.get(User, row.user_id)) is not None:
        user.seen_at = row.seen_at


def _refresh(database: Database, ticket: Ticket, now: float) -> Refreshed | None:
    row = database.get(Session, ticket.session)
    facts = _facts(row) if row is not None else None
    if row is None or facts is None or not facts.is_live(now) or facts.user != ticket.user:
        return None
    if not facts.takes(ticket.secret, now):
        return None
    is_newest = hash_of(ticket.secret) == facts.secret_hash
    if not is_newest and 0 <= now - facts.rotated_at < GRACE:
        return Refreshed(None, facts)
    secret = secrets.token_urlsafe(32)
    row.previous_hash, row.secret_hash = hash_of(ticket.secret), hash_of(secret)
    row.rotated_at, row.is_used, row.seen_at = now, False, max(row.seen_at, now)
    return Refreshed(Ticket(row.user_id, row.id, secret), _facts(row))


def _end(database: Database, user: str, session: str) -> bool:
    row = database.get(Session, session)
    if row is None or row.user_id != user:
        return False
    database.delete(row)
    return True


def _facts(row: Session) -> Facts:
    return Facts(
        row.id, row.user_id, row.secret_hash, row.previous_hash, row.rotated_at, row.is_used,
        row.created_at, row.seen_at, row.device,
    )  # fmt: skip
