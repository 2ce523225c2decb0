"""What `doctor` finds in a database file: each kind of damage, with a hint; and changes nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from persistence.store import Finding, MemoryStore, open_store, sqlite_check
from persistence.store.sqlite import SQLiteStore
from tests.store.files import SHOT, Make, opened


async def made(path: Path, write: Make, fields: int = 20) -> None:
    """A database with a history, closed."""
    async with opened(path) as store:
        first = await store.commit([write(f"f{n}", f'"{"x" * 200}"') for n in range(fields)])
        await store.commit([write(f"f{n}", "1", base=r) for n, r in enumerate(first.revisions)])
        await store.commit([write("token", "cipher", secret=True)])
        await store.prune(older_than=0.0, keep_operations_after=0.0)  # fills the timeline


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


async def findings(path: Path, *, threaded: bool = False) -> list[Finding]:
    """Of a store that nobody opened. Nothing in the folder changes by it."""

    def state() -> dict[str, bytes]:
        return {
            each.name: each.read_bytes()
            for each in path.parent.iterdir()
            if each.is_file() and not each.name.endswith("-shm")
        }

    before = state()
    found = await SQLiteStore(path, threaded=threaded).check()
    assert state() == before
    assert all(finding.hint for finding in found if finding.level != "ok")
    return found


def run(program: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def wrong(path: Path) -> list[tuple[str, str]]:
    return [(each.level, each.what) for each in await findings(path) if each.level != "ok"]


async def test_a_sound_database_has_nothing_but_good_news(
    tmp_path: Path, write: Make, threaded: bool
) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    found = await findings(path, threaded=threaded)
    assert {finding.level for finding in found} == {"ok"}
    said = " · ".join(finding.what for finding in found)
    for words in ("app.db has", "whole", "version 0004", "21 overrides, 41 changes", "every value"):
        assert words in said
    assert names(tmp_path) == ["app.db"]


async def test_a_store_in_use_is_checked_without_disturbing_it(tmp_path: Path, write: Make) -> None:
    async with opened(tmp_path / "app.db") as store:
        await store.commit([write()])
        other = sqlite3.connect(store.path, isolation_level=None)
        with closing(other):
            other.execute("BEGIN IMMEDIATE")
            assert {finding.level for finding in await store.check()} == {"ok"}
        await store.commit([write("after")])


async def test_memory_says_that_it_is_no_place_to_keep_things() -> None:
    (finding,) = await MemoryStore().check()
    assert (finding.level, "memory only" in finding.what) == ("ok", True)
    assert "sqlite:///" in finding.hint


async def test_a_missing_file_stays_missing(tmp_path: Path) -> None:
    ((level, what),) = await wrong(tmp_path / "app.db")
    assert level == "error"
    assert "there is no database" in what
    assert names(tmp_path) == []


async def test_a_folder_is_no_database(tmp_path: Path) -> None:
    (finding,) = await open_store(f"sqlite:///{tmp_path}").check()
    assert (finding.level, "isn't a file" in finding.what) == ("error", True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a letter to a friend, longer than a header" * 100, "isn't an SQLite database"),
        (b"", "it holds no settings"),
        (b"SQLite format 3\0" + b"\xff" * 5_000, "database"),
    ],
    ids=["letter", "empty", "header alone"],
)
async def test_what_is_no_database_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "app.db"
    path.write_bytes(content)
    found = await wrong(path)
    assert {level for level, _ in found} == {"error"}
    assert any(words in what for _, what in found)


async def test_a_damaged_file_is_reported_and_never_raises(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    await made(path, write, fields=300)
    sound = path.read_bytes()
    for start in range(0, len(sound), 8 * 4096):
        path.write_bytes(sound[:start] + b"\xa5" * 4096 + sound[start + 4096 :])
        found = await findings(path)
        assert any(each.level == "error" for each in found), f"page at {start}"
    path.write_bytes(sound[: len(sound) // 2])
    found = await findings(path)
    assert any("damaged" in each.what and ".recover" in each.hint for each in found)


async def test_an_override_whose_journal_row_is_missing(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    sql(path, "DELETE FROM persistence_change WHERE field = 'f3' AND text = '1'")
    (lost,) = await wrong(path)
    assert lost == (
        "error",
        "1 override ('f3' of shot s1 of travel) without the journal row that holds its value",
    )


async def test_an_override_that_points_to_another_fields_row(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    sql(path, "UPDATE persistence_override SET revision = 25 WHERE field = 'f9'")
    assert ("error", "1 override ('f9'") in [(a, b[:16]) for a, b in await wrong(path)]


@pytest.mark.parametrize("text", ["'{'", "'NaN'", "x'22ff22'", "''", "'[' || '[' || '1'"])
async def test_a_value_that_is_no_json(tmp_path: Path, write: Make, text: str) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    sql(
        path,
        f"UPDATE persistence_change SET text = CAST({text} AS TEXT) "
        "WHERE (field = 'f3' AND text = '1') OR (field = 'f4' AND text != '1')",
    )
    assert await wrong(path) == [
        ("error", "1 value ('f3' of shot s1 of travel) that can't be read"),
        ("warning", "1 past value ('f4' of shot s1 of travel) that can't be read"),
    ]


async def test_a_value_that_is_gone(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    sql(path, "UPDATE persistence_change SET text = NULL WHERE field = 'f3'")
    assert await wrong(path) == [
        ("error", "1 value ('f3' of shot s1 of travel) that can't be read")
    ]


async def test_a_secret_that_was_no_secret_once(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    async with opened(path) as store:
        (revision,) = (await store.commit([write("key", '"open sesame"')])).revisions
        await store.commit([write("key", "cipher", base=revision, secret=True)])
        await store.prune(older_than=0.0, keep_operations_after=0.0)
    ((level, what),) = await wrong(path)
    assert (level, "1 secret ('key' of shot s1 of travel)" in what) == ("warning", True)
    assert "sesame" not in repr(await findings(path))


async def test_a_counter_behind_the_journal_and_one_ahead_of_it(
    tmp_path: Path, write: Make
) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    sql(path, "UPDATE persistence_counter SET value = 7 WHERE name = 'revision'")
    assert await wrong(path) == [
        ("warning", "the counter of revisions is behind the journal (7 of 41)")
    ]
    sql(path, "UPDATE persistence_counter SET value = 99 WHERE name = 'timeline'")
    assert ("error", "the counter 'timeline' is ahead of the journal (99 of 41)") in await wrong(
        path
    )
    sql(path, "DELETE FROM persistence_counter WHERE name = 'timeline'")
    assert ("error", "counters are missing: timeline") in await wrong(path)


@pytest.mark.parametrize("index", ["timeline", "authored"])
async def test_histories_that_lack_changes_and_the_hint_mends_them(
    tmp_path: Path, write: Make, index: str
) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    sql(path, f"DELETE FROM persistence_{index} WHERE revision IN (5, 6)")
    (finding,) = [each for each in await findings(path) if each.level != "ok"]
    assert (finding.level, finding.what) == (
        "error",
        "histories lack 2 changes that the journal has",
    )
    sql(path, finding.hint.partition("run: ")[2].partition(";")[0])
    async with opened(path) as store:
        await store.prune(older_than=0.0, keep_operations_after=0.0)
        assert len(await store.history([SHOT], limit=100)) == 41
        assert len(await store.authored("ann")) == 41
    assert await wrong(path) == []


async def test_an_index_far_behind(
    tmp_path: Path, write: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_check, "FAR_BEHIND", 10)
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await store.commit([write(f"f{number}") for number in range(11)])
    assert await wrong(path) == [
        ("warning", "the histories' index is 11 changes behind, so that they are slow to read")
    ]


async def test_changes_from_the_future(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await store.commit([write("a", at=time.time() + 10 * 86_400), write("b", at=time.time())])
    ((level, what),) = await wrong(path)
    assert (level, what[:35]) == ("warning", "1 changes are dated in the future; ")


@pytest.mark.parametrize(
    ("value", "level", "words"),
    [
        ("0001", "warning", "of version 0001; this library's are of 0004"),
        ("9999", "error", "of version 9999, made by a newer version"),
    ],
)
async def test_tables_of_another_version(
    tmp_path: Path, write: Make, value: str, level: str, words: str
) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    sql(path, f"UPDATE persistence_alembic_version SET version_num = '{value}'")
    ((found, what),) = await wrong(path)
    assert (found, words in what) == (level, True)


async def test_a_disk_and_a_log_that_are_nearly_full(
    tmp_path: Path, write: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await store.commit([write()])
        monkeypatch.setattr(sqlite_check, "LITTLE_ROOM", 2**60)
        monkeypatch.setattr(sqlite_check, "MUCH_WAL", 0)
        found = [each for each in await store.check() if each.level == "warning"]
    assert ["are left on its disk" in found[0].what, "-wal has grown" in found[1].what] == [
        True
    ] * 2


async def test_who_may_read_and_write_the_file(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    await made(path, write)
    path.chmod(0o666)
    assert await wrong(path) == [("warning", "app.db may be written by every user here")]
    path.chmod(0o600)
    assert await wrong(path) == []


def test_a_file_of_somebody_else_is_said() -> None:
    with TemporaryDirectory() as folder:
        found = run(AS_SOMEBODY_ELSE, Path(folder) / "app.db")
    assert "may not be read by this user" in found.stdout, found.stderr


AS_SOMEBODY_ELSE = """
import os, pathlib, sys
from persistence.store import sqlite_check
from persistence.store.statements import statements
path = pathlib.Path(sys.argv[1])
path.write_bytes(b"")
path.chmod(0)
if os.geteuid() == 0:  # no file is closed to root
    path.parent.chmod(0o755)
    os.setuid(65534)
print(sqlite_check.check(path, statements("persistence_")))
"""


async def test_a_file_that_a_killed_process_left_is_checked_and_left_as_it_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.db"
    child = run(KILLED, path)
    assert child.returncode == -signal.SIGKILL
    assert (tmp_path / "app.db-wal").stat().st_size > 0
    found = await findings(path)
    assert {finding.level for finding in found} == {"ok"}
    assert any("1 overrides" in finding.what for finding in found)


KILLED = """
import asyncio, os, signal, sys
from persistence.scopes import Target
from persistence.store import Write
from persistence.store.sqlite import SQLiteStore
store = SQLiteStore(sys.argv[1], threaded=False)
asyncio.run(store.commit([Write(Target("shot", "s", "t"), "f", "set", "1", 0, "a", "user", 1.0)]))
os.kill(os.getpid(), signal.SIGKILL)
"""
