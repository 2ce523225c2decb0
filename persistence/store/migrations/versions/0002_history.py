"""Histories by field and by author, named moments, presets; up to where the journal was pruned."""

# pyright: basic, reportUnknownArgumentType=false
# ruff: noqa: S608 (only names of ours go into a text)
# (SQLAlchemy leaves the types of columns open)

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# SQLite numbers rows by INTEGER only; elsewhere revisions need 64 bits.
REVISION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    prefix = op.get_context().opts["prefix"]
    indexed = (
        f"FROM {prefix}change WHERE revision <= "
        f"(SELECT value FROM {prefix}counter WHERE name = 'timeline')"
    )
    op.drop_table(f"{prefix}timeline")
    op.create_table(
        f"{prefix}timeline",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("tool", sa.Text(), primary_key=True),
        sa.Column("revision", REVISION, primary_key=True, autoincrement=False),
        sa.Column("field", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO {prefix}timeline (owner, scope, tool, revision, field) "
        f"SELECT owner, scope, tool, revision, field {indexed} "
        "ORDER BY owner, scope, tool, revision"
    )
    op.create_table(
        f"{prefix}authored",
        sa.Column("author", sa.Text(), primary_key=True),
        sa.Column("revision", REVISION, primary_key=True, autoincrement=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO {prefix}authored (author, revision, group_id) "
        f"SELECT author, revision, group_id {indexed} ORDER BY author, revision"
    )
    op.create_index(f"{prefix}authored_group", f"{prefix}authored", ["group_id", "author"])
    op.create_table(
        f"{prefix}moment",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("revision", REVISION, nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"{prefix}preset",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("tool", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.execute(f"INSERT INTO {prefix}counter (name, value) VALUES ('pruned', 0)")


def downgrade() -> None:
    raise NotImplementedError("an older version of the library would lose what this one wrote")
