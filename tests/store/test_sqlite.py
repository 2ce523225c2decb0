"""What only a database in a file can suffer: odd rows, other processes, kills, newer versions."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from persistence.errors import StoreRefused, StoreTooNew, StoreUnavailable
from persistence.scopes import Target
from persistence.store import MemoryStore, Moment, Write, open_store
from persistence.store import sqlite_journal as journal
from persistence.store import sqlite_prune as prune
from persistence.store import sqlite_read as read
from persistence.store.lanes import explain
from persistence.store.sqlite import SQLiteStore
from tests.store.files import SHOT, Make, fields, opened

# --- one row of many -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "poison",
    [{"text": '"\ud800"'}, {"version": 2**70}, {"author": None}, {"note": object()}],
    ids=["half a character", "a huge number", "no author", "no text"],
)
async def test_a_row_that_the_database_cant_take_fails_alone(
    tmp_path: Path, write: Make, threaded: bool, poison: dict[str, object]
) -> None:
    async with opened(tmp_path / "app.db", threaded=threaded) as store:
        receipt = await store.commit([write("a"), write("bad", **poison), write("b")])
        assert list(receipt.refused) == [1]
        assert "can't store this" in receipt.refused[1]
        assert list(receipt.revisions) == [1, 0, 2]
        assert await fields(store) == ["a", "b"]
        assert len(await store.history([SHOT])) == 2


async def test_a_name_that_the_database_cant_take_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path / "app.db") as store:
        with pytest.raises(StoreRefused, match="can't store this"):
            await store.name_moment(Moment("shot", "s1", "\ud800", 1, "ann", 1.0))
        await store.name_moment(Moment("shot", "s1", "next", 1, "ann", 1.0))
        assert len(await store.moments("shot", "s1")) == 1


async def test_a_batch_that_fails_in_the_middle_leaves_nothing(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await store.commit([write("before")])
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(
                "CREATE TRIGGER stop BEFORE INSERT ON persistence_change WHEN new.field = 'f150' "
                "BEGIN SELECT raise(ROLLBACK, 'pulled the plug'); END"
            )
        with pytest.raises((StoreUnavailable, StoreRefused)):
            await store.commit([write(f"f{number}") for number in range(300)])
        assert await fields(store) == ["before"]
        assert len(await store.history([SHOT])) == 1


async def test_a_batch_of_thousands_with_one_that_moved(tmp_path: Path, write: Make) -> None:
    async with opened(tmp_path / "app.db") as store:
        await store.commit([write("f700")])
        receipt = await store.commit([write(f"f{number}") for number in range(2_500)])
        assert list(receipt.moved) == [700]
        assert sorted(set(receipt.revisions)) == [0, *range(2, 2_501)]
        assert len(await fields(store)) == 2_500


# --- the timeline behind the journal -------------------------------------------------------------


class Hasty(SQLiteStore):
    """Extends the timeline all the time, in small runs."""

    BEHIND = FAR_BEHIND = 1
    EXTENDED_AT_ONCE = 7


class Patient(SQLiteStore):
    """Extends it after a short quiet."""

    BEHIND = 1
    QUIET = 0.05
    EXTENDED_AT_ONCE = 7


class Lazy(SQLiteStore):
    """Never extends it."""

    BEHIND = 1_000_000


@pytest.mark.parametrize("kind", [Hasty, Lazy, SQLiteStore])
async def test_the_history_is_the_same_however_far_the_timeline_is(
    tmp_path: Path, write: Make, threaded: bool, kind: type[SQLiteStore]
) -> None:
    store = kind(tmp_path / "app.db", threaded=threaded)
    other = Target("shot", "s2", "travel")
    base = 0
    for number in range(100):
        receipt = await store.commit(
            [write(text=str(number), base=base), write(f"f{number}", target=other)]
        )
        base = receipt.revisions[0]
    pages: list[str | None] = []
    before = None
    while page := await store.history([SHOT], before=before, limit=7):
        pages += [change.text for change in page]
        before = page[-1].revision
    assert pages == [str(number) for number in reversed(range(100))]
    assert len(await store.history([SHOT, other], limit=1_000)) == 200
    assert len(await store.history([other], field="f7")) == 1
    assert len(await store.authored("ann", limit=1_000)) == 200
    assert len(await store.group("g1", "ann")) == 200
    before = await store.standing([(SHOT, "frames", r) for r in (base, 100, 1)])
    assert [each and each.text for each in before.values()] == ["98", "49", None]
    layers = await store.at([SHOT, other], 100)
    assert (layers[SHOT]["frames"].text, len(layers[other])) == ("49", 50)
    assert await store.forget("shot", "s2") == 100
    gone = await store.last_revision()  # the row that forgetting leaves
    assert await store.prune(older_than=2.0, keep_operations_after=0.0) == 99
    assert [change.text for change in await store.history([SHOT, other])] == ["99"]
    await store.close()
    with closing(sqlite3.connect(store.path)) as connection:
        for index in ("timeline", "authored"):
            left = connection.execute(f"SELECT revision FROM persistence_{index}").fetchall()
            assert sorted(left) == [(base,), (gone,)]


async def test_the_timeline_catches_up_when_nothing_else_is_to_do(
    tmp_path: Path, write: Make
) -> None:
    store = Patient(tmp_path / "app.db")
    await store.commit([write(f"f{number}") for number in range(100)])
    with closing(sqlite3.connect(store.path)) as connection:
        count = "SELECT count(*) FROM persistence_timeline"
        assert connection.execute(count).fetchone() == (0,)
        async with asyncio.timeout(20):
            while connection.execute(count).fetchone() != (100,):
                await asyncio.sleep(0.01)
    await store.close()


async def test_what_is_answered_survives_a_power_cut(
    tmp_path: Path, write: Make, threaded: bool
) -> None:
    """SQLite's promise for these two settings; the timeline's own may be weaker for a moment."""
    async with opened(tmp_path / "app.db", threaded=threaded) as store:
        for kind in (store, Hasty(store.path, threaded=threaded)):
            await kind.commit([write(f"f{id(kind)}")])
            await kind.commit([write(f"g{id(kind)}")])
            found = await kind._writer.run(
                lambda connection: [
                    connection.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("synchronous", "journal_mode")
                ]
            )
            assert found == [2, "wal"]
            await kind.close()


# --- several at once -----------------------------------------------------------------------------


async def test_two_processes_share_a_file(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    async with opened(path, busy_timeout=20) as one, opened(path, busy_timeout=20) as two:
        await asyncio.gather(one.open(), two.open())
        for number in range(20):
            await one.commit([write(f"one{number}")])
            await two.commit([write(f"two{number}")])
        assert await fields(one) == await fields(two)
        assert len(await fields(one)) == 40
        (moved,) = (await two.commit([write("one1", "0")])).moved.values()
        assert moved is not None


async def test_a_load_does_not_wait_for_a_save(tmp_path: Path, write: Make) -> None:
    async with opened(tmp_path / "app.db") as store:
        await store.commit([write("before")])
        released = threading.Event()
        slow = asyncio.ensure_future(store._writer.run(lambda _: released.wait(30)))
        assert await asyncio.wait_for(fields(store), 10) == ["before"]
        assert not slow.done()
        released.set()
        await slow


async def test_small_loads_change_to_the_readers_thread_when_they_take_long(
    tmp_path: Path, write: Make
) -> None:
    async with opened(tmp_path / "app.db") as store:
        await store.commit([write()])
        glance = store._glance
        assert glance is not None
        glance.LONG = -1.0
        glance.close()
        here = threading.get_ident()
        assert glance(lambda _: threading.get_ident()) == here
        assert glance(lambda _: threading.get_ident()) is None
        assert await store._read(lambda _: threading.get_ident()) != here
        assert await fields(store) == ["frames"]


async def test_closing_finishes_what_was_begun_and_opening_goes_on(
    tmp_path: Path, write: Make
) -> None:
    async with opened(tmp_path / "app.db") as store:
        begun = [asyncio.ensure_future(store.commit([write(f"f{n}")])) for n in range(10)]
        await asyncio.sleep(0)
        await store.close()
        assert all(receipt.revisions[0] for receipt in await asyncio.gather(*begun))
        assert len(await fields(store)) == 10


# --- killed --------------------------------------------------------------------------------------

WRITER = """
import asyncio, sys
from persistence.scopes import Target
from persistence.store import Write
from persistence.store.sqlite import SQLiteStore

