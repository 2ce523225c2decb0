"""What the tests of the file store share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from persistence.scopes import Target
from persistence.store import Write
from persistence.store.sqlite import SQLiteStore

SHOT = Target("shot", "s1", "travel")
Make = Callable[..., Write]


@asynccontextmanager
async def opened(
    path: Path, *, threaded: bool = True, busy_timeout: float = 0.05
) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(path, threaded=threaded, busy_timeout=busy_timeout)
    try:
        yield store
    finally:
        await store.close()


async def fields(store: SQLiteStore) -> list[str]:
    return sorted((await store.load([SHOT]))[SHOT])
