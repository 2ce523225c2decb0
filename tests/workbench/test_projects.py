"""Projects and shots: what one can do to one's own, and to nobody else's."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from workbench import database, projects
from workbench.access import NotFound
from workbench.database import Unavailable
from workbench.models import new_id
from workbench.names import Refused

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_a_project_is_listed_with_the_number_of_its_live_shots(new_user):
    me = new_user()
    project = await projects.create_project(me, "Harbour at dawn")
    await projects.create_shot(me, project, "Wide")
    gone = await projects.create_shot(me, project, "Close")
    await projects.delete_shot(me, gone)
    rows = (await projects.list_projects(me)).live
    assert [(row.name, row.shots) for row in rows] == [("Harbour at dawn", 1)]


async def test_the_project_opened_last_comes_first(new_user):
    me = new_user()
    first = await projects.create_project(me, "First")
    await projects.create_project(me, "Second")
    await projects.note_visit(me, first)
    assert [row.name for row in (await projects.list_projects(me)).live] == ["First", "Second"]


async def test_a_visit_that_cant_be_written_now_counts_for_nothing(
    new_user, own_database: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    me = new_user()
    first = await projects.create_project(me, "First")
    await projects.create_project(me, "Second")
    with closing(sqlite3.connect(own_database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await projects.note_visit(me, first)
        assert (await projects.open_project(me, first)).project.name == "First"
    assert [row.name for row in (await projects.list_projects(me)).live] == ["Second", "First"]
    await projects.note_visit(me, new_id())  # nor one of what isn't there


async def test_looking_again_is_no_visit(new_user):
    me, other = new_user(), new_user()
    first = await projects.create_project(me, "First")
    await projects.create_project(me, "Second")
    before = [row.name for row in (await projects.list_projects(me)).live]
    assert (await projects.open_project(me, first)).project.name == "First"
    assert [row.name for row in (await projects.list_projects(me)).live] == before
    with pytest.raises(NotFound):
        await projects.open_project(other, first)


async def test_nothing_is_stored_of_somebody_who_only_looks(new_user, own_database: Path):
    await projects.list_projects(new_user())
    await projects.list_projects("")
    with sqlite3.connect(own_database) as connection:
        assert connection.execute("SELECT count(*) FROM workbench_user").fetchone() == (0,)
    connection.close()


async def test_a_shot_without_a_name_is_called_by_its_number(new_user):
    me = new_user()
    project = await projects.create_project(me, "P")
    for name in ("Wide", "", "Close", ""):
        await projects.create_shot(me, project, name)
    page = await projects.open_project(me, project)
    assert [(s.number, s.name) for s in page.shots] == [
        (1, "Wide"), (2, "Shot 2"), (3, "Close"), (4, "Shot 4"),
    ]  # fmt: skip


async def test_a_shot_moves_one_place_and_stays_at_the_ends(new_user):
    me = new_user()
    project = await projects.create_project(me, "P")
    a, b, c = [await projects.create_shot(me, project, name) for name in "abc"]

    async def order() -> str:
        return "".join(s.name for s in (await projects.open_project(me, project)).shots)

    await projects.move_shot(me, c, -1)
    assert await order() == "acb"
    await projects.move_shot(me, a, -1)
    await projects.move_shot(me, b, 1)
    assert await order() == "acb"
    await projects.move_shot(me, a, 1)
    assert await order() == "cab"


async def test_a_shot_is_put_at_any_place_and_deleted_ones_keep_theirs(new_user):
    me = new_user()
    project = await projects.create_project(me, "P")
    a, b, c, d = [await projects.create_shot(me, project, name) for name in "abcd"]

    async def order() -> str:
        return "".join(s.name for s in (await projects.open_project(me, project)).shots)

    await projects.delete_shot(me, b)
    await projects.place_shot(me, d, 1)
    assert await order() == "dac"
    await projects.place_shot(me, d, 3)
    assert await order() == "acd"
    for beyond in (99, -5, 10**30, None, "1", True, 1.5):
        await projects.place_shot(me, c, beyond)
    assert await order() == "cad"
    await projects.place_shot(me, a, 1)
    await projects.restore_shot(me, b)
    assert await order() == "abcd"


async def test_a_shot_made_from_another_stands_right_behind_it(new_user):
    me, other = new_user(), new_user()
    project = await projects.create_project(me, "P")
    a, b = [await projects.create_shot(me, project, name) for name in "ab"]
    made = await projects.create_shot_after(me, a)
    page = await projects.open_project(me, project)
    assert [(s.id, s.name) for s in page.shots] == [(a, "a"), (made, "a 2"), (b, "b")]
    await projects.create_shot_after(me, a)
    page = await projects.open_project(me, project)
    assert [s.name for s in page.shots] == ["a", "a 3", "a 2", "b"]
    with pytest.raises(NotFound):
        await projects.create_shot_after(other, a)


async def test_moving_skips_deleted_shots_which_come_back_to_their_place(new_user):
    me = new_user()
    project = await projects.create_project(me, "P")
    _a, b, c = [await projects.create_shot(me, project, name) for name in "abc"]
    await projects.delete_shot(me, b)
    await projects.move_shot(me, c, -1)
    await projects.restore_shot(me, b)
    page = await projects.open_project(me, project)
    assert "".join(s.name for s in page.shots) == "cba"


async def test_what_was_deleted_is_offered_back_and_returns_as_it_was(new_user):
    me = new_user()
    project = await projects.create_project(me, "P")
    shot = await projects.create_shot(me, project, "Wide")
    assert await projects.delete_shot(me, shot) == "Wide"
    page = await projects.open_project(me, project)
    assert page.shots == []
    assert [s.name for s in page.deleted] == ["Wide"]
    await projects.restore_shot(me, shot)
    page = await projects.open_project(me, project)
    assert [s.name for s in page.shots] == ["Wide"]

    assert await projects.delete_project(me, project) == "P"
    lists = await projects.list_projects(me)
    assert (lists.live, [row.name for row in lists.deleted]) == ([], ["P"])
    with pytest.raises(NotFound):
        await projects.open_project(me, project)
    await projects.restore_project(me, project)
    assert [s.name for s in (await projects.open_project(me, project)).shots] == ["Wide"]


async def test_deleting_twice_and_restoring_what_is_there_find_nothing(new_user):
    me = new_user()
    project = await projects.create_project(me, "P")
    shot = await projects.create_shot(me, project, "Wide")
    with pytest.raises(NotFound):
        await projects.restore_shot(me, shot)
    await projects.delete_shot(me, shot)
    with pytest.raises(NotFound):
        await projects.delete_shot(me, shot)


async def test_a_foreign_project_and_shot_answer_exactly_like_missing_ones(new_user):
    owner, other = new_user(), new_user()
    project = await projects.create_project(owner, "Mine")
    shot = await projects.create_shot(owner, project, "Wide")
    actions = [
        lambda actor, p, _: projects.open_project(actor, p),
        lambda actor, p, _: projects.rename_project(actor, p, "x"),
        lambda actor, p, _: projects.delete_project(actor, p),
        lambda actor, p, _: projects.restore_project(actor, p),
        lambda actor, p, _: projects.create_shot(actor, p, "x"),
        lambda actor, _, s: projects.create_shot_after(actor, s),
        lambda actor, _, s: projects.rename_shot(actor, s, "x"),
        lambda actor, _, s: projects.move_shot(actor, s, 1),
        lambda actor, _, s: projects.place_shot(actor, s, 1),
        lambda actor, _, s: projects.delete_shot(actor, s),
        lambda actor, _, s: projects.restore_shot(actor, s),
    ]
    for act in actions:
        for actor in (other, ""):
            with pytest.raises(NotFound) as foreign:
                await act(actor, project, shot)
            with pytest.raises(NotFound) as missing:
                await act(actor, new_id(), new_id())
            assert str(foreign.value) == str(missing.value)
    assert (await projects.list_projects(other)).live == []
    page = await projects.open_project(owner, project)
    assert (page.project.name, [s.name for s in page.shots]) == ("Mine", ["Wide"])


async def test_a_shot_of_a_deleted_project_is_nobodys(new_user):
    me = new_user()
    project = await projects.create_project(me, "P")
    shot = await projects.create_shot(me, project, "Wide")
    assert await projects.check(me, "read", "shot", shot)
    await projects.delete_project(me, project)
    assert not await projects.check(me, "read", "shot", shot)
    with pytest.raises(NotFound):
        await projects.rename_shot(me, shot, "x")


@pytest.mark.parametrize(
    "hostile",
    [None, 7, [], {}, "", "../..", "a" * 10_000, "x\x00y", "\ud800", "' OR 1=1 --", "*", "é"],
)
async def test_an_id_that_is_none_finds_nothing(new_user, hostile):
    me = new_user()
    await projects.create_project(me, "P")
    with pytest.raises(NotFound):
        await projects.open_project(me, hostile)
    with pytest.raises(NotFound):
        await projects.delete_shot(me, hostile)
    assert not await projects.check(me, "read", "shot", hostile)
    assert not await projects.check(me, "read", "project", hostile)


async def test_a_scope_that_is_no_place_of_ours_is_nobodys(new_user):
    me = new_user()
    assert await projects.check(me, "read", "user", me)
    assert not await projects.check(me, "read", "user", new_user())
    assert not await projects.check("", "read", "user", "")
    assert not await projects.check(me, "read", "team", me)


async def test_a_project_takes_so_many_shots_and_says_the_limit(new_user, monkeypatch):
    monkeypatch.setattr(projects, "SHOT_LIMIT", 3)
    me = new_user()
    project = await projects.create_project(me, "P")
    shots = [await projects.create_shot(me, project) for _ in range(3)]
    with pytest.raises(Refused, match="3 shots a project"):
        await projects.create_shot(me, project)
    await projects.delete_shot(me, shots[0])
    await projects.create_shot(me, project)
    with pytest.raises(Refused, match="3 shots a project"):
        await projects.restore_shot(me, shots[0])


async def test_a_user_has_so_many_projects(new_user, monkeypatch):
    monkeypatch.setattr(projects, "PROJECT_LIMIT", 1)
    me = new_user()
    await projects.create_project(me, "P")
    with pytest.raises(Refused, match="1 projects"):
        await projects.create_project(me, "Q")
    await projects.create_project(new_user(), "Q")


async def test_nobody_makes_no_project():
    with pytest.raises(NotFound):
        await projects.create_project("", "P")


async def test_shots_added_at_once_all_stand_in_the_list(new_user):
    me = new_user()
    project = await projects.create_project(me, "P")
    await asyncio.gather(*(projects.create_shot(me, project) for _ in range(8)))
    page = await projects.open_project(me, project)
    assert sorted(s.name for s in page.shots) == [f"Shot {n}" for n in range(1, 9)]


async def test_a_database_that_is_away_is_said_and_leaves_the_loop_free(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/no/such/folder/x.db")
    with pytest.raises(Unavailable, match="unable to open"):
        await projects.list_projects(new_id())
