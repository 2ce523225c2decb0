"""A database that an older version of the library wrote opens, and nothing in it is lost."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from persistence.scopes import Target
from persistence.store import migrations
from tests.store.files import SHOT, Make, opened

PROJECT = Target("project", "p1", "travel")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Written by tables of version 0001; the timeline reached up to revision 6 of 8."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / "0001.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def version(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM persistence_alembic_version").fetchone()[0]


async def test_an_old_database_is_brought_up_to_date_and_loads_as_before(
    old: Path, write: Make, threaded: bool
) -> None:
    async with opened(old, threaded=threaded) as store:
        rows = await store.load([SHOT, PROJECT])
        found = {(t.owner, f): row[:3] for t, fields in rows.items() for f, row in fields.items()}
        assert found == {
            ("s1", "frames"): ("set", "50", 8),
            ("s1", "prompt"): ("set", '"A bridge in the fog"', 2),
            ("s1", "mode"): ("reset", None, 7),
            ("p1", "frames"): ("policy", "61", 3),
            ("p1", "token"): ("set", "gAAAA-cipher", 5),
        }
        assert await store.done(["op-bob-g3-frames"]) == {"op-bob-g3-frames": 4}
        assert (await store.commit([write(base=8)])).revisions == range(9, 10)
    assert version(old) == migrations.HEAD


async def test_old_changes_are_found_by_author_action_field_and_time(old: Path) -> None:
    async with opened(old) as store:
        assert [each.revision for each in await store.authored("ann")] == [8, 7, 6, 5, 2, 1]
        assert [each.revision for each in await store.authored("bob")] == [4, 3]
        assert [each.field for each in await store.group("g1", "ann")] == ["prompt", "frames"]
        assert [each.revision for each in await store.group("g7", "ann")] == [8]
        assert [each.revision for each in await store.history([SHOT], field="frames")] == [8, 4, 1]
        before = await store.standing([(SHOT, "frames", 8), (SHOT, "frames", 4)])
        assert [each and each.text for each in before.values()] == ["48", "41"]
        layer = (await store.at([SHOT], 6))[SHOT]
        assert {field: each.text for field, each in layer.items()} == {
            "frames": "48",
            "prompt": '"A bridge in the fog"',
            "mode": '"basic"',
        }
        assert (await store.last_revision(), await store.pruned()) == (8, 0)
        assert {finding.level for finding in await store.check()} == {"ok"}


async def test_an_old_database_can_be_pruned(old: Path) -> None:
    async with opened(old) as store:
        assert await store.prune(older_than=2e9, keep_operations_after=0.0) == 5
        assert [each.revision for each in await store.authored("ann")] == [8, 5, 2]
        assert "mode" not in (await store.load([SHOT]))[SHOT]


async def test_a_migration_that_fails_leaves_the_old_version_whole(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("CREATE TABLE persistence_preset (of_the_app)")
        before = list(connection.iterdump())
    async with opened(old) as store:
        with pytest.raises(Exception, match="already exists"):
            await store.open()
    with closing(sqlite3.connect(old)) as connection:
        assert list(connection.iterdump()) == before
        connection.execute("DROP TABLE persistence_preset")
    async with opened(old) as store:
        assert len(await store.authored("ann")) == 6


async def test_several_that_open_an_old_database_at_once_migrate_it_once(old: Path) -> None:
    async with opened(old, busy_timeout=20) as one, opened(old, busy_timeout=20) as two:
        await asyncio.gather(one.open(), two.open())
        assert await one.authored("ann") == await two.authored("ann") != []
