"""Sharing a project: its members, and the links that invite others.

- A project has one owner. Only they invite, change roles, remove members and pass it on.
- A link gives a role, for a week and to all who have it, or once. It can be revoked. Who removes
  somebody revokes all links that are open, since they may have one.
- A link raises a member's role where it gives a higher one, and never lowers it.
- Looking at a link changes nothing: only `join` makes a member.

Each public function runs in one transaction; `actor` is a user's id. Raises Refused, NotFound,
NotAllowed and Unavailable, as in `projects`, and TooMany for who tries links.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from sqlalchemy import func
from sqlmodel import Session, col, delete, select

from workbench.access import NotFound, Role, is_id, require_project
from workbench.accounts import limits
from workbench.accounts.keys import hash_of
from workbench.called import names_of
from workbench.database import read, write
from workbench.models import Invitation, Member, Project, User
from workbench.names import Refused
from workbench.projects import have_row, require_actor

T = TypeVar("T")

ROLES: tuple[Role, ...] = ("viewer", "editor")
"""That a link can give, the weaker first."""
MEMBER_LIMIT = 100
LINK_LIMIT = 20
"""Links of one project that are open at a time."""
LINK_SECONDS = 7 * 24 * 3600
KEPT_SECONDS = 30 * 24 * 3600
"""For so long it is known of a link that it has expired or was revoked."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class MemberRow:
    user: str
    name: str
    """ "You" for who asks."""
    is_you: bool
    is_guest: bool
    role: Role
    since: float
    invited_by: str
    """A name, "" where nobody knows any more."""


@dataclass(frozen=True)
class LinkRow:
    id: str
    role: Role
    made_at: float
    expires_at: float
    joined: int
    is_single: bool


@dataclass(frozen=True)
class Sharing:
    """Who a project is shared with, as a member sees it."""

    project: str
    name: str
    role: Role
    """Of who asks."""
    members: list[MemberRow]
    """The owner first, then by when they came."""
    links: list[LinkRow]
    """That are open, the newest first. Only its owner sees them."""


State = Literal["open", "raise", "member", "own", "expired", "revoked", "used", "full"]


@dataclass(frozen=True)
class Offer:
    """What a link offers who looks at it. Of one that is no longer open, the state alone."""

    state: State
    """open · raise: a member gets a higher role · member: nothing to gain · own: their own
    project · expired, revoked, used, full: it can't be joined by it any more."""
    project: str = ""
    name: str = ""
    by: str = ""
    """Who owns the project."""
    role: Role = "viewer"
    """What the link gives."""
    held: Role | None = None
    """What they are already."""


async def sharing_of(actor: str, project: object) -> Sharing:
    return await read(_sharing_of, actor, project, time.time())


async def members_of(project: str) -> list[str]:
    """The owner and all members, by id. For whom a change concerns; nobody is asked for a right."""
    return await read(_members_of, project)


async def invite(
    actor: str, project: object, role: object, *, once: bool = False, now: float | None = None
) -> str:
    """Make a link. Returns what it ends in, which nobody can be told a second time."""
    at = time.time() if now is None else now
    return await write(_invite, actor, project, _role(role), once, at)


async def revoke(actor: str, project: object, link: object) -> None:
    """Nobody joins by it any more. Who has joined stays."""
    await write(_revoke, actor, project, link, time.time())


async def change_role(actor: str, project: object, user: object, role: object) -> str:
    """Returns the member's name."""
    return await write(_change_role, actor, project, user, _role(role))


async def remove(actor: str, project: object, user: object) -> str:
    """They see nothing of it any more, and the open links are revoked. Returns their name."""
    return await write(_remove, actor, project, user, time.time())


async def pass_on(actor: str, project: object, user: object) -> str:
    """That member is the owner from here on, and the owner an editor. Returns their name."""
    return await write(_pass_on, actor, project, user, time.time())


async def leave(actor: str, project: object) -> str:
    """Be a member no more. Returns the project's name. Raises Refused for its owner."""
    return await write(_leave, actor, project)


async def look_at(token: object, actor: str, address: str, *, now: float | None = None) -> Offer:
    """What a link offers. Raises NotFound for what is none, TooMany for who tries many."""
    at = time.time() if now is None else now
    return await _tried(token, actor, address, at, lambda given: read(_offer, given, actor, at))


async def join(token: object, actor: str, address: str, *, now: float | None = None) -> str:
    """Become a member by a link. Returns the project. Who is one already may come again.

    Raises Refused where it isn't open any more; NotFound and TooMany as `look_at`.
    """
    at = time.time() if now is None else now
    require_actor(actor)
    return await _tried(token, actor, address, at, lambda given: write(_join, given, actor, at))


