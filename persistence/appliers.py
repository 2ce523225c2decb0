"""APPLY: operations of an app's own kinds ("message.add"), by functions that the app registers.

    class NewMessage(pydantic.BaseModel):
        text: str = pydantic.Field(min_length=1, max_length=5_000)

    @applier(NewMessage)
    def add_message(submitted: Submitted[NewMessage]) -> None:
        with Session(database) as session, session.begin():
            if ledger.once(session, submitted):
                session.add(Message(id=submitted.id, text=submitted.payload.text))

    engine.appliers.register("message.add", add_message)

- An operation reaches its function only with a payload that fits, from somebody who may write.
- Those of one client at one target are applied one after the other, as they came; all others
  beside them. Nothing here holds up an edit of a setting.
- What fails in passing is `pending`: the client sends it again. What can never work is `refused`,
  with the reason.
- Exactly once is the function's part: it commits `Ledger.once` with its own rows.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

import pydantic
from sqlalchemy import exc as sql

from .errors import (
    EditError,
    InvalidValue,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from .operations import KIND, REMEMBERED, Operation, Outcome
from .permits import CANT_TELL, may_save
from .scopes import Target
from .specs import check_failed, explain_error

if TYPE_CHECKING:
    from .engine import Engine

P = TypeVar("P")
Order = Literal["kept", "newest", "free"]
"""`kept`: what a client does at one target is applied in its order; an operation waits for the one
that it names as its base. `newest`: each replaces the older ones of its kind and field, which are
passed over if they come late. `free`: as they come."""

AT_ONCE = 32
"""Functions of one kind that run at the same time; each lane runs one."""
THREADS = 8
"""Of them, functions that aren't async: in threads of the kind's own, apart from the app's."""
MOST_WAITING = 500
"""Operations of one client at one target that are taken in before they are applied."""

log = logging.getLogger("persistence")


@dataclass(frozen=True, slots=True)
class Submitted(Generic[P]):
    """An operation of a registered kind on its way into the app's data, checked."""

    operation: Operation
    payload: P
    """What the client sent as its value, in the declared type."""
    actor: str
    """Who sent it, as the app's `identify` says."""
    at: float
    """When it arrived, in seconds since the epoch."""
    order: Order = "kept"
    after: int = 0
    """The `seq` of the client's operation at this target that has to be there first; 0 for none."""

    @property
    def id(self) -> str:
        """The client's id for it: the same each time that it is sent."""
        return self.operation.id

    @property
    def target(self) -> Target:
        return self.operation.target


Apply = Callable[[Submitted[P]], Awaitable[None] | None]


@dataclass(frozen=True)
class Applier(Generic[P]):
    """A function that applies operations of a kind, with what is declared about them."""

    apply: Apply[P]
    payload: type[P]
    order: Order = "kept"
    asks: bool = True
    """Ask the app's `authorise` first whether the actor may "write" to the target's owner. False
    where the function decides by itself, from the actor that it is given."""
    limit: int | None = None
    """Bytes that the payload may have as JSON; the engine's `value_limit`, if nothing is said."""
    timeout: float = 30.0
    """Seconds; after them the answer is `pending`, and the next operation has its turn."""
    passing: tuple[type[Exception], ...] = ()
    """The app's own errors that say: not now."""

    def __call__(self, submitted: Submitted[P]) -> Awaitable[None] | None:
        return self.apply(submitted)

    @cached_property
    def adapter(self) -> pydantic.TypeAdapter[P]:
        return pydantic.TypeAdapter(self.payload)

    def check(self, operation: Operation, limit: int) -> P:
        """The payload in its declared type. Raises InvalidValue with what is wrong."""
        try:
            text = json.dumps(operation.value, allow_nan=False, ensure_ascii=False).encode()
        except (ValueError, TypeError, RecursionError):
            raise InvalidValue(operation.kind, "isn't a value that JSON can carry") from None
        if len(text) > (most := self.limit or limit):
            raise InvalidValue(
                operation.kind, f"is too large: {len(text):,} bytes, at most {most:,} are kept"
            )
        self._refuse_undeclared(operation)
        try:
            return self.adapter.validate_json(text, strict=True)
        except pydantic.ValidationError as error:
            raise InvalidValue(operation.kind, explain_error(error)) from None
        except Exception as error:  # an app's own check may raise anything
            raise check_failed(operation.kind, error) from error

    def _refuse_undeclared(self, operation: Operation) -> None:
        value: object = operation.value
        if not issubclass(self.payload, pydantic.BaseModel) or not isinstance(value, dict):
            return
        if self.payload.model_config.get("extra") == "allow":
            return
        fields = self.payload.model_fields
        names = {*fields, *(each.alias or "" for each in fields.values())}
        if unknown := cast("dict[str, Any]", value).keys() - names:
            raise InvalidValue(operation.kind, f"has no field {min(unknown)[:40]!r}")


