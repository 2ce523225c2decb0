"""Databases of each version of the tables there was, as SQL text: nothing in them is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from persistence.scopes import Target
from persistence.store import migrations
from tests.store.files import Make, opened

HERE = Path(__file__).parent
Key = tuple[Target, str]


@pytest.fixture(params=migrations.VERSIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((HERE / f"{request.param}.sql").read_text(encoding="utf-8"))
    return path


def held(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


STANDING = (
    "SELECT o.scope, o.owner, o.tool, o.field, o.kind, coalesce(o.secret, c.text), o.revision, "
    "c.author, c.at, c.version, c.note FROM persistence_override o "
    "JOIN persistence_change c ON c.revision = o.revision"
)
HISTORY = "SELECT revision, scope, owner, tool, field, kind, text, author FROM persistence_change"


async def test_every_value_is_there_as_it_was(old: Path) -> None:
    expected = {(Target(*row[:3]), row[3]): row[4:] for row in held(old, STANDING)}
    assert len(expected) >= 5
    async with opened(old) as store:
        rows = await store.load({target for target, _ in expected})
        found = {(t, f): tuple(row) for t, fields in rows.items() for f, row in fields.items()}
    assert found == expected


async def test_the_whole_history_is_there(old: Path) -> None:
    expected = sorted(held(old, HISTORY), reverse=True)
    targets = {Target(*row[1:4]) for row in expected}
    async with opened(old) as store:
        changes = await store.history(targets, limit=1_000)
        assert [
            (c.revision, *c.target, c.field, c.kind, c.text, c.author) for c in changes
        ] == expected
        assert await store.last_revision() == expected[0][0]


async def test_operations_moments_and_presets_are_there(old: Path) -> None:
    operations = dict(held(old, "SELECT id, revision FROM persistence_operation"))
    assert operations
    has_names = held(old, "SELECT 1 FROM sqlite_schema WHERE name = 'persistence_moment'")
    async with opened(old) as store:
        assert await store.done(list(operations)) == operations
        if has_names:
            (moment,) = await store.moments("shot", "s1")
            assert (moment.name, moment.revision) == ("before the storm", 7)
            (preset,) = await store.presets("project", "p1", "travel")
            assert preset.text == '{"frames":12}'


async def test_it_is_sound_and_goes_on(old: Path, write: Make) -> None:
    (base,) = held(
        old, "SELECT revision FROM persistence_override WHERE owner = 's1' AND field = 'frames'"
    )[0]
    async with opened(old) as store:
        receipt = await store.commit([write("frames", "99", base=base), write("new", "1")])
        assert not receipt.moved
        assert all(finding.level != "error" for finding in await store.check())
    (version,) = held(old, "SELECT version_num FROM persistence_alembic_version")[0]
    assert version == migrations.HEAD


def test_each_version_has_its_text() -> None:
    """A new version comes with `python -m tests.store.fixtures > tests/store/000N.sql`."""
    assert sorted(file.stem for file in HERE.glob("0*.sql")) == sorted(migrations.VERSIONS)
