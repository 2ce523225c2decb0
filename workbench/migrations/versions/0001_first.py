"""Users, projects, shots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "workbench_user",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workbench_user"),
    )
    op.create_table(
        "workbench_project",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("deleted_at", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_workbench_project"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["workbench_user.id"], name="fk_workbench_project_owner_id"
        ),
    )
    op.create_index("ix_workbench_project_owner_id", "workbench_project", ["owner_id"])
    op.create_table(
        "workbench_shot",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("deleted_at", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_workbench_shot"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["workbench_project.id"], name="fk_workbench_shot_project_id"
        ),
    )
    op.create_index("ix_workbench_shot_project_id", "workbench_shot", ["project_id"])
