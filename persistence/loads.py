"""LOAD: rows → layers. All loads asked for in one turn of the event loop are one query.

A load that fails leaves its gates closed with the reason, tells who waits, and is tried again for
as long as somebody watches. Rows that can't be read are left as they are, and reported.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from sys import intern
from typing import TYPE_CHECKING, Any, cast

from .changes import Override, Patch
from .errors import InvalidValue, StoreError
from .layers import Layer
from .recorder import UNLOADED
from .scopes import Target
from .specs import SettingSpec, ToolSpec
from .store.base import KINDS, VALUED, Kind, Row

if TYPE_CHECKING:
    from .engine import Engine

log = logging.getLogger("persistence")


class Loader:
    """Reads targets into layers, once, together."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wanted: dict[Layer, int] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._underway: dict[Layer, asyncio.Future[None]] = {}
        self._tries = 0

    async def load(self, targets: Iterable[Target]) -> None:
        layers = list(map(self._engine.layer, targets))
        while waits := {
            self.begin(layer) for layer in layers if layer.gate.state not in ("open", "gone")
        }:  # again where a newer load began meanwhile: only that one opens the gate
            for wait in waits:
                await asyncio.shield(wait)

    async def refresh(self, layers: Iterable[Layer]) -> None:
        """Read these again, in one query: another process may have written. Raises
        StoreUnavailable; what was loaded stays usable."""
        wanted = list(layers)
        waits = {self.begin(layer, again=True) for layer in wanted}
        while waits:
            for wait in waits:
                await asyncio.shield(wait)
            newer = map(self._underway.get, wanted)
            waits = {each for each in newer if each is not None}

    def begin(self, layer: Layer, *, again: bool = False) -> asyncio.Future[None]:
        """Ask for a layer in the next query. The future fails as the query does."""
        if not again and (underway := self._underway.get(layer)) is not None:
            return underway
        if not self._wanted:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_retrieve)
            self._waiting.append(future)
            self._engine.spawn(self._run(future))
        future = self._waiting[-1]
        self._wanted[layer] = layer.gate.begin()
        self._underway[layer] = future
        return future

    async def _run(self, future: asyncio.Future[None]) -> None:
        await asyncio.sleep(0)  # what else is asked for in this turn comes along
        wanted, self._wanted = self._wanted, {}
        self._waiting.remove(future)
        known = {layer: dict(layer.confirmed) for layer in wanted if layer.confirmed}
        try:
            rows = await self._engine.store.load([layer.target for layer in wanted])
        except StoreError as error:
            self._failed(wanted, error)
            future.set_exception(error)
        except BaseException as error:
            self._failed(wanted, StoreError(f"loading failed: {error!r}"))
            future.set_exception(StoreError(f"loading failed: {error!r}"))
            raise
        else:
            self._tries = 0
            self._engine.reachable()
            for layer in wanted:
                if self._underway.get(layer) is future:
                    del self._underway[layer]
            opened = {layer for layer in wanted if layer.gate.state != "open" or layer.gate.problem}
            loaded = [layer for layer, epoch in wanted.items() if layer.gate.finish(epoch)]
            found = {layer: rows.get(layer.target, {}) for layer in loaded}
            try:
                self._fill(found, known, opened)
            except Exception as error:
                log.exception("what was loaded can't be taken in")
                for layer in loaded:
                    layer.gate.shut()
                failure = StoreError(f"what is stored can't be taken in: {type(error).__name__}")
                self._failed(wanted, failure)
                future.set_exception(failure)
            else:
                future.set_result(None)

    def _failed(self, wanted: Mapping[Layer, int], error: StoreError) -> None:
        engine = self._engine
        engine.unavailable(error)
        for layer, epoch in wanted.items():
            self._underway.pop(layer, None)
            if layer.gate.fail(epoch, str(error)):
                engine.tell_of(layer, "failed")
        wait = engine.retry.wait(self._tries, engine.random)
        self._tries += 1
        asyncio.get_running_loop().call_later(wait, self._again, list(wanted))

    def _again(self, layers: list[Layer]) -> None:
        if self._engine.is_running:
            for layer in layers:
                if layer.gate.state == "failed" and (layer.views or layer.pending):
                    self.begin(layer)

    def _fill(
        self,
        loaded: Mapping[Layer, Mapping[str, Row]],
        known: Mapping[Layer, Mapping[str, Override]],
        opened: AbstractSet[Layer],
    ) -> None:
        """Take in what is stored, show it, and put edits that waited for it on top.

        `known` is what was confirmed before the query began; `opened` were not loaded until now.
        """
        for layer, rows in loaded.items():
            self._take(layer, rows, known.get(layer, {}))
        views = dict.fromkeys(view for layer in loaded for view, _ in layer.views)
        changes = {view: view.rebuild() for view in views}
        for layer in loaded:
            self._engine.recorder.rebase(layer)
        for view, changed in changes.items():
            if changed:
                source = "remote" if opened.isdisjoint(view.layers) else "load"
                view.tell({field: view.values[field] for field in changed}, source, None)
        for layer in loaded:
            if layer in opened:
                self._engine.tell_of(layer, "loaded", layer.confirmed)
            else:
                self._tell_refreshed(layer, known.get(layer, {}))

    def _tell_refreshed(self, layer: Layer, known: Mapping[str, Override]) -> None:
        """By author; nothing where nothing is new."""
        authors: dict[str, list[str]] = {}
        for field in {*known, *layer.confirmed}:
            now = layer.confirmed.get(field)
            if _revision(now) != _revision(known.get(field)):
                authors.setdefault(now.author if now else "", []).append(field)
        for author, fields in authors.items():
            self._engine.tell_of(layer, "refreshed", fields, actor=author)

    def _take(self, layer: Layer, rows: Mapping[str, Row], known: Mapping[str, Override]) -> None:
        stored, unreadable = read_rows(layer.spec, rows, self._engine.vault.decrypt)
        for field, held in layer.confirmed.items():
            row = stored.get(field)
            if row is None and known.get(field) is held and held.revision:
                continue  # a tombstone, pruned since
            if row is None or held.revision > row.revision:
                stored[field] = held  # committed while the query was under way
        self._leave_dirty(layer, stored)
        layer.confirmed, layer.unreadable = stored, unreadable
        layer.last_saved = max((each.at for each in stored.values()), default=None)
        for field in unreadable:  # the problem may be in an app's words, and those hold the value
            log.error(
                "%s of %s can't be read: `python -m persistence doctor` says why",
                field,
                layer.target,
            )

    def _leave_dirty(self, layer: Layer, stored: dict[str, Override]) -> None:
        """What an edit stands on stays until that edit was written: it finds out what moved.

        A conflict that waits for a decision is about what stands there now.
        """
        layer.moved = {}
        for field in [*layer.pending.fields()]:
            edit, held = layer.pending.newest(field), layer.confirmed.get(field)
            revision = _revision(stored.get(field))
            if edit is None or edit.base == UNLOADED or revision == _revision(held):
                continue
            layer.moved[field] = revision
            self._engine.feed.postpone(layer, field, revision)
            if held is None:
                del stored[field]
            else:
                stored[field] = held
        for (field, author), conflict in layer.conflicts.items():
            if _revision(now := stored.get(field)) > conflict.theirs.revision and now is not None:
                layer.conflicts[field, author] = replace(conflict, theirs=now)


