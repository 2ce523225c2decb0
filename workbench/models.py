"""The app's own tables: who, which projects, which shots. Settings live in the library's tables.

A change here needs a migration in `migrations/`: `tests/workbench/test_migrations.py` compares.

Ids are 128 random bits, times are seconds since 1970 (UTC). Names of constraints are fixed, so that
a migration can name them.
"""

from __future__ import annotations

import secrets
import time

from sqlalchemy import Index, MetaData
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
    """guest · account · leaving (what was theirs is being removed) · gone (only this row is left,
    so that an old cookie of theirs opens nothing)"""
    created_at: float = Field(default_factory=time.time)
    name: str | None = Field(default=None, max_length=64)
    """An account's, as its owner writes it."""
    name_key: str | None = Field(default=None, max_length=256)
    """The name in the form by which it is found and is unique."""
    password: str | None = Field(default=None, max_length=255)
    """The argon2id hash."""
    password_at: float | None = None
    """When it was set."""
    seen_at: float | None = Field(default_factory=time.time)
    """The last visit, to the day."""
    became: str | None = Field(default=None, max_length=64)
    """The account that took over this guest's work."""

    __table_args__ = (
        Index("ix_workbench_user_name_key", "name_key", unique=True),
        Index("ix_workbench_user_kind_seen_at", "kind", "seen_at"),
    )


class Session(Table, table=True):
    """One sign-in of an account in one browser or client: a family of secrets, one at a time."""

    __tablename__ = "workbench_session"  # pyright: ignore[reportAssignmentType]

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    user_id: str = Field(foreign_key="workbench_user.id", index=True, max_length=64)
    secret_hash: str = Field(max_length=64)
    """SHA-256 of the secret that the cookie holds now."""
    previous_hash: str = Field(default="", max_length=64)
    """Of the one before, which a second tab may just be sending."""
    rotated_at: float
    is_used: bool = True
    """Whether the newest secret has come back: if not, its answer may have been lost."""
    created_at: float
    seen_at: float
    device: str = Field(default="", max_length=80)
    """"Firefox on Linux", for the list of sessions."""


class Attempt(Table, table=True):
    """How often somebody tried lately, by name or address. The key is a hash of either."""

    __tablename__ = "workbench_attempt"  # pyright: ignore[reportAssignmentType]

    key: str = Field(primary_key=True, max_length=64)
    count: int
    since: float


class ResetLink(Table, table=True):
    """A link by which an account's password may be set once, made by an administrator."""

    __tablename__ = "workbench_reset_link"  # pyright: ignore[reportAssignmentType]

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: str = Field(foreign_key="workbench_user.id", index=True, max_length=64)
    expires_at: float


class Project(Table, table=True):
    __tablename__ = "workbench_project"  # pyright: ignore[reportAssignmentType]

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    owner_id: str = Field(foreign_key="workbench_user.id", index=True, max_length=64)
    name: str = Field(max_length=120)
    created_at: float = Field(default_factory=time.time)
    opened_at: float = Field(default_factory=time.time)
    """When its owner last looked at it: their list's order."""
    deleted_at: float | None = None


class Member(Table, table=True):
    """Somebody who may work on, or look at, another one's project. The owner has no row here: who
    that is says the project, so that there is always exactly one."""

    __tablename__ = "workbench_member"  # pyright: ignore[reportAssignmentType]

    project_id: str = Field(foreign_key="workbench_project.id", primary_key=True, max_length=64)
    user_id: str = Field(
        foreign_key="workbench_user.id", primary_key=True, index=True, max_length=64
    )
    role: str = Field(max_length=20)
    """editor · viewer"""
    since: float = Field(default_factory=time.time)
    invited_by: str = Field(default="", max_length=64)
    """Whose link it was; "" once they are gone, and for who owned it before."""
    opened_at: float = Field(default_factory=time.time)
    """When they last looked at it: their list's order."""


class Invitation(Table, table=True):
    """A link by which others become members. What it ends in is stored as a hash alone."""

    __tablename__ = "workbench_invitation"  # pyright: ignore[reportAssignmentType]

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    project_id: str = Field(foreign_key="workbench_project.id", index=True, max_length=64)
    token_hash: str = Field(max_length=64)
    """SHA-256 of 128 random bits."""
    role: str = Field(max_length=20)
    """editor · viewer"""
    made_by: str = Field(default="", max_length=64)
    made_at: float = Field(default_factory=time.time)
    expires_at: float
    revoked_at: float | None = None
    most: int | None = None
    """How many may join by it; None for all who have it."""
    joined: int = 0

    __table_args__ = (Index("ix_workbench_invitation_token_hash", "token_hash", unique=True),)


class Shot(Table, table=True):
    __tablename__ = "workbench_shot"  # pyright: ignore[reportAssignmentType]

    id: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    project_id: str = Field(foreign_key="workbench_project.id", index=True, max_length=64)
    name: str = Field(max_length=120)
    position: int = 0
    """Order within the project; gaps are fine, deleted shots keep theirs for their way back."""
    created_at: float = Field(default_factory=time.time)
    deleted_at: float | None = None
