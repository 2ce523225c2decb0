"""Shared projects: who may do what, how one becomes a member, and how one stops being one."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from persistence import PermissionDenied
from tests.workbench.shared_film import HERE, WHO, Film, admit
from workbench import projects, sharing
from workbench.access import NotAllowed, NotFound
from workbench.accounts import authorise, bringing, people
from workbench.accounts.limits import TooMany
from workbench.called import guest_word
from workbench.database import write
from workbench.inspecting import find_entities, stack_of
from workbench.models import User, new_id
from workbench.names import Refused

NOW = time.time()

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


# --- who may do what -----------------------------------------------------------------------------

Act = Callable[[str, Film], Awaitable[Any]]

ACTIONS: dict[str, tuple[str, Act]] = {
    "open": ("read", lambda me, f: projects.open_project(me, f.project)),
    "list shots": ("read", lambda me, f: projects.shot_ids(me, f.project)),
    "inspect": ("read", lambda me, f: stack_of(me, f.project, f.shot)),
    "see members": ("read", lambda me, f: sharing.sharing_of(me, f.project)),
    "add a shot": ("write", lambda me, f: projects.create_shot(me, f.project, "Crane")),
    "new from a shot": ("write", lambda me, f: projects.create_shot_after(me, f.shot)),
    "rename a shot": ("write", lambda me, f: projects.rename_shot(me, f.shot, "Wake")),
    "move a shot": ("write", lambda me, f: projects.move_shot(me, f.shot, 1)),
    "place a shot": ("write", lambda me, f: projects.place_shot(me, f.shot, 1)),
    "delete a shot": ("write", lambda me, f: projects.delete_shot(me, f.shot)),
    "restore a shot": ("write", lambda me, f: projects.restore_shot(me, f.deleted_shot)),
    "delete": ("admin", lambda me, f: delete_and_restore(me, f.project)),
    "rename": ("admin", lambda me, f: projects.rename_project(me, f.project, "Port")),
    "invite": ("admin", lambda me, f: sharing.invite(me, f.project, "editor")),
    "revoke": ("admin", lambda me, f: sharing.revoke(me, f.project, "no-such-link")),
    "change a role": (
        "admin", lambda me, f: sharing.change_role(me, f.project, f.people["guest"], "viewer"),
    ),
    "remove a member": (
        "admin", lambda me, f: sharing.remove(me, f.project, f.people["guest"]),
    ),
    "pass it on": ("admin", lambda me, f: sharing.pass_on(me, f.project, f.people["viewer"])),
}  # fmt: skip


async def delete_and_restore(actor: str, project: str) -> None:
    await projects.delete_project(actor, project)
    await projects.restore_project(actor, project)


ALLOWED = {
    "owner": {"read", "write", "admin"},
    "editor": {"read", "write"},
    "guest": {"read", "write"},
    "viewer": {"read"},
}


async def test_who_may_do_what_with_a_project_is_as_the_table_says(film: Film, own_database: Path):
    for name, (needs, act) in ACTIONS.items():
        for who in ("nobody", "stranger", "viewer", "guest", "editor"):
            if needs in ALLOWED.get(who, set()):
                continue
            before = dump(own_database)
            expected = NotAllowed if who in ALLOWED else NotFound
            with pytest.raises(expected):
                await act(film.people[who], film)
            assert dump(own_database) == before, (name, who)


@pytest.mark.parametrize("who", ALLOWED)
async def test_who_may_can(film: Film, who: str):
    for name, (needs, act) in ACTIONS.items():
        if needs in ALLOWED[who]:
            try:
                await act(film.people[who], film)
            except NotFound:
                assert name == "revoke"  # there is no such link; but it was asked for


def dump(path: Path) -> str:
    """Without the counts of tries."""
    with sqlite3.connect(path) as connection:
        return "\n".join(line for line in connection.iterdump() if "workbench_attempt" not in line)


async def test_the_library_is_answered_by_role_with_whom_to_ask(film: Film):
    for who, action in ((who, action) for who in WHO for action in ("read", "write", "admin")):
        for scope, owner in (("project", film.project), ("shot", film.shot)):
            asked = authorise(film.people[who], action, scope, owner)  # pyright: ignore
            if action in ALLOWED.get(who, set()):
                assert await asked is True, (who, action)
            elif who in ALLOWED:
                with pytest.raises(PermissionDenied, match="Ana"):
                    await asked
            else:
                assert await asked is False, (who, action)
    for scope, owner in (("shot", film.deleted_shot), ("project", "none"), ("team", film.project)):
        assert await authorise(film.people["editor"], "read", scope, owner) is False
    assert await authorise(film.people["editor"], "read", "user", film.people["owner"]) is False


async def test_a_viewer_is_told_whom_to_ask(film: Film):
    with pytest.raises(NotAllowed) as refused:
        await projects.rename_shot(film.people["viewer"], film.shot, "Wake")
    assert str(refused.value) == "You can look at this project. Ask Ana for the right to edit."
    with pytest.raises(NotAllowed, match="Only Ana, who owns this project, can do that"):
        await projects.delete_project(film.people["editor"], film.project)


HOSTILE = ["", "none", None, 3, True, ["x"], {"id": 1}, "x" * 5000, "' OR 1=1 --", "%", "\x00"]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_ids_are_nothing_anybody_has(film: Film, hostile: Any):
    me = film.people["owner"]
    for attempt in (
        sharing.sharing_of(me, hostile),
        sharing.invite(me, hostile, "editor"),
        sharing.revoke(me, film.project, hostile),
        sharing.change_role(me, film.project, hostile, "editor"),
        sharing.remove(me, film.project, hostile),
        sharing.pass_on(me, film.project, hostile),
        sharing.leave(me, hostile),
        sharing.look_at(hostile, me, HERE),
        sharing.join(hostile, me, HERE),
    ):
        with pytest.raises(NotFound):
            await attempt
    for attempt in (
        sharing.invite(me, film.project, hostile),
        sharing.change_role(me, film.project, film.people["viewer"], hostile),
    ):
        with pytest.raises(Refused, match="editor and viewer"):
            await attempt


async def test_nobody_gives_the_owners_role_by_a_link_or_by_hand(film: Film):
    me = film.people["owner"]
    with pytest.raises(Refused):
        await sharing.invite(me, film.project, "owner")
    with pytest.raises(Refused):
        await sharing.change_role(me, film.project, film.people["viewer"], "owner")


async def test_a_link_and_a_member_of_another_project_are_out_of_reach(film: Film):
    me, sam = film.people["owner"], film.people["stranger"]
    await sharing.invite(sam, film.foreign, "editor")
    [link] = (await sharing.sharing_of(sam, film.foreign)).links
    with pytest.raises(NotFound):
        await sharing.revoke(me, film.project, link.id)
    with pytest.raises(NotFound):
        await sharing.remove(sam, film.foreign, film.people["editor"])


# --- what one sees -------------------------------------------------------------------------------


async def test_a_list_says_whose_a_project_is_and_has_nothing_of_strangers(film: Film):
    [mine] = (await projects.list_projects(film.people["owner"])).live
    assert (mine.role, mine.owner, mine.members) == ("owner", "", 3)
    for who, role in (("editor", "editor"), ("guest", "editor"), ("viewer", "viewer")):
        [shared] = (await projects.list_projects(film.people[who])).live
        assert (shared.id, shared.role, shared.owner) == (film.project, role, "Ana")
    assert [p.id for p in (await projects.list_projects(film.people["stranger"])).live] == [
        film.foreign
    ]
    assert (await projects.list_projects("")).live == []
    assert [each.name for each in await find_entities(film.people["viewer"], "")] == [
        "Harbour", "Gulls",
    ]  # fmt: skip


async def test_each_ones_list_goes_by_their_own_visits(film: Film):
    ana, ben = film.people["owner"], film.people["editor"]
    other = await projects.create_project(ben, "Pier")
    await projects.note_visit(ben, film.project)
    assert [p.id for p in (await projects.list_projects(ben)).live] == [film.project, other]
    newer = await projects.create_project(ana, "Dusk")
    await projects.note_visit(ben, film.project)  # Ben's visit is none of Ana's
    assert [p.id for p in (await projects.list_projects(ana)).live] == [newer, film.project]


async def test_a_deleted_project_is_its_owners_alone_until_it_is_restored(film: Film):
    ana, ben = film.people["owner"], film.people["editor"]
    token = await sharing.invite(ana, film.project, "viewer")
    await projects.delete_project(ana, film.project)
    lists = await projects.list_projects(ben)
    assert (lists.live, lists.deleted) == ([], [])
    assert len((await projects.list_projects(ana)).deleted) == 1
    for act in (
        projects.open_project(ben, film.project),
        projects.restore_project(ben, film.project),
        projects.rename_shot(ben, film.shot, "x"),
        sharing.join(token, film.people["stranger"], HERE),
    ):
        with pytest.raises(NotFound):
            await act
    assert await authorise(ben, "read", "shot", film.shot) is False
    await projects.restore_project(ana, film.project)
    assert (await projects.open_project(ben, film.project)).project.role == "editor"


async def test_members_are_told_to_members_and_links_to_the_owner_alone(film: Film):
    await sharing.invite(film.people["owner"], film.project, "viewer", once=True)
    seen = await sharing.sharing_of(film.people["owner"], film.project)
    guest = guest_word(film.people["guest"])
    told = [(m.name, m.role, m.is_guest, m.invited_by) for m in seen.members]
    assert told == [
        ("You", "owner", False, ""), ("Ben", "editor", False, "You"),
        (guest, "editor", True, "You"), ("Cleo", "viewer", False, "You"),
    ]  # fmt: skip
    assert [(link.role, link.joined, link.is_single) for link in seen.links] == [
        ("viewer", 0, True), ("viewer", 1, False), ("editor", 1, False), ("editor", 1, False),
    ]  # fmt: skip
    ben = await sharing.sharing_of(film.people["editor"], film.project)
    assert (ben.role, ben.links) == ("editor", [])
    assert [m.name for m in ben.members] == ["Ana", "You", guest, "Cleo"]


# --- links ---------------------------------------------------------------------------------------


async def test_a_link_is_stored_as_a_hash_and_cant_be_guessed(film: Film, own_database: Path):
    tokens = {await sharing.invite(film.people["owner"], film.project, "viewer") for _ in range(9)}
    assert len(tokens) == 9
    for token in tokens:
        assert len(token) == 22  # 128 bits in base 64
        assert token not in dump(own_database)


async def test_looking_at_a_link_changes_nothing_and_says_who_invites_to_what(
    film: Film, own_database: Path
):
    token = await sharing.invite(film.people["owner"], film.project, "editor", once=True)
    before = dump(own_database)
    for who in ("stranger", "nobody"):
        offer = await sharing.look_at(token, film.people[who], HERE)
        assert (offer.state, offer.name, offer.by, offer.role) == (
            "open",
            "Harbour",
            "Ana",
            "editor",
        )
    assert dump(own_database) == before
    with pytest.raises(NotFound):
        await sharing.join(token, "", HERE)


@pytest.mark.parametrize(
    ("who", "role", "state", "then"),
    [
        ("stranger", "viewer", "open", "viewer"),
        ("stranger", "editor", "open", "editor"),
        ("viewer", "editor", "raise", "editor"),
        ("viewer", "viewer", "member", "viewer"),
        ("editor", "viewer", "member", "editor"),
        ("guest", "viewer", "member", "editor"),
        ("owner", "editor", "own", "owner"),
    ],
)
async def test_a_link_gives_a_role_and_never_takes_one(
    film: Film, who: str, role: str, state: str, then: str
):
    token = await sharing.invite(film.people["owner"], film.project, role)
    assert (await sharing.look_at(token, film.people[who], HERE)).state == state
    assert await sharing.join(token, film.people[who], HERE) == film.project
    assert await projects.role_in(film.people[who], "project", film.project) == then
    assert await sharing.join(token, film.people[who], HERE) == film.project  # again: as it is
    members = (await sharing.sharing_of(film.people["owner"], film.project)).members
    assert len({m.user for m in members}) == len(members)


async def test_a_link_that_is_over_says_why_and_nothing_of_the_project(film: Film):
    ana, sam = film.people["owner"], film.people["stranger"]
    expired = await sharing.invite(ana, film.project, "viewer", now=NOW)
    late = NOW + sharing.LINK_SECONDS
    revoked = await sharing.invite(ana, film.project, "viewer", once=True, now=NOW + 1)
    links = (await sharing.sharing_of(ana, film.project)).links
    [link] = [each for each in links if each.is_single]
    await sharing.revoke(ana, film.project, link.id)
    used = await sharing.invite(ana, film.project, "viewer", once=True)
    await sharing.join(used, new_id(), HERE)
    for token, state in ((expired, "expired"), (revoked, "revoked"), (used, "used")):
        offer = await sharing.look_at(token, sam, HERE, now=late)
        assert offer == sharing.Offer(state)
        with pytest.raises(Refused, match="Ask for a new one"):
            await sharing.join(token, sam, HERE, now=late)
    assert await projects.role_in(sam, "project", film.project) is None
    assert (await sharing.look_at(expired, sam, HERE, now=late - 1)).state == "open"


async def test_of_many_who_use_a_link_for_one_at_once_one_gets_in(film: Film):
    token = await sharing.invite(film.people["owner"], film.project, "viewer", once=True)
    many = [new_id() for _ in range(6)]
    done = await asyncio.gather(
        *(sharing.join(token, each, HERE) for each in many), return_exceptions=True
    )
    assert sum(each == film.project for each in done) == 1
    assert sum(isinstance(each, Refused) for each in done) == 5


async def test_so_many_members_and_so_many_open_links(film: Film, monkeypatch):
    ana = film.people["owner"]
    monkeypatch.setattr(sharing, "MEMBER_LIMIT", 3)
    token = await sharing.invite(ana, film.project, "viewer")
    assert (await sharing.look_at(token, film.people["stranger"], HERE)).state == "full"
    with pytest.raises(Refused, match="members are the limit"):
        await sharing.join(token, film.people["stranger"], HERE)
    monkeypatch.setattr(sharing, "LINK_LIMIT", 4)
    with pytest.raises(Refused, match="4 open links"):
        await sharing.invite(ana, film.project, "viewer")


async def test_trying_links_is_limited_by_address_and_a_right_one_costs_nothing(film: Film):
    token = await sharing.invite(film.people["owner"], film.project, "viewer")
    for _ in range(40):
        await sharing.look_at(token, film.people["stranger"], HERE, now=NOW)
    for _ in range(30):
        with pytest.raises(NotFound):
            await sharing.look_at(new_id(), new_id(), HERE, now=NOW)
    with pytest.raises(TooMany):  # a right one isn't told from a wrong one then
        await sharing.look_at(token, new_id(), HERE, now=NOW)
    assert (await sharing.look_at(token, new_id(), "192.0.2.9", now=NOW)).state == "open"
    assert (await sharing.look_at(token, new_id(), HERE, now=NOW + 16 * 60)).state == "open"


async def test_trying_links_is_limited_by_who_tries_from_wherever(film: Film):
    sam = film.people["stranger"]
    for number in range(20):
        with pytest.raises(NotFound):
            await sharing.look_at(new_id(), sam, f"192.0.2.{number}", now=NOW)
    with pytest.raises(TooMany):
        await sharing.look_at(new_id(), sam, "192.0.2.99", now=NOW)


async def test_links_that_were_over_long_ago_are_forgotten(film: Film):
    ana = film.people["owner"]
    token = await sharing.invite(ana, film.project, "viewer", now=NOW)
    over = NOW + sharing.LINK_SECONDS + sharing.KEPT_SECONDS
    await write(lambda session: sharing.forget_over(session, now=over - 1))
    assert (await sharing.look_at(token, "", HERE, now=over)).state == "expired"
    await write(lambda session: sharing.forget_over(session, now=over + 1))
    with pytest.raises(NotFound):
        await sharing.look_at(token, "", HERE, now=over)


# --- members come and go -------------------------------------------------------------------------


async def test_a_role_is_changed_and_counts_at_once(film: Film):
    ana, ben = film.people["owner"], film.people["editor"]
    assert await sharing.change_role(ana, film.project, ben, "viewer") == "Ben"
    with pytest.raises(NotAllowed):
        await projects.rename_shot(ben, film.shot, "Wake")
    await sharing.change_role(ana, film.project, ben, "editor")
    await projects.rename_shot(ben, film.shot, "Wake")


async def test_who_was_removed_sees_nothing_and_no_open_link_brings_them_back(film: Film):
    ana, ben = film.people["owner"], film.people["editor"]
    token = await sharing.invite(ana, film.project, "editor")
    assert await sharing.remove(ana, film.project, ben) == "Ben"
    with pytest.raises(NotFound):
        await projects.open_project(ben, film.project)
    assert (await projects.list_projects(ben)).live == []
    assert await authorise(ben, "read", "shot", film.shot) is False
    with pytest.raises(Refused, match="revoked"):
        await sharing.join(token, ben, HERE)
    assert (await sharing.sharing_of(ana, film.project)).links == []
    await admit(ana, film.project, ben, "viewer")
    assert await projects.role_in(ben, "shot", film.shot) == "viewer"


async def test_a_member_can_leave_and_the_owner_must_pass_it_on_first(film: Film):
    ana, ben = film.people["owner"], film.people["editor"]
    with pytest.raises(Refused, match="make a member its owner first"):
        await sharing.leave(ana, film.project)
    with pytest.raises(NotFound):
        await sharing.leave(film.people["stranger"], film.project)
    assert await sharing.pass_on(ana, film.project, ben) == "Ben"
    assert await projects.role_in(ben, "project", film.project) == "owner"
    assert await projects.role_in(ana, "project", film.project) == "editor"
    with pytest.raises(NotAllowed, match="Only Ben"):
        await projects.delete_project(ana, film.project)
    assert await sharing.leave(ana, film.project) == "Harbour"
    assert await projects.role_in(ana, "project", film.project) is None
    members = (await sharing.sharing_of(ben, film.project)).members
    assert [m.role for m in members].count("owner") == 1


async def test_two_who_pass_it_on_at_once_leave_one_owner(film: Film):
    ana = film.people["owner"]
    done = await asyncio.gather(
        *(sharing.pass_on(ana, film.project, film.people[who]) for who in ("editor", "viewer")),
        return_exceptions=True,
    )
    assert sum(isinstance(each, NotAllowed) for each in done) == 1
    members = (await sharing.sharing_of(ana, film.project)).members
    assert [m.role for m in members].count("owner") == 1
    assert len(members) == 4


async def test_a_guest_who_signs_up_stays_a_member_and_gets_a_name(film: Film):
    guest = film.people["guest"]

    def sign_up(session: Any) -> None:
        row = session.get(User, guest)
        row.kind, row.name = "account", "Gus"

    await write(sign_up)
    members = (await sharing.sharing_of(film.people["owner"], film.project)).members
    assert ("Gus", "editor", False) in [(m.name, m.role, m.is_guest) for m in members]


@pytest.mark.parametrize(
    ("account", "then"),
    [("stranger", "editor"), ("viewer", "editor"), ("editor", "editor"), ("owner", "owner")],
)
async def test_a_guests_memberships_come_along_and_no_role_is_lost(
    film: Film, account: str, then: str
):
    guest, heir = film.people["guest"], film.people[account]
    mine = await projects.create_project(guest, "Mine")
    await admit(guest, mine, heir, "viewer")
    assert (await people.work_of(guest)).shared == 1
    assert await bringing.bring_along(guest, heir) == 2
    assert await projects.role_in(heir, "project", film.project) == then
    assert await projects.role_in(heir, "project", mine) == "owner"
    for project in (film.project, mine):
        assert await projects.role_in(guest, "project", project) is None
        members = (await sharing.sharing_of(heir, project)).members
        assert len({m.user for m in members}) == len(members)
        assert [m.role for m in members].count("owner") == 1
