"""Any sequence of edits, loads, switches, failures and crashes, against a plain model.

The engine is real, on the memory store and on an SQLite file, in virtual time. After each step the
invariants of the design are checked:

- the effective value is the fold of the layers, and nothing else;
- only what somebody edited is ever written, and only to where it was edited;
- what was confirmed is in the database, also after a crash;
- nothing is clean that isn't durable, and the status says so;
- revisions only grow; an operation is done once.

Short by default. `HYPOTHESIS_PROFILE=long` runs it for minutes, and with new seeds each time.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
)

from persistence import (
    Binding,
    EditError,
    Operation,
    Patch,
    StoreError,
    Target,
)
from persistence.store import MemoryStore, Store
from persistence.store.sqlite import SQLiteStore
from tests.effort import effort
from tests.state_model import (
    PLACES,
    POISON,
    SCOPES,
    TARGETS,
    TOOL,
    VALUES,
    Key,
    Model,
    Opinion,
    Panel,
    frozen,
    patched,
    targets_of,
)

fields = st.sampled_from(sorted(VALUES))
edits = st.sampled_from([(name, value) for name, held in VALUES.items() for value in held])
scopes = st.sampled_from([*SCOPES, "shot", "shot"])
tabs = st.integers(0, 2)
keys = st.sampled_from(["k0", "k1", "k2"])
actors = st.sampled_from(["ada", "bo"])
seconds = st.sampled_from([0.1, 0.31, 0.31, 1.0, 1.0, 5.0, 30.0])
stored_targets = st.sampled_from(TARGETS)


class Machine(Model):
    """Everything that can happen, in any order."""

    @initialize(places=st.lists(st.sampled_from(PLACES), min_size=1, max_size=3))
    def first_tabs(self, places: list[dict[str, str]]) -> None:
        for place, actor in zip(places, ["ada", "bo", "ada"], strict=False):
            self.open_tab(place, actor, True)

    # --- tabs ------------------------------------------------------------------------------------

    @rule(place=st.sampled_from(PLACES), actor=actors, wait=st.booleans())
    def open_tab(self, place: dict[str, str], actor: str, wait: bool) -> None:
        if len(self.tabs) == 3:
            self.close_tab(0)
        tab = self.engine.bind(Panel, actor=actor)
        self.tabs.append(tab)
        self.show(tab, place, wait)

    @rule(number=tabs, place=st.sampled_from(PLACES), wait=st.booleans())
    def switch(self, number: int, place: dict[str, str], wait: bool) -> None:
        if (tab := self.tab(number)) is not None:
            self.show(tab, place, wait)

    def show(self, tab: Binding[Panel], place: dict[str, str], wait: bool) -> None:
        if targets_of(place) != list(tab.stack):
            self.holding = [each for each in self.holding if each is not tab]
        task = self.loop.create_task(tab.show(place))
        self.shows.append(task)
        self.run(asyncio.wait([task], timeout=100 if wait else 0))  # type: ignore[arg-type]

    def close_tab(self, number: int) -> None:
        if number < len(self.tabs):
            tab = self.tabs.pop(number)
            self.holding = [each for each in self.holding if each is not tab]
            self.run(_soon(tab.close))

    # --- edits -----------------------------------------------------------------------------------

    def tab(self, number: int) -> Binding[Panel] | None:
        return self.tabs[number % len(self.tabs)] if self.tabs else None

    def target(self, number: int, scope: str) -> tuple[Binding[Panel], Target] | None:
        """The tab, and the target of a scope that it shows."""
        if (tab := self.tab(number)) is None:
            return None
        return next(((tab, each) for each in tab.stack if each.scope == scope), None)

    def attempt(self, key: Key, tab: Binding[Panel], work: Any) -> bool:
        """Make an edit. False where it was refused, which has to have a reason."""
        try:
            self.run(_soon(work))
        except EditError as error:
            problem = f"{key}: {error}"
        else:
            return True
        assert self.is_enforced(key) or not tab.ready, problem
        return False

    @rule(
        number=tabs, edit=edits, scope=scopes, source=st.sampled_from(["user", "user", "program"])
    )
    def edit(self, number: int, edit: tuple[str, Any], scope: str, source: str) -> None:
        field, value = edit
        if (found := self.target(number, scope)) is None:
            return
        tab, target = found
        was_ready = tab.ready
        key = (target, field)
        allowed = self.outcomes(key, ("set", value))
        change = {field: value}
        if not self.attempt(key, tab, lambda: tab.update(scope=scope, source=source, **change)):
            return
        if was_ready or source == "user":
            self.took(key, *allowed)

    @rule(number=tabs, name=keys, value=st.sampled_from([None, 0, 1]), scope=scopes)
    def edit_key(self, number: int, name: str, value: int | None, scope: str) -> None:
        if (found := self.target(number, scope)) is None or not found[0].ready:
            return
        tab, target = found
        key = (target, "locks")
        shown = self.at(key)
        if value is None:
            work: Any = lambda: tab.remove_key("locks", name, scope=scope)  # noqa: E731
            change = Patch(remove=frozenset((name,))) if name in shown else Patch()
        else:
            work = lambda: tab.set_key("locks", name, value, scope=scope)  # noqa: E731
            change = Patch({name: value}) if shown.get(name) != value else Patch()
        if self.attempt(key, tab, work):
            before = self.opinions.get(key)
            wanted = ("set", frozen(patched(before).then(change)))
            self.took(key, before, *self.outcomes(key, wanted)) if not change else self.took(
                key, *self.outcomes(key, wanted)
            )

    @rule(number=tabs, field=fields, scope=scopes, kind=st.sampled_from(["pin", "block", "reset"]))
    def pin_block_or_reset(self, number: int, field: str, scope: str, kind: str) -> None:
        if (found := self.target(number, scope)) is None:
            return
        tab, target = found
        key = (target, field)
        work: dict[str, Any] = {
            "pin": lambda: tab.pin(field, scope=scope),
            "block": lambda: tab.block(field, scope=scope),
            "reset": lambda: tab.reset(field, scope=scope),
        }
        wanted: dict[str, Opinion] = {
            "pin": ("pin", self.at(key)),
            "block": ("block", None),
            "reset": None,
        }
        if self.attempt(key, tab, work[kind]):
            self.took(key, wanted[kind])

    @rule(number=tabs, field=st.sampled_from(["frames", "mode"]), put=st.booleans())
    def enforce_or_relax(self, number: int, field: str, put: bool) -> None:
        if (found := self.target(number, "project")) is None or not found[0].ready:
            return
        tab, target = found
        key = (target, field)
        value = VALUES[field][1]
        if put:
            work = tab.enforce(field, value, scope="project", note="rule")
        else:
            work = tab.relax(field, scope="project")
        before = self.opinions.get(key)
        try:
            self.run(work)
        except (StoreError, EditError):
            pass  # not durable yet, or another edit of the layer was set aside
        if put:
            self.took(key, ("policy", value))
        elif before is not None and before[0] == "policy":
            self.took(key, None)

    @rule(number=tabs)
    def revert(self, number: int) -> None:
        """One's own unsaved edits go; what was saved, and other people's, stays."""
        if (tab := self.tab(number)) is None or not tab.ready:
            return
        mine: list[Key] = []
        for layer in tab.layers:
            edits = [*layer.pending.edits(), *(each.edit for each in layer.refused.values())]
            mine += [(layer.target, each.field) for each in edits if each.author == tab.actor]
        confirmed = {key: self.engine.layer(key[0]).confirmed.get(key[1]) for key in mine}
        self.run(_soon(tab.revert))
        for key, override in confirmed.items():
            held = override is not None and override.kind != "reset"
            self.took(key, (override.kind, frozen(override.value)) if held else None)

    @rule(number=tabs)
    def retry_what_was_set_aside(self, number: int) -> None:
        if (tab := self.tab(number)) is None or not tab.ready:
            return
        again = [(each.target, each.edit) for each in tab.refused]
        self.run(_soon(tab.retry))
        for target, edit in again:
            value = None if edit.kind in ("block", "reset") else frozen(edit.value)
            self.took((target, edit.field), None if edit.kind == "reset" else (edit.kind, value))

    @rule(number=tabs, begin=st.booleans())
    def gesture(self, number: int, begin: bool) -> None:
        if (tab := self.tab(number)) is None or not tab.ready:
            return
        if begin and tab not in self.holding:
            self.run(_soon(tab.hold))
            self.holding.append(tab)
        elif tab in self.holding:
            self.run(_soon(tab.release))
            self.holding.remove(tab)

    @rule(number=tabs)
    def flush(self, number: int) -> None:
        if (tab := self.tab(number)) is None or not tab.ready:
            return
        try:
            self.run(tab.flush())
        except (StoreError, EditError):
            return
        rows = self.rows()
        for target in tab.stack:
            for field in TOOL.fields:
                key = (target, field)
                assert self.read(field, rows.get(key)) == self.actual(key)

    # --- operations ------------------------------------------------------------------------------

    @rule(at=stored_targets, edit=edits, client=st.sampled_from("cd"), actor=actors,
          stale=st.booleans(), reset=st.booleans())  # fmt: skip
    def send(
        self,
        at: Target,
        edit: tuple[str, Any],
        client: str,
        actor: str,
        stale: bool,
        reset: bool,
    ) -> None:
        field, value = edit
        row = self.rows().get((at, field))
        number = len(self.sent) + 1
        operation = Operation(
            f"op-{number}", client, number, at, field, "reset" if reset else "set",
            None if reset else value, 0 if stale or row is None else row.revision,
        )  # fmt: skip
        self.sent.append(operation)
        self.actor_of[operation.id] = actor
        self.submit(operation)

    @rule(data=st.data())
    @precondition(lambda self: self.sent)
    def send_again(self, data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(self.sent[-6:]))
        was_done = operation.id in self.done
        before = {key: self.actual(key) for key in self.opinions if self.is_open(key[0])}
        status = self.submit(operation)
        if was_done:
            assert status == "confirmed"
            after = {key: self.actual(key) for key in before}
            assert after == before

    def submit(self, operation: Operation) -> str:
        key = (operation.target, operation.field)
        wanted = None if operation.kind == "reset" else ("set", operation.value)
        held = self.run(self.disk.load([operation.target]))[operation.target]
        row = held.get(operation.field)
        known = operation.id in self.done
        outcome = self.run(
            self.engine.submit(operation, actor=self.actor_of[operation.id], wait=False)
        )
        if outcome.status == "conflict":
            newer = self.rows().get(key)
            assert newer is not None
            assert newer.revision > operation.base
        elif outcome.status == "refused":
            assert self.is_enforced(key) or operation.value == POISON or row is not None
        elif outcome.problem == "" and not known and self.is_open(operation.target):
            self.absorb(key)
            self.took(key, self.opinions.get(key), *self.outcomes(key, wanted))
        return outcome.status

    # --- time and faults -------------------------------------------------------------------------

    @rule(duration=seconds)
    def wait(self, duration: float) -> None:
        self.run(asyncio.sleep(duration))

    @rule(
        fault=st.sampled_from(
            ["fail", "lose", "slow", "slow fail", "slow lose", "fail load", "mend"]
        )
    )
    def disturb(self, fault: str) -> None:
        if fault == "fail":
            self.store.commits.fail(2)
        elif fault == "lose":
            self.store.commits.lose_answer()
        elif fault == "slow":
            self.store.commits.delay(1.0, 2)
        elif fault == "slow fail":
            self.store.commits.delay(1.0)
            self.store.commits.fail()
        elif fault == "slow lose":
            self.store.commits.delay(1.0)
            self.store.commits.lose_answer()
        elif fault == "fail load":
            self.store.loads.fail(2)
        else:
            self.mend()

    @rule()
    def settle(self) -> None:
        """All is well for a while: then nothing is dirty, and what is stored is what is shown."""
        self.mend()
        for tab in self.holding:
            self.run(_soon(tab.release))
        self.holding.clear()
        self.run(asyncio.sleep(120))
        self.check()
        rows = self.rows()
        for target in TARGETS:
            layer = self.engine.layers.get(target)
            if layer is None:
                continue
            assert not layer.pending, f"{target} is still dirty: {list(layer.pending.edits())}"
            for field in TOOL.fields:
                if layer.gate.is_open:
                    assert self.read(field, rows.get((target, field))) == self.actual(
                        (target, field)
                    )
        for tab in self.tabs:
            expected = "idle" if not tab.stack else "error" if tab.refused else "ready"
            assert tab.status == expected, (tab.status, tab.last_error)
        assert not self.intents
        self.check_journal()

    @rule(
        clean=st.booleans(),
        slow=st.booleans(),
        places=st.lists(st.sampled_from(PLACES), max_size=2),
    )
    def stop(self, clean: bool, slow: bool, places: list[dict[str, str]]) -> None:
        """The process ends and a new one begins, to which the open pages come back."""
        if clean:
            self.restart()
        else:
            self.crash()
        if slow:
            self.store.loads.delay(1.0)
        for place in places:
            self.open_tab(place, "ada", False)


async def _soon(work: Any) -> Any:
    """Edits belong to a running loop."""
    return work()


class OnMemory(Machine):
    def make_store(self) -> Store:
        return MemoryStore()


class OnSQLite(Machine):
    def make_store(self) -> Store:
        return SQLiteStore(f"{self.folder.name}/machine.db", threaded=False)


TestOnMemory = OnMemory.TestCase
TestOnSQLite = OnSQLite.TestCase
TestOnMemory.settings, TestOnSQLite.settings = effort(60, 40), effort(30, 40)
