"""Completes the first steps by what users really do.

What a program did counts for nothing, so the sample film completes no step. The last step is a
look, which only the page can tell.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from persistence import Engine, Notice, PersistenceError
from persistence.reflex import running_engine
from workbench.settings import Onboarding
from workbench.steps import done_by, progress, today

TOOL = Onboarding.__tool__.tool


@asynccontextmanager
async def watch_first_steps() -> AsyncGenerator[None]:
    """For as long as the server runs."""
    watcher = Watcher(running_engine())
    try:
        yield
    finally:
        watcher.close()


class Watcher:
    """Completes steps as the engine commits what users did.

    - Only for a user who has steps left; everybody else costs one look into memory.
    - A failure costs nobody their edit: the step is completed by the next one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop = engine.subscribe(self._hear)

    def close(self) -> None:
        self._stop()

    def _hear(self, notice: Notice) -> None:
        if notice.kind == "committed" and notice.actor and notice.target.tool != TOOL:
            self._engine.spawn(self._look(notice))

    async def _look(self, notice: Notice) -> None:
        try:
            await self._complete(notice)
        except PersistenceError:
            return

    async def _complete(self, notice: Notice) -> None:
        actor = notice.actor
        tour = await self._engine.open(Onboarding, {"user": actor}, actor=actor)
        try:
            if tour.values.completed:
                return
            done = set(tour.values.steps_completed)
            if new := await self._done_now(notice) - done:
                skipped = tour.values.dismissed_tips
                tour.update(source="program", **progress(done | new, skipped, day=today()))
        finally:
            tour.close()

    async def _done_now(self, notice: Notice) -> set[str]:
        """By the newest journal row of each field that was committed."""
        rows = await self._engine.store.history([notice.target], limit=2 * len(notice.fields))
        newest = {row.field: row for row in reversed(rows) if row.author == notice.actor}
        return done_by([row for field, row in newest.items() if field in notice.fields])
