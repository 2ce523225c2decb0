"""Undo and redo for a page: two buttons that say what they will do, and the keys that one expects.

    undo_controls()                       # in the header of every page

Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y (on a Mac with Cmd) press them, except where a text is being
typed: there the browser's own undo stays. What was undone, and where, is shown for a moment and
read aloud. Where somebody changed a field since, one is asked.
"""

from __future__ import annotations

import secrets
from typing import Any, Literal

import reflex as rx

from ..errors import EditError, PlanOutdated, StoreError
from ..journal import Step
from ..plans import Plan, counted
from ..undo import Changed, Undoing
from .components import ui
from .following import follow_own
from .mirror import tab_of_event
from .panel.base import icon
from .preview import Choice, Question, ask
from .tabs import Tab, require_tabs
from .telling import Names, about, said, title_of

AWAY = "The database can't be reached just now: nothing was changed"
TRIES = 3
"""Times that a step is looked at anew where something moves just then."""
Verb = Literal["undo", "redo"]
DONE = {"undo": "Undid", "redo": "Did again"}
MOST_TOLD = 3
"""Fields that a question names."""


class UndoState(rx.State):
    """What the tab's person may take back, or do again."""

    undo_label: rx.Field[str] = rx.field("")
    """What would be undone: "Frames in Shot 3". "" for nothing."""
    redo_label: rx.Field[str] = rx.field("")
    said: rx.Field[str] = rx.field("")
    """What was done last, with a word in front, so that the page tells each once."""

    @rx.event
    async def watch(self):
        """Say what is next, now and whenever that changes."""
        follow_own(UndoState.refresh)
        await self._tell_next()

    @rx.event
    async def refresh(self):
        """Something was saved: see what is next."""
        await self._tell_next()

    @rx.event
    async def undo(self):
        """Take back this person's newest action."""
        await self._take("undo")

    @rx.event
    async def redo(self):
        """Do again what was taken back last."""
        await self._take("redo")

    async def _tell_next(self) -> None:
        tab = tab_of_event()
        if tab is None or not tab.actor:
            self.undo_label = self.redo_label = ""
            return
        undo = require_tabs().engine.undo
        try:
            steps = await undo.next(tab.actor), await undo.next_redo(tab.actor)
        except StoreError:
            return  # what was known stays; pressing it says why it can't be
        names = Names(tab)
        await names.ask({change.target for step in steps if step for change in step.changes})
        self.undo_label, self.redo_label = (_label(step, names) for step in steps)

    async def _take(self, verb: Verb) -> None:
        tab = tab_of_event()
        if tab is None or not tab.actor:
            return
        try:
            await self._plan_and_do(tab, verb)
        except EditError as error:
            self._say(f"Can't {verb}: {error.field} {error.problem}")
        except StoreError:
            self._say(AWAY)
        await self._tell_next()

    async def _plan_and_do(self, tab: Tab, verb: Verb) -> None:
        undo = require_tabs().engine.undo
        for attempt in range(1, TRIES + 1):
            undoing = await undo.plan(tab.actor, redo=verb == "redo")
            if undoing is None:
                self._say(f"Nothing to {verb}")
                return
            if undoing.changed:
                await self._ask(tab, verb)
                return
            try:
                await undo.apply(undoing)
            except PlanOutdated:
                if attempt == TRIES:
                    raise
            else:
                self._say(await _done(tab, undoing, undoing.rest))
                return

    async def _ask(self, tab: Tab, verb: Verb) -> None:
        """Somebody changed something since: the rest, or all of it anyway?"""
        planned: list[Undoing] = []

        async def make() -> Question:
            undoing = await require_tabs().engine.undo.plan(tab.actor, redo=verb == "redo")
            if undoing is None:
                raise EditError("It", f"can't be {verb[:2]}done any more")
            planned[:] = [undoing]
            return await _question(tab, undoing)

        async def apply(plan: Plan, choice: int) -> None:
            del plan
            (undoing,) = planned
            anyway = choice == 1
            done = await require_tabs().engine.undo.apply(undoing, anyway=anyway)
            self._say(await _done(tab, undoing, done))
            await self._tell_next()

        await ask(self, make, apply=apply)

    def _say(self, words: str) -> None:
        self.said = f"{secrets.token_hex(4)}|{words}"


