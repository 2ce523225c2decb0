"""Every scenario runs in virtual time, on the memory store and on a real SQLite file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from persistence import Engine
from persistence.store import open_store
from persistence.testing import FailingStore, VirtualLoop
from tests.scenarios.tools import SCOPES, Start


def wall() -> float:
    """The wall clock of the test's virtual loop."""
    return cast("VirtualLoop", asyncio.get_running_loop()).wall()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FailingStore:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/scenario.db"
    return FailingStore(open_store(url))


@pytest.fixture
def start(store: FailingStore) -> Start:
    def make(**options: Any) -> Engine:
        return Engine(store, **{"scopes": SCOPES, "wall": wall, "random": Random(7), **options})

    return make
