"""Operations: edits that leave a client, each applied once however often it arrives.

A client gives every edit an id, and sends it again until it hears what became of it. The store
keeps the ids with the data, in one transaction, so that a replay after a crash is harmless; this
module answers the cheap cases from memory and tells who waits. Kinds that an app registered go on
to `appliers`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from .brought_up import brought_up
from .changes import Override, Patch, difference, same
from .checks import check_json, check_keys, check_scope
from .conflicts import Side, agrees, base_of, changed_by, lost, side_of
from .errors import (
    EditError,
    InvalidValue,
    PermissionDenied,
    ScopeNotAllowed,
    StoreError,
    StoreUnavailable,
    UnknownField,
)
from .layers import Layer, patch_of
from .permits import CANT_TELL, may_save
from .recorder import Cause
from .scopes import Target
from .settings import registry
from .specs import SettingSpec
from .store.base import CONFLICT, VALUED, Kind, Write
from .typing_runs import TypingRuns

if TYPE_CHECKING:
    from .engine import Engine

OperationKind = Literal["set", "keys", "reset", "block", "pin"]
KINDS: tuple[str, ...] = get_args(OperationKind)
"""Edits of settings."""
KIND = re.compile(r"(?=.{3,64}\Z)[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
"""A kind that an app may register: "noun.verb"."""
Status = Literal["confirmed", "pending", "refused", "conflict"]

OVERTAKEN = "a newer edit of the same field stands"
ASKED_WITHIN = 5.0
"""Seconds in which the app has to say so: well before the request that brought it is answered."""

TURNS = 5
"""How often somebody else's edit of a field may go first, until this one has to come again."""

REMEMBERED = 20_000
"""Answers, and newest edits by client and field, that are kept in memory."""

log = logging.getLogger("persistence")


def operation_id(client: str, seq: int) -> str:
    """The id of a client's operation; a suffix may follow."""
    return f"{client}.{seq:08x}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One edit of one field, as a client sends it. Its values are the client's: unchecked.

    Of a registered kind: what is to be done with one thing of the app's.
    """

    id: str
    """Unique for ever, 1–64 characters; growing with time keeps the index of the store small. One
    made by `operation_id` lets the store tell an edit that comes late from a new one, for ever."""
    client: str
    """Who numbers: a tab or a device, 1–64 characters."""
    seq: int
    """Grows by each edit of that client."""
    target: Target
    """Of a registered kind: what it is, its id, and a part of it or ""."""
    field: str
    """Of a registered kind often ""."""
    kind: str
    """One of `OperationKind`, or registered."""
    value: Any = None
    """For `keys`, of a dict that merges: `{"set": {key: value}, "remove": [keys]}`. For a
    registered kind its payload."""
    base: int = 0
    """The revision of the field that the user saw. Of a registered kind whose order is kept: the
    `seq` of the client's operation before it at this target, if that has no answer yet; else 0."""
    actor: str = ""
    """Who made it, as their page knew; "" where it doesn't say. Nobody else's session writes it."""
    together: int = 0
    """The `seq` of the first edit of an action of several, which is undone as one; 0 for none."""
    schema: int = 0
    """The version of the tool's declaration that it was made by; 0 where the client doesn't say."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an operation. `problem` says why, where it wasn't stored."""

    id: str
    status: Status
    problem: str = ""
    revision: int = 0
    theirs: Side | None = None
    """Of a conflict: what stands there now."""
    base_value: Side | None = None
    """Of a conflict: what stood there when the edit was made; None where nobody knows."""


