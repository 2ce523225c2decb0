"""Who may do what with a project and its shots: the rule, and the one way to find either.

- The owner may do everything; an editor may edit settings and shots; a viewer may look.
- Whatever is looked up carries the actor, so that what is foreign answers exactly like what is
  missing. To a member who may look and no more, it is said who could let them.
- A deleted project is its owner's alone.
"""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from sqlalchemy import and_, case
from sqlmodel import Session, col, or_, select

from workbench.called import names_of
from workbench.models import Member, Project, Shot

Role = Literal["owner", "editor", "viewer"]
Action = Literal["read", "write", "admin"]
"""As the library asks: look; edit settings and shots; rename, delete and share the project."""

MAY: dict[Role, tuple[Action, ...]] = {
    "owner": ("read", "write", "admin"),
    "editor": ("read", "write"),
    "viewer": ("read",),
}

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NotFound(LookupError):
    """There is no such thing, or none that they are a member of."""


class NotAllowed(PermissionError):
    """A member's role doesn't go that far. The message says so, and whom to ask."""


def is_id(value: object) -> bool:
    """Whether the database need be asked at all: ids come from links and from any client."""
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def role_of(actor: str) -> Any:
    """The actor's role, in a query that `member_of` is joined to."""
    return case((col(Project.owner_id) == actor, "owner"), else_=col(Member.role))


def is_theirs(actor: str) -> Any:
    """Is the actor the project's owner, or a member while it isn't deleted?"""
    memberships = select(Member.project_id).where(Member.user_id == actor)
    shared = and_(col(Project.id).in_(memberships), col(Project.deleted_at).is_(None))
    return or_(col(Project.owner_id) == actor, shared)


def with_member(query: Any, actor: str) -> Any:
    """The query of projects, with the actor's membership and nothing but theirs."""
    on = and_(col(Member.project_id) == Project.id, col(Member.user_id) == actor)
    return query.outerjoin(Member, on).where(is_theirs(actor))


def require_project(
    session: Session,
    actor: str,
    project: object,
    action: Action = "read",
    *,
    deleted: bool | None = False,
) -> tuple[Project, Role]:
    """The project and the actor's role, live unless asked otherwise (`deleted=None`: either).

    Raises NotFound, and NotAllowed to a member whose role doesn't go so far.
    """
    if not actor or not is_id(project):
        raise NotFound("no such project")
    query = with_member(select(Project, role_of(actor)), actor).where(Project.id == project)
    found = session.exec(query).first()
    if found is None or (deleted is not None and deleted != (found[0].deleted_at is not None)):
        raise NotFound("no such project")
    return found[0], _permitted(session, actor, found[0], found[1], action)


def require_shot(
    session: Session, actor: str, shot: object, action: Action = "read", *, deleted: bool = False
) -> tuple[Shot, Project, Role]:
    """A shot of a live project; the rest as `require_project`."""
    if not actor or not is_id(shot):
        raise NotFound("no such shot")
    of = select(Shot, Project, role_of(actor)).join(Project, col(Project.id) == Shot.project_id)
    query = with_member(of, actor).where(Shot.id == shot, col(Project.deleted_at).is_(None))
    found = session.exec(query).first()
    if found is None or deleted != (found[0].deleted_at is not None):
        raise NotFound("no such shot")
    return found[0], found[1], _permitted(session, actor, found[1], found[2], action)


def _permitted(session: Session, actor: str, project: Project, role: str, action: Action) -> Role:
    held = cast(Role, role if role in MAY else "viewer")
    if action not in MAY[held]:
        owner = names_of(session, [project.owner_id], actor=actor)[project.owner_id]
        raise NotAllowed(refusal(owner, action))
    return held


def refusal(owner: str, action: Action) -> str:
    """Why a member may not, in words."""
    if action == "admin":
        return f"Only {owner}, who owns this project, can do that."
    return f"You can look at this project. Ask {owner} for the right to edit."
