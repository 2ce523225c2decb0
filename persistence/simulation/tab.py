"""A page and its browser's outbox, as the page's script behaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from ..operations import KINDS, Operation, operation_id
from ..scopes import Target
from .lists import KIND

if TYPE_CHECKING:
    from .play import Play

UNSENT: Final = -1.0
RESEND: Final = 2.0
"""Seconds after which a tab sends again what it has no answer for."""


@dataclass(slots=True)
class Kept:
    """An operation in a browser's outbox."""

    operation: Operation
    sent_at: float = UNSENT


class Tab:
    """One page of one user: edits one stack, on the revisions that the server showed last.

    - An edit folds into one of its field that wasn't sent yet.
    - Of one field only the newest operation is sent again: the older ones are folded into it.
    - It also sends what tabs left behind that are gone.
    """

    def __init__(self, play: Play, number: int, user: str) -> None:
        self.play, self.user = play, user
        self.client = f"tab-{number}"
        self.seq = 0
        self.stack = play.pick_stack(user)
        self.seen: dict[tuple[Target, str], int] = {}
        self.said: dict[Target, int] = {}
        """List → the newest line of this page that wasn't refused."""
        self.is_open = True
        self.server = play.random.choice(play.servers)

    async def look(self) -> None:
        """What the page shows is pushed, sooner or later: the revisions that edits stand on."""
        await self.play.travel()
        if not self.server.runs:
            return
        engine = self.server.engine
        for target in self.stack:
            layer = engine.layers.get(target)
            if layer is not None and layer.gate.is_open:
                for name in layer.spec.fields:
                    self.seen[target, name] = layer.revision(name)

    def edit(self, target: Target, field: str, kind: Literal["set", "reset"], value: Any) -> None:
        self.play.happened["edits"] += 1
        for kept in self.play.outboxes[self.user].values():
            made = kept.operation
            is_mine = made.client == self.client and (made.target, made.field) == (target, field)
            if is_mine and kept.sent_at == UNSENT:
                kept.operation = replace(made, kind=kind, value=value)
                self.play.made[made.id] = kept.operation
                return
        self.seq += 1
        name = operation_id(self.client, self.seq)
        base = self.seen.get((target, field), 0)
        made = Operation(name, self.client, self.seq, target, field, kind, value, base)
        self.play.outboxes[self.user][name] = Kept(made)
        self.play.made[name] = made

    def say(self, target: Target, line: str) -> None:
        """Add a line to a list, after those of this page that are in it or on their way."""
        lists = self.play.lists
        if lists is None:
            return
        self.play.happened["lines"] += 1
        self.seq += 1
        base = self.said.get(target, 0)
        made = Operation(
            operation_id(self.client, self.seq), self.client, self.seq, target, "", KIND, line, base
        )
        self.said[target] = self.seq
        self.play.outboxes[self.user][made.id] = Kept(made)
        lists.made[made.id] = made

    def send(self) -> None:
        """What waits, in its order; again, what has had no answer for a while."""
        now = self.play.loop.time()
        outbox = self.play.outboxes[self.user]
        due = [each for each in newest(outbox.values()) if self._is_due(each, now)]
        due.sort(key=lambda each: (each.operation.client, each.operation.seq))
        for kept in due:
            kept.sent_at = now
        if due:
            is_doubled = self.play.random.random() < self.play.odds.doubled
            operations = [each.operation for each in due]
            for _ in range(2 if is_doubled else 1):
                self.play.spawn(self._post(operations))
            if self.play.random.random() < self.play.odds.late:
                self.play.spawn(self._post_late(operations))

    def _is_due(self, kept: Kept, now: float) -> bool:
        mine = kept.operation.client == self.client or self.play.is_gone(kept.operation.client)
        return mine and (kept.sent_at == UNSENT or now - kept.sent_at >= RESEND)

    async def _post_late(self, operations: Sequence[Operation]) -> None:
        await asyncio.sleep(self.play.random.uniform(1, 30))
        await self.server.take(operations, self.user)

    async def _post(self, operations: Sequence[Operation]) -> None:
        if not await self.play.travel():
            return
        answers = await self.server.take(operations, self.user)
        if await self.play.travel():
            for answer in answers:
                self.play.hear(self, answer)


def newest(outbox: Iterable[Kept]) -> list[Kept]:
    """The newest operation of each client and field, and all lines."""
    found: dict[tuple[str, Target, str], Kept] = {}
    for kept in outbox:
        made = kept.operation
        key = (made.client, made.target, made.field if made.kind in KINDS else made.id)
        if key not in found or made.seq > found[key].operation.seq:
            found[key] = kept
    return list(found.values())
