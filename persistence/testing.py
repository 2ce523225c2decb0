"""What apps use to test their own persistence: virtual time, and a store that fails on request.

`run_virtual(coro)` runs a coroutine in an event loop whose clock jumps to the next timer as soon as
nothing is left to do, so that an hour of debounces and retries takes milliseconds. With a seed
the tasks' turns are also shuffled, and the same seed gives the same schedule again.
`FailingStore` wraps any store, `assert_written` and `assert_nothing_pending` look at what came of
it. `simulate` plays tabs, servers and failures from a seed, see `persistence.simulation`.
`persistence.pytest_plugin` has fixtures of these. Nothing here is imported by the library
itself.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Generic, TypeVar, TypeVarTuple

from .errors import StoreRefused, StoreUnavailable
from .scopes import Target
from .store.base import (
    Change,
    Finding,
    Layers,
    Moment,
    News,
    Point,
    Preset,
    Quarantined,
    Receipt,
    Store,
    Write,
)

if TYPE_CHECKING:
    from .engine import Engine
    from .layers import Layer
    from .simulation import Odds as Odds
    from .simulation import Report as Report
    from .simulation import simulate as simulate

_SIMULATION = frozenset(("Odds", "Report", "simulate"))

Result = TypeVar("Result")
Item = TypeVar("Item")
Arguments = TypeVarTuple("Arguments")


def __getattr__(name: str) -> Any:
    """The simulator plays with what is in this module, so it is imported when it is asked for."""
    if name not in _SIMULATION:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import simulation

    return getattr(simulation, name)


class Deadlock(RuntimeError):
    """Nothing is ready, no timer is set, and something is still awaited; or virtual time ran out.

    The message says where each task waits.
    """


def run_virtual(
    main: Coroutine[Any, Any, Result], *, seed: int | None = None, limit: float = 100_000.0
) -> Result:
    """Run `main` in a VirtualLoop of its own, as `asyncio.run` would, and return its result."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(seed=seed, limit=limit)) as runner:
        return runner.run(main)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is only what its timers say.

    - Time stands still while anything is ready; then it jumps to the next timer.
    - With a seed, a task's turn may come up to three rounds late, so that every legal order of
      tasks comes up for some seed. Plain callbacks keep their order, as asyncio promises.
    - The same seed and the same program give the same schedule.
    - `run_in_executor` and `asyncio.to_thread` call the function in the loop's own thread, with a
      seed up to 50 virtual ms later; as with a real thread, cancelling the wait doesn't stop it.
    - Waiting for what can't come raises Deadlock. So does waiting longer than `limit`
      virtual seconds, since a loop with a ticking timer never falls still.

    Sockets and threads of others still work but in real time, which virtual time overtakes.
    """

    EPOCH = 1_700_000_000.0
    """What `wall` says at the loop's start, in seconds since the Unix epoch."""

    def __init__(self, *, seed: int | None = None, limit: float = 100_000.0) -> None:
        self.random = Random(seed)  # noqa: S311 (schedules, not secrets)
        self.limit = limit
        self._shuffles = seed is not None
        self._now = 0.0
        super().__init__(_JumpingSelector(self))
        # asyncio's own is a nanosecond: lost in rounding after some weeks, and no timer would run.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def wall(self) -> float:
        """A wall clock that goes with the loop, for `Engine(wall=...)`."""
        return self.EPOCH + self._now

    def advance(self, seconds: float) -> None:
        """Called when nothing is ready. Raises Deadlock past the limit."""
        self._now += seconds
        if self._now > self.limit:
            raise Deadlock(f"still waiting after {self.limit} virtual seconds; {self.waiting()}")

    def waiting(self) -> str:
        """Where each task that isn't done stands, for messages."""
        lines = [_where(task) for task in asyncio.all_tasks(self) if not task.done()]
        return "waiting: " + ("; ".join(sorted(lines)) or "no task")

    def call_soon(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.Handle:
        rounds = self.random.randrange(4) if self._shuffles and _is_a_turn(callback) else 0
        if rounds == 0:
            return super().call_soon(callback, *args, context=context)
        return super().call_soon(self._put_off, rounds, callback, args, context, context=context)

    def _put_off(
        self,
        rounds: int,
        callback: Callable[..., object],
        args: tuple[object, ...],
        context: Context | None,
    ) -> None:
        if rounds > 1:
            super().call_soon(self._put_off, rounds - 1, callback, args, context, context=context)
        else:
            super().call_soon(callback, *args, context=context)

    def run_in_executor(
        self,
        executor: object,  # noqa: ARG002 (none is used: that is the point)
        func: Callable[[*Arguments], Result],
        *args: *Arguments,
    ) -> asyncio.Future[Result]:
        future: asyncio.Future[Result] = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 (whatever it is, it belongs to the waiter)
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

        self.call_later(self.random.uniform(0, 0.05) if self._shuffles else 0.0, work)
        return future


class _JumpingSelector(selectors.DefaultSelector):
    """Where a loop would sleep until its next timer, this moves the loop's clock there instead."""

    PATIENCE = 2.0
    """Real seconds to wait for a thread's answer when nothing else can happen."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is not None:
            self.loop.advance(timeout)
            return []
        if threading.active_count() > 1 and (events := super().select(self.PATIENCE)):
            return events
        raise Deadlock(f"nothing is ready and no timer is set; {self.loop.waiting()}")


def _is_a_turn(callback: object) -> bool:
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)


def _where(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    place = f"{frames[0].f_code.co_qualname}:{frames[0].f_lineno}" if frames else "at its end"
    return f"{task.get_name()} in {place}"


@dataclass(slots=True)
class _Fault(Generic[Item]):
    """What happens to the next calls: `left` of them, or all while it is None."""

    left: int | None
    delay: float = 0.0
    error: Exception | None = None
    after: bool = False
    where: Callable[[Item], bool] | None = None

    def applies(self, items: Collection[Item]) -> bool:
        if self.left == 0 or not (self.where is None or any(map(self.where, items))):
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults(Generic[Item]):
    """What is asked to go wrong with one method of a store, and what was asked of that method.

    Faults add up: a call meets every one that applies to it, delays first.
    `times=None` means until `mend()`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.log: list[tuple[Item, ...]] = []
        """Every call's items, oldest first, the failed ones too."""
        self._faults: list[_Fault[Item]] = []

    def fail(
        self,
        times: int | None = 1,
        error: Exception | None = None,
        *,
        where: Callable[[Item], bool] | None = None,
    ) -> None:
        """Raise `error`, or StoreUnavailable, instead. `where`: only calls with such an item."""
        away = error or StoreUnavailable(f"the {self.name} was asked to fail")
        self._faults.append(_Fault(times, error=away, where=where))

    def refuse(self, where: Callable[[Item], bool], times: int | None = None) -> None:
        """Raise StoreRefused for calls with such an item, as a database does for a bad row."""
        refused = StoreRefused(f"the {self.name} was asked to refuse this")
        self._faults.append(_Fault(times, error=refused, where=where))

    def lose_answer(self, times: int | None = 1) -> None:
        """Do it, then raise StoreUnavailable: the connection died before the answer came."""
        lost = StoreUnavailable(f"the answer to the {self.name} was lost")
        self._faults.append(_Fault(times, error=lost, after=True))

    def delay(
        self,
        seconds: float,
        times: int | None = 1,
        *,
        where: Callable[[Item], bool] | None = None,
    ) -> None:
        """Wait before doing it."""
        self._faults.append(_Fault(times, delay=seconds, where=where))

    def mend(self) -> None:
        """From now on nothing goes wrong."""
        self._faults.clear()

    async def before(self, items: Collection[Item]) -> Exception | None:
        """Log the call, then wait or raise as asked. Returns the error to raise after it."""
        self.log.append(tuple(items))
        met = [fault for fault in self._faults if fault.applies(items)]
        if seconds := sum(fault.delay for fault in met):
            await asyncio.sleep(seconds)
        for fault in met:
            if fault.error is not None and not fault.after:
                raise fault.error.with_traceback(None)
        return next((fault.error for fault in met if fault.after), None)


class FailingStore:
    """A store that does what the wrapped one does, except where it was asked to fail.

    - Untouched, it passes the stores' contract like the store within.
    - `loads`, `commits`, `contests`, `opens` and `prunes` fail, wait or lose their answer as asked,
      and log what came.
    - A call that fails reaches the store within not at all; a lost answer, wholly.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.opens: Faults[str] = Faults("open")
        self.loads: Faults[Target] = Faults("load")
        self.commits: Faults[Write] = Faults("commit")
        self.contests: Faults[Write] = Faults("contest")
        self.prunes: Faults[str] = Faults("prune")

    @property
    def written(self) -> list[Write]:
        """Every write that was asked for, in order, those of failed commits too."""
        return [write for writes in self.commits.log for write in writes]

    async def open(self) -> None:
        late = await self.opens.before(())
        await self.store.open()
        if late:
            raise late

    async def close(self) -> None:
        await self.store.close()

    async def load(self, targets: Collection[Target]) -> Layers:
        late = await self.loads.before(targets)
        layers = await self.store.load(targets)
        if late:
            raise late
        return layers

    async def commit(self, writes: Sequence[Write]) -> Receipt:
        late = await self.commits.before(writes)
        receipt = await self.store.commit(writes)
        if late:
            raise late
        return receipt

    async def contest(self, writes: Sequence[Write]) -> None:
        late = await self.contests.before(writes)
        await self.store.contest(writes)
        if late:
            raise late

    async def done(self, operations: Collection[str]) -> dict[str, int]:
        return await self.store.done(operations)

    async def followed(self, first: str, last: str, target: Target, field: str) -> bool:
        return await self.store.followed(first, last, target, field)

    async def tools(self, scope: str, owner: str) -> list[str]:
        return await self.store.tools(scope, owner)

    async def history(
        self,
        targets: Collection[Target],
        *,
        field: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Change]:
        return await self.store.history(targets, field=field, before=before, limit=limit)

    async def authored(
        self, author: str, *, before: int | None = None, limit: int = 200
    ) -> list[Change]:
        return await self.store.authored(author, before=before, limit=limit)

    async def group(self, group_id: str, author: str) -> list[Change]:
        return await self.store.group(group_id, author)

    async def standing(self, points: Collection[Point]) -> dict[Point, Change | None]:
        return await self.store.standing(points)

    async def at(
        self, targets: Collection[Target], revision: int
    ) -> dict[Target, dict[str, Change]]:
        return await self.store.at(targets, revision)

    async def last_revision(self) -> int:
        return await self.store.last_revision()

    async def since(self, revision: int, *, limit: int = 1_000) -> list[News]:
        return await self.store.since(revision, limit=limit)

    async def pruned(self) -> int:
        return await self.store.pruned()

    async def owners(self, scope: str, *, after: str = "", limit: int = 1_000) -> list[str]:
        return await self.store.owners(scope, after=after, limit=limit)

    async def name_moment(self, moment: Moment) -> None:
        await self.store.name_moment(moment)

    async def moments(self, scope: str, owner: str) -> list[Moment]:
        return await self.store.moments(scope, owner)

    async def remove_moment(self, scope: str, owner: str, name: str) -> bool:
        return await self.store.remove_moment(scope, owner, name)

    async def keep_preset(self, preset: Preset) -> None:
        await self.store.keep_preset(preset)

    async def presets(self, scope: str, owner: str, tool: str) -> list[Preset]:
        return await self.store.presets(scope, owner, tool)

    async def remove_preset(self, scope: str, owner: str, tool: str, name: str) -> bool:
        return await self.store.remove_preset(scope, owner, tool, name)

    async def quarantined(self, scope: str, owner: str) -> list[Quarantined]:
        return await self.store.quarantined(scope, owner)

    async def remove_quarantined(self, target: Target, field: str, revision: int) -> bool:
        return await self.store.remove_quarantined(target, field, revision)

    async def forget(self, scope: str, owner: str) -> int:
        return await self.store.forget(scope, owner)

    async def prune(self, *, older_than: float, keep_operations_after: float) -> int:
        late = await self.prunes.before(())
        gone = await self.store.prune(
            older_than=older_than, keep_operations_after=keep_operations_after
        )
        if late:
            raise late
        return gone

    async def check(self) -> list[Finding]:
        return await self.store.check()


# --- assertions ----------------------------------------------------------------------------------


def assert_nothing_pending(engine: Engine) -> None:
    """Every edit is durable, and none was set aside. The message lists those that aren't."""
    left: list[str] = []
    for layer in engine.layers.values():
        left += [f"{field} of {layer.target} is pending" for field in _pending_in(layer)]
        left += [f"{each.field} of {layer.target} {each.problem}" for each in layer.aside]
    assert not left, "; ".join(sorted(left))  # noqa: S101


def _pending_in(layer: Layer) -> set[str]:
    return {*layer.pending.waiting, *layer.pending.sent}


def assert_written(store: FailingStore, expected: Mapping[Target, Collection[str]]) -> None:
    """Exactly these fields were written since the store was made, each at least once.

    Where a target maps its fields to values, the last one written of each is compared, too: as JSON
    has it, "reset" or "block" where there is none, and "set" for a secret.
    """
    written: dict[Target, dict[str, Any]] = {}
    for write in store.written:
        is_plain = write.text is not None and not write.secret
        value = json.loads(write.text or "") if is_plain else write.kind
        written.setdefault(write.target, {})[write.field] = value
    fields = {target: set(values) for target, values in written.items()}
    assert fields == {target: {*each} for target, each in expected.items()}  # noqa: S101
    for target, values in expected.items():
        if isinstance(values, Mapping):
            assert written[target] == {**values}, f"{target} was written otherwise"  # noqa: S101
