"""Remove somebody with all that is theirs: projects, shots, settings, presets, history, sessions.

Who is somebody's member elsewhere is that no more; what they changed there stays, under no name. A
project that is shared goes with who deletes themselves: the page says so before. Of a guest who
only didn't come back it passes to the member who has edited it the longest.

In three steps, so that what a crash leaves half done is finished at the next start: they are marked
as leaving (and from there on nobody acts for them), then all is removed, then they are gone.
"""

from __future__ import annotations

import time

from sqlmodel import Session, col, delete, select, update

from persistence import Engine
from workbench.accounts import people, sessions
from workbench.accounts.pages_open import let_go
from workbench.database import read, write
from workbench.models import Invitation, Member, Project, ResetLink, Shot, User
from workbench.models import Session as SessionRow
from workbench.sharing import hand_over


async def erase(engine: Engine, user: str, *, now: float) -> None:
    """All that is theirs, for good. Their cookies open nothing any more. Raises Unavailable."""
    ended = await write(_mark, user, now)
    sessions.forget(*ended)
    people.forget(user)
    await let_go()
    await finish(engine, user)


async def finish(engine: Engine, user: str) -> None:
    """Remove what is left of somebody who is marked as leaving."""
    projects, shots = await write(_close, user, time.time())
    for shot in shots:
        await engine.forget("shot", shot)
    for project in projects:
        await engine.forget("project", project)
    await engine.forget("user", user)
    await write(_remove, user)
    people.forget(user)


async def finish_all(engine: Engine) -> int:
    """Those whom a crash has left half removed. Returns how many that were."""
    leaving = await read(_leaving)
    for user in leaving:
        await finish(engine, user)
    return len(leaving)


async def mark_idle(user: str, *, before: float, now: float) -> bool:
    """Mark a guest as leaving, unless they were seen since. Returns whether they are.

    What they share with others is handed over first.
    """
    marked = await write(_mark_idle, user, before, now)
    people.forget(user)
    return marked


def _mark(session: Session, user: str, now: float) -> list[str]:
    row = session.get(User, user) or User(id=user, created_at=now)
    row.kind, row.seen_at = "leaving", now
    session.add(row)
    session.exec(delete(ResetLink).where(col(ResetLink.user_id) == user))
    return sessions.end_all_within(session, user)


def _mark_idle(session: Session, user: str, before: float, now: float) -> bool:
    row = session.get(User, user)
    if row is None or row.kind != "guest" or (row.seen_at or row.created_at) >= before:
        return False
    row.kind = "leaving"
    _hand_over_shared(session, user, now)
    return True


def _hand_over_shared(session: Session, user: str, now: float) -> None:
    """Each live project of theirs that has members goes to one: an editor rather than a viewer, an
    account rather than a guest, who came first."""
    query = (
        select(Project, Member, User)
        .join(Member, col(Member.project_id) == Project.id)
        .join(User, col(User.id) == Member.user_id)
        .where(Project.owner_id == user, col(Project.deleted_at).is_(None))
        .where(col(User.kind).in_(("guest", "account")))
    )
    by_project: dict[str, list[tuple[Project, Member, User]]] = {}
    for found in session.exec(query).all():
        by_project.setdefault(found[0].id, []).append(found)
    for candidates in by_project.values():
        project, heir, _ = min(
            candidates,
            key=lambda each: (each[1].role != "editor", each[2].kind != "account", each[1].since),
        )
        hand_over(session, project, heir, now)


def _close(session: Session, user: str, now: float) -> tuple[list[str], list[str]]:
    """Their projects and shots. Deleted from here on, so that no member adds to them."""
    mine = col(Project.owner_id) == user
    live = update(Project).where(mine, col(Project.deleted_at).is_(None))
    session.exec(live.values(deleted_at=now))
    projects = list(session.exec(select(Project.id).where(mine)))
    query = select(Shot.id).join(Project, col(Project.id) == Shot.project_id)
    return projects, list(session.exec(query.where(mine)))


def _leaving(session: Session) -> list[str]:
    return list(session.exec(select(User.id).where(User.kind == "leaving")))


def _remove(session: Session, user: str) -> None:
    """The row stays, without a name: an id in an old cookie is never anyone's again."""
    projects = select(Project.id).where(Project.owner_id == user)
    session.exec(delete(Member).where(col(Member.user_id) == user))
    for table in (Member, Invitation):
        session.exec(delete(table).where(col(table.project_id).in_(projects)))
    session.exec(update(Member).where(col(Member.invited_by) == user).values(invited_by=""))
    session.exec(update(Invitation).where(col(Invitation.made_by) == user).values(made_by=""))
    session.exec(delete(Shot).where(col(Shot.project_id).in_(projects)))
    session.exec(delete(Project).where(col(Project.owner_id) == user))
    session.exec(delete(SessionRow).where(col(SessionRow.user_id) == user))
    row = session.get(User, user)
    if row is not None:
        row.kind = "gone"
        row.name = row.name_key = row.password = row.password_at = None
