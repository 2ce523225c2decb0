"""Projects and shots: what a user can do to what is theirs, or shared with them.

Every query carries the actor (`access`), so that a foreign project answers exactly like a missing
one. Each public function runs in one transaction, off the event loop; `actor` is a user's id.
Raises Refused for bad input, NotFound, NotAllowed to a member whose role doesn't go so far, and
Unavailable when the database is away.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from workbench.access import (
    Action,
    NotFound,
    Role,
    require_project,
    require_shot,
    role_of,
    with_member,
)
from workbench.called import names_of
from workbench.database import Unavailable, read, write
from workbench.models import Member, Project, Shot, User, new_id
from workbench.names import Refused, clean_name, numbered

PROJECT_LIMIT = 500
SHOT_LIMIT = 500
VISITS_AT_ONCE = 2
"""While the database is slow they must not take all threads from those who wait for something."""
_noting: set[object] = set()


@dataclass(frozen=True)
class ProjectRow:
    id: str
    name: str
    shots: int
    opened_at: float
    """By who asks."""
    deleted_at: float | None
    role: Role = "owner"
    """Of who asks."""
    owner: str = ""
    """Another owner's name."""
    members: int = 0
    """Besides the owner."""


@dataclass(frozen=True)
class ShotRow:
    id: str
    name: str
    number: int
    """1 for the first in the project's order; 0 once deleted."""
    deleted_at: float | None


@dataclass(frozen=True)
class Lists:
    """The live ones in order, and the deleted ones, latest first."""

    live: list[ProjectRow]
    deleted: list[ProjectRow]


@dataclass(frozen=True)
class ProjectPage:
    project: ProjectRow
    shots: list[ShotRow]
    deleted: list[ShotRow]


async def list_projects(actor: str) -> Lists:
    return await read(_list_projects, actor)


async def create_project(actor: str, name: object) -> str:
    """Returns the new project's id. The owner's row is made here if it is their first."""
    return await write(_create_project, require_actor(actor), clean_name(name))


async def plant_project(
    actor: str, project: str, name: str, shots: Sequence[tuple[str, str]]
) -> None:
    """Have a project with these ids: new, with shots of these ids and names, unless it is there.

    One that was deleted comes back as it was. For content that we bring along ourselves. Raises
    Refused where it belongs to somebody else by now.
    """
    await write(_plant_project, require_actor(actor), project, clean_name(name), shots)


async def rename_project(actor: str, project: object, name: object) -> str:
    return await write(_rename_project, actor, project, clean_name(name))


async def delete_project(actor: str, project: object) -> str:
    """Put it aside, with its shots and their settings. Returns its name."""
    return await write(_set_project_deleted, actor, project, time.time())


async def restore_project(actor: str, project: object) -> str:
    return await write(_set_project_deleted, actor, project, None)


async def open_project(actor: str, project: object) -> ProjectPage:
    """What the project's page shows."""
    return await read(_open_project, actor, project)


async def note_visit(actor: str, project: object) -> None:
    """For the list's order. Where it can't be written now, the visit counts for nothing."""
    if len(_noting) >= VISITS_AT_ONCE:
        return
    visit = object()
    _noting.add(visit)
    try:
        with suppress(Unavailable, NotFound):
            await write(_note_visit, actor, project, time.time())
    finally:
        _noting.discard(visit)


async def shot_ids(actor: str, project: object) -> list[str]:
    """The project's live shots, in its order."""
    return await read(_shot_ids, actor, project)


async def create_shot(actor: str, project: object, name: object = "") -> str:
    """Append a shot; without a name it is called by its number. Returns its id."""
    return await write(_create_shot, actor, project, clean_name(name) if name != "" else "")


async def create_shot_after(actor: str, shot: object) -> str:
    """Insert a shot right behind that one, named after it. Returns the new one's id."""
    return await write(_create_shot_after, actor, shot)


async def rename_shot(actor: str, shot: object, name: object) -> str:
    return await write(_rename_shot, actor, shot, clean_name(name))


async def move_shot(actor: str, shot: object, by: object) -> None:
    """One place up (-1) or down (1) in its project; at the end nothing happens."""
    await write(_move_shot, actor, shot, -1 if by == -1 else 1)


async def place_shot(actor: str, shot: object, place: object) -> None:
    """Put it at that place of its project, 1 for the first; beyond the ends means at the end."""
    await write(_place_shot, actor, shot, place if type(place) is int else 1)


async def delete_shot(actor: str, shot: object) -> str:
    return await write(_set_shot_deleted, actor, shot, time.time())


