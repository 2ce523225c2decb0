"""The tab's own state: how operations of bound controls come in, and what became of them goes out.

The page's script reads it from attributes of a hidden element (`components.py`), and sends through
a hidden button, so that its operations keep their order among Reflex's own events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import reflex as rx

from ..errors import EditError
from ..http import Malformed, parse_operations
from ..operations import Operation
from ..scopes import Target
from ..turns import Turns
from . import _private as rx_
from .facts import ToolFacts, edit_target
from .handover import edits_in, hand_over
from .mirror import Sheet, refresh, sheets_of
from .tabs import Tab, Tabs, require_tabs

WIDGET = "-w"
"""How the ids end of operations that a component made which shows their value already."""
REMEMBERED = 64
"""Answers that the page's attribute holds: two of its renders may fall into one."""


class PersistenceState(rx.State):
    """One a tab."""

    actor: rx.Field[str] = rx.field("")
    """Who is signed in, as the app's `identify` says."""
    tab: rx.Field[str] = rx.field("")
    """What the server knows this page by. Another one after a lost connection or a restart: then
    the page asks again for what it wants to be told of."""
    confirmed: rx.Field[list[str]] = rx.field(default_factory=list)
    """Operations that are durable, newest last."""
    answers: rx.Field[list[dict[str, Any]]] = rx.field(default_factory=list)
    """Operations that were refused or are in conflict: id, status, target, field, problem."""
    tools: rx.Field[dict[str, ToolFacts]] = rx.field(default_factory=dict)
    """Tool → how it stands, for tools whose settings are `persisted(...)` vars."""

    @rx.event
    async def receive(self, operations: list[dict[str, Any]]):
        """Operations of this page's bound controls."""
        tabs = require_tabs()
        event = rx_.current_event()
        if event is None or (tab := tabs.by_token.get(event.token)) is None or not tab.actor:
            return
        try:
            parsed = parse_operations(operations)
        except Malformed:
            return  # nothing that a page of ours would send
        await accept(tabs, tab, parsed)
        await show_accepted(self, tab, parsed)

    @rx.event
    async def hold(self, report: dict[str, Any]):
        """What this browser keeps of edits that couldn't be saved (`held`), and those about which
        its user has decided (`decided`): the server needn't keep them any more."""
        tabs, event = require_tabs(), rx_.current_event()
        tab = tabs.by_token.get(event.token) if event is not None else None
        if tab is None or not tab.actor or not isinstance(cast(object, report), dict):
            return
        held, decided = edits_in(report.get("held")), edits_in(report.get("decided"))
        for known, target, field in held:
            hand_over(tabs, tab, target, field, known)
        for _, target, field in decided:
            hand_over(tabs, tab, target, field)
        await forgive(self, tab, {(target, field) for _, target, field in decided})

    @rx_.override
    def hear(self, tab: Tab) -> None:
        """Take over what the tab has to tell the page."""
        if self.actor != tab.actor:
            self.actor = tab.actor
        if self.tab != tab.id:
            self.tab = tab.id
        if self.tools != tab.tools:
            self.tools = cast("dict[str, ToolFacts]", dict(tab.tools))
        if tab.confirmed:
            self.confirmed = [*self.confirmed, *tab.confirmed][-REMEMBERED:]
            tab.confirmed = []
        if tab.answers:
            self.answers = [*self.answers, *tab.answers][-REMEMBERED:]
            tab.answers = []


async def accept(tabs: Tabs, tab: Tab, operations: list[Operation]) -> None:
    """Hand operations to the engine in order. A slow load doesn't hold the page up."""

    async def one_by_one() -> None:
        turns = Turns(tabs.engine, tab.actor)
        for operation in operations:
            tabs.expect(tab, operation)
            # The binding, as for what a handler of this tab sets: nobody conflicts with himself.
            origin = tab.bindings.get(operation.target.tool, tab)
            outcome = await turns.submit(operation, origin=origin)
            if outcome.status != "pending":
                await tabs.tell_outcome(outcome)

    work = tabs.engine.spawn(one_by_one())
    await asyncio.wait({work}, timeout=tabs.grace)
    if not work.done():
        work.add_done_callback(lambda _: tabs.push(tab))


async def show_accepted(state: rx.State, tab: Tab, operations: list[Operation]) -> None:
    """Show the new values in this tab's states; the controls that sent them show them already."""
    from .gate import catch_up, show_rows

    edited: dict[str, dict[str, Operation]] = {}
    for each in operations:
        edited.setdefault(each.target.tool, {})[each.field] = each
    for cls in rx_.bound_states():
        for sheet in sheets_of(cls):
            if sheet.tool in edited:
                mirrored = await state.get_state(cls)
                _show(mirrored, tab, sheet, edited[sheet.tool])
    if tab.keyed:
        rows = {
            (each.target.owner, each.field): each.value
            for each in operations
            if each.id.endswith(WIDGET)
        }
        await show_rows(state, tab, rows)
    await catch_up(state, tab)


def _show(mirrored: Any, tab: Tab, sheet: Sheet, edited: Mapping[str, Operation]) -> None:
    spec = sheet.spec
    known = {name: each for name, each in edited.items() if name in spec.fields}
    binding = tab.bindings.get(spec.tool)
    problems = {
        name: EditError(name, refused["problem"])
        for refused in tab.answers
        if (name := refused["field"]) in known
        and (target := edit_target(binding, name))
        and refused["target"] == list(target)
    }
    sheet.facts.note_errors(mirrored, tab, known, problems)
    own = {name: each.value for name, each in known.items() if each.id.endswith(WIDGET)}
    refresh(mirrored, tab, sheet, own=own)


async def forgive(state: rx.State, tab: Tab, decided: set[tuple[Target, str]]) -> None:
    """Take back what was said about edits on which their user has decided."""
    for cls in rx_.bound_states() if decided else ():
        for sheet in sheets_of(cls):
            binding = tab.bindings.get(sheet.tool)
            names = [
                name
                for name in sheet.spec.fields
                if (target := edit_target(binding, name)) and (target, name) in decided
            ]
            if names:
                mirrored = await state.get_state(cls)
                sheet.facts.note_errors(mirrored, tab, names, {})
                refresh(mirrored, tab, sheet, fields=names)
