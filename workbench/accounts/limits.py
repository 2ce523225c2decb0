"""How often one may try: counts by name and by address, in the database, so that every worker and
the next start know them.

A try is counted before it is made, so that many at once are counted too, and taken back where it
was right. Someone who guesses at a name from one address is stopped long before its owner, who
sits at another one, would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, delete

from workbench.accounts.keys import hash_of
from workbench.database import write
from workbench.models import Attempt


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in so many seconds; then none until they are over."""

    kind: str
    of: str
    """A name or an address; stored as a hash."""
    tries: int
    seconds: int

    @property
    def key(self) -> str:
        return hash_of(f"{self.kind}:{self.of}")


class TooMany(Exception):
    """Tried too often. `seconds` until the next try is allowed."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts. Try again in {in_words(seconds)}.")
        self.seconds = seconds


def sign_in_limits(name: str, address: str) -> tuple[Limit, ...]:
    """For each check of an account's password; `name` in its key form."""
    return (
        Limit("name+address", f"{name}\n{address}", 10, 15 * 60),
        Limit("name", name, 100, 3600),
        Limit("address", address, 60, 15 * 60),
    )


def sign_up_limits(address: str) -> tuple[Limit, ...]:
    return (Limit("sign-up", address, 20, 3600),)


def reset_limits(address: str) -> tuple[Limit, ...]:
    return (Limit("reset", address, 30, 15 * 60),)


def join_limits(actor: str, address: str) -> tuple[Limit, ...]:
    """For each link to a project that isn't one."""
    return (Limit("join", address, 30, 15 * 60), Limit("join-actor", actor, 20, 15 * 60))


async def take(limits: Sequence[Limit], *, now: float) -> None:
    """Count a try with each. Raises TooMany, and then counts none."""
    await write(_take, limits, now)


async def give_back(limits: Sequence[Limit]) -> None:
    """The try was right: it doesn't count, and neither do its writer's earlier ones there."""
    await write(_give_back, limits)


def in_words(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"{minutes} minutes" if minutes > 1 else f"{seconds} seconds"


def _take(session: Session, limits: Sequence[Limit], now: float) -> None:
    rows = {limit.key: _row(session, limit, now) for limit in limits}
    waits = [
        row.since + limit.seconds - now
        for limit in limits
        if (row := rows[limit.key]).count >= limit.tries
    ]
    if waits:
        raise TooMany(max(1, int(max(waits)) + 1))
    for row in rows.values():
        row.count += 1
        session.add(row)


def _row(session: Session, limit: Limit, now: float) -> Attempt:
    row = session.get(Attempt, limit.key) or Attempt(key=limit.key, count=0, since=now)
    if not row.since <= now < row.since + limit.seconds:
        row.count, row.since = 0, now
    return row


def _give_back(session: Session, limits: Sequence[Limit]) -> None:
    for limit in limits:
        row = session.get(Attempt, limit.key)
        if row is None:
            continue
        if limit.kind == "name+address":
            session.delete(row)
        else:
            row.count = max(0, row.count - 1)


def forget_old(session: Session, *, before: float) -> None:
    """Remove counts that no limit looks at any more."""
    session.exec(delete(Attempt).where(col(Attempt.since) < before))
