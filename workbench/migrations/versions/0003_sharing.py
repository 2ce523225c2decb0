"""Sharing: members of projects, and links that invite. Whose a project was stays its owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "workbench_member",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("invited_by", sa.String(64), nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "user_id", name="pk_workbench_member"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["workbench_project.id"], name="fk_workbench_member_project_id"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["workbench_user.id"], name="fk_workbench_member_user_id"
        ),
    )
    op.create_index("ix_workbench_member_user_id", "workbench_member", ["user_id"])
    op.create_table(
        "workbench_invitation",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("revoked_at", sa.Float),
        sa.Column("most", sa.Integer),
        sa.Column("joined", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workbench_invitation"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["workbench_project.id"], name="fk_workbench_invitation_project_id"
        ),
    )
    op.create_index("ix_workbench_invitation_project_id", "workbench_invitation", ["project_id"])
    op.create_index(
        "ix_workbench_invitation_token_hash", "workbench_invitation", ["token_hash"], unique=True
    )
