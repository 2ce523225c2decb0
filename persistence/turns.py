"""The edits of one request, in their turns.

Keys of a dict are made on the whole edit before them. Once a later key is known, that edit is old
news; so where it couldn't be taken (the store was away for a moment, the app couldn't tell whether
it is permitted), the keys behind it in the request aren't either, and the client sends both again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .operations import KINDS, Operation, Outcome

if TYPE_CHECKING:
    from .engine import Engine
    from .scopes import Target

BEHIND = "waits for the edit before it"


class Turns:
    """Hands the edits of one request to the engine, one after the other."""

    def __init__(self, engine: Engine, actor: str) -> None:
        self._engine, self._actor = engine, actor
        self._left: set[tuple[Target, str]] = set()
        """Fields of which a whole edit wasn't taken."""
        self._keys: set[tuple[Target, str]] = set()
        """Those of which keys wait behind it: a later whole edit doesn't pass them either."""

    async def submit(self, operation: Operation, *, origin: object | None = None) -> Outcome:
        """As `Engine.submit`."""
        at = (operation.target, operation.field)
        if at in self._keys or (operation.kind == "keys" and at in self._left):
            self._keys.add(at)
            return Outcome(operation.id, "pending", BEHIND)
        outcome = await self._engine.submit(operation, actor=self._actor, origin=origin)
        is_whole = operation.kind in KINDS and operation.kind != "keys"
        if is_whole and outcome.status == "pending" and outcome.problem:
            self._left.add(at)
        return outcome
