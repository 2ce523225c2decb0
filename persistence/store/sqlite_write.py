"""What the file store writes, on a connection that is given. All of it in transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter, sleep
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from ..errors import StoreTooNew
from . import sqlite_quarantine as quarantine
from . import sqlite_read as read
from .base import FORGOTTEN, Receipt, Row, Write, sealed
from .migrations import HEAD, VERSIONS, upgrade
from .statements import Statements

Connection = sqlite3.Connection
Fetched = tuple[Any, ...]
Parameters = tuple[object, ...]

CHUNK = 100
"""Rows handed to the driver at once."""

BREATH = 0.001
"""Seconds of writing after which the event loop gets a turn."""


# --- the version of the tables -------------------------------------------------------------------


def migrate(connection: Connection, sql: Statements) -> None:
    """Bring the tables up to date, once, whoever comes first. Raises StoreTooNew."""
    if _version(connection, sql) == HEAD:
        return
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    try:
        # Connected first: SQLAlchemy begins by a rollback of its own.
        with engine.connect() as wrapped:
            connection.execute("BEGIN IMMEDIATE")
            if _version(connection, sql) != HEAD:
                upgrade(wrapped, sql.prefix)
            wrapped.commit()
            if connection.in_transaction:  # it commits only what it has begun
                connection.execute("COMMIT")
    except DBAPIError as error:
        raise error.orig or error from error


def _version(connection: Connection, sql: Statements) -> str | None:
    try:
        row = connection.execute(sql.version).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    version = row[0] if row else None
    if version is not None and version not in VERSIONS:
        raise StoreTooNew(
            f"the tables are of version {version}, made by a newer version of the library; this "
            f"one knows versions up to {HEAD}. Upgrade it"
        )
    return version


# --- writing -------------------------------------------------------------------------------------


def commit(
    connection: Connection, sql: Statements, writes: Sequence[Write], pause: Callable[[], None]
) -> Receipt:
    """All together; and where one of them is in the way, all again one by one."""
    try:
        with Transaction(connection):
            return _all_at_once(connection, sql, writes, pause)
    except (_InTheWay, sqlite3.IntegrityError, *BAD_ROW):
        with Transaction(connection):
            return _one_by_one(connection, sql, writes, pause)


class Transaction:
    """BEGIN IMMEDIATE, so that nothing moves between check and write; then COMMIT, or ROLLBACK."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


class _InTheWay(Exception):
    """A row isn't at its base."""


BAD_ROW = (
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    TypeError,
    ValueError,
)
"""What the driver raises for a row that it can't take."""


def _all_at_once(
    connection: Connection, sql: Statements, writes: Sequence[Write], pause: Callable[[], None]
) -> Receipt:
    first = _next_revision(connection, sql)
    quarantine.put(connection, sql, writes)
    for some in _chunks(_sorted(writes, pause)):
        new, old = _overrides(writes, some, first)
        written = connection.executemany(sql.create, new).rowcount if new else 0
        written += connection.executemany(sql.change, old).rowcount if old else 0
        if written != len(some):
            raise _InTheWay
        pause()
    for some in _chunks(range(len(writes))):
        changes, done = _changes(writes, some, first)
        connection.executemany(sql.journal, changes)
        if done:
            connection.executemany(sql.done, done)
        pause()
    connection.execute(sql.count, (first + len(writes) - 1, "revision"))
    return Receipt(range(first, first + len(writes)))


def _one_by_one(
    connection: Connection, sql: Statements, writes: Sequence[Write], pause: Callable[[], None]
) -> Receipt:
    """Each row in a savepoint of its own, so that it can fail alone."""
    revisions = [0] * len(writes)
    moved: dict[int, Row | None] = {}
    repeated: dict[int, int] = {}
    refused: dict[int, str] = {}
    revision = _next_revision(connection, sql)
    for position, write in enumerate(writes):
        connection.execute("SAVEPOINT one")
        try:
            if write.operations and (known := read.done(connection, sql, write.operations[-1:])):
                (repeated[position],) = known.values()
                _remember(connection, sql, write, repeated[position])
            elif _put(connection, sql, write, revision):
                revisions[position] = revision
                revision += 1
            else:
                row = connection.execute(sql.row(), (*write.target, write.field)).fetchone()
                moved[position] = Row(*row) if row else None
        except (sqlite3.IntegrityError, *BAD_ROW) as error:
            connection.execute("ROLLBACK TO one")
            refused[position] = f"the database can't store this ({error})"
        connection.execute("RELEASE one")
        pause()
    connection.execute(sql.count, (revision - 1, "revision"))
    return Receipt(revisions, moved, repeated, refused)


