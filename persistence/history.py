"""HISTORY: who changed what when, from what to what; compared, named, and restored by a plan.

    page = await engine.history.steps([target])             # newest first, an action a step
    plan = await engine.history.plan_restore([target], page.steps[3], actor="ada")
    await engine.apply(plan, actor="ada")                   # one more step, that can be undone

- Everything is read from the journal. What lies before its horizon is said to be gone, not guessed.
- Of a secret it says that it changed, never to what.
- Reading asks nobody for permission: whoever shows it has asked, as for the values themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from .back import Back
from .errors import InvalidValue, NotKept, ScopeNotAllowed
from .journal import NOTHING, Difference, Step, agree, is_secret, layer_at, points, step_of
from .plans import Opinion, Plan, confirmed_layers, opinion_of
from .scopes import Target
from .store.base import CONFLICT, Change, Moment

if TYPE_CHECKING:
    from .engine import Engine

Then = int | Step | Moment
"""A moment: a revision, the end of a step, or one that was named."""

CHUNK = 200
"""Journal rows that are read at once."""
FAR = 5_000
"""Journal rows that one page looks through for somebody's."""
STRAGGLERS = 50
"""Rows after the end of a page among which the rest of its last actions is looked for."""
LONGEST_NAME = 80
MOST_MOMENTS = 100
"""Named moments that one owner may have: each keeps rows of the journal from being pruned."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some steps, newest first."""

    steps: tuple[Step, ...]
    before: int | None
    """Where the next page begins; None at the end."""
    begins: float | None
    """On the page where the history begins because what was before isn't kept: since when it is
    complete, in seconds since the epoch, 0 where nobody knows. Else None."""


