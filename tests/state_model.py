"""The model that the engine is held against: what each layer ought to say, and what is durable.

Plain Python: opinions by layer and field, the history of what was accepted, and how much of it is
known to be durable. Knows nothing of how the engine does it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
)

from persistence import (
    Binding,
    Engine,
    Notice,
    Operation,
    Patch,
    Settings,
    Target,
    setting,
)
from persistence.layers import Layer, Refused
from persistence.store import Store
from persistence.store.base import Row
from persistence.testing import FailingStore, VirtualLoop


class Panel(Settings, tool="m-panel", edit="shot"):
    frames: int = setting(61)
    mode: Literal["a", "b", "c"] = setting("a")
    prompt: str = setting("", inherit=False)
    quick: int = setting(0, flush="now")
    locks: dict[str, int] = setting({"k0": 0}, merge=True)


POISON = 13
"""A value that the database refuses."""

SCOPES = ("user", "project", "shot")
S1 = {"user": "ada", "project": "film", "shot": "s1"}
S2 = {**S1, "shot": "s2"}
PLACES: list[dict[str, str]] = [S1, S1, S2, {"user": "ada", "project": "film"}, {}]
TOOL = Panel.__tool__
VALUES: dict[str, list[Any]] = {
    "frames": [1, 2, 61, POISON],
    "mode": ["a", "b", "c"],
    "prompt": ["", "x", "y"],
    "quick": [0, 1, POISON],
}
Result = TypeVar("Result")
Opinion = tuple[str, Any] | None
"""What a layer says of a field: kind and value; None where it says nothing."""
Key = tuple[Target, str]


def refused_in(layer: Layer) -> dict[str, Refused]:
    return {each.field: each for each in layer.refused.values()}


def targets_of(owners: Mapping[str, str]) -> list[Target]:
    return [Target(scope, owners[scope], TOOL.tool) for scope in SCOPES if owners.get(scope)]


TARGETS = sorted({*targets_of(S1), *targets_of(S2)})


def frozen(value: Any) -> Any:
    """A value as one that can be compared: patches by their keys."""
    if isinstance(value, Patch):
        return (tuple(sorted(value.set.items())), tuple(sorted(value.remove)))
    return value


def patched(opinion: Opinion) -> Patch:
    if opinion is None or opinion[0] == "block":
        return Patch()
    put, gone = opinion[1]
    return Patch(dict(put), frozenset(gone))


def fold(field: str, opinions: Sequence[Opinion]) -> Any:
    """The effective value, as a reader of the rules would compute it."""
    spec = TOOL.fields[field]
    if not spec.inherit:
        opinions = opinions[-1:]
    value = spec.default()
    for opinion in opinions:
        if opinion is None:
            continue
        kind, held = opinion
        if kind == "block":
            value = spec.default()
        elif spec.merge:
            value = patched(opinion).apply(value)
        else:
            value = held
        if kind == "policy":
            break
    return value


class Model(RuleBasedStateMachine):
    """The engine under test, beside what each layer ought to say. Rules come with the subclass."""

    def __init__(self) -> None:
        super().__init__()
        self.opinions: dict[Key, Opinion] = {}
        self.history: dict[Key, list[Opinion]] = {}
        self.durable: dict[Key, int] = {}
        self.revisions: dict[Key, int] = {}
        self.intents: dict[Key, Opinion] = {}
        self.sent: list[Operation] = []
        self.actor_of: dict[str, str] = {}
        self.done: set[str] = set()
        self.folder = TemporaryDirectory()
        self.disk = self.make_store()
        self.begin()

    def make_store(self) -> Store:
        raise NotImplementedError

    # --- the engine's life -----------------------------------------------------------------------

    def begin(self) -> None:
        self.loop = VirtualLoop()
        self.store = FailingStore(self.disk)
        self.mend()
        self.engine = Engine(
            self.store, scopes=SCOPES, wall=self.loop.wall, random=Random(1), authorise=None
        )
        self.tabs: list[Binding[Panel]] = []
        self.holding: list[Binding[Panel]] = []
        self.shows: list[asyncio.Task[None]] = []
        self.engine.subscribe(self.hear)
        self.run(self.engine.start())

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(work)

    def hear(self, notice: Notice) -> None:
        if notice.kind == "committed":
            self.done.update(notice.operations)

    def mend(self) -> None:
        for faults in (self.store.commits, self.store.loads):
            faults.mend()
        self.store.commits.refuse(lambda write: write.text == str(POISON))

    def abandon(self) -> None:
        """The process dies: nothing more of it runs, nothing is flushed."""
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def teardown(self) -> None:
        self.abandon()
        asyncio.run(self.disk.close())
        self.folder.cleanup()

    # --- what is true ----------------------------------------------------------------------------

    def actual(self, key: Key) -> Opinion:
        """What the engine's layer says."""
        opinion = self.engine.layer(key[0]).opinion(key[1])
        if opinion is None or opinion.kind == "reset":
            return None
        return (opinion.kind, frozen(opinion.value))

    def is_open(self, target: Target) -> bool:
        layer = self.engine.layers.get(target)
        return layer is not None and layer.gate.is_open

    def rows(self) -> dict[Key, Row]:
        """What the database holds."""
        found = self.run(self.disk.load(TARGETS))
        return {(at, field): row for at, rows in found.items() for field, row in rows.items()}

    def read(self, field: str, row: Row | None) -> Opinion:
        if row is None or row.kind == "reset":
            return None
        if row.text is None:
            return (row.kind, None)
        value = json.loads(row.text)
        if TOOL.fields[field].merge:
            value = (tuple(sorted(value["set"].items())), tuple(sorted(value["remove"])))
        return (row.kind, value)

    def below(self, key: Key) -> Any:
        return self.at(key, inclusive=False)

    def at(self, key: Key, *, inclusive: bool = True) -> Any:
        """The value at a layer, or what it would inherit."""
        target, field = key
        index = SCOPES.index(target.scope)
        weaker = [Target(s, S1[s], TOOL.tool) for s in SCOPES[:index]]
        opinions = [self.opinions.get((each, field)) for each in weaker]
        if not TOOL.fields[field].inherit:
            opinions = [None]
        return fold(field, [*opinions, self.opinions.get(key)] if inclusive else opinions)

    def is_enforced(self, key: Key) -> bool:
        """Does this layer, or a weaker one, enforce the field?"""
        target, field = key
        upto = SCOPES.index(target.scope) + 1
        layers = [Target(s, S1[s], TOOL.tool) for s in SCOPES[: upto - 1]] + [target]
        held = [self.opinions.get((each, field)) for each in layers]
        if not TOOL.fields[field].inherit:
            held = held[-1:]
        return any(opinion is not None and opinion[0] == "policy" for opinion in held)

    def accept(self, key: Key, opinion: Opinion) -> None:
        """From now on the layer says this."""
        if self.opinions.get(key) != opinion:
            self.opinions[key] = opinion
            self.history.setdefault(key, [None]).append(opinion)

    def took(self, key: Key, *allowed: Opinion) -> None:
        """An edit was accepted: the layer says one of these now."""
        if not self.is_open(key[0]):
            self.intents[key] = allowed[0]
            return
        actual = self.actual(key)
        refused = refused_in(self.engine.layer(key[0])).get(key[1])
        if actual not in allowed and refused is not None:  # the database refused it at once
            assert (refused.edit.kind, frozen(refused.edit.value)) == allowed[0]
            self.accept(key, allowed[0])
        else:
            assert actual in allowed, f"{key}: {actual}, not one of {allowed}"
        self.accept(key, actual)

    def outcomes(self, key: Key, wanted: Opinion) -> list[Opinion]:
        """What a layer may say after an edit: the edit, or nothing where that changes nothing."""
        allowed: list[Opinion] = [wanted]
        before = self.opinions.get(key)
        if wanted is not None and wanted[0] == "set":
            if key[1] == "locks":
                if patched(wanted).apply(self.below(key)) == self.below(key):
                    allowed.append(None)
            elif wanted[1] == self.below(key):
                allowed.append(None)
            if before is not None and before[0] in ("set", "pin") and before[1] == wanted[1]:
                allowed.append(before)
        return allowed

    def restart(self) -> None:
        """A clean stop saves everything."""
        self.mend()
        before = {key: self.actual(key) for key in self.opinions if self.is_open(key[0])}
        waited = dict(self.intents)
        self.run(self.engine.stop())
        rows = self.rows()
        for key, opinion in before.items():
            stored = self.read(key[1], rows.get(key))
            layer = self.engine.layer(key[0])
            if key not in waited and key[1] not in refused_in(layer):
                assert stored == opinion, f"{key}: stored {stored}, shown {opinion}"
        self.abandon()
        self.after_a_stop()

    def crash(self) -> None:
        """The process is killed: what was confirmed is there."""
        self.abandon()
        self.after_a_stop()

    def after_a_stop(self) -> None:
        intents, self.intents = self.intents, {}
        self.begin()
        rows = self.rows()
        for key, opinion in intents.items():  # what the load was to bring in may be there, or not
            self.history.setdefault(key, [None]).append(opinion)
        for key in {*self.opinions, *intents}:
            self.check_durable(key, rows)
            self.opinions[key] = self.read(key[1], rows.get(key))
            self.history.setdefault(key, [None]).append(self.opinions[key])
            self.durable[key] = len(self.history[key]) - 1

    # --- invariants ------------------------------------------------------------------------------

    def absorb(self, key: Key) -> None:
        """What happened by itself: a load brought an intent in, or a commit set an edit aside."""
        target, field = key
        layer = self.engine.layer(target)
        if not layer.gate.is_open:
            return
        actual = self.actual(key)
        if key in self.intents:
            wanted = self.intents.pop(key)
            allowed = [*self.outcomes(key, wanted), self.opinions.get(key)]
            assert field in refused_in(layer) or actual in allowed, f"{key}: {actual}"
            self.history.setdefault(key, [None]).append(wanted)
            self.accept(key, actual)
        elif actual != self.opinions.get(key) and field in refused_in(layer):
            self.accept(key, actual)

    def check_durable(self, key: Key, rows: Mapping[Key, Row]) -> None:
        """What is stored was said by the layer, and not before what was confirmed."""
        row = rows.get(key)
        said = self.history.get(key, [None])
        at = self.durable.get(key, 0)
        stored = self.read(key[1], row)
        while at < len(said) and said[at] != stored:
            at += 1
        assert at < len(said), (
            f"{key}: {stored} is stored; confirmed and later: {said[at:] or said}"
        )
        self.durable[key] = at
        revision = row.revision if row is not None else 0
        assert revision >= self.revisions.get(key, 0), f"{key}: its revision shrank"
        self.revisions[key] = revision

    @invariant()
    def check(self) -> None:
        rows = self.rows()
        for key in {(target, field) for target in TARGETS for field in TOOL.fields}:
            target, field = key
            if self.is_open(target):
                self.absorb(key)
                assert self.actual(key) == self.opinions.get(key), key
            layer = self.engine.layers.get(target)
            self.check_durable(key, rows)
            if (
                layer is not None
                and layer.gate.is_open
                and layer.pending.newest(field) is None
                and field not in {each.field for each in layer.conflicts.values()}
                and field not in refused_in(layer)
            ):
                stored = self.read(field, rows.get(key))
                assert stored == self.opinions.get(key), f"{key} is clean but isn't durable"
                self.durable[key] = len(self.history.get(key, [None])) - 1
        for tab in self.tabs:
            self.check_tab(tab)

    def check_tab(self, tab: Binding[Panel]) -> None:
        stack = list(tab.stack)
        dirty = any(layer.pending or layer.aside_of(tab.actor) for layer in tab.layers)
        assert tab.is_dirty is dirty
        assert (tab.status == "idle") is (not stack)
        assert not tab.conflicts
        if tab.status == "ready":
            assert tab.ready
            assert not dirty
            assert not tab.last_error
        if not tab.ready:
            assert tab.status in ("idle", "loading", "error")
            return
        for field in TOOL.fields:
            expected = fold(field, [self.opinions.get((each, field)) for each in stack])
            assert tab.get(field) == expected, f"{field}: {tab.get(field)}, not {expected}"
            assert tab.explain(field).value == expected

    def check_journal(self) -> None:
        changes = self.run(self.engine.history.changes(TARGETS, limit=10_000))
        assert [one.revision for one in changes] == sorted(
            (one.revision for one in changes), reverse=True
        )
        for change in changes:
            row = Row(change.kind, change.text, change.revision, "", 0.0)
            wrote = self.read(change.field, row)
            assert wrote in self.history.get((change.target, change.field), []), change
