"""Moments and presets in the file store, on a connection that is given."""

# ruff: noqa: S608 (only names of ours go into a text; values are always parameters)

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ..errors import StoreRefused
from .base import Moment, Preset
from .sqlite_read import fetch
from .sqlite_write import BAD_ROW, Transaction
from .statements import Statements

Connection = sqlite3.Connection

_MOMENT = "scope, owner, name, revision, author, at"
_PRESET = "scope, owner, tool, name, text, author, at, version"


def name_moment(connection: Connection, sql: Statements, moment: Moment) -> None:
    _put(connection, f"{sql.prefix}moment", _MOMENT, moment)


def moments(connection: Connection, sql: Statements, scope: str, owner: str) -> list[Moment]:
    statement = (
        f"SELECT {_MOMENT} FROM {sql.prefix}moment WHERE scope = ? AND owner = ? "
        "ORDER BY revision DESC, name"
    )
    return [Moment._make(row) for row in fetch(connection, statement, (scope, owner))]


def remove_moment(
    connection: Connection, sql: Statements, scope: str, owner: str, name: str
) -> bool:
    statement = f"DELETE FROM {sql.prefix}moment WHERE scope = ? AND owner = ? AND name = ?"
    with Transaction(connection):
        return connection.execute(statement, (scope, owner, name)).rowcount > 0


def keep_preset(connection: Connection, sql: Statements, preset: Preset) -> None:
    _put(connection, f"{sql.prefix}preset", _PRESET, preset)


def presets(
    connection: Connection, sql: Statements, scope: str, owner: str, tool: str
) -> list[Preset]:
    statement = (
        f"SELECT {_PRESET} FROM {sql.prefix}preset "
        "WHERE scope = ? AND owner = ? AND tool = ? ORDER BY name"
    )
    return [Preset._make(row) for row in fetch(connection, statement, (scope, owner, tool))]


def remove_preset(
    connection: Connection, sql: Statements, scope: str, owner: str, tool: str, name: str
) -> bool:
    statement = (
        f"DELETE FROM {sql.prefix}preset WHERE scope = ? AND owner = ? AND tool = ? AND name = ?"
    )
    with Transaction(connection):
        return connection.execute(statement, (scope, owner, tool, name)).rowcount > 0


def _put(connection: Connection, table: str, columns: str, row: Sequence[object]) -> None:
    """Raises StoreRefused for what the database can't take."""
    marks = ",".join("?" * len(row))
    try:
        with Transaction(connection):
            connection.execute(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", row)
    except BAD_ROW as error:
        raise StoreRefused(f"the database can't store this ({error})") from error
