"""SQLite's statements, compiled from the tables once. Pure; run on the driver by `sqlite.py`.

Core's own execution costs several times what the statement does, so only its compiler is used. What
Core can't say (the order of a join, a list of targets as a table) is text around the tables' names.
"""

# ruff: noqa: S608 (only names of ours go into a text; values are always parameters)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.expression import ClauseElement

from .tables import tables

# `sqlite.dialect` isn't typed. Question marks, since rows are tuples.
_dialect: Any = getattr(sqlite, "dialect")(paramstyle="qmark")  # noqa: B009

AT_ONCE = 200
"""Targets or ids in one statement: 600 parameters, which every SQLite takes."""


_ROW = (
    "o.kind, coalesce(o.secret, c.text), o.revision, "
    # Should a journal row be missing, its override is shown as unreadable and not as unset.
    "coalesce(c.author, ''), coalesce(c.at, 0.0), coalesce(c.version, 1), c.note"
)


def parts(count: int) -> int:
    """The next power of two, so that few different statements are prepared."""
    return 1 << max(count - 1, 0).bit_length()


@dataclass(frozen=True, slots=True)
class Statements:
    """Texts with question marks; each says what its parameters are."""

    prefix: str
    create: str
    """An override that must not be there: owner, scope, tool, field, revision, kind, secret."""
    change: str
    """An override at its base: revision, kind, secret, owner, scope, tool, field, base."""
    journal: str
    """revision, owner, scope, tool, field, kind, text, author, source, at, group, version, note."""
    done: str
    """An operation that must not be known: id, revision, at."""
    done_anyway: str
    """The same; one that is known stays as it is."""
    last_revision: str
    timeline_end: str
    count: str
    """Set a counter: value, name."""
    pruned: str
    extend: tuple[str, ...]
    """The timeline and the authors' changes: from (not included) and to a revision."""
    version: str
    tools: str
    """scope, owner."""
    owners: str
    """scope, after, how many at most."""
    forget: tuple[str, ...]
    """Count overrides, then remove them, what the journal has, moments, presets: scope, owner."""

    def load(self, targets: int) -> str:
        """scope, owner, tool of so many targets; each row begins with the target's number and the
        field. Texts are kept, since making one costs as much as a search.

        `IN (VALUES …)` would scan all; the cross join keeps the order: search by primary key.
        """
        return _load(self.prefix, targets)

    def row(self) -> str:
        """One row's columns from its kind on: scope, owner, tool, field."""
        return (
            f"SELECT {_ROW} "
            f"FROM {self.prefix}override o LEFT JOIN {self.prefix}change c "
            "ON c.revision = o.revision "
            "WHERE o.scope = ? AND o.owner = ? AND o.tool = ? AND o.field = ?"
        )

    def known(self, ids: int) -> str:
        """Which of so many operation ids are known: id, revision."""
        marks = ",".join("?" * ids)
        return f"SELECT id, revision FROM {self.prefix}operation WHERE id IN ({marks})"

    @property
    def followed(self) -> str:
        """Whether an operation in a range of ids wrote a field: ids, scope, owner, tool, field."""
        return (
            f"SELECT 1 FROM {self.prefix}operation p CROSS JOIN {self.prefix}change c "
            "ON c.revision = p.revision WHERE p.id >= ? AND p.id < ? "
            "AND c.scope = ? AND c.owner = ? AND c.tool = ? AND c.field = ? LIMIT 1"
        )


@cache
def _load(prefix: str, targets: int) -> str:
    wanted = ",".join(f"({number},?,?,?)" for number in range(targets))
    return (
        f"WITH wanted(number, scope, owner, tool) AS (VALUES {wanted}) "
        f"SELECT w.number, o.field, {_ROW} FROM wanted w CROSS JOIN {prefix}override o "
        "ON o.scope = w.scope AND o.owner = w.owner AND o.tool = w.tool "
        f"LEFT JOIN {prefix}change c ON c.revision = o.revision"
    )