def _revision(override: Override | None) -> int:
    return override.revision if override is not None else 0


def _retrieve(future: asyncio.Future[None]) -> None:
    """A failed load that nobody awaits isn't an unhandled error: the gate says it."""
    if not future.cancelled():
        future.exception()


def read_rows(
    spec: ToolSpec, rows: Mapping[str, Row], decrypt: Any
) -> tuple[dict[str, Override], dict[str, str]]:
    """Stored rows as overrides in the shape of today's declaration, and what couldn't be read."""
    stored: dict[str, Override] = {}
    problems: dict[str, str] = {}
    old: dict[int, dict[str, Row]] = {}
    for field, row in rows.items():
        known = spec.fields.get(field)
        is_secret = known is not None and known.secret
        is_old = is_whole(row) and row.version < spec.version
        if is_old and row.text is not None and not is_secret:
            old.setdefault(row.version, {})[field] = row
            continue
        _read(spec, field, row, stored, problems, decrypt)
    for version, layer in sorted(old.items(), reverse=True):
        _migrate(spec, version, layer, stored, problems)
    for field in problems.keys() & spec.fields.keys() & rows.keys():
        stored.setdefault(field, unreadable(rows[field]))  # an edit stands on it
    return stored, problems


def _read(
    spec: ToolSpec,
    field: str,
    row: Row,
    stored: dict[str, Override],
    problems: dict[str, str],
    decrypt: Any,
) -> None:
    known = spec.fields.get(field)
    if known is None and spec.is_declared and row.kind in VALUED:
        problems[field] = "no such setting any more"
        return
    try:
        stored[intern(field)] = read_row(known, row, decrypt)
    except ValueError as error:
        problems[field] = str(error)
        stored[field] = unreadable(row)


