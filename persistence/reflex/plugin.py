"""Install it all with one line of `rxconfig.py`.

    config = rx.Config(
        app_name="studio",
        plugins=[PersistencePlugin(
            database="sqlite:///studio.db",
            scopes=("user", "project", "shot"),
            identify="studio.accounts:identify",
            authorise="studio.accounts:authorise",
            owners="studio.pages:owners",
            describe="studio.pages:describe",
            members="studio.pages:members",
            appliers={"message.add": "studio.messages:add_message"},
        )],
    )

The hooks are functions, or "module:name", which is imported when the app is there: `rxconfig.py`
stays light.

- `identify(headers) -> str`: who sends this request, by lower-case header names; "" for nobody. May
  be async. Without it everybody is a guest, known by a cookie of the library's.
- `authorise(actor, action, scope, owner) -> bool`: may they "read", "write" or "admin" what this
  owner holds? May be async. Without it, everybody who is somebody may.
- `owners(page) -> {"project": …, "shot": …}`: whose settings a page shows; `page` is a `Page` with
  `actor`, `route`, `path` and `params`. May be async. The weakest scope is the actor's own, if
  nothing else is said.
- `appliers`: kinds of operations of the app's own, each with a function that `@applier(Payload)`
  declares.

Nothing is opened, and no task is started, before the server runs: Reflex imports an app once and
then forks its workers.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import reflex as rx
from reflex.utils.exec import is_prod_mode
from starlette.applications import Starlette

from ..appliers import Applier
from ..engine import Authorise, Engine
from ..http import Identify, operation_routes
from ..scopes import ScopeChain
from ..store.base import Store
from ..throttle import RATE_LIMIT, Throttle, throttled
from . import _private as rx_
from .directory import Describe, Directory, Members
from .doors import Doors, guarded
from .origins import Origins
from .shutdown import save_on_signals
from .tabs import Owners, Tabs, install

if TYPE_CHECKING:
    from reflex.app import App

log = logging.getLogger("persistence")

STYLES = "persistence"
"""The folder of the library's stylesheets among the app's."""
MAX_WAIT = 0.4
"""Seconds that an edit waits here at most: a page that is typed in has held it for up to 0.5."""
SWEEP = 2.0
"""Seconds between looks for tabs that were closed."""


class PersistencePlugin(rx.plugins.Plugin):
    """The plugin. Keywords beyond these go to the `Engine`: `debounce`, `max_wait`, `value_limit`,
    `keep_history`, `key` …"""

    def __init__(
        self,
        *,
        database: str | Store = "sqlite:///persistence.db",
        scopes: Sequence[str] | ScopeChain = ("user",),
        identify: str | Identify | None = None,
        authorise: str | Authorise | None = None,
        owners: str | Owners | None = None,
        describe: str | Describe | None = None,
        members: str | Members | None = None,
        appliers: Mapping[str, str | Applier[Any]] | None = None,
        grace: float = 0.15,
        backend: str = "",
        allowed_origins: Sequence[str] = (),
        rate_limit: float | None = RATE_LIMIT,
        proxies: int | None = None,
        scope_names: Mapping[str, str] | None = None,
        offline: bool = True,
        **engine: Any,
    ) -> None:
        """`grace` is how many seconds an event waits for a load or a commit before the page goes
        on.

        `backend` is the server's URL where the pages come from another host in production.
        `allowed_origins` may open pages' sockets and send operations besides the app's own pages
        ("https://app.example"; "*" for all). `rate_limit` is how many requests and events a minute
        one user may send, None for any number: see `throttle.py`. `proxies` is how many proxies of
        yours say in `X-Forwarded-For` where a request comes from (`trusted_proxy_hops` of the
        configuration, if not given).
        `scope_names` are the app's words for its scopes: {"shot": "This shot", "default": "None"}.
        `offline` keeps pages in the browser, so that they can be seen and edited after a reload
        while the server is away; only in production, and where pages and server share a host.
        """
        self.database, self.scopes = database, scopes
        self.identify, self.authorise, self.owners = identify, authorise, owners
        self.describe, self.members = describe, members
        self.scope_names, self.appliers = dict(scope_names or {}), dict(appliers or {})
        self.grace, self.backend, self.allowed_origins = grace, backend, tuple(allowed_origins)
        self.rate_limit, self.proxies, self.offline = rate_limit, proxies, offline
        self._options: dict[str, Any] = {"max_wait": MAX_WAIT, **engine}
        self._installed: set[int] = set()
        self.tabs: Tabs | None = None
        self.doors: Doors | None = None

    # --- what Reflex calls -----------------------------------------------------------------------

    def get_static_assets(self, **context: Any) -> list[tuple[Path, str | bytes]]:
        """The library's stylesheets, which Reflex bundles with the app's, and the worker."""
        del context
        from .offline import site_root, worker_file

        styles: list[tuple[Path, str | bytes]] = [
            (Path("styles", STYLES, each.name), each.read_text(encoding="utf-8"))
            for each in stylesheets()
        ]
        return [*styles, worker_file(is_on=self._keeps_pages(), base=site_root())]

    def get_stylesheet_paths(self, **context: Any) -> list[str]:
        """Before the app's own, so that those have the last word."""
        del context
        return [f"./{STYLES}/{each.name}" for each in stylesheets()]

    def register_route(self, **context: Any) -> None:
        """Before the pages are compiled: put the scripts and the hidden root into each."""
        del context
        from .components import persistence_root, scripts
        from .device import device_root, device_scripts
        from .offline import offline_scripts, site_root

        app = rx_.current_app()
        kept = offline_scripts(is_on=self._keeps_pages(), base=site_root())
        app.head_components += [*device_scripts(), *scripts(), *kept]
        config = rx_.RegistrationContext.get().config

        def root(_: bool) -> rx.Component:
            backend = self.backend if is_prod_mode() else self.backend or config.api_url
            return cast(Any, rx).fragment(
                persistence_root(guests=self.identify is None, backend=backend), device_root()
            )

        app.extra_app_wraps[0, "PersistenceRoot"] = root

    def post_compile(self, **context: Any) -> None:
        """After they are compiled, in each process that serves."""
        self.install(cast("App", context["app"]))

    # --- the parts -------------------------------------------------------------------------------

    def _keeps_pages(self) -> bool:
        """In development a page that outlives its server is in the way."""
        return self.offline and not self.backend and is_prod_mode()

    def install(self, app: App) -> Tabs:
        """Add the gate, the engine's life and the routes to an app, once. For tests also without a
        server."""
        if id(app) in self._installed and self.tabs is not None:
            return self.tabs
        from .components import persistence_root
        from .device import device_root
        from .gate import Gate
        from .guests import GUEST_ROUTES, identify_guest
        from .offline import revalidated
        from .push import Pusher

        self._installed.add(id(app))
        for root in (persistence_root, device_root):
            root()  # declares its states: Reflex compares those of the page and of the server
        authorise: Authorise | None = resolve(self.authorise)
        engine = Engine(self.database, scopes=self.scopes, authorise=authorise, **self._options)
        for kind, hook in self.appliers.items():
            engine.appliers.register(kind, resolve(hook))
        identify = resolve(self.identify) or identify_guest
        directory = Directory(resolve(self.describe), resolve(self.members))
        tabs = Tabs(
            engine,
            identify=identify,
            owners=resolve(self.owners),
            grace=self.grace,
            directory=directory,
        )
        tabs.app = app
        tabs.push = Pusher(tabs).push
        engine.subscribe(tabs.hear)
        engine.operations.listeners.append(tabs.hear_outcome)
        throttle = Throttle(identify, limit=self.rate_limit, proxies=self._proxies())
        doors = Doors(app, throttle)
        doors.install()
        self.doors = doors
        app.add_middleware(Gate(tabs, proxies=throttle.proxies), 0)
        cast(Any, app).register_lifespan_task(self._serve, tabs=tabs)
        origins = Origins(self._origins(app), is_development=not is_prod_mode())
        origins.tell()
        routes = operation_routes(
            lambda: engine,
            identify,
            allowed_origins=origins.allowed,
            charge=throttle.charge,
            tell=tabs.worded,
        )
        if self.identify is None:
            routes += GUEST_ROUTES
        before: Any = app.api_transformer
        kept: list[Any] = [before] if callable(before) else list(before or ())
        # Innermost, so that what the app puts around its server stands around these routes, too;
        # the doors outermost, before anything is read.
        app.api_transformer = [
            Starlette(routes=routes),
            *([revalidated] if self.offline else []),
            *kept,
            lambda server: throttled(guarded(server, doors, origins.is_ours), throttle),
        ]
        self.tabs = tabs
        install(tabs)
        return tabs

    def _origins(self, app: App) -> tuple[str, ...]:
        """Besides the app's own: those of the plugin, and those of Reflex's configuration."""
        config = rx_.RegistrationContext.get().config
        own = () if is_prod_mode() or not config.deploy_url else (config.deploy_url,)
        hosts = () if is_prod_mode() else ("localhost", "127.0.0.1")
        own += tuple(f"http://{host}:{config.frontend_port or 3000}" for host in hosts)
        said = rx_.restrict_origins(app, (*self.allowed_origins, *own))
        return tuple(dict.fromkeys((*self.allowed_origins, *said, *own)))

    def _proxies(self) -> int:
        if self.proxies is not None:
            return self.proxies
        return rx_.RegistrationContext.get().config.trusted_proxy_hops

    @asynccontextmanager
    async def _serve(self, tabs: Tabs) -> AsyncGenerator[None]:
        """The engine's life is the server's. On SIGTERM everything is saved before the process
        ends."""
        engine = tabs.engine
        await engine.start()
        save_on_signals(engine)
        sweeper = engine.spawn(sweep(tabs))
        try:
            yield
        finally:
            sweeper.cancel()
            await engine.stop()


def stylesheets() -> list[Path]:
    """The library's stylesheets, the one with the custom properties first."""
    found = sorted((Path(__file__).parent / "assets").glob("*.css"))
    return sorted(found, key=lambda each: each.name != "persistence.css")


async def sweep(tabs: Tabs) -> None:
    while True:
        await asyncio.sleep(SWEEP)
        tabs.sweep()


def resolve(hook: Any) -> Any:
    """A hook, imported where it is "module:name". Raises ImportError."""
    if not isinstance(hook, str):
        return hook
    module, _, name = hook.partition(":")
    found: Callable[..., Any] | None = getattr(importlib.import_module(module), name, None)
    if found is None:
        raise ImportError(f"{hook!r}: {module} has no {name or 'name; write module:name'}")
    return found
