"""Projects and shots: what a user can do to what is theirs.

Every query carries the owner, so that a foreign project answers exactly like a missing one. Each
public function runs in one transaction, off the event loop; `actor` is a user's id.
Raises Refused for bad input, NotFound, and Unavailable when the database is away.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from workbench.database import read, write
from workbench.models import Project, Shot, User, new_id
from workbench.names import Refused, clean_name, numbered

PROJECT_LIMIT = 500
SHOT_LIMIT = 500

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NotFound(LookupError):
    """There is no such thing of theirs."""


@dataclass(frozen=True)
class ProjectRow:
    id: str
    name: str
    shots: int
    opened_at: float
    deleted_at: float | None


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

    One that was deleted comes back as it was. For content that we bring along ourselves.
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
    """What the project's page shows; counts as a visit for the list's order."""
    return await write(_open_project, actor, project, time.time())


async def look_at_project(actor: str, project: object) -> ProjectPage:
    """The same without a visit."""
    return await read(_open_project, actor, project, None)


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


async def owns(actor: str, scope: str, owner: str) -> bool:
    """Whether that live project or shot is the actor's; themselves for the scope `user`."""
    if scope == "user":
        return bool(actor) and actor == owner
    return await read(_owns, actor, scope, owner)


async def has(actor: str, project: object, shot: object = None) -> bool:
    """Whether there is that live project of theirs, with that live shot in it if one is named."""
    return await read(_has, actor, project, shot)


def require_actor(actor: str) -> str:
    if not actor:
        raise NotFound("nobody is signed in")
    return actor


def _is_id(value: object) -> bool:
    """Whether the database need be asked at all: ids come from links and from any client."""
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _require_project(
    session: Session, actor: str, project: object, *, deleted: bool | None = False
) -> Project:
    """Theirs, and live unless asked otherwise (`deleted=None`: either). Raises NotFound."""
    if not _is_id(project):
        raise NotFound("no such project")
    query = select(Project).where(Project.id == project, Project.owner_id == actor)
    found = session.exec(query).first()
    if found is None or (deleted is not None and deleted != (found.deleted_at is not None)):
        raise NotFound("no such project")
    return found


def _require_shot(session: Session, actor: str, shot: object, *, deleted: bool = False) -> Shot:
    if not _is_id(shot):
        raise NotFound("no such shot")
    query = (
        select(Shot)
        .join(Project, col(Project.id) == Shot.project_id)
        .where(Shot.id == shot, Project.owner_id == actor, col(Project.deleted_at).is_(None))
    )
    found = session.exec(query).first()
    if found is None or deleted != (found.deleted_at is not None):
        raise NotFound("no such shot")
    return found


def _list_projects(session: Session, actor: str) -> Lists:
    live_shots = (
        select(func.count(col(Shot.id)))
        .where(Shot.project_id == Project.id, col(Shot.deleted_at).is_(None))
        .correlate(Project)
        .scalar_subquery()
    )
    query = (
        select(Project, live_shots)
        .where(Project.owner_id == actor)
        .order_by(col(Project.opened_at).desc(), col(Project.id))
    )
    rows = [_project_row(project, shots) for project, shots in session.exec(query)]
    gone = [row for row in rows if row.deleted_at is not None]
    return Lists(
        [row for row in rows if row.deleted_at is None],
        sorted(gone, key=lambda row: row.deleted_at or 0, reverse=True),
    )


def _project_row(project: Project, shots: int) -> ProjectRow:
    return ProjectRow(project.id, project.name, shots, project.opened_at, project.deleted_at)


def _create_project(session: Session, actor: str, name: str, project: str = "") -> str:
    count = select(func.count(col(Project.id))).where(
        Project.owner_id == actor, col(Project.deleted_at).is_(None)
    )
    if session.exec(count).one() >= PROJECT_LIMIT:
        raise Refused("project", f"can't be added: {PROJECT_LIMIT} projects are the limit")
    if session.get(User, actor) is None:
        session.add(User(id=actor))
        session.flush()
    made = Project(id=project or new_id(), owner_id=actor, name=name)
    session.add(made)
    session.flush()
    return made.id


