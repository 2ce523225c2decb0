"""Who is no visitor, and guests who didn't come back.

A guest is made by a page that somebody looks at. Crawlers, link previews and what a browser fetches
ahead make none: no cookie, no row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import func
from sqlmodel import Session, col, select

from persistence import Engine
from workbench import sharing
from workbench.accounts import erasing, limits, people, resets, sessions
from workbench.accounts.pages_open import let_go
from workbench.database import read, write
from workbench.models import User

DAY = 24 * 3600
BATCH = 20
"""Guests that are removed before others may use the database again."""
OWNERS_AT_ONCE = 500
TOMBSTONE_DAYS = 500
"""Longer than a cookie lives."""

_BOTS = re.compile(
    r"(?<!cu)bot\b|bots\b|crawl|spider|slurp|preview|scraper|scrapy|fetch|monitor|uptime|lighthouse|"
    r"pagespeed|facebookexternalhit|^whatsapp|skypeuri|embedly|vkshare|validator|archive\.org|"
    r"^curl|^wget",
    re.IGNORECASE,
)
"""Cubot is a make of telephones."""


def is_passing(headers: Mapping[str, str]) -> bool:
    """Whether nobody looks at the page now: a crawler, a preview, a page fetched ahead."""
    purpose = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')}".lower()
    if "prefetch" in purpose or "preview" in purpose or headers.get("x-moz") == "prefetch":
        return True
    return bool(_BOTS.search(headers.get("user-agent", "")))


async def note_visit(user: str, *, now: float) -> None:
    """A guest of whom something is stored was here; written once a day."""
    person = await people.person(user, now=now)
    if person.seen_at and now - person.seen_at > DAY:
        await write(_note_visit, user, now)
        people.forget(user)


async def clean_up(engine: Engine, *, days: float, now: float) -> int:
    """Remove guests who weren't here for so many days, with all that is theirs, in batches; 0 days
    is never. And what is over: sessions, links, counts. Returns how many guests went.

    A guest who has settings and no row yet gets one here, so that their days are counted.
    """
    await write(_forget_over, now)
    await erasing.finish_all(engine)
    if not days:
        return 0
    await _note_unknown(engine, now)
    before, count = now - days * DAY, 0
    while idle := await read(_idle, before):
        leaving = [user for user in idle if await erasing.mark_idle(user, before=before, now=now)]
        await let_go()  # of a page that was left open all that time
        for user in leaving:
            await erasing.finish(engine, user)
        count += len(leaving)
    return count


async def _note_unknown(engine: Engine, now: float) -> None:
    after = ""
    while owners := await engine.store.owners("user", after=after, limit=OWNERS_AT_ONCE):
        after = owners[-1]
        await write(_make_rows, owners, now)


def _note_visit(session: Session, user: str, now: float) -> None:
    row = session.get(User, user)
    if row is not None:
        row.seen_at = max(row.seen_at or 0.0, now)


def _idle(session: Session, before: float) -> list[str]:
    seen = func.coalesce(User.seen_at, User.created_at)
    query = select(User.id).where(User.kind == "guest", seen < before).limit(BATCH)
    return list(session.exec(query))


def _make_rows(session: Session, users: list[str], now: float) -> None:
    known = set(session.exec(select(User.id).where(col(User.id).in_(users))))
    for user in users:
        if user not in known:
            session.add(User(id=user, created_at=now, seen_at=now))


def _forget_over(session: Session, now: float) -> None:
    sessions.forget_over(session, now=now)
    resets.forget_over(session, now=now)
    limits.forget_old(session, before=now - DAY)
    sharing.forget_over(session, now=now)
    is_old = col(User.seen_at) < now - TOMBSTONE_DAYS * DAY
    old = select(User).where(User.kind == "gone", col(User.became).is_(None), is_old)
    for row in session.exec(old).all():
        session.delete(row)
