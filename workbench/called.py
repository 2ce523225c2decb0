"""What people are called where others see them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlmodel import Session, col, select

from workbench.models import User

DELETED = "A deleted account"


def names_of(session: Session, ids: Sequence[str], *, actor: str = "") -> dict[str, str]:
    """ "You" for the actor, also as the guest that they were; an account's name; a guest's word.

    Who came along into an account is called as that.
    """
    people = {each.id: each for each in _people(session, ids)}
    heirs = {each.became for each in people.values() if each.became}
    people |= {each.id: each for each in _people(session, [*heirs - people.keys()])}
    return {each: _name(people, each, actor) for each in ids}


def guest_word(user: str) -> str:
    """Tells guests of one project from each other, and says nothing of their ids: "Guest 3fa"."""
    return f"Guest {hashlib.sha256(user.encode()).hexdigest()[:3]}"


def _people(session: Session, ids: Sequence[str]) -> Sequence[User]:
    return session.exec(select(User).where(col(User.id).in_(ids))).all() if ids else ()


def _name(people: dict[str, User], user: str, actor: str) -> str:
    row = people.get(user)
    if actor and actor in (user, row.became if row is not None else ""):
        return "You"
    if row is not None and row.became:
        return _name(people, row.became, "")
    if row is not None and row.kind in ("leaving", "gone"):
        return DELETED
    return (row.name if row is not None else None) or guest_word(user)
