"""How many durable saves a second, and how long does a single one take?

A save is an override and its journal row, 1 KB of text, on the disk (WAL, FULL). Three ways: the
store alone, the whole way from `update` to `flush`, and a hundred callers that wait for each save.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from persistence import Engine, Settings, setting
from persistence.scopes import Target
from persistence.store import Write, open_store

from .measure import Answer, Missing, folder, in_turns, peer, runner, show, times
from .raw import Key, RawSQLite

BATCH, CALLERS = 1_000, 100
TOOL = "bench-save"
WORDS = [f"{i:04d}" + "lorem ipsum " * 83 for i in range(500)]  # 1,000 characters each


class Prompt(Settings, tool=TOOL, edit="shot"):
    prompt: str = setting("", max_length=5_000)


def benchmark(quick: bool) -> Iterator[Answer]:
    for keys in (1_000, 20_000) if quick else (1_000, 20_000, 200_000):
        with folder() as path, runner() as loop:
            yield from _batches(
                path, loop, keys, batches=5 if quick else 20, rounds=5 if quick else 9
            )
    with folder() as path, runner() as loop:
        yield _single(path, loop, 100 if quick else 500)
    with folder() as path, runner() as loop:
        yield _waiting(path, loop, saves=2_000 if quick else 10_000, rounds=3 if quick else 7)


# --- batches of 1,000 ----------------------------------------------------------------------------


def _batches(
    path: Path, loop: asyncio.Runner, keys: int, *, batches: int, rounds: int
) -> Iterator[Answer]:
    raw, store = RawSQLite(path / "raw.db"), StoreAlone(f"sqlite:///{path}/store.db")
    whole = WholeWay(f"sqlite:///{path}/whole.db")
    loop.run(store.start())
    loop.run(whole.start())
    for start in range(0, keys, 10_000):
        chunk = range(start, min(start + 10_000, keys))
        raw.commit(_edits(chunk, 0))
        loop.run(store.save(chunk, 0))
        loop.run(whole.fill(chunk))
    random = {name: Random(1) for name in ("raw", "store", "whole")}
    turn = iter(range(1, 1_000_000))  # each batch has other words, so that each save is a change

    def batch(side: str) -> list[int]:
        return random[side].sample(range(keys), BATCH)

    def by_hand() -> float:
        edits = (_edits(batch("raw"), next(turn)) for _ in range(batches))
        return sum(map(raw.commit, edits)) / batches / BATCH

    def alone() -> float:
        saves = (loop.run(store.save(batch("store"), next(turn))) for _ in range(batches))
        return sum(saves) / batches / BATCH

    def all_of_it() -> float:
        saves = (loop.run(whole.save(batch("whole"), next(turn))) for _ in range(batches))
        return sum(saves) / batches / BATCH

    found = in_turns({"raw": by_hand, "store": alone, "whole": all_of_it}, rounds)
    loop.run(store.stop())
    loop.run(whole.stop())
    raw.close()
    at = f"durable saves, batches of 1,000, {keys:,} keys"
    yield times(f"{at}: the store alone / raw SQL", found["store"], found["raw"], "≥ 1.2")
    target = "≥ 0.6" if keys == 1_000 else "≥ 0.9"
    yield times(f"{at}: the whole way / raw SQL", found["whole"], found["raw"], target)


class StoreAlone:
    """`Store.commit` with the writes made beforehand."""

    def __init__(self, url: str) -> None:
        self._store = open_store(url)
        self._revisions: dict[int, int] = {}

    async def start(self) -> None:
        await self._store.open()

    async def stop(self) -> None:
        await self._store.close()

    async def save(self, keys: Any, turn: int) -> float:
        writes = [
            Write(
                Target("shot", f"shot-{key:07d}", TOOL), "prompt", "set", f'"{_word(key, turn)}"',
                self._revisions.get(key, 0), "somebody", "user", time.time(), "group-1",
            )
            for key in keys
        ]  # fmt: skip
        begun = time.perf_counter()
        receipt = await self._store.commit(writes)
        taken = time.perf_counter() - begun
        assert not receipt.moved
        self._revisions.update(zip(keys, receipt.revisions, strict=True))
        return taken


class WholeWay:
    """A binding a key, each edited once, then a flush: check, resolve, encode, schedule, store."""

    def __init__(self, url: str) -> None:
        self._engine = Engine(url, scopes=("user", "project", "shot"))
        self._newest = 0

    async def start(self) -> None:
        await self._engine.start()

    async def stop(self) -> None:
        await self._engine.stop()

    async def fill(self, keys: Any) -> None:
        await self.save(keys, 0)

    async def save(self, keys: Any, turn: int) -> float:
        bindings = await asyncio.gather(*(self._open(key) for key in keys))
        texts = [_word(key, turn) for key in keys]
        gc.collect()  # of the opening, which isn't the question
        begun = time.perf_counter()
        for binding, text in zip(bindings, texts, strict=True):
            binding.update(prompt=text)
        await self._engine.flush()
        taken = time.perf_counter() - begun
        revisions = [binding.layers[0].revision("prompt") for binding in bindings]
        assert min(revisions) > self._newest, "each save was written"
        self._newest = max(revisions)
        for binding in bindings:
            binding.close()
        return taken

    async def _open(self, key: int) -> Any:
        return await self._engine.open(Prompt, {"shot": f"shot-{key:07d}"}, actor="somebody")


# --- one at a time, and a hundred at once --------------------------------------------------------


def _single(path: Path, loop: asyncio.Runner, saves: int) -> Answer:
    """One setting saved while nothing else happens, each followed by a rest."""
    raw = RawSQLite(path / "raw.db")
    engine = Engine(f"sqlite:///{path}/ours.db", scopes=("user", "project", "shot"))
    ours: list[float] = []
    theirs: list[float] = []

    async def measure() -> None:
        async with engine:
            binding = await engine.open(Prompt, {"shot": "shot-1"}, actor="somebody")
            for turn in range(saves):
                text = _word(turn, turn)
                begun = time.perf_counter()
                binding.update(prompt=text)
                await binding.flush()
                ours.append(time.perf_counter() - begun)
                await asyncio.sleep(0.003)
                theirs.append(raw.commit([(_key(1), text)]))
                await asyncio.sleep(0.003)

    loop.run(measure())
    raw.close()
    tenth = max(1, saves // 10)
    return times(
        "one durable save, idle, p50 / raw commit of the same rows",
        [statistics.median(ours[at : at + tenth]) for at in range(0, saves, tenth)],
        [statistics.median(theirs[at : at + tenth]) for at in range(0, saves, tenth)],
        "≤ 1.3",
    )


def _waiting(path: Path, loop: asyncio.Runner, *, saves: int, rounds: int) -> Answer:
    question = f"durable saves, {CALLERS} waiting callers / async SQLModel, a commit a row"
    if peer("aiosqlite") is None:
        return Missing(question, "aiosqlite 'sqlalchemy[asyncio]'")
    engine = Engine(f"sqlite:///{path}/ours.db", scopes=("user", "project", "shot"))
    rows = SQLModelRows(path / "peer.db")
    bindings: list[Any] = []

    async def start() -> None:
        await engine.start()
        for caller in range(CALLERS):
            owners = {"shot": f"shot-{caller}"}
            bindings.append(await engine.open(Prompt, owners, actor="somebody"))
        await rows.start()

    async def stop() -> None:
        await engine.stop()
        await rows.stop()

    async def save(caller: int, text: str) -> None:
        bindings[caller].update(prompt=text)
        await bindings[caller].flush()

    async def all_callers(save: Any, times_each: int) -> float:
        async def one(caller: int) -> None:
            for turn in range(times_each):
                await save(caller, _word(caller, turn))

        begun = time.perf_counter()
        await asyncio.gather(*map(one, range(CALLERS)))
        return (time.perf_counter() - begun) / times_each / CALLERS

    loop.run(start())
    sides = {
        "ours": lambda: loop.run(all_callers(save, saves // CALLERS)),
        "peer": lambda: loop.run(all_callers(rows.save, 3)),
    }
    found = in_turns(sides, rounds)
    loop.run(stop())
    return times(question, found["ours"], found["peer"], "≥ 80")


class SQLModelRows:
    """The same two rows as SQLModel objects: get, change, add, commit, for each save."""

    def __init__(self, path: Path) -> None:
        from sqlalchemy import event
        from sqlalchemy.ext.asyncio import create_async_engine
        from sqlmodel import Field, SQLModel

        class Override(SQLModel, table=True):
            scope: str = Field(primary_key=True)
            owner: str = Field(primary_key=True)
            tool: str = Field(primary_key=True)
            field: str = Field(primary_key=True)
            revision: int

        class Change(SQLModel, table=True):
            id: int | None = Field(default=None, primary_key=True)
            scope: str
            owner: str
            tool: str
            field: str
            text: str
            author: str
            at: float

        self._override, self._change = Override, Change
        self._metadata = SQLModel.metadata
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=16)
        self._turn = asyncio.Semaphore(1)  # SQLite has one writer; without it, "database is locked"

        @event.listens_for(self._engine.sync_engine, "connect")
        def durable(connection: Any, _: Any) -> None:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")

    async def start(self) -> None:
        async with self._engine.begin() as connection:
            await connection.run_sync(self._metadata.create_all)

    async def stop(self) -> None:
        await self._engine.dispose()

    async def save(self, caller: int, text: str) -> None:
        from sqlalchemy.ext.asyncio import AsyncSession

        key = ("shot", f"shot-{caller}", TOOL, "prompt")
        names = ("scope", "owner", "tool", "field")
        where = dict(zip(names, key, strict=True))
        async with self._turn, AsyncSession(self._engine, expire_on_commit=False) as session:
            change = self._change(**where, text=text, author="somebody", at=time.time())
            session.add(change)
            await session.flush()
            row = await session.get(self._override, key)
            if row is None:
                session.add(self._override(**where, revision=change.id))
            else:
                row.revision = change.id
            await session.commit()


def _key(number: int) -> Key:
    return ("shot", f"shot-{number:07d}", TOOL, "prompt")


def _edits(keys: Iterable[int], turn: int) -> list[tuple[Key, str]]:
    return [(_key(key), _word(key, turn)) for key in keys]


def _word(key: int, turn: int) -> str:
    return f"{turn} {WORDS[key % 500]}"


if __name__ == "__main__":
    show(benchmark)
