"""What does it cost that a Reflex var is a setting: checked, observed, captured and saved?

Beside Reflex's own var in a state of its own, and NiceGUI's dict that tells of changes. "First" is
the first assignment in an event, "repeated" a later one, "nested" changes a dict in place.

The whole event is a handler that sets one var, in Reflex's own pipeline: queue, middleware,
handler, delta. Ours has the gate before it, and is captured, resolved, scheduled and committed
before the page hears of it; the store is in memory, since the time of a disk isn't the processor's.
"""

from __future__ import annotations

import contextvars
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .measure import Answer, Missing, Side, calls, folder, in_turns, peer, runner, show, times

OWN = "Reflex's own var"
CONFIG = """
import reflex as rx
config = rx.Config(app_name="bench", state_manager_mode="memory", telemetry_enabled=False)
"""


def benchmark(quick: bool) -> Iterator[Answer]:
    os.environ.setdefault("REFLEX_ENV_MODE", "prod")
    if peer("reflex") is None:
        yield Missing(f"set a persisted var / {OWN}", "'reflex>=0.10.1,<0.11'")
        return
    with folder() as path:
        (path / "rxconfig.py").write_text(CONFIG)
        before = Path.cwd()
        os.chdir(path)  # Reflex looks for its configuration where it is started
        from .states import Own, Persisted

        yield from _assignments(Persisted, Own, 7 if quick else 21)
        yield _events(Persisted, Own, events=50 if quick else 200, rounds=7 if quick else 21)
        os.chdir(before)


# --- assignments ---------------------------------------------------------------------------------


def _assignments(ours: Any, own: Any, rounds: int) -> Iterator[Answer]:
    sides = {**_of(ours, "ours"), **_of(own, "own")}
    nicegui = peer("nicegui.observables")
    if nicegui is not None:
        observable = nicegui.ObservableDict({"a": 0}, on_change=lambda *_: None)
        sides["nicegui"] = calls("o['a'] = 1; o['a'] = 2", {"o": observable}, unroll=5)
    found = in_turns(sides, rounds)
    for question, case, target in (
        (f"set a persisted var, first in an event / {OWN}", "first", "≤ 1.5"),
        (f"set a persisted var, repeated / {OWN}", "repeated", "≤ 1.0"),
        (f"change a persisted dict in place / {OWN}", "nested", "≤ 1.05"),
    ):
        yield times(question, found[f"ours {case}"], found[f"own {case}"], target)
    question = "set a persisted var, repeated / NiceGUI ObservableDict with a handler"
    if nicegui is None:
        yield Missing(question, "nicegui")
    else:
        yield times(question, found["ours repeated"], found["nicegui"], "≤ 0.35")


def _of(cls: Any, side: str) -> dict[str, Side]:
    """The statements on a state of this class; `end` does what the end of an event leaves."""
    import reflex as rx

    from persistence.reflex.fields import CHANGED

    root = rx.State(_reflex_internal_init=True)  # pyright: ignore[reportCallIssue]
    state = root.get_substate(cls.get_full_name().split("."))
    names = {"state": state, "held": state.__dict__, "CHANGED": CHANGED}
    end = "state.dirty_vars.clear(); held.pop(CHANGED, None)"
    return {
        f"{side} first": calls(f"state.frames = 1; {end}", names, unroll=5),
        f"{side} repeated": calls("state.frames = 1; state.frames = 2", names, unroll=5),
        f"{side} nested": calls("state.notes['a'] = 1; state.notes['a'] = 2", names, unroll=5),
    }


# --- whole events --------------------------------------------------------------------------------


def _events(ours: Any, own: Any, *, events: int, rounds: int) -> Answer:
    """Each app lives in a context of its own, since Reflex keeps what is current in one."""
    from persistence.reflex import PersistencePlugin

    plugin = PersistencePlugin(
        database="memory:", scopes=("user",), identify=lambda _: "ann", owners=lambda _: {}
    )
    with runner() as loop:
        contexts = {side: contextvars.copy_context() for side in ("ours", "own")}
        apps = {"ours": OneTab(ours, plugin), "own": OneTab(own, None)}

        def side(name: str) -> Side:
            return lambda: loop.run(apps[name].send(events), context=contexts[name])

        for name, app in apps.items():
            loop.run(app.start(), context=contexts[name])
        found = in_turns({name: side(name) for name in apps}, rounds)
        for name, app in apps.items():
            loop.run(app.stop(), context=contexts[name])
    return times(
        "a whole event that sets a persisted var, committed / the same with Reflex's own",
        found["ours"], found["own"], "≤ 1.10",
    )  # fmt: skip


class OneTab:
    """A Reflex app without a server, and one page that sends events to it."""

    def __init__(self, cls: Any, plugin: Any) -> None:
        self._cls, self._plugin = cls, plugin
        self._heard = 0

    async def start(self) -> None:
        import reflex as rx
        from reflex_base.registry import RegistrationContext

        RegistrationContext.set(RegistrationContext.ensure_context().fork())
        self._app = rx.App()
        self._app.add_page(lambda: rx.text("page"), route="/")
        self._tabs = self._plugin.install(self._app) if self._plugin is not None else None
        self._running = self._app._setup_event_processor()
        await self._running.__aenter__()
        self._app.event_namespace.emit_update = self._hear
        if self._tabs is not None:
            self._tabs.is_connected = lambda _: True
            await self._tabs.engine.start()
        await self._send(rx.State.hydrate_and_load)

    async def stop(self) -> None:
        if self._tabs is not None:
            await self._tabs.engine.stop()
        await self._running.__aexit__(None, None, None)

    async def send(self, events: int) -> float:
        """Seconds an event, from the queue until the page has heard all of it."""
        heard = self._heard
        begun = time.perf_counter()
        for _ in range(events):
            await self._send(self._cls.more)
        taken = (time.perf_counter() - begun) / events
        assert self._heard - heard >= events, "the page was told of every event"
        return taken

    async def _send(self, handler: Any) -> None:
        from reflex_base.event import Event
        from reflex_base.utils.format import format_event_handler

        router = {"pathname": "/", "asPath": "/", "query": {}, "token": "tab", "headers": {}}
        event = Event(name=format_event_handler(handler), payload={}, router_data=router)
        await (await self._app.event_processor.enqueue("tab", event)).wait_all()

    async def _hear(self, update: Any, token: str) -> None:  # noqa: ARG002
        self._heard += bool(update.delta)


if __name__ == "__main__":
    show(benchmark)
