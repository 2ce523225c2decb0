"""After any sequence of calls, reopening included, SQLite answers as memory does."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from persistence.scopes import Target
from persistence.store import MemoryStore, Receipt, Row, Write
from persistence.store.sqlite import SQLiteStore

TARGETS = [
    Target(scope, owner, tool) for scope in ("user", "shot") for owner in "ab" for tool in "xy"
]
FIELDS = ["f", "g", "é"]
OPERATIONS = [f"op{number}" for number in range(12)]

writes = st.builds(
    lambda target, field, kind, text, base, operations, at, secret: Write(
        target,
        field,
        kind,
        text if kind in ("set", "pin", "policy") else None,
        base,
        "ann",
        "user",
        at,
        operations=tuple(operations),
        secret=secret,
    ),
    st.sampled_from(TARGETS),
    st.sampled_from(FIELDS),
    st.sampled_from(["set", "pin", "policy", "block", "reset"]),
    st.sampled_from(['"a"', "1", '"\u2028"']),
    st.sampled_from(["right", "right", "right", 0, 1, 2, 5]),
    st.lists(st.sampled_from(OPERATIONS), max_size=2, unique=True),
    st.floats(0, 100),
    st.booleans(),
)


class Hasty(SQLiteStore):
    """Moves the journal into the timeline early, in runs that end anywhere."""

    BEHIND = 3
    EXTENDED_AT_ONCE = 2


class Agreement(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryStore()
        self.sqlite = Hasty(Path(self.folder.name) / "app.db", threaded=False)
        self.changed = True

    def both(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        found = [
            asyncio.run(getattr(store, name)(*arguments, **keywords))
            for store in (self.memory, self.sqlite)
        ]
        assert comparable(found[0]) == comparable(found[1])
        return found[0]

    def with_bases(self, batch: list[Write]) -> list[Write]:
        """Most writes name the revision that stands there, as the engine's do."""
        rows = asyncio.run(self.memory.load(TARGETS))

        def base(write: Write) -> int:
            row: Row | None = rows[write.target].get(write.field)
            return (row.revision if row else 0) if write.base == "right" else write.base

        return [write._replace(base=base(write)) for write in batch]

    @rule(batch=st.lists(writes, max_size=8))
    def commit(self, batch: list[Write]) -> None:
        self.both("commit", self.with_bases(batch))
        self.changed = True

    @rule(scope=st.sampled_from(["user", "shot"]), owner=st.sampled_from("ab"))
    def forget(self, scope: str, owner: str) -> None:
        self.both("forget", scope, owner)
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

    @precondition(lambda self: self.changed)
    @invariant()
    def agree(self) -> None:
        self.both("load", TARGETS)
        self.both("done", OPERATIONS)
        self.both("history", TARGETS, limit=1_000)
        for owner in "ab":
            self.both("tools", "shot", owner)
        self.changed = False

    def teardown(self) -> None:
        asyncio.run(self.sqlite.close())
        self.folder.cleanup()


def comparable(found: Any) -> Any:
    """A receipt's parts; revisions may be any sequence."""
    if isinstance(found, Receipt):
        return list(found.revisions), found.moved, found.repeated, found.refused
    return found


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
