"""What nobody could read, in the file store, on a connection that is given.

A row is copied within the database, as it is: it may be no text that Python could carry.
"""

# ruff: noqa: S608 (only names of ours go into a text; values are always parameters)

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ..scopes import Target
from .base import Quarantined, Write
from .sqlite_read import fetch
from .statements import Statements

Connection = sqlite3.Connection

_COLUMNS = "owner, scope, tool, field, revision, kind, text, author, at, version, problem"


def put(connection: Connection, sql: Statements, writes: Iterable[Write]) -> None:
    """Copy what some writes will stand in place of, where it can't be read. Within their
    transaction, before them; a row that has moved since isn't what couldn't be read."""
    statement = (
        f"INSERT OR IGNORE INTO {sql.prefix}quarantine ({_COLUMNS}) "
        "SELECT o.owner, o.scope, o.tool, o.field, o.revision, o.kind, "
        "coalesce(o.secret, c.text), coalesce(c.author, ''), coalesce(c.at, 0.0), "
        f"coalesce(c.version, 1), ? FROM {sql.prefix}override o "
        f"LEFT JOIN {sql.prefix}change c ON c.revision = o.revision "
        "WHERE o.scope = ? AND o.owner = ? AND o.tool = ? AND o.field = ? AND o.revision = ?"
    )
    for write in writes:
        if write.unreadable:
            parameters = (write.unreadable, *write.target, write.field, write.base)
            connection.execute(statement, parameters)


def quarantined(
    connection: Connection, sql: Statements, scope: str, owner: str
) -> list[Quarantined]:
    statement = (
        f"SELECT tool, field, revision, kind, text, author, at, version, problem "
        f"FROM {sql.prefix}quarantine WHERE scope = ? AND owner = ? ORDER BY revision DESC"
    )
    return [
        Quarantined(Target(scope, owner, tool), *rest)
        for tool, *rest in fetch(connection, statement, (scope, owner))
    ]


def remove(
    connection: Connection, sql: Statements, target: Target, field: str, revision: int
) -> bool:
    statement = (
        f"DELETE FROM {sql.prefix}quarantine "
        "WHERE scope = ? AND owner = ? AND tool = ? AND field = ? AND revision = ?"
    )
    return connection.execute(statement, (*target, field, revision)).rowcount > 0
