"""How tests run: coroutines in virtual or real time, and the services that some of them need.

An `async def` test runs in virtual time under `tests/scenarios` or marked `virtual` (with
`@pytest.mark.virtual(seed=7)` its tasks are shuffled), elsewhere in a loop of its own in real time.
A test whose service is missing is skipped with the reason; where `CI=true` it fails instead, since
there a skip would pass for a success.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import shutil
import signal
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from persistence.testing import run_virtual

pytest_plugins = ["persistence.pytest_plugin"]

HERE = Path(__file__).parent
ON_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
MISSING = "missing service: "


def pytest_configure() -> None:
    """A SIGTERM ends a run as Ctrl-C does: what fixtures started is ended."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Browser tests come last: the slow ones after the fast, and Playwright, once started, keeps
    an event loop running in this thread, beside which no coroutine test could have its own.

    A test is called the same in every process, or `pytest -n 2` couldn't share them out.
    """
    if moving := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"an address in a test's name: {moving[0]}; give it an id")
    for item in items:
        if HERE / "browser" in item.path.parents:
            item.add_marker("browser")  # before -m chooses
            item.add_marker(pytest.mark.timeout(300))  # the first one of an app builds it
    yield
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test, without any plugin but this."""
    test = inspect.unwrap(pyfuncitem.obj)
    if not inspect.iscoroutinefunction(test) or pyfuncitem.get_closest_marker("anyio"):
        return None
    names = inspect.signature(test).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    virtual = pyfuncitem.get_closest_marker("virtual")
    if virtual is not None or HERE / "scenarios" in pyfuncitem.path.parents:
        options: dict[str, Any] = dict(virtual.kwargs) if virtual else {}
        run_virtual(pyfuncitem.obj(**arguments), **options)
    else:
        asyncio.run(pyfuncitem.obj(**arguments))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if ON_CI and report.skipped and call.excinfo and MISSING in str(call.excinfo.value):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: {call.excinfo.value} (with CI=true that is a failure)"
    return report


def answers(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this run's own, dropped afterwards.

    Made on the server of `DATABASE_TEST_URL`; without it on 127.0.0.1:5432 as postgres, by trust.
    """
    server = urlsplit(
        os.environ.get("DATABASE_TEST_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
    )
    psycopg = pytest.importorskip("psycopg", reason=f"{MISSING}psycopg isn't installed")
    try:
        connection = psycopg.connect(
            server._replace(scheme="postgresql").geturl(), autocommit=True, connect_timeout=3
        )
    except psycopg.OperationalError as error:
        pytest.skip(f"{MISSING}no PostgreSQL at {server.hostname}:{server.port or 5432} ({error})")
    name = f"persistence_test_{uuid.uuid4().hex[:12]}"
    with connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield server._replace(scheme="postgresql", path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis server's URL: `REDIS_TEST_URL`, else 127.0.0.1:6379. Use keys of your own."""
    url = os.environ.get("REDIS_TEST_URL", "redis://127.0.0.1:6379/0")
    server = urlsplit(url)
    if not answers(server.hostname or "127.0.0.1", server.port or 6379):
        pytest.skip(f"{MISSING}no Redis at {server.hostname}:{server.port or 6379}")
    return url


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium: `CHROMIUM`, else the first of the usual names on PATH."""
    path = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if path is None or not Path(path).exists():
        pytest.skip(f"{MISSING}no Chromium; install Debian's `chromium` or name one in CHROMIUM")
    return path