# --- members -------------------------------------------------------------------------------------


def _sharing_of(session: Session, actor: str, project: object, now: float) -> Sharing:
    found, role = require_project(session, actor, project)
    rows = session.exec(
        select(Member).where(Member.project_id == found.id).order_by(col(Member.since))
    ).all()
    ids = [found.owner_id, *(row.user_id for row in rows)]
    people = {each.id: each for each in session.exec(select(User).where(col(User.id).in_(ids)))}
    names = names_of(session, [*ids, *{row.invited_by for row in rows} - {""}], actor=actor)

    def member(user: str, role: Role, since: float, invited_by: str = "") -> MemberRow:
        is_guest = user not in people or people[user].kind == "guest"
        by = names.get(invited_by, "")
        return MemberRow(user, names[user], user == actor, is_guest, role, since, by)

    members = [
        member(found.owner_id, "owner", found.created_at),
        *(member(row.user_id, _held(row), row.since, row.invited_by) for row in rows),
    ]
    links = _open_links(session, found.id, now) if role == "owner" else []
    return Sharing(
        found.id,
        found.name,
        role,
        members,
        [
            LinkRow(each.id, _held(each), each.made_at, each.expires_at, each.joined,
                    each.most is not None)
            for each in links
        ],
    )  # fmt: skip


def _members_of(session: Session, project: str) -> list[str]:
    owner = session.exec(select(Project.owner_id).where(Project.id == project)).all()
    rows = session.exec(select(Member.user_id).where(Member.project_id == project)).all()
    return [*owner, *rows]


def _change_role(session: Session, actor: str, project: object, user: object, role: Role) -> str:
    found, _ = require_project(session, actor, project, "admin")
    member = _require_member(session, found, user)
    member.role = role
    return names_of(session, [member.user_id], actor=actor)[member.user_id]


def _remove(session: Session, actor: str, project: object, user: object, now: float) -> str:
    found, _ = require_project(session, actor, project, "admin")
    member = _require_member(session, found, user)
    for link in _open_links(session, found.id, now):
        link.revoked_at = now
    session.delete(member)
    return names_of(session, [member.user_id], actor=actor)[member.user_id]


def _pass_on(session: Session, actor: str, project: object, user: object, now: float) -> str:
    found, _ = require_project(session, actor, project, "admin")
    member = _require_member(session, found, user)
    heir = member.user_id
    if not _is_here(session, heir):
        raise Refused("member", "is leaving, and all that is theirs goes with them")
    hand_over(session, found, member, now)
    session.add(Member(project_id=found.id, user_id=actor, role="editor", since=now))
    return names_of(session, [heir], actor=actor)[heir]


def hand_over(session: Session, project: Project, member: Member, now: float) -> None:
    """The member is the owner from here on; who was it isn't even a member. Links are revoked:
    they were another owner's to give."""
    project.owner_id, project.opened_at = member.user_id, member.opened_at
    for link in _open_links(session, project.id, now):
        link.revoked_at = now
    session.delete(member)
    session.flush()


def _leave(session: Session, actor: str, project: object) -> str:
    found, role = require_project(session, actor, project)
    if role == "owner":
        raise Refused("project", "is yours: make a member its owner first, or delete it")
    session.delete(_require_member(session, found, actor))
    return found.name


def _is_here(session: Session, user: str) -> bool:
    """Is there somebody, who isn't about to be removed?"""
    row = session.get(User, user)
    return row is not None and row.kind in ("guest", "account")


def _require_member(session: Session, project: Project, user: object) -> Member:
    member = session.get(Member, (project.id, user)) if is_id(user) else None
    if member is None:
        raise NotFound("no such member")
    return member


# --- links ---------------------------------------------------------------------------------------


def _invite(
    session: Session, actor: str, project: object, role: Role, once: bool, now: float
) -> str:
    found, _ = require_project(session, actor, project, "admin")
    if len(_open_links(session, found.id, now)) >= LINK_LIMIT:
        raise Refused("link", f"can't be made: {LINK_LIMIT} open links are the limit. Revoke some")
    token = secrets.token_urlsafe(16)
    session.add(
        Invitation(
            project_id=found.id, token_hash=hash_of(token), role=role, made_by=actor, made_at=now,
            expires_at=now + LINK_SECONDS, most=1 if once is True else None,
        )
    )  # fmt: skip
    return token