def _label(step: Step | None, names: Names) -> str:
    return about(step.changes, names) if step is not None else ""


async def _done(tab: Tab, undoing: Undoing, plan: Plan) -> str:
    """What was done, where, and what not."""
    names = Names(tab)
    await names.ask({change.target for change in undoing.step.changes})
    what = about(undoing.step.changes, names)
    left = [each for each in plan.skipped if each.why != "same"]
    if plan.is_empty:
        why = left[0].detail if left else "is so already"
        verb = "undone" if undoing.verb == "undo" else "done again"
        return f"{what} wasn't {verb}: {why}"
    more = f". Left out: {left[0].detail or left[0].why}" if left else ""
    if len(left) > 1:
        more += f", and {len(left) - 1} more"
    return f"{DONE[undoing.verb]}: {what}{more}"


async def _question(tab: Tab, undoing: Undoing) -> Question:
    names = Names(tab)
    changes, changed = undoing.step.changes, undoing.changed
    people = {each.author for each in changed}
    await names.ask({change.target for change in changes}, people)
    verb = undoing.verb.capitalize()
    told = [_told(each, names) for each in changed[:MOST_TOLD]]
    if len(changed) > MOST_TOLD:
        told.append(f"And {counted(len(changed) - MOST_TOLD, 'more change')} since.")
    rest = "Leave it" if undoing.rest.is_empty else f"{verb} the rest"
    choices = (
        Choice(rest, undoing.rest, may_be_empty=True),
        Choice(f"{verb} all of it anyway", undoing.everything),
    )
    title = f"{verb} {about(changes, names)}?"
    return Question(title, choices, " ".join(told), button="Go on", done="")


def _told(each: Changed, names: Names) -> str:
    """ "Bob changed Frames in Shot 3 to 50 since." """
    spec = require_tabs().engine.tool(each.target.tool).fields.get(each.field)
    what = title_of(each.target, each.field)
    if each.keys:
        what += f" ({', '.join(each.keys)})"
    now = "" if each.keys else f" to {said(spec, each.now)}"
    return f"{names.person(each.author)} changed {what} in {names.owner(each.target)}{now} since."


# --- the controls --------------------------------------------------------------------------------


def undo_controls(**props: Any) -> rx.Component:
    """Undo and redo as two buttons, for a header: once on a page. `props` go to their group."""
    state: Any = UndoState
    return ui.el.div(
        _button("undo", "Undo", state.undo_label, state.undo),
        _button("redo", "Redo", state.redo_label, state.redo),
        ui.el.button(
            type="button",
            hidden=True,
            on_click=state.watch,
            custom_attrs={"data-persistence-watch": ""},
        ),
        ui.el.div(
            class_name="persistence-toast",
            custom_attrs={
                "data-persistence-said": state.said,
                "popover": "manual",
                "aria-hidden": "true",  # the script reads it aloud
            },
        ),
        role="group",
        aria_label="Undo and redo",
        **{**props, "class_name": f"persistence-undo {props.get('class_name', '')}".strip()},
    )


def _button(verb: Verb, word: str, label: Any, event: Any) -> rx.Component:
    is_nothing = label == ""
    words = ui.cond(is_nothing, f"Nothing to {verb}", f"{word}: " + label.to(str))
    return ui.el.button(
        icon(verb),
        type="button",
        class_name="persistence-icon-button",
        disabled=is_nothing,
        aria_label=words,
        title=words,
        on_click=event,
        custom_attrs={
            "data-persistence-key": verb,
            "aria-keyshortcuts": "Control+Z" if verb == "undo" else "Control+Shift+Z Control+Y",
        },
    )