def applier(
    payload: type[P],
    *,
    order: Order = "kept",
    asks: bool = True,
    limit: int | None = None,
    timeout: float = 30.0,
    passing: tuple[type[Exception], ...] = (),
) -> Callable[[Apply[P]], Applier[P]]:
    """Declare a function that applies operations; the keywords are `Applier`'s.

    The function may be async; one that isn't runs in a thread. It raises a kind of EditError for
    what it refuses, with the reason for the user.
    """

    def declare(apply: Apply[P]) -> Applier[P]:
        return Applier(apply, payload, order, asks, limit, timeout, passing)

    return declare


Lane = tuple[str, str, Target]
"""Actor, client, target: what is kept in order."""


@dataclass(slots=True, eq=False)
class _Job:
    operation: Operation
    actor: str
    applier: Applier[Any]
    payload: Any
    answer: asyncio.Future[Outcome]


class Appliers:
    """The registered kinds of an engine, and what is on its way to them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._by_kind: dict[str, Applier[Any]] = {}
        self._lanes: dict[Lane, deque[_Job]] = {}
        self._underway: dict[tuple[str, str], asyncio.Future[Outcome]] = {}
        self._done: OrderedDict[tuple[str, str], Outcome] = OrderedDict()
        self._refused: OrderedDict[tuple[Lane, int], int] = OrderedDict()
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._threads: dict[str, ThreadPoolExecutor] = {}
        """Both by kind: one that hangs holds up no other."""

    def register(self, kind: str, applier: Applier[Any]) -> None:
        """Apply operations of this kind by that function. Raises ValueError for a kind that isn't
        "noun.verb" or that has one already."""
        if not KIND.fullmatch(kind) or len(kind) > 64:
            raise ValueError(f"kind {kind!r}: write it as noun.verb, in small letters")
        if kind in self._by_kind:
            raise ValueError(f"kind {kind!r} is registered already")
        if not isinstance(cast(object, applier), Applier):
            raise TypeError(f"kind {kind!r}: declare the function with @applier(Payload)")
        self._by_kind[kind] = applier
        self._turns[kind] = asyncio.Semaphore(AT_ONCE)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted(self._by_kind))

    def take(self, operation: Operation, actor: str) -> Outcome | asyncio.Future[Outcome]:
        """Check it and put it in its lane; what is known already is answered at once.

        Raises the kinds of EditError for what is refused.
        """
        key = (actor, operation.id)
        if (known := self._underway.get(key) or self._done.get(key)) is not None:
            return known
        known_kind = self._by_kind.get(operation.kind)
        if known_kind is None:
            raise InvalidValue(operation.kind, "is a kind of change that this app doesn't know")
        lane: Lane = (actor, operation.client, operation.target)
        try:
            payload = known_kind.check(operation, self._engine.value_limit)
        except EditError:
            self._note_refused(lane, operation)
            raise
        waiting = self._lanes.get(lane)
        if not self._engine.is_running or (waiting is not None and len(waiting) >= MOST_WAITING):
            return Outcome(operation.id, "pending", "waits for others before it")
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._underway[key] = future
        job = _Job(operation, actor, known_kind, payload, future)
        if waiting is not None:
            waiting.append(job)
        else:
            self._lanes[lane] = deque((job,))
            self._engine.spawn(self._run(lane))
        return future

    async def drain(self) -> None:
        """Wait until all that was taken in is answered."""
        while self._underway:
            await asyncio.wait(tuple(self._underway.values()))

    def close(self) -> None:
        """The engine has stopped: what isn't answered is the client's to send again."""
        for lane in tuple(self._lanes.values()):
            for job in lane:
                self._answer(job, Outcome(job.operation.id, "pending", "the server is stopping"))
        self._lanes.clear()
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        self._threads.clear()

    # --- applying --------------------------------------------------------------------------------

    async def _run(self, lane: Lane) -> None:
        jobs = self._lanes[lane]
        while jobs:
            job = jobs[0]
            async with self._turns[job.operation.kind]:
                try:
                    outcome = await self._apply(lane, job)
                except asyncio.CancelledError:
                    if (task := asyncio.current_task()) is None or task.cancelling():
                        raise
                    log.warning("%s was broken off from within", job.operation.kind)
                    outcome = Outcome(job.operation.id, "pending", "can't be stored just now")
            jobs.popleft()
            self._answer(job, outcome)
        if self._lanes.get(lane) is jobs:
            del self._lanes[lane]

    async def _apply(self, lane: Lane, job: _Job) -> Outcome:
        operation, known = job.operation, job.applier
        try:
            async with asyncio.timeout(known.timeout):
                if known.asks and (answer := await self._unless_permitted(lane, job)) is not None:
                    return answer
                submitted = Submitted(
                    operation, job.payload, job.actor, self._engine.wall(), known.order,
                    self._after(lane, operation.base),
                )  # fmt: skip
                await self._call(known, submitted)
        except EditError as error:
            self._note_refused(lane, operation)
            return Outcome(operation.id, "refused", error.problem)
        except StoreUnavailable as error:
            return Outcome(operation.id, "pending", str(error))
        except Exception as error:  # noqa: BLE001  # an app's function may raise anything
            return self._failed(lane, operation, known, error)
        return Outcome(operation.id, "confirmed")

    async def _unless_permitted(self, lane: Lane, job: _Job) -> Outcome | None:
        made = job.operation
        try:
            refusal = await may_save(self._engine, job.actor, made.target, made.kind)
        except StoreError as error:
            return Outcome(made.id, "pending", str(error))
        if refusal is None:
            return Outcome(made.id, "pending", CANT_TELL)
        if not refusal:
            return None
        self._note_refused(lane, made)
        return Outcome(made.id, "refused", refusal)

    async def _call(self, known: Applier[Any], submitted: Submitted[Any]) -> None:
        if inspect.iscoroutinefunction(known.apply):
            await known.apply(submitted)
            return
        kind = submitted.operation.kind
        if (threads := self._threads.get(kind)) is None:
            threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"persistence-{kind}")
            self._threads[kind] = threads
        answer = await asyncio.get_running_loop().run_in_executor(threads, known.apply, submitted)
        if inspect.isawaitable(answer):
            await answer

    def _failed(
        self, lane: Lane, operation: Operation, known: Applier[Any], error: Exception
    ) -> Outcome:
        if is_passing(error, known.passing):
            log.warning("%s can't be applied just now: %s", operation.kind, type(error).__name__)
            return Outcome(operation.id, "pending", "can't be stored just now")
        self._note_refused(lane, operation)
        if isinstance(error, sql.SQLAlchemyError):  # its text holds the values
            log.error("%s of %s failed: %s", operation.kind, operation.id, type(error).__name__)
            return Outcome(operation.id, "refused", "the database can't store this")
        log.error("%s of %s failed", operation.kind, operation.id, exc_info=error)
        return Outcome(operation.id, "refused", "the app failed on this; the reason is in its log")

    def _answer(self, job: _Job, outcome: Outcome) -> None:
        key = (job.actor, job.operation.id)
        if self._underway.get(key) is job.answer:
            del self._underway[key]
        if outcome.status == "confirmed":
            self._done[key] = outcome
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
        if not job.answer.done():
            job.answer.set_result(outcome)
        if outcome.status != "pending":
            self._engine.operations.announce(outcome)
        if outcome.status == "confirmed":
            self._engine.tell_of_applied(job.operation, job.actor)

    # --- what was refused holds up nothing -------------------------------------------------------

    def _note_refused(self, lane: Lane, operation: Operation) -> None:
        self._refused[lane, operation.seq] = operation.base
        if len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)

    def _after(self, lane: Lane, base: int) -> int:
        """The operation to wait for; where that one was refused, the one which that waited for."""
        while base and (earlier := self._refused.get((lane, base))) is not None:
            base = earlier if earlier < base else 0
        return base


def is_passing(error: BaseException, declared: tuple[type[Exception], ...] = ()) -> bool:
    """May another try help? The error says so, or one that it came from."""
    known: BaseException | None = error
    for _ in range(10):
        if known is None:
            return False
        if isinstance(known, (*declared, StoreError, TimeoutError, ConnectionError)):
            return not isinstance(known, StoreRefused)
        if isinstance(known, (sql.OperationalError, sql.InterfaceError, sql.TimeoutError)):
            return True
        if isinstance(known, sql.DBAPIError) and known.connection_invalidated:
            return True
        known = known.__cause__
    return False
