"""The versions of the workbench's own tables, as Alembic migrations that it runs when it opens a
database.

Their version stands in a table of their own: the library's tables, in the same database, have
theirs. A database from before there were versions is taken for the first one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

HEAD = "0003"
"""What this workbench reads and writes. A database that has it is opened without Alembic, which
takes longer to import than everything else."""

VERSIONS = ("0001", "0002", "0003")
"""All that there were, oldest first."""

VERSION_TABLE = "workbench_alembic_version"
LOCK = 7_267_002
"""A number of ours for PostgreSQL: one process at a time changes tables."""


class TooNew(Exception):
    """A newer workbench has changed the database's tables. Nothing was touched."""


def upgrade(connection: Connection, *, to: str = HEAD) -> None:
    """Bring the tables to HEAD within the connection's transaction; tests name an older version.

    Raises TooNew.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    version = version_of(connection)
    if version == to:
        return
    if version is not None and version not in VERSIONS:
        raise TooNew(
            f"the database has tables of version {version}, and this workbench knows {HEAD}: "
            "start the newer workbench"
        )
    is_unversioned = version is None and inspect(connection).has_table(FIRST_TABLE)
    _run(connection, to, is_unversioned=is_unversioned)


FIRST_TABLE = "workbench_user"


def version_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  # our own name


def _run(connection: Connection, to: str, *, is_unversioned: bool) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(Path(__file__).parent))
    if is_unversioned:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        context.stamp(script, VERSIONS[0])

    def steps(revision: Any, _context: Any) -> Any:
        upgrades: Any = script._upgrade_revs(to, revision)  # noqa: SLF001  # what Alembic's own command calls
        return upgrades

    with EnvironmentContext(Config(), script, fn=steps, destination_rev=to) as environment:
        environment.configure(
            connection=connection, version_table=VERSION_TABLE, transactional_ddl=True
        )
        environment.run_migrations()
