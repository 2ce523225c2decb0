"""The five first steps with the cascade, and what proves that one was done. Pure.

Read by the `onboarding` tool, by the coach on the page, and by `onboarding.Watcher`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from persistence.store.base import Change

COACH = "coach"
"""The tip that stands for the whole list."""


class Step(NamedTuple):
    id: str
    title: str
    text: str
    shows: str
    """CSS selector of what the step is about, on a shot's page."""


STEPS = (
    Step(
        "edit", "Write a prompt",
        "Change a shot’s prompt. It saves itself: the line at the top says when.",
        "[data-persistence=prompt]",
    ),
    Step(
        "cascade", "Set something for the project",
        "Change “Images per prompt” for the project. Each shot without a value of its own follows.",
        "[data-persistence=images_per_prompt]",
    ),
    Step(
        "pin", "Pin a value",
        "Pin a setting of a shot: it stays as it is, even when the project changes.",
        "[data-persistence-field$=preferred_quality] [aria-haspopup=menu]",
    ),
    Step(
        "undo", "Take something back",
        "Press Undo. Each action is one step, also after a reload.",
        "[data-persistence-key=undo]",
    ),
    Step(
        "history", "Look into a value’s story",
        "Open where a value comes from, or the history: who changed what, from what to what.",
        ".persistence-origin",
    ),
)  # fmt: skip
IDS = tuple(step.id for step in STEPS)


def done_by(changes: Collection[Change]) -> set[str]:
    """The steps that these journal rows of one user prove."""
    actions = Counter(change.group for change in changes)
    return {step for change in changes for step in _steps_of(change, actions[change.group])}


def _steps_of(change: Change, size: int) -> Iterator[str]:
    """By one row of an action of that many rows."""
    if change.source == "undo":
        yield "undo"
    if change.source != "user":
        return
    if change.kind == "pin" and size == 1:  # copies and imports pin all that they bring
        yield "pin"
    if change.kind != "set":
        return
    if (change.target.tool, change.field) == ("travel-ui-state", "prompt"):
        yield "edit"
    if change.target.scope == "project":
        yield "cascade"


def progress(done: Collection[str], skipped: Collection[str], *, day: str) -> dict[str, Any]:
    """The tool's values when these steps are done and those were put away, in the steps' order."""
    behind = {*done, *skipped}
    ahead = [number for number, step in enumerate(IDS, 1) if step not in behind]
    return {
        "steps_completed": [step for step in IDS if step in done],
        "current_step": ahead[0] if ahead else 0,
        "completed": not ahead,
        "last_active_date": day,
    }


def today() -> str:
    return time.strftime("%Y-%m-%d")
