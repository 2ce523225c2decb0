"""Between a state's vars and its binding: `capture` takes edits out, `refresh` puts values in.

Both run while the tab's state is locked, and neither waits for anything. What `refresh` writes goes
past the observer: it reaches the page and the computed vars, and is never taken for an edit.

- The values that count are those at the end of the event.
- What Reflex can't see (a list changed through an alias) is found here, by comparison.
- A refused value is replaced by the last good one, with the problem in `errors`.
- What a page load sets is never saved: the stored value is shown again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..binding import Binding
from ..changes import same
from ..errors import EditError, PersistenceError
from ..scopes import Stack, Target
from ..settings import ToolSpec
from . import _private as rx_
from .causes import OUTSIDE, Cause, current
from .fields import CHANGED
from .listeners import tell
from .tabs import NOTHING, Tab, Tabs, require_tabs, tabs_of_process

if TYPE_CHECKING:
    from .facts import Facts

SYNCED = "_persistence_synced"
"""Where a state notes what its changeable values were when they last agreed with the engine."""
SETTLE = "_persistence_settle"
"""Where a state notes, by tool, the layers whose commit the page's answer should wait for."""
ASIDE = "_persistence_aside"
"""Where a state notes what a program changed before the user touched anything, and of whose."""
NO_FIELDS: frozenset[str] = frozenset()

Delta = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One tool's settings, as vars of one state class."""

    spec: ToolSpec
    facts: Facts

    @property
    def tool(self) -> str:
        return self.spec.tool

    @property
    def is_changeable(self) -> bool:
        """Are there values that can change in place, unseen?"""
        return any(not setting.is_plain for setting in self.spec.fields.values())


def sheets_of(cls: type) -> tuple[Sheet, ...]:
    """The tools whose settings are vars of a state class."""
    return vars(cls).get("__sheets__", ())


# --- out -----------------------------------------------------------------------------------------


def capture(state: Any, sheet: Sheet) -> None:
    """Hand what changed to the engine; the page's answer will wait for its commit a moment."""
    held, spec = rx_.held_by(state), sheet.spec
    tabs, event = tabs_of_process(), rx_.current_event()
    changed: set[str] = held.get(CHANGED) or set()
    tab = tabs.by_token.get(event.token) if tabs is not None and event is not None else None
    names = _names(state, spec, changed, tab)
    if not names or tabs is None or event is None:
        return
    held[CHANGED] = changed.difference(names) or None
    cause = _cause(tab)
    if tab is not None and sheet.facts.waits(tab, cause.source):
        stack = tab.shown.get(spec.tool, ())
        before, aside = held.get(ASIDE, ((), ()))
        held[ASIDE] = stack, {*names, *(aside if before == stack else ())}
        return
    stack = cause.stacks.get(spec.tool) or (tab.shown.get(spec.tool, ()) if tab else ())
    problems: Mapping[str, EditError] = {}
    if cause.source != "load":
        binding = _binding(tabs, tab, spec, cause)
        values = {name: _value(state, spec, name) for name in names}
        if cause is not OUTSIDE:
            cause.group = cause.group or tabs.engine.recorder.group()
        problems = binding.capture(
            values, source=cause.source, durable=True, stack=stack or None, group=cause.group
        )
    if tab is None:
        return
    if cause.source != "load":
        wait_for(state, spec.tool, stack)
    sheet.facts.note_errors(state, tab, names, problems)
    edited = [name for name in names if name not in problems]
    refresh(state, tab, sheet, fields=names, edited=edited)


def wait_for(state: Any, tool: str, stack: Stack) -> None:
    """Have the page's answer wait for what these layers have pending."""
    waits: dict[str, set[Target]] = rx_.held_by(state).setdefault(SETTLE, {})
    waits.setdefault(tool, set()).update(stack)


def _cause(tab: Tab | None) -> Cause:
    """Who made the changes: the event, or whoever it was outside of one."""
    cause = current()
    return Cause("program", tab.actor, tab.shown) if cause is OUTSIDE and tab else cause


def _names(state: Any, spec: ToolSpec, changed: set[str], tab: Tab | None) -> list[str]:
    """The settings that changed, those found by comparison included."""
    names = [name for name in changed if name in spec.fields]
    held = rx_.held_by(state)
    if tab is not None and (synced := held.get(SYNCED)) and tab.is_ready(spec.tool):
        names.extend(
            name
            for name, before in synced.items()
            if name in spec.fields
            and name not in changed
            and name in held
            and not same(held[name], before)
        )
    return names


def _value(state: Any, spec: ToolSpec, name: str) -> Any:
    """The live value; a copy, where somebody may still hold it."""
    held = rx_.held_by(state)
    if name not in held:
        return spec.fields[name].default()
    return spec.fields[name].copy(rx_.unwrap(held[name]))


def _binding(tabs: Tabs, tab: Tab | None, spec: ToolSpec, cause: Cause) -> Binding[Any]:
    """The tab's binding; one for the moment, where the tab is gone or somebody else's by now."""
    if tab is not None and tab.actor == cause.actor and spec.tool in tab.bindings:
        return tab.bindings[spec.tool]
    return tabs.engine.bind(spec, actor=cause.actor)


# --- in ------------------------------------------------------------------------------------------


