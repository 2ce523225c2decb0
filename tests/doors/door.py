"""The whole workbench behind its real doors, in this process: every wrapper, route and handler.

The app is what a server runs, without the pages' build: requests and WebSocket frames go to its
ASGI callable as a server's would. Nothing of it is replaced.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import runpy
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext

from persistence import Target
from persistence.reflex import _private as rx_
from persistence.reflex.doors import Doors
from persistence.reflex.tabs import Tabs, install, tabs_of_process
from workbench import database, projects, web
from workbench import workbench as app_module
from workbench.accounts import identify, keys, people, sessions
from workbench.accounts.cookies import guest_cookie
from workbench.accounts.lately import Lately
from workbench.models import new_id
from workbench.settings import Travel

ROOT = Path(__file__).parents[2]
HOST = "film.example"
ORIGIN = f"http://{HOST}"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PASSWORD = "harbour at dawn"
PATIENCE = 40.0


class Socket:
    """A page's WebSocket, as Reflex's script speaks it. Closed by the server: `closed` says so."""

    def __init__(
        self,
        asgi: Any,
        headers: Sequence[tuple[str, str]],
        token: str,
        address: str = "192.0.2.1",
        path: str = "/_event/",
        is_mute: bool = False,
    ) -> None:
        """`is_mute`: it never says that it is a page."""
        self.is_mute = is_mute
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.updates: list[Any] = []
        self.closed = False
        self.refused = ""
        """Why socket.io didn't let it in."""
        self.is_idle = False
        """Has the server taken in all that was sent?"""
        self.left = False
        """Was it told to leave, by socket.io or below it?"""
        scope = {
            "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1",
            "scheme": "ws", "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": f"token={quote(token)}&EIO=4&transport=websocket".encode(),
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers if v],
            "client": (address, 4000), "server": (HOST, 80), "subprotocols": [], "state": {},
        }  # fmt: skip
        self._task = asyncio.create_task(self._run(asgi, scope))
        self._reader = asyncio.create_task(self._read())
        self._opened = asyncio.Event()

    async def _run(self, asgi: Any, scope: Any) -> None:
        await self._in.put({"type": "websocket.connect"})
        try:
            await asgi(scope, self._receive, self._out.put)
        finally:
            await self._out.put({"type": "websocket.close"})

    async def _receive(self) -> dict[str, Any]:
        self.is_idle = self._in.empty()
        message = await self._in.get()
        self.is_idle = False
        return message

    async def _read(self) -> None:
        while True:
            message = await self._out.get()
            if message["type"] == "websocket.close":
                self.closed = True
                self._opened.set()
                return
            text = message.get("text") or ""
            if text.startswith("0"):
                if self.is_mute:
                    self._opened.set()
                else:
                    self.frame("40/_event,")
            elif text.startswith("40"):
                self._opened.set()
            elif text.startswith("44/_event,"):
                self.refused = json.loads(text.removeprefix("44/_event,"))["message"]
                self._opened.set()
            elif text == "1" or text.startswith("41"):
                self.left = True
            elif text.startswith("42/_event,"):
                self.updates.append(json.loads(text.removeprefix("42/_event,")))
            elif text == "2":
                self.frame("3")

    async def opened(self) -> Socket:
        await asyncio.wait_for(self._opened.wait(), PATIENCE)
        return self

    def frame(self, text: str) -> None:
        """Any frame, however it looks."""
        self._in.put_nowait({"type": "websocket.receive", "text": text})

    async def read(self) -> None:
        """Wait until the server has taken in all that was sent, or has closed."""
        async with asyncio.timeout(PATIENCE):
            while not (self.closed or (self.is_idle and self._in.empty())):
                await asyncio.sleep(0.001)

    def send(self, *message: Any) -> None:
        """An event of the page: `send("event", {...})`."""
        self.frame("42/_event," + json.dumps(message))

    async def close(self) -> None:
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait({self._task}, timeout=PATIENCE)
        self._task.cancel()
        self._reader.cancel()


