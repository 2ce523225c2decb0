"""Many at once, where several may write: what a link and a role promise holds there, too."""

from __future__ import annotations

import asyncio

import pytest

from tests.workbench.shared_film import HERE, Film, make_film
from workbench import projects, sharing
from workbench.access import NotAllowed
from workbench.models import new_id
from workbench.names import Refused

pytestmark = pytest.mark.postgres


@pytest.fixture
def film(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Film:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    return asyncio.run(make_film())


async def test_one_gets_in_by_a_link_for_one_and_nobody_is_told_of_a_broken_database(film: Film):
    token = await sharing.invite(film.people["owner"], film.project, "viewer", once=True)
    many = [new_id() for _ in range(6)]
    done = await asyncio.gather(
        *(sharing.join(token, each, HERE) for each in many), return_exceptions=True
    )
    assert [each for each in done if isinstance(each, str)] == [film.project]
    assert sum(isinstance(each, Refused) for each in done) == 5


async def test_who_presses_join_again_and_again_is_a_member_once(film: Film):
    token = await sharing.invite(film.people["owner"], film.project, "viewer")
    sam = film.people["stranger"]
    done = await asyncio.gather(*(sharing.join(token, sam, HERE) for _ in range(4)))
    assert set(done) == {film.project}
    members = (await sharing.sharing_of(sam, film.project)).members
    assert [m.role for m in members if m.is_you] == ["viewer"]


async def test_a_project_that_is_passed_on_twice_at_once_has_one_owner(film: Film):
    ana = film.people["owner"]
    done = await asyncio.gather(
        *(sharing.pass_on(ana, film.project, film.people[who]) for who in ("editor", "viewer")),
        return_exceptions=True,
    )
    assert sum(isinstance(each, NotAllowed) for each in done) == 1
    members = (await sharing.sharing_of(ana, film.project)).members
    assert [m.role for m in members].count("owner") == 1
    assert len(members) == 4


async def test_who_is_removed_while_they_join_again_is_one_or_the_other(film: Film):
    ana, ben = film.people["owner"], film.people["editor"]
    token = await sharing.invite(ana, film.project, "editor")
    await asyncio.gather(
        sharing.remove(ana, film.project, ben),
        sharing.join(token, ben, HERE),
        return_exceptions=True,
    )
    assert await projects.role_in(ben, "project", film.project) is None
