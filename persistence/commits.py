"""STORE and CONFIRM: what is due leaves in one transaction, and each edit gets its own answer.

- One commit is under way at a time; what becomes due meanwhile leaves with the next.
- Exactly what was sent is confirmed.
- Away: everything waits for a growing, jittered while. Refused: that edit alone is set aside.
- A row that moved: rebased where nobody else's choice is at stake, else a conflict to be decided.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .changes import Override, same
from .conflicts import base_of, changed_by, keep, lost, merged, side_of
from .errors import (
    EditError,
    PolicyViolation,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from .layers import Conflict, Layer
from .loads import read_row, unreadable
from .operations import later_than
from .pending import Dirty, Pending
from .permits import CANT_TELL, key_of, may_all_save
from .specs import UNSET
from .store.base import Receipt, Row, Write

if TYPE_CHECKING:
    from .engine import Engine

log = logging.getLogger("persistence")

CHUNK = 100
"""Edits handled before the event loop gets a turn, about half a millisecond: a burst of them must
not be felt."""

HURRIED = 500
"""Targets rescheduled before the event loop gets a turn."""

Work = list[tuple[Layer, Dirty]]


class Committer:
    """The one task that writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._tries = 0
        self.lock = asyncio.Lock()
        """Held while a commit is under way."""
        self.commits = 0
        """Transactions made so far."""
        self._began: float | None = None
        self._took = 0.0

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def arm(self) -> None:
        """The schedule changed: see to it that the next deadline wakes the task."""
        when = self._engine.scheduler.next()
        if when is None or (self._timer is not None and self._timer.when() <= when):
            return
        loop = asyncio.get_running_loop()
        if when <= loop.time():
            self._wake.set()
        else:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._wake.set()

    @property
    def takes(self) -> float:
        """Seconds that a commit takes: the last one, or the one under way, if that takes longer."""
        if self._began is None:
            return self._took
        return max(self._took, asyncio.get_running_loop().time() - self._began)

    async def flush(self, layers: Sequence[Layer]) -> None:
        """Commit now, and wait until all edits of these layers made so far are durable.

        Raises StoreUnavailable, and EditError where one of them was set aside instead.
        """
        upto = self._engine.recorder.seq
        now = asyncio.get_running_loop().time()
        mine = [layer for layer in layers if layer.pending.waiting or layer.pending.sent]
        aside = {id(each) for layer in mine for each in layer.aside}
        await self._hurry(mine, now)
        closed = [layer for layer in mine if not layer.gate.is_open]
        away = await self._open(closed)  # what can't be loaded keeps nobody else waiting
        await self._hurry(closed, now)
        while any(_waits(layer.pending, upto) for layer in mine if layer.gate.is_open):
            attempt = asyncio.get_running_loop().create_future()
            self._waiting.append(attempt)
            try:
                await attempt
            except StoreError:
                if any(_waits(layer.pending, upto) for layer in mine if layer.gate.is_open):
                    raise  # else it was somebody else's edit that couldn't be saved
        if away is not None:
            raise away
        for layer in mine:
            for each in layer.aside:
                if id(each) not in aside:
                    raise EditError(each.field, each.problem)

    async def _hurry(self, layers: Sequence[Layer], now: float) -> None:
        for position, layer in enumerate(layers):
            layer.pending.holds = 0
            if layer.pending.waiting and layer.gate.is_open:
                self._engine.scheduler.expedite(layer.pending, now)
            if position % HURRIED == HURRIED - 1:
                await asyncio.sleep(0)
        self.arm()

    async def _open(self, layers: Sequence[Layer]) -> StoreError | None:
        """Load what has to be loaded before it is saved. The error where that fails."""
        failed: StoreError | None = None
        for layer in layers:
            try:
                await self._engine.load([layer.target])
            except StoreError as error:
                failed = error
        return failed

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if due := await self._due(loop.time()):
                began = self._began = loop.time()
                try:
                    async with self.lock:
                        self._ended(await self._commit(due))
                except StoreError as error:
                    self._ended(error)
                except Exception as error:
                    log.exception("a commit failed in an unforeseen way")
                    self._ended(StoreUnavailable(f"saving failed: {error!r}"))
                finally:
                    self._began, self._took = None, loop.time() - began
            self.arm()

    async def _due(self, now: float) -> list[Pending]:
        found: list[Pending] = []
        while some := self._engine.scheduler.due(now, most=HURRIED):
            found.extend(some)
            if len(some) == HURRIED:
                await asyncio.sleep(0)
        return found

    def _ended(self, error: Exception | None) -> None:
        """The attempt is over: wake who waits for it."""
        waiting, self._waiting = self._waiting, []
        for attempt in waiting:
            if attempt.done():
                continue  # nobody waits any more
            if error is None:
                attempt.set_result(None)
            else:
                attempt.set_exception(error)

    async def _commit(self, due: Sequence[Pending]) -> StoreError | None:
        """Save what is due. The error where some of it has to wait though the rest is saved."""
        work: Work = []
        for position, pending in enumerate(due):
            layer: Layer = pending.owner
            if layer.gate.is_open:
                work.extend((layer, edit) for edit in pending.take())
            if position % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
        try:
            work, unsure = await self._permitted(work)
            if not work:
                return unsure
            writes: list[Write] = []
            for start in range(0, len(work), CHUNK):
                writes.extend(self._write(*each) for each in work[start : start + CHUNK])
                if len(work) > CHUNK:
                    await asyncio.sleep(0)
            await self._store(work, writes)
        except BaseException as error:
            if isinstance(error, StoreUnavailable):
                self._engine.unavailable(error)
            self._put_back(work, error)
            raise
        return unsure

    async def _store(self, work: Work, writes: list[Write]) -> None:
        """One transaction. Where the store refuses it whole, each target by itself."""
        try:
            receipt = await self._engine.store.commit(writes)
        except StoreRefused as error:
            targets = {write.target for write in writes}
            if len(writes) == 1:
                layer, edit = work[0]
                self._engine.recorder.set_aside(
                    layer, layer.pending.withdraw(edit.field), str(error)
                )
                return
            for target in targets if len(targets) > 1 else range(len(writes)):
                chosen = [
                    index
                    for index, write in enumerate(writes)
                    if (index == target if isinstance(target, int) else write.target == target)
                ]
                await self._store([work[i] for i in chosen], [writes[i] for i in chosen])
            return
        self.commits += 1
        self._engine.feed.committed(receipt.revisions)
        self._tries = 0
        self._engine.reachable()
        await self._answer(work, writes, receipt)

    async def _permitted(self, work: Work) -> tuple[Work, StoreError | None]:
        """Ask the app once for each actor and owner. What it refuses is set aside.

        What it can't tell, because it fails or hangs, waits, and holds up nobody else's edits.
        """
        if self._engine.authorise is None and not any(layer.views for layer, _ in work):
            return work, None
        asked = ((edit.author, layer.target) for layer, edit in work)
        answers = await may_all_save(self._engine, asked)
        allowed: Work = []
        waiting: Work = []
        for position, (layer, edit) in enumerate(work):
            answer = answers[key_of(edit.author, layer.target)]
            if answer is None:
                waiting.append((layer, edit))
            elif problem := answer or _policy(layer, edit):
                self._engine.recorder.set_aside(layer, layer.pending.withdraw(edit.field), problem)
            else:
                allowed.append((layer, edit))
            if position % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
        if not waiting:
            return allowed, None
        error = StoreUnavailable(CANT_TELL)
        self._put_back(waiting, error)
        return allowed, error

    def _write(self, layer: Layer, edit: Dirty) -> Write:
        spec = layer.spec.require(edit.field)
        text = edit.text
        if spec.secret and text is not None:
            text = self._engine.vault.encrypt(text)
        return Write(
            layer.target, edit.field, edit.kind, text, edit.base, edit.author, edit.source, edit.at,
            edit.group, edit.operations, layer.spec.version, edit.note, spec.secret,
            layer.unreadable.get(edit.field, ""),
        )  # fmt: skip

    def _put_back(self, work: Work, error: BaseException) -> None:
        """Nothing is known to be stored: all of it waits again."""
        engine = self._engine
        self._tries += 1
        when = asyncio.get_running_loop().time() + engine.retry.wait(self._tries, engine.random)
        touched: dict[Layer, list[str]] = {}
        for layer, edit in work:
            if layer.pending.sent.get(edit.field) is edit:
                touched.setdefault(layer, []).append(edit.field)
        for layer, fields in touched.items():
            layer.pending.put_back(fields)
            layer.problem = str(error)
            engine.scheduler.expedite(layer.pending, when)
            self._engine.tell_of(layer, "failed", fields)

    async def _answer(self, work: Work, writes: list[Write], receipt: Receipt) -> None:
        """Confirm, rebase or set aside each edit by its own result. Empties both lists."""
        bases = await self._bases(work, receipt.moved)
        overtaken = await self._overtaken(work, receipt.moved)
        losers: list[Write] = []
        settled: dict[Layer, tuple[list[str], list[str], str]] = {}
        moved, repeated, refused = receipt.moved, receipt.repeated, receipt.refused
        revisions = receipt.revisions
        for position, (layer, edit) in enumerate(work):
            layer.problem = ""
            if position in overtaken:
                self._repeated(layer, edit)
            elif position in moved:
                if self._moved(layer, edit, moved[position], bases.get(position)):
                    losers.append(lost(writes[position]))
            elif position in refused:
                dropped = layer.pending.withdraw(edit.field)
                self._engine.recorder.set_aside(layer, dropped, refused[position])
            else:
                if position in repeated:
                    self._repeated(layer, edit)
                else:
                    self._confirm(layer, edit, revisions[position])
                fields, operations, _ = settled.setdefault(layer, ([], [], edit.author))
                fields.append(edit.field)
                operations.extend(edit.operations)
            if position % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
        await keep(self._engine, losers)
        await self._tell(settled)
        while work:  # letting go of each: 10,000 freed at once would be felt
            layer, _ = work.pop()
            writes.pop()
            if not layer.pending:
                self._engine.dirty.pop(layer, None)
            elif layer.pending.waiting and layer.pending.slot is None:
                now = asyncio.get_running_loop().time()
                self._engine.scheduler.expedite(layer.pending, now)
            if work and len(work) % HURRIED == 0:
                await asyncio.sleep(0)

    async def _tell(self, settled: dict[Layer, tuple[list[str], list[str], str]]) -> None:
        for position, (layer, (fields, operations, author)) in enumerate(settled.items()):
            self._engine.tell_of(layer, "committed", fields, tuple(operations), author)
            if position % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)

    def _confirm(self, layer: Layer, edit: Dirty, revision: int) -> None:
        layer.pending.confirm(edit.field, revision)
        layer.confirmed[edit.field] = Override(
            edit.kind, edit.value, revision, edit.author, edit.at, edit.note
        )
        layer.unreadable.pop(edit.field, None)
        layer.last_saved = edit.at if layer.last_saved is None else max(layer.last_saved, edit.at)
        self._engine.operations.settle(edit.operations, "confirmed", revision=revision)

    def _repeated(self, layer: Layer, edit: Dirty) -> None:
        """Done before, by this process or another: what is stored now is the truth."""
        layer.pending.withdraw(edit.field)
        self._engine.operations.settle(edit.operations, "confirmed")
        self._engine.loader.begin(layer, again=True)

    async def _overtaken(self, work: Work, moved: Iterable[int]) -> set[int]:
        """Edits that waited here while their client's later one was done by another process."""
        found: set[int] = set()
        for position in moved:
            layer, edit = work[position]
            later = later_than(edit.operations[-1]) if edit.operations else None
            if later is None or edit.delta is not None:
                continue
            with suppress(StoreError):
                if await self._engine.store.followed(*later, layer.target, edit.field):
                    found.add(position)
        return found

    async def _bases(
        self, work: Work, moved: Mapping[int, Row | None]
    ) -> dict[int, Override | None]:
        """What stood when the edits were made whose rows have moved."""
        found: dict[int, Override | None] = {}
        for position in moved:
            layer, edit = work[position]
            spec = layer.spec.require(edit.field)
            with suppress(StoreError):  # then nobody knows, and both sides are asked about
                found[position] = await base_of(self._engine, layer, spec, edit.base)
        return found

    def _moved(self, layer: Layer, edit: Dirty, row: Row | None, before: Override | None) -> bool:
        """Somebody wrote the field since; the row is what they wrote. Is it a conflict?"""
        layer.pending.withdraw(edit.field)
        if row is None:
            layer.confirmed.pop(edit.field, None)
            theirs = Override("reset", None)
        else:
            theirs = layer.confirmed[edit.field] = self._read(layer, edit.field, row)
        if theirs.kind == "policy" and edit.kind != "policy" and not _was_sent(edit, theirs):
            note = f": {theirs.note}" if theirs.note else ""
            problem = f"is enforced by the {layer.target.scope}{note}"
            self._engine.recorder.set_aside(layer, edit, problem)
            return False
        if edit.delta is not None:
            held = theirs.value if theirs.holds else type(edit.delta)()
            mine: Any = held.then(edit.delta)
        elif _is_own(edit, theirs):
            mine = edit.value
        else:
            mine = merged(before, edit, theirs)
        if mine is UNSET:
            self._contested(layer, edit, theirs, before)
            return True
        if edit.kind == theirs.kind and (not theirs.holds or same(mine, theirs.value)):
            layer.pending.build_on(edit.field, theirs.revision)
            self._engine.operations.settle(edit.operations, "confirmed", revision=theirs.revision)
            layer.last_saved = theirs.at
            layer.show(edit.field, "remote")
            self._engine.tell_of(layer, "committed", [edit.field], edit.operations, edit.author)
        else:
            self._again(layer, edit, mine, theirs.revision)
        return False

    def _contested(
        self, layer: Layer, edit: Dirty, theirs: Override, before: Override | None
    ) -> None:
        spec = layer.spec.require(edit.field)
        layer.conflicts[edit.field, edit.author] = Conflict(layer.target, edit, theirs, before)
        layer.show(edit.field, "remote")
        self._engine.operations.settle(
            edit.operations, "conflict", changed_by(theirs), theirs.revision,
            theirs=side_of(layer, spec, theirs),
            base_value=None if before is None else side_of(layer, spec, before),
        )  # fmt: skip
        self._engine.tell_of(layer, "conflict", [edit.field], edit.operations, edit.author)

    def _again(self, layer: Layer, edit: Dirty, mine: Any, base: int) -> None:
        """Write the same edit on the row that stands there now."""
        text = edit.text
        if edit.delta is not None:
            text = self._engine.recorder.encode_patch(layer.spec.require(edit.field), mine)
        again = edit._replace(value=mine, text=text, base=base)
        # What waits was made without what others changed.
        self._engine.recorder.rewrite_line(layer, edit.field, again.as_override())
        layer.pending.put_first(again)
        layer.show(edit.field, "remote")
        self._engine.scheduler.expedite(layer.pending, asyncio.get_running_loop().time())

    def _read(self, layer: Layer, field: str, row: Row) -> Override:
        try:
            read = read_row(layer.spec.require(field), row, self._engine.vault.decrypt)
            layer.unreadable.pop(field, None)
            return read
        except ValueError as error:
            layer.unreadable[field] = str(error)
            return unreadable(row)


def _is_own(edit: Dirty, theirs: Override) -> bool:
    """Is there nobody else to ask? What stands there is the author's, or was sent from here."""
    return theirs.author == edit.author or _was_sent(edit, theirs)


def _was_sent(edit: Dirty, theirs: Override) -> bool:
    """Is that what was sent before, when the answer was lost?"""
    return (theirs.kind, theirs.author, theirs.at) in edit.attempted


def _waits(pending: Pending, upto: int) -> bool:
    return any(edit.seq <= upto for edit in pending.edits())


def _policy(layer: Layer, edit: Dirty) -> str:
    """A policy that came since the edit was made."""
    if edit.kind in ("reset", "policy"):
        return ""
    for view, index in layer.views:
        try:
            view.check_policy(edit.field, index)
        except PolicyViolation as error:
            return error.problem
    return ""
