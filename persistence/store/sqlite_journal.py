"""What the file store tells from its journal, on a connection that is given.

Each answer is found in two steps: which revisions, then their rows. The revisions come from the
timeline and the authors' changes up to where those reach, and from the journal itself behind that;
texts, which may be long, are read only of the rows that are given out.
"""

# ruff: noqa: S608 (only names of ours go into a text; values are always parameters)

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from heapq import nlargest
from itertools import islice

from ..scopes import Target
from .base import Change, News, Point
from .sqlite_read import fetch
from .statements import AT_ONCE, Statements, parts

Connection = sqlite3.Connection
Key = tuple[str, ...]

_CHANGE = (
    "revision, scope, owner, tool, field, kind, text, author, source, at, group_id, version, note"
)


def history(
    connection: Connection,
    sql: Statements,
    targets: Collection[Target],
    field: str | None,
    before: int | None,
    limit: int,
) -> list[Change]:
    field_is = "" if field is None else "AND field = ? "
    older = "" if before is None else "AND revision < ? "
    rest = [*(part for part in (field, before) if part is not None), max(limit, 0)]
    timeline = (
        f"SELECT revision FROM {sql.prefix}timeline WHERE scope = ? AND owner = ? AND tool = ? "
        f"{field_is}{older}ORDER BY revision DESC LIMIT ?"
    )
    with _snapshot(connection):
        found = [
            revision
            for target in dict.fromkeys(targets)
            for (revision,) in fetch(connection, timeline, [*target, *rest])
        ]
        for some in _portions(dict.fromkeys(targets), AT_ONCE):
            behind = (
                f"SELECT revision FROM {sql.prefix}change {_behind(sql)}"
                f"AND {_among('scope, owner, tool', some)}"
                f"{field_is}{older}ORDER BY revision DESC LIMIT ?"
            )
            keys = [part for target in some for part in target]
            found += [revision for (revision,) in fetch(connection, behind, [*keys, *rest])]
        return _changes(connection, sql, nlargest(max(limit, 0), found))


def since(connection: Connection, sql: Statements, revision: int, limit: int) -> list[News]:
    rows = fetch(
        connection,
        "SELECT revision, scope, owner, tool, field, author, source "
        f"FROM {sql.prefix}change WHERE revision > ? ORDER BY revision LIMIT ?",
        (revision, max(limit, 0)),
    )
    return [News(row[0], Target(*row[1:4]), *row[4:]) for row in rows]


def authored(
    connection: Connection, sql: Statements, author: str, before: int | None, limit: int
) -> list[Change]:
    older = "" if before is None else "AND revision < ? "
    end = f"{older}ORDER BY revision DESC LIMIT ?"
    parameters = [author, *([] if before is None else [before]), max(limit, 0)]
    with _snapshot(connection):
        found = [
            revision
            for statement in (
                f"SELECT revision FROM {sql.prefix}authored WHERE author = ? {end}",
                f"SELECT revision FROM {sql.prefix}change {_behind(sql)}AND author = ? {end}",
            )
            for (revision,) in fetch(connection, statement, parameters)
        ]
        return _changes(connection, sql, nlargest(max(limit, 0), found))


def group(connection: Connection, sql: Statements, group_id: str, author: str) -> list[Change]:
    if not group_id:
        return []
    chosen = "group_id = ? AND author = ?"
    with _snapshot(connection):
        found = [
            revision
            for statement in (
                f"SELECT revision FROM {sql.prefix}authored WHERE {chosen}",
                f"SELECT revision FROM {sql.prefix}change {_behind(sql)}AND {chosen}",
            )
            for (revision,) in fetch(connection, statement, (group_id, author))
        ]
        return _changes(connection, sql, sorted(found, reverse=True))


