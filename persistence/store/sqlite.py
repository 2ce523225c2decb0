"""Overrides and their journal in an SQLite file. Used through `open_store` or given to the engine.

One connection writes, on a thread of its own; another reads on another, so that a load never waits
for a save. Everything that is handed over in one `commit` is one transaction, durable (WAL with
`synchronous=FULL`) before the answer comes.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from heapq import merge
from itertools import islice
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any, TypeVar

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from ..errors import StoreError, StoreRefused, StoreTooNew, StoreUnavailable
from ..scopes import Target
from .base import Change, Layers, Receipt, Row, Write
from .migrations import HEAD, VERSIONS, upgrade
from .statements import AT_ONCE, Statements, parts, statements
from .tables import PREFIX

log = logging.getLogger("persistence.store")

Result = TypeVar("Result")
Connection = sqlite3.Connection
Fetched = tuple[Any, ...]
Parameters = tuple[object, ...]

CHUNK = 100
"""Rows handed to the driver at once."""

FEW = 8
"""Targets that are looked up without a change of thread."""

BREATH = 0.001
"""Seconds of writing after which the event loop gets a turn."""

PRUNED_AT_ONCE = 20_000
"""Journal rows looked at in one transaction, between which saves get their turn."""


class SQLiteStore:
    """A store in one SQLite file; several processes may share it.

    - A commit is one transaction; rows go in sorted by key, by three `executemany` where nothing
      moved, one by one where something did.
    - Loads see every commit that was answered before they began.
    - While the database is away, calls raise StoreUnavailable; the next call tries again, with a
      new connection where the old one is of no use.
    - A cancelled call may still be carried out: operation ids make that harmless.
    - `threaded=False` does everything in the caller's thread, before `await` returns.
    """

    BEHIND = 5_000
    """Journal rows that the timeline may be behind before it is extended, when there is time."""

    QUIET = 0.25
    """Seconds without a commit after which there is time."""

    FAR_BEHIND = 50_000
    """The same, whether there is time or not: a history scans what the timeline lacks."""

    EXTENDED_AT_ONCE = 5_000
    """Journal rows in one extension: about 10 ms."""

    def __init__(
        self,
        path: str | Path,
        *,
        threaded: bool = True,
        prefix: str = PREFIX,
        busy_timeout: float = 2.0,
    ) -> None:
        """`path` is created at the first use, its folder isn't. `busy_timeout` in seconds: how long
        to wait for another process's write."""
        self.path = Path(path)
        self._sql = statements(prefix)
        self._busy_timeout = busy_timeout
        self._writer = Lane("writer", self.path, self._connect_writer, threaded=threaded)
        self._reader = Lane("reader", self.path, self._connect_reader, threaded=threaded)
        glance = Lane("glance", self.path, self._connect_glance, threaded=False)
        self._glance = Glance(glance, self._writer) if threaded else None
        self._threaded = threaded
        self._behind = 0

    async def open(self) -> None:
        await self._writer.run(_nothing)

    async def close(self) -> None:
        if self._glance is not None:
            self._glance.close()
        await self._reader.close()
        await self._writer.close()

    async def load(self, targets: Collection[Target]) -> Layers:
        wanted = list(targets)

        def job(connection: Connection) -> Layers:
            return _load(connection, self._sql, wanted)

        if (
            len(wanted) <= FEW
            and self._glance is not None
            and (found := self._glance(job)) is not None
        ):
            return found
        return await self._read(job)

    async def commit(self, writes: Sequence[Write]) -> Receipt:
        if not writes:
            return Receipt([])
        pause = _Breather() if self._threaded else _no_pause
        receipt = await self._writer.run(lambda c: _commit(c, self._sql, writes, pause))
        self._behind += len(writes)
        if self._behind >= self.BEHIND:
            self._writer.afterwards(
                self._extend, 0.0 if self._behind >= self.FAR_BEHIND else self.QUIET
            )
        return receipt

    def _extend(self, connection: Connection) -> None:
        """Let the timeline catch up, while nobody waits or when it can't wait any more."""
        while self._writer.is_idle or self._behind >= self.FAR_BEHIND:
            self._behind = _extend(connection, self._sql, self.EXTENDED_AT_ONCE)
            if self._behind == 0:
                break

    async def done(self, operations: Collection[str]) -> dict[str, int]:
        ids = list(operations)
        return await self._read(lambda connection: _done(connection, self._sql, ids))

    async def tools(self, scope: str, owner: str) -> list[str]:
        rows = await self._read(lambda c: _fetch(c, self._sql.tools, (scope, owner)))
        return [tool for (tool,) in rows]

    async def history(
        self,
        targets: Collection[Target],
        *,
        field: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Change]:
        wanted = list(targets)
        return await self._read(
            lambda connection: _history(connection, self._sql, wanted, field, before, limit)
        )

    async def forget(self, scope: str, owner: str) -> int:
        return await self._writer.run(
            lambda connection: _forget(connection, self._sql, scope, owner)
        )

    async def prune(self, *, older_than: float, keep_operations_after: float) -> int:
        sql, run = self._sql, self._writer.run
        gone = await run(lambda connection: _change(connection, sql.prune_tombstones, older_than))
        low, high = await run(lambda connection: connection.execute(sql.journal_range).fetchone())
        for start in range(low, high, PRUNED_AT_ONCE):
            some = (start, min(start + PRUNED_AT_ONCE, high), older_than)
            gone += await run(lambda c, some=some: _prune_journal(c, sql, *some))
        some = (keep_operations_after, PRUNED_AT_ONCE)
        while count := await run(lambda c, some=some: _change(c, sql.prune_operations, *some)):
            gone += count
        return gone

    async def _read(self, job: Callable[[Connection], Result]) -> Result:
        if not self._writer.is_connected:
            await self.open()  # the tables may have to be made first
        return await self._reader.run(job)

    def _connect_writer(self) -> Connection:
        connection = self._connect()
        try:
            # Keeps readers and the writer out of each other's way.
            self._patiently(connection, "PRAGMA journal_mode = WAL")
            # What is answered survives a power cut.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA wal_autocheckpoint = 10000")
            migrate(connection, self._sql)
        except BaseException:
            connection.close()
            raise
        return connection

    def _patiently(self, connection: Connection, pragma: str) -> None:
        """For what SQLite doesn't wait by itself, when several processes open the file at once."""
        end = monotonic() + self._busy_timeout
        while True:
            try:
                connection.execute(pragma)
                return
            except sqlite3.OperationalError as error:
                if not _is_passing(error) or monotonic() > end:
                    raise
            sleep(0.01)

    def _connect_reader(self) -> Connection:
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA cache_size = -16384")
        return connection

    def _connect_glance(self) -> Connection:
        connection = self._connect(busy_timeout=0)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect(self, busy_timeout: float | None = None) -> Connection:
        return sqlite3.connect(
            self.path,
            timeout=self._busy_timeout if busy_timeout is None else busy_timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=128,
        )


