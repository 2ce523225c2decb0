"""A store without a database: for tests, and for what may be gone with the process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice

from ..scopes import Target
from .base import (
    CONFLICT,
    FORGOTTEN,
    Change,
    Finding,
    Layers,
    Moment,
    News,
    Point,
    Preset,
    Quarantined,
    Receipt,
    Row,
    Write,
    sealed,
)


class MemoryStore:
    """Keeps everything in dicts; what it holds survives `close` and another `open`.

    - It is the model of the contract: any other store answers as it does.
    """

    def __init__(self) -> None:
        self._rows: Layers = {}
        self._journal: dict[int, Change] = {}
        self._operations: dict[str, tuple[int, float]] = {}
        self._made: dict[tuple[Target, str], list[str]] = {}
        """Field → the operations that wrote it."""
        self._moments: dict[tuple[str, str, str], Moment] = {}
        self._presets: dict[tuple[str, str, str, str], Preset] = {}
        self._contested: list[Change] = []
        self._contested_by: dict[str, int] = {}
        self._quarantine: dict[tuple[Target, str, int], Quarantined] = {}
        self._revision = 0
        self._pruned = 0

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    # --- overrides -------------------------------------------------------------------------------

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
        before = self._rows.get(write.target, {}).get(write.field)
        if write.unreadable and before is not None:
            self._quarantine[write.target, write.field, before.revision] = Quarantined(
                write.target, write.field, before.revision, before.kind, before.text,
                before.author, before.at, before.version, write.unreadable,
            )  # fmt: skip
        self._revision += 1
        self._rows.setdefault(write.target, {})[write.field] = Row(
            write.kind, write.text, self._revision,
            write.author, write.at, write.version, write.note,
        )  # fmt: skip
        self._journal[self._revision] = _change(write, self._revision)
        self._remember(write, self._revision)
        return self._revision

    def _remember(self, write: Write, revision: int) -> None:
        for operation in write.operations:
            if operation not in self._operations:
                self._operations[operation] = (revision, write.at)
                self._made.setdefault((write.target, write.field), []).append(operation)

    async def contest(self, writes: Sequence[Write]) -> None:
        for write in writes:
            operation = write.operations[-1] if write.operations else ""
            if operation and operation in self._contested_by:
                continue
            self._revision += 1
            change = _change(write, self._revision)._replace(source=CONFLICT)
            self._contested.append(change)
            if operation:
                self._contested_by[operation] = self._revision

    async def done(self, operations: Collection[str]) -> dict[str, int]:
        return {each: self._operations[each][0] for each in operations if each in self._operations}

    async def followed(self, first: str, last: str, target: Target, field: str) -> bool:
        made = self._made.get((target, field), ())
        later = (self._operations.get(each) for each in made if first <= each < last)
        return any(done is not None and done[0] in self._journal for done in later)

    async def tools(self, scope: str, owner: str) -> list[str]:
        held = (target for target, rows in self._rows.items() if rows)
        return sorted(target.tool for target in held if target[:2] == (scope, owner))

    async def owners(self, scope: str, *, after: str = "", limit: int = 1_000) -> list[str]:
        held = {target.owner for target, rows in self._rows.items() if rows and target[0] == scope}
        return sorted(owner for owner in held if owner > after)[: max(limit, 0)]

    # --- the journal -----------------------------------------------------------------------------

    async def history(
        self,
        targets: Collection[Target],
        *,
        field: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Change]:
        wanted = frozenset(targets)

        def chosen(each: Change) -> bool:
            return each.target in wanted and (field is None or each.field == field)

        found = list(self._newest(chosen, before))
        found += [
            each
            for each in self._contested
            if chosen(each) and (before is None or each.revision < before)
        ]
        return sorted(found, key=lambda each: -each.revision)[: max(limit, 0)]

    async def authored(
        self, author: str, *, before: int | None = None, limit: int = 200
    ) -> list[Change]:
        found = self._newest(lambda each: each.author == author, before)
        return list(islice(found, max(limit, 0)))

    async def group(self, group_id: str, author: str) -> list[Change]:
        key = (group_id, author)
        return list(self._newest(lambda each: (each.group, each.author) == key)) if group_id else []

    async def standing(self, points: Collection[Point]) -> dict[Point, Change | None]:
        return {point: self._before(*point) for point in points}

    def _before(self, target: Target, field: str, revision: int) -> Change | None:
        return next(
            self._newest(lambda each: each.target == target and each.field == field, revision), None
        )

    async def at(
        self, targets: Collection[Target], revision: int
    ) -> dict[Target, dict[str, Change]]:
        layers: dict[Target, dict[str, Change]] = {target: {} for target in targets}
        for change in self._newest(lambda each: each.target in layers, revision + 1):
            layers[change.target].setdefault(change.field, change)
        return layers

    def _newest(
        self, chosen: Callable[[Change], bool], before: int | None = None
    ) -> Iterator[Change]:
        """Newest first."""
        for change in reversed(self._journal.values()):
            if (before is None or change.revision < before) and chosen(change):
                yield change

    async def last_revision(self) -> int:
        return self._revision

    async def since(self, revision: int, *, limit: int = 1_000) -> list[News]:
        later = (each for each in self._journal.values() if each.revision > revision)
        return [
            News(each.revision, each.target, each.field, each.author, each.source)
            for each in islice(later, max(limit, 0))
        ]

    async def pruned(self) -> int:
        return self._pruned

    # --- moments and presets ---------------------------------------------------------------------

    async def name_moment(self, moment: Moment) -> None:
        self._moments[moment[:3]] = moment

    async def moments(self, scope: str, owner: str) -> list[Moment]:
        found = [each for each in self._moments.values() if each[:2] == (scope, owner)]
        return sorted(found, key=lambda moment: (-moment.revision, moment.name))

    async def remove_moment(self, scope: str, owner: str, name: str) -> bool:
        return self._moments.pop((scope, owner, name), None) is not None

    async def keep_preset(self, preset: Preset) -> None:
        self._presets[preset[:4]] = preset

    async def presets(self, scope: str, owner: str, tool: str) -> list[Preset]:
        return sorted(each for each in self._presets.values() if each[:3] == (scope, owner, tool))

    async def remove_preset(self, scope: str, owner: str, tool: str, name: str) -> bool:
        return self._presets.pop((scope, owner, tool, name), None) is not None

    # --- what couldn't be read -------------------------------------------------------------------

    async def quarantined(self, scope: str, owner: str) -> list[Quarantined]:
        found = (each for each in self._quarantine.values() if each.target[:2] == (scope, owner))
        return sorted(found, key=lambda each: -each.revision)

    async def remove_quarantined(self, target: Target, field: str, revision: int) -> bool:
        return self._quarantine.pop((target, field, revision), None) is not None

    # --- the end of things -----------------------------------------------------------------------

    async def forget(self, scope: str, owner: str) -> int:
        key, seal = (scope, owner), (scope, sealed(scope, owner))
        gone = [target for target in self._rows if target[:2] == key]
        removed = sum(len(self._rows.pop(target)) for target in gone)
        self._journal = {
            revision: change
            for revision, change in self._journal.items()
            if change.target[:2] not in (key, seal)
        }
        self._keep_contested(lambda each: each.target[:2] != key)
        self._moments = {each[:3]: each for each in self._moments.values() if each[:2] != key}
        self._presets = {each[:4]: each for each in self._presets.values() if each[:2] != key}
        self._quarantine = {
            name: each for name, each in self._quarantine.items() if each.target[:2] != key
        }
        self._revision += 1
        self._journal[self._revision] = Change(
            self._revision, Target(*seal, ""), "", "reset", None,
            FORGOTTEN, FORGOTTEN, 0.0, "", 1, None,
        )  # fmt: skip
        return removed

    async def prune(self, *, older_than: float, keep_operations_after: float) -> int:
        gone = self._prune_journal(self._end_of_the_old(older_than))
        gone += self._keep_contested(lambda each: each.at >= older_than)
        old = [key for key, done in self._operations.items() if done[1] < keep_operations_after]
        for operation in old:
            del self._operations[operation]
        return gone + len(old)

    def _keep_contested(self, chosen: Callable[[Change], bool]) -> int:
        """How many went."""
        before = len(self._contested)
        self._contested = [each for each in self._contested if chosen(each)]
        kept = {each.revision for each in self._contested}
        self._contested_by = {n: r for n, r in self._contested_by.items() if r in kept}
        return before - len(kept)

    def _end_of_the_old(self, older_than: float) -> int:
        for revision, change in self._journal.items():
            if revision > self._pruned and change.at >= older_than:
                return revision - 1
        return self._revision

    def _prune_journal(self, end: int) -> int:
        replaced_by: dict[int, int] = {}
        last: dict[tuple[Target, str], int] = {}
        for revision, change in self._journal.items():
            if revision <= end:
                if older := last.get((change.target, change.field)):
                    replaced_by[older] = revision
                last[change.target, change.field] = revision
        gone = [each for each, by in replaced_by.items() if not self._is_shown(each, by)]
        for revision in gone:
            del self._journal[revision]
        count = len(gone) + self._prune_tombstones(end)
        if count:
            self._pruned = max(self._pruned, end)
        return count

    def _is_shown(self, revision: int, replaced_by: int) -> bool:
        """By a moment of the same owner."""
        key = self._journal[revision].target[:2]
        return any(
            each[:2] == key and revision <= each.revision < replaced_by
            for each in self._moments.values()
        )

    def _prune_tombstones(self, end: int) -> int:
        """Those with nothing older behind them, which would seem to stand again."""
        count = 0
        for target, rows in self._rows.items():
            for field, row in list(rows.items()):
                is_old = row.kind == "reset" and row.revision <= end
                if is_old and self._before(target, field, row.revision) is None:
                    del rows[field], self._journal[row.revision]
                    count += 2
        return count

    async def check(self) -> list[Finding]:
        rows: Mapping[Target, Mapping[str, Row]] = self._rows
        held = sum(map(len, rows.values()))
        return [
            Finding(
                "ok",
                f"{held} overrides and {len(self._journal)} changes, in memory only",
                "They are gone with the process; to keep them use sqlite:///app.db.",
            )
        ]


def _change(write: Write, revision: int) -> Change:
    return Change(
        revision, write.target, write.field, write.kind, None if write.secret else write.text,
        write.author, write.source, write.at, write.group, write.version, write.note,
    )  # fmt: skip
