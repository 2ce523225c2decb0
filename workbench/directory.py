"""What the library asks about names: how projects, shots and people are called, and which shots
belong to a project. Words and choices only; what somebody may see is `accounts.authorise`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from persistence.reflex import current_actor
from workbench import projects
from workbench.access import NotFound
from workbench.called import names_of
from workbench.database import read
from workbench.models import Project, Shot

NAMED = {"project": Project, "shot": Shot}


async def describe(scope: str, ids: list[str]) -> dict[str, str]:
    """Names by id. People are "You", an account's name, or a guest with a few letters."""
    if scope == "user":
        return await read(_people, ids, current_actor())
    return await read(_names, scope, ids)


async def members(actor: str, scope: str, owners: Mapping[str, str]) -> list[str]:
    """The live shots of the project that is shown, in the film's order."""
    project = owners.get("project")
    if scope != "shot" or project is None:
        return []
    try:
        return await projects.shot_ids(actor, project)
    except NotFound:
        return []


def _names(session: Session, scope: str, ids: Sequence[str]) -> dict[str, str]:
    if (table := NAMED.get(scope)) is None:
        return {}
    rows = session.exec(select(table.id, table.name).where(col(table.id).in_(ids)))
    return dict(rows.all())


def _people(session: Session, ids: Sequence[str], actor: str) -> dict[str, str]:
    return names_of(session, ids, actor=actor)
