"""A guest signs in to an account: what they made as a guest comes along, if they say so, and the
projects that are shared with them.

Until then it stays the guest's, whose cookie the browser keeps: it is there again after signing
out. Nothing is ever removed because somebody signed in.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from persistence import EditError, Engine
from persistence.store import Store
from workbench.accounts import people
from workbench.accounts.pages_open import engine_here, let_go, save_edits
from workbench.database import write
from workbench.models import Member, Project, User
from workbench.names import Refused
from workbench.projects import PROJECT_LIMIT
from workbench.settings import TOOLS

log = logging.getLogger("workbench.accounts")


async def bring_along(guest: str, account: str) -> int:
    """The guest's projects, with all in them, are the account's from here on, and the account is a
    member where the guest was one. Returns how many projects that were.

    The guest's own settings are taken over where the account has none, and their presets. All of it
    or nothing; what was brought before is not brought again. Raises Refused and Unavailable.
    """
    await save_edits()  # an edit is saved as its author's, who may not write here afterwards
    brought = await write(_bring_along, guest, account)
    people.forget(guest)
    engine = engine_here()
    if brought and engine is not None and engine.is_running:
        await _take_over_settings(engine, guest, account)
    await let_go()
    return brought


async def _take_over_settings(engine: Engine, guest: str, account: str) -> None:
    if not await engine.store.tools("user", account):
        document = await engine.export_document("user", guest)
        try:
            await engine.import_document("user", account, document, actor=account)
        except EditError as error:
            log.warning("a guest’s own settings weren’t taken over: %s", error)
    for tool in TOOLS:
        await _take_over_presets(engine.store, tool.__tool__.tool, guest, account)
    await engine.forget("user", guest)


async def _take_over_presets(store: Store, tool: str, guest: str, account: str) -> None:
    taken = {preset.name for preset in await store.presets("user", account, tool)}
    for preset in await store.presets("user", guest, tool):
        name = preset.name if preset.name not in taken else f"{preset.name} (guest)"
        await store.keep_preset(preset._replace(owner=account, name=name))


def _bring_along(session: Session, guest: str, account: str) -> int:
    row, heir = session.get(User, guest), session.get(User, account)
    if row is None or row.kind != "guest" or heir is None or heir.kind != "account":
        return 0
    theirs = session.exec(select(Project.id).where(Project.owner_id == guest)).all()
    shared = session.exec(select(Member).where(Member.user_id == guest)).all()
    live = (
        select(func.count(col(Project.id)))
        .where(col(Project.owner_id).in_((guest, account)), col(Project.deleted_at).is_(None))
    )  # fmt: skip
    if session.exec(live).one() > PROJECT_LIMIT:
        raise Refused("projects", f"can’t come along: {PROJECT_LIMIT} projects are the limit")
    session.exec(update(Project).where(col(Project.owner_id) == guest).values(owner_id=account))
    for member in session.exec(select(Member).where(Member.user_id == account)).all():
        if member.project_id in theirs:  # now its owner
            session.delete(member)
    _take_over_memberships(session, shared, account)
    row.kind, row.became = "gone", account
    return len(theirs) + len(shared)


def _take_over_memberships(session: Session, shared: Sequence[Member], account: str) -> None:
    """The higher role counts, where the account is a member already."""
    session.flush()
    for member in shared:
        project = session.get(Project, member.project_id)
        own = session.get(Member, (member.project_id, account))
        session.delete(member)
        if project is None or project.owner_id == account:
            continue
        if own is None:
            told = member.model_dump(exclude={"user_id"})
            session.add(Member(user_id=account, **told))
        elif member.role == "editor":
            own.role = "editor"
