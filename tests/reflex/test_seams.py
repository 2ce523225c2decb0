"""Every private name of Reflex that `_private` builds on, by what it must do."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import reflex as rx
from reflex.istate.manager.disk import StateManagerDisk
from reflex.istate.manager.memory import StateManagerMemory
from reflex.state import State

from persistence.reflex import _private as rx_
from persistence.reflex import setting
from persistence.reflex.fields import CHANGED


def tree(cls: Any) -> tuple[Any, Any]:
    root = State(_reflex_internal_init=True)
    return root, root.get_substate(cls.get_full_name().split("."))


def test_a_field_subclass_sees_assignment_nested_change_and_mixins_and_keeps_its_arguments(states):
    seen: list[str] = []

    class Noting(rx_.Field[Any]):
        def __init__(self, *args: Any, mark: str = "", **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.mark = mark

        def _replace(self, **kwargs: Any) -> Any:
            return super()._replace(**{"mark": self.mark, **kwargs})

        def _mark_dirty(self, state: Any) -> None:
            seen.append(self._name + self.mark)
            super()._mark_dirty(state)

    class Mixin(rx.State, mixin=True):
        mixed: rx.Field[int] = Noting(default=1, mark="!")

    class Held(Mixin, rx.State):
        number: rx.Field[int] = Noting(default=1)
        listed: rx.Field[list[int]] = Noting(default_factory=list)

    _, held = tree(Held)
    held.number = 2
    held.listed.append(1)
    held.mixed = 3
    assert seen == ["number", "listed", "mixed!"]
    assert type(rx_.fields_of(Held)["mixed"]) is Noting
    assert str(Held.number)  # a var in the page


def test_a_changed_name_survives_pickling(states):
    class Held(rx.State):
        number: int = 1

    _, held = tree(Held)
    rx_.held_by(held)[CHANGED] = {"number"}
    again = pickle.loads(pickle.dumps(held))
    assert rx_.held_by(again)[CHANGED] == {"number"}


def test_make_touched_reaches_the_delta_and_computed_vars_and_not_the_observer(states):
    class Held(rx.State):
        number: rx.Field[int] = setting(1)

        @rx.var
        def twice(self) -> int:
            return self.number * 2

    root, held = tree(Held)
    assert held.twice == 2
    held._clean()
    rx_.held_by(held)["number"] = 5
    rx_.make_touched(held, ["number"])
    assert CHANGED not in rx_.held_by(held)
    delta = asyncio.run(rx_.delta_of(root))
    marker = rx_.FIELD_MARKER
    assert delta[Held.get_full_name()] == {"number" + marker: 5, "twice" + marker: 10}
    assert asyncio.run(rx_.delta_of(root)) == {}


def test_a_coroutine_in_a_delta_is_awaited_and_may_drop_itself(states):
    class Held(rx.State):
        number: int = 1

        @rx_.override
        def get_delta(self) -> Any:
            delta = super().get_delta()
            mine = delta.setdefault(self.get_full_name(), {})

            async def later() -> object:
                await asyncio.sleep(0)
                mine["late" + rx_.FIELD_MARKER] = 7
                return rx_.DROP

            mine["awaited"] = later()
            return delta

    root, held = tree(Held)
    held.number = 2
    marker = rx_.FIELD_MARKER
    assert asyncio.run(rx_.delta_of(root))[Held.get_full_name()] == {
        "number" + marker: 2,
        "late" + marker: 7,
    }


def test_a_var_tells_its_state_and_field(states):
    class Held(rx.State):
        number: int = 1
        _hidden: int = 2

    assert rx_.source_of(Held.number) == (Held, "number")
    assert rx_.source_of("text") == (None, "")
    assert rx_.root_of(tree(Held)[1]) is not None


async def test_events_that_an_event_causes_are_announced_before_they_begin(serve):
    from persistence.reflex import causes

    class Held(rx.State):
        seen: list[str] = []

        @rx.event
        def first(self) -> Any:
            return [type(self).second, type(self).background]

        @rx.event
        def second(self) -> None:
            self.seen.append(causes.current().source)

        @rx.event(background=True)
        async def background(self) -> None:
            async with self:
                self.seen.append(causes.current().source)

    async with serve(on_load=Held.first) as site:
        tab = await site.open("t1")
        assert sorted((await site.state("t1", Held)).seen) == ["load", "load"]
        await tab.send(Held.first)
        assert sorted((await site.state("t1", Held)).seen[2:]) == ["program", "user"]


def test_the_handler_of_an_event_tells_its_state_and_whether_it_runs_in_the_background(states):
    from reflex_base.utils.format import format_event_handler

    class Held(rx.State):
        @rx.event
        def front(self) -> None: ...

        @rx.event(background=True)
        async def back(self) -> None: ...

    assert rx_.handler_states(format_event_handler(Held.front)) == (Held, False)
    assert rx_.handler_states(format_event_handler(Held.back)) == (Held, True)
    assert rx_.handler_states("nothing.of.the.kind") == (None, False)


@pytest.mark.parametrize("on_disk", [False, True])
async def test_what_is_noted_on_a_tree_is_found_and_no_tree_is_made_for_asking(
    on_disk: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def managed() -> Any:
        return StateManagerDisk() if on_disk else StateManagerMemory()

    app: Any = SimpleNamespace(_state=State, state_manager=managed())
    root: Any = State(_reflex_internal_init=True)
    rx_.held_by(root)["_mark"] = "ann"
    rx_.make_touched(root, ())
    await app.state_manager.set_state(rx.BaseStateToken(ident="hers", cls=State), root)
    await app.state_manager.close()
    if on_disk:  # the next start finds only what was written
        app.state_manager = managed()
    assert await rx_.noted_on(app, "hers", "_mark") == "ann"
    assert await rx_.noted_on(app, "made-up", "_mark") is None
    assert "made-up" not in app.state_manager.states
    await app.state_manager.close()


def test_a_server_that_compiles_no_page_has_the_states_that_pages_have() -> None:
    """Reflex compares the two, and asks a browser to reload where they differ."""
    compiled, served = states_after("register_route()"), states_after("install(app)")
    assert compiled <= served, f"only in pages: {compiled - served}"


def states_after(call: str) -> set[str]:
    """The states that there are in a process whose plugin did that."""
    code = f"""
import os, sys, tempfile
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
os.chdir(tempfile.mkdtemp())
open("rxconfig.py", "w").write("import reflex as rx; config = rx.Config(app_name='t')")
import reflex as rx
from reflex_base.registry import RegistrationContext
from persistence.reflex import PersistencePlugin
app = rx.App()
plugin = PersistencePlugin(database="memory:")
plugin.{call}
for _, make in [*app.extra_app_wraps.items()] if "register" in {call!r} else []:
    make(True)
print(*RegistrationContext.get().base_states)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())
