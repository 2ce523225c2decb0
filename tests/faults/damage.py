"""Rows, bytes and files that are damaged: what can be read is right, what can't is told and kept.

By turns rows that say what nobody can read, bytes of the file turned, the file cut off, and its
write-ahead log turned or cut. Somebody opens it, reads, edits also what is damaged, and prunes.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

from persistence import Engine, PersistenceError, Settings, setting
from persistence.commits import Committer
from persistence.store.base import Write
from persistence.store.sqlite import SQLiteStore
from tests.faults.tally import Experiment, Tally

SHOTS = [f"s{number}" for number in range(6)]
WAYS = ("row", "row", "bytes", "cut", "log")
BAD_TEXTS = (
    b'{"a"', b"NaN", b'"unclosed', b'\xff\xfe"', b"", b"[" * 5_000, b'{"it": "was another type"}',
    b"12e99999", b"null", b"\x00",
)  # fmt: skip


class Damaged(Settings, tool="faults-damaged", edit="shot"):
    one: str = setting("", inherit=False)
    two: str = setting("", inherit=False)
    three: int = setting(0, inherit=False)


FIELDS = tuple(Damaged.model_fields)
Key = tuple[str, str]


def value_of(shot: str, field: str) -> object:
    return int(shot[1:]) + 1 if field == "three" else f"{shot} {field}"


def run(count: int, seed: int, folder: Path) -> Tally:
    tally = Tally()
    for number in range(seed, seed + count):
        path = folder / "app.db"
        random, way = Random(number), WAYS[number % len(WAYS)]
        asyncio.run(fill(path, keep_log=way == "log"))
        where = f"{way} ({number})"
        bad = damage_rows(path, random) if way == "row" else {}
        if way != "row":
            damage_file(path, random, way)
        before = path.read_bytes()
        try:
            untouched = asyncio.run(live_on(path, set(bad), tally, where))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a crash
            tally.fault(f"{where}: crashed with {error!r}")
            untouched = False
        if untouched and path.read_bytes() != before:
            tally.fault(f"{where}: a file that nobody could read was written to")
        for key, text in bad.items():
            if not is_kept(path, key, text):
                tally.lose(f"{where}: {text[:40]!r} of {key} is gone")
        tally.happened[way] += 1
        tally.count += 1
        for each in folder.iterdir():
            each.unlink()
    return tally


async def fill(path: Path, *, keep_log: bool) -> None:
    store = SQLiteStore(path, threaded=False)
    async with Engine(store, scopes=("user", "shot")) as engine:
        for shot in SHOTS:
            binding = await engine.open(Damaged, {"shot": shot}, actor="ann")
            binding.update(**{field: value_of(shot, field) for field in FIELDS})
        await engine.flush()
        if keep_log:  # as a killed process leaves it
            for file in (path, path.with_name("app.db-wal")):
                shutil.copy(file, f"{file}.kept")
    if keep_log:
        for file in (path, path.with_name("app.db-wal")):
            Path(f"{file}.kept").replace(file)  # noqa: ASYNC240  # nothing else runs


def damage_rows(path: Path, random: Random) -> dict[Key, bytes]:
    """Some values become what nobody can read. Which, and what."""
    bad: dict[Key, bytes] = {}
    with closing(sqlite3.connect(path)) as connection, connection:
        for _ in range(random.randint(1, 4)):
            key = (random.choice(SHOTS), random.choice(FIELDS))
            bad[key] = text = random.choice(BAD_TEXTS)
            connection.execute(
                "UPDATE persistence_change SET text = CAST(? AS TEXT), version = ? "
                "WHERE owner = ? AND field = ?",
                (text, random.choice((1, 9)), *key),
            )
    return bad


def damage_file(path: Path, random: Random, way: str) -> None:
    file = path.with_name("app.db-wal") if way == "log" else path
    raw = bytearray(file.read_bytes())
    if way == "cut" or (way == "log" and random.random() < 0.5):
        del raw[random.randrange(len(raw)) :]
    else:
        for _ in range(random.choice((1, 8, 200))):
            raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    file.write_bytes(raw)


async def live_on(path: Path, bad: set[Key], tally: Tally, where: str) -> bool:
    """Read, edit and prune. True where nothing could be done with the file."""
    store = SQLiteStore(path, threaded=False)
    engine = Engine(store, scopes=("user", "shot"), keep_history=None)
    read = 0
    try:
        await engine.start()
        for shot in SHOTS:
            try:
                binding = await engine.open(Damaged, {"shot": shot}, actor="ann")
            except PersistenceError:
                tally.happened["shots told as away"] += 1
                continue
            read += 1
            unread = {field for layer in binding.layers for field in layer.unreadable}
            for field in FIELDS:
                is_right = binding.get(field) == value_of(shot, field)
                if (shot, field) in bad and field not in unread:
                    tally.fault(f"{where}: {shot} {field} isn't told as unreadable")
                elif not is_right and field not in unread:
                    tally.happened[
                        f"values that SQLite can't tell are missing ({where.split()[0]})"
                    ] += 1
                    if bad:
                        tally.fault(f"{where}: {shot} {field} shows {binding.get(field)!r}")
            if unread and not any(str(field) in str(binding.last_error) for field in unread):
                tally.fault(f"{where}: what can't be read isn't told: {binding.last_error}")
            try:
                binding.update(one="new", three=7)
                await binding.flush()
            except PersistenceError:
                tally.happened["edits told as not saved"] += 1
        await store.check()
        if read:
            await store.prune(older_than=4e9, keep_operations_after=0)
    except PersistenceError:
        tally.happened["told at the start"] += 1
    finally:
        await engine.stop(timeout=0.01)
    return read == 0


def is_kept(path: Path, key: Key, text: bytes) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        found = connection.execute(
            "SELECT text FROM persistence_change WHERE owner = ? AND field = ? UNION ALL "
            "SELECT text FROM persistence_quarantine WHERE owner = ? AND field = ?",
            (*key, *key),
        ).fetchall()
    return (text,) in found


def control(seed: int, folder: Path) -> Tally:
    """Without the quarantine."""
    kept = Committer._write

    def plain(self: Committer, *edit: object) -> Write:
        return kept(self, *edit)._replace(unreadable="")  # type: ignore[arg-type]

    Committer._write = plain  # type: ignore[method-assign,assignment]
    try:
        return run(12, seed, folder)
    finally:
        Committer._write = kept


EXPERIMENTS = [
    Experiment(
        "damage",
        "rows nobody can read, flipped bytes, files and logs cut off; somebody works on with it",
        "damaged databases",
        "put aside and told; 0 overwritten, 0 crashes",
        run,
        control,
        short=60,
        slow=True,
        full=5_000,
        portion=250,
    )
]
