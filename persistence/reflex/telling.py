"""What was changed, in words for a page: names of owners and people, values from what to what.

Used by the history and by undo. Names come from the app's `describe` hook; where it has none, the
scope's word stands for an owner, and an id for a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast

from ..changes import Patch, same
from ..errors import PermissionDenied
from ..journal import Difference
from ..plans import Opinion, counted
from ..presentation import words_of
from ..scopes import Target
from ..shapes import shape_of
from ..specs import UNSET, SettingSpec
from .panel.words import scope_names, value_words
from .tabs import Tab, require_tabs
from .worddiff import Segment, segments

LONGEST = 400
"""Characters of a value that are told."""
MOST_KEYS = 12
"""Keys of a dict that are told one by one."""


class Part(TypedDict):
    """A change of a value, or of one key of it."""

    label: str
    """The key, "" for the whole value."""
    before: str
    after: str
    segments: list[Segment]
    """Both as one text, word by word; empty where they are better told whole."""


@dataclass(slots=True)
class Names:
    """How owners and people are called, asked for once for all that is told."""

    tab: Tab
    _names: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    async def ask(self, targets: Iterable[Target], people: Iterable[str] = ()) -> None:
        """Of owners whose settings this person may not read no name is asked for."""
        directory, engine = require_tabs().directory, require_tabs().engine
        wanted: dict[str, set[str]] = {engine.scopes.names[0]: set(people)}
        for target in {each[:2]: each for each in targets}.values():
            try:
                await engine.permit(self.tab.actor, "read", target)
            except PermissionDenied:
                continue
            wanted.setdefault(target.scope, set()).add(target.owner)
        for scope, owners in wanted.items():
            found = await directory.names(scope, owners)
            self._names |= {(scope, o): name for o, name in found.items() if name != o}

    def person(self, actor: str) -> str:
        """ "You", a name, else the id."""
        if actor == self.tab.actor:
            return "You"
        weakest = require_tabs().engine.scopes.names[0]
        return self._names.get((weakest, actor), actor) or "Somebody"

    def owner(self, target: Target) -> str:
        """A name, else the scope in the app's words."""
        if target.owner == self.tab.actor:
            return scope_word(target.scope)
        return self._names.get((target.scope, target.owner), scope_word(target.scope))


def scope_word(scope: str) -> str:
    """What the app calls a scope."""
    return scope_names().get(scope) or words_of(scope)


def title_of(target: Target, name: str) -> str:
    """What people call a setting."""
    spec = require_tabs().engine.tool(target.tool)
    known = spec.fields.get(name)
    return known.title if known is not None and known.title else name


def about(changes: Collection[Difference], names: Names) -> str:
    """What an action was about: "Frames in Dusk", "4 settings in Dusk", "Frames in 37 shots"; of
    one's own settings without saying where."""
    owners = {change.target[:2]: change.target for change in changes}
    fields = {(change.target.tool, change.field): change for change in changes}
    if len(owners) > 1:
        scopes = [scope for scope, _ in owners]
        where = ", ".join(counted(scopes.count(scope), scope) for scope in dict.fromkeys(scopes))
    else:
        (target,) = owners.values()
        where = "" if target.owner == names.tab.actor else names.owner(target)
    change = next(iter(fields.values()))
    what = title_of(change.target, change.field)
    if len(fields) > 1:
        what = counted(len(fields), "setting")
    return f"{what} in {where}" if where else what


def said(spec: SettingSpec | None, opinion: Opinion | None) -> str:
    """What a layer said, in a few words."""
    if opinion is None:
        return "not kept any more"
    if opinion.kind in ("reset", "block"):
        return {"reset": "inherited", "block": "blocked"}[opinion.kind]
    mark = {"pin": ", pinned", "policy": ", for all"}.get(opinion.kind, "")
    return _value(spec, opinion.value) + mark


def _value(spec: SettingSpec | None, value: Any) -> str:
    if value is UNSET:
        return "••••••••"
    if isinstance(value, str) and (spec is None or shape_of(spec.annotation).kind == "text"):
        return _cut(value) if value.strip() else "Empty"
    try:
        if spec is not None:
            return value_words(spec, value)
    except (ValueError, TypeError, AttributeError):
        pass  # a value of an older declaration
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def parts_of(difference: Difference) -> list[Part]:
    """From what to what; key by key for dicts, word by word for long texts."""
    target, name, before, after, secret = (
        difference.target, difference.field, difference.before, difference.after,
        difference.secret,
    )  # fmt: skip
    if secret:
        return [{"label": "", "before": "", "after": "changed, a secret", "segments": []}]
    spec = require_tabs().engine.tool(target.tool).fields.get(name)
    by_key = _by_key(spec, before, after)
    if by_key:
        return by_key
    one, other = said(spec, before), said(spec, after)
    if before is not None and after is not None and before.kind == after.kind == "set":
        return [_part("", one, other, _text(before), _text(after))]
    return [_part("", one, other)]


def _text(opinion: Opinion) -> str | None:
    """A text as a whole, to be compared word by word."""
    return opinion.value if isinstance(opinion.value, str) else None


def _part(
    label: str, before: str, after: str, one: str | None = None, other: str | None = None
) -> Part:
    """`one` and `other` are compared word by word; without them, what is told."""
    found = segments(before if one is None else one, after if other is None else other)
    return {"label": label, "before": before, "after": after, "segments": found}


def _by_key(spec: SettingSpec | None, before: Opinion | None, after: Opinion | None) -> list[Part]:
    """For dicts, of which few keys changed; none where that says too little."""
    if before is None or after is None or {before.kind, after.kind} - {"set", "reset"}:
        return []
    one, other = _keys(before), _keys(after)
    if one is None or other is None or before.kind == after.kind == "reset":
        return []
    if before.kind != after.kind and not (spec is not None and spec.merge):
        return []
    keys = dict.fromkeys([*one, *other])
    changed = [key for key in keys if not same(one.get(key, GONE), other.get(key, GONE))]
    if not 0 < len(changed) <= MOST_KEYS:
        return []
    missing = "inherited" if spec is not None and spec.merge else "not there"
    return [_part(key, _key(one, key, missing), _key(other, key, missing)) for key in changed]


GONE = object()
"""Stands for a key that isn't there."""
REMOVED = object()
"""Stands for a key that a merging dict takes away."""


def _keys(opinion: Opinion) -> dict[str, Any] | None:
    if opinion.kind == "reset":
        return {}
    if isinstance(opinion.value, Patch):
        return {**opinion.value.set, **dict.fromkeys(sorted(opinion.value.remove), REMOVED)}
    value: object = opinion.value
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _key(held: dict[str, Any], key: str, missing: str) -> str:
    value = held.get(key, GONE)
    if value is GONE:
        return missing
    if value is REMOVED:
        return "removed"
    if isinstance(value, bool):
        return "On" if value else "Off"
    return _value(None, value)