def _plant_project(
    session: Session, actor: str, project: str, name: str, shots: Sequence[tuple[str, str]]
) -> None:
    try:
        _require_project(session, actor, project, deleted=None).deleted_at = None
    except NotFound:
        _create_project(session, actor, name, project)
        for position, (shot, title) in enumerate(shots):
            session.add(Shot(id=shot, project_id=project, name=title, position=position))


def _rename_project(session: Session, actor: str, project: object, name: str) -> str:
    _require_project(session, actor, project).name = name
    return name


def _set_project_deleted(
    session: Session, actor: str, project: object, deleted_at: float | None
) -> str:
    found = _require_project(session, actor, project, deleted=deleted_at is None)
    found.deleted_at = deleted_at
    return found.name


def _open_project(
    session: Session, actor: str, project: object, visited_at: float | None
) -> ProjectPage:
    found = _require_project(session, actor, project)
    if visited_at is not None:
        found.opened_at = visited_at
    shots = _live_shots(session, found.id)
    gone = session.exec(
        select(Shot)
        .where(Shot.project_id == found.id, col(Shot.deleted_at).is_not(None))
        .order_by(col(Shot.deleted_at).desc())
    )
    return ProjectPage(
        _project_row(found, len(shots)),
        [ShotRow(shot.id, shot.name, index, None) for index, shot in enumerate(shots, 1)],
        [ShotRow(shot.id, shot.name, 0, shot.deleted_at) for shot in gone],
    )


def _shot_ids(session: Session, actor: str, project: object) -> list[str]:
    return [shot.id for shot in _live_shots(session, _require_project(session, actor, project).id)]


def _live_shots(session: Session, project: str) -> list[Shot]:
    query = (
        select(Shot)
        .where(Shot.project_id == project, col(Shot.deleted_at).is_(None))
        .order_by(col(Shot.position), col(Shot.created_at), col(Shot.id))
    )
    return list(session.exec(query))


def _create_shot(session: Session, actor: str, project: object, name: str) -> str:
    found = _require_project(session, actor, project)
    _require_room(session, found.id)
    last = session.exec(select(func.max(Shot.position)).where(Shot.project_id == found.id)).one()
    position = 0 if last is None else last + 1
    shot = Shot(
        id=new_id(), project_id=found.id, name=name or f"Shot {position + 1}", position=position
    )
    session.add(shot)
    return shot.id


def _create_shot_after(session: Session, actor: str, shot: object) -> str:
    found = _require_shot(session, actor, shot)
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
    _require_shot(session, actor, shot).name = name
    return name


def _move_shot(session: Session, actor: str, shot: object, by: int) -> None:
    found = _require_shot(session, actor, shot)
    shots = _live_shots(session, found.project_id)
    here = next(index for index, other in enumerate(shots) if other.id == found.id)
    if not 0 <= here + by < len(shots):
        return
    other = shots[here + by]
    found.position, other.position = other.position, found.position


def _place_shot(session: Session, actor: str, shot: object, place: int) -> None:
    """The live shots share out the positions that they have; deleted ones keep theirs."""
    found = _require_shot(session, actor, shot)
    shots = _live_shots(session, found.project_id)
    positions = sorted({each.position for each in shots})
    if len(positions) < len(shots):  # two stood at one place: by time then
        positions = list(range(len(shots)))
    shots.remove(found)
    shots.insert(min(max(place - 1, 0), len(shots)), found)
    for position, each in zip(positions, shots, strict=True):
        each.position = position


def _set_shot_deleted(session: Session, actor: str, shot: object, deleted_at: float | None) -> str:
    found = _require_shot(session, actor, shot, deleted=deleted_at is None)
    if deleted_at is None:
        _require_room(session, found.project_id)
    session.exec(update(Shot).where(col(Shot.id) == found.id).values(deleted_at=deleted_at))
    return found.name


def _has(session: Session, actor: str, project: object, shot: object) -> bool:
    try:
        found = _require_project(session, actor, project)
        return shot is None or _require_shot(session, actor, shot).project_id == found.id
    except NotFound:
        return False


def _owns(session: Session, actor: str, scope: str, owner: str) -> bool:
    try:
        if scope == "project":
            _require_project(session, actor, owner)
        elif scope == "shot":
            _require_shot(session, actor, owner)
        else:
            return False
    except NotFound:
        return False
    return True
