"""What is wrong with a database file, or soon will be: for `doctor`. Changes nothing.

It reads on a connection of its own, beside an app that runs, and without the tables' migrations.
What can't be read is a finding, never an exception.
"""

# ruff: noqa: S608 (only names of ours go into a text; values are always parameters)

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

from .base import VALUED, Finding
from .lanes import FAILURES, Failure, explain
from .migrations import HEAD, VERSIONS
from .statements import Statements

Connection = sqlite3.Connection

MUCH_WAL = 256 * 2**20
"""Bytes in the write-ahead log that mean that it can't be put away."""

LITTLE_ROOM, NO_ROOM = 2**30, 64 * 2**20
"""Bytes free on the disk."""

MUCH_FREE = 64 * 2**20
"""Bytes free within the file that are worth a VACUUM."""

FAR_BEHIND = 50_000
"""Journal rows that the indexes lack, from which on histories are slow."""

A_DAY = 86_400.0

_RESTORE = (
    "Stop the app, keep a copy of the file, and put the last backup in its place. Without one: "
    "sqlite3 damaged.db .recover | sqlite3 mended.db"
)


def check(path: Path, sql: Statements) -> list[Finding]:
    """Findings in the order of their importance to each other: the file, its tables, their rows."""
    outside = list(_file(path))
    if any(finding.level == "error" for finding in outside[:1]):
        return outside
    was_alone = not _wal(path).exists()
    inside = list(_inside(path, sql))
    if was_alone and _wal(path).exists():  # an app began to use it, which wasn't looked out for
        inside = list(_inside(path, sql))
    return outside + inside


# --- the file ------------------------------------------------------------------------------------


def _file(path: Path) -> Iterator[Finding]:
    try:
        found = path.stat()
        room = shutil.disk_usage(path.absolute().parent).free
    except OSError as error:
        yield Finding(
            "error",
            f"there is no database at {path} ({error.strerror})",
            "See that the URL is right; starting the app makes a new one.",
        )
        return
    if not stat.S_ISREG(found.st_mode):
        yield Finding("error", f"{path} isn't a file", "See that the URL is right.")
        return
    yield from _rights(path, found.st_mode)
    if room < LITTLE_ROOM:
        yield Finding(
            "error" if room < NO_ROOM else "warning",
            f"{_size(room)} are left on its disk",
            "Make room before it is full: nothing can be saved then.",
        )
    wal = _wal(path)
    waiting = wal.stat().st_size if wal.exists() else 0
    if waiting > MUCH_WAL:
        yield Finding(
            "warning",
            f"{wal.name} has grown to {_size(waiting)}",
            "Some program holds a read open, so that it can't be put away. Close what else has "
            "the database open, or restart the app. Never delete it: it holds saved edits.",
        )
    yield Finding("ok", f"{path.name} has {_size(found.st_size)}, {_size(room)} are left on disk")


def _rights(path: Path, mode: int) -> Iterator[Finding]:
    folder = path.absolute().parent
    if not os.access(path, os.R_OK):
        yield Finding("error", f"{path.name} may not be read by this user", f"chmod u+r {path}")
    elif not os.access(path, os.W_OK):
        yield Finding("error", f"{path.name} may not be written by this user", f"chmod u+w {path}")
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield Finding(
            "error",
            f"the folder of {path.name} may not be written by this user",
            f"SQLite keeps files beside the database: chmod u+wx {folder}",
        )
    elif mode & stat.S_IWOTH:
        yield Finding(
            "warning", f"{path.name} may be written by every user here", f"chmod o-w {path}"
        )


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _size(size: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if size < 1024:
            return f"{size:,.0f} {unit}"
        size /= 1024
    return f"{size:,.1f} GB"


# --- what is in it -------------------------------------------------------------------------------


def _inside(path: Path, sql: Statements) -> Iterator[Finding]:
    try:
        with closing(_connect(path)) as connection, _transaction(connection):
            whole = list(_looked(path, connection, sql, _whole))
            version = list(_looked(path, connection, sql, _version))
            yield from whole + version
            if all(finding.level == "ok" for finding in version):
                for look in (
                    _counts,
                    _rows,
                    _quarantine,
                    _secrets,
                    _counters,
                    _indexes,
                    _clock,
                    _free,
                ):
                    yield from _looked(path, connection, sql, look)
    except FAILURES as error:
        yield _unreadable(path, error)


def _connect(path: Path) -> Connection:
    """For reading. A file without a log beside it is opened as one that nobody changes, since
    SQLite would make the log and leave it."""
    alone = "" if _wal(path).exists() else "&immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True, timeout=5.0, isolation_level=None
    )
    connection.text_factory = _decode_anyway
    return connection


