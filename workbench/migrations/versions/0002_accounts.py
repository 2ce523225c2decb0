"""Accounts: names and passwords, sessions, attempts, reset links. Guests stay what they are."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in (
        sa.Column("name", sa.String(64)),
        sa.Column("name_key", sa.String(256)),
        sa.Column("password", sa.String(255)),
        sa.Column("password_at", sa.Float),
        sa.Column("seen_at", sa.Float),
        sa.Column("became", sa.String(64)),
    ):
        op.add_column("workbench_user", column)
    # Nobody knows when guests were here last: their days are counted from here on.
    op.execute(sa.text("UPDATE workbench_user SET seen_at = :now").bindparams(now=time.time()))
    op.create_index("ix_workbench_user_name_key", "workbench_user", ["name_key"], unique=True)
    op.create_index("ix_workbench_user_kind_seen_at", "workbench_user", ["kind", "seen_at"])
    op.create_table(
        "workbench_session",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("rotated_at", sa.Float, nullable=False),
        sa.Column("is_used", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.Column("device", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workbench_session"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["workbench_user.id"], name="fk_workbench_session_user_id"
        ),
    )
    op.create_index("ix_workbench_session_user_id", "workbench_session", ["user_id"])
    op.create_table(
        "workbench_attempt",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_workbench_attempt"),
    )
    op.create_table(
        "workbench_reset_link",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_workbench_reset_link"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["workbench_user.id"], name="fk_workbench_reset_link_user_id"
        ),
    )
    op.create_index("ix_workbench_reset_link_user_id", "workbench_reset_link", ["user_id"])