class History:
    """What the journal tells of an engine's layers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def changes(
        self,
        targets: Iterable[Target],
        *,
        field: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Change]:
        """The journal's rows as they are, newest first; `before` a revision, for the next page."""
        store = self._engine.store
        return await store.history(list(targets), field=field, before=before, limit=limit)

    async def steps(
        self,
        targets: Collection[Target],
        *,
        field: str | None = None,
        author: str = "",
        before: int | None = None,
        limit: int = 30,
    ) -> Page:
        """What people did to these layers, newest first, some `limit` steps; of one field or person
        if asked. `before` is that of the page before.

        A page may be short, and still have one that follows. Raises StoreUnavailable.
        """
        store = self._engine.store
        pruned = await store.pruned()
        rows, following = await self._rows(list(targets), field, author, before, limit)
        standing = await store.standing(
            [point for each in _actions(rows) for point in points(each)]
        )
        steps = [step_of(each, standing, self._engine.tool, pruned) for each in _actions(rows)]
        is_cut = pruned > 0 and (following is None or following <= pruned)
        kept = [row for row in rows if row.revision > pruned] or rows
        begins = (kept[-1].at if kept else 0.0) if is_cut else None
        return Page(tuple(step for step in steps if step is not None), following, begins)

    async def _rows(
        self,
        targets: list[Target],
        field: str | None,
        author: str,
        before: int | None,
        limit: int,
    ) -> tuple[list[Change], int | None]:
        """The rows of a page, whole actions where that can be, and where the next one begins."""
        rows: list[Change] = []
        for _ in range(FAR // CHUNK):
            chunk = await self.changes(targets, field=field, before=before, limit=CHUNK)
            rows += [row for row in chunk if not author or row.author == author]
            before = chunk[-1].revision if len(chunk) == CHUNK else None
            if before is None or len(_actions(rows)) > limit:
                break
        end = _end_of_page(rows, limit)
        return (rows[:end], rows[end - 1].revision) if end < len(rows) else (rows, before)

    # --- comparing and restoring -----------------------------------------------------------------

    async def compare(
        self, targets: Collection[Target], earlier: Then, later: Then | None = None
    ) -> tuple[Difference, ...]:
        """What was changed between two moments, or between a moment and now.

        Raises NotKept where the journal doesn't reach back so far, and StoreUnavailable.
        """
        await self._require_kept(targets, earlier)
        then = await self._layers_at(targets, earlier)
        if later is None:
            now = await self._layers_now(targets)
        else:
            await self._require_kept(targets, later)
            now = await self._layers_at(targets, later)
        return tuple(
            Difference(target, field, before, after, secret)
            for target in targets
            for field, before, after, secret in self._differing(target, then, now)
        )

    async def plan_restore(
        self,
        targets: Collection[Target],
        to: Then,
        *,
        actor: str,
        fields: Collection[str] | None = None,
        title: str = "",
    ) -> Plan:
        """The edits that bring layers back to a moment: all of their fields, or only these.

        A step that met somebody else's edit and never stood is brought about. What can't be brought
        back is skipped, with the reason. Raises NotKept where the journal doesn't reach back so
        far, and StoreUnavailable.
        """
        await self._require_kept(targets, to)
        back = Back(self._engine, actor)
        await back.open(targets)
        foreign = [target for target in targets if target not in back.layers]
        stands = await self._layers_at(foreign, await self._engine.store.last_revision())
        now = {**stands, **await self._layers_now(back.layers)}
        then = await self._layers_at(targets, to)
        if isinstance(to, Step) and to.source == CONFLICT:
            then = _with_contested(then, to)
        for target in targets:
            for field, _, wanted, _ in self._differing(target, now, then):
                if fields is not None and field not in fields:
                    continue
                if field in then[target].unreadable:
                    back.skip((target, field), "unknown", "can't be read any more as it was")
                elif not back.hinders((target, field)):
                    await back.put((target, field), wanted)
        return back.plan(title or "Restore")

    async def _layers_at(self, targets: Collection[Target], then: Then) -> dict[Target, _Layer]:
        stood = await self._engine.store.at(targets, _revision(then))
        layers: dict[Target, _Layer] = {}
        for target, changes in stood.items():
            said, unreadable = layer_at(self._engine.tool(target.tool), changes)
            revisions = {field: change.revision for field, change in changes.items()}
            layers[target] = _Layer(said, revisions, unreadable)
        return layers

    async def _layers_now(self, targets: Iterable[Target]) -> dict[Target, _Layer]:
        layers = await confirmed_layers(self._engine, targets)
        return {
            layer.target: _Layer(
                {field: opinion_of(layer, field) for field in layer.fields()},
                {field: held.revision for field, held in layer.confirmed.items()},
                frozenset(),
            )
            for layer in layers
        }

    def _differing(
        self, target: Target, earlier: dict[Target, _Layer], later: dict[Target, _Layer]
    ) -> Iterable[tuple[str, Opinion, Opinion, bool]]:
        """Field, before, after, is it secret; in the order of the declaration."""
        one, other = earlier[target], later[target]
        spec = self._engine.tool(target.tool)
        declared = {name: place for place, name in enumerate(spec.fields)}
        fields = sorted({*one.said, *other.said}, key=lambda f: (declared.get(f, len(declared)), f))
        for field in fields:
            before, after = one.said.get(field, NOTHING), other.said.get(field, NOTHING)
            secret = is_secret(spec, field)
            if not agree(before, after) or (
                secret and one.revisions.get(field) != other.revisions.get(field)
            ):
                yield field, before, after, secret

    async def _require_kept(self, targets: Iterable[Target], then: Then) -> None:
        revision, store = _revision(then), self._engine.store
        if revision >= await store.pruned():
            return
        for scope, owner in {target[:2] for target in targets}:
            if all(each.revision != revision for each in await store.moments(scope, owner)):
                raise NotKept("the history doesn't reach back so far: older changes aren't kept")

    # --- named moments ---------------------------------------------------------------------------

    async def name_moment(
        self, scope: str, owner: str, name: str, *, actor: str, at: Then | None = None
    ) -> Moment:
        """Give a name to how everything of an owner stands now, or stood at a moment.

        Its history is kept from then on, whatever is pruned. Raises InvalidValue for a name that is
        empty, longer than 80 characters or taken, and for the 101st of an owner; PermissionDenied;
        NotKept; StoreUnavailable.
        """
        await self._permit(actor, "write", scope, owner)
        wanted = _checked_name(name)
        known = await self._engine.store.moments(scope, owner)
        if any(each.name == wanted for each in known):
            raise InvalidValue("name", f"“{wanted}” is taken: choose another, or remove that first")
        if len(known) >= MOST_MOMENTS:
            raise InvalidValue(
                "name", f"this {scope} has {MOST_MOMENTS} named moments already: remove one first"
            )
        if at is not None:
            await self._require_kept([Target(scope, owner, "")], at)
        else:
            await self._engine.flush(t for t in self._engine.layers if t[:2] == (scope, owner))
        revision = await self._engine.store.last_revision() if at is None else _revision(at)
        moment = Moment(scope, owner, wanted, revision, actor, self._engine.wall())
        await self._engine.store.name_moment(moment)
        return moment

    async def moments(self, scope: str, owner: str, *, actor: str) -> list[Moment]:
        """An owner's named moments, newest first. Raises PermissionDenied and StoreUnavailable."""
        await self._permit(actor, "read", scope, owner)
        return await self._engine.store.moments(scope, owner)

    async def remove_moment(self, scope: str, owner: str, name: str, *, actor: str) -> bool:
        """Forget a name; False where there is none. Raises PermissionDenied, StoreUnavailable."""
        await self._permit(actor, "write", scope, owner)
        return await self._engine.store.remove_moment(scope, owner, name)

    async def _permit(
        self, actor: str, action: Literal["read", "write"], scope: str, owner: str
    ) -> None:
        if scope not in self._engine.scopes:
            raise ScopeNotAllowed("name", f"{scope} is no scope")
        await self._engine.permit(actor, action, Target(scope, owner, ""), "name")


class _Layer(NamedTuple):
    """What a layer said at some time, by field."""

    said: Mapping[str, Opinion]
    revisions: Mapping[str, int]
    unreadable: Collection[str]


def _with_contested(layers: dict[Target, _Layer], step: Step) -> dict[Target, _Layer]:
    """With what an edit says that was in conflict then."""
    made = dict(layers)
    for change in step.changes:
        if change.target in made and change.after is not None and not change.secret:
            layer = made[change.target]
            made[change.target] = layer._replace(said={**layer.said, change.field: change.after})
    return made


def _revision(then: Then) -> int:
    return then if isinstance(then, int) else then.revision


def _checked_name(name: object) -> str:
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not text or not text.isprintable():
        raise InvalidValue("name", "must be a text")
    if len(text) > LONGEST_NAME:
        raise InvalidValue("name", f"must have at most {LONGEST_NAME} characters")
    return text


def _action(row: Change) -> tuple[str, str]:
    """What tells actions apart; a row without a group is one by itself."""
    return row.author, row.group or f"#{row.revision}"


def _actions(rows: Iterable[Change]) -> list[list[Change]]:
    """The rows by action, that with the newest row first."""
    found: dict[tuple[str, str], list[Change]] = {}
    for row in rows:
        found.setdefault(_action(row), []).append(row)
    return list(found.values())


def _end_of_page(rows: Sequence[Change], limit: int) -> int:
    """How many rows make so many actions, or somewhat more: actions that are interleaved stay
    whole."""
    actions: set[tuple[str, str]] = set()
    for position, row in enumerate(rows):
        if _action(row) not in actions and len(actions) == limit:
            return _whole(rows, position)
        actions.add(_action(row))
    return len(rows)


def _whole(rows: Sequence[Change], end: int) -> int:
    """The end behind the last row, of those near, of an action that has begun."""
    near = rows[: end + STRAGGLERS]
    while True:
        begun = {_action(row) for row in rows[:end]}
        after = max(n + 1 for n, row in enumerate(near) if _action(row) in begun)
        if after <= end:
            return end
        end = after