def _put(connection: Connection, sql: Statements, write: Write, revision: int) -> bool:
    quarantine.put(connection, sql, [write])
    new, old = _overrides([write], [0], revision)
    written = (
        connection.executemany(sql.create, new) if new else connection.executemany(sql.change, old)
    )
    if written.rowcount != 1:
        return False
    changes, _ = _changes([write], [0], revision)
    connection.executemany(sql.journal, changes)
    _remember(connection, sql, write, revision)
    return True


def _remember(connection: Connection, sql: Statements, write: Write, revision: int) -> None:
    done = [(operation, revision, write.at) for operation in write.operations]
    connection.executemany(sql.done_anyway, done)


def _next_revision(connection: Connection, sql: Statements) -> int:
    (last,) = connection.execute(sql.last_revision).fetchone()
    return last + 1


def _overrides(
    writes: Sequence[Write], positions: Sequence[int], first: int
) -> tuple[list[Parameters], list[Parameters]]:
    """Parameters of the overrides that must be new, and of those that stand on a base."""
    new: list[Parameters] = []
    old: list[Parameters] = []
    for position in positions:
        (scope, owner, tool), field, kind, text, base, *_, secret, _ = writes[position]
        hidden = text if secret else None
        if base == 0:
            new.append((owner, scope, tool, field, first + position, kind, hidden))
        else:
            old.append((first + position, kind, hidden, owner, scope, tool, field, base))
    return new, old


def _changes(
    writes: Sequence[Write], positions: Sequence[int], first: int
) -> tuple[list[Parameters], list[Parameters]]:
    """Parameters of the journal rows, and of the operations."""
    changes: list[Parameters] = []
    done: list[Parameters] = []
    for position in positions:
        (
            (scope, owner, tool), field, kind, text, _base,
            author, source, at, group, operations, version, note, secret, _unreadable,
        ) = writes[position]  # fmt: skip
        revision = first + position
        changes.append((
            revision, owner, scope, tool, field, kind, None if secret else text,
            author, source, at, group, version, note,
        ))  # fmt: skip
        done += [(operation, revision, at) for operation in operations]
    return changes, done


def _sorted(writes: Sequence[Write], pause: Callable[[], None]) -> list[int]:
    """Positions by key, in runs short enough to sort without being felt: rows that lie together
    are written together."""
    order: list[int] = []
    for start in range(0, len(writes), 1000):
        run = range(start, min(start + 1000, len(writes)))
        order += sorted(run, key=lambda position: writes[position].target.owner)
        pause()
    return order


def _chunks(positions: Sequence[int]) -> Iterator[Sequence[int]]:
    return (positions[start : start + CHUNK] for start in range(0, len(positions), CHUNK))


class Breather:
    """Lets the event loop have the interpreter every other millisecond.

    The driver lets go of it for each row, but takes it back before another thread has woken up;
    then that one waits for the interpreter's switch interval, 5 ms, and the page is felt to halt.
    """

    def __init__(self) -> None:
        self._next = perf_counter() + BREATH

    def __call__(self) -> None:
        if perf_counter() >= self._next:
            sleep(0.00001)
            self._next = perf_counter() + BREATH


def no_pause() -> None:
    pass


def forget(connection: Connection, sql: Statements, scope: str, owner: str) -> int:
    count, *removals = sql.forget
    with Transaction(connection):
        (removed,) = connection.execute(count, (scope, owner)).fetchone()
        seal = sealed(scope, owner)
        for removal in removals:
            connection.executemany(removal, [(scope, owner), (scope, seal)])
        revision = _next_revision(connection, sql)
        connection.execute(
            sql.journal,
            (revision, seal, scope, "", "", "reset", None, FORGOTTEN, FORGOTTEN, 0.0, "", 1, None),
        )
        connection.execute(sql.count, (revision, "revision"))
    return removed


def extend(connection: Connection, sql: Statements, at_once: int) -> int:
    """One run of journal rows into the timeline and the authors' changes; how many are left."""
    with Transaction(connection):
        (low,) = connection.execute(sql.timeline_end).fetchone()
        (last,) = connection.execute(sql.last_revision).fetchone()
        high = min(low + at_once, last)
        for statement in sql.extend:
            connection.execute(statement, (low, high))
        connection.execute(sql.count, (high, "timeline"))
    return last - high
