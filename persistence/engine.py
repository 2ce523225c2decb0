"""The engine: it alone knows the order of load, record, schedule, commit and tell.

    engine = Engine("sqlite:///app.db", scopes=("user", "project", "shot"))
    async with engine:
        travel = await engine.open(TravelSettings, {"user": u, "project": p, "shot": s})
        travel.update(frames=41)
        await travel.flush()

- A field of a target is saved only after that target was loaded.
- Everything that is due is committed together, in one transaction, one commit at a time.
- A confirmed commit clears exactly the edits that it carried.
- A database that is away delays, and nothing else: edits wait, and are retried with growing,
  jittered waits. An edit that can never be stored is set aside with its reason.
- Time is the event loop's, wall time and randomness are arguments: under a virtual loop every
  schedule can be replayed.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeVar

from . import entities, exchange, plans
from .appliers import Appliers
from .commits import Committer
from .errors import PermissionDenied, PersistenceError, StoreUnavailable
from .feed import Feed, Pokes, Polling
from .formats import Document
from .history import History
from .layers import Layer, View
from .loads import Loader
from .operations import Operation, Operations, Outcome
from .plans import Plan
from .recorder import Recorder
from .retention import KEEP_HISTORY, retain
from .scheduler import Scheduler
from .scopes import ScopeChain, Stack, Target
from .settings import registry, tool_of
from .specs import ToolSpec, undeclared_tool
from .store import open_store
from .store.base import Quarantined, Store
from .undo import Undo
from .vault import Vault

if TYPE_CHECKING:
    from .binding import Binding
    from .pending import Pending

S = TypeVar("S")
Action = Literal["read", "write", "admin"]
Authorise = Callable[[str, Action, str, str], bool | Awaitable[bool]]
"""`authorise(actor, action, scope, owner)`: may this actor do that to what this owner holds?

