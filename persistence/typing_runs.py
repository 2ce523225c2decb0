"""FOLD: typing is one action. Pure; asked when an operation of a client arrives.

Consecutive edits of one client in one field share the id of their action, so that a history shows
one step, and undo takes it back as one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from .scopes import Target

PAUSE = 2.0
"""Seconds without an edit, after which the next one is an action of its own."""
LONGEST = 30.0
"""Seconds from the first edit to the last one of an action."""
REMEMBERED = 10_000
"""Clients of which the newest action is known."""


class Run(NamedTuple):
    """A client's edits of one field, one soon after the other."""

    actor: str
    target: Target
    field: str
    group: str
    began: float
    last: float


class TypingRuns:
    """The newest action of each client. Times are seconds of the caller's clock."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def group(
        self,
        client: str,
        actor: str,
        target: Target,
        field: str,
        *,
        standing: str,
        now: float,
        new: Callable[[], str],
    ) -> str:
        """The id of the action that an edit belongs to: the one before's, or a new one.

        `standing` is the action that edited the field last: another one's in between, an undo, say,
        ends the run.
        """
        run = self._runs.pop(client, None)
        if (
            run is None
            or run[:3] != (actor, target, field)
            or run.group != standing
            or now - run.last > PAUSE
            or now - run.began > LONGEST
        ):
            run = Run(actor, target, field, new(), now, now)
        self._runs[client] = run._replace(last=now)
        if len(self._runs) > REMEMBERED:
            self._runs.popitem(last=False)
        return run.group

    def end(self, client: str) -> None:
        """What the client did now is no typing: its next edit is an action of its own."""
        self._runs.pop(client, None)
