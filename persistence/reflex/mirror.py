"""Between a state's vars and its binding: `capture` takes edits out, `refresh` puts values in.

Both run while the tab's state is locked, and neither waits for anything. What `refresh` writes goes past
the observer: it reaches the page and the computed vars, and is never taken for an edit.

- The values that count are those at the end of the event.
- What Reflex can't see (a list changed through an alias) is found here, by comparison.
- A refused value is replaced by the last good one, with the problem in `errors`.
- What a page load sets is never saved: the stored value is shown again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..binding import Binding
from ..changes import same
from ..errors import EditError
from ..scopes import Stack, Target
from ..settings import ToolSpec
from . import _private as rx_
from .causes import OUTSIDE, Cause, current
from .fields import CHANGED
from .tabs import NOTHING, Tab, Tabs, tabs_of_process

if TYPE_CHECKING:
    from .facts import Facts

SYNCED = "_persistence_synced"
"""Where a state notes what its changeable values were when they last agreed with the engine."""


def capture(state: Any, spec: ToolSpec, facts: Facts) -> tuple[Tab, tuple[Target, ...]] | None:
    """Hand what changed in this state to the engine. Returns whose commit the page should wait for."""
    held = state.__dict__
    changed = held.pop(CHANGED, None)
    tabs, event = tabs_of_process(), rx_.current_event()
    if tabs is None or event is None:
        return None
    tab = tabs.by_token.get(event.token)
    names = _names(state, spec, changed, tab)
    if not names:
        return None
    cause = current()
    if cause is OUTSIDE and tab is not None and tab.last is not None and changed:
        cause = Cause("program", tab.actor, tab.shown)
    stack = cause.stacks.get(spec.tool) or (tab.shown.get(spec.tool, ()) if tab else ())
    problems: Mapping[str, EditError] = {}
    if cause.source != "load":
        binding = _binding(tabs, tab, spec, cause)
        values = {name: _value(state, spec, name) for name in names}
        problems = binding.capture(values, source=cause.source, durable=True, stack=stack or None)
    if tab is None:
        return None
    facts.note_errors(state, names, problems)
    all_of_it = spec.tool in tab.behind
    tab.behind.discard(spec.tool)
    refresh(state, tab, spec, facts, fields=None if all_of_it else names)
    return (tab, stack) if cause.source != "load" else None


def _names(state: Any, spec: ToolSpec, changed: set[str] | None, tab: Tab | None) -> list[str]:
    """The settings that changed, those found by comparison included."""
    names = [name for name in changed or () if name in spec.fields]
    held = state.__dict__
    if tab is not None and (synced := held.get(SYNCED)) and tab.is_ready(spec.tool):
        names.extend(
            name
            for name, before in synced.items()
            if name not in names and name in held and not same(held[name], before)
        )
    return names


def _value(state: Any, spec: ToolSpec, name: str) -> Any:
    """The live value, and a copy of it where somebody may still hold it."""
    held = state.__dict__
    if name not in held:
        return spec.fields[name].default()
    return spec.fields[name].copy(rx_.unwrap(held[name]))


def _binding(tabs: Tabs, tab: Tab | None, spec: ToolSpec, cause: Cause) -> Binding[Any]:
    """The tab's binding; one for the moment, where the tab is gone or somebody else's by now."""
    if tab is not None and tab.actor == cause.actor and spec.tool in tab.bindings:
        return tab.bindings[spec.tool]
    return tabs.engine.bind(spec, actor=cause.actor)


def refresh(
    state: Any,
    tab: Tab,
    spec: ToolSpec,
    facts: Facts,
    *,
    fields: Iterable[str] | None = None,
    own: Mapping[str, Any] = NOTHING,
) -> list[str]:
    """Show what the engine holds; returns the vars that changed. `own` is what the page shows already."""
    held = state.__dict__
    binding = tab.bindings.get(spec.tool)
    view = binding.view if binding is not None else None
    names = list(spec.fields if fields is None else fields)
    moved: list[str] = []
    changed: list[str] = []
    known = rx_.fields_of(type(state))
    for name in names:
        setting = spec.fields[name]
        value = view.values[name] if view is not None else setting.default()
        live = held[name] if name in held else known[name].default_value()
        if not setting.is_plain:
            held.setdefault(SYNCED, {})[name] = value
        if live is value or same(live, value):
            if name in own and not same(own[name], value):
                moved.append(name)
            continue
        held[name] = setting.copy(value)
        changed.append(name)
        if name not in own or not same(own[name], value):
            moved.append(name)
    changed += facts.update(state, tab, binding, names, moved)
    if changed:
        rx_.make_touched(state, changed)
    return changed


def stack_of(tab: Tab, tool: str) -> Stack:
    return tab.shown.get(tool, ())