class Lane:
    """One connection, and the thread that all of its work is done on, in order.

    - Connects at the first job, and again after an error that the connection may be to blame for,
      or when the file at the path is another one.
    - Errors of the driver come out as StoreUnavailable or StoreRefused.
    """

    def __init__(
        self, name: str, path: Path, connect: Callable[[], Connection], *, threaded: bool
    ) -> None:
        self._name, self._path, self._connect, self._threaded = name, path, connect, threaded
        self._connection: Connection | None = None
        self._file: tuple[int, int] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_afterwards = False

    @property
    def is_idle(self) -> bool:
        """Nobody waits for this connection."""
        return self._waiting == 0

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def run(self, job: Callable[[Connection], Result]) -> Result:
        if not self._threaded:
            return self.run_here(job)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, f"persistence-{self._name}")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self.run_here, job)
        finally:
            self._waiting -= 1

    def afterwards(self, job: Callable[[Connection], None], quiet: float) -> None:
        """Do it after so many seconds in which it isn't asked for again; nobody waits for it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._threaded:
            self._work_afterwards(job)
        elif quiet:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(quiet, self.afterwards, job, 0.0)
        elif self._thread is not None and not self._is_afterwards:
            self._is_afterwards = True
            self._thread.submit(self._work_afterwards, job)

    def _work_afterwards(self, job: Callable[[Connection], None]) -> None:
        try:
            self.run_here(job)
        except StoreError as error:
            log.debug("not now: %s", error)  # whoever needs the database will hear of it
        finally:
            self._is_afterwards = False

    async def close(self) -> None:
        """Finish what was begun, then disconnect. A later `run` connects again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._threaded:
            return self.disconnect()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self.disconnect)
            thread.shutdown(wait=False)
        return None

    def run_here(self, job: Callable[[Connection], Result]) -> Result:
        """In the caller's thread."""
        try:
            return job(self._require())
        except sqlite3.Error as error:
            if not _is_passing(error):
                self.disconnect()
            raise explain(error, self._path) from error

    def _require(self) -> Connection:
        if self._connection is not None and self._file != _identity(self._path):
            self.disconnect()  # moved or deleted: what is written now would be gone
        if self._connection is None:
            self._connection = self._connect()
            self._file = _identity(self._path)
        return self._connection

    def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error:
                pass  # it is of no use any more, that is why it goes


