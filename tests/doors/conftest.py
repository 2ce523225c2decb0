"""One app for the tests of a module (`house`), since its start takes a second; or one a test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from tests.doors.door import House, running
from workbench import database
from workbench.accounts import keys, people, sessions
from workbench.accounts.lately import Lately


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with fresh_database(tmp_path_factory.mktemp("house")), asyncio.Runner() as runner:
        stack = AsyncExitStack()
        door = runner.run(stack.enter_async_context(running()))
        yield House(runner, door)
        runner.run(stack.aclose())


@pytest.fixture
def own_database(tmp_path: Path) -> Iterator[None]:
    with fresh_database(tmp_path):
        yield


@contextmanager
def fresh_database(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", f"sqlite:///{folder / 'workbench.db'}")
        patch.setenv("SECRET_KEY", "a key for tests")
        keys.secret_key.cache_clear()
        for remembers in (people, sessions):  # what was read from another test's database
            patch.setattr(remembers, "_lately", Lately())
        yield
    keys.secret_key.cache_clear()
    for engine in database._engines.values():
        engine.dispose()
    database._engines.clear()