def standing(
    connection: Connection, sql: Statements, points: Collection[Point]
) -> dict[Point, Change | None]:
    timeline = (
        f"SELECT revision FROM {sql.prefix}timeline WHERE scope = ? AND owner = ? AND tool = ? "
        "AND revision < ? AND field = ? ORDER BY revision DESC LIMIT 1"
    )
    with _snapshot(connection):
        late = _late(
            connection, sql, dict.fromkeys((*target, field) for target, field, _ in points)
        )
        found: dict[Point, int] = {}
        for point in points:
            target, field, before = point
            newer = late.get((*target, field), ())
            if position := bisect_left(newer, before):
                found[point] = newer[position - 1]
            elif row := fetch(connection, timeline, (*target, before, field)):
                found[point] = row[0][0]
        changes = {each.revision: each for each in _changes(connection, sql, set(found.values()))}
    return {point: changes.get(found.get(point, 0)) for point in points}


def _late(connection: Connection, sql: Statements, fields: Iterable[Key]) -> dict[Key, list[int]]:
    """The revisions of some fields that the timeline lacks, oldest first."""
    found: dict[Key, list[int]] = {}
    for some in _portions(fields, AT_ONCE):
        statement = (
            f"SELECT revision, scope, owner, tool, field FROM {sql.prefix}change {_behind(sql)}"
            f"AND {_among('scope, owner, tool, field', some)}ORDER BY revision"
        )
        parameters = [part for key in some for part in key]
        for revision, *field in fetch(connection, statement, parameters):
            found.setdefault(tuple(field), []).append(revision)
    return found


def at(
    connection: Connection, sql: Statements, targets: Collection[Target], revision: int
) -> dict[Target, dict[str, Change]]:
    layers: dict[Target, dict[str, Change]] = {target: {} for target in targets}
    timeline = (
        f"SELECT field, max(revision) FROM {sql.prefix}timeline "
        "WHERE scope = ? AND owner = ? AND tool = ? AND revision <= ? GROUP BY field"
    )
    with _snapshot(connection):
        found: dict[Key, int] = {
            (*target, field): newest
            for target in layers
            for field, newest in fetch(connection, timeline, (*target, revision))
        }
        for some in _portions(layers, AT_ONCE):
            behind = (
                f"SELECT max(revision), scope, owner, tool, field FROM {sql.prefix}change "
                f"{_behind(sql)}AND {_among('scope, owner, tool', some)}AND revision <= ? "
                "GROUP BY scope, owner, tool, field"
            )
            keys = [part for target in some for part in target]
            for newest, *key in fetch(connection, behind, [*keys, revision]):
                found[tuple(key)] = newest
        for change in _changes(connection, sql, set(found.values())):
            layers[change.target][change.field] = change
    return layers


@contextmanager
def _snapshot(connection: Connection) -> Generator[None]:
    """All reads within see the same state."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _behind(sql: Statements) -> str:
    """Begins the condition on a journal row that the timeline lacks."""
    return f"WHERE revision > ({sql.timeline_end}) "


def _among(columns: str, keys: Sequence[Key]) -> str:
    """The row of these columns is one of the keys."""
    one = f"({','.join('?' * len(columns.split()))})"
    return f"({columns}) IN (VALUES {','.join([one] * len(keys))}) "


def _portions(keys: Iterable[Key], size: int) -> Iterator[list[Key]]:
    rest = iter(keys)
    while some := list(islice(rest, size)):
        yield some


def _changes(connection: Connection, sql: Statements, revisions: Collection[int]) -> list[Change]:
    """The journal rows of these revisions that there are, in their order."""
    wanted = list(revisions)
    found: dict[int, Change] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        size = min(parts(len(some)), AT_ONCE)
        marks = ",".join("?" * size)
        statement = f"SELECT {_CHANGE} FROM {sql.prefix}change WHERE revision IN ({marks})"
        for row in fetch(connection, statement, [*some, *[None] * (size - len(some))]):
            revision, scope, owner, tool, *rest = row
            found[revision] = Change(revision, Target(scope, owner, tool), *rest)
    return [found[each] for each in wanted if each in found]