def _decode_anyway(raw: bytes) -> str:
    return raw.decode(errors="replace")


@contextmanager
def _transaction(connection: Connection) -> Generator[None]:
    """All looks see the same state, whatever an app does meanwhile."""
    connection.execute("BEGIN")
    yield


Look = Callable[[Connection, Statements], Iterable[Finding]]


def _looked(path: Path, connection: Connection, sql: Statements, look: Look) -> Iterator[Finding]:
    try:
        yield from look(connection, sql)
    except FAILURES as error:
        yield _unreadable(path, error)


def _unreadable(path: Path, error: Failure) -> Finding:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    is_busy = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return Finding("error", str(explain(error, path)), "Try again." if is_busy else _RESTORE)


def _whole(connection: Connection, _: Statements) -> Iterator[Finding]:
    problems = [row[0] for row in connection.execute("PRAGMA integrity_check(10)")]
    if problems == ["ok"]:
        yield Finding("ok", "the file is whole (SQLite's integrity check)")
        return
    shown = "; ".join(line for text in problems[:3] for line in str(text).splitlines()[:3])
    yield Finding("error", f"the file is damaged: {shown}", _RESTORE)


def _version(connection: Connection, sql: Statements) -> Iterator[Finding]:
    try:
        row = connection.execute(sql.version).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        row = None
    version = row[0] if row else None
    if version == HEAD:
        yield Finding("ok", f"the tables are of version {HEAD}, the newest")
    elif version is None:
        yield Finding(
            "error",
            f"it holds no settings: there are no tables {sql.prefix}…",
            "See that it is the right file; starting the app makes them.",
        )
    elif version in VERSIONS:
        yield Finding(
            "warning",
            f"the tables are of version {version}; this library's are of {HEAD}",
            "Back up the file, then start the app: it brings them up to date.",
        )
    else:
        yield Finding(
            "error",
            f"the tables are of version {version}, made by a newer version of the library",
            f"Upgrade the library: this one knows versions up to {HEAD}.",
        )


def _counts(connection: Connection, sql: Statements) -> Iterator[Finding]:
    overrides, changes, operations = (
        connection.execute(f"SELECT count(*) FROM {sql.prefix}{table}").fetchone()[0]
        for table in ("override", "change", "operation")
    )
    yield Finding(
        "ok", f"{overrides:,} overrides, {changes:,} changes, {operations:,} ids of operations"
    )


# --- rows ----------------------------------------------------------------------------------------


def _rows(connection: Connection, sql: Statements) -> Iterator[Finding]:
    lost = _names(
        connection.execute(
            "SELECT o.scope, o.owner, o.tool, o.field "
            f"FROM {sql.prefix}override o LEFT JOIN {sql.prefix}change c "
            f"ON c.revision = o.revision AND {_same_field('c', 'o')} AND c.kind = o.kind "
            "WHERE c.revision IS NULL"
        )
    )
    if lost:
        yield Finding(
            "error",
            f"{_some(lost, 'override')} without the journal row that holds its value",
            "They show as unreadable. Set or reset them again, or restore a backup.",
        )
    standing, past = _broken_values(connection, sql)
    if standing:
        yield Finding(
            "error",
            f"{_some(standing, 'value')} that can't be read",
            "They show as unreadable. Set or reset them again, or restore a backup.",
        )
    if past:
        yield Finding(
            "warning",
            f"{_some(past, 'past value')} that can't be read",
            "Nothing that counts now is touched: only the history lacks them.",
        )
    if not (lost or standing or past):
        yield Finding("ok", "every value can be read")


def _broken_values(connection: Connection, sql: Statements) -> tuple[list[str], list[str]]:
    """Those that overrides point to, and those that are history."""
    standing: list[str] = []
    past: list[str] = []
    rows = connection.execute(
        "SELECT c.scope, c.owner, c.tool, c.field, c.kind, CAST(c.text AS BLOB), o.revision, "
        f"o.secret IS NOT NULL FROM {sql.prefix}change c LEFT JOIN {sql.prefix}override o "
        f"ON {_same_field('o', 'c')} AND o.revision = c.revision"
    )
    for *name, kind, text, revision, is_secret in rows:
        stands = revision is not None
        is_missing = stands and kind in VALUED and text is None and not is_secret
        if is_missing or (text is not None and not _is_json(text)):
            (standing if stands else past).extend(_names([name]))
    return standing, past


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _quarantine(connection: Connection, sql: Statements) -> Iterator[Finding]:
    kept = _names(
        connection.execute(
            f"SELECT scope, owner, tool, field FROM {sql.prefix}quarantine ORDER BY revision DESC"
        )
    )
    if kept:
        yield Finding(
            "warning",
            f"{_some(kept, 'value')} in quarantine: nobody could read what an edit replaced",
            "Nothing is lost. See what it says, take from it what is wanted, then remove it: "
            "python -m persistence quarantine",
        )


