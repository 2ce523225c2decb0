"""The database is away, or takes two seconds a write, while people go on editing.

In virtual time with the page's way of sending; and for real, through a server whose database
another program holds. (Redis has no part in saving yet, so there is none to take away.)
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from persistence import Engine, Operation, Target
from persistence.http import submit_durably
from persistence.operations import operation_id
from persistence.store import MemoryStore
from persistence.testing import FailingStore, VirtualLoop
from tests.faults.aftermath import judge_file
from tests.faults.servers import Page, Sender, Served, ask
from tests.faults.tally import Experiment, Tally
from tests.faults.workload import TOOL, Worked

AWAY = 60.0
"""Virtual seconds."""
DRAINED = 30.0
EVERY = 0.25
"""A person edits so often, in virtual seconds."""
ANSWER = 0.1
"""Seconds in which a page has to answer."""
KINDS = ("away", "two seconds a write", "answers lost")


# --- in virtual time -----------------------------------------------------------------------------


def run(
    count: int, seed: int, folder: Path, *, store: Callable[[], FailingStore] | None = None
) -> Tally:
    tally = Tally()
    for number in range(seed, seed + count):
        loop = VirtualLoop(seed=number)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:  # noqa: B023
            failing = (store or (lambda: FailingStore(MemoryStore())))()
            outage = Outage(number, failing, tally)
            runner.run(outage.play(KINDS[number % len(KINDS)]))
    return tally


class Outage:
    def __init__(self, seed: int, store: FailingStore, tally: Tally) -> None:
        self.random, self.store, self.tally = Random(seed), store, tally
        self.where = f"outage {seed}"
        self.made: dict[str, Operation] = {}
        self.told: set[str] = set()
        self.is_ending = False

    async def play(self, kind: str) -> None:
        self.store.commits.mend()
        async with Engine(self.store, scopes=("user", "shot"), random=self.random) as engine:
            people = [asyncio.create_task(self._edit(engine, number)) for number in range(4)]
            await asyncio.sleep(5)
            if kind == "away":
                self.store.commits.fail(None)
                self.store.loads.fail(None)
            elif kind == "answers lost":
                self.store.commits.lose_answer(None)
            else:
                self.store.commits.delay(2.0, None)
            await asyncio.sleep(AWAY)
            if kind == "away" and engine.available:
                self.tally.fault(f"{self.where}: nobody says that the database is away")
            self.store.commits.mend()
            self.store.loads.mend()
            back = asyncio.get_running_loop().time()
            self.is_ending = True
            await asyncio.gather(*people)
            seconds = asyncio.get_running_loop().time() - back
            self.tally.happened["slowest drained, in ms"] = max(
                self.tally.happened["slowest drained, in ms"], round(seconds * 1000)
            )
            if seconds > DRAINED:
                self.tally.fault(f"{self.where}: drained {seconds:.0f} s after its return")
        self.tally.count += 1
        self.tally.happened["edits"] += len(self.made)
        await self._judge()

    async def _edit(self, engine: Engine, number: int) -> None:
        client, left = f"client-{number}", list[Operation]()
        while left or not self.is_ending:
            if not self.is_ending:
                made = self._make(client)
                left = [each for each in left if each.field != made.field] + [made]
            for outcome in await submit_durably(engine, left, client):
                if outcome.status == "confirmed":
                    self.told.add(outcome.id)
                left = [e for e in left if e.id != outcome.id or outcome.status == "pending"]
            await asyncio.sleep(EVERY)

    def _make(self, client: str) -> Operation:
        number = len(self.made) + 1
        field = self.random.choice(tuple(Worked.model_fields))
        name = operation_id(client, number)
        target = Target("shot", client, TOOL)
        made = Operation(name, client, number, target, field, "set", f"{number}:{client}:{field}")
        self.made[name] = made
        return made

    async def _judge(self) -> None:
        done = await self.store.done(list(self.made))
        targets = {each.target for each in self.made.values()}
        rows = {row.revision: row for row in await self.store.history(targets, limit=1_000_000)}
        newest: dict[tuple[Target, str], int] = {}
        for name, revision in sorted(done.items(), key=lambda item: self.made[item[0]].seq):
            made, row = self.made[name], rows.get(revision)
            if row is None or (row.target, row.field) != (made.target, made.field):
                self.tally.misplace(f"{self.where}: {name} made {row}")
            newest[made.target, made.field] = max(
                made.seq, newest.get((made.target, made.field), 0)
            )
        for revision in rows.keys() - set(done.values()):
            self.tally.double(f"{self.where}: nobody made {rows[revision]}")
        for name in self.told - done.keys():
            made = self.made[name]
            if newest.get((made.target, made.field), 0) < made.seq:
                self.tally.lose(f"{self.where}: {name} was confirmed")
        last = {(each.target, each.field): each for each in self.made.values()}
        for made in last.values():
            if made.id not in done:
                self.tally.lose(f"{self.where}: {made.id}, the last of its field, isn't saved")


class Deaf(FailingStore):
    """Takes a commit that failed for done."""

    async def commit(self, writes):  # type: ignore[no-untyped-def,override]
        from persistence.errors import StoreUnavailable
        from persistence.store.base import Receipt

        try:
            return await super().commit(writes)
        except StoreUnavailable:
            return Receipt([1_000_000] * len(writes))


def control(seed: int, folder: Path) -> Tally:
    """With an engine that takes a commit that failed for done."""
    return run(1, seed, folder, store=lambda: Deaf(MemoryStore()))


# --- for real ------------------------------------------------------------------------------------


def run_served(count: int, seed: int, folder: Path, *, eager: bool = False) -> Tally:
    """`count` is for how many seconds another program holds the database."""
    tally = Tally()
    place = folder / str(seed)
    place.mkdir()
    with Served(place) as server:
        senders = [Sender(each, server.port, eager=eager) for each in range(2)]
        page = Page(1, server.port)
        for each in (*senders, page):
            each.start()
        page.is_ready.wait(20)
        _until(lambda: page.shown > 2 and all(each.told for each in senders))
        with closing(sqlite3.connect(server.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            _until(lambda: any("not saved" in each for each in page.said[-3:]))
            before, clicks = [len(each.told) for each in senders], len(page.waits)
            waits = _pings(server.port, count)
            held_up = page.waits[clicks + 1 :]
            said = set(page.said[-20:])
            other.execute("ROLLBACK")
        if eager:
            server.kill()
        back = time.monotonic()
        _until(lambda: eager or all(len(s.told) > n for s, n in zip(senders, before, strict=True)))
        for each in (*senders, page):
            each.is_ending = True
        for each in senders:
            each.join(20)
        seconds = time.monotonic() - back
        server.signal(15)
        server.wait(20)
    tally.count += count
    tally.happened["clicks while it was away"] = len(held_up)
    if not held_up:
        tally.fault("no click was answered")
        held_up = [float(count)]
    for what, some in (("request", waits), ("click", held_up)):
        middle = sorted(some)[len(some) // 2]
        tally.happened[f"median {what}, in ms"] = round(middle * 1000)
        tally.happened[f"slowest {what}, in ms"] = round(max(some) * 1000)
        if middle > ANSWER:
            tally.fault(f"a {what} was answered in {middle * 1000:.0f} ms")
    if not any("not saved" in each.lower() or "saving" in each.lower() for each in said):
        tally.fault(f"the page doesn't say that nothing is saved: {said}")
    if seconds > DRAINED:
        tally.fault(f"drained {seconds:.0f} s after its return")
    made = {name: one for each in senders for name, one in each.made.items()}
    told = {name for each in senders for name in each.told}
    judge_file(server.database, made, told, tally, "served")
    return tally


def _pings(port: int, seconds: float) -> list[float]:
    waits: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        ask(port, "GET", "/ping")
        waits.append(time.monotonic() - began)
        time.sleep(0.02)
    return waits


def _until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "the clients got no answers"
        time.sleep(0.01)


def control_served(seed: int, folder: Path) -> Tally:
    """With clients that take what they sent for confirmed."""
    return run_served(1, seed, folder, eager=True)


EXPERIMENTS = [
    Experiment(
        "outage",
        "the database is away for 60 s, takes 2 s a write, or its answers are lost, while 4 edit",
        "outages",
        "0 lost, 0 doubled, drained ≤ 30 s after its return",
        run,
        control,
        short=3,
        full=300,
        portion=30,
    ),
    Experiment(
        "outage-served",
        "another program holds the database of a real server while 3 edit",
        "seconds",
        "60 s: 0 lost, 0 doubled, the page answers in 100 ms, drained ≤ 30 s after its return",
        run_served,
        control_served,
        short=2,
        full=60,
        slow=True,
    ),
]
