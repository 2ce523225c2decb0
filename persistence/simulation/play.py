"""One schedule: who is there, what happens next, and how it ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any, Literal, get_args, get_origin

from ..errors import PersistenceError
from ..operations import KINDS, Operation, Outcome
from ..scopes import Target
from ..settings import tool_of
from ..specs import SettingSpec, ToolSpec
from ..store import MemoryStore
from ..store.base import CONFLICT, Store
from ..testing import VirtualLoop
from .lists import RUDE, Lists
from .odds import WEIGHTS, Odds, Report
from .server import Server
from .tab import Kept, Tab
from .verdict import Evidence, faults_of

BEAT = 0.1
"""Seconds between the turns of a tab's timer."""
SETTLED = 600
"""Virtual seconds in which everything has to be answered once nothing fails any more."""


def simulate(
    seed: int,
    tools: Sequence[type | ToolSpec],
    *,
    scopes: Sequence[str] = ("user", "project", "shot"),
    owners: Mapping[str, Sequence[str]] | None = None,
    users: int = 2,
    tabs: int = 3,
    servers: int = 1,
    steps: int = 60,
    odds: Odds | None = None,
    store: Callable[[], Store] = MemoryStore,
    values: Mapping[str, Sequence[Any]] | None = None,
    lists: Sequence[str] = (),
    feed: bool = False,
) -> Report:
    """Play one schedule and judge it.

    `tools` are settings classes; `owners` those of each scope but the weakest, whose owner is the
    user; `values` gives what a setting may be set to, by its name, where the declared type doesn't
    say enough; `servers` are processes over one `store`, which with `feed` bring one another's
    commits into what they hold, as on a file. With `lists`, people also add lines to
    lists of those names, by a registered kind of operation.
    """
    play = Play(
        seed,
        [tool_of(each) for each in tools],
        tuple(scopes),
        owners or {scope: (f"{scope}-1", f"{scope}-2") for scope in scopes[1:]},
        odds or Odds(),
        store(),
        values or {},
        lists,
    )
    play.feed = feed
    with asyncio.Runner(loop_factory=lambda: play.loop) as runner:
        return runner.run(play.run(users=users, tabs=tabs, servers=servers, steps=steps))


