"""An app that dies right after its commit: run as a module by `test_ledger.py`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from sqlalchemy import Column, MetaData, Table, Text, create_engine, select

from persistence import Engine, Ledger, Operation, Submitted, Target, applier
from persistence.http import submit_durably


class Notes:
    """One kind, "note.add", with tables under a prefix."""

    operation = Operation(
        "tab.00000001", "tab", 1, Target("list", "l1", ""), "", "note.add", "typed"
    )

    def __init__(
        self, url: str, prefix: str, *, is_once: bool, then: Callable[[], None] = lambda: None
    ) -> None:
        self.metadata = MetaData()
        self.ledger = Ledger(self.metadata, prefix=prefix)
        self.notes = Table(f"{prefix}notes", self.metadata, Column("text", Text))
        self.database = create_engine(url)
        self.metadata.create_all(self.database)
        self.is_once, self.then = is_once, then

    def engine(self) -> Engine:
        @applier(str)
        def add(submitted: Submitted[str]) -> None:
            with self.database.begin() as connection:
                if not self.is_once or self.ledger.once(connection, submitted):
                    connection.execute(self.notes.insert().values(text=submitted.payload))
            self.then()

        engine = Engine("memory:", scopes=("user",))
        engine.appliers.register("note.add", add)
        return engine

    def texts(self) -> list[str]:
        with self.database.connect() as connection:
            return list(connection.execute(select(self.notes.c.text)).scalars())

    def drop(self) -> None:
        self.metadata.drop_all(self.database)
        self.database.dispose()


async def main(url: str, prefix: str, is_once: str) -> None:
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    notes = Notes(url, prefix, is_once=is_once == "True", then=die)
    async with notes.engine() as engine:
        await submit_durably(engine, [notes.operation], "ada")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
