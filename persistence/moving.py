"""MOVE IN: what an app kept elsewhere becomes overrides, where nothing was written yet.

    report = await move_in_column(
        engine, database, Shot.id, Shot.settings, scope="shot", actor="move-in"
    )
    report.moved, report.problems, report.last        # go on later with after=report.last

- A setting that was written here before keeps its value, also one that was reset since: so a move
  can be stopped, repeated and run beside the app.
- Each value is checked against its declaration. What doesn't fit is reported with its owner and
  reason, and left where it is: the column is only read.
- A batch of owners is one plan (`plans.py`): one commit, all of it or nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import sqlalchemy

from .changes import Patch
from .checks import check_json, check_scope
from .errors import InvalidValue, PlanOutdated, PolicyViolation, ScopeNotAllowed
from .layers import Layer
from .plans import Draft, Plan, Skipped, Why, confirmed_layers
from .scopes import Target
from .settings import registry
from .specs import SettingSpec

if TYPE_CHECKING:
    from .engine import Engine

Document = Mapping[str, Any]
"""`{tool: {name: value}}`; names are those of the wire or of Python."""

TITLE = "Move values in"


class Problem(NamedTuple):
    """Something that stays where it is, and why."""

    owner: str
    tool: str
    field: str
    problem: str
    """In words for whoever moves in."""


@dataclass(slots=True)
class MovedIn:
    """What became of the rows of a table so far."""

    owners: int = 0
    """Rows that were read."""
    moved: int = 0
    """Values that are overrides now."""
    left: Counter[Why] = field(default_factory=Counter[Why])
    """Values that weren't moved, by reason: own, invalid, unknown, scope, policy."""
    problems: list[Problem] = field(default_factory=list[Problem])
    """Those that don't fit, each with its reason; values that were written here before aren't."""
    last: Any = None
    """The key of the last row that is done: `after=` of the next call."""


async def move_in(
    engine: Engine, scope: str, owner: str, document: Document, *, actor: str = ""
) -> Plan:
    """Move one owner's values in. Returns the plan that was made: `edits`, and `skipped` with why.

    Raises PermissionDenied and StoreUnavailable; nothing is moved then.
    """
    return await _apply(engine, scope, {owner: document}, actor)


async def move_in_column(
    engine: Engine,
    database: sqlalchemy.Engine,
    key: Any,
    column: Any,
    *,
    scope: str,
    actor: str = "",
    document: Callable[[Any], Document] | None = None,
    after: Any = None,
    batch: int = 200,
    on_batch: Callable[[MovedIn], None] | None = None,
) -> MovedIn:
    """Move in what a column of the app's own table holds, a batch of rows at a time.

    `key` and `column` are attributes of one SQLModel (or columns of one table): the owner's id and
    its JSON. `document` makes `{tool: {name: value}}` of a cell where the column holds something
    else. Rows come in the order of `key`, from behind `after`; `on_batch` is called after each
    batch, to note `last` or to show progress. `actor` is who `authorise` is asked about. Raises
    PermissionDenied and StoreUnavailable: the batches before stay moved.
    """
    report = MovedIn(last=after)
    while rows := await asyncio.to_thread(_rows, database, key, column, report.last, batch):
        documents: dict[str, Document] = {}
        for owner, cell in rows:
            try:
                documents[str(owner)] = (document or as_document)(cell)
            except (TypeError, ValueError) as error:
                report.left["invalid"] += 1
                report.problems.append(Problem(str(owner), "", "", f"isn't a document: {error}"))
        plan = await _apply(engine, scope, documents, actor)
        report.owners += len(rows)
        report.moved += len(plan.edits)
        report.left.update(each.why for each in plan.skipped)
        report.problems += [_problem(each) for each in plan.skipped if each.why != "own"]
        report.last = rows[-1][0]
        if on_batch is not None:
            on_batch(report)
    return report


def _rows(
    database: sqlalchemy.Engine, key: Any, column: Any, after: Any, batch: int
) -> list[tuple[Any, Any]]:
    wanted = sqlalchemy.select(key, column).order_by(key).limit(batch)
    if after is not None:
        wanted = wanted.where(key > after)
    with database.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(wanted)]


def as_document(cell: Any) -> Document:
    """A cell as `{tool: {name: value}}`: nothing, JSON text, or what a JSON column gives.

    Raises TypeError and ValueError for anything else.
    """
    value: Any = json.loads(cell) if isinstance(cell, str | bytes) and cell else cell or {}
    if not isinstance(value, dict):
        raise TypeError("not an object of tools")
    return cast("dict[str, Any]", value)


