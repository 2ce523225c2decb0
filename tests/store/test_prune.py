"""How the file store prunes: beside saves, in small writes, and whole after a kill."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from persistence.errors import StoreUnavailable
from persistence.store.sqlite import SQLiteStore
from tests.store.files import SHOT, Make, opened


async def fill(store: SQLiteStore, write: Make, fields: int, turns: int = 2) -> None:
    """Fields that were written so many times, each with an operation."""
    bases = [0] * fields
    for turn in range(turns):
        receipt = await store.commit(
            [
                write(f"f{number}", str(turn), f"op-{turn}-{number:05d}", base=base)
                for number, base in enumerate(bases)
            ]
        )
        bases = list(receipt.revisions)


async def test_a_save_waits_for_one_small_write_of_pruning_at_most(
    tmp_path: Path, write: Make
) -> None:
    async with opened(tmp_path / "app.db") as store:
        await fill(store, write, fields=2_000)
        pruning = asyncio.create_task(store.prune(older_than=50.0, keep_operations_after=50.0))
        saves = 0
        while not pruning.done():
            await store.commit([write(f"g{saves}", at=99.0)])
            saves += 1
        assert await pruning == 2_000 + 4_000
        assert saves >= 20  # 30 writes of 200 rows each


async def test_pruning_that_is_cancelled_goes_on_at_the_next_time(
    tmp_path: Path, write: Make
) -> None:
    async with opened(tmp_path / "app.db") as store:
        await fill(store, write, fields=1_000)
        pruning = asyncio.create_task(store.prune(older_than=50.0, keep_operations_after=0.0))
        while await store.pruned() == 0:
            await asyncio.sleep(0)
        pruning.cancel()
        await asyncio.gather(pruning, return_exceptions=True)
        left = len(await store.history([SHOT], limit=5_000))
        assert 1_000 < left < 2_000
        assert await store.prune(older_than=50.0, keep_operations_after=0.0) == left - 1_000
        assert {finding.level for finding in await store.check()} == {"ok"}


async def test_a_database_that_goes_away_meanwhile_is_said(tmp_path: Path, write: Make) -> None:
    async with opened(tmp_path / "app.db") as store:
        await fill(store, write, fields=10)
        with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="locked"):
                await store.prune(older_than=50.0, keep_operations_after=0.0)
        assert await store.prune(older_than=50.0, keep_operations_after=0.0) == 10


PRUNER = """
import asyncio, sys
from persistence.store.sqlite import SQLiteStore

async def main():
    store = SQLiteStore(sys.argv[1])
    print("begin", flush=True)
    await store.prune(older_than=50.0, keep_operations_after=50.0)
    print("end", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("rows", [1, 300, 800])
async def test_a_kill_while_pruning_leaves_everything_that_counts(
    tmp_path: Path, write: Make, rows: int
) -> None:
    path = tmp_path / "app.db"
    async with opened(path) as store:
        await fill(store, write, fields=600, turns=3)
    kill_while_pruning(path, rows)
    async with opened(path) as store:
        assert {finding.level for finding in await store.check()} == {"ok"}
        assert {row.text for row in (await store.load([SHOT]))[SHOT].values()} == {"2"}
        left = len(await store.history([SHOT], limit=5_000))
        assert len(await store.authored("ann", limit=5_000)) == left
        assert await store.pruned() == (1_800 if left < 1_800 else 0)
        await store.prune(older_than=50.0, keep_operations_after=50.0)
        assert len(await store.history([SHOT], limit=5_000)) == 600


def kill_while_pruning(path: Path, rows: int) -> None:
    """As soon as at least so many changes are gone, or right at the beginning."""
    child = subprocess.Popen(
        [sys.executable, "-c", PRUNER, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
    )
    assert child.stdout is not None
    child.stdout.readline()
    with closing(sqlite3.connect(path)) as connection:
        count = "SELECT count(*) FROM persistence_change"
        while child.poll() is None and connection.execute(count).fetchone()[0] > 1_800 - rows:
            pass
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert "end" not in rest
