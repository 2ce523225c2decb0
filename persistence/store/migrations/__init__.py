"""The tables' versions, as Alembic migrations that the library runs itself when it opens a store.

Their version stands in a table of the library's own (`persistence_alembic_version`), so that a host
app's Alembic neither sees nor touches it. There is no `alembic.ini` and no `env.py`: `upgrade` is
all there is to run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0004"
"""The version that this library reads and writes. A database that has it is opened without Alembic,
which takes longer to import than everything else."""

VERSIONS = ("0001", "0002", "0003", "0004")
"""All versions there were, oldest first."""


def upgrade(connection: Connection, prefix: str) -> None:
    """Bring the tables to HEAD, within the transaction that the connection is in."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(Path(__file__).parent))

    def steps(revision: Any, _context: Any) -> Any:
        upgrades: Any = script._upgrade_revs(HEAD, revision)  # type: ignore[attr-defined]  # noqa: SLF001
        return upgrades

    with EnvironmentContext(Config(), script, fn=steps, destination_rev=HEAD) as environment:
        environment.configure(
            connection=connection,
            version_table=tables(prefix).version_table,
            target_metadata=tables(prefix).metadata,
            transactional_ddl=True,
            prefix=prefix,
        )
        environment.run_migrations()
