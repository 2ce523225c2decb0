"""What the file store drops from its journal: looked for by a reader, removed in short writes."""

# ruff: noqa: S608 (only names of ours go into a text; values are always parameters)

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from .sqlite_read import fetch
from .sqlite_write import Transaction
from .statements import Statements

Connection = sqlite3.Connection

LOOKED_AT = 2_000
"""Rows in one read, between which loads get their turn: some milliseconds."""

REMOVED_AT_ONCE = 200
"""Rows in one write, between which saves get their turn: a few milliseconds."""


class Found(NamedTuple):
    """What can go of some of the journal, and where to look next."""

    replaced: list[int]
    tombstones: list[int]
    end: int


def first_new(
    connection: Connection, sql: Statements, low: int, older_than: float
) -> tuple[int | None, int | None]:
    """Of some rows behind `low`: the first one that isn't old, and the last one, None for none."""
    (first, last) = fetch(
        connection,
        "SELECT min(revision) FILTER (WHERE at >= ?), max(revision) FROM (SELECT revision, at "
        f"FROM {sql.prefix}change WHERE revision > ? ORDER BY revision LIMIT ?)",
        (older_than, low, LOOKED_AT),
    )[0]
    return first, last


def look(connection: Connection, sql: Statements, low: int, high: int) -> Found:
    """In the rows behind `low`; `high` is the end of the old part."""
    (end,) = fetch(
        connection,
        f"SELECT max(revision) FROM (SELECT revision FROM {sql.prefix}change "
        "WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?)",
        (low, high, LOOKED_AT),
    )[0]
    if end is None:
        return Found([], [], high)
    replaced = fetch(connection, _replaced(sql, "> ? AND c.revision <= ?"), (low, end, high))
    tombstones = fetch(
        connection,
        f"SELECT o.revision FROM {sql.prefix}change c JOIN {sql.prefix}override o "
        f"ON {_same('o', 'c')} AND o.field = c.field AND o.revision = c.revision "
        "WHERE c.revision > ? AND c.revision <= ? AND o.kind = 'reset'",
        (low, end),
    )
    return Found([each for (each,) in replaced], [each for (each,) in tombstones], end)


def _replaced(sql: Statements, range_: str) -> str:
    """Rows in a range that a later one up to the last parameter has replaced, unless a moment shows
    them. What an override points to is skipped first: nothing later would be found in vain."""
    return (
        "SELECT k.revision FROM (SELECT c.revision, c.owner, c.scope, "
        f"(SELECT t.revision FROM {sql.prefix}timeline t WHERE {_same('t', 'c')} "
        "AND t.revision > c.revision AND t.field = c.field ORDER BY t.revision LIMIT 1) AS later "
        f"FROM {sql.prefix}change c WHERE c.revision {range_} AND NOT EXISTS "
        f"(SELECT 1 FROM {sql.prefix}override o WHERE {_same('o', 'c')} AND o.field = c.field "
        "AND o.revision = c.revision)) k WHERE k.later <= ? AND NOT EXISTS "
        f"(SELECT 1 FROM {sql.prefix}moment m WHERE m.owner = k.owner AND m.scope = k.scope "
        "AND m.revision >= k.revision AND m.revision < k.later)"
    )


def _same(one: str, other: str) -> str:
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in ("owner", "scope", "tool"))


def remove_replaced(
    connection: Connection, sql: Statements, revisions: Sequence[int], high: int
) -> int:
    """Those that still can go; the number of journal rows that went."""
    marks = ",".join("?" * len(revisions))
    with Transaction(connection):
        gone = connection.execute(_replaced(sql, f"IN ({marks})"), (*revisions, high)).fetchall()
        _remove(connection, sql, [each for (each,) in gone], high)
    return len(gone)


def remove_tombstones(
    connection: Connection, sql: Statements, revisions: Sequence[int], high: int
) -> int:
    """Those that still stand, with nothing older behind them, which would seem to stand again.
    The number of rows that went, the journal's included."""
    marks = ",".join("?" * len(revisions))
    alone = (
        "SELECT c.owner, c.scope, c.tool, c.field, c.revision "
        f"FROM {sql.prefix}change c WHERE c.revision IN ({marks}) AND NOT EXISTS "
        f"(SELECT 1 FROM {sql.prefix}timeline t WHERE {_same('t', 'c')} "
        "AND t.revision < c.revision AND t.field = c.field)"
    )
    tombstone = (
        f"DELETE FROM {sql.prefix}override WHERE owner = ? AND scope = ? AND tool = ? "
        "AND field = ? AND revision = ? AND kind = 'reset'"
    )
    with Transaction(connection):
        gone = [
            row[-1]
            for row in connection.execute(alone, revisions).fetchall()
            if connection.execute(tombstone, row).rowcount
        ]
        _remove(connection, sql, gone, high)
    return 2 * len(gone)


def _remove(connection: Connection, sql: Statements, revisions: Sequence[int], high: int) -> None:
    if not revisions:
        return
    marks = ",".join("?" * len(revisions))
    keys = connection.execute(
        f"DELETE FROM {sql.prefix}change WHERE revision IN ({marks}) "
        "RETURNING owner, scope, tool, revision, author",
        revisions,
    ).fetchall()
    connection.executemany(
        f"DELETE FROM {sql.prefix}timeline "
        "WHERE owner = ? AND scope = ? AND tool = ? AND revision = ?",
        [key[:4] for key in keys],
    )
    connection.executemany(
        f"DELETE FROM {sql.prefix}authored WHERE author = ? AND revision = ?",
        [(author, revision) for *_, revision, author in keys],
    )
    connection.execute(
        f"UPDATE {sql.prefix}counter SET value = max(value, ?) WHERE name = 'pruned'", (high,)
    )


def old_operations(
    connection: Connection, sql: Statements, after: str, older_than: float
) -> tuple[list[str], str | None]:
    """Ids that can go, of some behind `after`; and the last one looked at, None at the end."""
    rows = fetch(
        connection,
        f"SELECT id, at < ? FROM {sql.prefix}operation WHERE id > ? ORDER BY id LIMIT ?",
        (older_than, after, LOOKED_AT),
    )
    return [each for each, is_old in rows if is_old], rows[-1][0] if rows else None


def remove_operations(connection: Connection, sql: Statements, ids: Sequence[str]) -> int:
    with Transaction(connection):
        return connection.executemany(
            f"DELETE FROM {sql.prefix}operation WHERE id = ?", [(each,) for each in ids]
        ).rowcount
