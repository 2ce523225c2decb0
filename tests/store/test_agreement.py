"""After any sequence of calls, reopening included, SQLite answers as memory does."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from persistence.scopes import Target
from persistence.store import Change, MemoryStore, Moment, Preset, Receipt, Row, Write
from persistence.store.sqlite import SQLiteStore
from tests.effort import effort

TARGETS = [
    Target(scope, owner, tool) for scope in ("user", "shot") for owner in "ab" for tool in "xy"
]
FIELDS = ["f", "g", "é"]
OPERATIONS = [f"op{number}" for number in range(12)]
AUTHORS = ["ann", "bob"]
GROUPS = ["", "g1", "undo:g1"]
OWNERS = [(scope, owner) for scope in ("user", "shot") for owner in "ab"]
NAMES = ["first", "last"]

writes = st.builds(
    lambda target, field, kind, text, base, author, at, group, operations, secret: Write(
        target,
        field,
        kind,
        text if kind in ("set", "pin", "policy") else None,
        base,
        author,
        "user",
        at,
        group,
        tuple(operations),
        secret=secret,
    ),
    st.sampled_from(TARGETS),
    st.sampled_from(FIELDS),
    st.sampled_from(["set", "pin", "policy", "block", "reset"]),
    st.sampled_from(['"a"', "1", '"\u2028"']),
    st.sampled_from(["right", "right", "right", 0, 1, 2, 5]),
    st.sampled_from(AUTHORS),
    st.floats(0, 100),
    st.sampled_from(GROUPS),
    st.lists(st.sampled_from(OPERATIONS), max_size=2, unique=True),
    st.booleans(),
)


class Hasty(SQLiteStore):
    """Moves the journal into the timeline early, in runs that end anywhere."""

    BEHIND = 3
    EXTENDED_AT_ONCE = 2


class Agreement(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryStore()
        self.sqlite = Hasty(Path(self.folder.name) / "app.db", threaded=False)
        self.ever: list[Change] = []
        """The journal as it would be if nothing was ever pruned, oldest first."""
        self.exact: set[tuple[str, str, str]] = set()
        """Moments that were named before anything of theirs could be pruned."""
        self.changed = True

    def both(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        found = [
            self.runner.run(getattr(store, name)(*arguments, **keywords))
            for store in (self.memory, self.sqlite)
        ]
        assert comparable(found[0]) == comparable(found[1])
        return comparable(found[0])

    def with_bases(self, batch: list[Write]) -> list[Write]:
        """Most writes name the revision that stands there, as the engine's do."""
        rows = self.runner.run(self.memory.load(TARGETS))

        def base(write: Write) -> int:
            row: Row | None = rows[write.target].get(write.field)
            return (row.revision if row else 0) if write.base == "right" else write.base

        return [write._replace(base=base(write)) for write in batch]

    @rule(batch=st.lists(writes, max_size=8))
    def commit(self, batch: list[Write]) -> None:
        receipt = self.both("commit", self.with_bases(batch))
        written = [revision for revision in receipt[0] if revision]
        if written:
            news = self.runner.run(self.memory.history(TARGETS, limit=len(written)))
            assert [change.revision for change in news] == sorted(written, reverse=True)
            self.ever += reversed(news)
        self.changed = True

    @rule(scope=st.sampled_from(["user", "shot"]), owner=st.sampled_from("ab"))
    def forget(self, scope: str, owner: str) -> None:
        self.both("forget", scope, owner)
        self.ever = [each for each in self.ever if each.target[:2] != (scope, owner)]
        self.changed = True

    @rule(older=st.floats(0, 100), operations=st.floats(0, 100))
    def prune(self, older: float, operations: float) -> None:
        self.both("prune", older_than=older, keep_operations_after=operations)
        self.changed = True

    @rule()
    def reopen(self) -> None:
        self.both("close")
        self.both("open")
        self.changed = True

    @rule(
        several=st.lists(st.sampled_from(TARGETS), max_size=4),
        field=st.none() | st.sampled_from(FIELDS),
        before=st.none() | st.integers(0, 30),
        limit=st.integers(0, 10),
    )
    def history(
        self, several: list[Target], field: str | None, before: int | None, limit: int
    ) -> None:
        self.both("history", several, field=field, before=before, limit=limit)

    @rule(
        points=st.lists(
            st.tuples(st.sampled_from(TARGETS), st.sampled_from(FIELDS), st.integers(0, 40)),
            max_size=6,
        )
    )
    def standing(self, points: list[tuple[Target, str, int]]) -> None:
        self.both("standing", points)

    @rule(several=st.lists(st.sampled_from(TARGETS), max_size=4), revision=st.integers(0, 40))
    def at(self, several: list[Target], revision: int) -> None:
        self.both("at", several, revision)

    @rule(
        author=st.sampled_from(AUTHORS),
        before=st.none() | st.integers(0, 30),
        limit=st.integers(0, 10),
    )
    def authored(self, author: str, before: int | None, limit: int) -> None:
        self.both("authored", author, before=before, limit=limit)

    @rule(after=st.sampled_from(["", "a", "b"]), limit=st.integers(0, 3))
    def owners(self, after: str, limit: int) -> None:
        self.both("owners", "shot", after=after, limit=limit)

    @rule(
        owner=st.sampled_from(OWNERS),
        name=st.sampled_from(NAMES),
        back=st.integers(0, 5),
        author=st.sampled_from(AUTHORS),
    )
    def name_moment(self, owner: tuple[str, str], name: str, back: int, author: str) -> None:
        moment = Moment(*owner, name, max(self.both("last_revision") - back, 0), author, 1.0)
        self.both("name_moment", moment)
        self.exact.discard(moment[:3])
        if moment.revision >= self.both("pruned"):
            self.exact.add(moment[:3])
        self.changed = True

    @rule(owner=st.sampled_from(OWNERS), name=st.sampled_from(NAMES))
    def remove_moment(self, owner: tuple[str, str], name: str) -> None:
        self.both("remove_moment", *owner, name)
        self.changed = True

    @rule(owner=st.sampled_from(OWNERS), name=st.sampled_from(NAMES), text=st.text(max_size=5))
    def keep_preset(self, owner: tuple[str, str], name: str, text: str) -> None:
        self.both("keep_preset", Preset(*owner, "x", name, text, "ann", 1.0))
        self.changed = True

    @rule(owner=st.sampled_from(OWNERS), name=st.sampled_from(NAMES))
    def remove_preset(self, owner: tuple[str, str], name: str) -> None:
        self.both("remove_preset", *owner, "x", name)
        self.changed = True

    @precondition(lambda self: self.changed)
    @invariant()
    def agree(self) -> None:
        self.both("load", TARGETS)
        self.both("done", OPERATIONS)
        self.both("history", TARGETS, limit=1_000)
        for owner in OWNERS:
            self.both("tools", *owner)
            self.both("moments", *owner)
            self.both("presets", *owner, "x")
        for author in AUTHORS:
            self.both("authored", author, limit=1_000)
            for group in GROUPS:
                self.both("group", group, author)
        self.pruning_changes_no_answer_behind_it()
        self.changed = False

    def pruning_changes_no_answer_behind_it(self) -> None:
        pruned, last = self.both("pruned"), self.both("last_revision")
        for revision in {pruned, (pruned + last) // 2, last}:
            assert written(self.both("at", TARGETS, revision)) == self.once(TARGETS, revision)
            points = [(target, field, revision + 1) for target in TARGETS[:3] for field in FIELDS]
            once = self.once(TARGETS, revision)
            for (target, field, _), change in self.both("standing", points).items():
                found = None if change is None or change.kind == "reset" else change
                assert found == once[target].get(field)
        for scope, owner in OWNERS:
            targets = [target for target in TARGETS if target[:2] == (scope, owner)]
            for moment in self.both("moments", scope, owner):
                if moment[:3] in self.exact:
                    shown = written(self.both("at", targets, moment.revision))
                    assert shown == self.once(targets, moment.revision)

    def once(self, targets: list[Target], revision: int) -> dict[Target, dict[str, Change]]:
        """How these layers stood after a revision, by everything that was ever written."""
        layers: dict[Target, dict[str, Change]] = {target: {} for target in targets}
        for change in self.ever:
            if change.revision <= revision and change.target in layers:
                layers[change.target][change.field] = change
        return written(layers)

    def teardown(self) -> None:
        self.runner.run(self.sqlite.close())
        self.runner.close()
        self.folder.cleanup()


def written(layers: dict[Target, dict[str, Change]]) -> dict[Target, dict[str, Change]]:
    """Without resets, since a tombstone may be gone."""
    return {
        target: {field: each for field, each in fields.items() if each.kind != "reset"}
        for target, fields in layers.items()
    }


def comparable(found: Any) -> Any:
    """A receipt's parts; revisions may be any sequence."""
    if isinstance(found, Receipt):
        return list(found.revisions), found.moved, found.repeated, found.refused
    return found


TestAgreement = Agreement.TestCase
TestAgreement.settings = effort(20, 30)