async def main():
    store = SQLiteStore(sys.argv[1])
    number = 0
    while True:
        writes = [
            Write(Target("shot", f"s{number}-{n}", "t"), "f", "set", str(number), 0, "a", "user",
                  1.0, operations=(f"{number:08d}-{n}",))
            for n in range(20)
        ]
        receipt = await store.commit(writes)
        print(number, *receipt.revisions, flush=True)
        number += 1

asyncio.run(main())
"""


def write_until_killed(path: Path, lines: int) -> list[str]:
    """What a process confirmed that was killed after so many lines, or a little later."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
    )
    assert child.stdout is not None
    confirmed = [child.stdout.readline() for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate()
    return confirmed + [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.parametrize("lines", [3, 40, 100])
async def test_nothing_confirmed_is_missing_after_a_kill(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "app.db"
    confirmed = write_until_killed(path, lines)
    assert len(confirmed) >= lines
    async with opened(path) as store:
        for line in confirmed:
            number, *revisions = map(int, line.split())
            targets = [Target("shot", f"s{number}-{n}", "t") for n in range(20)]
            rows = await store.load(targets)
            assert [rows[each]["f"].revision for each in targets] == revisions
            assert len(await store.done([f"{number:08d}-{n}" for n in range(20)])) == 20
        (after,) = (
            await store.commit([Write(SHOT, "x", "set", "1", 0, "a", "user", 1.0)])
        ).revisions
        assert (after - 1) % 20 == 0, "a batch is there as a whole or not at all"


# --- errors and addresses ------------------------------------------------------------------------


def coded(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    error = kind("what the driver says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_BUSY, "locked"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "locked"),
        (sqlite3.SQLITE_FULL, "no room left"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "read-only"),
        (sqlite3.SQLITE_IOERR_FSYNC, "the disk reports an error"),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, "can't be opened"),
        (sqlite3.SQLITE_CORRUPT, "damaged"),
        (sqlite3.SQLITE_ERROR, "what the driver says"),
    ],
)
def test_what_may_pass_is_unavailable_and_says_why_in_words(code: int, words: str) -> None:
    found = explain(coded(code), Path("/srv/ann/app.db"))
    assert isinstance(found, StoreUnavailable)
    assert words in str(found)
    assert "app.db" in str(found)
    assert "/srv/ann" not in str(found)


def test_what_can_never_be_stored_is_refused() -> None:
    found = explain(coded(sqlite3.SQLITE_CONSTRAINT, sqlite3.IntegrityError), Path("app.db"))
    assert isinstance(found, StoreRefused)


async def test_tables_of_a_newer_version_are_left_alone(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await store.commit([write()])
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE persistence_alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    async with opened(path) as store:
        for call in (store.open, lambda: store.load([SHOT]), lambda: store.commit([write()])):
            with pytest.raises(StoreTooNew, match=r"version 9999.*up to"):
                await call()
    assert path.read_bytes() == before


def test_urls(tmp_path: Path) -> None:
    assert isinstance(open_store("memory:"), MemoryStore)
    assert isinstance(open_store("sqlite://"), MemoryStore)
    relative, absolute = open_store("sqlite:///data/app.db"), open_store("sqlite:////var/a%20b.db")
    assert isinstance(relative, SQLiteStore)
    assert isinstance(absolute, SQLiteStore)
    assert (relative.path, absolute.path) == (Path("data/app.db"), Path("/var/a b.db"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://ann:secret@host/db", "later version"),
        ("postgresql+asyncpg://ann:secret@host/db", "later version"),
        ("mysql://ann:secret@host/db", "mysql://… names no database"),
        ("sqlite:/app.db", "names no database"),
        ("sqlite:///", "names no database"),
        ("sqlite:///app.db?mode=ro", "names no database"),
        ("app.db", "names no database"),
        ("", "names no database"),
    ],
)
def test_another_url_is_refused_with_a_hint_and_without_its_password(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        open_store(url)
    assert "sqlite:///app.db" in str(caught.value)
    assert "secret" not in str(caught.value)


def searches(path: Path, reads: Callable[[sqlite3.Connection], object]) -> list[str]:
    """The steps of the plans of all queries that are made within, but for scans of constants."""
    statements: list[str] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("ANALYZE")
        other.set_trace_callback(statements.append)
        reads(other)
        other.set_trace_callback(None)
        plans = [
            other.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
            for statement in statements
            if statement not in ("BEGIN", "COMMIT")
        ]
    assert plans
    steps = [step[3] for plan in plans for step in plan]
    return [step for step in steps if "CONSTANT" not in step and step not in CONSTANTS]


CONSTANTS = ("SCAN w", "SCAN wanted", "SCAN k")  # the targets of a load; a few rows of a range


async def test_loads_and_histories_search_and_never_scan(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    other = Target("shot", "s2", "travel")
    async with opened(path) as store:
        await store.commit([write(f"f{number}") for number in range(2_000)])
        await store.prune(older_than=0.0, keep_operations_after=0.0)  # fills the timeline
        await store.commit([write(f"f{number}", target=other) for number in range(5)])
        sql = store._sql

        def reads(c: sqlite3.Connection) -> None:
            read.load(c, sql, [SHOT])
            read.load(c, sql, [SHOT, other, SHOT])
            read.done(c, sql, ["a", "b", "c"])
            c.execute(sql.row(), (*SHOT, "f1"))
            c.execute(sql.tools, SHOT[:2])
            assert len(journal.history(c, sql, [SHOT, other], None, None, 200)) == 200
            assert len(journal.history(c, sql, [SHOT], "f1", 90, 9)) == 1
            assert len(journal.authored(c, sql, "ann", None, 200)) == 200
            assert len(journal.authored(c, sql, "ann", 50, 200)) == 49
            assert len(journal.group(c, sql, "g1", "ann")) == 2_005
            points = [(SHOT, "f1", 90), (other, "f2", 3_000)]
            assert all(journal.standing(c, sql, points).values())
            assert list(map(len, journal.at(c, sql, [SHOT, other], 2_002).values())) == [2_000, 2]

        steps = searches(path, reads)
        assert [step for step in steps if step.startswith("SCAN")] == []
        # How a layer stood is grouped by field: what stands in the timeline comes by revision.
        assert (
            set(steps) & {"USE TEMP B-TREE FOR ORDER BY", "USE TEMP B-TREE FOR DISTINCT"} == set()
        )

        def ends(c: sqlite3.Connection) -> None:
            for statement in sql.forget:
                c.execute(statement, ("shot", "s2"))
            prune.look(c, sql, 0, 100)
            prune.remove_replaced(c, sql, [1, 2, 3], 100)
            prune.remove_tombstones(c, sql, [1, 2, 3], 100)

        steps = searches(path, ends)
        assert [step for step in steps if step.startswith("SCAN")] == []


async def test_a_backup_made_while_in_use_can_be_opened(tmp_path: Path, write: Make) -> None:
    async with opened(tmp_path / "app.db") as store:
        await store.commit([write()])
        with (
            closing(sqlite3.connect(store.path)) as source,
            closing(sqlite3.connect(tmp_path / "backup.db")) as target,
        ):
            source.backup(target)
    shutil.move(tmp_path / "backup.db", tmp_path / "app2.db")
    async with opened(tmp_path / "app2.db") as store:
        assert await fields(store) == ["frames"]


async def test_a_wait_for_another_programs_lock_does_not_stop_the_event_loop(
    tmp_path: Path, write: Make
) -> None:
    store = SQLiteStore(tmp_path / "app.db", busy_timeout=10)
    await store.commit([write("before")])
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(store.commit([write("after")]))
        begun = time.monotonic()
        await asyncio.sleep(0.05)
        assert time.monotonic() - begun < 5
        assert not waiting.done()
        other.execute("COMMIT")
    await waiting
    assert await fields(store) == ["after", "before"]
    await store.close()
