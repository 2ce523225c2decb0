"""A store without a database: for tests, and for what may be gone with the process."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from ..scopes import Target
from .base import Change, Layers, Receipt, Row, Write


class MemoryStore:
    """Keeps everything in dicts; what it holds survives `close` and another `open`.

    - It is the model of the contract: any other store answers as it does.
    """

    def __init__(self) -> None:
        self._rows: Layers = {}
        self._journal: dict[int, Change] = {}
        self._operations: dict[str, tuple[int, float]] = {}
        self._revision = 0

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def load(self, targets: Collection[Target]) -> Layers:
        return {target: dict(self._rows.get(target, {})) for target in targets}

    async def commit(self, writes: Sequence[Write]) -> Receipt:
        revisions = [0] * len(writes)
        moved: dict[int, Row | None] = {}
        repeated: dict[int, int] = {}
        for position, write in enumerate(writes):
            row = self._rows.get(write.target, {}).get(write.field)
            if write.operations and (done := self._operations.get(write.operations[-1])):
                repeated[position] = done[0]
                self._remember(write, done[0])
            elif (row.revision if row else 0) != write.base:
                moved[position] = row
            else:
                revisions[position] = self._put(write)
        return Receipt(revisions, moved, repeated)

    def _put(self, write: Write) -> int:
        self._revision += 1
        self._rows.setdefault(write.target, {})[write.field] = Row(
            write.kind, write.text, self._revision,
            write.author, write.at, write.version, write.note,
        )  # fmt: skip
        self._journal[self._revision] = Change(
            self._revision, write.target, write.field, write.kind,
            None if write.secret else write.text,
            write.author, write.source, write.at, write.group, write.version, write.note,
        )  # fmt: skip
        self._remember(write, self._revision)
        return self._revision

    def _remember(self, write: Write, revision: int) -> None:
        for operation in write.operations:
            self._operations.setdefault(operation, (revision, write.at))

    async def done(self, operations: Collection[str]) -> dict[str, int]:
        return {each: self._operations[each][0] for each in operations if each in self._operations}

    async def tools(self, scope: str, owner: str) -> list[str]:
        held = (target for target, rows in self._rows.items() if rows)
        return sorted(target.tool for target in held if target[:2] == (scope, owner))

    async def history(
        self,
        targets: Collection[Target],
        *,
        field: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Change]:
        wanted = frozenset(targets)
        found = (
            change
            for change in reversed(self._journal.values())
            if change.target in wanted
            and (field is None or change.field == field)
            and (before is None or change.revision < before)
        )
        return list(islice(found, max(limit, 0)))

    async def forget(self, scope: str, owner: str) -> int:
        gone = [target for target in self._rows if target[:2] == (scope, owner)]
        removed = sum(len(self._rows.pop(target)) for target in gone)
        self._journal = {
            revision: change
            for revision, change in self._journal.items()
            if change.target[:2] != (scope, owner)
        }
        return removed

    async def prune(self, *, older_than: float, keep_operations_after: float) -> int:
        before = self._count()
        for rows in self._rows.values():
            for field, row in list(rows.items()):
                if row.kind == "reset" and row.at < older_than:
                    del rows[field]
        held = {row.revision for rows in self._rows.values() for row in rows.values()}
        self._journal = {
            revision: change
            for revision, change in self._journal.items()
            if revision in held or change.at >= older_than
        }
        self._operations = {
            operation: done
            for operation, done in self._operations.items()
            if done[1] >= keep_operations_after
        }
        return before - self._count()

    def _count(self) -> int:
        rows: Mapping[Target, Mapping[str, Row]] = self._rows
        return sum(map(len, rows.values())) + len(self._journal) + len(self._operations)
