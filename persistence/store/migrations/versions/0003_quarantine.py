"""What nobody could read, kept when an edit takes its place."""

# pyright: basic, reportUnknownArgumentType=false
# (SQLAlchemy leaves the types of columns open)

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# SQLite numbers rows by INTEGER only; elsewhere revisions need 64 bits.
REVISION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    prefix = op.get_context().opts["prefix"]
    op.create_table(
        f"{prefix}quarantine",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("tool", sa.Text(), primary_key=True),
        sa.Column("field", sa.Text(), primary_key=True),
        sa.Column("revision", REVISION, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("an older version of the library would lose what this one wrote")
