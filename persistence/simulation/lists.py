"""An app's own kind, as it is played: lists that people add lines to, in a database of the app's.

The appliers and the ledger are the real ones, the database is SQLite in memory. What may go wrong
happens between them: it fails in passing, takes too long, or the process dies before or after the
commit.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, select
from sqlalchemy.pool import StaticPool

from ..appliers import Submitted, applier
from ..engine import Engine
from ..errors import InvalidValue, StoreUnavailable
from ..ledger import Ledger
from ..operations import Operation, Outcome
from ..scopes import Target

if TYPE_CHECKING:
    from .play import Play
    from .server import Server

KIND = "line.add"
RUDE = "rude"
"""A line that the app refuses."""
TOO_LONG = 40.0
"""Seconds that a stuck database takes: more than a function may."""


class Lists:
    """The app's part of one schedule."""

    def __init__(self, play: Play, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.made: dict[str, Operation] = {}
        self.heard: dict[str, Outcome] = {}
        self._play = play
        metadata = MetaData()
        self.ledger = Ledger(metadata)
        self.lines = Table(
            "lines",
            metadata,
            Column("number", Integer, primary_key=True),
            Column("list", Text),
            Column("operation", Text),
        )
        self._database = create_engine("sqlite://", poolclass=StaticPool)
        metadata.create_all(self._database)

    def close(self) -> None:
        self._database.dispose()

    def target(self) -> Target:
        return Target("list", self._play.random.choice(self.names), "")

    def register(self, engine: Engine, server: Server) -> None:
        """Have a server apply what people add."""
        random = self._play.random

        @applier(str)
        async def add(submitted: Submitted[str]) -> None:
            await asyncio.sleep(random.uniform(0, 0.3))
            await server.reach()
            if submitted.payload == RUDE:
                raise InvalidValue("line", "isn't kind")
            if not self._play.is_mended and random.random() < self._play.odds.applying_fails:
                self._play.happened["lines not added at once"] += 1
                raise StoreUnavailable("the app's database is away")
            self._add(submitted)
            is_stuck = not self._play.is_mended and random.random() < self._play.odds.applying_fails
            await asyncio.sleep(TOO_LONG if is_stuck else random.uniform(0, 0.3))
            await server.reach()

        engine.appliers.register(KIND, add)

    def _add(self, submitted: Submitted[str]) -> None:
        with self._database.begin() as connection:
            if self.ledger.once(connection, submitted):
                row = {"list": submitted.target.owner, "operation": submitted.id}
                connection.execute(self.lines.insert().values(row))

    def hear(self, operation: Operation, outcome: Outcome) -> None:
        self.heard[operation.id] = outcome
        self._play.happened[f"lines {outcome.status}"] += 1

    # --- the verdict -----------------------------------------------------------------------------

    def faults(self) -> list[str]:
        """What is wrong, in words; empty if each line is there once, and in order."""
        with self._database.connect() as connection:
            chosen = select(self.lines.c.list, self.lines.c.operation).order_by(self.lines.c.number)
            added = [(name, operation) for name, operation in connection.execute(chosen)]
        return [*self._lost(added), *self._doubled(added), *_disordered(self.made, added)]

    def _lost(self, added: Sequence[tuple[str, str]]) -> list[str]:
        there = {operation for _, operation in added}
        faults: list[str] = []
        for name, made in self.made.items():
            outcome = self.heard.get(name)
            if outcome is None:
                faults.append(f"{made} was lost: nobody said what became of it")
            elif outcome.status == "confirmed" and name not in there:
                faults.append(f"{made} was confirmed and lost")
            elif outcome.status != "confirmed" and name in there:
                faults.append(f"{made} was {outcome.status}, and is there")
        return faults

    def _doubled(self, added: Sequence[tuple[str, str]]) -> list[str]:
        faults = [f"{name} was doubled" for (_, name), n in Counter(added).items() if n > 1]
        for place, name in added:
            made = self.made.get(name)
            if made is None or made.target.owner != place:
                faults.append(f"{name} was invented or misplaced: it is in {place}")
        return faults


def _disordered(made: Mapping[str, Operation], added: Sequence[tuple[str, str]]) -> list[str]:
    """Lines of a client that stand behind a later one of its own."""
    newest: dict[tuple[str, str], int] = {}
    faults: list[str] = []
    for place, name in added:
        known = made.get(name)
        if known is None:
            continue
        if known.seq < newest.get((place, known.client), 0):
            faults.append(f"{known} is out of order")
        newest[place, known.client] = max(known.seq, newest.get((place, known.client), 0))
    return faults
