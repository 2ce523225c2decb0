"""FEED: what other processes commit to the same database reaches this one.

A *poke* says "something changed, read again", and nothing else. After one, or without one when it
is time, the feed asks the store which rows came since it last looked, and has the layers that are
in memory read again, in one query.

- What this process committed itself is no news.
- A poke that is lost costs staleness until the next look, never correctness: a write names the
  revision that it was made on.
- A field with an edit on its way isn't touched: the edit's own write finds out, and is rebased or
  becomes a conflict. If the edit is taken back instead, the field is read then.
- An owner that another process has forgotten is gone here, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NoReturn, Protocol

from . import entities
from .errors import StoreError
from .layers import Layer
from .store.base import FORGOTTEN, News, sealed

if TYPE_CHECKING:
    from .engine import Engine

LOOK = 5.0
"""Seconds without a poke after which the feed looks by itself."""

log = logging.getLogger("persistence")


class Pokes(Protocol):
    """How processes tell one another that they have committed. It may lose pokes, double them and
    bring this process's own."""

    async def wait(self) -> None:
        """Until there may be something new. Raises StoreUnavailable; it is asked again later."""
        ...

    def tell(self, revision: int) -> None:
        """This process has committed up to that revision. Doesn't wait and doesn't raise."""
        ...


class Polling:
    """Looks again and again: for processes that share nothing but the database."""

    def __init__(self, every: float = 0.2) -> None:
        """`every` is in seconds. A look costs some microseconds, see `Store.last_revision`."""
        self.every = every

    async def wait(self) -> None:
        await asyncio.sleep(self.every)

    def tell(self, revision: int) -> None:
        """Nothing to do: the others look."""


class Feed:
    """Keeps the layers in memory up to date with what other processes write."""

    def __init__(self, engine: Engine, pokes: Pokes | None) -> None:
        self._engine, self._pokes = engine, pokes
        self._seen: int | None = None
        self._late: dict[tuple[Layer, str], int] = {}
        """Fields that others wrote while an edit was on its way here, with their revision."""
        self.looks = self.refreshes = 0
        """How often the store was asked, and how many layers were read again."""

    async def start(self) -> None:
        """Note where the journal ends now; from then on, follow it."""
        if self._pokes is None:
            return
        try:
            self._seen = await self._engine.store.last_revision()
        except StoreError:
            pass  # it is away: the first look that succeeds reads everything again
        self._engine.spawn(self._run(self._pokes))

    async def _run(self, pokes: Pokes) -> NoReturn:
        while True:
            try:
                async with asyncio.timeout(LOOK):
                    await pokes.wait()
            except TimeoutError:
                pass
            except StoreError as error:
                log.info("no pokes from other processes: %s", error)
                await asyncio.sleep(LOOK)
            try:
                await self.look()
            except StoreError as error:
                log.debug("not now: %s", error)  # whoever needs the database will hear of it

    def committed(self, revisions: Sequence[int]) -> None:
        """This process wrote those: no news, where nothing of others lies between."""
        if self._pokes is None:
            return
        if self._seen is not None:
            for revision in sorted(revisions):
                if revision == self._seen + 1:
                    self._seen = revision
        if last := max(revisions, default=0):
            self._pokes.tell(last)

    def postpone(self, layer: Layer, field: str, revision: int) -> None:
        """Somebody else wrote a field that has an edit on its way here."""
        if self._pokes is not None:
            self._late[layer, field] = revision

    async def look(self) -> None:
        """Take in what others have committed. Raises StoreUnavailable; then the next look does."""
        store, seen = self._engine.store, self._seen
        last = await store.last_revision()
        self.looks += 1
        if last == seen:
            await self._read_settled()
            return
        if seen is None or last < seen:  # it was away at the start, or is another file by now
            await self._refresh(list(self._engine.layers.values()))
            self._seen = last
            return
        if await store.pruned() > seen:  # of a tombstone that went since no row tells
            await self._refresh(list(self._engine.layers.values()))
        while news := await store.since(seen):
            await self._take(news)
            seen = news[-1].revision
            self._seen = max(seen, self._seen or 0)
        self._seen = max(last, self._seen or 0)  # not every revision is a row of the journal

    async def _take(self, news: Sequence[News]) -> None:
        layers: dict[Layer, None] = {}
        gone = {each.target[:2] for each in news if each.source == FORGOTTEN}
        for scope, owner in self._held(gone):
            await entities.hear_forgotten(self._engine, scope, owner)
        for each in news:
            layer = self._engine.layers.get(each.target)
            if layer is not None and layer.revision(each.field) < each.revision:
                layers[layer] = None
        await self._read_settled(layers)

    def _held(self, gone: AbstractSet[tuple[str, str]]) -> list[tuple[str, str]]:
        """Which of the owners in memory are called so, once they are gone."""
        if not gone:
            return []
        scopes = {scope for scope, _ in gone}
        owners = {each[:2] for each in self._engine.layers if each.scope in scopes}
        return [each for each in owners if (each[0], sealed(*each)) in gone]

    async def _refresh(self, layers: Sequence[Layer]) -> None:
        """Those of them that are loaded, or about to be by a query that began before."""
        stale = [each for each in layers if each.gate.state in ("open", "loading")]
        if stale:
            self.refreshes += len(stale)
            await self._engine.loader.refresh(stale)

    async def _read_settled(self, others: Iterable[Layer] = ()) -> None:
        """Read the layers again with a field whose edit has gone, one way or another, since it was
        postponed; and these others."""
        gone = [key for key in self._late if key[0].pending.newest(key[1]) is None]
        settled = {key: self._late.pop(key) for key in gone}
        behind = [key[0] for key, late in settled.items() if key[0].revision(key[1]) < late]
        try:
            await self._refresh(list(dict.fromkeys([*behind, *others])))
        except StoreError:
            self._late = {**settled, **self._late}
            raise
