"""Who there is: guests, accounts, and those that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func
from sqlmodel import Session, col, select

from workbench.accounts.lately import Lately
from workbench.accounts.names import key_of
from workbench.database import Unavailable, read
from workbench.models import Member, Project, Shot, User

Kind = Literal["guest", "account", "leaving", "gone"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as pages show them. A guest has no name."""

    id: str
    kind: Kind
    name: str = ""
    created_at: float = 0.0
    password_at: float = 0.0
    seen_at: float = 0.0
    """0 for a guest of whom nothing is stored."""


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody has made, deleted things that can still be restored included."""

    projects: int = 0
    shots: int = 0
    names: tuple[str, ...] = ()
    """Of the live projects opened last, a few; then of those that are shared with them."""
    shared: int = 0
    """Others' projects that they are a member of."""
    lent: tuple[str, ...] = ()
    """Names of their own live projects that have members."""

    @property
    def is_any(self) -> bool:
        return bool(self.projects or self.shared)


_lately: Lately[Person] = Lately()
NAMES_SHOWN = 5


async def person(user: str, *, now: float) -> Person:
    """A guest, if nothing is known of them yet. Raises Unavailable."""
    return await _lately.get(user, lambda: read(find, user), now=now)


async def is_guest(user: str, *, now: float) -> bool:
    """Whether a guest's cookie still counts: not once they have an account, or are gone."""
    return await _kind(user, now) in ("guest", "unknown")


async def is_here(user: str, *, now: float) -> bool:
    """Not gone, nor leaving."""
    return await _kind(user, now) in ("guest", "account", "unknown")


async def work_of(user: str) -> Work:
    """Raises Unavailable."""
    return await read(_work_of, user)


async def notice_changed() -> int:
    """Guests whom another process has given an account, or removed, are no guests here any more.

    Returns how many that were."""
    known = [user for user, before in _lately.known() if before.kind == "guest"]
    changed = await read(_not_guests, known)
    forget(*changed)
    return len(changed)


def forget(*users: str) -> None:
    """Something about them has changed: this process knows it from here on."""
    _lately.drop(*users)


async def _kind(user: str, now: float) -> Kind | Literal["unknown"]:
    """Unknown while the database is away, and so nothing can be read or written anyway."""
    try:
        return (await person(user, now=now)).kind
    except Unavailable:
        return "unknown"


def find(session: Session, user: str) -> Person:
    row = session.get(User, user)
    if row is None:
        return Person(user, "guest")
    kind: Kind = row.kind if row.kind in ("account", "leaving", "gone") else "guest"  # pyright: ignore[reportAssignmentType]
    return Person(
        row.id, kind, row.name or "", row.created_at, row.password_at or 0.0,
        row.seen_at or row.created_at,
    )  # fmt: skip


def find_account(session: Session, name: object) -> User | None:
    """By name, in whatever case it is written."""
    if not isinstance(name, str) or len(name) > 1000:
        return None
    query = select(User).where(User.name_key == key_of(name), User.kind == "account")
    return session.exec(query).first()


def _work_of(session: Session, user: str) -> Work:
    mine = select(Project).where(Project.owner_id == user)
    projects = list(session.exec(mine.order_by(col(Project.opened_at).desc())))
    shots = session.exec(
        select(func.count(col(Shot.id)))
        .join(Project, col(Project.id) == Shot.project_id)
        .where(Project.owner_id == user)
    ).one()
    live = [project.name for project in projects if project.deleted_at is None]
    shared = session.exec(
        select(Project.name)
        .join(Member, col(Member.project_id) == Project.id)
        .where(Member.user_id == user, col(Project.deleted_at).is_(None))
        .order_by(col(Member.opened_at).desc())
    ).all()
    members = select(Member.project_id).where(Member.project_id == Project.id).exists()
    lent = session.exec(
        select(Project.name)
        .where(Project.owner_id == user, col(Project.deleted_at).is_(None), members)
        .order_by(col(Project.opened_at).desc())
    ).all()
    names = (*live, *shared)[:NAMES_SHOWN]
    return Work(len(projects), shots, tuple(names), len(shared), tuple(lent))


def _not_guests(session: Session, users: list[str]) -> list[str]:
    found: list[str] = []
    for start in range(0, len(users), 500):
        some = col(User.id).in_(users[start : start + 500])
        found.extend(session.exec(select(User.id).where(some, User.kind != "guest")))
    return found
