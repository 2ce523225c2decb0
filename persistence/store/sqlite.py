"""Overrides and their journal in an SQLite file. Used through `open_store` or given to the engine.

One connection writes, on a thread of its own; another reads on another, so that a load never waits
for a save. Everything that is handed over in one `commit` is one transaction, durable (WAL with
`synchronous=FULL`) before the answer comes.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from ..scopes import Target
from . import sqlite_check as look
from . import sqlite_contested as contested
from . import sqlite_journal as journal
from . import sqlite_named as named
from . import sqlite_prune as prune
from . import sqlite_quarantine as quarantine
from . import sqlite_read as read
from . import sqlite_write as write
from .base import Change, Finding, Layers, Moment, News, Point, Preset, Quarantined, Receipt, Write
from .lanes import Glance, Lane, is_passing, nothing
from .statements import statements
from .tables import PREFIX

Result = TypeVar("Result")
Connection = sqlite3.Connection

FEW = 8
"""Targets or ids that are looked up without a change of thread."""

PAUSE = 0.005
"""Seconds that pruning leaves to others after each of its writes."""


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

    is_shared = True
    """Other processes may write to it, and don't say so."""

    BEHIND = 5_000
    """Journal rows that the timeline may be behind before it is extended, when there is time."""

    QUIET = 0.25
    """Seconds without a commit after which there is time."""

    FAR_BEHIND = 50_000
    """The same, whether there is time or not: a history scans what the timeline lacks."""

    EXTENDED_AT_ONCE = 1_000
    """Journal rows in one extension: a few milliseconds."""

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
        await self._writer.run(nothing)

    async def close(self) -> None:
        if self._glance is not None:
            self._glance.close()
        await self._reader.close()
        await self._writer.close()

    async def load(self, targets: Collection[Target]) -> Layers:
        wanted = list(targets)

        return await self._look(lambda c: read.load(c, self._sql, wanted), len(wanted))

    async def commit(self, writes: Sequence[Write]) -> Receipt:
        if not writes:
            return Receipt([])
        pause = write.Breather() if self._threaded else write.no_pause
        receipt = await self._writer.run(lambda c: write.commit(c, self._sql, writes, pause))
        self._behind += len(writes)
        if self._behind >= self.BEHIND:
            self._writer.afterwards(
                self._extend, 0.0 if self._behind >= self.FAR_BEHIND else self.QUIET
            )
        return receipt

    def _extend(self, connection: Connection) -> None:
        """Let the timeline catch up, while nobody waits or when it can't wait any more."""
        while self._writer.is_idle or self._behind >= self.FAR_BEHIND:
            self._behind = write.extend(connection, self._sql, self.EXTENDED_AT_ONCE)
            if self._behind == 0:
                break

    async def contest(self, writes: Sequence[Write]) -> None:
        if writes:
            await self._writer.run(lambda c: contested.put(c, self._sql, writes))

    async def done(self, operations: Collection[str]) -> dict[str, int]:
        ids = list(operations)
        return await self._look(lambda c: read.done(c, self._sql, ids), len(ids))

    async def followed(self, first: str, last: str, target: Target, field: str) -> bool:
        wanted = (first, last, *target, field)
        return bool(await self._look(lambda c: read.fetch(c, self._sql.followed, wanted), 1))

    async def tools(self, scope: str, owner: str) -> list[str]:
        rows = await self._read(lambda c: read.fetch(c, self._sql.tools, (scope, owner)))
        return [tool for (tool,) in rows]

    async def owners(self, scope: str, *, after: str = "", limit: int = 1_000) -> list[str]:
        some = (scope, after, max(limit, 0))
        rows = await self._read(lambda c: read.fetch(c, self._sql.owners, some))
        return [owner for (owner,) in rows]

    # --- the journal -----------------------------------------------------------------------------

    async def history(
        self,
        targets: Collection[Target],
        *,
        field: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Change]:
        wanted = list(targets)

        def job(c: Connection) -> list[Change]:
            known = (c, self._sql, wanted, field, before, limit)
            return contested.merged(journal.history(*known), contested.history(*known), limit)

        return await self._read(job)

    async def authored(
        self, author: str, *, before: int | None = None, limit: int = 200
    ) -> list[Change]:
        return await self._read(lambda c: journal.authored(c, self._sql, author, before, limit))

    async def group(self, group_id: str, author: str) -> list[Change]:
        return await self._read(lambda c: journal.group(c, self._sql, group_id, author))

    async def standing(self, points: Collection[Point]) -> dict[Point, Change | None]:
        wanted = list(points)
        return await self._read(lambda c: journal.standing(c, self._sql, wanted))

    async def at(
        self, targets: Collection[Target], revision: int
    ) -> dict[Target, dict[str, Change]]:
        wanted = list(targets)
        return await self._read(lambda c: journal.at(c, self._sql, wanted, revision))

    async def last_revision(self) -> int:
        if self._glance is not None:
            found = self._glance(lambda c: read.fetch(c, self._sql.last_revision, ()))
            if found is not None:
                return found[0][0]
        return await self._number(self._sql.last_revision)

    async def since(self, revision: int, *, limit: int = 1_000) -> list[News]:
        return await self._read(lambda c: journal.since(c, self._sql, revision, limit))

    async def pruned(self) -> int:
        return await self._number(self._sql.pruned)

    async def _number(self, statement: str) -> int:
        return (await self._read(lambda c: read.fetch(c, statement, ())))[0][0]

    # --- moments and presets ---------------------------------------------------------------------

    async def name_moment(self, moment: Moment) -> None:
        await self._writer.run(lambda c: named.name_moment(c, self._sql, moment))

    async def moments(self, scope: str, owner: str) -> list[Moment]:
        return await self._read(lambda c: named.moments(c, self._sql, scope, owner))

    async def remove_moment(self, scope: str, owner: str, name: str) -> bool:
        return await self._writer.run(
            lambda c: named.remove_moment(c, self._sql, scope, owner, name)
        )

    async def keep_preset(self, preset: Preset) -> None:
        await self._writer.run(lambda c: named.keep_preset(c, self._sql, preset))

    async def presets(self, scope: str, owner: str, tool: str) -> list[Preset]:
        return await self._read(lambda c: named.presets(c, self._sql, scope, owner, tool))

    async def remove_preset(self, scope: str, owner: str, tool: str, name: str) -> bool:
        return await self._writer.run(
            lambda c: named.remove_preset(c, self._sql, scope, owner, tool, name)
        )

    # --- what couldn't be read -------------------------------------------------------------------

    async def quarantined(self, scope: str, owner: str) -> list[Quarantined]:
        return await self._read(lambda c: quarantine.quarantined(c, self._sql, scope, owner))

    async def remove_quarantined(self, target: Target, field: str, revision: int) -> bool:
        return await self._writer.run(
            lambda c: quarantine.remove(c, self._sql, target, field, revision)
        )

    # --- the end of things -----------------------------------------------------------------------

    async def forget(self, scope: str, owner: str) -> int:
        return await self._writer.run(lambda c: write.forget(c, self._sql, scope, owner))

    async def prune(self, *, older_than: float, keep_operations_after: float) -> int:
        gone = await self._prune_journal(older_than)
        gone += await self._prune_contested(older_than)
        return gone + await self._prune_operations(keep_operations_after)

    async def _prune_contested(self, older_than: float) -> int:
        gone, most = 0, prune.REMOVED_AT_ONCE
        while some := await self._writer.run(
            lambda c: contested.prune(c, self._sql, older_than, most)
        ):
            gone += some
            await asyncio.sleep(PAUSE)
        return gone

    async def _prune_journal(self, older_than: float) -> int:
        sql = self._sql
        left = 1
        while left:
            left = await self._writer.run(lambda c: write.extend(c, sql, self.EXTENDED_AT_ONCE))
            await asyncio.sleep(PAUSE)
        end = await self._end_of_the_old(older_than)
        gone = low = 0
        while low < end:
            found = await self._read(lambda c, low=low: prune.look(c, sql, low, end))
            for remove, revisions in (
                (prune.remove_replaced, found.replaced),
                (prune.remove_tombstones, found.tombstones),
            ):
                for some in _portions(revisions):
                    gone += await self._writer.run(
                        lambda c, remove=remove, some=some: remove(c, sql, some, end)
                    )
                    await asyncio.sleep(PAUSE)
            low = found.end
        return gone

    async def _end_of_the_old(self, older_than: float) -> int:
        """The revision before the first one that isn't old. What was pruned before isn't looked
        at again."""
        low = await self.pruned()
        while True:
            first, last = await self._read(
                lambda c, low=low: prune.first_new(c, self._sql, low, older_than)
            )
            if first is not None:
                return first - 1
            if last is None:
                return await self.last_revision()
            low = last

    async def _prune_operations(self, older_than: float) -> int:
        gone, after = 0, ""
        while True:
            ids, last = await self._read(
                lambda c, after=after: prune.old_operations(c, self._sql, after, older_than)
            )
            for some in _portions(ids):
                gone += await self._writer.run(
                    lambda c, some=some: prune.remove_operations(c, self._sql, some)
                )
                await asyncio.sleep(PAUSE)
            if last is None:
                return gone
            after = last

    async def check(self) -> list[Finding]:
        if not self._threaded:
            return look.check(self.path, self._sql)
        return await asyncio.to_thread(look.check, self.path, self._sql)

    async def _read(self, job: Callable[[Connection], Result]) -> Result:
        if not self._writer.is_connected:
            await self.open()  # the tables may have to be made first
        return await self._reader.run(job)

    async def _look(self, job: Callable[[Connection], Result], size: int) -> Result:
        """A read that is mostly small: where it is asked, if that is as quick as it should be."""
        if size <= FEW and self._glance is not None and (found := self._glance(job)) is not None:
            return found
        return await self._read(job)

    def _connect_writer(self) -> Connection:
        connection = self._connect()
        try:
            # Keeps readers and the writer out of each other's way.
            self._patiently(connection, "PRAGMA journal_mode = WAL")
            # What is answered survives a power cut.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA wal_autocheckpoint = 10000")
            write.migrate(connection, self._sql)
            # Recovery may have found what was written and never synced, by a process that was
            # killed within a commit or met a failing disk. Nobody is told of it before it is.
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
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
                if not is_passing(error) or monotonic() > end:
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


def _portions(items: Sequence[Result]) -> Iterator[Sequence[Result]]:
    size = prune.REMOVED_AT_ONCE
    return (items[start : start + size] for start in range(0, len(items), size))
