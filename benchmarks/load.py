"""How long until the effective settings of (user, project, shot) are there?

40 settings, of which the user overrides 8, the project 8 and the shot 24. By hand: one SQL
statement for the three layers, JSON decoded, dicts laid over one another. SQLModel: a JSON document
for each of the three, by `session.get`. A thousand loads at once: after a restart, when every tab
asks.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from persistence import Engine
from persistence.scopes import Target
from persistence.store import Write

from .declare import texts
from .measure import Answer, folder, in_turns, runner, show, times
from .raw import RawSQLite

NAME = "bench-load"
TOOL = texts(NAME, 40)
DEFAULTS = {f"k{i}": "" for i in range(40)}
OWNERS = {"user": 200, "project": 300, "shot": 4_000}
FIELDS = {"user": range(8), "project": range(4, 12), "shot": range(8, 32)}

Loader = Callable[[dict[str, str]], Any]


def benchmark(quick: bool) -> Iterator[Answer]:
    with folder() as path, runner() as loop:
        yield from _loads(path, loop, each=30 if quick else 100, rounds=5 if quick else 15)


def _loads(path: Path, loop: asyncio.Runner, *, each: int, rounds: int) -> Iterator[Answer]:
    raw = RawSQLite(path / "raw.db")
    engine = Engine(f"sqlite:///{path}/ours.db", scopes=tuple(OWNERS))
    documents = Documents(path / "documents.db")
    loop.run(engine.start())
    loop.run(_fill(engine, raw, documents))
    random = Random(5)

    def by_hand(owners: dict[str, str]) -> dict[str, Any]:
        layers: dict[str, dict[str, Any]] = {scope: {} for scope in OWNERS}
        for scope, field, text in raw.load(*((scope, owners[scope], NAME) for scope in OWNERS)):
            layers[scope][field] = json.loads(text)
        return {**DEFAULTS, **layers["user"], **layers["project"], **layers["shot"]}

    async def ours(owners: dict[str, str]) -> Any:
        binding = await engine.open(TOOL, owners, actor="somebody")
        binding.close()
        return binding

    async def one_by_one(load: Any) -> float:
        taken: list[float] = []
        for _ in range(each):
            owners = _owners(random)
            _forget(engine)
            begun = time.perf_counter()
            found = load(owners)
            if asyncio.iscoroutine(found):
                await found
            taken.append(time.perf_counter() - begun)
        return statistics.median(taken)

    async def at_once(load: Any) -> float:
        chosen = [_owners(random) for _ in range(1_000)]
        _forget(engine)
        begun = time.perf_counter()
        if load is ours:
            await asyncio.gather(*map(load, chosen))
        else:
            for owners in chosen:
                load(owners)
        return (time.perf_counter() - begun) / 1_000

    loop.run(_agree(engine, by_hand))
    single = in_turns(
        {
            "ours": lambda: loop.run(one_by_one(ours)),
            "raw": lambda: loop.run(one_by_one(by_hand)),
            "models": lambda: loop.run(one_by_one(documents.load)),
        },
        rounds,
    )
    many = in_turns(
        {"ours": lambda: loop.run(at_once(ours)), "raw": lambda: loop.run(at_once(by_hand))}, rounds
    )
    loop.run(engine.stop())
    raw.close()
    question = "load effective settings of (user, project, shot) / one raw SQL statement + decode"
    yield times(question, single["ours"], single["raw"], "≤ 1.3")
    yield times("the same / three SQLModel gets", single["ours"], single["models"], "≤ 0.12")
    yield times("1,000 loads at once / inline raw SQLite", many["ours"], many["raw"], "≤ 1.5")


async def _agree(engine: Engine, by_hand: Loader) -> None:
    """Both sides find the same."""
    owners = _owners(Random(6))
    binding = await engine.open(TOOL, owners)
    assert binding.as_dict() == by_hand(owners)
    binding.close()


async def _fill(engine: Engine, raw: RawSQLite, documents: Documents) -> None:
    for scope, count in OWNERS.items():
        for start in range(0, count, 200):
            owners = [f"{scope}-{number}" for number in range(start, min(start + 200, count))]
            values = {owner: _values(scope, owner) for owner in owners}
            edits = [
                (owner, field, json.dumps(value))
                for owner in owners
                for field, value in values[owner].items()
            ]
            raw.commit(((scope, owner, NAME, field), text) for owner, field, text in edits)
            await engine.store.commit(
                [
                    Write(
                        Target(scope, owner, NAME), field, "set", text, 0, "somebody", "user", 1.7e9
                    )
                    for owner, field, text in edits
                ]
            )
            documents.save({(scope, owner): values[owner] for owner in owners})


class Documents:
    """One JSON document an owner, as most apps have it, read through SQLModel."""

    def __init__(self, path: Path) -> None:
        from sqlmodel import Field, Session, SQLModel, create_engine

        class Document(SQLModel, table=True):
            scope: str = Field(primary_key=True)
            owner: str = Field(primary_key=True)
            text: str

        self._document, self._session = Document, Session
        self._engine = create_engine(f"sqlite:///{path}")
        SQLModel.metadata.create_all(self._engine)

    def save(self, documents: dict[tuple[str, str], dict[str, Any]]) -> None:
        with self._session(self._engine) as session:
            for (scope, owner), values in documents.items():
                session.add(self._document(scope=scope, owner=owner, text=json.dumps(values)))
            session.commit()

    def load(self, owners: dict[str, str]) -> dict[str, Any]:
        values = dict(DEFAULTS)
        with self._session(self._engine) as session:
            for scope in OWNERS:
                row = session.get(self._document, (scope, owners[scope]))
                values.update(json.loads(row.text))
        return values


def _owners(random: Random) -> dict[str, str]:
    return {scope: f"{scope}-{random.randrange(count)}" for scope, count in OWNERS.items()}


def _values(scope: str, owner: str) -> dict[str, str]:
    return {f"k{i}": f"{owner}: a value of some words, number {i}" for i in FIELDS[scope]}


def _forget(engine: Engine) -> None:
    """Nothing is in memory any more: what is measured is the load."""
    engine.layers.clear()


if __name__ == "__main__":
    show(benchmark)
