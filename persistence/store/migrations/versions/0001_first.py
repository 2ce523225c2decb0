"""Overrides, their journal and its timeline, the operations that were done."""

# pyright: basic, reportUnknownArgumentType=false
# (SQLAlchemy leaves the types of columns open)

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite numbers rows by INTEGER only; elsewhere revisions need 64 bits.
REVISION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    prefix = op.get_context().opts["prefix"]
    op.create_table(
        f"{prefix}override",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("tool", sa.Text(), primary_key=True),
        sa.Column("field", sa.Text(), primary_key=True),
        sa.Column("revision", REVISION, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"{prefix}change",
        sa.Column("revision", REVISION, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text()),
    )
    op.create_table(
        f"{prefix}timeline",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("tool", sa.Text(), primary_key=True),
        sa.Column("revision", REVISION, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"{prefix}operation",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("revision", REVISION, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sqlite_with_rowid=False,
    )
    counter = op.create_table(
        f"{prefix}counter",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", REVISION, nullable=False),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(counter, [{"name": "revision", "value": 0}, {"name": "timeline", "value": 0}])


def downgrade() -> None:
    raise NotImplementedError("an older version of the library would lose what this one wrote")
