"""One fixture that runs a test on every store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from persistence.scopes import Target
from persistence.store import MemoryStore, Store, Write
from persistence.store.sqlite import SQLiteStore

SHOT = Target("shot", "s1", "travel")


def make_write(
    field: str = "frames",
    text: str | None = "41",
    *operations: str,
    base: int = 0,
    target: Target = SHOT,
    **others: object,
) -> Write:
    """A write with what a test doesn't care about filled in."""
    kind = others.pop("kind", "set" if text is not None else "reset")
    known = {"author": "ann", "source": "user", "at": 1.0, "group": "g1", **others}
    return Write(target, field, kind, text, base, operations=operations, **known)  # type: ignore[arg-type]


@pytest.fixture(name="write")
def write_fixture() -> Callable[..., Write]:
    return make_write


@pytest.fixture(params=["memory", "sqlite", "sqlite-inline"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Every store in turn, empty."""
    if request.param == "memory":
        yield MemoryStore()
        return
    made = SQLiteStore(tmp_path / "app.db", threaded=request.param == "sqlite")
    yield made
    asyncio.run(made.close())


@pytest.fixture(params=[True, False], ids=["threaded", "inline"])
def threaded(request: pytest.FixtureRequest) -> bool:
    """Both ways of the file store."""
    return request.param