def read_row(spec: SettingSpec | None, row: Row, decrypt: Any) -> Override:
    """A stored row as an override; without a declaration its value is any JSON.

    Raises ValueError, InvalidValue among its kinds, where the value can't be read.
    """
    if not is_whole(row):
        raise ValueError("the row is damaged")
    value: Any = None
    if row.kind in VALUED:
        text = row.text or ""
        if spec is None or not spec.declared:
            value = json.loads(text)
        else:
            value = _parse_secret(spec, decrypt(text)) if spec.secret else parse(spec, text)
    # Kinds and authors come anew with every row: keep one of each.
    kind = cast("Kind", intern(row.kind))
    return Override(kind, value, row.revision, intern(row.author), row.at, row.note)


def _parse_secret(spec: SettingSpec, text: str) -> Any:
    """Raises InvalidValue, without what an app's check says: it may hold the value."""
    try:
        return parse(spec, text)
    except InvalidValue:
        raise InvalidValue(spec.name, "is a secret that doesn't fit its declaration") from None


def is_whole(row: Row) -> bool:
    """Do its columns hold what they should? A damaged file has anything there."""
    kind, text, revision, author, at, version, note = cast("tuple[Any, ...]", row)
    return (
        kind in KINDS
        and isinstance(author, str)
        and isinstance(at, int | float)
        and type(revision) is int
        and type(version) is int
        and all(each is None or isinstance(each, str) for each in (text, note))
    )


def unreadable(row: Row) -> Override:
    """What stands for a row whose value can't be read: nothing, at its revision."""
    if not is_whole(row):
        revision: Any = row.revision
        return Override("reset", None, revision if isinstance(revision, int) else 0, "", 0.0)
    return Override("reset", None, row.revision, row.author, row.at)


def _migrate(
    spec: ToolSpec,
    version: int,
    rows: Mapping[str, Row],
    stored: dict[str, Override],
    unreadable: dict[str, str],
) -> None:
    """Values of an older version, all of a layer together. Newer rows of a field win.

    A field that keeps its name keeps its revision; one that a migration makes stands on none, so
    that its first edit writes a row of its own. The old rows stay as they are.
    """
    values: dict[str, Any] = {}
    for field, row in rows.items():
        try:
            values[field] = json.loads(row.text or "")
        except ValueError as error:
            unreadable[field] = str(error)
    try:
        values = spec.migrate(values, version)
    except Exception as error:  # noqa: BLE001  # an app's function may raise anything
        failed = f"the migration from version {version} failed with {type(error).__name__}"
        unreadable.update(dict.fromkeys(rows, failed))
        return
    newest = max(rows.values(), key=lambda row: row.revision)
    for field, value in values.items():
        if field in stored:
            continue
        row = rows.get(field)
        basis = row or newest
        text = json.dumps(value, ensure_ascii=False)
        known = spec.fields.get(field)
        if known is None:
            unreadable[field] = f"version {version} had it, and no migration moved it"
            continue
        try:
            held = parse(known, text)
        except InvalidValue as error:
            unreadable[field] = str(error)
            continue
        revision = row.revision if row else 0
        stored[field] = Override(basis.kind, held, revision, basis.author, basis.at, basis.note)


def parse(spec: SettingSpec, text: str) -> Any:
    """A stored value; for a setting that merges, the patch that its layer holds."""
    if not spec.merge:
        return spec.parse(text)
    held: Any = json.loads(text)
    if not isinstance(held, dict) or not cast("dict[str, Any]", held).keys() <= {"set", "remove"}:
        raise InvalidValue(spec.name, "isn't a patch")
    held = cast("dict[str, Any]", held)
    return Patch(
        spec.parse(json.dumps(held.get("set", {}), ensure_ascii=False)),
        frozenset(held.get("remove", ())),
    )
