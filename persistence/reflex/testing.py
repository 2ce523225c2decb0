"""Drive a Reflex app's states without a browser and without a server, in its real event pipeline.

    async with serving(owners=lambda page: {"shot": "s1"}) as site:
        tab = await site.open("t1", user="ann")
        await tab.send(Travel.shorten)                    # an event of the page, and all it causes
        await tab.operate(Travel, "frames", 41)           # what a bound control sends
        assert tab.shows(Travel, "frames") == 41          # what the page was told
        assert await site.stored("shot", "s1", "travel") == {"frames": 41}

Under pytest the fixture `persistence_site` gives `serving`. Nothing here is imported by the library
itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

import reflex as rx
from reflex.state import StateUpdate
from reflex_base.utils.format import format_event_handler

from ..engine import Engine
from ..scopes import Target
from ..store.base import VALUED
from . import _private as rx_
from . import components, device, gate
from .channel import PersistenceState
from .plugin import PersistencePlugin
from .tabs import Tabs, install, tabs_of_process

SETTLED = 0.02
"""Seconds without an event after which every page has heard of everything."""

PATIENCE = 5.0
"""Seconds that `until` waits."""


def by_cookie(headers: Mapping[str, str]) -> str:
    """`identify` of `serving`: whom a tab's cookie names."""
    return headers.get("cookie", "").partition("user=")[2].partition(";")[0]


class FakeTab:
    """An open page: sends events with its cookie, and keeps what it was told.

    - `path` and `params` are its address; `open()` again after changing them is a navigation.
    - `send` and `operate` return when the event and all that it causes are done.
    """

    def __init__(self, site: Site, token: str, user: str, path: str) -> None:
        self.site, self.token, self.user, self.path = site, token, user, path
        self.told: dict[str, dict[str, Any]] = {}
        """By state's full name: the newest value of each var that the page was sent."""
        self.updates: list[StateUpdate] = []
        self.params: dict[str, str] = {}

    def router_data(self) -> dict[str, Any]:
        """What a browser says of itself with each event."""
        query = f"?{urlencode(self.params)}" if self.params else ""
        return {
            "pathname": self.path,
            "asPath": f"{self.path}{query}",
            "query": dict(self.params),
            "token": self.token,
            "sid": f"sid-{self.token}",
            "ip": "127.0.0.1",
            "headers": {"cookie": f"user={self.user}", "origin": "http://here"},
        }

    async def open(self) -> None:
        """What a browser sends first, and after each navigation: `on_load` runs."""
        self.site.connected.add(self.token)
        await self.send(rx.State.hydrate_and_load)

    def close(self) -> None:
        """The browser's tab is gone."""
        self.site.connected.discard(self.token)

    async def send(self, handler: Any, **payload: Any) -> None:
        """Send an event and wait for it and for all that it causes."""
        await (await self.post(handler, **payload)).wait_all()

    async def post(self, handler: Any, **payload: Any) -> Any:
        """Put an event into the queue; `wait_all()` of the result waits for it."""
        name = handler if isinstance(handler, str) else format_event_handler(handler)
        event = rx_.Event(name=name, payload=payload, router_data=self.router_data())
        return await self.site.app.event_processor.enqueue(self.token, event)

    async def operate(self, state: Any, field: str, value: Any, **more: Any) -> str:
        """What the browser's script sends for an edit of a bound control. Returns its id."""
        made = self.site.operation(self, state, field, value, **more)
        await self.send(PersistenceState.receive, operations=[made])
        return made["id"]

    def shows(self, state: Any, name: str) -> Any:
        """What the page shows for a var of a state; None where it was told nothing yet."""
        return self.told.get(state.get_full_name(), {}).get(name + rx_.FIELD_MARKER)

    def hear(self, update: StateUpdate) -> None:
        self.updates.append(update)
        for state, changes in (update.delta or {}).items():
            self.told.setdefault(state, {}).update(changes)