class Glance:
    """Small reads in the event loop's own thread, as long as they are as quick as they should be.

    - A read of some rows takes less time than waking another thread up.
    - After one that took long (a slow or busy disk) the reader's thread does it, for a while.
    - It waits for no lock: what can't be read at once isn't read here.
    """

    LONG = 0.005
    """Seconds."""

    WHILE = 2.0
    """Seconds."""

    def __init__(self, lane: Lane, writer: Lane) -> None:
        self._lane, self._writer = lane, writer
        self._not_before = 0.0

    def __call__(self, job: Callable[[Connection], Result]) -> Result | None:
        """The job's result; None where somebody else should do it."""
        begun = monotonic()
        if begun < self._not_before or not self._writer.is_connected:
            return None
        try:
            return self._lane.run_here(job)
        except StoreError:
            self._not_before = begun + self.WHILE
            return None  # the reader's thread finds out what is wrong, and says it
        finally:
            if monotonic() - begun > self.LONG:
                self._not_before = begun + self.WHILE

    def close(self) -> None:
        self._lane.disconnect()
        self._not_before = 0.0


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


# --- errors --------------------------------------------------------------------------------------

_PASSING = {
    sqlite3.SQLITE_BUSY: "is locked by another program",
    sqlite3.SQLITE_LOCKED: "is locked by another program",
    sqlite3.SQLITE_FULL: "has no room left on its disk",
}
"""The same connection may go on afterwards."""

_AWAY = {
    sqlite3.SQLITE_READONLY: "can't be written to (it is read-only)",
    sqlite3.SQLITE_CANTOPEN: "can't be opened; see that its folder exists and may be written to",
    sqlite3.SQLITE_IOERR: "can't be read or written (the disk reports an error)",
    sqlite3.SQLITE_CORRUPT: "is damaged; put a copy of it in its place",
    sqlite3.SQLITE_NOTADB: "isn't an SQLite database",
    sqlite3.SQLITE_PERM: "may not be opened by this user",
    sqlite3.SQLITE_AUTH: "may not be opened by this user",
    sqlite3.SQLITE_NOMEM: "needs more memory than there is",
    sqlite3.SQLITE_PROTOCOL: "is locked by another program",
}


def explain(error: sqlite3.Error, path: Path) -> StoreError:
    """What happened, in words for those who use the app, and whether another try may help."""
    code = _code(error)
    if problem := _PASSING.get(code) or _AWAY.get(code):
        return StoreUnavailable(f"the database {path.name} {problem}")
    if isinstance(error, (sqlite3.OperationalError, sqlite3.ProgrammingError)):
        return StoreUnavailable(f"the database {path.name} can't be used ({error})")
    return StoreRefused(f"the database {path.name} can't store this ({error})")


def _is_passing(error: sqlite3.Error) -> bool:
    return _code(error) in _PASSING


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF  # without what the extended code adds


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


def _commit(
    connection: Connection, sql: Statements, writes: Sequence[Write], pause: Callable[[], None]
) -> Receipt:
    """All together; and where one of them is in the way, all again one by one."""
    try:
        with Transaction(connection):
            return _all_at_once(connection, sql, writes, pause)
    except (_InTheWay, sqlite3.IntegrityError, *_BAD_ROW):
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


