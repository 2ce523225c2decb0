"""The file store for looking only: it makes and changes nothing, and goes beside a running app.

Used by the command line and by whatever inspects somebody else's database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from ..errors import StoreError, StoreTooNew
from .migrations import HEAD, VERSIONS
from .sqlite import SQLiteStore
from .tables import PREFIX

Result = TypeVar("Result")
Connection = sqlite3.Connection


class SQLiteReader(SQLiteStore):
    """Reads one SQLite file that is there already.

    - A missing file is an error, and stays missing; so do missing tables.
    - Tables of another version are an error: an older one is brought up to date by the app.
    - Whatever would write raises StoreRefused.
    """

    def __init__(self, path: str | Path, *, prefix: str = PREFIX, busy_timeout: float = 2.0):
        super().__init__(path, threaded=False, prefix=prefix, busy_timeout=busy_timeout)
        self._seconds = busy_timeout

    async def open(self) -> None:
        """Raises StoreUnavailable, StoreTooNew, and StoreError for what isn't such a database."""
        await self._reader.run(self._require_tables)

    async def scopes(self) -> list[str]:
        """The scopes that anybody has rows at, sorted; looks through all rows."""
        table = f"{self._sql.prefix}override"
        rows = await self._read(
            lambda connection: connection.execute(
                f"SELECT DISTINCT scope FROM {table} ORDER BY scope"  # noqa: S608  # our own name
            ).fetchall()
        )
        return [scope for (scope,) in rows]

    async def _read(self, job: Callable[[Connection], Result]) -> Result:
        return await self._reader.run(job)

    def _require_tables(self, connection: Connection) -> None:
        try:
            row = connection.execute(self._sql.version).fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            raise StoreError(f"{self.path.name} holds no settings: it has no such tables") from None
        version = row[0] if row else None
        if version == HEAD:
            return
        if version is None or version in VERSIONS:
            raise StoreError(
                f"{self.path.name} was made by an older version of the library (tables of version "
                f"{version}, not {HEAD}). Start the app once: that brings them up to date"
            )
        raise StoreTooNew(
            f"{self.path.name} was made by a newer version of the library (tables of version "
            f"{version}; this one knows them up to {HEAD}). Upgrade it"
        )

    def _connect_reader(self) -> Connection:
        # Not `mode=ro`: with that a file in WAL mode can't be opened where nobody else has it open.
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=self._seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect_writer(self) -> NoReturn:
        raise sqlite3.IntegrityError("it was opened for reading only")  # a StoreRefused, outside
