"""Fixtures for apps' own tests. pytest finds it by itself where the package is installed.

    async def test_an_edit_outlasts_a_database_that_is_away(persistence_engine, persistence_clock):
        async with persistence_engine(scopes=("user", "shot")) as engine:
            notes = await engine.open(Notes, {"shot": "s1"})
            engine.store.commits.fail(times=3)
            notes.update(text="kept")
            await persistence_clock.advance(60)
            assert_nothing_pending(engine)

- A coroutine test that asks for a fixture of these, or is marked `virtual_time`, runs in virtual
  time; one that asks for `persistence_site` in real time, since a Reflex app is more than timers.
- Every other test is left alone, also by its name: fixtures begin with `persistence_`.
- What fixtures need is imported when they are asked for, Reflex above all.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from .engine import Engine
    from .reflex.testing import Site
    from .testing import FailingStore, VirtualLoop

    StartEngine = Callable[..., Engine]
    StartSite = Callable[..., AbstractAsyncContextManager[Site]]

MARK = "virtual_time"
VIRTUAL = frozenset(
    (
        "persistence_clock",
        "persistence_engine",
        "persistence_memory",
        "persistence_sqlite",
        "persistence_store",
    )
)
REAL = "persistence_site"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{MARK}(seed=None, limit=100_000): a coroutine test that runs in virtual time; with a "
        "seed its tasks are shuffled",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test that asked for it. Says nothing of any other."""
    test = inspect.unwrap(pyfuncitem.obj)
    if not inspect.iscoroutinefunction(test):
        return None
    mark = pyfuncitem.get_closest_marker(MARK)
    asked = set(pyfuncitem.fixturenames)
    if mark is None and REAL not in asked and not VIRTUAL & asked:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}
    if mark is None and REAL in asked:
        asyncio.run(pyfuncitem.obj(**arguments))
        return True
    from .testing import run_virtual

    options: dict[str, Any] = dict(mark.kwargs) if mark is not None else {}
    run_virtual(pyfuncitem.obj(**arguments), **options)
    return True


class Clock:
    """Virtual time, as the test sees it."""

    async def advance(self, seconds: float) -> None:
        """Let that much time pass; everything that was due in it has happened afterwards."""
        await asyncio.sleep(seconds)
        await asyncio.sleep(0)

    @property
    def now(self) -> float:
        """Virtual seconds since the test began."""
        return asyncio.get_running_loop().time()

    @property
    def wall(self) -> float:
        """What the engine's wall clock says: seconds since the Unix epoch."""
        return wall()


def wall() -> float:
    """The wall clock of the virtual loop that the test runs in."""
    return cast("VirtualLoop", asyncio.get_running_loop()).wall()


@pytest.fixture
def persistence_clock() -> Clock:
    """`await persistence_clock.advance(60)`: a minute in no time."""
    return Clock()


@pytest.fixture
def persistence_memory() -> FailingStore:
    """A store in memory that fails on request: `commits.fail(times=3)`, `loads.delay(2)` …"""
    from .store import MemoryStore
    from .testing import FailingStore

    return FailingStore(MemoryStore())


@pytest.fixture
def persistence_sqlite(tmp_path: Path) -> FailingStore:
    """The same on an SQLite file of the test's own."""
    from .store.sqlite import SQLiteStore
    from .testing import FailingStore

    return FailingStore(SQLiteStore(tmp_path / "persistence.db"))


@pytest.fixture(params=["memory", "sqlite"])
def persistence_store(request: pytest.FixtureRequest) -> FailingStore:
    """Either of the two: a test that asks for it runs on both."""
    return request.getfixturevalue(f"persistence_{request.param}")


@pytest.fixture
def persistence_engine(request: pytest.FixtureRequest) -> StartEngine:
    """`async with persistence_engine(scopes=…) as engine`: an engine in virtual time.

    On the store that the test asks for besides, else in memory; each call is a restart on the same
    one. The keywords are the engine's.
    """
    asked = [f"persistence_{name}" for name in ("store", "sqlite", "memory")]
    store = next((name for name in asked if name in request.fixturenames), asked[-1])
    held: Any = request.getfixturevalue(store)

    def start(**options: Any) -> Engine:
        from random import Random

        from .engine import Engine

        known: dict[str, Any] = {"scopes": ("user",), "wall": wall, "random": Random(7)}  # noqa: S311  # jitter
        return Engine(held, **known | options)

    return start


@pytest.fixture
def persistence_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StartSite:
    """`async with persistence_site(owners=…) as site`: a Reflex app without browser and server.

    See `persistence.reflex.testing.serving`, whose keywords it takes.
    """
    from .reflex.testing import serving

    monkeypatch.chdir(tmp_path)  # Reflex writes into the folder that it is in
    monkeypatch.setenv("REFLEX_TELEMETRY_ENABLED", "false")
    return serving
