"""What the file store reads, on a connection that is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from ..scopes import Target
from .base import Layers, Row
from .statements import AT_ONCE, Statements, parts

Connection = sqlite3.Connection


def load(connection: Connection, sql: Statements, targets: list[Target]) -> Layers:
    layers: Layers = {target: {} for target in targets}
    for start in range(0, len(targets), AT_ONCE):
        some = targets[start : start + AT_ONCE]
        size = min(parts(len(some)), AT_ONCE)
        parameters: list[str | None] = [part for target in some for part in target]
        parameters.extend([None] * (3 * size - len(parameters)))  # finds nothing
        found = [layers[target] for target in some]
        for row in fetch(connection, sql.load(size), parameters):
            found[row[0]][row[1]] = Row._make(row[2:])
    return layers


def fetch(
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


def done(connection: Connection, sql: Statements, ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        size = min(parts(len(some)), AT_ONCE)
        parameters = [*some, *[None] * (size - len(some))]
        rows = fetch(connection, sql.known(size), parameters)
        found.update((operation, revision) for operation, revision in rows)
    return found
