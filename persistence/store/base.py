"""STORE: what the engine asks of a database. Every store passes `tests/store/` alike.

A write names the revision that it was made on (`base`). All writes of one `commit` are one
transaction; each gets its own result. Revisions come from one growing sequence: the id of the
journal row that holds the value is the override's revision.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, NamedTuple, Protocol, get_args

from ..scopes import Target

Kind = Literal["set", "pin", "policy", "block", "reset"]
"""What stands in an override row. `reset` is the tombstone of a removed override: it resolves as if
never written, but keeps the revision, so that a stale write is seen."""


CONFLICT: Literal["conflict"] = "conflict"
"""The source of a change in the history that met somebody else's, and stands for nothing."""

KINDS: frozenset[str] = frozenset(get_args(Kind))
VALUED: frozenset[Kind] = frozenset(("set", "pin", "policy"))
"""The kinds that hold a value; a block and a tombstone have none."""


FORGOTTEN = "forgotten"
"""The source of the row that `forget` leaves in the journal, of no tool and no field: by it other
processes hear that the owner is gone. It doesn't name the owner, see `sealed`."""


def sealed(scope: str, owner: str) -> str:
    """What an owner is called once they are gone: it says nothing to who doesn't know the name."""
    return sha256(f"{scope}\0{owner}".encode(errors="surrogatepass")).hexdigest()[:32]


class Write(NamedTuple):
    """One field's change on its way to the store. The value is canonical JSON text."""

    target: Target
    field: str
    kind: Kind
    text: str | None
    """Canonical JSON for set, pin and policy, else None. For a secret: its ciphertext."""
    base: int
    """The revision it was made on; 0 where nothing was written yet."""
    author: str
    source: str
    at: float
    """Seconds since the epoch. Shown, never used to decide an order."""
    group: str = ""
    """Id of the action that made it: undo takes back a group in one step."""
    operations: tuple[str, ...] = ()
    """Ids of the operations folded into this write, oldest first."""
    version: int = 1
    """The tool's schema version at the time of writing."""
    note: str | None = None
    """A policy's reason."""
    secret: bool = False
    """The text stands in the override row only; the journal says that it changed, not to what."""
    unreadable: str = ""
    """Why what stands there can't be read. It is put into quarantine with this write."""


class Row(NamedTuple):
    """One stored override."""

    kind: Kind
    text: str | None
    revision: int
    author: str
    at: float
    version: int = 1
    note: str | None = None


class Change(NamedTuple):
    """One journal row: what a field was set to, when and by whom. Newest first in a history."""

    revision: int
    target: Target
    field: str
    kind: Kind
    text: str | None
    """None for block, reset and secrets."""
    author: str
    source: str
    at: float
    group: str
    version: int
    note: str | None


class News(NamedTuple):
    """What a journal row is about, without its value."""

    revision: int
    target: Target
    field: str
    author: str
    source: str


Layers = dict[Target, dict[str, Row]]

Point = tuple[Target, str, int]
"""A field of a target, and a revision."""


class Moment(NamedTuple):
    """A name for how everything of an owner stood right after a revision."""

    scope: str
    owner: str
    name: str
    revision: int
    author: str
    at: float
    """Seconds since the epoch."""


class Preset(NamedTuple):
    """A named set of values of one tool, kept by an owner."""

    scope: str
    owner: str
    tool: str
    name: str
    text: str
    """A JSON document. The store doesn't look into it, so no secret may stand in it."""
    author: str
    at: float
    """Seconds since the epoch."""
    version: int = 1
    """The tool's schema version at the time of writing."""


class Quarantined(NamedTuple):
    """What stood in a row that nobody could read, as it was, when an edit took its place."""

    target: Target
    field: str
    revision: int
    kind: str
    text: str | None
    """As it was found, so maybe no JSON; of a secret its ciphertext. None where it was missing."""
    author: str
    at: float
    """When it was written, in seconds since the epoch."""
    version: int
    problem: str
    """Why it couldn't be read."""


class Finding(NamedTuple):
    """What a look at the database has found."""

    level: Literal["ok", "warning", "error"]
    what: str
    hint: str = ""
    """What to do about it; empty where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the writes of one commit, by their position.

    A position is in `moved` when the row's revision was no longer `base` (with the row that stands
    there now), in `repeated` when its newest operation was done before (with that revision), in
    `refused` when the database will never take it as it is (with the reason, for a user); every
    other one was written with `revisions[position]`, which is 0 for those.
    """

    revisions: Sequence[int]
    moved: Mapping[int, Row | None] = field(default_factory=dict[int, Row | None])
    repeated: Mapping[int, int] = field(default_factory=dict[int, int])
    refused: Mapping[int, str] = field(default_factory=dict[int, str])
    """Rows that can never be stored, with the reason; the others of the commit were written."""