class Operations:
    """Accepts operations and answers them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.listeners: list[Callable[[Outcome], None]] = []
        """Hear of each operation that was answered for good, synchronously."""
        self._waiting: dict[str, asyncio.Future[Outcome]] = {}
        self._answered: OrderedDict[str, Outcome] = OrderedDict()
        self._newest: OrderedDict[tuple[str, Target, str], int] = OrderedDict()
        self._cleared: OrderedDict[tuple[str, Target, str], int] = OrderedDict()
        self._clients: OrderedDict[str, int] = OrderedDict()
        self._typing = TypingRuns()
        self._actions: OrderedDict[tuple[str, str, int], str] = OrderedDict()

    async def submit(
        self, operation: Operation, *, actor: str, wait: bool, origin: object | None
    ) -> Outcome:
        try:
            check_shape(operation)
            if operation.actor not in ("", actor):
                return Outcome(operation.id, "pending", "was made by somebody else: waits for them")
            if operation.kind not in KINDS:
                known = self._engine.appliers.take(operation, actor)
            elif (known := await self._unless_permitted(operation, actor)) is None:
                known = await self._known(operation)
                if known is None and (up := self._brought_up(operation)) is not operation:
                    operation = up
                    known = await self._known(operation)  # by the field that it is of now
                if known is None:
                    known = await self._apply(operation, actor, origin)
        except EditError as error:
            return Outcome(operation.id, "refused", error.problem)
        except StoreError as error:
            return Outcome(operation.id, "pending", str(error))
        if isinstance(known, asyncio.Future):
            return await asyncio.shield(known) if wait else Outcome(operation.id, "pending")
        return known

    def settle(
        self,
        ids: Iterable[str],
        status: Status,
        problem: str = "",
        revision: int = 0,
        *,
        theirs: Side | None = None,
        base_value: Side | None = None,
    ) -> None:
        """Tell who waits for these operations; an empty id is nobody's."""
        for each in ids:
            if each:
                outcome = self._remember(
                    Outcome(each, status, problem, revision, theirs, base_value)
                )
                future = self._waiting.pop(each, None)
                if future is not None and not future.done():
                    future.set_result(outcome)
                self.announce(outcome)

    def announce(self, outcome: Outcome) -> None:
        """Tell the listeners. One that fails is no matter of who made the operation."""
        for listener in self.listeners:
            try:
                listener(outcome)
            except Exception:
                log.exception("a listener failed on %s", outcome.id)

    def follow(self, follower: str, leaders: tuple[str, ...]) -> None:
        """An operation that repeats what is already in flight: the answer of that is its own."""
        future = self._expect(follower)
        leader = self._waiting.get(leaders[-1]) if leaders else None
        if leader is None:
            self.settle([follower], "confirmed")
            return

        def answer(done: asyncio.Future[Outcome]) -> None:
            if not future.done() and not done.cancelled():
                result = done.result()
                self.settle(
                    [follower], result.status, result.problem, result.revision,
                    theirs=result.theirs, base_value=result.base_value,
                )  # fmt: skip

        leader.add_done_callback(answer)

    def _brought_up(self, operation: Operation) -> Operation:
        tool = registry.get(operation.target.tool)
        return operation if tool is None else brought_up(tool, operation)

    async def _unless_permitted(self, operation: Operation, actor: str) -> Outcome | None:
        """None where the app lets this actor write. Raises PermissionDenied, and StoreError where
        what the app asks is away."""
        until = asyncio.get_running_loop().time() + ASKED_WITHIN
        refusal = await may_save(
            self._engine, actor, operation.target, operation.field, until=until
        )
        if refusal is None:
            return Outcome(operation.id, "pending", CANT_TELL)
        if refusal:
            raise PermissionDenied(operation.field, refusal)
        return None

    def _expect(self, operation: str) -> asyncio.Future[Outcome]:
        future = self._waiting.get(operation)
        if future is None:
            future = self._waiting[operation] = asyncio.get_running_loop().create_future()
        return future

    def _remember(self, outcome: Outcome) -> Outcome:
        if outcome.id:
            self._answered[outcome.id] = outcome
            if len(self._answered) > REMEMBERED:
                self._answered.popitem(last=False)
        return outcome

    async def _known(self, operation: Operation) -> Outcome | asyncio.Future[Outcome] | None:
        """Was it done, or is it under way? None for one that is new."""
        if (future := self._waiting.get(operation.id)) is not None:
            return future
        answered = self._answered.get(operation.id)
        if answered is not None and answered.status in ("confirmed", CONFLICT):
            return answered  # what was asked about is decided by a new operation
        if self._is_overtaken(operation):
            return Outcome(operation.id, "confirmed", OVERTAKEN)
        try:
            return await self._stored(operation)
        except StoreError:
            if operation.seq > self._clients.get(operation.client, 1 << 62):
                return None  # in order, from a client that this process knows: it is new, or nearly
            raise

    async def _stored(self, operation: Operation) -> Outcome | None:
        """Was it done, or followed by a later one of its client, in this process or another?"""
        done = await self._engine.store.done([operation.id])
        if operation.id in done:
            revision = done[operation.id]
            return self._remember(Outcome(operation.id, "confirmed", revision=revision))
        if operation.kind != "keys" and (later := later_ids(operation)) is not None:
            at = (operation.target, operation.field)
            if await self._engine.store.followed(*later, *at):
                return self._remember(Outcome(operation.id, "confirmed", OVERTAKEN))
        return None

    def _is_overtaken(self, operation: Operation) -> bool:
        """Did a newer edit of this client in this field come before it? Keys merge one by one, and
        give way only to one that leaves none of them standing."""
        at = (operation.client, operation.target, operation.field)
        newest = (self._cleared if operation.kind == "keys" else self._newest).get(at, -1)
        return operation.seq < newest

    async def _apply(
        self, operation: Operation, actor: str, origin: object | None
    ) -> Outcome | asyncio.Future[Outcome]:
        engine = self._engine
        if operation.target.tool not in registry:
            raise UnknownField(operation.field, "belongs to a tool that nobody declared")
        if operation.target.scope not in engine.scopes:
            raise ScopeNotAllowed(operation.field, f"{operation.target.scope} is no scope")
        layer = engine.layer(operation.target)
        await engine.load([operation.target])
        if operation.base > layer.revision(operation.field):
            await engine.loader.refresh([layer])  # the client saw what another process wrote
        spec = layer.spec.require(operation.field)
        kind, value, delta = _edit(layer, spec, operation)
        for view, index in layer.views:
            view.check_policy(spec.name, index)
            if kind == "set":
                together = {**view.values, spec.name: value}
                layer.spec.check_together(together, [spec.name])
        check_scope(spec, operation.target.scope)
        asked = await self._ask_behind(layer, spec, operation, (kind, value), actor)
        if asked is not None:
            return asked
        if (underway := self._waiting.get(operation.id)) is not None:
            return underway  # it came a second time while this one waited
        if self._is_overtaken(operation):
            return Outcome(operation.id, "confirmed", OVERTAKEN)
        if spec.merge and delta is None and kind in ("set", "pin"):
            delta = difference(_shown(layer, spec), value)
        future = self._expect(operation.id)
        group = self._group(layer, spec, operation, actor)
        is_typed = kind == "set"  # what is clicked needn't wait for the next key
        seen = operation.base
        cause = Cause(actor, "user", group, operation.id, origin, not is_typed, seen)
        try:
            engine.recorder.record(layer, spec, kind, value, cause, delta=delta)
        except EditError:
            self._waiting.pop(operation.id, None)
            raise
        self._note(operation)
        return future

    def _group(self, layer: Layer, spec: SettingSpec, operation: Operation, actor: str) -> str:
        """The action that the edit belongs to: typing in one field is one, each click another."""
        new = self._engine.recorder.group
        if operation.together:
            self._typing.end(operation.client)
            key = (actor, operation.client, operation.together)
            group = self._actions.setdefault(key, "") or new()
            self._actions[key] = group
            if len(self._actions) > REMEMBERED:
                self._actions.popitem(last=False)
            return group
        if operation.kind != "set" or spec.merge or isinstance(operation.value, bool):
            self._typing.end(operation.client)
            return new()
        stands = layer.opinion(operation.field)
        is_own = stands is not None and stands.author == actor
        return self._typing.group(
            operation.client, actor, operation.target, operation.field,
            standing=layer.actions.get(operation.field, "") if is_own else "",
            now=asyncio.get_running_loop().time(), new=new,
        )  # fmt: skip

    def _moved(self, layer: Layer, operation: Operation, actor: str) -> Override | None:
        """What somebody else made of the field since the client looked at it."""
        stored = layer.confirmed.get(operation.field)
        if stored is None or stored.revision <= operation.base or operation.kind == "keys":
            return None  # keys merge one by one
        if layer.pending.newest(operation.field) is not None:
            return None  # made on an edit that isn't confirmed yet; the store will check
        if stored.author == actor:
            return None  # nobody conflicts with himself, in whichever tab or on whichever server
        return None if _chose_same(layer, stored, operation) else stored

    async def _ask_behind(
        self,
        layer: Layer,
        spec: SettingSpec,
        operation: Operation,
        edit: tuple[Kind, Any],
        actor: str,
    ) -> Outcome | None:
        """Two people's edits don't fold: somebody else's is written first, and asked about like
        one that was there before. As often as there is one more meanwhile.

        Raises StoreUnavailable.
        """
        for _ in range(TURNS):
            if _is_edited_by_another(layer, spec.name, actor):
                with suppress(EditError):
                    await self._engine.flush([layer.target])
            if (asked := await self._ask(layer, spec, operation, edit, actor)) is not None:
                return asked
            if not _is_edited_by_another(layer, spec.name, actor):
                return None
        raise StoreUnavailable("others are editing this at this moment: it waits for its turn")

    async def _ask(
        self,
        layer: Layer,
        spec: SettingSpec,
        operation: Operation,
        edit: tuple[Kind, Any],
        actor: str,
    ) -> Outcome | None:
        """Both sides, mine in the history, where somebody else changed the field; else None.

        Raises StoreUnavailable.
        """
        engine = self._engine
        while (theirs := self._moved(layer, operation, actor)) is not None:
            base = await base_of(engine, layer, spec, operation.base)
            if not agrees(base, theirs):
                break
            operation = replace(operation, base=theirs.revision)  # what was seen stands again
        else:
            return None
        kind, value = edit
        whole = Patch(value) if spec.merge and kind in VALUED else None
        text = engine.recorder.prepare(layer, spec, kind, value, whole=whole).text
        mine = Write(
            layer.target, spec.name, kind, text, operation.base, actor, "user",
            engine.wall(), engine.recorder.group(), (operation.id,), layer.spec.version,
            secret=spec.secret,
        )  # fmt: skip
        await engine.store.contest([lost(mine)])
        before = None if base is None else side_of(layer, spec, base)
        told = (changed_by(theirs), theirs.revision, side_of(layer, spec, theirs), before)
        return self._remember(Outcome(operation.id, CONFLICT, *told))

    def _note(self, operation: Operation) -> None:
        key = (operation.client, operation.target, operation.field)
        notes = [self._newest]
        if operation.kind not in ("keys", *VALUED):
            notes.append(self._cleared)
        for memory in notes:
            memory[key] = max(operation.seq, memory.get(key, -1))
            memory.move_to_end(key)
        highest = max(operation.seq, self._clients.get(operation.client, -1))
        self._clients[operation.client] = highest
        self._clients.move_to_end(operation.client)
        for memory in (self._newest, self._cleared, self._clients):
            if len(memory) > REMEMBERED:
                memory.popitem(last=False)