class Person:
    """A browser of somebody, at an address: its cookies, its requests, its sockets."""

    def __init__(self, door: Door, address: str = "192.0.2.1") -> None:
        self.door = door
        transport = httpx.ASGITransport(door.asgi, client=(address, 4000))
        headers = {"user-agent": FIREFOX, "origin": ORIGIN}
        self.http = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)
        self.sent = 0

    @property
    def cookies(self) -> str:
        kept = {each.name: each.value for each in self.http.cookies.jar}
        return "; ".join(f"{name}={value}" for name, value in kept.items())

    async def who(self) -> str:
        return await identify({"cookie": self.cookies})

    def copy(self) -> Person:
        """Somebody who has got hold of the cookies."""
        thief = Person(self.door, "203.0.113.9")
        thief.http.cookies.update(self.http.cookies)
        return thief

    async def refresh(self) -> httpx.Response:
        return await self.http.post("/auth/refresh")

    async def socket(
        self,
        token: str,
        *,
        origin: str = ORIGIN,
        address: str = "192.0.2.1",
        path: str = "/_event/",
        more: Sequence[tuple[str, str]] = (),
        is_mute: bool = False,
    ) -> Socket:
        """`more` are headers that follow its own."""
        headers = [
            ("host", HOST), ("origin", origin), ("cookie", self.cookies), ("user-agent", FIREFOX),
            ("connection", "Upgrade"), ("upgrade", "websocket"), *more,
        ]  # fmt: skip
        return await Socket(self.door.asgi, headers, token, address, path, is_mute).opened()

    async def make_shot(self) -> tuple[str, str]:
        """A project with a shot of their own."""
        me = await self.who()
        project = await projects.create_project(me, "Harbour")
        return project, await projects.create_shot(me, project, "Gulls")

    def operation(self, target: tuple[str, str, str], field: str, value: Any) -> dict[str, Any]:
        self.sent += 1
        return {
            "id": f"{id(self):x}.{self.sent:08x}", "client": f"{id(self):x}", "seq": self.sent,
            "target": list(target), "field": field, "kind": "set", "value": value, "base": 0,
        }  # fmt: skip

    async def operate(self, target: tuple[str, str, str], field: str, value: Any) -> httpx.Response:
        body = {"operations": [self.operation(target, field, value)]}
        return await self.http.post("/persistence/operations", json=body)


class Door:
    """The running app."""

    def __init__(self, app: rx.App, asgi: Any, tabs: Tabs, doors: Doors) -> None:
        self.app, self.asgi, self.tabs, self.doors = app, asgi, tabs, doors

    def nobody(self) -> Person:
        return Person(self)

    def guest(self) -> Person:
        person = Person(self)
        person.http.cookies.set("workbench_guest", guest_cookie(new_id()))
        return person

    async def sign_up(self, name: str) -> Person:
        person = self.guest()
        answer = await person.http.post("/auth/sign-up", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        person.http.cookies.delete("workbench_guest")
        return person

    async def stored(self, scope: str, owner: str, tool: str) -> dict[str, Any]:
        target = Target(scope, owner, tool)
        return dict((await self.tabs.engine.store.load([target]))[target])

    async def settle(self, *sockets: Socket) -> None:
        """Wait until what was sent has been read, no event runs and all is saved."""
        for socket in sockets:
            await socket.read()
        processor: Any = self.app.event_processor
        while processor._tasks or not processor._queue.empty():
            await asyncio.sleep(0.002)
        await self.tabs.engine.flush()


def evaluate_pages(app: rx.App) -> None:
    """Make each page's components once: some declare states, which have handlers."""
    for page in app._unevaluated_pages.values():
        if callable(page.component):
            page.component()


class House:
    """A running app that several tests share, each with people of its own."""

    def __init__(self, runner: asyncio.Runner, door: Door) -> None:
        self.runner, self.door = runner, door


def in_house(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The test, whose first argument is a Door, in the loop of its module's `house`."""
    parameters = list(inspect.signature(test).parameters.values())
    asked = [inspect.Parameter("house", inspect.Parameter.KEYWORD_ONLY), *(
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters[1:]
    )]  # fmt: skip

    def run(*, house: House, **others: Any) -> None:
        house.runner.run(test(house.door, **others))

    run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
    run.__signature__ = inspect.Signature(asked)  # pyright: ignore[reportFunctionMemberAccess]
    return run


@contextmanager
def fresh_database(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", f"sqlite:///{folder / 'workbench.db'}")
        patch.setenv("SECRET_KEY", "a key for tests")
        keys.secret_key.cache_clear()
        for remembers in (people, sessions):  # what was read from another test's database
            patch.setattr(remembers, "_lately", Lately())
        yield
    keys.secret_key.cache_clear()
    for engine in database._engines.values():
        engine.dispose()
    database._engines.clear()


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Door]:
    """The workbench as `rxconfig.py` configures it, with the database of `DATABASE_URL`, and with
    other `options` of the plugin."""
    mode = os.environ.get("REFLEX_ENV_MODE")
    os.environ["REFLEX_ENV_MODE"] = "prod"  # in development other origins are let in
    config = runpy.run_path(str(ROOT / "rxconfig.py"))["config"]
    outside, tabs = rx_.set_context(config), tabs_of_process()
    importlib.reload(web)
    app: Any = importlib.reload(app_module).app
    app._compile = lambda **_: None
    plugin: Any = RegistrationContext.get().config.plugins[0]
    for name, value in options.items():
        setattr(plugin, name, value)
    try:
        asgi = app()
        evaluate_pages(app)
        async with asgi.router.lifespan_context(asgi):
            running_tabs = tabs_of_process()
            assert running_tabs is not None
            yield Door(app, asgi, running_tabs, plugin.doors)
    finally:
        RegistrationContext.set(outside)
        install(tabs)
        del os.environ["REFLEX_ENV_MODE"]
        if mode is not None:
            os.environ["REFLEX_ENV_MODE"] = mode


__all__ = [
    "HOST",
    "ORIGIN",
    "PASSWORD",
    "PATIENCE",
    "Door",
    "House",
    "Person",
    "Socket",
    "Travel",
    "fresh_database",
    "in_house",
    "running",
]
