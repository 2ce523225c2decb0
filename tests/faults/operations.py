"""Random operations of three tabs on two processes over one store, against a model.

Each round some operations are sent at once, some of them a second time; then every answer, the
rows that were written and what they say are compared with what the model allows. The processes hear
nothing of each other, now and then one is replaced, and tabs change from one to the other: so what
a process has in memory is often out of date.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal

from persistence import Engine, Operation, Settings, Target, setting
from persistence.http import submit_durably
from persistence.operations import Operations, Outcome, operation_id
from persistence.settings import tool_of
from persistence.store import MemoryStore, Store
from persistence.store.base import CONFLICT, Row
from persistence.store.sqlite import SQLiteStore
from persistence.testing import VirtualLoop
from tests.faults.model import Content, Field, Said, Sent
from tests.faults.tally import Experiment, Tally

SCOPES = ("user", "project", "shot")
TABS = (("tab-a", "ann"), ("tab-b", "ann"), ("tab-c", "bob"))
WORLD = 2_000
"""Operations on one store, before all begins anew."""
ON_A_FILE = 5
"""One world in so many is on a file."""
ASKED = 20
"""Rows of a field in the history that stand for nothing, in one round at most."""
Key = tuple[Target, str]


class Modelled(Settings, tool="faults-modelled", edit="shot"):
    frames: int = setting(61, ge=1, le=241)
    prompt: str = setting("", inherit=False)
    sound: bool = setting(False)
    locks: dict[str, bool] = setting({"a": True}, merge=True)


TOOL = tool_of(Modelled)
VALUES: dict[str, Sequence[Any]] = {
    "frames": (61, 1, 2, 3), "prompt": ("", "a", "b"), "sound": (True, False),
}  # fmt: skip


def run(count: int, seed: int, folder: Path) -> Tally:
    tally = Tally()
    for begin in range(seed, seed + count, WORLD):
        number = begin // WORLD
        on_a_file = number % ON_A_FILE == 0
        file = folder / f"{number}.db"
        store = SQLiteStore(file, threaded=False) if on_a_file else MemoryStore()
        World(number, store, tally).play(min(WORLD, seed + count - begin))
        for path in folder.iterdir():
            path.unlink()
    return tally


class World:
    def __init__(self, seed: int, store: Store, tally: Tally) -> None:
        self.seed, self.store, self.tally = seed, store, tally
        self.random = Random(seed)
        self.fields: dict[Key, Field] = {}
        self.workers: list[Engine] = []
        self.seen: dict[str, dict[Key, int]] = defaultdict(dict)
        """Tab → the revisions that it shows."""
        self.seqs: dict[str, int] = defaultdict(int)
        self.sent: list[Sent] = []
        self.statuses: dict[str, str] = {}
        """Operation → its last answer."""
        self.asked: set[str] = set()
        """Operations that some process has asked about; another one may have none of it."""
        self.revision = 0
        self.told = 0

    def play(self, count: int) -> None:
        loop = VirtualLoop(seed=self.seed, limit=1e9)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._play(count))

    async def _play(self, count: int) -> None:
        self.workers = [await self._worker() for _ in range(2)]
        made = rounds = 0
        while made < count and self.told < 5:
            made += await self._round(min(self.random.randint(1, 6), count - made))
            rounds += 1
            if rounds % 100 == 0:
                await self._compare_all()
            if self.random.random() < 0.01:
                await self._replace()
        await self._compare_all()
        self.tally.count += made
        for worker in self.workers:
            await worker.stop()
        await self.store.close()

    async def _worker(self) -> Engine:
        engine = Engine(self.store, scopes=SCOPES, random=Random(self.seed), pokes=None)
        engine.store = NotClosed(self.store)  # type: ignore[assignment]
        await engine.start()
        return engine

    async def _replace(self) -> None:
        number = self.random.randrange(2)
        await self.workers[number].stop()
        self.workers[number] = await self._worker()
        self.tally.happened["processes replaced"] += 1

    # --- one round -------------------------------------------------------------------------------

    async def _round(self, count: int) -> int:
        for tab, _ in TABS:
            self._look(tab)
        batches: dict[str, list[Sent]] = defaultdict(list)
        for _ in range(count):
            tab, actor = self.random.choice(TABS)
            batches[tab].append(Sent(self._make(tab, actor), actor))
        new = [sent for batch in batches.values() for sent in batch]
        again: list[Sent] = []
        if self.sent and self.random.random() < 0.2:
            old = self.random.choice(self.sent[-60:])
            was_done = old.operation.id in await self.store.done([old.operation.id])
            before = self.statuses[old.operation.id]
            told = (before == "confirmed", old.operation.id in self.asked)
            again = [Sent(old.operation, old.actor, was_done, *told)]
            self.tally.happened["sent again"] += 1
        works = [self._post(batch) for batch in (*batches.values(), again) if batch]
        answers = {o.id: o.status for some in await asyncio.gather(*works) for o in some}
        self.tally.happened.update(answers.values())
        await self._compare([*new, *again], answers)
        self.sent += new
        self.statuses |= answers
        self.asked |= {each for each, answer in answers.items() if answer == CONFLICT}
        return len(new) + len(again)

    async def _post(self, batch: list[Sent]) -> list[Outcome]:
        """As a page does: again, until each is answered for good."""
        worker = self.random.choice(self.workers)
        left = {each.operation.id: each.operation for each in batch}
        answers: list[Outcome] = []
        while left:
            for outcome in await submit_durably(worker, [*left.values()], batch[0].actor):
                if outcome.status != "pending":
                    answers.append(outcome)
                    del left[outcome.id]
        return answers

    def _look(self, tab: str) -> None:
        """Sooner or later a tab shows what is stored."""
        if self.random.random() < 0.4:
            self.seen[tab] = {key: field.now.revision for key, field in self.fields.items()}

    def _make(self, tab: str, actor: str) -> Operation:
        random = self.random
        scope = random.choice((*SCOPES, "shot"))
        owner = {"user": actor, "project": "p1", "shot": random.choice(("s1", "s2"))}[scope]
        key = (Target(scope, owner, TOOL.tool), random.choice(tuple(TOOL.fields)))
        self.seqs[tab] += 1
        number = self.seqs[tab]
        kind, value = self._edit(key[1])
        return Operation(
            operation_id(tab, number), tab, number, *key, kind, value, self.seen[tab].get(key, 0)
        )

    def _edit(self, field: str) -> tuple[Literal["set", "keys", "reset", "block", "pin"], Any]:
        random = self.random
        if field == "locks":
            if random.random() < 0.2:
                return random.choice(("reset", "block")), None
            keys = {random.choice("abc"): random.random() < 0.5}
            gone = [key for key in "abc" if key not in keys and random.random() < 0.2]
            return "keys", {"set": keys, "remove": gone}
        kind = random.choice(("set", "set", "set", "set", "pin", "reset", "block"))
        return kind, random.choice(VALUES[field]) if kind in ("set", "pin") else None

    # --- the model -------------------------------------------------------------------------------

    def _field(self, key: Key) -> Field:
        target, name = key
        spec = TOOL.fields[name]
        lowest = target.scope == "user" or not spec.inherit
        return self.fields.setdefault(
            key, Field(spec.default(), merges=spec.merge, inherits_nothing=lowest)
        )

    async def _compare(self, sent: list[Sent], answers: dict[str, str]) -> None:
        by_key: dict[Key, list[Sent]] = defaultdict(list)
        for each in {each.operation.id: each for each in sent}.values():
            by_key[each.operation.target, each.operation.field].append(each)
        stored = await self.store.load({target for target, _ in by_key})
        for key, some in by_key.items():
            row = stored[key[0]].get(key[1])
            field, content = self._field(key), content_of(row)
            for made in (each.operation for each in some):
                notes = [
                    field.newest,
                    *([field.cleared] if made.kind in ("reset", "block") else []),
                ]
                for newest in notes:
                    newest[made.client] = max(made.seq, newest.get(made.client, -1))
            if not field.explains(some, answers, content):
                self._diverged(key, some, answers, field, content)
        for key, new in (await self._compare_rows(by_key)).items():
            await self._take(key, new)

    async def _take(self, key: Key, new: int) -> None:
        """The field has so many new rows; beside them stand edits that met somebody else's."""
        found = await self.store.history([key[0]], field=key[1], limit=new + ASKED)
        stands = [each for each in found if each.source != CONFLICT]
        for change in reversed(stands[:new]):
            row = Row(change.kind, change.text, change.revision, change.author, change.at)
            self._field(key).past.append(Said(change.revision, content_of(row), change.author))

    async def _compare_rows(self, by_key: dict[Key, list[Sent]]) -> dict[Key, int]:
        """Each operation makes one row at most, in its own field, by its own author. Returns how
        many there are of each field."""
        found: dict[Key, int] = defaultdict(int)
        left = {
            key: [each.actor for each in some if not each.was_done] for key, some in by_key.items()
        }
        for row in await self.store.since(self.revision):
            self.revision = row.revision
            found[row.target, row.field] += 1
            authors = left.get((row.target, row.field))
            if authors is None:
                self._say("misplace", f"a row in {row.target} {row.field}")
            elif row.author not in authors:
                self._say("double", f"a row more in {row.target} {row.field} by {row.author}")
            else:
                authors.remove(row.author)
        return found

    def _diverged(
        self, key: Key, some: list[Sent], answers: dict[str, str], field: Field, content: Content
    ) -> None:
        sent = [(each, answers[each.operation.id]) for each in some]
        self._say("fault", f"{key}: {sent} left {content} of {field.past[-4:]}")

    def _say(self, kind: str, what: str) -> None:
        getattr(self.tally, kind)(f"world {self.seed}: {what}")
        self.told += 1

    async def _compare_all(self) -> None:
        """Nothing else has changed, and both processes show the fold of the layers."""
        targets = {target for target, _ in self.fields}
        stored = await self.store.load(targets)
        for (target, name), field in self.fields.items():
            if content_of(stored[target].get(name)) != field.now.content:
                self._say("fault", f"{target} {name} changed by itself")
        owners = {"user": "ann", "project": "p1", "shot": self.random.choice(("s1", "s2"))}
        worker = self.random.choice(self.workers)
        shown = await worker.open(Modelled, owners, actor="ann")
        await worker.loader.refresh([worker.layer(target) for target in shown.stack])
        for name in TOOL.fields:
            expected = effective(name, [self._field((t, name)) for t in shown.stack])
            if shown.get(name) != expected:
                self._say("fault", f"{name} shows {shown.get(name)}, not {expected}")
            self.tally.happened["effective values compared"] += 1
        shown.close()