async def restore_shot(actor: str, shot: object) -> str:
    return await write(_set_shot_deleted, actor, shot, None)


async def role_in(actor: str, scope: str, owner: str) -> Role | None:
    """The actor's role in that live project, or in that live shot's; None for nobody's."""
    return await read(_role_in, actor, scope, owner)


async def check(actor: str, action: Action, scope: str, owner: str) -> bool:
    """Whether the actor may do that with a live project or shot; for the scope `user` themselves.

    Raises NotAllowed, with the reason, where they may look at it.
    """
    if scope == "user":
        return bool(actor) and actor == owner
    return await read(_check, actor, action, scope, owner)


async def has(actor: str, project: object, shot: object = None) -> bool:
    """Whether they see that live project, with that live shot in it if one is named."""
    return await read(_has, actor, project, shot)


def require_actor(actor: str) -> str:
    if not actor:
        raise NotFound("nobody is signed in")
    return actor


def _list_projects(session: Session, actor: str) -> Lists:
    live_shots = (
        select(func.count(col(Shot.id)))
        .where(Shot.project_id == Project.id, col(Shot.deleted_at).is_(None))
        .correlate(Project)
        .scalar_subquery()
    )
    query = with_member(select(Project, live_shots, role_of(actor), Member.opened_at), actor)
    found = session.exec(query).all()
    names = names_of(session, [each[0].owner_id for each in found], actor=actor)
    members = _member_counts(session, [each[0].id for each in found])
    rows = [
        ProjectRow(
            project.id,
            project.name,
            shots,
            project.opened_at if role == "owner" else opened_at,
            project.deleted_at,
            role,
            "" if role == "owner" else names[project.owner_id],
            members.get(project.id, 0),
        )
        for project, shots, role, opened_at in found
    ]
    rows.sort(key=lambda row: (-row.opened_at, row.id))
    gone = [row for row in rows if row.deleted_at is not None]
    return Lists(
        [row for row in rows if row.deleted_at is None],
        sorted(gone, key=lambda row: row.deleted_at or 0, reverse=True),
    )


def _member_counts(session: Session, projects: Sequence[str]) -> dict[str, int]:
    query = (
        select(Member.project_id, func.count(col(Member.user_id)))
        .where(col(Member.project_id).in_(projects))
        .group_by(col(Member.project_id))
    )
    return dict(session.exec(query).all())


def _create_project(session: Session, actor: str, name: str, project: str = "") -> str:
    count = select(func.count(col(Project.id))).where(
        Project.owner_id == actor, col(Project.deleted_at).is_(None)
    )
    if session.exec(count).one() >= PROJECT_LIMIT:
        raise Refused("project", f"can't be added: {PROJECT_LIMIT} projects are the limit")
    have_row(session, actor)
    made = Project(id=project or new_id(), owner_id=actor, name=name)
    session.add(made)
    session.flush()
    return made.id


def have_row(session: Session, user: str) -> None:
    """A guest's row is made with the first thing that is theirs."""
    if session.get(User, user) is None:
        session.add(User(id=user))
        session.flush()


def _plant_project(
    session: Session, actor: str, project: str, name: str, shots: Sequence[tuple[str, str]]
) -> None:
    there = session.get(Project, project)
    if there is not None and there.owner_id != actor:
        raise Refused("project", "was given to somebody else, and can't be made a second time")
    if there is not None:
        there.deleted_at = None
    else:
        _create_project(session, actor, name, project)
        for position, (shot, title) in enumerate(shots):
            session.add(Shot(id=shot, project_id=project, name=title, position=position))


def _rename_project(session: Session, actor: str, project: object, name: str) -> str:
    require_project(session, actor, project, "admin")[0].name = name
    return name


def _set_project_deleted(
    session: Session, actor: str, project: object, deleted_at: float | None
) -> str:
    found, _ = require_project(session, actor, project, "admin", deleted=deleted_at is None)
    found.deleted_at = deleted_at
    return found.name


def _open_project(session: Session, actor: str, project: object) -> ProjectPage:
    found, role = require_project(session, actor, project)
    shots = _live_shots(session, found.id)
    owner = "" if role == "owner" else names_of(session, [found.owner_id])[found.owner_id]
    members = _member_counts(session, [found.id]).get(found.id, 0)
    gone = session.exec(
        select(Shot)
        .where(Shot.project_id == found.id, col(Shot.deleted_at).is_not(None))
        .order_by(col(Shot.deleted_at).desc())
    )
    return ProjectPage(
        ProjectRow(
            found.id, found.name, len(shots), found.opened_at, found.deleted_at, role, owner,
            members,
        ),
        [ShotRow(shot.id, shot.name, index, None) for index, shot in enumerate(shots, 1)],
        [ShotRow(shot.id, shot.name, 0, shot.deleted_at) for shot in gone],
    )  # fmt: skip


