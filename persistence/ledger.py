"""ONCE: which operations were applied, kept in the app's own database beside its own rows.

    ledger = Ledger(SQLModel.metadata)               # two tables among the app's

    def add_message(submitted: Submitted[NewMessage]) -> None:
        with Session(database) as session, session.begin():
            if ledger.once(session, submitted):      # the first statement of the transaction
                session.add(Message(...))

- An operation's row and what it did are one transaction: after a crash both are there, or neither.
- Two processes that apply the same one at once: the later waits for the earlier, then does nothing.
- Ids are told apart by who sent them: nobody can use up another's.
- Works on SQLite and PostgreSQL, with a `Session` or a `Connection`, and their async kin.

The tables are plain ones in the app's metadata, so that its migrations make them as any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    delete,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .errors import StoreUnavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

    from .appliers import Submitted

_Number = BigInteger().with_variant(Integer(), "sqlite")
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

PRUNED_AT_ONCE = 1_000
"""Rows of each table that one call of `prune` removes at most."""


class Ledger:
    """What was applied, by operation; and how far each client has come, by target."""

    def __init__(
        self, metadata: MetaData, *, prefix: str = "persistence_", schema: str | None = None
    ) -> None:
        """Declares the tables `<prefix>applied` and `<prefix>mark`; makes nothing yet."""

        def key(name: str) -> Column[str]:
            return Column(name, Text, primary_key=True)

        self.applied = Table(
            f"{prefix}applied",
            metadata,
            key("actor"),
            key("id"),
            Column("client", Text, nullable=False),
            Column("seq", _Number, nullable=False),
            Column("kind", Text, nullable=False),
            Column("what", Text, nullable=False),
            Column("owner", Text, nullable=False),
            Column("part", Text, nullable=False),
            Column("outcome", Text, nullable=False),
            Column("at", Double, nullable=False, index=True),
            schema=schema,
        )
        """An operation that was done. `outcome`: "applied", or "overtaken" by a newer one."""
        self.mark = Table(
            f"{prefix}mark",
            metadata,
            key("actor"),
            key("client"),
            key("what"),
            key("owner"),
            key("part"),
            key("lane"),
            Column("seq", _Number, nullable=False),
            Column("at", Double, nullable=False, index=True),
            schema=schema,
        )
        """The newest operation of a client at a target; `lane` is "", what replaces itself, or one
        that didn't wait for an earlier one, whose `seq` is there."""

    @property
    def tables(self) -> tuple[Table, Table]:
        return self.applied, self.mark

    def once(self, session: Session | Connection, submitted: Submitted[Any]) -> bool:
        """Is this operation to be applied now? Notes in the session's transaction that it was.

        False where it was done before, or where one that replaces it was. Raises StoreUnavailable
        where one that it follows isn't there yet; let that through, so that nothing is committed:
        the client sends both again.
        """
        connection = session if isinstance(session, Connection) else session.connection()
        made, at = submitted.operation, submitted.at
        what, owner, part = made.target
        place = {"what": what, "owner": owner, "part": part}
        by = {"actor": submitted.actor, "client": made.client}
        row = {
            **place, **by, "id": made.id, "seq": made.seq, "kind": made.kind,
            "outcome": "applied", "at": at,
        }  # fmt: skip
        if not _run(connection, _insert(connection, self.applied, row).on_conflict_do_nothing()):
            return False
        key = {**by, **place, "lane": ""}
        missing = self._missing(connection, key, submitted.after)
        if missing and submitted.order == "kept":
            raise StoreUnavailable("an earlier one of the same page hasn't arrived yet")
        if missing:  # it doesn't wait itself, but whoever names it does
            self._reach(connection, {**key, "lane": _ahead(made.seq)}, missing, at)
        else:
            self._reach(connection, key, made.seq, at)
        if submitted.order != "newest":
            return True
        key["lane"] = f"{made.kind} {made.field}"
        if self._reach(connection, key, made.seq, at):
            return True
        done = and_(self.applied.c.actor == submitted.actor, self.applied.c.id == made.id)
        connection.execute(self.applied.update().where(done).values(outcome="overtaken"))
        return False

    async def once_async(
        self, session: AsyncSession | AsyncConnection, submitted: Submitted[Any]
    ) -> bool:
        """The same in an async session, or on an async connection."""
        return await cast("Any", session).run_sync(self.once, submitted)

    def prune(self, session: Session | Connection, *, older_than: float) -> int:
        """Forget what was done before that time, in seconds since the epoch; how many rows went.

        Up to a thousand of each table, so that nobody waits long: commit, and call it again until
        it returns 0. An operation that a browser still holds would then be applied once more, so
        keep at least as long as a browser may stay away: 90 days, as the library does for settings.
        """
        connection = session if isinstance(session, Connection) else session.connection()
        gone = 0
        for table in self.tables:
            columns = list(table.primary_key.columns)
            some = select(*columns).where(table.c.at < older_than).limit(PRUNED_AT_ONCE)
            for found in connection.execute(some).all():
                chosen = (column == value for column, value in zip(columns, found, strict=True))
                gone += connection.execute(delete(table).where(*chosen)).rowcount
        return gone

    def _reach(self, connection: Connection, key: dict[str, str], seq: int, at: float) -> bool:
        """Put a mark forward, and hold it until the transaction ends. False where it was there."""
        put: Any = _insert(connection, self.mark, {**key, "seq": seq, "at": at})
        further = put.on_conflict_do_update(
            index_elements=list(self.mark.primary_key.columns),
            set_={"seq": put.excluded.seq, "at": put.excluded.at},
            where=self.mark.c.seq < put.excluded.seq,
        )
        return _run(connection, further)

    def _missing(self, connection: Connection, key: dict[str, str], after: int) -> int:
        """The operation that has to be there and isn't; 0 for none. One that came ahead of another
        stands for that."""
        reached = self._reached(connection, key) if after else 0
        while reached < after:
            earlier = self._reached(connection, {**key, "lane": _ahead(after)})
            if not 0 < earlier < after:
                return after
            after = earlier
        return 0

    def _reached(self, connection: Connection, key: dict[str, str]) -> int:
        return connection.execute(select(self.mark.c.seq).where(*self._at(key))).scalar() or 0

    def _at(self, key: dict[str, str]) -> list[ColumnElement[bool]]:
        return [self.mark.c[name] == value for name, value in key.items()]


def _ahead(seq: int) -> str:
    return f"ahead {seq}"


def _insert(connection: Connection, table: Table, row: dict[str, Any]) -> Any:
    name = connection.dialect.name
    if name not in _INSERTS:
        raise TypeError(f"a ledger works on SQLite and PostgreSQL, not on {name}")
    return _INSERTS[name](table).values(row)


def _run(connection: Connection, statement: Any) -> bool:
    """Whether it wrote a row."""
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount > 0
