"""UNDO: take back what one person did, and do it again; over reloads, tabs and restarts.

    undoing = await engine.undo.plan("ada")      # None where there is nothing to undo
    if not undoing.changed:                      # else ask: the rest, or all of it anyway?
        await engine.undo.apply(undoing)

- The journal alone says what is next. An undo writes rows of the group `undo:<group>`, a redo
  `redo:<group>`; walking a person's rows from the newest on tells what stands and what was taken
  back.
- One action is one step, over however many fields, tools and owners. Programs' edits, loads and
  other people's changes are never steps.
- Of a merging dict only the keys that the action changed go back.
- What was changed since is asked about. What is gone, no longer permitted or no longer valid is
  skipped, and said.
- A new edit clears what could be done again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .back import Back
from .changes import Override
from .errors import EditError, PlanOutdated
from .journal import Difference, Place, Step, action_of, points, step_of
from .plans import Opinion, Plan, Why
from .reversal import Reversal, reverse
from .scopes import Target
from .store.base import CONFLICT, Change

if TYPE_CHECKING:
    from .engine import Engine

FAR = 2_000
"""Journal rows of a person among which the next step is looked for."""
CHUNK = 200
REMEMBERED = 10_000
"""Steps that could not be taken back and are passed over."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A field that somebody changed after the step: its author is asked before it goes back."""

    target: Target
    field: str
    keys: tuple[str, ...]
    """Of a merging dict: the keys that were changed since."""
    author: str
    """Who changed it."""
    at: float
    """When, in seconds since the epoch."""
    now: Opinion
    """What they made of it."""
    to: Opinion
    """What it would become."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """What it would mean to take a step back, or to do it again. Changes nothing yet."""

    actor: str
    verb: Literal["undo", "redo"]
    step: Step
    """What is taken back: for a redo, the undo."""
    rest: Plan
    """Without what was changed since."""
    everything: Plan
    """Also over what was changed since."""
    changed: tuple[Changed, ...]
    """What to ask about."""


class Undo:
    """One undo history a person."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._passed: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def next(self, actor: str) -> Step | None:
        """What this person would undo next. Raises StoreUnavailable."""
        return await self._find(actor, redo=False)

    async def next_redo(self, actor: str) -> Step | None:
        """The undo that this person would take back next. Raises StoreUnavailable."""
        return await self._find(actor, redo=True)

    async def plan(self, actor: str, *, redo: bool = False) -> Undoing | None:
        """What undoing the next step would change, on what stands now; None where there is none.

        What this person edited is saved first. Raises StoreUnavailable.
        """
        await self._save_edits_of(actor)
        step = await self._find(actor, redo=redo)
        if step is None:
            return None
        planning = _Planning(self._engine, actor, step)
        await planning.run()
        verb: Literal["undo", "redo"] = "redo" if redo else "undo"
        rest, everything = (each.plan(verb.capitalize()) for each in planning.both)
        return Undoing(actor, verb, step, rest, everything, tuple(planning.changed))

    async def apply(self, undoing: Undoing, *, anyway: bool = False) -> Plan:
        """Do it: the rest, or `anyway` also what was changed since. Returns what was done.

        A step of which nothing can be taken back is passed over from then on. Raises PlanOutdated
        where something moved since it was planned: plan again; StoreUnavailable; and the kinds of
        EditError where it isn't possible, which passes it over as well.
        """
        plan = undoing.everything if anyway else undoing.rest
        group = str(action_of(undoing.step.group).opposite)
        if plan.is_empty:
            self._pass_over(undoing)
            return plan
        try:
            await self._engine.apply(plan, actor=undoing.actor, source="undo", group=group)
        except PlanOutdated:
            raise
        except EditError:
            self._pass_over(undoing)
            raise
        return plan

    # --- what is next ----------------------------------------------------------------------------

    async def _find(self, actor: str, *, redo: bool) -> Step | None:
        met: set[str] = set()
        async for row in self._rows(actor):
            verb, action, _ = action_of(row.group)
            if redo and not verb:
                return None  # edited since the last undo: that can't be done again
            if action in met:
                continue
            met.add(action)
            if (verb == "undo") == redo and (step := await self._step(row)) is not None:
                return step
        return None

    async def _rows(self, actor: str) -> AsyncIterator[Change]:
        """What this person did, newest first. Nobody's edits are no person's."""
        before: int | None = None
        for _ in range(FAR // CHUNK if actor else 0):
            rows = await self._engine.store.authored(actor, before=before, limit=CHUNK)
            for row in rows:
                if _is_step(row):
                    yield row
            if len(rows) < CHUNK:
                return
            before = rows[-1].revision

    async def _step(self, row: Change) -> Step | None:
        """The action of a row; None where there is nothing in it to take back."""
        if (row.author, row.group) in self._passed:
            return None
        store = self._engine.store
        rows = [each for each in await store.group(row.group, row.author) if _is_step(each)]
        standing = await store.standing(points(rows))
        step = step_of(rows or [row], standing, self._engine.tool, await store.pruned())
        if step is None or all(change.secret for change in step.changes):
            return None
        return step

    def _pass_over(self, undoing: Undoing) -> None:
        self._passed[undoing.actor, undoing.step.group] = None
        if len(self._passed) > REMEMBERED:
            self._passed.popitem(last=False)

    async def _save_edits_of(self, actor: str) -> None:
        mine = [
            layer.target
            for layer in tuple(self._engine.dirty)
            if any(edit.author == actor for edit in layer.pending.edits())
        ]
        with suppress(EditError):  # what was refused stands in no journal
            await self._engine.flush(mine)


class _Planning:
    """Takes one step back, field by field, on what stands now; nothing is changed."""

    def __init__(self, engine: Engine, actor: str, step: Step) -> None:
        self._engine, self._actor, self._step = engine, actor, step
        self.rest = Back(engine, actor)
        self.everything = self.rest.twin()
        self.changed: list[Changed] = []

    @property
    def both(self) -> tuple[Back, Back]:
        return self.rest, self.everything

    async def run(self) -> None:
        await self.rest.open({change.target for change in self._step.changes})
        self.everything = self.rest.twin()
        for difference in self._step.changes:
            await self._take_back(difference)

    async def _take_back(self, difference: Difference) -> None:
        place = (difference.target, difference.field)
        was, made = difference.before, difference.after
        if self.rest.hinders(place):
            self.everything.hinders(place)
        elif was is None or made is None:
            self._skip(place, "unknown", "what it was before isn't kept any more")
        else:
            now = self.rest.now(place)
            found = reverse(now, was, made, is_own=await self._is_own(place))
            if found.rest is not None:
                await self.rest.put(place, found.rest)
            if found.everything is not None:
                await self.everything.put(place, found.everything)
            if found.is_asked:
                self.changed.append(await self._asked(place, now, found))
            elif found.rest is None:
                self._skip(place, "same")

    def _skip(self, place: Place, why: Why, detail: str = "") -> None:
        for each in self.both:
            each.skip(place, why, detail)

    def _standing(self, place: Place) -> Override | None:
        return self.rest.layers[place[0]].confirmed.get(place[1])

    async def _is_own(self, place: Place) -> bool:
        """Is what stands there this person's, or what somebody left by taking an edit back?"""
        held = self._standing(place)
        if held is None or held.author == self._actor:
            return True
        point = (*place, held.revision + 1)
        stands = (await self._engine.store.standing([point]))[point]
        return stands is not None and stands.source == "undo"

    async def _asked(self, place: Place, now: Opinion, found: Reversal) -> Changed:
        author, at = await self._who(place)
        self.rest.skip(place, "changed", f"{author or 'somebody'} changed it since")
        return Changed(*place, found.keys, author, at, now, found.everything or now)

    async def _who(self, place: Place) -> tuple[str, float]:
        """Who changed it after the step, and when: somebody else, if there was anybody else."""
        target, field = place
        rows = await self._engine.store.history([target], field=field, limit=CHUNK)
        since = [
            row for row in rows if row.revision > self._step.revision and row.source != CONFLICT
        ]
        others = [row for row in since if row.author != self._actor] or since
        if others:
            return others[0].author, others[0].at
        held = self._standing(place)
        return (held.author, held.at) if held is not None else ("", 0.0)


def _is_step(row: Change) -> bool:
    """Is it a person's own doing?"""
    return row.source in ("user", "undo") and bool(row.group)
