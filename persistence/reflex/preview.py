"""One dialog a page that shows what a plan would change, and asks before it is made.

    @rx.event
    async def restore(self, at: int):
        async def make() -> Question:
            plan = await engine.history.plan_restore(targets, at, actor=actor)
            return Question("Restore everything?", (Choice("", plan),), button="Restore")

        await ask(self, make)

Any plan can be asked about: transfers, imports, restore, undo. What is given is a function that
makes the question, so that it can be made anew, on what stands then, when the plan was outdated
meanwhile. Several `choices` are shown as a choice (only those that inherit, also those with a value
of their own; the rest, all anyway). `apply` says what is done instead of `engine.apply`.

- The plan stays on the server, with the tab; the page gets words and sends the question's number.
- Only the actor who was asked can answer, and only the newest question.
- Long plans are cut to what a person can look through; the summary counts all of it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict, cast
from weakref import WeakKeyDictionary

import reflex as rx

from ..errors import EditError, PlanOutdated, StoreError
from ..plans import WORDS, Opinion, Plan, Proposed, Skipped
from ..presentation import words_of
from . import _private as rx_
from .mirror import tab_of_event
from .panel.words import value_words
from .tabs import Tab, require_tabs

log = logging.getLogger("persistence")

MOST_ROWS = 200
"""Edits that the page is told of one by one."""
MOST_NAMES = 20
"""Names that are told for one reason of leaving out."""


class Choice(NamedTuple):
    """One way to do what is asked about."""

    label: str
    """Not shown where it is the only one."""
    plan: Plan
    may_be_empty: bool = False
    """Can it be chosen though it changes nothing?"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what each answer would change."""

    title: str
    choices: tuple[Choice, ...]
    note: str = ""
    """What else to know before answering."""
    button: str = "Apply"
    done: str = "Done"
    """Read aloud afterwards."""
    chosen: int = 0


Make = Callable[[], Awaitable[Question]]
Apply = Callable[[Plan, int], Awaitable[object]]
"""Makes the chosen plan; the number is the choice's. Raises PlanOutdated to be asked again."""


@dataclass(slots=True)
class _Asked:
    """A question that a tab has open. Never leaves the server."""

    tab_id: str
    number: int
    question: Question
    make: Make
    apply: Apply


_asked: WeakKeyDictionary[Tab, _Asked] = WeakKeyDictionary()


class Row(TypedDict):
    """One edit in words."""

    tool: str
    """The tool's title, "" where all edits are of one."""
    title: str
    before: str
    after: str


class Group(TypedDict):
    """The edits of one owner."""

    kind: str
    """What the owner is, in a word: "Shot"."""
    name: str
    rows: list[Row]


class LeftOut(TypedDict):
    """What a plan leaves out for one reason."""

    words: str
    names: list[str]


class Preview(TypedDict):
    """What the dialog shows."""

    number: int
    """Of the question; 0 while none is open."""
    title: str
    note: str
    summary: str
    choices: list[str]
    chosen: int
    groups: list[Group]
    more: int
    """Edits that aren't told one by one."""
    left_out: list[LeftOut]
    button: str
    is_empty: bool
    problem: str


NO_PREVIEW: Preview = {
    "number": 0, "title": "", "note": "", "summary": "", "choices": [], "chosen": 0, "groups": [],
    "more": 0, "left_out": [], "button": "Apply", "is_empty": True, "problem": "",
}  # fmt: skip


