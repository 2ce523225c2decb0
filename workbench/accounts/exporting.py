"""All that is stored about somebody, as one JSON file.

Of others' projects that they are a member of only that stands there: the rest is their owners'.
Names of settings are those of the wire, values are as they are stored, times are UTC (ISO 8601).
Secret settings and the password's hash stay out.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, col, select

from persistence import Engine, Target
from persistence.store import Change
from workbench.accounts import people, sessions
from workbench.accounts.pages_open import save_edits
from workbench.called import names_of
from workbench.database import read
from workbench.models import Member, Project, Shot

VERSION = 1
HISTORY_AT_ONCE = 500


async def export(engine: Engine, user: str, *, now: float) -> AsyncGenerator[str]:
    """The file, piece by piece: one project at a time is in memory."""
    await save_edits()
    person = await people.person(user, now=now)
    head = {
        "format": "workbench-export",
        "version": VERSION,
        "exportedAt": _time(now),
        "account": {
            "kind": person.kind,
            "name": person.name,
            "createdAt": _time(person.created_at),
        },
        "sessions": [
            {"device": s.device, "signedInAt": _time(s.created_at), "seenAt": _time(s.seen_at)}
            for s in await sessions.list_of(user, now=now)
        ],
        "memberOf": await read(_memberships, user),
        **await _of(engine, user, "user", user),
    }
    yield json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "projects": ['
    for index, (project, shots) in enumerate(await read(_projects, user)):
        data = {
            **_entity(project),
            "members": await read(_members, project.id),
            **await _of(engine, user, "project", project.id),
            "shots": [
                {**_entity(shot), **await _of(engine, user, "shot", shot.id)} for shot in shots
            ],
        }
        yield ("," if index else "") + "\n" + json.dumps(data, ensure_ascii=False, indent=1)
    yield "\n]}\n"


def _entity(row: Project | Shot) -> dict[str, Any]:
    entity = {"id": row.id, "name": row.name, "createdAt": _time(row.created_at)}
    return entity if row.deleted_at is None else {**entity, "deletedAt": _time(row.deleted_at)}


async def _of(engine: Engine, user: str, scope: str, owner: str) -> dict[str, Any]:
    return {
        "settings": await engine.export_document(scope, owner),
        "history": await _history(engine, user, scope, owner),
    }


async def _history(engine: Engine, user: str, scope: str, owner: str) -> list[dict[str, Any]]:
    """Oldest first."""
    targets = [Target(scope, owner, tool) for tool in await engine.store.tools(scope, owner)]
    changes: list[Change] = []
    before: int | None = None
    while targets:
        page = await engine.store.history(targets, before=before, limit=HISTORY_AT_ONCE)
        changes += page
        if len(page) < HISTORY_AT_ONCE:
            break
        before = page[-1].revision
    return [_change(engine, user, change) for change in reversed(changes)]


def _change(engine: Engine, user: str, change: Change) -> dict[str, Any]:
    spec = engine.tool(change.target.tool).fields.get(change.field)
    said: dict[str, Any] = {
        "revision": change.revision,
        "tool": change.target.tool,
        "field": spec.alias if spec is not None else change.field,
        "kind": change.kind,
        "at": _time(change.at),
        "by": "you" if change.author == user else "somebody else",
        "source": change.source,
    }
    return said if change.text is None else {**said, "value": json.loads(change.text)}


def _memberships(session: Session, user: str) -> list[dict[str, str]]:
    query = (
        select(Member, Project)
        .join(Project, col(Project.id) == Member.project_id)
        .where(Member.user_id == user, col(Project.deleted_at).is_(None))
        .order_by(col(Member.since))
    )
    return [
        {"project": project.name, "role": member.role, "since": _time(member.since)}
        for member, project in session.exec(query)
    ]


def _members(session: Session, project: str) -> list[dict[str, str]]:
    query = select(Member).where(Member.project_id == project).order_by(col(Member.since))
    rows = session.exec(query).all()
    names = names_of(session, [row.user_id for row in rows])
    return [
        {"name": names[row.user_id], "role": row.role, "since": _time(row.since)} for row in rows
    ]


def _projects(session: Session, user: str) -> list[tuple[Project, list[Shot]]]:
    query = select(Project).where(Project.owner_id == user).order_by(col(Project.created_at))
    projects = list(session.exec(query))
    shots = session.exec(
        select(Shot)
        .join(Project, col(Project.id) == Shot.project_id)
        .where(Project.owner_id == user)
        .order_by(col(Shot.position), col(Shot.created_at))
    ).all()
    return [(each, [s for s in shots if s.project_id == each.id]) for each in projects]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
