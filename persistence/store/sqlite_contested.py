"""Edits that met somebody else's, in the file store's history, on a connection that is given.

They have revisions of the journal's sequence and stand in a table of their own: for nothing that is
read from the journal do they count, but for the history.
"""

# ruff: noqa: S608 (only names of ours go into a text; values are always parameters)

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from heapq import nlargest

from ..scopes import Target
from .base import CONFLICT, Change, Write
from .sqlite_read import fetch
from .sqlite_write import Transaction
from .statements import Statements

Connection = sqlite3.Connection

_COLUMNS = (
    "revision, owner, scope, tool, field, kind, text, author, at, group_id, version, note, "
    "operation"
)


def put(connection: Connection, sql: Statements, writes: Sequence[Write]) -> None:
    """In one transaction; one whose newest operation is there stays as it is."""
    marks = ",".join("?" * 13)
    statement = f"INSERT OR IGNORE INTO {sql.prefix}contested ({_COLUMNS}) VALUES ({marks})"
    with Transaction(connection):
        (last,) = connection.execute(sql.last_revision).fetchone()
        for write in writes:
            (scope, owner, tool), operation = write.target, None
            if write.operations:
                operation = write.operations[-1]
            row = (
                last + 1, owner, scope, tool, write.field, write.kind,
                None if write.secret else write.text, write.author, write.at, write.group,
                write.version, write.note, operation,
            )  # fmt: skip
            last += connection.execute(statement, row).rowcount
        connection.execute(sql.count, (last, "revision"))


def history(
    connection: Connection,
    sql: Statements,
    targets: Iterable[Target],
    field: str | None,
    before: int | None,
    limit: int,
) -> list[Change]:
    field_is = "" if field is None else "AND field = ? "
    older = "" if before is None else "AND revision < ? "
    rest = [*(part for part in (field, before) if part is not None), max(limit, 0)]
    statement = (
        "SELECT revision, field, kind, text, author, at, group_id, version, note "
        f"FROM {sql.prefix}contested WHERE scope = ? AND owner = ? AND tool = ? "
        f"{field_is}{older}ORDER BY revision DESC LIMIT ?"
    )
    return [
        Change._make((row[0], target, *row[1:5], CONFLICT, *row[5:]))
        for target in dict.fromkeys(targets)
        for row in fetch(connection, statement, [*target, *rest])
    ]


def merged(one: Collection[Change], other: Collection[Change], limit: int) -> list[Change]:
    """Newest first."""
    if not other:
        return list(one)
    return nlargest(max(limit, 0), [*one, *other], key=lambda change: change.revision)


def prune(connection: Connection, sql: Statements, older_than: float, most: int) -> int:
    """Drop some of the old ones; how many went."""
    statement = (
        f"DELETE FROM {sql.prefix}contested WHERE revision IN "
        f"(SELECT revision FROM {sql.prefix}contested WHERE at < ? LIMIT ?)"
    )
    return connection.execute(statement, (older_than, most)).rowcount