class PreviewState(rx.State):
    """The question that a tab has open."""

    preview: rx.Field[Preview] = rx.field(default_factory=lambda: cast(Preview, dict(NO_PREVIEW)))
    count: rx.Field[int] = rx.field(0)
    """Questions so far: each has its number."""
    done: rx.Field[str] = rx.field("")
    """What was done last, with a number in front, so that the page reads it aloud each time."""

    @rx.event
    async def choose(self, number: int, choice: int):
        """Look at another way to do it."""
        tab, asked = _open(number)
        if tab is None or asked is None or type(choice) is not int:
            return
        if 0 <= choice < len(asked.question.choices):
            asked.question = _choosing(asked.question, choice)
            self.preview = await tell(tab, asked)

    @rx.event
    async def confirm(self, number: int):
        """Make the plan that is shown."""
        tab, asked = _open(number)
        if tab is None or asked is None:
            return
        question = asked.question
        try:
            await asked.apply(question.choices[question.chosen].plan, question.chosen)
        except PlanOutdated as error:
            await self._ask_again(tab, asked, f"Look again: {await _outdated(error)}")
        except EditError as error:
            self.preview = await tell(tab, asked, f"{_title(error)}: {error.problem}")
        except StoreError:
            if _waits(question.choices[question.chosen].plan):
                self._finish(tab, asked, f"{question.done}. It is saved once the database is back")
            else:
                await self._ask_again(tab, asked, "The database can't be reached. Try again.")
        else:
            self._finish(tab, asked, question.done)

    def _finish(self, tab: Tab, asked: _Asked, done: str) -> None:
        _asked.pop(tab, None)
        self.preview = cast(Preview, {**rx_.unwrap(self.preview), "number": 0})
        self.done = f"{asked.number}|{done}"

    async def _ask_again(self, tab: Tab, asked: _Asked, problem: str) -> None:
        """Make the question anew, on what stands now."""
        try:
            asked.question = _choosing(await asked.make(), asked.question.chosen)
        except (EditError, StoreError) as error:
            problem = error.problem if isinstance(error, EditError) else problem
        self.preview = await tell(tab, asked, problem)

    @rx.event
    def cancel(self, number: int):
        """Forget the question."""
        tab, asked = _open(number)
        if tab is not None and asked is not None:
            del _asked[tab]
            self.preview = cast(Preview, {**rx_.unwrap(self.preview), "number": 0})


def _open(number: object) -> tuple[Tab | None, _Asked | None]:
    """The tab of the event and its question of that number, if its actor was asked it."""
    tab = tab_of_event()
    asked = _asked.get(tab) if tab is not None else None
    if asked is None or tab is None or asked.tab_id != tab.id or type(number) is not int:
        return None, None
    return (tab, asked) if asked.number == number else (None, None)


def _waits(plan: Plan) -> bool:
    """Were its edits taken in, to be saved later?"""
    layers = require_tabs().engine.layers
    held = (layers[e.target].pending.newest(e.field) for e in plan.edits if e.target in layers)
    return any(each is not None for each in held)


async def ask(state: rx.State, make: Make, *, apply: Apply | None = None) -> None:
    """Open the dialog in the tab whose event is handled, with what `make` returns.

    Raises what `make` raises. Does nothing outside of a page's event.
    """
    tab = tab_of_event()
    if tab is None or not tab.actor:
        return
    engine, actor = require_tabs().engine, tab.actor

    async def applying(plan: Plan, choice: int) -> None:
        del choice
        await engine.apply(plan, actor=actor)

    question = await make()
    shown = await state.get_state(PreviewState)
    shown.count += 1
    asked = _Asked(tab.id, shown.count, question, make, apply or applying)
    _asked[tab] = asked
    shown.preview = await tell(tab, asked)


def _choosing(question: Question, choice: int) -> Question:
    at = min(choice, len(question.choices) - 1)
    return Question(
        question.title, question.choices, question.note, question.button, question.done, at
    )