def _secrets(connection: Connection, sql: Statements) -> Iterator[Finding]:
    open_ = _names(
        connection.execute(
            "SELECT DISTINCT o.scope, o.owner, o.tool, o.field "
            f"FROM {sql.prefix}override o CROSS JOIN {sql.prefix}timeline t "
            f"ON {_same_field('t', 'o')} CROSS JOIN {sql.prefix}change c "
            "ON c.revision = t.revision WHERE o.secret IS NOT NULL AND c.text IS NOT NULL"
        )
    )
    if open_:
        yield Finding(
            "warning",
            f"{_some(open_, 'secret')} whose earlier values stand in the journal, unencrypted",
            "They were written before the setting was declared secret. Change those secrets, and "
            "prune the history.",
        )


# --- counters and indexes ------------------------------------------------------------------------


def _counters(connection: Connection, sql: Statements) -> Iterator[Finding]:
    counters = dict(connection.execute(f"SELECT name, value FROM {sql.prefix}counter").fetchall())
    if missing := {"revision", "timeline", "pruned"} - counters.keys():
        yield Finding("error", f"counters are missing: {', '.join(sorted(missing))}", _RESTORE)
        return
    newest = connection.execute(f"SELECT max(revision) FROM {sql.prefix}change").fetchone()[0] or 0
    last = max(newest, counters["revision"])
    if counters["revision"] < newest:
        yield Finding(
            "warning",
            f"the counter of revisions is behind the journal ({counters['revision']} of {newest})",
            "The next save mends it.",
        )
    for name in ("timeline", "pruned"):
        if counters[name] > last:
            yield Finding(
                "error",
                f"the counter {name!r} is ahead of the journal ({counters[name]} of {last})",
                _reset(sql, name),
            )


def _indexes(connection: Connection, sql: Statements) -> Iterator[Finding]:
    behind, lacking = connection.execute(
        f"SELECT count(*) FILTER (WHERE c.revision > ({sql.timeline_end})), "
        f"count(*) FILTER (WHERE c.revision <= ({sql.timeline_end}) AND (NOT EXISTS "
        f"(SELECT 1 FROM {sql.prefix}timeline t WHERE {_same_field('t', 'c')} "
        "AND t.revision = c.revision) OR NOT EXISTS "
        f"(SELECT 1 FROM {sql.prefix}authored a WHERE a.author = c.author "
        f"AND a.revision = c.revision))) FROM {sql.prefix}change c"
    ).fetchone()
    if behind > FAR_BEHIND:
        yield Finding(
            "warning",
            f"the histories' index is {behind:,} changes behind, so that they are slow to read",
            "It catches up while the app runs, and at once with: python -m persistence prune",
        )
    if lacking:
        yield Finding(
            "error",
            f"histories lack {lacking:,} changes that the journal has",
            _reset(sql, "timeline"),
        )


def _reset(sql: Statements, counter: str) -> str:
    return (
        f"Stop the app and run: UPDATE {sql.prefix}counter SET value = 0 WHERE name = '{counter}'; "
        "the rest mends itself."
    )


def _clock(connection: Connection, sql: Statements) -> Iterator[Finding]:
    (ahead,) = connection.execute(
        f"SELECT count(*) FROM {sql.prefix}change WHERE at > ?", (time.time() + A_DAY,)
    ).fetchone()
    if ahead:
        yield Finding(
            "warning",
            f"{ahead:,} changes are dated in the future; the history isn't pruned past them",
            "See that this machine's clock is right. Nothing else depends on it.",
        )


def _free(connection: Connection, _: Statements) -> Iterator[Finding]:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    if free * size > MUCH_FREE and free * 2 > pages:
        yield Finding(
            "warning",
            f"{_size(free * size)} of the file are unused",
            "They will be used again. To give them back to the disk, stop the app and run: VACUUM",
        )


# --- words ---------------------------------------------------------------------------------------


def _same_field(one: str, other: str) -> str:
    names = ("owner", "scope", "tool", "field")
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in names)


def _names(rows: Iterable[Any]) -> list[str]:
    return [f"{field!r} of {scope} {owner} of {tool}" for scope, owner, tool, field in rows]


def _some(names: list[str], word: str) -> str:
    """`3 values (…)`, with the first of them."""
    shown = "; ".join(names[:3]) + ("; …" if len(names) > 3 else "")
    return f"{len(names):,} {word}{'s' if len(names) > 1 else ''} ({shown})"
