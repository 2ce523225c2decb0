"""Who leaves for good: what becomes of what they share, and of what is shared with them."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from persistence import Engine
from tests.workbench.shared_film import Film, admit
from workbench import projects, sharing
from workbench.access import NotFound
from workbench.accounts import authorise, erasing, people, visits
from workbench.accounts.exporting import export
from workbench.database import database_url, read, write
from workbench.models import Project, User
from workbench.names import Refused
from workbench.sample.make import id_of
from workbench.settings import SCOPES, Travel

NOW = time.time()

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_who_deletes_themselves_is_nobodys_member_and_what_they_own_goes(
    film: Film, own_database: Path
):
    ana, ben = film.people["owner"], film.people["editor"]
    lent = await projects.create_project(ben, "Ben's own")
    await admit(ben, lent, ana, "editor")
    assert (await people.work_of(ben)).lent == ("Ben's own",)
    async with Engine(database_url(), scopes=SCOPES, authorise=authorise) as engine:
        await erasing.erase(engine, ben, now=NOW)
    assert await projects.role_in(ana, "project", lent) is None
    names = [m.name for m in (await sharing.sharing_of(ana, film.project)).members]
    assert "Ben" not in names
    assert len(names) == 3
    with sqlite3.connect(own_database) as connection:
        members = connection.execute("SELECT user_id, invited_by FROM workbench_member").fetchall()
    assert ben not in {each for row in members for each in row}


async def test_an_editor_adds_no_shot_to_what_is_being_removed(
    film: Film, own_database: Path, monkeypatch: pytest.MonkeyPatch
):
    ana, ben = film.people["owner"], film.people["editor"]
    added: list[str] = []
    async with Engine(database_url(), scopes=SCOPES, authorise=authorise) as engine:
        forget = engine.forget

        async def add_and_forget(scope: str, owner: str) -> int:
            if scope == "project" and not added:
                with suppress(NotFound):
                    added.append(shot := await projects.create_shot(ben, film.project, "Late"))
                    at = {"user": ben, "project": film.project, "shot": shot}
                    travel = await engine.open(Travel.__tool__, at, edit="shot", actor=ben)
                    travel.update(prompt="too late")
                    await engine.flush()
            return await forget(scope, owner)

        monkeypatch.setattr(engine, "forget", add_and_forget)
        await erasing.erase(engine, ana, now=NOW)
    with sqlite3.connect(own_database) as connection:
        assert "too late" not in "\n".join(connection.iterdump())
    assert added == []


async def test_a_project_is_passed_on_to_nobody_who_is_leaving(film: Film):
    ana, ben = film.people["owner"], film.people["editor"]

    def leave(session: Any) -> None:  # as far as a crash in the middle of it
        session.get(User, ben).kind = "leaving"

    await write(leave)
    with pytest.raises(Refused, match="is leaving"):
        await sharing.pass_on(ana, film.project, ben)
    async with Engine(database_url(), scopes=SCOPES, authorise=authorise) as engine:
        await erasing.finish_all(engine)
    assert await projects.role_in(ana, "project", film.project) == "owner"


async def test_who_was_invited_by_somebody_who_is_gone_stays(film: Film):
    ana, ben = film.people["owner"], film.people["editor"]
    await sharing.pass_on(ana, film.project, ben)
    async with Engine(database_url(), scopes=SCOPES, authorise=authorise) as engine:
        await erasing.erase(engine, ana, now=NOW)
    members = (await sharing.sharing_of(ben, film.project)).members
    assert [(m.role, m.invited_by) for m in members] == [
        ("owner", ""), ("editor", ""), ("viewer", ""),
    ]  # fmt: skip


async def test_a_guest_who_never_came_back_leaves_a_shared_project_to_who_edits_it(film: Film):
    guest, cleo, sam = (film.people[each] for each in ("guest", "viewer", "stranger"))
    shared = await projects.create_project(guest, "Shared")
    await admit(guest, shared, cleo, "viewer")
    await admit(guest, shared, sam, "editor")
    alone = await projects.create_project(guest, "Alone")
    dropped = await projects.create_project(guest, "Dropped")
    await admit(guest, dropped, sam, "editor")
    await projects.delete_project(guest, dropped)

    def long_ago(session: Any) -> None:
        session.get(User, guest).seen_at = NOW - 100 * visits.DAY

    await write(long_ago)
    async with Engine(database_url(), scopes=SCOPES, authorise=authorise) as engine:
        assert await visits.clean_up(engine, days=90, now=NOW) == 1
    assert await projects.role_in(sam, "project", shared) == "owner"
    assert await projects.role_in(cleo, "project", shared) == "viewer"
    for gone in (alone, dropped):
        assert await read(lambda session, each: session.get(Project, each), gone) is None
    assert await projects.role_in(guest, "project", film.project) is None


async def test_an_export_tells_of_memberships_and_has_nothing_of_others_projects(film: Film):
    cleo, ana = film.people["viewer"], film.people["owner"]
    async with Engine(database_url(), scopes=SCOPES, authorise=authorise) as engine:
        told = json.loads("".join([each async for each in export(engine, cleo, now=NOW)]))
        own = json.loads("".join([each async for each in export(engine, ana, now=NOW)]))
    assert told["projects"] == []
    assert [(m["project"], m["role"]) for m in told["memberOf"]] == [("Harbour", "viewer")]
    [harbour] = own["projects"]
    assert [(m["name"], m["role"]) for m in harbour["members"]][::2] == [
        ("Ben", "editor"), ("Cleo", "viewer"),
    ]  # fmt: skip
    assert own["memberOf"] == []


async def test_the_sample_film_that_was_given_away_isnt_made_a_second_time(film: Film):
    ana, ben = film.people["owner"], film.people["editor"]
    await projects.plant_project(ana, id_of(ana), "The last ferry", [])
    await admit(ana, id_of(ana), ben, "editor")
    await sharing.pass_on(ana, id_of(ana), ben)
    with pytest.raises(Refused, match="given to somebody else"):
        await projects.plant_project(ana, id_of(ana), "The last ferry", [])
    assert await projects.role_in(ben, "project", id_of(ana)) == "owner"
