"""The workbench's own tables: made by migrations, and what an older version made stays."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from workbench import database, migrations, projects, sharing
from workbench.database import Unavailable
from workbench.models import Table

BEFORE_VERSIONS = """
CREATE TABLE workbench_user (
    id VARCHAR(64) NOT NULL, kind VARCHAR(20) NOT NULL, created_at FLOAT NOT NULL,
    CONSTRAINT pk_workbench_user PRIMARY KEY (id));
CREATE TABLE workbench_project (
    id VARCHAR(64) NOT NULL, owner_id VARCHAR(64) NOT NULL, name VARCHAR(120) NOT NULL,
    created_at FLOAT NOT NULL, opened_at FLOAT NOT NULL, deleted_at FLOAT,
    CONSTRAINT pk_workbench_project PRIMARY KEY (id),
    CONSTRAINT fk_workbench_project_owner_id FOREIGN KEY(owner_id) REFERENCES workbench_user (id));
CREATE INDEX ix_workbench_project_owner_id ON workbench_project (owner_id);
CREATE TABLE workbench_shot (
    id VARCHAR(64) NOT NULL, project_id VARCHAR(64) NOT NULL, name VARCHAR(120) NOT NULL,
    position INTEGER NOT NULL, created_at FLOAT NOT NULL, deleted_at FLOAT,
    CONSTRAINT pk_workbench_shot PRIMARY KEY (id),
    CONSTRAINT fk_workbench_shot_project_id FOREIGN KEY(project_id)
        REFERENCES workbench_project (id));
CREATE INDEX ix_workbench_shot_project_id ON workbench_shot (project_id);
INSERT INTO workbench_user VALUES ('ann', 'guest', 1.5);
INSERT INTO workbench_project VALUES ('p1', 'ann', 'Harbour', 2.5, 3.5, NULL);
INSERT INTO workbench_shot VALUES ('s1', 'p1', 'Gulls', 0, 4.5, NULL);
INSERT INTO workbench_shot VALUES ('s2', 'p1', 'Nets', 1, 5.5, 6.5);
"""
"""What `create_all` made before there were accounts, word for word, and some rows."""


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(query).fetchall()


async def test_a_database_of_the_version_before_opens_and_keeps_everything(own_database: Path):
    with sqlite3.connect(own_database) as connection:
        connection.executescript(BEFORE_VERSIONS)
    [project] = (await projects.list_projects("ann")).live
    assert (project.id, project.name, project.shots) == ("p1", "Harbour", 1)
    page = await projects.open_project("ann", "p1")
    assert [shot.name for shot in (*page.shots, *page.deleted)] == ["Gulls", "Nets"]
    user = "SELECT id, kind, created_at, name, password FROM workbench_user"
    assert rows(own_database, user) == [("ann", "guest", 1.5, None, None)]
    version = f"SELECT version_num FROM {migrations.VERSION_TABLE}"
    assert rows(own_database, version) == [(migrations.HEAD,)]
    await projects.create_shot("ann", "p1", "Crane")


async def test_a_database_from_before_sharing_keeps_its_owners_and_can_share(own_database: Path):
    with sqlite3.connect(own_database) as connection:
        connection.executescript(BEFORE_VERSIONS)
    engine = create_engine(f"sqlite:///{own_database}")
    with engine.begin() as connection:
        migrations.upgrade(connection, to="0002")
    engine.dispose()
    before = rows(own_database, "SELECT * FROM workbench_project ORDER BY id")
    [project] = (await projects.list_projects("ann")).live
    assert (project.role, project.members) == ("owner", 0)
    assert rows(own_database, "SELECT * FROM workbench_project ORDER BY id") == before
    token = await sharing.invite("ann", "p1", "editor")
    await sharing.join(token, "ben", "192.0.2.1")
    assert [m.role for m in (await sharing.sharing_of("ben", "p1")).members] == ["owner", "editor"]


@pytest.mark.parametrize("before", ["", BEFORE_VERSIONS])
async def test_the_migrations_make_what_the_models_say(own_database: Path, before: str):
    with sqlite3.connect(own_database) as connection:
        connection.executescript(before)
    await projects.list_projects("ann")
    engine = create_engine(f"sqlite:///{own_database}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: (
                    kind != "table" or name != migrations.VERSION_TABLE
                ),
            },
        )
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()


async def test_a_database_of_a_newer_workbench_is_left_alone_and_said_to_be(own_database: Path):
    await projects.list_projects("ann")
    database._engines.popitem()[1].dispose()
    with sqlite3.connect(own_database) as connection:
        connection.execute(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(Unavailable, match=r"version 9999.*start the newer workbench"):
        await projects.list_projects("ann")


async def test_a_migration_that_fails_leaves_the_database_as_it_was(own_database: Path):
    with sqlite3.connect(own_database) as connection:
        connection.executescript(BEFORE_VERSIONS)
        connection.execute("CREATE TABLE workbench_attempt (something_else TEXT)")
    with pytest.raises(Unavailable):
        await projects.list_projects("ann")
    columns = [name for _, name, *_ in rows(own_database, "PRAGMA table_info(workbench_user)")]
    assert columns == ["id", "kind", "created_at"]
    with sqlite3.connect(own_database) as connection:
        connection.execute("DROP TABLE workbench_attempt")
    assert len((await projects.list_projects("ann")).live) == 1


def test_every_version_has_its_file():
    files = (Path(migrations.__file__).parent / "versions").glob("[0-9]*.py")
    assert sorted(file.name[:4] for file in files) == list(migrations.VERSIONS)
    assert migrations.VERSIONS[-1] == migrations.HEAD