def _edit(layer: Layer, spec: SettingSpec, operation: Operation) -> tuple[Kind, Any, Patch | None]:
    """What an operation does to the field: its kind in the store, its value, the keys it changes.

    Raises InvalidValue.
    """
    if operation.kind == "keys":
        delta = check_keys(spec, operation.value)
        return "set", spec.check(delta.apply(_shown(layer, spec))), delta
    is_valued = operation.kind in ("set", "pin")
    value = check_json(spec, operation.value) if is_valued else None
    return cast("Kind", operation.kind), value, None


def _is_edited_by_another(layer: Layer, field: str, actor: str) -> bool:
    newest = layer.pending.newest(field)
    return newest is not None and newest.author != actor


def _chose_same(layer: Layer, stored: Override, operation: Operation) -> bool:
    """Does an operation say what stands there already? A pin says what its value says; a reset and
    a block say no value, though null may be one."""
    if not stored.holds or operation.kind not in VALUED:
        return stored.kind == operation.kind
    spec = layer.spec.require(operation.field)
    stands = _shown(layer, spec) if spec.merge else stored.value
    return same(stands, operation.value)


def _shown(layer: Layer, spec: SettingSpec) -> dict[str, Any]:
    """A merging dict as the client saw it; what the layer alone says, where nobody looks at it."""
    for view, index in layer.views:
        return view.at(spec.name, index)
    return patch_of(layer.opinion(spec.name)).apply(spec.default())


