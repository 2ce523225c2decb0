"""The app's own tables: who, which projects, which shots. Settings live in the library's tables.

Ids are 128 random bits, times are seconds since 1970 (UTC). Names of constraints are fixed, so that
a migration can name them.
"""

from __future__ import annotations

import secrets
import time

from sqlalchemy import MetaData
from sqlmodel import Field, SQLModel


class Table(SQLModel):
    """Base of the app's tables, in a metadata of their own."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def new_id() -> str:
    return secrets.token_urlsafe(16)


class User(Table, table=True):
    """Somebody with a cookie. A row is made with their first project, not with their first page."""

    __tablename__ = "workbench_user"  # pyright: ignore[reportAssignmentType]

    id: str = Field(primary_key=True, max_length=64)
    kind: str = Field(default="guest", max_length=20)
    created_at: float = Field(default_factory=time.time)


class Project(Table, table=True):
    __tablename__ = "workbench_project"  # pyright: ignore[reportAssignmentType]

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    owner_id: str = Field(foreign_key="workbench_user.id", index=True, max_length=64)
    name: str = Field(max_length=120)
    created_at: float = Field(default_factory=time.time)
    opened_at: float = Field(default_factory=time.time)
    """When its owner last looked at it: the list's order."""
    deleted_at: float | None = None


class Shot(Table, table=True):
    __tablename__ = "workbench_shot"  # pyright: ignore[reportAssignmentType]

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    project_id: str = Field(foreign_key="workbench_project.id", index=True, max_length=64)
    name: str = Field(max_length=120)
    position: int = 0
    """Order within the project; gaps are fine, deleted shots keep theirs for their way back."""
    created_at: float = Field(default_factory=time.time)
    deleted_at: float | None = None
