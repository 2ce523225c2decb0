"""Signing up and in, and other passwords. Signing out is `sessions.end`.

Raises Refused (or Refusals) for what can't be so, WrongPassword, TooMany, Busy, and Unavailable.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from workbench.accounts import limits, passwords, people, sessions
from workbench.accounts.cookies import Ticket
from workbench.accounts.names import clean_account_name, key_of
from workbench.accounts.passwords import clean_password
from workbench.database import read, write
from workbench.models import User, new_id
from workbench.names import Refused


class Refusals(Exception):
    """Several fields at once."""

    def __init__(self, errors: list[Refused]) -> None:
        super().__init__(". ".join(str(error) for error in errors))
        self.errors = errors


class WrongPassword(Exception):
    """The name or the password isn't right. Never says which."""


class HasAccount(Exception):
    """This guest has an account by now, made in another tab."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request comes from."""

    address: str
    device: str
    now: float


async def sign_up(guest: str, name: object, password: object, visit: Visit) -> Ticket:
    """Make an account of this guest, who keeps all that is theirs; of nobody, a new one."""
    shown, taken = _checked(name, password)
    await limits.take(limits.sign_up_limits(visit.address), now=visit.now)
    hashed = await passwords.hashed(taken)
    ticket = await write(_sign_up, guest, shown, hashed, visit)
    people.forget(ticket.user)
    return ticket


async def sign_in(name: object, password: object, visit: Visit) -> Ticket:
    """A new session, for who knows the password."""
    user = await check_password(name, password, visit)
    return await sessions.start(user, device=visit.device, now=visit.now)


async def check_password(
    name: object, password: object, visit: Visit, *, is_sure: bool = False
) -> str:
    """The account's id if this is its password. Takes as long, and counts, for unknown names too.

    `is_sure`: it is asked of somebody who is signed in as that account, so that it is the password
    that isn't right.
    """
    key = key_of(name)[:1000] if isinstance(name, str) else ""
    allowed = limits.sign_in_limits(key, visit.address)
    await limits.take(allowed, now=visit.now)
    known = await read(_stored_password, name)
    if not await passwords.matches(known[1] if known else None, password) or known is None:
        raise WrongPassword(
            "That isn’t your password." if is_sure else "The name or the password isn’t right."
        )
    await limits.give_back(allowed)
    user, stored = known
    if passwords.is_outdated(stored) and isinstance(password, str):
        again = await passwords.hashed(passwords.normal(password))
        await write(_replace_hash, user, stored, again)
    return user


async def change_password(
    user: str, session: str, current: object, new: object, visit: Visit
) -> int:
    """Another password; every other session of theirs ends. Returns how many that were."""
    person = await people.person(user, now=visit.now)
    taken = clean_password(new, name=person.name, field="new password")
    await check_password(person.name, current, visit, is_sure=True)
    hashed = await passwords.hashed(taken)
    ended = await write(_change_password, user, hashed, session, visit.now)
    sessions.forget(*ended)
    people.forget(user)
    return len(ended)


def _checked(name: object, password: object) -> tuple[str, str]:
    """Both, cleaned; or all that is wrong with either, so that it can be mended at once."""
    errors: list[Refused] = []
    shown = name[:100] if isinstance(name, str) else ""
    taken = ""
    try:
        shown = clean_account_name(name)
    except Refused as error:
        errors.append(error)
    try:
        taken = clean_password(password, name=shown)
    except Refused as error:
        errors.append(error)
    if errors:
        raise Refusals(errors)
    return shown, taken


def _sign_up(session: Session, guest: str, name: str, hashed: str, visit: Visit) -> Ticket:
    if people.find_account(session, name) is not None:
        raise Refused("name", "is taken; choose another one")
    row = session.get(User, guest) if guest else None
    if row is not None and row.kind != "guest":
        raise HasAccount("This guest has an account by now. Load the page again, or sign in.")
    row = row or User(id=guest or new_id(), created_at=visit.now)
    row.kind, row.name, row.name_key = "account", name, key_of(name)
    row.password, row.password_at, row.seen_at = hashed, visit.now, visit.now
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:  # another process was first with the name
        raise Refused("name", "is taken; choose another one") from error
    return sessions.start_within(session, row.id, visit.device, visit.now)


def _stored_password(session: Session, name: object) -> tuple[str, str] | None:
    row = people.find_account(session, name)
    return (row.id, row.password) if row is not None and row.password else None


def _replace_hash(session: Session, user: str, before: str, after: str) -> None:
    row = session.get(User, user)
    if row is not None and row.password == before:
        row.password = after


def _change_password(session: Session, user: str, hashed: str, kept: str, now: float) -> list[str]:
    row = session.get(User, user)
    if row is None or row.kind != "account":
        return []
    row.password, row.password_at = hashed, now
    return sessions.end_all_within(session, user, kept)
