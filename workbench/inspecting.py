"""What the inspector can be pointed at: oneself, projects and shots that one sees; found by name.

Every query carries the actor, as in `projects`. Raises NotFound and Unavailable.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, or_, select

from workbench import projects
from workbench.access import NotFound, is_id, is_theirs
from workbench.database import read
from workbench.models import Project, Shot

FOUND_AT_ONCE = 40
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Entity:
    """One owner of settings, as people know it."""

    scope: str
    id: str
    name: str
    within: str = ""
    """A shot's project."""


async def find_entities(actor: str, text: str) -> list[Entity]:
    """Projects and shots of theirs, or shared with them, whose name contains the text. The project
    opened last comes first."""
    text = text.strip()[:LONGEST_SEARCH]
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        return []  # no name has these, and no database takes them
    return await read(_find, actor, text)


async def stack_of(actor: str, project: object, shot: object) -> list[Entity]:
    """The entities that a page about this project or shot resolves through, the weakest first."""
    projects.require_actor(actor)
    return await read(_stack, actor, project, shot)


def _find(session: Session, actor: str, text: str) -> list[Entity]:
    mine = (is_theirs(actor), col(Project.deleted_at).is_(None))
    named = col(Project.name).icontains(text, autoescape=True)
    found = session.exec(
        select(Project)
        .where(*mine, named)
        .order_by(col(Project.opened_at).desc())
        .limit(FOUND_AT_ONCE)
    )
    entities = [Entity("project", each.id, each.name) for each in found]
    shots = session.exec(
        select(Shot, Project.name)
        .join(Project, col(Project.id) == Shot.project_id)
        .where(
            *mine,
            col(Shot.deleted_at).is_(None),
            or_(named, col(Shot.name).icontains(text, autoescape=True)),
        )
        .order_by(col(Project.opened_at).desc(), col(Shot.position))
        .limit(FOUND_AT_ONCE)
    )
    return entities + [Entity("shot", shot.id, shot.name, within) for shot, within in shots]


def _stack(session: Session, actor: str, project: object, shot: object) -> list[Entity]:
    mine = (is_theirs(actor), col(Project.deleted_at).is_(None))
    own = Entity("user", actor, "You")
    if not shot and not project:
        return [own]
    if not shot:
        whole = session.exec(select(Project).where(*mine, Project.id == _text(project))).first()
        if whole is None:
            raise NotFound("no such project")
        return [own, Entity("project", whole.id, whole.name)]
    found = session.exec(
        select(Shot, Project)
        .join(Project, col(Project.id) == Shot.project_id)
        .where(*mine, Shot.id == _text(shot), col(Shot.deleted_at).is_(None))
    ).first()
    if found is None or (project and found[1].id != project):
        raise NotFound("no such shot")
    one, whole = found
    return [own, Entity("project", whole.id, whole.name),
            Entity("shot", one.id, one.name, whole.name)]  # fmt: skip


def _text(value: object) -> str:
    return value if isinstance(value, str) and is_id(value) else ""
