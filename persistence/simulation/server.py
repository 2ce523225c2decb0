"""A process with an engine over the shared store, which can be killed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any, cast

from ..engine import Engine
from ..feed import Polling
from ..operations import KINDS, Operation, Outcome
from ..store.base import Store
from ..testing import FailingStore

if TYPE_CHECKING:
    from .play import Play

PATIENCE = 10.0
"""Seconds that the route waits for the store before it answers `pending`."""


class Server:
    """- Killed, nothing of it reaches the store or anybody any more.
    - What the store did for it before stays done.
    """

    def __init__(self, play: Play) -> None:
        self.play = play
        self.runs = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._dead: list[Engine] = []  # kept: a task that nobody holds would be complained about

    async def start(self) -> None:
        self.store = FailingStore(self.play.store)
        self._door = Door(self.store)
        self.engine = Engine(
            cast("Store", self._door),
            scopes=self.play.scopes,
            wall=self.play.loop.wall,
            random=Random(self.play.random.random()),  # noqa: S311  # jitter
            pokes=Polling() if self.play.feed else None,
        )
        if self.play.lists is not None:
            self.play.lists.register(self.engine, self)
        await self.engine.start()
        self.runs = True

    async def reach(self) -> None:
        """For what this process does elsewhere: killed, it never does."""
        await self._door.reach()

    def kill(self) -> None:
        """SIGKILL."""
        self.runs = self._door.is_open = False
        self._dead.append(self.engine)
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """SIGTERM: it saves what it can."""
        self.runs = False
        await self.engine.stop()
        self.kill()

    async def take(self, operations: Sequence[Operation], actor: str) -> list[Outcome]:
        """The route's answers; none where the server is away, or dies meanwhile."""
        if not self.runs:
            return []
        work = asyncio.ensure_future(self._take(operations, actor))
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)
        await asyncio.wait({work})
        return [] if work.cancelled() else work.result()

    async def _take(self, operations: Sequence[Operation], actor: str) -> list[Outcome]:
        lines = [each for each in operations if each.kind not in KINDS]
        for each in lines:
            await self.engine.submit(each, actor=actor, wait=False)
        answers = [await self._answer(each, actor) for each in operations if each.kind in KINDS]
        return answers + await asyncio.gather(*(self._answer(each, actor) for each in lines))

    async def _answer(self, operation: Operation, actor: str) -> Outcome:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.engine.submit(operation, actor=actor, wait=True)
        except TimeoutError:
            return Outcome(operation.id, "pending")


class Door:
    """The way of one process to the store. Once it is shut, nothing goes in or comes back."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_open = True

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def through(*arguments: Any, **options: Any) -> Any:
            await self.reach()
            answer = await method(*arguments, **options)
            await self.reach()
            return answer

        return through

    async def reach(self) -> None:
        if not self.is_open:
            await asyncio.get_running_loop().create_future()  # the process is no more
