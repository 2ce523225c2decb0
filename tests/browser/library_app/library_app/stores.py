"""A store that is slow or away while a file says so: `load 1.5`, `commit 2`, `fail load`, `fail
commit`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from persistence import StoreUnavailable
from persistence.store import open_store

FAULTS = Path(os.environ.get("FAULTS", "no-such-file"))


class SlowStore:
    """Passes everything on, late or not at all."""

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
    try:
        words = FAULTS.read_text().split()  # noqa: ASYNC240  # a test's fault file
    except OSError:
        return
    if words[:2] == ["fail", call]:
        raise StoreUnavailable("the database is away")
    if words[:1] == [call]:
        await asyncio.sleep(float(words[1]))


def slow_store(url: str) -> Any:
    return SlowStore(open_store(url)) if "FAULTS" in os.environ else url
