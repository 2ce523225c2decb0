"""A store that is held up or away while a file says so: `hold load`, `hold commit`, `fail load`,
`fail commit`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from persistence import StoreUnavailable
from persistence.store import open_store

FAULTS = Path(os.environ.get("FAULTS", "no-such-file"))


class SlowStore:
    """Passes everything on, once it may, or not at all."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def load(self, targets: Any) -> Any:
        await fault("load")
        return await self._store.load(targets)

    async def commit(self, writes: Any) -> Any:
        await fault("commit")
        return await self._store.commit(writes)


async def fault(call: str) -> None:
    while words() == ["hold", call]:
        await asyncio.sleep(0.02)
    if words() == ["fail", call]:
        raise StoreUnavailable("the database is away")


def words() -> list[str]:
    try:
        return FAULTS.read_text().split()
    except OSError:
        return []


def slow_store(url: str) -> Any:
    return SlowStore(open_store(url)) if "FAULTS" in os.environ else url