@cache
def statements(prefix: str) -> Statements:
    made = tables(prefix)
    override, change = made.table(made.override), made.table(made.change)
    operation = made.table(made.operation)
    key = ("owner", "scope", "tool", "field")
    names = {
        "o": override.name,
        "c": change.name,
        "t": made.table(made.timeline).name,
        "a": made.table(made.authored).name,
        "m": made.table(made.moment).name,
        "s": made.table(made.preset).name,
        "q": made.table(made.quarantine).name,
        "x": made.table(made.contested).name,
        "n": made.table(made.counter).name,
    }
    timeline_end = "SELECT value FROM {n} WHERE name = 'timeline'".format(**names)
    at_its_base = [override.c[name] == bindparam(f"key_{name}") for name in key]
    at_its_base.append(override.c.revision == bindparam("base"))
    return Statements(
        prefix,
        _compiled(insert(override).on_conflict_do_nothing(), override.c.keys()),
        _compiled(
            update(override).where(*at_its_base),
            ["revision", "kind", "secret"],
            [*(f"key_{name}" for name in key), "base"],
        ),
        _compiled(insert(change), change.c.keys()),
        _compiled(insert(operation), operation.c.keys()),
        _compiled(insert(operation).on_conflict_do_nothing(), operation.c.keys()),
        "SELECT max(value, coalesce((SELECT max(revision) FROM {c}), 0)) "
        "FROM {n} WHERE name = 'revision'".format(**names),
        timeline_end,
        "UPDATE {n} SET value = ? WHERE name = ?".format(**names),
        "SELECT value FROM {n} WHERE name = 'pruned'".format(**names),
        (
            "INSERT OR IGNORE INTO {t} (owner, scope, tool, revision, field) "
            "SELECT owner, scope, tool, revision, field FROM {c} "
            "WHERE revision > ? AND revision <= ? "
            "ORDER BY owner, scope, tool, revision".format(**names),
            "INSERT OR IGNORE INTO {a} (author, revision, group_id) "
            "SELECT author, revision, group_id FROM {c} WHERE revision > ? AND revision <= ? "
            "ORDER BY author, revision".format(**names),
        ),
        f"SELECT version_num FROM {made.version_table}",
        "SELECT DISTINCT tool FROM {o} WHERE scope = ? AND owner = ? ORDER BY tool".format(**names),
        "SELECT DISTINCT owner FROM {o} WHERE scope = ? AND owner > ? ORDER BY owner "
        "LIMIT ?".format(**names),
        (
            "SELECT count(*) FROM {o} WHERE scope = ? AND owner = ?".format(**names),
            "DELETE FROM {o} WHERE scope = ? AND owner = ?".format(**names),
            "DELETE FROM {a} WHERE (author, revision) IN (SELECT c.author, c.revision "
            "FROM {t} t CROSS JOIN {c} c ON c.revision = t.revision "
            "WHERE t.scope = ? AND t.owner = ?)".format(**names),
            "DELETE FROM {c} WHERE revision IN "
            "(SELECT revision FROM {t} WHERE scope = ? AND owner = ?)".format(**names),
            "DELETE FROM {t} WHERE scope = ? AND owner = ?".format(**names),
            (
                f"DELETE FROM {change.name} WHERE revision > ({timeline_end}) "
                "AND scope = ? AND owner = ?"
            ),
            "DELETE FROM {m} WHERE scope = ? AND owner = ?".format(**names),
            "DELETE FROM {s} WHERE scope = ? AND owner = ?".format(**names),
            "DELETE FROM {q} WHERE scope = ? AND owner = ?".format(**names),
            "DELETE FROM {x} WHERE scope = ? AND owner = ?".format(**names),
        ),
    )


def _compiled(statement: ClauseElement, columns: Sequence[str], others: Sequence[str] = ()) -> str:
    """The text, made sure that its parameters come in the order that the rows are built in."""
    compiled: Any = statement.compile(dialect=_dialect, column_keys=list(columns) or None)
    expected = [*columns, *others]
    assert compiled.positiontup == expected, (compiled.positiontup, expected)  # noqa: S101
    return str(compiled)
