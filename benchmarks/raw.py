"""The peer by hand: override and journal in SQLite, as one would write them without the library.

Two `executemany` in one transaction; WAL and FULL, since the answer is "it is on the disk"; all
other settings are SQLite's own. The rows are those of our tables: the value stands once, in the
journal, with author, source, time and group.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

SCHEMA = """
create table override (
    scope text not null, owner text not null, tool text not null, field text not null,
    revision integer not null, kind text not null, secret text,
    primary key (scope, owner, tool, field)
);
create table change (
    revision integer primary key, scope text not null, owner text not null, tool text not null,
    field text not null, kind text not null, text text, author text not null,
    source text not null, at real not null, group_id text not null, version integer not null,
    note text
);
create index history on change (scope, owner, tool, revision);
"""
OVERRIDE = """
insert into override values (?, ?, ?, ?, ?, 'set', null)
on conflict do update set revision = excluded.revision, kind = excluded.kind
"""
CHANGE = """
insert into change values (?, ?, ?, ?, ?, 'set', ?, 'somebody', 'user', ?, 'an-action', 1, null)
"""
LOAD = """
select o.scope, o.field, c.text from override o join change c on c.revision = o.revision
where (o.scope = ? and o.owner = ? and o.tool = ?)
   or (o.scope = ? and o.owner = ? and o.tool = ?)
   or (o.scope = ? and o.owner = ? and o.tool = ?)
"""

Key = tuple[str, str, str, str]
"""Scope, owner, tool, field."""


class RawSQLite:
    """One connection, one transaction a commit."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("pragma journal_mode = wal")
        self.connection.execute("pragma synchronous = full")
        self.connection.executescript(SCHEMA)
        self._revision = 0

    def commit(self, edits: Iterable[tuple[Key, str]]) -> float:
        """Write these values; returns the seconds that the database took."""
        overrides: list[tuple[object, ...]] = []
        changes: list[tuple[object, ...]] = []
        now = time.time()
        for revision, (key, text) in enumerate(edits, self._revision + 1):
            overrides.append((*key, revision))
            changes.append((revision, *key, text, now))
        self._revision += len(changes)
        begun = time.perf_counter()
        execute = self.connection.execute
        execute("begin immediate")
        self.connection.executemany(OVERRIDE, overrides)
        self.connection.executemany(CHANGE, changes)
        execute("commit")
        return time.perf_counter() - begun

    def load(self, *targets: tuple[str, str, str]) -> list[tuple[str, str, str]]:
        """Scope, field and text of all overrides of three layers, in one statement."""
        return self.connection.execute(LOAD, list(chain.from_iterable(targets))).fetchall()

    def close(self) -> None:
        self.connection.close()
