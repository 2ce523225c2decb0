"""`prune` and `doctor`: keep a database small, and see that it is sound."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from ..retention import KEEP_OPERATIONS
from ..settings import registry
from ..store.base import Finding
from ..store.sqlite import SQLiteStore
from ..store.sqlite_reader import SQLiteReader
from ..store.tables import PREFIX
from .database import reading
from .looks import layers, pages
from .output import Problem, console, say, show_json, show_table

UNITS = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}

TABLES = {"change": "changes in the journal", "override": "traces of resets",
          "operation": "ids of operations"}  # fmt: skip
"""What a prune takes rows from."""

LEVELS = {"ok": "green", "warning": "yellow", "error": "bold red"}


def seconds_of(age: str) -> int:
    """`90d`, `12h` or `2w` in seconds. Raises BadParameter."""
    found = re.fullmatch(r"(\d{1,6})([hdw])", age)
    if found is None:
        raise typer.BadParameter(
            f"{age!r} is no age; write 90d, 12h or 2w", param_hint="--older-than"
        )
    return int(found[1]) * UNITS[found[2]]


async def prune(path: Path, *, older_than: int, dry_run: bool, as_json: bool) -> None:
    """Remove what history no longer needs; or, in a copy, count what would go."""
    before = time.time() - older_than
    async with reading(path):
        pass  # nothing is made in a file of something else
    counted = await count_prunable(path, before) if dry_run else {}
    removed = 0 if dry_run else await prune_file(path, before)
    total = sum(counted.values()) if dry_run else removed
    if as_json:
        return show_json({"dry_run": dry_run, "rows": total} | ({"of": counted} if dry_run else {}))
    if not total:
        return say("Nothing that could go is that old.")
    if dry_run:
        rows = [[TABLES[table], f"{count:,}"] for table, count in counted.items()]
        return show_table("Would go", ["What", "#Rows"], rows)
    return say(
        f"{total:,} rows are gone.",
        "The file keeps its size, and is filled again first. To shrink it, stop the app and run "
        "VACUUM on it.",
    )


async def prune_file(path: Path, before: float) -> int:
    """Ids of operations stay for as long as a browser may come back with one."""
    held = min(before, time.time() - KEEP_OPERATIONS)
    store = SQLiteStore(path)
    await store.open()
    try:
        with progress("Pruning") as bar:
            bar.add_task("Pruning", total=None)
            return await store.prune(older_than=before, keep_operations_after=held)
    finally:
        await store.close()


async def count_prunable(path: Path, before: float) -> dict[str, int]:
    """How many rows of each table would go: found out in a copy, so that it is the truth."""
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / path.name
        with progress("Copying") as bar:
            copy_database(path, copied, bar)
        held = count_rows(copied)
        await prune_file(copied, before)
        left = count_rows(copied)
    return {table: held[table] - left[table] for table in TABLES}


def count_rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {PREFIX}{table}").fetchone()[0]  # noqa: S608  # names of ours
            for table in TABLES
        }


def copy_database(path: Path, copied: Path, bar: Progress) -> None:
    """A copy as of this moment, while others go on writing. Raises Problem without room."""
    if shutil.disk_usage(copied.parent).free < path.stat().st_size * 1.2:
        raise Problem(
            f"a dry run works on a copy, and there is no room for one in {copied.parent}; "
            "name a larger place in TMPDIR"
        )
    task = bar.add_task("Copying")
    with (
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as source,
        closing(sqlite3.connect(copied)) as target,
    ):
        source.backup(
            target,
            pages=10_000,
            progress=lambda _, left, total: bar.update(task, total=total, completed=total - left),
        )


async def doctor(path: Path, *, as_json: bool) -> None:
    """Check the database; with declarations also that every value fits. Exit code 1 on errors."""
    store = SQLiteReader(path)
    try:
        findings = await store.check()
        if registry and not any(each.level == "error" for each in findings):
            findings += await unreadable_values(store)
    finally:
        await store.close()
    if as_json:
        show_json([each._asdict() for each in findings])
    else:
        show_table(
            "",
            ["Level", "Finding", "What to do"],
            [[Text(f.level, style=LEVELS[f.level]), f.what, f.hint] for f in findings],
        )
    if any(each.level == "error" for each in findings):
        raise typer.Exit(1)


async def unreadable_values(store: SQLiteReader) -> list[Finding]:
    """Stored values that today's declarations can't read."""
    problems: dict[tuple[str, str, str], list[str]] = {}
    count = 0
    with progress("Reading values") as bar:
        task = bar.add_task("Reading values", total=None)
        async for scope, owners in _all_owners(store):
            async for layer in layers(store, scope, owners):
                count += len(layer.confirmed)
                for field, problem in layer.unreadable.items():
                    key = (layer.target.tool, field, problem)
                    problems.setdefault(key, []).append(f"{scope} {layer.target.owner}")
            bar.advance(task, len(owners))
    if not problems:
        return [Finding("ok", f"{count:,} stored values fit their declarations")]
    return [
        Finding(
            "warning",
            f"{tool}.{field} {problem}: {len(where):,}×, first at {where[0]}",
            "It is kept as it is and inherits meanwhile. Mend the declaration, give it a "
            "migration, or reset the field there.",
        )
        for (tool, field, problem), where in problems.items()
    ]


async def _all_owners(store: SQLiteReader) -> AsyncIterator[tuple[str, list[str]]]:
    for scope in await store.scopes():
        async for owners in pages(store, scope):
            yield scope, owners


@contextmanager
def progress(what: str) -> Generator[Progress]:
    """How far it is, on stderr and only in a terminal."""
    out = console(stderr=True)
    columns = (
        SpinnerColumn(), TextColumn(what), BarColumn(), MofNCompleteColumn(),
    )  # fmt: skip
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        yield bar
