"""Each test has a database of its own; `new_user` makes somebody with nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
