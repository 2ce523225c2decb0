"""The tables are the library's own: the models say what the migrations make, and a host app's
Alembic neither sees nor touches them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlmodel import Field, SQLModel

from persistence.errors import StoreUnavailable
from persistence.store import Write, migrations
from persistence.store.sqlite import SQLiteStore
from persistence.store.tables import Tables, tables

Make = Callable[..., Write]


async def make(path: Path, prefix: str = "persistence_") -> None:
    store = SQLiteStore(path, prefix=prefix)
    await store.open()
    await store.close()


def differences(path: Path, made: Tables) -> list[Any]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": made.version_table, "compare_server_default": True}
        )
        found = compare_metadata(context, made.metadata)
    engine.dispose()
    return found


@pytest.mark.parametrize("prefix", ["persistence_", "other_"])
def test_the_migrations_make_what_the_models_say(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "app.db"
    asyncio.run(make(path, prefix))
    assert differences(path, tables(prefix)) == []


def test_the_migrations_make_the_same_sql_as_the_models(tmp_path: Path) -> None:
    migrated, modelled = tmp_path / "migrated.db", tmp_path / "modelled.db"
    asyncio.run(make(migrated))
    engine = create_engine(f"sqlite:///{modelled}")
    tables().metadata.create_all(engine)
    engine.dispose()

    def schema(path: Path) -> dict[str, str]:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL")
            return {name: " ".join(sql.split()) for name, sql in rows}

    made = schema(migrated)
    del made["persistence_alembic_version"]
    assert made == schema(modelled)


def test_a_missing_column_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    asyncio.run(make(path))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE persistence_change DROP COLUMN note")
    assert [kind for kind, *_ in differences(path, tables())] == ["add_column"]


def test_the_known_versions_are_the_migrations() -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert script.get_current_head() == migrations.HEAD
    assert tuple(step.revision for step in script.walk_revisions())[::-1] == migrations.VERSIONS


def test_a_host_apps_alembic_sees_nothing_of_ours_and_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('the-apps-own')")
    asyncio.run(make(path))
    assert not [name for name in SQLModel.metadata.tables if "persistence" in name]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("the-apps-own",)]


def test_an_app_may_have_models_of_the_same_names(tmp_path: Path) -> None:
    class Override(SQLModel, table=True):
        __tablename__ = "apps_override"
        id: int | None = Field(default=None, primary_key=True)

    assert Override(id=1).id == 1
    assert "apps_override" not in tables().metadata.tables
    SQLModel.metadata.remove(SQLModel.metadata.tables["apps_override"])


async def test_two_prefixes_share_a_file(tmp_path: Path, write: Make) -> None:
    one = SQLiteStore(tmp_path / "app.db", prefix="one_")
    two = SQLiteStore(tmp_path / "app.db", prefix="two_")
    await one.commit([write()])
    target = write().target
    assert await two.load([target]) == {target: {}}
    assert (await two.commit([write()])).revisions == range(1, 2)
    await one.close()
    await two.close()


def test_tables_are_made_once_for_a_prefix_and_schema() -> None:
    assert tables() is tables()
    assert set(tables("x_", "own").metadata.tables) == {
        "own.x_override",
        "own.x_change",
        "own.x_timeline",
        "own.x_authored",
        "own.x_moment",
        "own.x_preset",
        "own.x_contested",
        "own.x_quarantine",
        "own.x_operation",
        "own.x_counter",
    }


@pytest.mark.parametrize("prefix", ["", "a b", "x;--", 'q"', "Ä"])
def test_a_prefix_that_needs_quoting_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        SQLiteStore("app.db", prefix=prefix)


async def test_many_open_a_new_file_at_once(tmp_path: Path, write: Make) -> None:
    stores = [SQLiteStore(tmp_path / "app.db", busy_timeout=10) for _ in range(6)]
    await asyncio.gather(*(store.open() for store in stores))
    for number, store in enumerate(stores):
        await store.commit([write(f"f{number}")])
    await asyncio.gather(*(store.close() for store in stores))


async def test_an_upgrade_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE persistence_operation (of_the_app)")
    store = SQLiteStore(path)
    with pytest.raises(StoreUnavailable, match="already exists"):
        await store.open()
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_schema").fetchall()
    assert found == [("persistence_operation",)]
    await store.close()
