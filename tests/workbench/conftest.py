"""Each test has a database of its own; `new_user` makes somebody with nothing yet, `film` a shared
project."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workbench.shared_film import Film, make_film
from workbench import database
from workbench.accounts import keys, people, sessions
from workbench.accounts.lately import Lately
from workbench.models import new_id


@pytest.fixture(autouse=True)
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "workbench.db"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("SECRET_KEY", "a key for tests")
    keys.secret_key.cache_clear()
    for remembers in (people, sessions):  # what was read from another test's database
        monkeypatch.setattr(remembers, "_lately", Lately())
    yield path
    keys.secret_key.cache_clear()
    for engine in database._engines.values():
        engine.dispose()
    database._engines.clear()


@pytest.fixture
def new_user() -> Callable[[], str]:
    return new_id


MADE: dict[Path, Film] = {}


@pytest.fixture
def film(own_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Made once; each test has a copy of its own."""
    kept = tmp_path_factory.getbasetemp() / "shared-film.db"
    if kept not in MADE:
        MADE[kept] = asyncio.run(make_film())
        for engine in database._engines.values():
            engine.dispose()
        database._engines.clear()
        with sqlite3.connect(own_database) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(own_database, kept)
    else:
        shutil.copy(kept, own_database)
    return MADE[kept]