# --- in words ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Words:
    """Names of owners and settings, asked for once a preview."""

    tab: Tab
    names: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    has_tools: bool = False

    async def ask(self, plan: Plan, edits: Iterable[Proposed]) -> None:
        seen = {*(e.target for e in edits), *(s.target for s in plan.skipped)}
        self.has_tools = len({target.tool for target in seen}) > 1
        for scope in {target.scope for target in seen}:
            owners = {target.owner for target in seen if target.scope == scope}
            found = await require_tabs().directory.names(scope, owners)
            self.names |= {(scope, owner): name for owner, name in found.items()}

    def setting(self, each: Proposed | Skipped) -> str:
        spec = require_tabs().engine.tool(each.target.tool)
        known = spec.fields.get(each.field) or spec.by_alias.get(each.field)
        title = known.title if known is not None else each.field
        tool = spec.title or each.target.tool
        if not title:
            return tool
        return f"{tool}: {title}" if self.has_tools else title

    def owner(self, each: Proposed | Skipped) -> str:
        scope, owner, _ = each.target
        return self.names.get((scope, owner), owner)


async def tell(tab: Tab, asked: _Asked, problem: str = "") -> Preview:
    """A question as the page shows it."""
    question = asked.question
    choice = question.choices[question.chosen]
    plan = choice.plan
    shown = plan.edits[:MOST_ROWS]
    words = _Words(tab)
    await words.ask(plan, shown)
    return {
        "number": asked.number,
        "title": question.title,
        "note": question.note,
        "summary": plan.summary(),
        "choices": [each.label for each in question.choices] if len(question.choices) > 1 else [],
        "chosen": question.chosen,
        "groups": _groups(words, shown),
        "more": len(plan.edits) - len(shown),
        "left_out": _left_out(words, plan.skipped),
        "button": question.button,
        "is_empty": plan.is_empty and not choice.may_be_empty,
        "problem": problem,
    }


def _groups(words: _Words, edits: Iterable[Proposed]) -> list[Group]:
    groups: dict[tuple[str, str], Group] = {}
    for edit in edits:
        scope, owner, _ = edit.target
        group = groups.setdefault(
            (scope, owner), {"kind": words_of(scope), "name": words.owner(edit), "rows": []}
        )
        group["rows"].append(
            {
                "tool": edit.target.tool,
                "title": words.setting(edit),
                "before": said(edit, edit.before),
                "after": said(edit, edit.after),
            }
        )
    return list(groups.values())


def said(edit: Proposed, opinion: Opinion) -> str:
    """What a layer says about a setting, in a few words."""
    if opinion.kind == "reset":
        return "inherits"
    if opinion.kind == "block":
        return "blocked"
    spec = require_tabs().engine.tool(edit.target.tool).require(edit.field)
    mark = {"pin": ", pinned", "policy": ", for all"}.get(opinion.kind, "")
    return value_words(spec, opinion.value) + mark


def _left_out(words: _Words, skipped: Iterable[Skipped]) -> list[LeftOut]:
    """By reason: the entities where there are several, else the settings, with the details."""
    every = list(skipped)
    has_owners = len({each.target[:2] for each in every}) > 1
    found: list[LeftOut] = []
    for why, reason in WORDS.items():
        names: dict[str, None] = {}
        for each in every:
            if each.why == why:
                name = words.owner(each) if has_owners else words.setting(each)
                detail = each.detail if not has_owners and each.detail else ""
                names[f"{name} – {detail}" if detail else name] = None
        if names:
            listed = list(names)[:MOST_NAMES]
            if len(names) > MOST_NAMES:
                listed.append(f"and {len(names) - MOST_NAMES} more")
            found.append({"words": f"{len(names)} {reason}", "names": listed})
    return found


async def _outdated(error: PlanOutdated) -> str:
    """Who changed what since, for people."""
    first = error.moved[0]
    tabs = require_tabs()
    who = "somebody else"
    if first.author:
        who = await tabs.directory.name(tabs.engine.scopes.names[0], first.author)
    more = f", and {len(error.moved) - 1} more changes" if len(error.moved) > 1 else ""
    spec = tabs.engine.tool(first.target.tool).fields.get(first.field)
    return f"“{spec.title if spec else first.field}” was changed by {who} meanwhile{more}."


def _title(error: EditError) -> str:
    return error.field[:1].upper() + error.field[1:].replace("_", " ")
