"""What the commands print: tables for people, JSON for scripts, problems on stderr.

Colours only in a terminal and without `NO_COLOR`; in a pipe a table has plain columns, and no line
is wrapped. What stands in a database may be anything, so control characters never get out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_jsonable_python
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..changes import Patch
from ..inspect import words
from ..specs import UNSET

Cell = str | Text

LONG = 120
"""Characters of a value in a table; all of it is in the JSON."""

WIDE = 10_000
"""Columns of a pipe, so that nothing is wrapped."""


class Problem(Exception):
    """A command can't be carried out: what is wrong, and what to do. Ends it with `code`."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def console(*, stderr: bool = False) -> Console:
    """Where this process's output goes at this moment."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDE
    return Console(
        file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True
    )


def say(*lines: Cell) -> None:
    """Lines on stdout."""
    out = console()
    for line in lines:
        out.print(safe(line))


def warn(line: str) -> None:
    """A line on stderr, which a script that reads stdout doesn't meet."""
    console(stderr=True).print(safe(line))


def show_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n")


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """A table with a heading; columns whose name begins with `#` hold numbers."""
    out = console()
    table = Table(
        title=safe(title) if title else None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD if out.is_terminal else None,
        pad_edge=False,
        header_style="bold",
    )
    for column in columns:
        right = column.startswith("#")
        table.add_column(
            safe(column.removeprefix("#")), justify="right" if right else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*map(safe, row))
    with out.capture() as printed:
        out.print(table, soft_wrap=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))


def value_text(value: Any, *, limit: int = LONG) -> str:
    """A value in one line, not longer than this."""
    line = words(value)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def when(at: float) -> str:
    """Seconds since the epoch in this machine's time; "" for never."""
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S}" if at else ""


def instant(at: float) -> str | None:
    """The same for scripts: ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat() if at else None


def plain(value: Any) -> Any:
    """A value as JSON has it; what is unset is null."""
    if value is UNSET:
        return None
    if isinstance(value, Patch):
        return {"set": plain(dict(value.set)), "remove": sorted(value.remove)}
    return to_jsonable_python(value)


def safe(cell: Cell) -> Text:
    """The text with what would steer a terminal written out."""
    text = cell if isinstance(cell, Text) else Text(cell)
    if text.plain.isprintable():
        return text
    written = "".join(each if each.isprintable() else _written(each) for each in text.plain)
    return Text(written, style=text.style)


def _written(character: str) -> str:
    return character.encode("unicode_escape").decode()
