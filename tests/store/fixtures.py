"""A database of today's tables as SQL text.

    python -m tests.store.fixtures > tests/store/000N.sql

Made once for each version of the tables, by the library as it was then, and kept for ever: what it
holds has to be found by every later version.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from persistence.scopes import Target
from persistence.store.base import Moment, Preset, Write
from persistence.store.sqlite import SQLiteStore

SHOT = Target("shot", "s1", "travel")
PROJECT = Target("project", "p1", "travel")
OTHER = Target("user", "ann", "ui")
LONG = "x" * 5_000


def written() -> list[list[Write]]:
    """Commits; each kind of row there is, and texts of every sort."""

    def write(
        target: Target, field: str, kind: str, text: str | None, base: int = 0, **more: object
    ) -> Write:
        known = {"author": "ann", "source": "user", "at": 1_700_000_000.0 + base, "group": "g"}
        return Write(target, field, kind, text, base, **known | more)  # type: ignore[arg-type]

    return [
        [
            write(SHOT, "frames", "set", "41", operations=("tab-1.00000001",)),
            write(SHOT, "prompt", "set", '"čeština – 🙂 \\" \\\\ \\u0000"', group="g1"),
            write(SHOT, "mode", "block", None, operations=("tab-1.00000002", "tab-1.00000003")),
            write(SHOT, "long", "set", f'"{LONG}"'),
            write(PROJECT, "frames", "policy", "61", note="House rule", author="bob"),
            write(PROJECT, "token", "set", "gAAAA-cipher", secret=True),
            write(OTHER, "paneLocks", "set", '{"remove":["b"],"set":{"a":true}}', version=3),
        ],
        [
            write(SHOT, "frames", "set", "48", 1, author="bob", operations=("tab-2.00000001",)),
            write(SHOT, "prompt", "pin", '""', 2),
        ],
        [
            write(SHOT, "long", "reset", None, 4),
            write(PROJECT, "token", "set", "gBBBB", 6, secret=True),
        ],
        [write(SHOT, "frames", "set", "-0.0", 8)],
    ]  # fmt: skip


async def fill(path: Path) -> None:
    store = SQLiteStore(path, threaded=False)
    await store.open()
    for writes in written():
        receipt = await store.commit(writes)
        assert not receipt.moved, receipt
    await store.name_moment(Moment("shot", "s1", "before the storm", 7, "ann", 1.7e9))
    await store.keep_preset(
        Preset("project", "p1", "travel", "calm", '{"frames":12}', "bob", 1.7e9)
    )
    await store.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "app.db"
        asyncio.run(fill(path))
        with closing(sqlite3.connect(path)) as connection:
            sys.stdout.write("\n".join(connection.iterdump()) + "\n")


if __name__ == "__main__":
    main()