class Site:
    """A running app, its engine, and the tabs that are open."""

    def __init__(self, app: rx.App, plugin: PersistencePlugin) -> None:
        self.app, self.plugin = app, plugin
        self.tabs: Tabs = plugin.install(app)
        self.tabs.is_connected = self._is_connected
        self.connected: set[str] = set()
        self.pages: dict[str, FakeTab] = {}
        self.sent = 0

    @property
    def engine(self) -> Engine:
        return self.tabs.engine

    def tab(self, token: str, user: str = "ann", path: str = "/") -> FakeTab:
        """A tab that hasn't sent anything yet."""
        made = self.pages[token] = FakeTab(self, token, user, path)
        return made

    async def open(self, token: str = "t1", user: str = "ann", path: str = "/") -> FakeTab:  # noqa: S107  # a tab's name
        """A tab with the page open."""
        tab = self.tab(token, user, path)
        await tab.open()
        return tab

    def operation(
        self, tab: FakeTab, state: Any, field: str, value: Any, **more: Any
    ) -> dict[str, Any]:
        """An edit as the browser's script writes it, made on what the tab shows."""
        self.sent += 1
        target = json.loads(tab.shows(state, "target") or "[]")
        shown: dict[str, Any] = tab.shows(state, "info") or {}
        info: dict[str, Any] = shown.get(field) or {}
        return {
            "id": f"op-{tab.token}-{self.sent}", "client": tab.token, "seq": self.sent,
            "target": target, "field": field, "kind": "set", "value": value,
            "base": info.get("revision", 0), **more,
        }  # fmt: skip

    async def state(self, token: str, cls: Any) -> Any:
        """A tab's state as the server holds it. To look at: what is set there nobody hears of."""
        root = await self.app.state_manager.get_state(rx.BaseStateToken(ident=token, cls=cls))
        return await root.get_state(cls)

    async def stored(self, scope: str, owner: str, tool: str) -> dict[str, Any]:
        """What the database holds for a target: values by field; "block" for a block."""
        target = Target(scope, owner, tool)
        rows = (await self.engine.store.load([target]))[target]
        return {
            name: json.loads(row.text or "null") if row.kind in VALUED else row.kind
            for name, row in rows.items()
            if row.kind != "reset"
        }

    async def settle(self) -> None:
        """Wait until everything is saved and every page has heard of it."""
        await self.engine.flush()
        before = -1
        while before < (heard := sum(len(tab.updates) for tab in self.pages.values())):
            before = heard
            await asyncio.sleep(SETTLED)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it to come to hold. Raises AssertionError after `PATIENCE` seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while not holds():
            if loop.time() > end:
                raise AssertionError("it never came to hold")
            await asyncio.sleep(0.005)

    async def hear(self, update: StateUpdate, token: str) -> None:
        if token in self.pages:
            self.pages[token].hear(update)

    def _is_connected(self, token: str) -> bool:
        return token in self.connected


S = TypeVar("S", bound=Site)


ui: Any = rx  # whose signatures aren't fully typed


def _a_page() -> rx.Component:
    return ui.el.p("a page")


DECLARING = (components, device, gate)
"""What declares states of the library: loaded before a test's app is set apart, so that each has
them."""


@asynccontextmanager
async def serving(
    *,
    app: rx.App | None = None,
    site: type[S] = Site,
    on_load: Any = None,
    route: str = "/",
    page: Callable[[], rx.Component] = _a_page,
    **options: Any,
) -> AsyncGenerator[S]:
    """An app with every state that was declared so far, running until the end of the block.

    `on_load` runs when the page at `route` is opened; `page` renders it. With `app` it is that one,
    with its own pages. `site` may be a subclass with an app's own words. The rest goes to
    `PersistencePlugin`: `database` ("memory:", if not given), `scopes` (("user",), if not given),
    `owners` …; `identify` takes a tab's user from its cookie, if not given.
    """
    config = rx.Config(
        app_name="app_under_test",
        state_manager_mode=rx.constants.StateManagerMode.MEMORY,
        telemetry_enabled=False,
        disable_plugins=[rx.plugins.SitemapPlugin],
    )
    outside, tabs = rx_.set_context(config), tabs_of_process()
    try:
        served: Any = app or rx.App()
        if app is None:
            served.add_page(page, route=route, on_load=on_load)
        known: dict[str, Any] = {"database": "memory:", "identify": by_cookie}
        running = site(served, PersistencePlugin(**known | options))
        async with rx_.event_pipeline(served, running.hear):
            await running.engine.start()
            try:
                yield running
            finally:
                await running.engine.stop()
    finally:
        rx_.RegistrationContext.set(outside)
        install(tabs)