_BAD_ROW = (
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
            if write.operations and (done := _done(connection, sql, write.operations[-1:])):
                (repeated[position],) = done.values()
                _remember(connection, sql, write, repeated[position])
            elif _put(connection, sql, write, revision):
                revisions[position] = revision
                revision += 1
            else:
                row = connection.execute(sql.row(), (*write.target, write.field)).fetchone()
                moved[position] = Row(*row) if row else None
        except (sqlite3.IntegrityError, *_BAD_ROW) as error:
            connection.execute("ROLLBACK TO one")
            refused[position] = f"the database can't store this ({error})"
        connection.execute("RELEASE one")
        pause()
    connection.execute(sql.count, (revision - 1, "revision"))
    return Receipt(revisions, moved, repeated, refused)


def _put(connection: Connection, sql: Statements, write: Write, revision: int) -> bool:
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
        (scope, owner, tool), field, kind, text, base, *_, secret = writes[position]
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
            author, source, at, group, operations, version, note, secret,
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


class _Breather:
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


def _no_pause() -> None:
    pass


def _forget(connection: Connection, sql: Statements, scope: str, owner: str) -> int:
    count, *removals = sql.forget
    with Transaction(connection):
        (removed,) = connection.execute(count, (scope, owner)).fetchone()
        for removal in removals:
            connection.execute(removal, (scope, owner))
    return removed


def _change(connection: Connection, statement: str, *parameters: float) -> int:
    with Transaction(connection):
        return connection.execute(statement, parameters).rowcount


def _prune_journal(
    connection: Connection, sql: Statements, low: int, high: int, older_than: float
) -> int:
    with Transaction(connection):
        keys = connection.execute(sql.prune_journal, (low, high, older_than)).fetchall()
        connection.executemany(sql.prune_timeline, keys)
    return len(keys)


def _extend(connection: Connection, sql: Statements, at_once: int) -> int:
    """One run of journal rows into the timeline; how many are left. Not made durable by itself:
    after a power cut it is done again."""
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        with Transaction(connection):
            (low,) = connection.execute(sql.timeline_end).fetchone()
            (last,) = connection.execute(sql.last_revision).fetchone()
            high = min(low + at_once, last)
            connection.execute(sql.extend_timeline, (low, high))
            connection.execute(sql.count, (high, "timeline"))
    finally:
        connection.execute("PRAGMA synchronous = FULL")
    return last - high


def _nothing(_: Connection) -> None:
    pass


# --- reading -------------------------------------------------------------------------------------


def _load(connection: Connection, sql: Statements, targets: list[Target]) -> Layers:
    layers: Layers = {target: {} for target in targets}
    for start in range(0, len(targets), AT_ONCE):
        some = targets[start : start + AT_ONCE]
        size = min(parts(len(some)), AT_ONCE)
        parameters: list[str | None] = [part for target in some for part in target]
        parameters.extend([None] * (3 * size - len(parameters)))  # finds nothing
        found = [layers[target] for target in some]
        for row in _fetch(connection, sql.load(size), parameters):
            found[row[0]][row[1]] = Row._make(row[2:])
    return layers


def _fetch(
    connection: Connection, statement: str, parameters: Sequence[object]
) -> list[tuple[Any, ...]]:
    """All rows. Text that isn't UTF-8 any more comes with marks in it, which no JSON has: it is
    found unreadable by itself, and not the whole load."""
    try:
        return connection.execute(statement, parameters).fetchall()
    except sqlite3.OperationalError as error:
        if "decode to UTF-8" not in str(error):
            raise
    connection.text_factory = _decode_anyway
    try:
        return connection.execute(statement, parameters).fetchall()
    finally:
        connection.text_factory = str


def _decode_anyway(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")


def _done(connection: Connection, sql: Statements, ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        size = min(parts(len(some)), AT_ONCE)
        parameters = [*some, *[None] * (size - len(some))]
        rows = _fetch(connection, sql.known(size), parameters)
        found.update((operation, revision) for operation, revision in rows)
    return found


def _history(
    connection: Connection,
    sql: Statements,
    targets: list[Target],
    field: str | None,
    before: int | None,
    limit: int,
) -> list[Change]:
    both = sql.history(has_field=field is not None, has_before=before is not None)
    rest = [*(part for part in (field, before) if part is not None), max(limit, 0)]
    connection.execute("BEGIN")  # both read the same state
    try:
        found = [
            [
                Change(revision, target, *row)
                for revision, *row in _fetch(connection, statement, [*target, *rest])
            ]
            for target in dict.fromkeys(targets)
            for statement in both
        ]
    finally:
        connection.execute("COMMIT")
    return list(islice(merge(*found, key=lambda change: -change.revision), max(limit, 0)))