def _note_visit(session: Session, actor: str, project: object, at: float) -> None:
    found, _ = require_project(session, actor, project)
    member = session.get(Member, (found.id, actor))
    if member is not None:
        member.opened_at = at
    else:
        found.opened_at = at


def _shot_ids(session: Session, actor: str, project: object) -> list[str]:
    found, _ = require_project(session, actor, project)
    return [shot.id for shot in _live_shots(session, found.id)]


def _live_shots(session: Session, project: str) -> list[Shot]:
    query = (
        select(Shot)
        .where(Shot.project_id == project, col(Shot.deleted_at).is_(None))
        .order_by(col(Shot.position), col(Shot.created_at), col(Shot.id))
    )
    return list(session.exec(query))


def _create_shot(session: Session, actor: str, project: object, name: str) -> str:
    found, _ = require_project(session, actor, project, "write")
    _require_room(session, found.id)
    last = session.exec(select(func.max(Shot.position)).where(Shot.project_id == found.id)).one()
    position = 0 if last is None else last + 1
    shot = Shot(
        id=new_id(), project_id=found.id, name=name or f"Shot {position + 1}", position=position
    )
    session.add(shot)
    return shot.id


def _create_shot_after(session: Session, actor: str, shot: object) -> str:
    found, _, _ = require_shot(session, actor, shot, "write")
    _require_room(session, found.project_id)
    session.exec(
        update(Shot)
        .where(col(Shot.project_id) == found.project_id, col(Shot.position) > found.position)
        .values(position=Shot.position + 1)
    )
    taken = {other.name for other in _live_shots(session, found.project_id)}
    made = Shot(
        id=new_id(),
        project_id=found.project_id,
        name=numbered(found.name, taken),
        position=found.position + 1,
    )
    session.add(made)
    return made.id


def _require_room(session: Session, project: str) -> None:
    count = select(func.count(col(Shot.id))).where(
        Shot.project_id == project, col(Shot.deleted_at).is_(None)
    )
    if session.exec(count).one() >= SHOT_LIMIT:
        raise Refused("shot", f"can't be added: {SHOT_LIMIT} shots a project are the limit")


def _rename_shot(session: Session, actor: str, shot: object, name: str) -> str:
    require_shot(session, actor, shot, "write")[0].name = name
    return name


def _move_shot(session: Session, actor: str, shot: object, by: int) -> None:
    found, _, _ = require_shot(session, actor, shot, "write")
    shots = _live_shots(session, found.project_id)
    here = next(index for index, other in enumerate(shots) if other.id == found.id)
    if not 0 <= here + by < len(shots):
        return
    other = shots[here + by]
    found.position, other.position = other.position, found.position


def _place_shot(session: Session, actor: str, shot: object, place: int) -> None:
    """The live shots share out the positions that they have; deleted ones keep theirs."""
    found, _, _ = require_shot(session, actor, shot, "write")
    shots = _live_shots(session, found.project_id)
    positions = sorted({each.position for each in shots})
    if len(positions) < len(shots):  # two stood at one place: by time then
        positions = list(range(len(shots)))
    shots.remove(found)
    shots.insert(min(max(place - 1, 0), len(shots)), found)
    for position, each in zip(positions, shots, strict=True):
        each.position = position


def _set_shot_deleted(session: Session, actor: str, shot: object, deleted_at: float | None) -> str:
    found, _, _ = require_shot(session, actor, shot, "write", deleted=deleted_at is None)
    if deleted_at is None:
        _require_room(session, found.project_id)
    session.exec(update(Shot).where(col(Shot.id) == found.id).values(deleted_at=deleted_at))
    return found.name


def _has(session: Session, actor: str, project: object, shot: object) -> bool:
    try:
        found, _ = require_project(session, actor, project)
        return shot is None or require_shot(session, actor, shot)[1].id == found.id
    except NotFound:
        return False


def _role_in(session: Session, actor: str, scope: str, owner: str) -> Role | None:
    try:
        if scope == "project":
            return require_project(session, actor, owner)[1]
        return require_shot(session, actor, owner)[2] if scope == "shot" else None
    except NotFound:
        return None


def _check(session: Session, actor: str, action: Action, scope: str, owner: str) -> bool:
    try:
        if scope == "project":
            require_project(session, actor, owner, action)
        elif scope == "shot":
            require_shot(session, actor, owner, action)
        else:
            return False
    except NotFound:
        return False
    return True
