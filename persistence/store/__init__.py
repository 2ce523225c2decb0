"""Where overrides and their journal are kept: the protocol, and the stores that come with it."""

from __future__ import annotations

from urllib.parse import unquote

from .base import (
    Change,
    Finding,
    Layers,
    Moment,
    Point,
    Preset,
    Quarantined,
    Receipt,
    Row,
    Store,
    Write,
)
from .memory import MemoryStore

__all__ = [
    "Change",
    "Finding",
    "Layers",
    "MemoryStore",
    "Moment",
    "Point",
    "Preset",
    "Quarantined",
    "Receipt",
    "Row",
    "Store",
    "Write",
    "open_store",
]


def open_store(url: str) -> Store:
    """The store of a URL: `sqlite:///app.db`, `sqlite:////var/lib/app.db`, or `memory:`.

    Raises ValueError for any other. Nothing is opened yet.
    """
    if url in ("memory:", "sqlite://", "sqlite:///:memory:"):
        return MemoryStore()
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1 and "?" not in rest:
        from .sqlite import SQLiteStore

        return SQLiteStore(unquote(rest[1:]))
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        raise ValueError("PostgreSQL comes with a later version; use sqlite:///app.db until then")
    shown = f"{scheme}://…" if "://" in url else "it"  # a URL may hold a password
    raise ValueError(f"{shown} names no database; use sqlite:///app.db or memory:")
