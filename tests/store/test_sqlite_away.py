"""A database that is away, locked, full, read-only or damaged: said, untouched, and healed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from persistence.errors import StoreUnavailable
from tests.store.files import SHOT, Make, fields, opened

# --- away, and back ------------------------------------------------------------------------------


async def test_a_missing_folder_is_said_and_heals_when_it_is_made(
    tmp_path: Path, write: Make, threaded: bool
) -> None:
    path = tmp_path / "missing" / "app.db"
    async with opened(path, threaded=threaded) as store:
        for call in (store.open, lambda: store.load([SHOT]), lambda: store.commit([write()])):
            with pytest.raises(StoreUnavailable, match=r"app\.db can't be opened; see that its f"):
                await call()
        path.parent.mkdir()
        await store.commit([write()])
        assert await fields(store) == ["frames"]


async def test_what_is_no_database_is_said_and_left_as_it_is(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    path.write_bytes(b"a letter to a friend, longer than a header" * 100)
    async with opened(path) as store:
        with pytest.raises(StoreUnavailable, match="isn't an SQLite database"):
            await store.commit([write()])
        assert path.read_bytes().startswith(b"a letter")
        path.unlink()
        await store.commit([write()])


async def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        with pytest.raises(StoreUnavailable, match="can't be opened"):
            await store.open()


async def test_a_locked_database_refuses_for_now_but_can_be_read(
    tmp_path: Path, write: Make, threaded: bool
) -> None:
    path = tmp_path / "app.db"
    async with opened(path, threaded=threaded) as store:
        await store.commit([write("before")])
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match=r"app\.db is locked by another program"):
                await store.commit([write("during")])
            assert await fields(store) == ["before"]
        await store.commit([write("after")])
        assert await fields(store) == ["after", "before"]


async def test_a_database_that_is_locked_at_the_start_opens_later(
    tmp_path: Path, write: Make
) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        async with opened(path) as store:
            with pytest.raises(StoreUnavailable, match="locked"):
                await store.open()
            other.execute("ROLLBACK")
            await store.commit([write()])
            assert await fields(store) == ["frames"]


async def test_a_full_disk_refuses_for_now_and_loses_nothing(
    tmp_path: Path, write: Make, threaded: bool
) -> None:
    async with opened(tmp_path / "app.db", threaded=threaded) as store:
        await store.commit([write("before")])
        connection = store._writer._connection
        assert connection is not None
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        big = [write(f"f{number}", "x" * 10_000) for number in range(20)]
        with pytest.raises(StoreUnavailable, match="no room left"):
            await store.commit(big)
        assert await fields(store) == ["before"]
        connection.execute("PRAGMA max_page_count = 1000000")
        await store.commit(big)
        assert len(await fields(store)) == 21


async def test_a_read_only_database_can_be_read(tmp_path: Path, write: Make) -> None:
    async with opened(tmp_path / "app.db") as store:
        await store.commit([write("before")])
        assert store._writer._connection is not None
        store._writer._connection.execute("PRAGMA query_only = ON")  # as root, chmod stops nobody
        with pytest.raises(StoreUnavailable, match="read-only"):
            await store.commit([write("during")])
        assert await fields(store) == ["before"]
        await store.commit([write("after")])  # on a new connection
        assert await fields(store) == ["after", "before"]


async def test_a_file_that_was_deleted_is_not_written_to(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await store.commit([write("before")])
        for each in ("app.db", "app.db-wal", "app.db-shm"):
            (tmp_path / each).unlink()
        receipt = await store.commit([write("after"), write("before", base=1)])
        assert receipt.moved == {1: None}
        async with opened(path) as other:
            assert await fields(other) == ["after"]


async def test_a_copy_put_in_its_place_is_used(tmp_path: Path, write: Make) -> None:
    path, copy = tmp_path / "app.db", tmp_path / "copy.db"
    async with opened(copy) as store:
        await store.commit([write("copied")])
    async with opened(path) as store:
        await store.commit([write("before")])
        for each in ("app.db-wal", "app.db-shm"):
            (tmp_path / each).unlink()
        copy.replace(path)
        assert await fields(store) == ["copied"]


async def test_a_damaged_database_is_said_and_not_touched(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await store.commit([write(f"f{number}", "x" * 2_000) for number in range(200)])
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xa5" * (len(raw) - 4096)
    path.write_bytes(raw)
    async with opened(path) as store:
        with pytest.raises(StoreUnavailable, match="damaged"):
            await store.load([SHOT])
        with pytest.raises(StoreUnavailable, match="damaged"):
            await store.commit([write()])
    assert path.read_bytes() == raw


async def test_a_row_that_is_no_text_any_more_comes_alone(tmp_path: Path, write: Make) -> None:
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await store.commit([write("good", '"é"'), write("bad")])
        with closing(sqlite3.connect(path)) as other, other:
            other.execute(
                "UPDATE persistence_change SET text = CAST(x'22ff22' AS TEXT) WHERE field = 'bad'"
            )
        rows = (await store.load([SHOT]))[SHOT]
        assert rows["good"].text == '"é"'
        assert rows["bad"].text == '"\udcff"'
        with pytest.raises(UnicodeEncodeError):
            (rows["bad"].text or "").encode()


async def test_an_override_whose_journal_row_is_gone_is_not_hidden(
    tmp_path: Path, write: Make
) -> None:
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await store.commit([write()])
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("DELETE FROM persistence_change")
        row = (await store.load([SHOT]))[SHOT]["frames"]
        assert (row.kind, row.text, row.revision, row.author) == ("set", None, 1, "")
