"""The app's own database access: every call runs in a thread, in one transaction.

The tables are made, or brought up to date, at first use. Nothing is opened at import, since Reflex
forks its workers after that.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from workbench import migrations

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_URL = "sqlite:///workbench.db"
BUSY_SECONDS = 5
CLASHES = 10
"""Times that a write is tried while others write the same."""

_engines: dict[str, Engine] = {}
_opening = threading.Lock()


class Unavailable(Exception):
    """The database couldn't do it now. Nothing was changed; another try may succeed."""


def database_url() -> str:
    return os.environ.get("DATABASE_URL") or DEFAULT_URL


async def read(work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `work(session, ...)` in a thread. Raises Unavailable."""
    return await asyncio.to_thread(_run, "BEGIN", work, *args, **kwargs)


async def write(work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same, as a writer from the start: what `work` read is still so when it commits."""
    return await asyncio.to_thread(_run, "BEGIN IMMEDIATE", work, *args, **kwargs)


def _run(begin: str, work: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    for tries_left in reversed(range(CLASHES)):
        try:
            return _once(begin, work, *args, **kwargs)
        except SQLAlchemyError as error:
            if tries_left and _is_clash(error):
                continue
            raise Unavailable(str(getattr(error, "orig", None) or error)) from error
    raise AssertionError("the last try returns or raises")


def _once(begin: str, work: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    connection = _engine(database_url()).connect()
    with connection, Session(connection, expire_on_commit=False) as session:
        connection.execution_options(begin=begin)
        if connection.dialect.name == "postgresql" and begin == "BEGIN IMMEDIATE":
            connection.execution_options(isolation_level="SERIALIZABLE")
        result = work(session, *args, **kwargs)
        session.commit()
        return result


def _is_clash(error: SQLAlchemyError) -> bool:
    """Did another writer of PostgreSQL come in between? Serialization, deadlock, the same new row.
    SQLite has one writer at a time."""
    return getattr(getattr(error, "orig", None), "sqlstate", "") in ("40001", "40P01", "23505")


def _engine(url: str) -> Engine:
    with _opening:
        if (engine := _engines.get(url)) is None:
            engine = _open(url)
            try:
                with engine.begin() as connection:
                    migrations.upgrade(connection)
            except migrations.TooNew as error:
                engine.dispose()
                raise Unavailable(str(error)) from error
            _engines[url] = engine
        return engine


def _open(url: str) -> Engine:
    # No error and no log of statements shows what they carried: hashes of secrets, names.
    if url.startswith(("postgres://", "postgresql://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _: Any) -> None:
    """Transactions begin where we say so; a commit that was answered survives a power cut."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"))
