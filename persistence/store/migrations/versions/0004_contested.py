"""Edits that met somebody else's: in the history, and standing for nothing."""

# pyright: basic, reportUnknownArgumentType=false
# (SQLAlchemy leaves the types of columns open)

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# SQLite numbers rows by INTEGER only; elsewhere revisions need 64 bits.
REVISION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    prefix = op.get_context().opts["prefix"]
    op.create_table(
        f"{prefix}contested",
        sa.Column("revision", REVISION, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("operation", sa.Text()),
    )
    op.create_index(f"{prefix}contested_place", f"{prefix}contested", ["owner", "scope", "tool"])
    op.create_index(
        f"{prefix}contested_operation", f"{prefix}contested", ["operation"], unique=True
    )


def downgrade() -> None:
    raise NotImplementedError("an older version of the library would lose what this one wrote")