To refuse in words of its own it raises PermissionDenied(scope, "ask Ana for the right to edit").
"""

log = logging.getLogger("persistence")


@dataclass(frozen=True, slots=True)
class Retry:
    """Waits between tries, in seconds: up to `first`, doubling, up to `longest`; fully jittered."""

    first: float = 0.2
    longest: float = 15.0

    def wait(self, tries: int, random: Random) -> float:
        """A wait after that many failures in a row, never shorter than a tenth of its bound."""
        bound = min(self.longest, self.first * 2 ** min(tries, 30))
        return random.uniform(bound / 10, bound)


NoticeKind = Literal[
    "edited", "committed", "refreshed", "failed", "refused", "conflict", "loaded", "forgotten",
    "applied",
]  # fmt: skip
"""`refreshed`: another process committed these fields, by this actor. `applied`: an operation of a
kind that the app registered was done."""


class Notice(NamedTuple):
    """Something happened to fields of a target. Sent after the fact, in order."""

    target: Target
    fields: frozenset[str]
    kind: NoticeKind
    operations: tuple[str, ...] = ()
    actor: str = ""
    origin: object | None = None
    """The binding that made the edit, for `edited`."""


class Engine:
    """Composes the parts; owns the layers in memory, the tasks and the timer."""

    def __init__(
        self,
        database: str | Store,
        *,
        scopes: Sequence[str] | ScopeChain,
        authorise: Authorise | None = None,
        debounce: float = 0.3,
        max_wait: float = 1.0,
        value_limit: int = 1_000_000,
        keep_loaded: int = 10_000,
        retry: Retry | None = None,
        wall: Callable[[], float] = time.time,
        random: Random | None = None,
        key: str | None = None,
        keep_history: float | None = KEEP_HISTORY,
        pokes: Pokes | Literal["auto"] | None = "auto",
    ) -> None:
        """Nothing is opened yet: that is `start`, inside the event loop that will be used.

        `database` is a URL or a store; `debounce` and `max_wait` are seconds; `value_limit` is the
        largest value in bytes of UTF-8; `keep_loaded` targets stay in memory after their last
        use; `key` encrypts secret settings (several, newest first, separated by commas);
        `keep_history` is for how many seconds changes are kept that others have replaced (90 days),
        None for ever. What stands now, and what a named moment shows, stays in any case.
        `pokes` say that another process has committed; None: there is no other. If nothing is said,
        a database that several processes can open is looked at five times a second.
        """
        if keep_history is not None and keep_history < 0:
            raise ValueError("keep_history: a number of seconds, or None to keep everything")
        self.store = open_store(database) if isinstance(database, str) else database
        self.scopes = scopes if isinstance(scopes, ScopeChain) else ScopeChain(tuple(scopes))
        self.authorise = authorise
        self.value_limit, self.keep_loaded = value_limit, keep_loaded
        self.keep_history = keep_history
        self.retry, self.wall = retry or Retry(), wall
        self.random = random or Random()  # noqa: S311  # jitter, no secret
        self.vault = Vault(key)
        self.scheduler: Scheduler[Pending] = Scheduler(debounce, max_wait)
        self.layers: OrderedDict[Target, Layer] = OrderedDict()
        self.views: dict[tuple[str, Stack], View] = {}
        self.gone: dict[tuple[str, str], None] = {}
        """Owners that were forgotten."""
        self.dirty: dict[Layer, None] = {}
        """Layers that have something on its way; some that had."""
        self.recorder = Recorder(self)
        self.loader = Loader(self)
        self.committer = Committer(self)
        if pokes == "auto":
            pokes = Polling() if getattr(self.store, "is_shared", False) else None
        self.feed = Feed(self, pokes)
        self.operations = Operations(self)
        self.appliers = Appliers(self)
        """Kinds of operations that the app registers: `appliers.register("message.add", …)`."""
        self.history = History(self)
        """Who changed what when: steps, comparing, restoring, named moments."""
        self.undo = Undo(self)
        """What a person may take back, or do again."""
        self.available, self.problem = True, ""
        self.is_running = False
        self._crowded = keep_loaded  # with more layers than this, see which of them can go
        self._undeclared: dict[str, ToolSpec] = {}
        self._listeners: list[Callable[[Notice], None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the store and begin to save. A database that is away is no error here: see
        `available`; loads and saves are retried until it is back. Raises StoreTooNew."""
        self.vault.require_for(registry.values())
        self.is_running = True
        try:
            await self.store.open()
        except StoreUnavailable as error:
            self.unavailable(error)
        self.committer.start()
        await self.feed.start()
        self.spawn(retain(self))

    async def stop(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109  # of the flush alone
        """Flush everything, then close. What couldn't be saved in `timeout` seconds is logged."""
        if not self.is_running:
            return
        try:
            await asyncio.wait_for(self._drain(), timeout)
        except (PersistenceError, TimeoutError) as error:
            log.error("stopped with unsaved edits: %s", str(error) or "out of time")  # noqa: TRY400
        self.is_running = False
        await self.committer.stop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.appliers.close()
        await self.store.close()

    async def _drain(self) -> None:
        """Flush, as often as it takes while the store is away."""
        await self.appliers.drain()
        while True:
            try:
                return await self.flush()
            except StoreUnavailable:
                await asyncio.sleep(self.retry.first)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a task that belongs to the engine: an error of it is logged, stopping cancels it."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the engine failed", exc_info=error)

    # --- reading ---------------------------------------------------------------------------------

    def bind(
        self, settings: type[S] | ToolSpec, *, actor: str = "", edit: str | None = None
    ) -> Binding[S]:
        """A binding that shows nothing yet; `await binding.show(owners)` loads."""
        from .binding import Binding

        return Binding(self, tool_of(settings), settings, actor=actor, edit=edit)

    async def open(
        self,
        settings: type[S] | ToolSpec | str,
        owners: Mapping[str, str],
        *,
        edit: str | None = None,
        actor: str = "",
    ) -> Binding[S]:
        """Bind and load. Raises PermissionDenied and StoreUnavailable."""
        declared: Any = self.tool(settings) if isinstance(settings, str) else settings
        binding: Binding[S] = self.bind(declared, actor=actor, edit=edit)
        try:
            await binding.show(owners)
            binding.require_ready()
        except BaseException:
            binding.close()
            raise
        return binding

    def tool(self, tool: str) -> ToolSpec:
        """The declaration of a tool id; an empty one, with one warning, if nobody declared it."""
        if (spec := registry.get(tool)) is not None:
            return spec
        known = self._undeclared.get(tool)
        if known is None:
            log.warning("tool %r isn't declared: its values are kept as they are", tool)
            known = self._undeclared[tool] = undeclared_tool(tool, self.scopes.names[-1])
        return known

    def layer(self, target: Target) -> Layer:
        """The target in memory, made on first use. Raises ValueError for an unknown scope."""
        layer = self.layers.get(target)
        if layer is None:
            if target.scope not in self.scopes:
                raise ValueError(f"{target.scope!r} is none of the scopes {self.scopes.names}")
            layer = self.layers[target] = Layer(target, self.tool(target.tool))
            if target[:2] in self.gone:
                entities.retire(layer)
            if len(self.layers) > self._crowded:
                self._forget_unused()
        return layer

    def view(self, spec: ToolSpec, stack: Stack) -> View:
        """The effective values over that stack; one view for all who look at the same."""
        key = (spec.tool, stack)
        view = self.views.get(key)
        if view is None:
            view = self.views[key] = View(spec, [self.layer(target) for target in stack])
        return view

    def release(self, view: View) -> None:
        """Nobody may be watching it any more: if so, let go of it."""
        if not view.is_watched and self.views.get((view.spec.tool, view.stack)) is view:
            del self.views[view.spec.tool, view.stack]
            view.close()
            for layer in view.layers:  # most lately used last
                self.layers.move_to_end(layer.target)

    def _forget_unused(self) -> None:
        """Let go of what was used longest ago. Not of the newest: somebody asked for them who may
        be about to load or to edit them."""
        tenth = self.keep_loaded // 10 + 1
        older = islice(self.layers.items(), len(self.layers) - tenth)
        idle = (target for target, layer in older if layer.is_idle)
        surplus = len(self.layers) - self.keep_loaded + tenth
        for target in tuple(islice(idle, surplus)):
            self.dirty.pop(self.layers.pop(target), None)
        self._crowded = max(self.keep_loaded, len(self.layers) + tenth)

    async def load(self, targets: Iterable[Target]) -> None:
        """Read what isn't in memory yet; all loads of one moment are one query.

        Raises StoreUnavailable; the gates of those targets stay closed and say why.
        """
        await self.loader.load(targets)

    # --- writing ---------------------------------------------------------------------------------

    async def submit(
        self, operation: Operation, *, actor: str, wait: bool = False, origin: object | None = None
    ) -> Outcome:
        """Apply one operation of a client, once. With `wait` the answer is that of the store."""
        return await self.operations.submit(operation, actor=actor, wait=wait, origin=origin)

    async def flush(self, targets: Iterable[Target] | None = None) -> None:
        """Save at once; returns when all edits made so far are durable.

        Raises StoreUnavailable where the store is away (the edits wait and are retried), and
        EditError where one of them was refused at the write (it is kept, see `Binding.refused`).
        """
        chosen = tuple(self.dirty) if targets is None else tuple(map(self.layer, targets))
        await self.committer.flush(chosen)

    async def apply(self, plan: Plan, *, actor: str, source: str = "user", group: str = "") -> str:
        """Make all edits of a plan as one action, in one commit; returns its group.

        All of it or nothing: raises PlanOutdated where one of its fields moved since,
        PermissionDenied unless the actor may write (where it sets or lifts a policy, administer)
        every owner, and the kinds of EditError. Raises StoreUnavailable where nothing can be read,
        and where the edits were taken in but can't be stored now: they are retried, together.
        """
        return await plans.apply(self, plan, actor=actor, source=source, group=group)

    async def permit(self, actor: str, action: Action, target: Target, field: str = "") -> None:
        """Raises PermissionDenied unless the app's `authorise` agrees; in its words, if it has
        any."""
        reason = await self.refusal(actor, action, target.scope, target.owner)
        if reason is not None:
            reason = reason or f"there is no such {target.scope} of yours"
            raise PermissionDenied(field or target.tool, reason)

    async def refusal(self, actor: str, action: Action, scope: str, owner: str) -> str | None:
        """Why the app doesn't allow it, "" where it doesn't say; None where it does allow it."""
        if self.authorise is None:
            return None
        try:
            answer = self.authorise(actor, action, scope, owner)
            if inspect.isawaitable(answer):
                answer = await answer
        except PermissionDenied as error:
            return error.problem
        return None if answer else ""

    # --- the life of owners ----------------------------------------------------------------------

    async def forget(self, scope: str, owner: str) -> int:
        """The owner is gone: remove what it held, save nothing to it. Returns how much it was.

        Raises StoreUnavailable, and then nothing is removed.
        """
        return await entities.forget(self, scope, owner)

    async def quarantined(self, scope: str, owner: str) -> list[Quarantined]:
        """What nobody could read of an owner, as it was when an edit took its place, newest first.

        It is kept until it is removed, or its owner forgotten. Raises StoreUnavailable.
        """
        return await self.store.quarantined(scope, owner)

    async def remove_quarantined(self, kept: Quarantined) -> bool:
        """It isn't needed any more. Whether it was there. Raises StoreUnavailable."""
        return await self.store.remove_quarantined(kept.target, kept.field, kept.revision)

    async def copy(self, source: tuple[str, str], to: tuple[str, str], *, actor: str) -> int:
        """Copy one `(scope, owner)`'s configuration, never content, to another without any."""
        return await entities.copy(self, source, to, actor=actor)

    async def export_document(self, scope: str, owner: str) -> Document:
        """What an owner overrides, as `{tool: {wireName: value}}`."""
        return await exchange.export_document(self, scope, owner)

    async def import_document(
        self, scope: str, owner: str, document: Mapping[str, Any], *, actor: str
    ) -> int:
        """Set what such a document holds; all of it or nothing. Returns how many fields."""
        return await exchange.import_document(self, scope, owner, document, actor=actor)

    # --- telling ---------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Notice], None]) -> Callable[[], None]:
        """Hear of every notice, synchronously; the result ends it. A callback must not raise."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    def tell(self, notice: Notice) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(notice)
            except Exception:
                log.exception("a subscriber failed on %s", notice.kind)

    def tell_of(
        self,
        layer: Layer,
        kind: NoticeKind,
        fields: Iterable[str] = (),
        operations: tuple[str, ...] = (),
        actor: str = "",
        origin: object | None = None,
    ) -> None:
        """Tell what happened to fields of a layer."""
        if self._listeners:
            self.tell(Notice(layer.target, frozenset(fields), kind, operations, actor, origin))

    def tell_of_applied(self, operation: Operation, actor: str) -> None:
        """Tell that an operation of a registered kind was done."""
        if self._listeners:
            ids = (operation.id,)
            self.tell(Notice(operation.target, frozenset(), "applied", ids, actor))

    def unavailable(self, error: Exception) -> None:
        if self.available:
            log.warning("the store is away: %s", error)
        self.available, self.problem = False, str(error)

    def reachable(self) -> None:
        if not self.available:
            log.info("the store is back")
        self.available, self.problem = True, ""
