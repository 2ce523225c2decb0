"""What a page is told of an edit that wasn't saved: enough to show it and to decide, without a
server.

The browser keeps such an edit until its user has dealt with it (`assets/unsaved.js`): over reloads
and restarts, and on pages that show nothing of its tool. So the answer brings the words along: what
the setting is called, whose it is, which control edits it, who else changed it.

Names come from the app's `describe` hook, and only of owners whose settings the person may read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from ..changes import Override, Patch
from ..errors import PersistenceError
from ..layers import Conflict, Layer, Refused
from ..operations import Operation
from ..pending import FOLDED, Dirty
from ..presentation import choices_of, widget_of, words_of
from ..scopes import Target
from ..settings import registry
from ..shapes import shape_of
from ..specs import SettingSpec
from .handover import HANDLER, id_of
from .panel.words import as_json, scope_names
from .tabs import Tabs

log = logging.getLogger("persistence")

Told = dict[str, Any]
"""An answer as the page hears it."""


class About(TypedDict):
    """The words of an edit."""

    title: str
    """Of the setting, "" for what isn't one."""
    tool: str
    where: list[str]
    """Names: of the owner, then of what it is in, as far as the page shows that. Empty for one's
    own settings."""
    scope: str
    """The scope in the app's words."""
    control: Told
    """`kind` (text, long, number, boolean, json), `choices`, `min`, `max`, `step`, `unit`,
    `optional`; what the type doesn't have is left out."""
    secret: bool
    gone: bool
    """Was the owner deleted?"""
    people: dict[str, str]
    """Who else is named in the answer, as far as the app has a name."""


async def about(
    tabs: Tabs,
    actor: str,
    operation: Operation,
    told: Mapping[str, Any],
    owners: Mapping[str, str] | None = None,
) -> About:
    """The words for what `actor` is told of an operation. `owners` are those of their page."""
    target = operation.target
    tool = registry.get(target.tool)
    spec = tool.fields.get(operation.field) if tool is not None else None
    people = {each.get("by", "") for each in _sides(told)} - {"", actor}
    return {
        "title": spec.title or words_of(spec.name) if spec is not None else "",
        "tool": (tool.title if tool is not None else "") or words_of(target.tool),
        "where": await _where(tabs, actor, target, owners or {}),
        "scope": scope_names().get(target.scope, words_of(target.scope)).lower(),
        "control": control_of(spec) if spec is not None else {"kind": "json"},
        "secret": spec is not None and spec.secret,
        "gone": target[:2] in tabs.engine.gone,
        "people": await _people(tabs, people),
    }


def _sides(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for name in ("theirs", "base_value") if (each := told.get(name))]


async def _where(tabs: Tabs, actor: str, target: Target, owners: Mapping[str, str]) -> list[str]:
    """The owner's name, then those of the weaker scopes that the page shows around it."""
    scopes = tabs.engine.scopes.names
    if target.scope not in scopes:
        return []
    around = (
        scopes[1 : scopes.index(target.scope)] if owners.get(target.scope) == target.owner else ()
    )
    wanted = [
        (target.scope, target.owner),
        *((each, owners.get(each, "")) for each in around[::-1]),
    ]
    names: list[str] = []
    for scope, owner in wanted:
        if not owner or owner == actor:
            continue
        try:
            await tabs.engine.permit(actor, "read", Target(scope, owner, target.tool))
        except PersistenceError:
            continue
        except Exception:
            log.exception("authorise failed for %s", target)
            continue
        name = await tabs.directory.name(scope, owner)
        names.append(name if name != owner else scope_names().get(scope, words_of(scope)))
    return names


async def _people(tabs: Tabs, ids: Iterable[str]) -> dict[str, str]:
    named = await tabs.directory.names(tabs.engine.scopes.names[0], ids)
    return {each: name for each, name in named.items() if name != each}


def control_of(spec: SettingSpec) -> Told:
    """What a control of the browser's has to know of a setting."""
    shape, rules = shape_of(spec.annotation), spec.constraints
    kind = shape.kind
    made: Told = {"kind": "json"}
    if kind == "text":
        made["kind"] = "long" if widget_of(spec) == "long" else "text"
    elif kind in ("integer", "number"):
        low, high = rules.get("ge", rules.get("gt")), rules.get("le", rules.get("lt"))
        limits = {"min": low, "max": high, "step": 1 if kind == "integer" else None}
        made = {
            "kind": "number",
            **{name: each for name, each in limits.items() if each is not None},
        }
    elif kind == "choice" or (kind == "boolean" and shape.optional):
        made["choices"] = [[each, words] for each, words in choices_of(spec)]
    elif kind == "boolean":
        made["kind"] = "boolean"
    if shape.optional:
        made["optional"] = True
    if unit := spec.presentation.get("unit"):
        made["unit"] = unit
    return made


def in_words(told: Told) -> Told:
    """The answer with the author's name in its problem, where the app has one."""
    people: Mapping[str, str] = told["about"]["people"]
    by = next((each.get("by", "") for each in _sides(told)), "")
    if told["status"] != "conflict" or by not in people:
        return told
    return {**told, "problem": f"was changed by {people[by]} meanwhile"}


# --- edits that no browser made -------------------------------------------------------------------


def handlers_edits(layer: Layer, actor: str) -> list[tuple[Operation, Told]]:
    """What this person's handlers set here and what was set aside, as operations and answers.

    A secret's value goes to no browser: such an edit stays where it is.
    """
    found: list[tuple[Operation, Told]] = []
    for each in layer.aside:
        edit, spec = each.edit, layer.spec.fields.get(each.field)
        if edit.author == actor and is_handlers(edit) and spec is not None and not spec.secret:
            operation = _operation(each, spec, layer.spec.version)
            found.append((operation, _answer(each, operation, spec)))
    return found


def is_handlers(edit: Dirty) -> bool:
    """Was it made by a handler, perhaps on top of what a browser sent?"""
    return not edit.operations or edit.operations[-1].startswith(FOLDED)


def _operation(each: Refused | Conflict, spec: SettingSpec, schema: int) -> Operation:
    edit = each.edit
    kind, value = ("keys", edit.delta) if edit.delta is not None else (edit.kind, edit.value)
    return Operation(
        id_of(edit), HANDLER, edit.seq, each.target, edit.field,
        kind if kind != "policy" else "set", sendable(spec, value), edit.base,
        actor=edit.author, schema=schema,
    )  # fmt: skip


def _answer(each: Refused | Conflict, operation: Operation, spec: SettingSpec) -> Told:
    told: Told = {
        "id": operation.id,
        "status": "refused",
        "target": list(each.target),
        "field": each.field,
        "problem": each.problem,
        "origin": "handler",
        "operation": {
            "kind": operation.kind,
            "value": operation.value,
            "base": operation.base,
            "schema": operation.schema,
        },
    }
    if isinstance(each, Conflict):
        told |= {
            "status": "conflict",
            "theirs": _side(spec, each.theirs),
            "base_value": None if each.before is None else _side(spec, each.before),
        }
    return told


def _side(spec: SettingSpec, stands: Override) -> Told:
    return {
        "value": sendable(spec, stands.value) if stands.holds else None,
        "kind": stands.kind,
        "by": stands.author,
        "at": stands.at,
        "revision": stands.revision,
    }


def sendable(spec: SettingSpec, value: Any) -> Any:
    """A value as a page sends it; of a merging dict what is set and what is removed."""
    if isinstance(value, Patch):
        return {"set": dict(value.set), "remove": sorted(value.remove)}
    return None if value is None else as_json(spec, value)