def _revoke(session: Session, actor: str, project: object, link: object, now: float) -> None:
    found, _ = require_project(session, actor, project, "admin")
    row = session.get(Invitation, link) if is_id(link) else None
    if row is None or row.project_id != found.id:
        raise NotFound("no such link")
    row.revoked_at = row.revoked_at or now


def _open_links(session: Session, project: str, now: float) -> Sequence[Invitation]:
    query = (
        select(Invitation)
        .where(
            Invitation.project_id == project,
            col(Invitation.revoked_at).is_(None),
            col(Invitation.expires_at) > now,
        )
        .order_by(col(Invitation.made_at).desc())
    )
    return [each for each in session.exec(query) if not _is_used_up(each)]


def _is_used_up(link: Invitation) -> bool:
    return link.most is not None and link.joined >= link.most


async def _tried(
    token: object, actor: str, address: str, now: float, work: Callable[[str], Awaitable[T]]
) -> T:
    """Count it as a try before it is made, and not at all where the link was one of ours."""
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NotFound("no such link")
    tries = limits.join_limits(actor, address)
    await limits.take(tries, now=now)
    done = await work(token)
    await limits.give_back(tries)
    return done


def _offer(session: Session, token: str, actor: str, now: float) -> Offer:
    link, project = _require_link(session, token)
    role = _held(link)
    held = _role_held(session, actor, project)
    if held is None and (over := _closed(session, link, now)) is not None:
        return Offer(over)
    by = names_of(session, [project.owner_id], actor=actor)[project.owner_id]
    state: State = "open"
    if held == "owner":
        state = "own"
    elif held is not None:
        can_raise = ROLES.index(role) > ROLES.index(held)
        state = "raise" if can_raise and _closed(session, link, now) is None else "member"
    return Offer(state, project.id, project.name, by, role, held)


def _join(session: Session, token: str, actor: str, now: float) -> str:
    offer = _offer(session, token, actor, now)
    if offer.state in ("own", "member"):
        return offer.project
    if offer.state not in ("open", "raise"):
        raise Refused("link", WHY[offer.state])
    link, project = _require_link(session, token)
    link.joined += 1
    if offer.state == "raise":
        _require_member(session, project, actor).role = link.role
        return project.id
    have_row(session, actor)
    if not _is_here(session, actor):  # their last page is still open
        raise NotFound("nobody is signed in")
    session.add(
        Member(project_id=project.id, user_id=actor, role=link.role, since=now,
               invited_by=link.made_by, opened_at=now)
    )  # fmt: skip
    return project.id


WHY: dict[str, str] = {
    "expired": "has expired. Ask for a new one",
    "revoked": "was revoked. Ask for a new one",
    "used": "was for one person, and has been used. Ask for a new one",
    "full": f"can't be used: {MEMBER_LIMIT} members are the limit",
}
"""Why a link can't be joined by, after "Link"."""


def _require_link(session: Session, token: str) -> tuple[Invitation, Project]:
    """A link of ours, open or not, of a project that isn't deleted."""
    query = (
        select(Invitation, Project)
        .join(Project, col(Project.id) == Invitation.project_id)
        .where(Invitation.token_hash == hash_of(token), col(Project.deleted_at).is_(None))
    )
    found = session.exec(query).first()
    if found is None:
        raise NotFound("no such link")
    return found


def _closed(session: Session, link: Invitation, now: float) -> State | None:
    if link.revoked_at is not None:
        return "revoked"
    if link.expires_at <= now:
        return "expired"
    if _is_used_up(link):
        return "used"
    count = select(func.count(col(Member.user_id))).where(Member.project_id == link.project_id)
    return "full" if session.exec(count).one() >= MEMBER_LIMIT else None


def _role_held(session: Session, actor: str, project: Project) -> Role | None:
    if actor and project.owner_id == actor:
        return "owner"
    member = session.get(Member, (project.id, actor)) if actor else None
    return _held(member) if member is not None else None


def _held(row: Member | Invitation) -> Role:
    """As `access` takes it: what is no role of ours may look."""
    return "editor" if row.role == "editor" else "viewer"


def _role(value: object) -> Role:
    for role in ROLES:
        if value == role:
            return role
    raise Refused("role", "is one of editor and viewer")


def forget_over(session: Session, *, now: float) -> None:
    """Remove links that were over long ago."""
    over = func.coalesce(Invitation.revoked_at, Invitation.expires_at)
    session.exec(delete(Invitation).where(over < now - KEPT_SECONDS))
