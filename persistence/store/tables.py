"""The tables, as SQLModel declares them, with metadata of their own. Pure; no connection here.

Keys begin with the owner, which tells rows apart soonest: comparing them is most of a search.

They aren't in `SQLModel.metadata`, so that a host app's migrations don't see them. Stores write and
read with SQL that is compiled from these definitions once, and run on the driver.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, Table, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

PREFIX = "persistence_"

# SQLite numbers rows by INTEGER only; elsewhere revisions need 64 bits.
_Revision = BigInteger().with_variant(Integer(), "sqlite")


@dataclass(frozen=True, slots=True)
class Tables:
    """One set of tables: the models, their metadata, and where Alembic notes the version."""

    metadata: MetaData
    override: type[SQLModel]
    change: type[SQLModel]
    timeline: type[SQLModel]
    authored: type[SQLModel]
    moment: type[SQLModel]
    preset: type[SQLModel]
    quarantine: type[SQLModel]
    contested: type[SQLModel]
    operation: type[SQLModel]
    counter: type[SQLModel]
    version_table: str

    def table(self, model: type[SQLModel]) -> Table:
        return cast("Any", model).__table__


@cache
def tables(prefix: str = PREFIX, schema: str | None = None) -> Tables:
    """The tables under a prefix and in a schema; the same object for the same arguments.

    Raises ValueError for a prefix that would need quoting.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,40}", prefix):
        raise ValueError(f"prefix {prefix!r}: use small letters, digits and underscores")
    metadata = MetaData(schema=schema)

    class Base(SQLModel, registry=registry(metadata=metadata)):
        pass

    class Override(Base, table=True):
        """What one layer says of one field: a small row that points to the change it came by."""

        __tablename__ = f"{prefix}override"  # pyright: ignore[reportAssignmentType]
        __table_args__ = {"sqlite_with_rowid": False}

        owner: str = Field(sa_type=Text, primary_key=True)
        scope: str = Field(sa_type=Text, primary_key=True)
        tool: str = Field(sa_type=Text, primary_key=True)
        field: str = Field(sa_type=Text, primary_key=True)
        revision: int = Field(sa_type=cast("Any", _Revision))
        kind: str = Field(sa_type=Text)
        secret: str | None = Field(default=None, sa_type=Text)

    class Change(Base, table=True):
        """The journal: what a field was set to, when and by whom. Its id is the revision."""

        __tablename__ = f"{prefix}change"  # pyright: ignore[reportAssignmentType]

        revision: int = Field(sa_column=Column(_Revision, primary_key=True, autoincrement=False))
        owner: str = Field(sa_type=Text)
        scope: str = Field(sa_type=Text)
        tool: str = Field(sa_type=Text)
        field: str = Field(sa_type=Text)
        kind: str = Field(sa_type=Text)
        text: str | None = Field(default=None, sa_type=Text)
        author: str = Field(sa_type=Text)
        source: str = Field(sa_type=Text)
        at: float = Field(sa_type=Double)
        group: str = Field(sa_column=Column("group_id", Text, nullable=False))
        version: int = Field(sa_type=Integer)
        note: str | None = Field(default=None, sa_type=Text)

    class Timeline(Base, table=True):
        """Where in the journal a target's changes are. An index in all but name, filled in runs,
        behind the saves: kept up row by row it would double what a save writes."""

        __tablename__ = f"{prefix}timeline"  # pyright: ignore[reportAssignmentType]
        __table_args__ = {"sqlite_with_rowid": False}

        owner: str = Field(sa_type=Text, primary_key=True)
        scope: str = Field(sa_type=Text, primary_key=True)
        tool: str = Field(sa_type=Text, primary_key=True)
        revision: int = Field(sa_column=Column(_Revision, primary_key=True, autoincrement=False))
        field: str = Field(sa_type=Text)

    class Authored(Base, table=True):
        """Where in the journal an author's changes and actions are; filled with the timeline."""

        __tablename__ = f"{prefix}authored"  # pyright: ignore[reportAssignmentType]
        __table_args__ = (
            # Groups grow with time, so that this index appends.
            Index(f"{prefix}authored_group", "group_id", "author"),
            {"sqlite_with_rowid": False},
        )

        author: str = Field(sa_type=Text, primary_key=True)
        revision: int = Field(sa_column=Column(_Revision, primary_key=True, autoincrement=False))
        group: str = Field(sa_column=Column("group_id", Text, nullable=False))

    class Moment(Base, table=True):
        """A name for how an owner's layers stood right after a revision."""

        __tablename__ = f"{prefix}moment"  # pyright: ignore[reportAssignmentType]
        __table_args__ = {"sqlite_with_rowid": False}

        owner: str = Field(sa_type=Text, primary_key=True)
        scope: str = Field(sa_type=Text, primary_key=True)
        name: str = Field(sa_type=Text, primary_key=True)
        revision: int = Field(sa_type=cast("Any", _Revision))
        author: str = Field(sa_type=Text)
        at: float = Field(sa_type=Double)

    class Preset(Base, table=True):
        """A named set of values of one tool, as a document."""

        __tablename__ = f"{prefix}preset"  # pyright: ignore[reportAssignmentType]

        owner: str = Field(sa_type=Text, primary_key=True)
        scope: str = Field(sa_type=Text, primary_key=True)
        tool: str = Field(sa_type=Text, primary_key=True)
        name: str = Field(sa_type=Text, primary_key=True)
        text: str = Field(sa_type=Text)
        author: str = Field(sa_type=Text)
        at: float = Field(sa_type=Double)
        version: int = Field(sa_type=Integer)

    class Quarantine(Base, table=True):
        """Rows that nobody could read, as they were when an edit took their place."""

        __tablename__ = f"{prefix}quarantine"  # pyright: ignore[reportAssignmentType]

        owner: str = Field(sa_type=Text, primary_key=True)
        scope: str = Field(sa_type=Text, primary_key=True)
        tool: str = Field(sa_type=Text, primary_key=True)
        field: str = Field(sa_type=Text, primary_key=True)
        revision: int = Field(sa_column=Column(_Revision, primary_key=True, autoincrement=False))
        kind: str = Field(sa_type=Text)
        text: str | None = Field(default=None, sa_type=Text)
        author: str = Field(sa_type=Text)
        at: float = Field(sa_type=Double)
        version: int = Field(sa_type=Integer)
        problem: str = Field(sa_type=Text)

    class Contested(Base, table=True):
        """Edits that met somebody else's: in the history, and standing for nothing."""

        __tablename__ = f"{prefix}contested"  # pyright: ignore[reportAssignmentType]
        __table_args__ = (
            Index(f"{prefix}contested_place", "owner", "scope", "tool"),
            Index(f"{prefix}contested_operation", "operation", unique=True),
        )

        revision: int = Field(sa_column=Column(_Revision, primary_key=True, autoincrement=False))
        owner: str = Field(sa_type=Text)
        scope: str = Field(sa_type=Text)
        tool: str = Field(sa_type=Text)
        field: str = Field(sa_type=Text)
        kind: str = Field(sa_type=Text)
        text: str | None = Field(default=None, sa_type=Text)
        author: str = Field(sa_type=Text)
        at: float = Field(sa_type=Double)
        group: str = Field(sa_column=Column("group_id", Text, nullable=False))
        version: int = Field(sa_type=Integer)
        note: str | None = Field(default=None, sa_type=Text)
        operation: str | None = Field(default=None, sa_type=Text)

    class Operation(Base, table=True):
        """Ids of operations that were done. They grow with time, so that the index appends."""

        __tablename__ = f"{prefix}operation"  # pyright: ignore[reportAssignmentType]
        __table_args__ = {"sqlite_with_rowid": False}

        id: str = Field(sa_type=Text, primary_key=True)
        revision: int = Field(sa_type=cast("Any", _Revision))
        at: float = Field(sa_type=Double)

    class Counter(Base, table=True):
        """`revision`: the last one given, since one that was pruned mustn't be given again.
        `timeline`: up to which revision the timeline and the authors' changes reach. `pruned`: up
        to which one journal rows may be gone."""

        __tablename__ = f"{prefix}counter"  # pyright: ignore[reportAssignmentType]
        __table_args__ = {"sqlite_with_rowid": False}

        name: str = Field(sa_type=Text, primary_key=True)
        value: int = Field(sa_type=cast("Any", _Revision))

    return Tables(
        metadata, Override, Change, Timeline, Authored, Moment, Preset, Quarantine,
        Contested, Operation, Counter,
        f"{prefix}alembic_version",
    )  # fmt: skip