class Play:
    """The world of one schedule; tabs and servers ask it for chance, time and the network."""

    def __init__(
        self,
        seed: int,
        tools: Sequence[ToolSpec],
        scopes: Sequence[str],
        owners: Mapping[str, Sequence[str]],
        odds: Odds,
        store: Store,
        values: Mapping[str, Sequence[Any]],
        lists: Sequence[str] = (),
    ) -> None:
        self.seed, self.tools, self.scopes, self.owners = seed, tools, scopes, owners
        self.odds, self.store, self.values = odds, store, values
        self.random = Random(seed)  # noqa: S311  # schedules, no secrets
        self.loop = VirtualLoop(seed=seed)
        self.servers: list[Server] = []
        self.tabs: list[Tab] = []
        self.outboxes: dict[str, dict[str, Kept]] = {}
        """User → what their browser keeps, whatever becomes of its tabs."""
        self.made: dict[str, Operation] = {}
        self.authors: dict[str, str] = {}
        self.heard: dict[str, Outcome] = {}
        self.happened: Counter[str] = Counter()
        self.is_cut = self.is_mended = self.feed = False
        self.lists = Lists(self, lists) if lists else None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, *, users: int, tabs: int, servers: int, steps: int) -> Report:
        self.outboxes = {f"user-{number}": {} for number in range(users)}
        self.servers = [Server(self) for _ in range(servers)]
        await self.store.open()
        for server in self.servers:
            await server.start()
        for _ in range(tabs):
            self._do_open_tab()
        self.spawn(self._beat())
        for _ in range(steps):
            await self._step()
        await self._mend()
        faults = faults_of(await self._evidence())
        if self.lists is not None:
            faults += self.lists.faults()
        await self._end()
        return Report(1, self.happened, [f"seed {self.seed}: {each}" for each in faults])

    async def _end(self) -> None:
        for task in (*self._tasks,):
            task.cancel()
        for server in self.servers:
            server.kill()
        await self.store.close()
        if self.lists is not None:
            self.lists.close()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- chance ----------------------------------------------------------------------------------

    def pick_stack(self, user: str) -> list[Target]:
        """The targets of one tool over owners by chance; sometimes only the weaker scopes."""
        tool = self.random.choice(self.tools)
        depth = max(1, len(self.scopes) - self.random.choice((0, 0, 0, 1)))
        chosen = {scope: self.random.choice(self.owners[scope]) for scope in self.scopes[1:]}
        names = {self.scopes[0]: user, **chosen}
        return [Target(scope, names[scope], tool.tool) for scope in self.scopes[:depth]]

    def pick_value(self, spec: SettingSpec) -> Any:
        return self.random.choice(self.values.get(spec.name) or examples(spec))

    # --- the network -----------------------------------------------------------------------------

    async def travel(self) -> bool:
        """A message's way. False where it was lost."""
        await asyncio.sleep(self.random.uniform(0, self.odds.longest_way))
        if self.is_mended:
            return True
        return not self.is_cut and self.random.random() >= self.odds.lost

    def hear(self, tab: Tab, outcome: Outcome) -> None:
        """An answer reached a browser; a tab that is gone hears nothing.

        With an operation go the older ones of its client and field, which it stands for.
        """
        outbox = self.outboxes[tab.user]
        if not tab.is_open or outcome.status == "pending" or outcome.id not in outbox:
            return
        answered = outbox.pop(outcome.id).operation
        if self.lists is not None and answered.kind not in KINDS:
            self._hear_of_line(self.lists, answered, outcome)
            return
        self.heard[outcome.id] = outcome
        self.happened[outcome.status] += 1
        if outcome.status == "refused":
            return
        for name, kept in tuple(outbox.items()):
            made = kept.operation
            is_same = (made.client, made.target, made.field) == (
                answered.client, answered.target, answered.field
            )  # fmt: skip
            if is_same and made.seq < answered.seq:
                del outbox[name]

    def _hear_of_line(self, lists: Lists, answered: Operation, outcome: Outcome) -> None:
        """Nothing waits for a line that was refused."""
        lists.hear(answered, outcome)
        if outcome.status != "refused":
            return
        for tab in self.tabs:
            if tab.client == answered.client and tab.said.get(answered.target) == answered.seq:
                tab.said[answered.target] = answered.base
        for kept in self.outboxes[self.authors[answered.client]].values():
            made = kept.operation
            is_behind = (made.client, made.target) == (answered.client, answered.target)
            if is_behind and made.base == answered.seq and made.kind not in KINDS:
                kept.operation = replace(made, base=answered.base)

    def is_gone(self, client: str) -> bool:
        """Is the tab closed that made it, so that another one of the browser sends it?"""
        return all(tab.client != client for tab in self.tabs)

    async def _beat(self) -> None:
        """The tabs' timers."""
        while True:
            await asyncio.sleep(BEAT)
            for tab in tuple(self.tabs):
                tab.send()
                if self.random.random() < 0.2:
                    self.spawn(tab.look())

    # --- what happens ----------------------------------------------------------------------------

    async def _step(self) -> None:
        weights = [
            getattr(self.odds, name) if name != "say" or self.lists is not None else 0
            for name in WEIGHTS
        ]
        (what,) = self.random.choices(WEIGHTS, weights)
        happening = getattr(self, f"_do_{what}")()
        if happening is not None:
            await happening
        await asyncio.sleep(self.random.choice((0, 0, 0.02, 0.1, 0.3)))

    def _do_edit(self) -> None:
        self._edit("set")

    def _do_reset(self) -> None:
        self._edit("reset")

    def _edit(self, kind: Literal["set", "reset"]) -> None:
        if not self.tabs:
            return
        tab = self.random.choice(self.tabs)
        target = self.random.choice([*tab.stack, tab.stack[-1]])
        tool = next(each for each in self.tools if each.tool == target.tool)
        fields = [s for s in tool.fields.values() if s.scopes is None or target.scope in s.scopes]
        if fields:
            spec = self.random.choice(fields)
            value = None if kind == "reset" else self.pick_value(spec)
            tab.edit(target, spec.name, kind, value)

    def _do_say(self) -> None:
        if self.tabs and self.lists is not None:
            line = RUDE if self.random.random() < 0.1 else "a line"
            self.random.choice(self.tabs).say(self.lists.target(), line)

    def _do_switch(self) -> None:
        if self.tabs:
            tab = self.random.choice(self.tabs)
            tab.stack = self.pick_stack(tab.user)

    async def _do_wait(self) -> None:
        await asyncio.sleep(self.random.choice((0.3, 1.0, 3.0, 10.0)))

    def _do_open_tab(self, user: str = "") -> None:
        user = user or self.random.choice(list(self.outboxes))
        tab = Tab(self, len(self.authors) + 1, user)
        self.authors[tab.client] = user
        self.tabs.append(tab)

    def _do_close_tab(self) -> None:
        if self.tabs:
            self.tabs.pop(self.random.randrange(len(self.tabs))).is_open = False
            self.happened["tabs closed"] += 1

    def _do_kill_browser(self) -> None:
        """Every tab of a user is gone; what is in the outbox stays."""
        user = self.random.choice(list(self.outboxes))
        for tab in [each for each in self.tabs if each.user == user]:
            self.tabs.remove(tab)
            tab.is_open = False
        self.happened["browsers killed"] += 1

    async def _do_kill_server(self) -> None:
        server = self.random.choice(self.servers)
        server.kill()
        self.happened["servers killed"] += 1
        await asyncio.sleep(self.random.choice((0, 1.0, 5.0)))
        await server.start()

    async def _do_stop_server(self) -> None:
        server = self.random.choice(self.servers)
        await server.stop()
        self.happened["servers stopped"] += 1
        await server.start()

    def _do_store_fails(self) -> None:
        commits = self.random.choice(self.servers).store.commits
        commits.fail(self.random.choice((1, 2, 5)))
        self.happened["commits failed"] += 1

    def _do_answer_lost(self) -> None:
        self.random.choice(self.servers).store.commits.lose_answer()
        self.happened["answers lost"] += 1

    def _do_store_slow(self) -> None:
        store = self.random.choice(self.servers).store
        self.random.choice((store.commits, store.loads)).delay(self.random.choice((0.5, 2.0)), 3)

    def _do_network_cut(self) -> None:
        self.is_cut = True
        self.happened["networks cut"] += 1

    def _do_network_back(self) -> None:
        self.is_cut = False

    # --- how it ends -----------------------------------------------------------------------------

    async def _mend(self) -> None:
        """All is well from now on: each user opens a page, and everything goes out."""
        self.is_cut, self.is_mended = False, True
        for server in self.servers:
            server.store.commits.mend()
            server.store.loads.mend()
        for user in self.outboxes:
            self._do_open_tab(user)
        for _ in range(SETTLED):
            if not any(self.outboxes.values()):
                break
            await asyncio.sleep(1)
        for server in self.servers:
            with suppress(PersistenceError):  # a conflict is an answer; what fails is retried
                await server.engine.flush()

    async def _evidence(self) -> Evidence:
        owners = {**self.owners, self.scopes[0]: list(self.outboxes)}
        targets = [
            Target(scope, owner, tool.tool)
            for tool in self.tools
            for scope in self.scopes
            for owner in owners[scope]
        ]
        rows = await self.store.history(targets, limit=1_000_000)
        return Evidence(
            self.made,
            self.authors,
            self.heard,
            await self.store.done(list(self.made)),
            {row.revision: row for row in rows if row.source != CONFLICT},
            await self.store.load(targets),
            {
                (tool.tool, spec.name): spec.default()
                for tool in self.tools
                for spec in tool.fields.values()
            },
            [row for row in rows if row.source == CONFLICT],
        )


def examples(spec: SettingSpec) -> list[Any]:
    """A few values that a declaration allows; its default, where the type says too little."""
    kind, rules = spec.annotation, spec.constraints
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if kind is bool:
        return [True, False]
    if kind is int:
        low = int(rules.get("ge", rules.get("gt", -1) + 1))
        high = int(rules.get("le", rules.get("lt", low + 101) - 1))
        return sorted({low, min(low + 1, high), (low + high) // 2, high})
    if kind is str:
        longest = int(rules.get("max_length", 200))
        words = ["", "a", "some words", "čeština – 🙂", "x" * 150]
        allowed = [word[:longest] for word in words]
        return [word for word in allowed if len(word) >= rules.get("min_length", 0)]
    return [spec.default()]