def refresh(
    state: Any,
    tab: Tab,
    sheet: Sheet,
    *,
    fields: Iterable[str] | None = None,
    own: Mapping[str, Any] = NOTHING,
    edited: Iterable[str] = (),
) -> list[str]:
    """Show what the engine holds, of these settings and those that the page doesn't show as they
    are.

    Returns the vars that changed. `own` is what the controls that were used show already, `edited`
    what was changed here, in the state itself.
    """
    spec, held = sheet.spec, rx_.held_by(state)
    binding = tab.bindings.get(spec.tool)
    view = binding.view if binding is not None else None
    names = _to_show(state, tab, spec, fields)
    moved: list[str] = []
    changed: list[str] = []
    known = rx_.fields_of(rx_.type_of(state))
    for name in names:
        setting = spec.fields[name]
        value = view.values[name] if view is not None else setting.default()
        live = held[name] if name in held else known[name].default_value()
        if not setting.is_plain:
            held.setdefault(SYNCED, {})[name] = value
        if not (live is value or same(live, value)):
            held[name] = setting.copy(value)
            changed.append(name)
            if name not in own or not _agree(own[name], value):
                moved.append(name)
        elif name in own and not _agree(own[name], value):
            moved.append(name)
    shown = list(changed)
    moved += [name for name in edited if name not in moved]
    changed += sheet.facts.update(state, tab, binding, names, moved)
    if changed:
        rx_.make_touched(state, changed)
    if heard := {*shown, *edited}:
        tell(state, heard)
    return changed


def _to_show(state: Any, tab: Tab, spec: ToolSpec, fields: Iterable[str] | None) -> list[str]:
    """The settings to look at; not those that a program changed and that wait for the user."""
    behind = tab.behind.pop(spec.tool, NO_FIELDS)
    wanted = spec.fields if fields is None or behind is None else {*fields, *behind}
    stack, aside = rx_.held_by(state).get(ASIDE, ((), ()))
    if aside and stack != tab.shown.get(spec.tool, ()):
        aside = ()
    return [name for name in wanted if name in spec.fields and name not in aside]


def _agree(sent: Any, held: Any) -> bool:
    """Is that what the control shows? JSON knows one kind of number, and no tuples."""
    if isinstance(sent, int | float) and isinstance(held, int | float):
        return sent == held
    return same(sent, held)


def forget(state: Any) -> None:
    """Show nobody's settings; what isn't captured by now never will be."""
    held, cls = rx_.held_by(state), rx_.type_of(state)
    for name in (CHANGED, SYNCED, SETTLE, ASIDE):
        held.pop(name, None)
    for sheet in sheets_of(cls):
        names = [*sheet.spec.fields, *sheet.facts.names]
        for name in names:
            held[name] = rx_.fields_of(cls)[name].default_value()
        rx_.make_touched(state, names)


# --- at the end of an event ----------------------------------------------------------------------


def delta_after_capture(state: Any, plain: Callable[[], Delta]) -> Delta:
    """The state's delta, edits captured first. It holds something to await, if they are being
    saved."""
    sheets = sheets_of(rx_.type_of(state))
    for sheet in sheets:
        capture(state, sheet)
    noted: dict[str, set[Target]] = rx_.held_by(state).pop(SETTLE, {})
    targets = pending_of(target for stack in noted.values() for target in stack)
    delta = plain()
    if targets and (tab := tab_of_event()) is not None:
        name = rx_.type_of(state).get_full_name()
        mine = delta.setdefault(name, {})
        expect_answer(tab)

        def again() -> Delta:
            changed = [refresh(state, tab, sheet) for sheet in sheets if sheet.tool in noted]
            return plain() if any(changed) else {}

        mine[SETTLE] = settle(tab, targets, mine, name, again)
    return delta


def pending_of(stack: Iterable[Target]) -> list[Target]:
    """Those of the targets that have something on its way to the store."""
    layers = require_tabs().engine.layers
    return [each for each in set(stack) if (layer := layers.get(each)) and layer.pending]


def expect_answer(tab: Tab) -> None:
    """An answer is on its way that will wait for its commit: nothing need be pushed until then."""
    now = asyncio.get_running_loop().time()
    tab.answering_until = now + 2 * require_tabs().grace


async def settle(
    tab: Tab,
    targets: Collection[Target],
    mine: dict[str, Any],
    name: str,
    again: Callable[[], Delta],
) -> object:
    """Wait a moment for the commit, then tell the page how it stands: `again` is the delta since.

    Left in a delta, where Reflex awaits it before it sends.
    """
    tabs = require_tabs()
    # A store that is known to be away or slow will hardly be done within the wait.
    is_quick = tabs.engine.available and tabs.engine.committer.takes < tabs.grace
    patience = tabs.grace if is_quick else tabs.grace / 10
    try:
        await asyncio.wait({tabs.engine.spawn(_flush(tabs, targets))}, timeout=patience)
        mine.update(again().get(name, {}))
    finally:
        tab.answering_until = 0.0
        tabs.push(tab)  # what else there is to tell
    return rx_.DROP


async def _flush(tabs: Tabs, targets: Collection[Target]) -> None:
    try:
        await tabs.engine.flush(targets)
    except PersistenceError:
        pass  # said by `status` and `last_error`


def tab_of_event() -> Tab | None:
    """The tab whose event is being handled."""
    tabs, event = tabs_of_process(), rx_.current_event()
    return tabs.by_token.get(event.token) if tabs is not None and event is not None else None


def tab_still_open(name: str) -> Tab | None:
    """The same; None where its page was closed while the handler waited for something. Raises
    RuntimeError outside of an event."""
    event = rx_.current_event()
    if event is None or not event.token:
        raise RuntimeError(f"{name}(...) belongs into an event handler")
    return tab_of_event()
