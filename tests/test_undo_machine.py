"""Any sequence of edits, undos and redos by two people, against a plain model.

The engine is real, on the memory store and on an SQLite file, in virtual time, and is restarted in
between. The model knows of each place (a field, or a key of a merging dict) what stands there and
who put it there, and of each person a stack of what was done and one of what was undone.

- What was undone and done again is as if nothing had happened.
- Nothing but the places of the action moves; what somebody else changed since is asked about, and
  stays unless told otherwise.
- A new edit clears what could be done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from persistence import Engine, Patch, Plan, Proposed, Settings, Target, setting
from persistence.layers import Layer, patch_of
from persistence.plans import confirmed_layers, propose
from persistence.store import MemoryStore, Store
from persistence.store.sqlite import SQLiteStore
from persistence.testing import VirtualLoop
from tests.effort import effort

Result = TypeVar("Result")
NONE = "nothing"


class Sheet(Settings, tool="um-sheet", edit="shot"):
    frames: int = setting(0)
    mode: int = setting(0)
    locks: dict[str, int] = setting(default_factory=dict, merge=True)


TOOL = Sheet.__tool__.tool
SHOTS = ("s1", "s2")
PEOPLE = ("ada", "bob")


class Place(NamedTuple):
    """A field of a shot; with a key, one key of its merging dict."""

    shot: str
    field: str
    key: str = ""


class Held(NamedTuple):
    """What stands in a place, and who put it there; `is_undo` where an undo or redo left it."""

    value: Any
    author: str
    is_undo: bool = False


Moves = dict[Place, tuple[Any, Any]]
"""What stood in each place that was changed, before and after."""


@dataclass(eq=False)
class Action:
    moves: Moves
    is_passed: bool = False
    """Nothing of it could be taken back, which this process remembers."""


EMPTY = Held(NONE, "")
PLACES = [
    Place(shot, field, key)
    for shot in SHOTS
    for field, key in (("frames", ""), ("mode", ""), ("locks", "a"), ("locks", "b"))
]
edits = st.dictionaries(
    st.sampled_from(PLACES), st.sampled_from([1, 2, 3, NONE]), min_size=1, max_size=4
)
people = st.sampled_from(PEOPLE)
TARGETS = [Target("shot", shot, TOOL) for shot in SHOTS]


class Machine(RuleBasedStateMachine):
    """Two people at two shots, and a program."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner(loop_factory=lambda: VirtualLoop(seed=1))
        self.store = self.make_store()
        self.seed = 0
        self.engine = self.run(self.begin())
        self.held: dict[Place, Held] = {}
        self.done: dict[str, list[Action]] = {name: [] for name in PEOPLE}
        self.undone: dict[str, list[Action]] = {name: [] for name in PEOPLE}

    def make_store(self) -> Store:
        raise NotImplementedError

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    async def begin(self) -> Engine:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.seed += 1
        engine = Engine(self.store, scopes=("shot",), wall=loop.wall, random=Random(self.seed))
        await engine.start()
        return engine

    def teardown(self) -> None:
        self.run(self.engine.stop())
        self.runner.close()
        self.folder.cleanup()

    # --- what people do --------------------------------------------------------------------------

    @rule(person=people, edit=edits)
    def edit(self, person: str, edit: dict[Place, Any]) -> None:
        moves = self.moves_of(edit)
        self.run(self.make(person, moves, "user"))
        for place, (_, after) in moves.items():
            self.held[place] = Held(after, person)
        if moves:
            self.done[person].append(Action(moves))
            self.undone[person].clear()

    @rule(person=people, edit=edits)
    def program(self, person: str, edit: dict[Place, Any]) -> None:
        moves = self.moves_of(edit)
        self.run(self.make(person, moves, "program"))
        for place, (_, after) in moves.items():
            self.held[place] = Held(after, person)

    @rule(person=people, anyway=st.booleans())
    def undo(self, person: str, anyway: bool) -> None:
        self.take_back(person, self.done[person], self.undone[person], "undo", anyway)

    @rule(person=people, anyway=st.booleans())
    def redo(self, person: str, anyway: bool) -> None:
        self.take_back(person, self.undone[person], self.done[person], "redo", anyway)

    @rule(person=people)
    def undo_and_redo(self, person: str) -> None:
        action = newest(self.done[person])
        if action is None or self.asked(person, action):
            return
        before = self.values()
        self.take_back(person, self.done[person], self.undone[person], "undo", False)
        if before != self.values():
            self.take_back(person, self.undone[person], self.done[person], "redo", False)
            assert self.run(self.look()) == before

    @rule()
    def restart(self) -> None:
        self.run(self.engine.stop())
        self.engine = self.run(self.begin())
        for action in (*flat(self.done), *flat(self.undone)):
            action.is_passed = False

    # --- the engine ------------------------------------------------------------------------------

    async def make(self, person: str, moves: Moves, source: str) -> None:
        """One action, of all tools and shots together."""
        layers = await confirmed_layers(self.engine, TARGETS)
        fields: dict[tuple[Layer, str], dict[str, Any]] = {}
        for place, (_, after) in moves.items():
            layer = next(each for each in layers if each.target.owner == place.shot)
            fields.setdefault((layer, place.field), {})[place.key] = after
        edits: list[Proposed] = []
        for (layer, field), values in fields.items():
            value = values.get("", NONE) if "" in values else patched(layer, values)
            kind = "reset" if value == NONE else "set"
            edits.append(propose(layer, field, kind, value))
        await self.engine.apply(Plan("", tuple(edits)), actor=person, source=source)

    def take_back(
        self, person: str, stack: list[Action], other: list[Action], verb: str, anyway: bool
    ) -> None:
        undoing = self.run(self.engine.undo.plan(person, redo=verb == "redo"))
        action = newest(stack)
        assert (undoing is None) == (action is None)
        if undoing is None or action is None:
            return
        asked = self.asked(person, action)
        told = {
            Place(each.target.owner, each.field, key)
            for each in undoing.changed
            for key in each.keys or ("",)
        }
        assert told == asked
        self.run(self.engine.undo.apply(undoing, anyway=anyway))
        moves: dict[Place, tuple[Any, Any]] = {}
        for place, (before, _) in action.moves.items():
            now = self.value(place)
            if same(now, before) or (place in asked and not anyway):
                continue
            moves[place] = (now, before)
            self.held[place] = Held(before, person, is_undo=True)
        if moves:
            stack.remove(action)
            other.append(Action(moves))
        else:
            action.is_passed = True

    # --- the model -------------------------------------------------------------------------------

    def value(self, place: Place) -> Any:
        return self.held.get(place, EMPTY).value

    def moves_of(self, edit: dict[Place, Any]) -> dict[Place, tuple[Any, Any]]:
        return {
            place: (self.value(place), value)
            for place, value in edit.items()
            if not same(self.value(place), value)
        }

    def asked(self, person: str, action: Action) -> set[Place]:
        """Where somebody else, or a program, made something else of what the action left."""
        found: set[Place] = set()
        for place, (before, after) in action.moves.items():
            held = self.held.get(place, EMPTY)
            is_own = bool(place.key) or held.author == person or held.is_undo
            if not same(held.value, before) and not (same(held.value, after) and is_own):
                found.add(place)
        return found

    def values(self) -> dict[Place, Any]:
        return {place: self.value(place) for place in PLACES}

    @invariant()
    def the_layers_say_what_the_model_says(self) -> None:
        rows = self.run(self.look())
        assert rows == self.values()

    async def look(self) -> dict[Place, Any]:
        await self.engine.load(TARGETS)
        found: dict[Place, Any] = {}
        for place in PLACES:
            held = self.engine.layer(Target("shot", place.shot, TOOL)).opinion(place.field)
            value = held.value if held is not None and held.holds else None
            if isinstance(value, Patch):
                assert not value.remove
                found[place] = value.set.get(place.key, NONE)
            else:
                found[place] = NONE if value is None else value
        return found

    @invariant()
    def what_is_next_is_there_exactly_when_the_model_has_it(self) -> None:
        for person in PEOPLE:
            step = self.run(self.engine.undo.next(person))
            assert (step is None) == (newest(self.done[person]) is None)
            step = self.run(self.engine.undo.next_redo(person))
            assert (step is None) == (newest(self.undone[person]) is None)


def flat(stacks: dict[str, list[Action]]) -> list[Action]:
    return [action for stack in stacks.values() for action in stack]


def newest(stack: list[Action]) -> Action | None:
    return next((action for action in reversed(stack) if not action.is_passed), None)


def patched(layer: Layer, keys: dict[str, Any]) -> Any:
    """The layer's patch with these keys as they shall be; nothing where it has none."""
    held = dict(patch_of(layer.opinion("locks")).set) | keys
    left = {key: value for key, value in held.items() if value != NONE}
    return Patch(left) if left else NONE


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


class OnMemory(Machine):
    def make_store(self) -> Store:
        return MemoryStore()


class OnSQLite(Machine):
    def make_store(self) -> Store:
        return SQLiteStore(f"{self.folder.name}/undo.db", threaded=False)


TestOnMemory = OnMemory.TestCase
TestOnSQLite = OnSQLite.TestCase
TestOnMemory.settings, TestOnSQLite.settings = effort(40, 30), effort(15, 30)
