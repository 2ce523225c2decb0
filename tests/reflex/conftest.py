"""A real Reflex app in its real event pipeline, without a browser and without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import reflex as rx
from reflex.state import StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import format_event_handler

from persistence import Engine
from persistence.reflex import PersistencePlugin, PersistenceState
from persistence.reflex import tabs as tabs_module
from persistence.settings import registry

FIELD_MARKER = "_rx_state_"


class FakeTab:
    """A page: sends events with its cookie, and keeps what it was told."""

    def __init__(self, site: Site, token: str, user: str, path: str) -> None:
        self.site, self.token, self.user, self.path = site, token, user, path
        self.told: dict[str, dict[str, Any]] = {}
        self.updates: list[StateUpdate] = []
        self.params: dict[str, str] = {}

    def router_data(self) -> dict[str, Any]:
        return {
            "pathname": self.path,
            "asPath": self.path,
            "query": dict(self.params),
            "token": self.token,
            "sid": f"sid-{self.token}",
            "ip": "127.0.0.1",
            "headers": {"cookie": f"user={self.user}", "origin": "http://here"},
        }

    async def send(self, handler: Any, **payload: Any) -> None:
        """Send an event and wait for it and for all that it causes."""
        await (await self.post(handler, **payload)).wait_all()

    async def post(self, handler: Any, **payload: Any) -> Any:
        """Put an event into the queue."""
        name = handler if isinstance(handler, str) else format_event_handler(handler)
        event = Event(name=name, payload=payload, router_data=self.router_data())
        return await self.site.app.event_processor.enqueue(self.token, event)

    async def open(self) -> None:
        """What a browser sends first."""
        self.site.connected.add(self.token)
        await self.send(rx.State.hydrate_and_load)

    async def operate(self, state: Any, field: str, value: Any, **more: Any) -> str:
        """What the script sends for a bound control's edit."""
        made = self.site.operation(self, state, field, value, **more)
        await self.send(PersistenceState.receive, operations=[made])
        return made["id"]

    def shows(self, state: Any, name: str) -> Any:
        """What the page shows for a var."""
        return self.told.get(state.get_full_name(), {}).get(name + FIELD_MARKER)

    def hear(self, update: StateUpdate) -> None:
        self.updates.append(update)
        for state, changes in update.delta.items():
            self.told.setdefault(state, {}).update(changes)


class Site:
    """The app, its engine, and the tabs that are open."""

    def __init__(self, app: rx.App, plugin: PersistencePlugin) -> None:
        self.app, self.plugin = app, plugin
        self.tabs = plugin.install(app)
        self.connected: set[str] = set()
        self.pages: dict[str, FakeTab] = {}
        self.sent = 0

    @property
    def engine(self) -> Engine:
        return self.tabs.engine

    def tab(self, token: str, user: str = "ann", path: str = "/") -> FakeTab:
        made = self.pages[token] = FakeTab(self, token, user, path)
        return made

    async def open(self, token: str, user: str = "ann", path: str = "/") -> FakeTab:
        tab = self.tab(token, user, path)
        await tab.open()
        return tab

    def operation(self, tab: FakeTab, state: Any, field: str, value: Any, **more: Any) -> Any:
        self.sent += 1
        target = json.loads(tab.shows(state, "target") or "[]")
        info = (tab.shows(state, "info") or {}).get(field, {})
        return {
            "id": f"op-{tab.token}-{self.sent}", "client": tab.token, "seq": self.sent,
            "target": target, "field": field, "kind": "set", "value": value,
            "base": info.get("revision", 0), **more,
        }  # fmt: skip

    async def state(self, token: str, cls: Any) -> Any:
        root = await self.app.state_manager.get_state(rx.BaseStateToken(ident=token, cls=cls))
        return await root.get_state(cls)

    async def stored(self, *target: str) -> dict[str, Any]:
        """What the database holds for (scope, owner, tool)."""
        from persistence import Target

        rows = (await self.engine.store.load([Target(*target)]))[Target(*target)]
        return {name: row.text for name, row in rows.items() if row.kind != "reset"}

    async def settle(self) -> None:
        """Wait until everything is saved and every page heard of it."""
        await self.engine.flush()
        for _ in range(40):
            await asyncio.sleep(0.002)


def identify(headers: Mapping[str, str]) -> str:
    return headers.get("cookie", "").partition("user=")[2].partition(";")[0]


def without_the_workbench(context: RegistrationContext) -> RegistrationContext:
    """Other tests of the same run import the workbench, whose states aren't of these apps."""
    for name, state in list(context.base_states.items()):
        if is_of_the_workbench(state):
            del context.base_states[name]
    for name, states in list(context.base_state_substates.items()):
        context.base_state_substates[name] = {s for s in states if not is_of_the_workbench(s)}
    return context


def is_of_the_workbench(state: type) -> bool:
    return state.__module__.partition(".")[0] == "workbench"


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> Any:
    """States declared by a test are gone after it; those of the workbench are away meanwhile."""
    monkeypatch.setenv("REFLEX_TELEMETRY_ENABLED", "false")
    before = dict(registry)
    registry.clear()
    outside = RegistrationContext.ensure_context()
    RegistrationContext.set(without_the_workbench(outside.fork()))
    yield
    RegistrationContext.set(outside)
    registry.clear()
    registry.update(before)
    tabs_module.install(None)


Serve = Callable[..., Any]


@pytest.fixture
def serve(states: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """`async with serve(index, on_load=…, owners=…) as site`: an app that runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rxconfig.py").write_text(
        "import reflex as rx\n"
        "config = rx.Config(app_name='t', state_manager_mode='memory', telemetry_enabled=False,"
        " disable_plugins=[rx.plugins.SitemapPlugin])\n"
    )

    @asynccontextmanager
    async def running(
        *,
        on_load: Any = None,
        database: Any = "memory:",
        owners: Any = None,
        **options: Any,
    ) -> AsyncIterator[Site]:
        RegistrationContext.set(RegistrationContext.get().fork())
        app = rx.App()
        app.add_page(lambda: rx.text("page"), route="/", on_load=on_load)
        plugin = PersistencePlugin(
            database=database,
            scopes=options.pop("scopes", ("user", "project", "shot")),
            identify=options.pop("identify", identify),
            owners=owners
            or (lambda page: {"project": f"{page.actor}-p", "shot": f"{page.actor}-A"}),
            **options,
        )
        site = Site(app, plugin)
        site.tabs.is_connected = lambda token: token in site.connected  # type: ignore[method-assign]

        async def tell(update: StateUpdate, token: str) -> None:
            if token in site.pages:
                site.pages[token].hear(update)

        async with app._setup_event_processor():
            assert app.event_namespace is not None
            monkeypatch.setattr(app.event_namespace, "emit_update", tell)
            await site.engine.start()
            try:
                yield site
            finally:
                await site.engine.stop()

    return running


Wait = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def until() -> Wait:
    """`await until(lambda: …)`: soon, or the test fails."""

    async def wait(holds: Callable[[], bool]) -> None:
        for _ in range(400):
            if holds():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("it never came to hold")

    return wait