class NotClosed:
    """A store that outlives the engines that use it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def close(self) -> None:
        pass


def content_of(row: Row | None) -> Content:
    if row is None or row.kind == "reset":
        return None
    value = json.loads(row.text) if row.text is not None else None
    if isinstance(value, dict):
        value = {"set": value["set"], "remove": sorted(value["remove"])}
    return row.kind, value


def effective(name: str, layers: list[Field]) -> Any:
    """The fold of the layers, weakest first."""
    spec = TOOL.fields[name]
    value = spec.default()
    for layer in layers if spec.inherit else layers[-1:]:
        if (said := layer.now.content) is None:
            continue
        if said[0] == "block":
            value = spec.default()
        elif spec.merge:
            kept = {key: held for key, held in value.items() if key not in said[1]["remove"]}
            value = {**kept, **said[1]["set"]}
        else:
            value = said[1]
    return value


def control(seed: int, folder: Path) -> Tally:
    """With an engine that doesn't look whether somebody else changed the field meanwhile."""
    kept = Operations._moved
    Operations._moved = lambda *_: None  # type: ignore[method-assign,assignment]
    try:
        return run(600, seed, folder)
    finally:
        Operations._moved = kept


EXPERIMENTS = [
    Experiment(
        "operations",
        "random operations by 3 tabs on 2 processes, against a model",
        "operations",
        "1,000,000: 0 divergences",
        run,
        control,
        short=4_000,
        full=1_000_000,
        portion=20_000,
    )
]
