"""One app for the tests of a module (`house`), since its start takes a second; or one a test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.doors.door import House, fresh_database, running


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
