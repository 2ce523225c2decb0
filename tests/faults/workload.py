"""A client at work on a real engine and a real file, to be killed, or to meet failing disks.

    python -m tests.faults.workload '{"database": …, "marks": …, "edits": 40, "seed": 0}'

Sends edits as a page does: in small batches, each again until it is answered. What it heard goes
to the file of marks at once, a line each: `confirmed <id>`. That file is what the client knows.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from persistence import Engine, Operation, Settings, Target, setting
from persistence.engine import Retry
from persistence.http import submit_durably
from persistence.operations import Outcome, operation_id
from persistence.store.sqlite import SQLiteStore

TOOL = "faults-worked"
CLIENT = "client"
OWNERS = ("s1", "s2", "s3")
BATCH = 4


class Worked(Settings, tool=TOOL, edit="shot"):
    one: str = setting("", inherit=False, max_length=10_000)
    two: str = setting("", inherit=False, max_length=10_000)
    three: str = setting("", inherit=False, max_length=10_000)


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done, and which guards are taken out."""

    database: str
    marks: str
    edits: int = 40
    seed: int = 0
    synchronous: str = "FULL"
    """Of SQLite; anything else takes the guard out."""
    eager: bool = False
    """Say `confirmed` when an edit was accepted: the guard is out."""
    trusting: bool = False
    """Take what recovery finds for durable: the guard is out."""
    deaf: bool = False
    """Take a failed commit for done: the guard is out."""
    patience: float = 20.0
    """Seconds until it gives up."""

    @property
    def path(self) -> Path:
        return Path(self.database)


class WorkedStore(SQLiteStore):
    """A file store that does often what it does seldom."""

    BEHIND = 7
    QUIET = 0.002

    def __init__(self, work: Work) -> None:
        super().__init__(work.path)
        self._work = work

    def _connect(self, busy_timeout: float | None = None) -> sqlite3.Connection:
        made = sqlite3.connect(
            self.path, timeout=2.0, isolation_level=None, check_same_thread=False,
            factory=connection_without(self._work),
        )  # fmt: skip
        if busy_timeout is not None:
            made.execute(f"PRAGMA busy_timeout = {busy_timeout * 1000:.0f}")
        return made

    def _connect_writer(self) -> sqlite3.Connection:
        connection = super()._connect_writer()
        connection.execute("PRAGMA wal_autocheckpoint = 30")
        return connection


def connection_without(work: Work) -> type[sqlite3.Connection]:
    """A connection that is deaf to what a control takes out."""
    out = {
        "PRAGMA synchronous = FULL": work.synchronous != "FULL",
        "PRAGMA wal_checkpoint(PASSIVE)": work.trusting,
    }

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
            if out.get(sql):
                sql = f"PRAGMA synchronous = {work.synchronous}"
            return super().execute(sql, *more)

    return Connection


def edits_of(seed: int, count: int) -> list[Operation]:
    """The same for the same seed. A value says where it belongs, and is like no other."""
    random = Random(seed)
    made: list[Operation] = []
    for number in range(1, count + 1):
        owner, field = random.choice(OWNERS), random.choice(tuple(Worked.model_fields))
        value = f"{number}:{owner}:{field}:{'x' * random.choice((0, 10, 300, 5_000))}"
        made.append(
            Operation(
                operation_id(CLIENT, number), CLIENT, number, Target("shot", owner, TOOL), field,
                "set", value,
            )
        )  # fmt: skip
    return made


def batches(edits: list[Operation], size: int = BATCH) -> Iterator[list[Operation]]:
    return (edits[start : start + size] for start in range(0, len(edits), size))


def confirmed(marks: Path) -> set[str]:
    """What the client had heard of when it ended."""
    if not marks.exists():
        return set()
    lines = marks.read_text().splitlines()
    return {line.split()[1] for line in lines if line.startswith("confirmed ")}


def problems(marks: Path) -> set[str]:
    """What was said while the database was away."""
    lines = marks.read_text().splitlines() if marks.exists() else []
    return {line.removeprefix("away ") for line in lines if line.startswith("away ")}


class Client:
    """Sends everything, and marks what it hears."""

    def __init__(self, engine: Engine, work: Work) -> None:
        self.engine, self.work = engine, work
        self.file = os.open(work.marks, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def mark(self, line: str) -> None:
        os.write(self.file, f"{line}\n".encode())

    async def send_all(self) -> None:
        known = confirmed(Path(self.work.marks))
        left = [e for e in edits_of(self.work.seed, self.work.edits) if e.id not in known]
        for batch in batches(left):
            await self.send(batch)

    async def send(self, batch: list[Operation]) -> None:
        while batch:
            if self.work.eager:
                for each in batch:
                    self.mark(f"confirmed {each.id}")
            outcomes = await submit_durably(self.engine, batch, "ann")
            self.hear(outcomes)
            answered = {each.id for each in outcomes if each.status != "pending"}
            batch = [each for each in batch if each.id not in answered]
            if batch:
                await asyncio.sleep(0.01)

    def hear(self, outcomes: list[Outcome]) -> None:
        for each in outcomes:
            if each.status == "pending":
                self.mark(f"away {self.engine.problem}")
            else:
                self.mark(f"{each.status} {each.id}")


async def main(work: Work) -> None:
    if work.deaf:
        take_out_failures()
    engine = Engine(
        WorkedStore(work),
        scopes=("user", "shot"),
        debounce=0.001,
        max_wait=0.002,
        retry=Retry(first=0.005, longest=0.05),
    )
    await engine.start()
    try:
        async with asyncio.timeout(work.patience):
            await Client(engine, work).send_all()
    except TimeoutError:
        pass  # what it heard is in the marks
    await engine.stop(timeout=1.0)


def take_out_failures() -> None:
    from persistence.errors import StoreUnavailable
    from persistence.store.base import Receipt

    commit = SQLiteStore.commit

    async def deaf(self: SQLiteStore, writes: list[object]) -> Receipt:
        try:
            return await commit(self, writes)  # type: ignore[arg-type]
        except StoreUnavailable:
            return Receipt([1] * len(writes))

    SQLiteStore.commit = deaf  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    asyncio.run(main(Work(**json.loads(sys.argv[1]))))
