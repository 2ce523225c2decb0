"""One connection to an SQLite file and the thread that works on it; what its errors mean."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import TypeVar

from ..errors import StoreError, StoreRefused, StoreUnavailable

log = logging.getLogger("persistence.store")

Result = TypeVar("Result")
Connection = sqlite3.Connection


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
        except FAILURES as error:
            if not is_passing(error):
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


def nothing(_: Connection) -> None:
    pass


# --- errors --------------------------------------------------------------------------------------

Failure = sqlite3.Error | UnicodeDecodeError
FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""The driver can't read SQLite's message where that names a damaged part of the schema."""

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


def explain(error: Failure, path: Path) -> StoreError:
    """What happened, in words for those who use the app, and whether another try may help."""
    code = _code(error)
    if problem := _PASSING.get(code) or _AWAY.get(code):
        return StoreUnavailable(f"the database {path.name} {problem}")
    if isinstance(error, (sqlite3.OperationalError, sqlite3.ProgrammingError)):
        return StoreUnavailable(f"the database {path.name} can't be used ({error})")
    return StoreRefused(f"the database {path.name} can't store this ({error})")


def is_passing(error: Failure) -> bool:
    return _code(error) in _PASSING


def _code(error: Failure) -> int:
    if isinstance(error, UnicodeDecodeError):
        return sqlite3.SQLITE_CORRUPT
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF  # without what the extended code adds