def later_ids(operation: Operation) -> tuple[str, str] | None:
    """From which id on, and up to which one, a client's later operations are; None where the id
    isn't made by `operation_id`."""
    client, seq = operation.client, operation.seq
    if not operation.id.startswith(operation_id(client, seq)):
        return None
    return operation_id(client, seq + 1), f"{client}/"  # what follows the dot


def later_than(name: str) -> tuple[str, str] | None:
    """The same by an operation's id alone."""
    client, dot, rest = name.rpartition(".")
    try:
        seq = int(rest[:8], 16)
    except ValueError:
        return None
    return (operation_id(client, seq + 1), f"{client}/") if dot else None


def check_shape(operation: Operation) -> None:
    """Types and lengths of what a client sent. Raises InvalidValue and PermissionDenied."""
    field = str(operation.field)[:80]
    for name, text in (("id", operation.id), ("client", operation.client)):
        if not _is_text(text, 64):
            raise InvalidValue(field, f"the operation's {name} isn't a text of 1–64 characters")
    for name, number in (
        ("seq", operation.seq),
        ("base", operation.base),
        ("together", operation.together),
        ("schema", operation.schema),
    ):
        if type(number) is not int or not 0 <= number < 1 << 53:
            raise InvalidValue(field, f"the operation's {name} isn't a whole number")
    kind: Any = operation.kind
    is_settings = kind in KINDS
    if not is_settings and not (isinstance(kind, str) and KIND.fullmatch(kind)):
        raise InvalidValue(field, f"the operation's kind is none of {', '.join(KINDS)}")
    if not _is_text(operation.field, 100) and (is_settings or operation.field != ""):
        raise UnknownField(field, "can't name a setting")
    *first, last = operation.target
    if not all(_is_text(part, 200) for part in first):
        raise PermissionDenied(field, "there is no such target")
    if not _is_text(last, 200) and (is_settings or last != ""):
        raise PermissionDenied(field, "there is no such target")


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= longest