def _problem(skipped: Skipped) -> Problem:
    target = skipped.target
    return Problem(target.owner, target.tool, skipped.field, skipped.detail)


# --- one plan ------------------------------------------------------------------------------------


async def _apply(engine: Engine, scope: str, documents: Mapping[str, Document], actor: str) -> Plan:
    """Plan and make it; anew, if somebody edits one of the fields in between.

    Where an open page's values break a rule together with those of one owner, that owner is left.
    """
    while True:
        plan = await _plan(engine, scope, documents)
        try:
            await engine.apply(plan, actor=actor)
        except PlanOutdated:
            continue  # what moved has a value of its own now, and is left out
        except InvalidValue as error:
            if len(documents) == 1:
                return _left(plan, error.problem)
            each = [await _apply(engine, scope, {o: d}, actor) for o, d in documents.items()]
            edits = tuple(edit for one in each for edit in one.edits)
            return Plan(TITLE, edits, tuple(left for one in each for left in one.skipped))
        return plan


def _left(plan: Plan, problem: str) -> Plan:
    """The same, with nothing done."""
    left = tuple(Skipped(edit.target, edit.field, "invalid", problem) for edit in plan.edits)
    return Plan(plan.title, (), (*left, *plan.skipped))


async def _plan(engine: Engine, scope: str, documents: Mapping[str, Document]) -> Plan:
    draft = Draft(TITLE)
    wanted: list[tuple[Target, Mapping[str, Any]]] = []
    for owner, document in documents.items():
        for tool, values in document.items():
            target = Target(scope, owner, str(tool)[:200])
            if target.tool not in registry:
                draft.skip(target, "", "unknown", "no such tool is declared")
            elif not isinstance(values, Mapping):
                draft.skip(target, "", "invalid", "isn't an object of settings")
            else:
                wanted.append((target, cast("Mapping[str, Any]", values)))
    await confirmed_layers(engine, [target for target, _ in wanted])
    for target, values in wanted:
        _plan_tool(draft, engine.layer(target), values)
    return draft.plan()


def _plan_tool(draft: Draft, layer: Layer, values: Mapping[str, Any]) -> None:
    accepted: dict[str, Any] = {}
    for name, value in values.items():
        spec = layer.spec.by_alias.get(name) or layer.spec.fields.get(name)
        if spec is None:
            draft.skip(layer.target, str(name)[:100], "unknown", "no such setting is declared")
        elif reason := _stays(layer, spec):
            draft.skip(layer.target, spec.name, *reason)
        else:
            try:
                accepted[spec.name] = check_json(spec, value)
            except InvalidValue as error:
                draft.skip(layer.target, spec.name, "invalid", error.problem)
    for name in _breaking(layer, accepted, draft):
        del accepted[name]
    for name, value in accepted.items():
        whole = Patch(value) if layer.spec.fields[name].merge else value
        draft.change(layer, name, "set", whole)


def _stays(layer: Layer, spec: SettingSpec) -> tuple[Why, str] | None:
    """Why a setting of this layer isn't to be written, if it isn't."""
    if layer.gate.state == "gone":
        return "gone", layer.gate.problem
    held = layer.opinion(spec.name)
    if held is not None and held.kind == "policy":
        return "policy", f"is enforced by this {layer.target.scope} itself"
    if layer.revision(spec.name) or layer.pending.newest(spec.name) is not None:
        return "own", "was written here before"
    try:
        check_scope(spec, layer.target.scope)
        for view, index in layer.views:
            view.check_policy(spec.name, index)
    except ScopeNotAllowed as error:
        return "scope", error.problem
    except PolicyViolation as error:
        return "policy", error.problem
    return None


def _breaking(layer: Layer, accepted: Mapping[str, Any], draft: Draft) -> Iterable[str]:
    """The settings that break a rule across them, noted in the draft; over the layer alone."""
    broken: dict[str, str] = {}
    values = {**layer.spec.defaults(), **accepted}
    for names, validator in layer.spec.validators:
        try:
            validator(values)
        except ValueError as error:
            broken |= {name: str(error) for name in names if name in accepted}
    for name, problem in broken.items():
        draft.skip(layer.target, name, "invalid", problem)
    return tuple(broken)
