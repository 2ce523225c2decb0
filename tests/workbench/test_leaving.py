"""Deleting oneself, taking one's data along, guests who don't come back: nothing is left behind."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from persistence import Engine
from workbench import projects
from workbench.accounts import erasing, people, signing, visits
from workbench.accounts.cookies import guest_cookie
from workbench.accounts.exporting import export
from workbench.accounts.hooks import authorise, identify
from workbench.accounts.life import guest_days
from workbench.accounts.signing import Visit
from workbench.accounts.visits import DAY
from workbench.database import database_url, read, write
from workbench.models import Project, Shot, User, new_id
from workbench.settings import SCOPES, Interface, Travel

NOW = 1_800_000_000.0
HERE = Visit("192.0.2.1", "Firefox on Linux", NOW)


@asynccontextmanager
async def running() -> AsyncIterator[Engine]:
    async with Engine(database_url(), scopes=SCOPES, authorise=authorise) as engine:
        yield engine


async def work(engine: Engine, user: str) -> tuple[str, str]:
    """A project with a shot that has settings, and a theme."""
    project = await projects.create_project(user, "Harbour")
    shot = await projects.create_shot(user, project, "Gulls")
    owners = {"user": user, "project": project, "shot": shot}
    travel = await engine.open(Travel.__tool__, owners, edit="shot", actor=user)
    travel.update(prompt="gulls over the pier")
    look = await engine.open(Interface.__tool__, {"user": user}, actor=user)
    look.update(theme="dark")
    await engine.flush()
    travel.close()
    look.close()
    return project, shot


def everything(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        return "\n".join(connection.iterdump())


async def rows(table: Any) -> list[Any]:
    return await read(lambda session: list(session.exec(select(table)).all()))


async def seen(user: str, at: float) -> None:
    def note(session: Any) -> None:
        session.get(User, user).seen_at = at

    await write(note)


async def test_who_deletes_their_account_leaves_no_trace_and_nobody_else_loses_a_thing(
    own_database,
):
    async with running() as engine:
        ann, bob = new_id(), new_id()
        await signing.sign_up(ann, "Ann", "harbour at dawn", HERE)
        project, shot = await work(engine, ann)
        other_project, _ = await work(engine, bob)
        gone = await projects.create_project(ann, "Deleted before")
        await projects.delete_project(ann, gone)
        await erasing.erase(engine, ann, now=NOW)
        left = everything(own_database)
        for trace in ("Ann", "argon2id", project, shot, gone):
            assert trace not in left
        assert left.count(ann) == 1  # the row that keeps an old cookie from opening anything
        assert await identify({"cookie": f"workbench_guest={guest_cookie(ann)}"}) == ""
        assert not await authorise(ann, "write", "user", ann)
        assert len((await projects.list_projects(bob)).live) == 1
        assert await engine.export_document("project", other_project) is not None
        assert await engine.export_document("user", bob) == {"ui": {"theme": "dark"}}


async def test_what_a_crash_leaves_half_removed_is_finished(own_database):
    async with running() as engine:
        ann = new_id()
        project, _ = await work(engine, ann)
        await write(erasing._mark, ann, NOW)  # and then the power went
        people.forget(ann)
        assert await identify({"cookie": f"workbench_guest={guest_cookie(ann)}"}) == ""
        assert await visits.clean_up(engine, days=0, now=NOW) == 0
        assert project not in everything(own_database)
        assert [row.kind for row in await rows(User)] == ["gone"]


async def test_an_export_has_all_of_it_and_nothing_of_others(own_database):
    async with running() as engine:
        ann, bob = new_id(), new_id()
        await signing.sign_up(ann, "Ann", "harbour at dawn", HERE)
        project, shot = await work(engine, ann)
        await work(engine, bob)
        text = "".join([piece async for piece in export(engine, ann, now=NOW)])
    told = json.loads(text)
    assert told["account"]["name"] == "Ann"
    assert [each["device"] for each in told["sessions"]] == ["Firefox on Linux"]
    assert told["settings"] == {"ui": {"theme": "dark"}}
    [film] = told["projects"]
    assert film["id"] == project
    assert film["shots"][0]["settings"] == {"travel-ui-state": {"prompt": "gulls over the pier"}}
    [change] = film["shots"][0]["history"]
    assert (change["field"], change["value"], change["by"]) == (
        "prompt",
        "gulls over the pier",
        "you",
    )
    assert shot in text
    assert bob not in text
    assert "argon2" not in text


async def test_an_export_of_nothing_is_a_file_too():
    async with running() as engine:
        text = "".join([piece async for piece in export(engine, new_id(), now=NOW)])
    assert json.loads(text)["projects"] == []


async def test_idle_guests_go_with_all_that_is_theirs_and_others_stay(own_database):
    async with running() as engine:
        idle, lately, account = new_id(), new_id(), new_id()
        project, _ = await work(engine, idle)
        await work(engine, lately)
        await signing.sign_up(account, "Ann", "harbour at dawn", HERE)
        await work(engine, account)
        for user, days in ((idle, 91), (lately, 89), (account, 1000)):
            await seen(user, NOW - days * DAY)
        assert await visits.clean_up(engine, days=90, now=NOW) == 1
        assert project not in everything(own_database)
        assert {row.owner_id for row in await rows(Project)} == {lately, account}
        assert len(await rows(Shot)) == 2
        assert await engine.export_document("user", idle) == {}
        assert await visits.clean_up(engine, days=90, now=NOW) == 0


async def test_a_guest_who_visits_stays(own_database):
    async with running() as engine:
        guest = new_id()
        await work(engine, guest)
        await seen(guest, NOW - 91 * DAY)
        await visits.note_visit(guest, now=NOW)
        assert await visits.clean_up(engine, days=90, now=NOW) == 0


async def test_a_guest_who_only_has_settings_is_counted_from_when_they_are_found(own_database):
    async with running() as engine:
        guest = new_id()
        look = await engine.open(Interface.__tool__, {"user": guest}, actor=guest)
        look.update(theme="dark")
        await engine.flush()
        look.close()
        assert await rows(User) == []
        assert await visits.clean_up(engine, days=90, now=NOW) == 0
        assert await engine.export_document("user", guest) != {}
        assert await visits.clean_up(engine, days=90, now=NOW + 91 * DAY) == 1
        assert await engine.export_document("user", guest) == {}


async def test_many_idle_guests_go_in_batches(own_database):
    async with running() as engine:
        users = [new_id() for _ in range(visits.BATCH + 3)]
        await write(visits._make_rows, users, NOW)
        assert await visits.clean_up(engine, days=90, now=NOW + 91 * DAY) == len(users)


@pytest.mark.parametrize(("said", "days"), [("", 90), ("7", 7), ("0", 0), ("-1", 0), ("soon", 0)])
def test_how_long_guests_stay_is_the_operators_choice(monkeypatch, said, days):
    monkeypatch.setenv("GUEST_DAYS", said)
    assert guest_days() == days
