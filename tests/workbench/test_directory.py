"""How things and people are called, and which shots belong to a project."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from workbench import directory, projects
from workbench.called import guest_word
from workbench.database import write
from workbench.directory import describe, members
from workbench.models import User


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`acting(user)`: whose event it is from here on."""
    return lambda user: monkeypatch.setattr(directory, "current_actor", lambda: user)


async def test_projects_and_shots_go_by_their_names_deleted_ones_too(new_user):
    me = new_user()
    project = await projects.create_project(me, "Harbour at dawn")
    shot = await projects.create_shot(me, project, "Wide")
    await projects.delete_shot(me, shot)
    assert await describe("project", [project, "none"]) == {project: "Harbour at dawn"}
    assert await describe("shot", [shot, project]) == {shot: "Wide"}
    assert await describe("team", [shot]) == {}


async def test_people_are_you_an_accounts_name_or_a_guest(new_user, acting):
    me, other, guest, before = (new_user() for _ in range(4))

    def people(session):
        session.add(User(id=other, kind="account", name="Ida"))
        session.add(User(id=guest))
        session.add(User(id=before, became=me))

    await write(people)
    acting(me)
    everybody = [me, other, guest, before, "unknown"]
    assert await describe("user", everybody) == {
        me: "You", other: "Ida", guest: guest_word(guest), before: "You",
        "unknown": guest_word("unknown"),
    }  # fmt: skip
    acting("")
    assert await describe("user", [other, guest]) == {other: "Ida", guest: guest_word(guest)}


async def test_who_came_along_into_an_account_goes_by_its_name_and_who_is_gone_by_none(
    new_user, acting
):
    ida, before, gone = new_user(), new_user(), new_user()

    def people(session):
        session.add(User(id=ida, kind="account", name="Ida"))
        session.add(User(id=before, kind="gone", became=ida))
        session.add(User(id=gone, kind="gone"))

    await write(people)
    acting("")
    assert await describe("user", [before, gone]) == {before: "Ida", gone: "A deleted account"}


def test_guests_are_told_from_each_other_by_a_few_letters(new_user):
    words = {guest_word(new_user()) for _ in range(4)}
    assert len(words) > 1
    assert all(re.fullmatch(r"Guest [0-9a-f]{3}", word) for word in words)


async def test_the_live_shots_of_the_project_belong_to_it_in_its_order(new_user):
    me, other = new_user(), new_user()
    project = await projects.create_project(me, "P")
    a, b, c = [await projects.create_shot(me, project, name) for name in "abc"]
    await projects.move_shot(me, c, -1)
    await projects.delete_shot(me, a)
    owners = {"user": me, "project": project}
    assert await members(me, "shot", owners) == [c, b]
    assert await members(other, "shot", owners) == []
    assert await members(me, "project", owners) == []
    assert await members(me, "shot", {"user": me}) == []