class Store(Protocol):
    """A place for overrides and their journal.

    - `commit` is atomic: after a crash all of its written rows are there, or none.
    - A row never fails another: one that moved, or that the database can't take, is reported, the
      rest are written.
    - An operation id is done at most once, whichever process it arrives at.
    - Raises StoreUnavailable where another try may help, StoreRefused where none will.
    - After StoreUnavailable the same object goes on working once the database is back.
    - A secret stands in its override row and nowhere else: no journal row that is given out holds
      one.
    """

    async def open(self) -> None:
        """Connect, bring the tables up to date. StoreUnavailable, StoreTooNew."""
        ...

    async def close(self) -> None: ...

    async def load(self, targets: Collection[Target]) -> Layers:
        """All rows of all targets in one query, tombstones included; every target has a key."""
        ...

    async def commit(self, writes: Sequence[Write]) -> Receipt: ...

    async def contest(self, writes: Sequence[Write]) -> None:
        """Put edits that met somebody else's into the history, and nowhere else: with the source
        `conflict` and a revision of their own, replacing and changing nothing.

        One whose newest operation is there already is left out. Pruned as they grow old.
        """
        ...

    async def done(self, operations: Collection[str]) -> dict[str, int]:
        """Which of these operation ids were committed before, with their revision."""
        ...

    async def followed(self, first: str, last: str, target: Target, field: str) -> bool:
        """Was the field written by an operation with `first <= id < last`?"""
        ...

    async def tools(self, scope: str, owner: str) -> list[str]:
        """The tools that an owner has rows of, sorted."""
        ...

    async def history(
        self,
        targets: Collection[Target],
        *,
        field: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Change]:
        """Journal rows of the targets, newest first, by keyset: those with `revision < before`;
        with them what `contest` put there, of which no other answer knows."""
        ...

    async def authored(
        self, author: str, *, before: int | None = None, limit: int = 200
    ) -> list[Change]:
        """An author's journal rows over all targets, newest first, by keyset as `history`."""
        ...

    async def group(self, group_id: str, author: str) -> list[Change]:
        """All journal rows of an author's action, newest first; none for an empty id."""
        ...

    async def standing(self, points: Collection[Point]) -> dict[Point, Change | None]:
        """What stood before: for each point the newest journal row of its field with a smaller
        revision, None where there is none. Every point has a key.

        Exact for points after `pruned()`; a removed tombstone counts as never written.
        """
        ...

    async def at(
        self, targets: Collection[Target], revision: int
    ) -> dict[Target, dict[str, Change]]:
        """How the layers stood right after that revision: each field's newest journal row up to
        it, resets included. Every target has a key.

        Exact from `pruned()` on, and for a moment's own revision and owner.
        """
        ...

    async def last_revision(self) -> int:
        """The last one that was given; 0 where nothing was written yet. Quick: it is asked for
        several times a second."""
        ...

    async def since(self, revision: int, *, limit: int = 1_000) -> list[News]:
        """Journal rows with a greater revision, oldest first. A row that comes later has a greater
        revision than all that were given before."""
        ...

    async def pruned(self) -> int:
        """Journal rows up to this revision may be gone; 0 where none were removed."""
        ...

    async def owners(self, scope: str, *, after: str = "", limit: int = 1_000) -> list[str]:
        """Who has rows at a scope, by code point; from behind `after`, for the next page."""
        ...

    async def name_moment(self, moment: Moment) -> None:
        """Keep a moment, and from now on what the journal needs to show it. One of the same name
        and owner is replaced."""
        ...

    async def moments(self, scope: str, owner: str) -> list[Moment]:
        """An owner's moments, latest revision first, then by name."""
        ...

    async def remove_moment(self, scope: str, owner: str, name: str) -> bool:
        """Whether there was one."""
        ...

    async def keep_preset(self, preset: Preset) -> None:
        """Keep a preset. One of the same name, tool and owner is replaced."""
        ...

    async def presets(self, scope: str, owner: str, tool: str) -> list[Preset]:
        """An owner's presets of a tool, by name."""
        ...

    async def remove_preset(self, scope: str, owner: str, tool: str, name: str) -> bool:
        """Whether there was one."""
        ...

    async def quarantined(self, scope: str, owner: str) -> list[Quarantined]:
        """What was put aside of an owner because it couldn't be read, newest first. It stays until
        it is removed, or its owner forgotten."""
        ...

    async def remove_quarantined(self, target: Target, field: str, revision: int) -> bool:
        """Whether there was such a one."""
        ...

    async def forget(self, scope: str, owner: str) -> int:
        """Remove everything about an owner that is gone, moments and presets too; returns the
        number of overrides. What is left is one row of the journal, see `FORGOTTEN`."""
        ...

    async def prune(self, *, older_than: float, keep_operations_after: float) -> int:
        """Drop what nobody needs any more; returns how many rows went. Times in seconds since the
        epoch.

        - The journal's old part ends before the first row that isn't `older_than`. Of it go the
          rows that a later one of it has replaced, unless a moment of their owner shows them; so
          what overrides point to and what stood at the end of it stays.
        - Tombstones of the old part go with their rows.
        - Operation ids from before `keep_operations_after` go.
        - In small transactions, between which saves get their turn.
        """
        ...

    async def check(self) -> list[Finding]:
        """Look for what is wrong, or soon will be, with a hint what to do. Changes nothing, and
        reports what it can't read instead of raising."""
        ...
