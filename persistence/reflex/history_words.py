"""Steps, changes and named moments in the words that the history panel shows."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from ..journal import Difference, Step
from ..store.base import CONFLICT, Moment
from .tabs import Tab
from .telling import Names, Part, parts_of, scope_word, title_of

MOST_CHANGES = 12
"""Changes of a step that are told one by one."""


class ChangeRow(TypedDict):
    """One field of a step."""

    key: str
    title: str
    where: str
    """The scope: a page shows one owner of each."""
    parts: list[Part]
    can_restore: bool


class StepRow(TypedDict):
    """One action."""

    number: int
    """Its last revision."""
    author: str
    at: float
    verb: str
    """undo or redo, where it was one; conflict, where it met somebody else's and never stood."""
    can_restore: bool
    """May whoever looks edit any of it?"""
    changes: list[ChangeRow]
    more: int
    """Changes that aren't told."""


class MomentRow(TypedDict):
    """A named moment."""

    number: int
    """Its position in the list."""
    name: str
    where: str
    author: str
    at: float
    asking: bool
    """Was Delete pressed once?"""
    can_edit: bool
    """May whoever looks restore and delete it?"""


def step_row(step: Step, names: Names) -> StepRow:
    told = step.changes[:MOST_CHANGES]
    denied = denied_to(names.tab)
    return {
        "number": step.revision,
        "author": names.person(step.author),
        "at": step.at,
        "verb": CONFLICT if step.source == CONFLICT else step.verb,
        "can_restore": any(each.target.scope not in denied for each in step.changes),
        "changes": [change_row(each, can_restore=each.target.scope not in denied) for each in told],
        "more": len(step.changes) - len(told),
    }


def denied_to(tab: Tab) -> Collection[str]:
    """The scopes of the page that its reader may not edit."""
    return {scope for binding in tab.bindings.values() for scope in binding.denied}


def change_row(change: Difference, *, can_restore: bool = True) -> ChangeRow:
    return {
        "key": f"{change.target.tool}.{change.field}.{change.target.owner}",
        "title": title_of(change.target, change.field),
        "where": scope_word(change.target.scope),
        "parts": parts_of(change),
        "can_restore": can_restore and not change.secret,
    }


def moment_row(at: int, moment: Moment, names: Names) -> MomentRow:
    return {
        "number": at,
        "name": moment.name,
        "where": scope_word(moment.scope),
        "author": names.person(moment.author),
        "at": moment.at,
        "asking": False,
        "can_edit": moment.scope not in denied_to(names.tab),
    }
