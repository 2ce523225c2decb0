"""The ledger in an app's own database, on SQLite and PostgreSQL: once, also after a kill."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, Text, create_engine, func, select
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel import Session

import persistence
from persistence import Ledger, Operation, Submitted, Target
from persistence.errors import StoreUnavailable
from persistence.http import submit_durably
from persistence.ledger import _insert
from tests import killed_app


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'app.db'}"
    made: str = request.getfixturevalue("postgres_url")
    return made.replace("postgresql://", "postgresql+psycopg://")


class App:
    """Tables of one test, under names of their own: the database is shared."""

    def __init__(self, url: str) -> None:
        name = f"t{uuid.uuid4().hex[:8]}_"
        self.url, self.metadata = url, MetaData()
        self.ledger = Ledger(self.metadata, prefix=name)
        self.notes = Table(f"{name}notes", self.metadata, Column("text", Text))
        self.database = create_engine(url)
        self.metadata.create_all(self.database)

    def add(self, session: Session, submitted: Submitted[str]) -> bool:
        if is_new := self.ledger.once(session, submitted):
            session.execute(self.notes.insert().values(text=submitted.payload))
        return is_new

    def count(self, table: Table | None = None) -> int:
        chosen = self.notes if table is None else table
        with self.database.connect() as connection:
            return connection.execute(select(func.count()).select_from(chosen)).scalar_one()


@pytest.fixture
def app(url: str) -> Iterator[App]:
    made = App(url)
    yield made
    made.metadata.drop_all(made.database)
    made.database.dispose()


def submitted(seq: int, *, base: int = 0, **others: Any) -> Submitted[str]:
    operation = Operation(
        f"tab.{seq:08x}", "tab", seq, Target("conversation", "c1", ""), "", "note.add", base=base
    )
    return replace(Submitted(operation, f"note {seq}", "ada", 1.0, after=base), **others)


def test_an_operation_is_applied_once(app: App) -> None:
    for expected in (True, False):
        with Session(app.database) as session, session.begin():
            assert app.add(session, submitted(1)) is expected
    assert app.count() == 1


def test_what_was_rolled_back_was_not_done(app: App) -> None:
    with Session(app.database) as session:
        assert app.add(session, submitted(1))
        session.rollback()
    with app.database.begin() as connection:
        assert app.ledger.once(connection, submitted(1))


def test_two_at_once_apply_it_once(app: App) -> None:
    began = threading.Event()

    def first() -> bool:
        with Session(app.database) as session, session.begin():
            is_new = app.add(session, submitted(1))
            began.set()
            late.started.wait(10)
        return is_new

    class Late(threading.Thread):
        started = threading.Event()
        is_new = True

        def run(self) -> None:
            began.wait(10)
            with Session(app.database) as session, session.begin():
                self.started.set()
                self.is_new = app.add(session, submitted(1))

    late = Late()
    late.start()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(first).result(30)
    late.join(30)
    assert not late.is_new
    assert app.count() == 1


def test_one_that_follows_another_waits_and_leaves_nothing_behind(app: App) -> None:
    with pytest.raises(StoreUnavailable), Session(app.database) as session, session.begin():
        app.add(session, submitted(2, base=1))
    assert app.count(app.ledger.applied) == 0
    for seq, base in ((1, 0), (2, 1)):
        with Session(app.database) as session, session.begin():
            assert app.add(session, submitted(seq, base=base))


@pytest.mark.parametrize("order", ["free", "newest"])
def test_one_that_waits_for_nobody_lets_none_behind_it_go_ahead(app: App, order: Any) -> None:
    def once(each: Submitted[str]) -> bool:
        with Session(app.database) as session, session.begin():
            return app.ledger.once(session, each)

    assert once(submitted(2, base=1, order=order))
    assert once(submitted(3, base=2, order=order))
    with pytest.raises(StoreUnavailable):
        once(submitted(4, base=3))  # which names one that is there, but not what came before that
    assert once(submitted(1))
    assert once(submitted(4, base=3))
    assert once(submitted(9, base=9, order=order))  # nonsense ends, too
    with pytest.raises(StoreUnavailable):
        once(submitted(10, base=9))


def test_of_what_replaces_itself_only_the_newest_is_applied_kind_by_kind(app: App) -> None:
    def once(each: Submitted[str]) -> bool:
        with Session(app.database) as session, session.begin():
            return app.ledger.once(session, each)

    assert once(submitted(5))  # a message at the same target says nothing about canvases
    canvas = submitted(4, order="newest")
    canvas = replace(canvas, operation=replace(canvas.operation, kind="canvas.put"))
    assert once(canvas)
    older = replace(canvas, operation=replace(canvas.operation, id="tab.00000003", seq=3))
    assert not once(older)
    assert not once(older)
    newer = replace(canvas, operation=replace(canvas.operation, id="tab.00000006", seq=6))
    assert once(newer)


@pytest.mark.parametrize("url", ["postgres"], indirect=True)  # psycopg speaks both ways
def test_it_works_in_an_async_session_too(app: App, url: str) -> None:
    async def run() -> list[bool]:
        database = create_async_engine(url)
        found: list[bool] = []
        for _ in range(2):
            async with AsyncSession(database) as session, session.begin():
                found.append(await app.ledger.once_async(session, submitted(1)))
        async with database.begin() as connection:
            found.append(await app.ledger.once_async(connection, submitted(2, base=1)))
        await database.dispose()
        return found

    assert asyncio.run(run()) == [True, False, True]


def test_what_is_old_is_forgotten_in_portions(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persistence.ledger.PRUNED_AT_ONCE", 10)
    with app.database.begin() as connection:
        for seq in range(1, 21):
            app.ledger.once(connection, submitted(seq))
        app.ledger.once(connection, submitted(21, at=500.0))
    gone = []
    while not gone or gone[-1]:
        with app.database.begin() as connection:
            gone.append(app.ledger.prune(connection, older_than=100.0))
    assert gone == [10, 10, 0]  # the mark is as young as the newest
    with app.database.begin() as connection:
        assert not app.ledger.once(connection, submitted(21))


def test_the_apps_own_migrations_see_the_tables(app: App) -> None:
    def missing(metadata: MetaData) -> set[str]:
        with app.database.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection), metadata)
        return {each[1].name for each in found if each[0] == "add_table"}

    assert missing(app.metadata) == set()
    new = MetaData()
    ledger = Ledger(new, prefix="unmade_")
    assert missing(new) == {"unmade_applied", "unmade_mark"} == {t.name for t in ledger.tables}


def test_another_kind_of_database_is_named(app: App) -> None:
    elsewhere = SimpleNamespace(dialect=mysql.dialect())
    with pytest.raises(TypeError, match="mysql"):
        _insert(elsewhere, app.notes, {})  # type: ignore[arg-type]


# --- killed between the app's commit and the answer ----------------------------------------------


@pytest.mark.parametrize(("is_once", "rows"), [(True, 1), (False, 2)], ids=["ledger", "control"])
def test_killed_between_the_apps_commit_and_the_answer_a_replay_adds_nothing(
    url: str, is_once: bool, rows: int
) -> None:
    name = f"k{uuid.uuid4().hex[:8]}_"
    root = Path(persistence.__file__).parent.parent
    died = subprocess.run(
        [sys.executable, "-m", "tests.killed_app", url, name, str(is_once)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()

    app = killed_app.Notes(url, name, is_once=is_once)
    assert app.texts() == ["typed"]  # committed, and nobody was told

    async def replay() -> list[str]:
        async with app.engine() as engine:
            return [each.status for each in await submit_durably(engine, [app.operation], "ada")]

    assert asyncio.run(replay()) == ["confirmed"]
    assert app.texts() == ["typed"] * rows
    app.drop()
