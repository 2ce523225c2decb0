"""The open pages of this process: who looks, at whose settings, through which bindings.

A tab is found by Reflex's client token, which is a name and no proof: what a token may see depends
on the actor that `identify` finds in the request's headers. Nothing durable is keyed by it.

- A tab that nobody's browser is connected to any more is let go, its edits saved.
- When the actor of a token changes, so does the whole tab: no binding is taken over.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..binding import Binding
from ..engine import Engine, Notice
from ..errors import PersistenceError
from ..http import Identify, actor_of, outcome_as_json
from ..layers import Layer
from ..operations import Operation, Outcome
from ..scopes import Stack, Target
from ..settings import ToolSpec
from . import _private as rx_
from .causes import Cause
from .directory import Directory
from .presence import Person, Presence

if TYPE_CHECKING:
    from reflex.app import App

log = logging.getLogger("persistence")

NEW: set[str] = set()
PATIENCE = 60.0
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Page:
    """What is open in a tab, as `owners(page)` is asked about it."""

    actor: str
    route: str
    """The route's pattern: "/shot/[shot]"."""
    path: str
    """The path in the address bar."""
    params: Mapping[str, Any]
    """The route's arguments and the query's parameters by name."""


Owners = Callable[[Page], Mapping[str, str | None] | Awaitable[Mapping[str, str | None]]]
"""`owners(page) -> {"project": …, "shot": …}`: whose settings this page shows."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Tab:
    """One open page. `shown` and `owners` are replaced, never changed in place."""

    token: str
    actor: str = ""
    page: Page | None = None
    owners: Mapping[str, str] = field(default_factory=dict[str, str])
    shown: Mapping[str, Stack] = field(default_factory=dict[str, Stack])
    bindings: dict[str, Binding[Any]] = field(default_factory=dict[str, Binding[Any]])
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    headers: Mapping[str, str] | None = None
    router: object = None
    """Reflex's router data of the newest event: the same object, the same page and headers."""
    behind: dict[str, set[str] | None] = field(default_factory=dict[str, set[str] | None])
    """Tool → the settings that the page shows otherwise than the engine holds; None for all."""
    answering_until: float = 0.0
    """In the loop's time: until then an answer that waits for its commit brings what changes."""
    sent: set[str] = field(default_factory=set[str])
    """Operations of this tab that wait for the store."""
    confirmed: list[str] = field(default_factory=list[str])
    """Operations that became durable and of which the page hasn't heard."""
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Operations that were refused or are in conflict, and of which the page hasn't heard."""
    keyed: dict[str, dict[str, Binding[Any]]] = field(
        default_factory=dict[str, dict[str, Binding[Any]]]
    )
    """Keyed view → the bindings of its rows by owner."""
    tools: Mapping[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """How the tools of `persisted(...)` vars stand; replaced, never changed in place."""
    has_news: bool = False
    """Are there `tools` of which the page hasn't heard?"""
    parked: list[tuple[rx_.Event, Cause, str]] = field(
        default_factory=list[tuple[rx_.Event, Cause, str]]
    )
    """Events held up until their tool is loaded."""
    asked: str = ""
    """The question what the browser keeps (`device.py`) that its page hasn't answered yet."""
    last: Cause | None = None
    """The cause of the newest event: what it left behind when it failed is due to it."""
    is_asking: bool = False
    """Is the app still being asked whose settings the page shows?"""
    problem: str = ""
    """Why the app couldn't say."""
    gone_since: float | None = None
    """When no browser was found connected first, in the loop's time."""
    is_pushing: bool = False
    is_unsure: bool = False
    """Will it be pushed to again, since the app couldn't tell what it may be shown?"""
    is_hidden: bool = False
    """Does its browser show another tab? Then it is told what it asked for, and the rest later."""
    here: Mapping[str, tuple[Person, ...]] = field(default_factory=dict[str, "tuple[Person, ...]"])
    """Scope → who else looks at the same owner; replaced, never changed in place."""

    def is_ready(self, tool: str) -> bool:
        return (binding := self.bindings.get(tool)) is not None and binding.ready


class Tabs:
    """All tabs of the process, and what they watch."""

    def __init__(
        self,
        engine: Engine,
        *,
        identify: Identify,
        owners: Owners | None = None,
        grace: float = 0.15,
        directory: Directory | None = None,
    ) -> None:
        """`grace` is how many seconds an event waits for a load or a commit before it goes on."""
        self.engine, self.identify, self.owners, self.grace = engine, identify, owners, grace
        self.directory = directory or Directory()
        self.app: App | None = None
        self.by_token: dict[str, Tab] = {}
        self.watching: dict[Target, Counter[Tab]] = {}
        self.people: dict[str, str] = {}
        """Names of people by id, as far as they were asked for; "" for those without."""
        self.senders: dict[str, tuple[Tab, Operation]] = {}
        """Operation → the tab that waits for its answer."""
        self.push: Callable[[Tab], None] = lambda _: None
        """Bring a tab up to date soon; set by `push.py`."""
        self.presence = Presence(self)

    # --- life ------------------------------------------------------------------------------------

    def require(self, token: str) -> Tab:
        """The tab of a token, made on first use."""
        tab = self.by_token.get(token)
        if tab is None:
            tab = self.by_token[token] = Tab(token)
        return tab

    def is_connected(self, token: str) -> bool:
        """Is a browser of this process connected under that token?"""
        namespace = self.app.event_namespace if self.app is not None else None
        return namespace is not None and token in namespace.token_to_sid

    def sweep(self) -> None:
        """Let go of tabs that were closed. What they edited is saved.

        One with events that wait for a load is given a minute: its browser may come back.
        """
        now = asyncio.get_running_loop().time()
        for tab in tuple(self.by_token.values()):
            if self.is_connected(tab.token):
                if tab.gone_since is not None:
                    tab.gone_since = None
                    self.presence.moved(tab)
                continue
            if tab.gone_since is None:
                tab.gone_since = now
                self.presence.moved(tab)
            if not tab.parked or now - tab.gone_since > PATIENCE:
                self.close(tab)

    def close(self, tab: Tab) -> None:
        self._unbind(tab)
        if self.by_token.get(tab.token) is tab:
            del self.by_token[tab.token]

    def _unbind(self, tab: Tab) -> None:
        for stack in tab.shown.values():
            self.unwatch(tab, stack)
        rows = [binding for view in tab.keyed.values() for binding in view.values()]
        for binding in rows:
            self.unwatch(tab, binding.stack)
        for binding in (*tab.bindings.values(), *rows):
            binding.close()
        tab.bindings, tab.keyed = {}, {}
        tab.shown, tab.owners, tab.page, tab.here = NOTHING, NOTHING, None, NOTHING
        self.presence.moved(tab)
        tab.is_asking, tab.problem, tab.asked = False, "", ""
        for each in tab.sent:
            self.senders.pop(each, None)
        tab.sent.clear()
        tab.confirmed, tab.answers, tab.parked, tab.tools = [], [], [], {}

    # --- who -------------------------------------------------------------------------------------

    async def identify_tab(self, tab: Tab, headers: Mapping[str, str]) -> None:
        """Ask who sends these headers. Somebody else than before: the tab begins anew."""
        if tab.headers is not None and tab.headers == headers:
            return
        lower = {name.lower(): value for name, value in headers.items()}
        actor = await actor_of(self.identify, lower)
        if actor != tab.actor:
            self._unbind(tab)
            tab.actor, tab.id, tab.router = actor, secrets.token_hex(8), None
        tab.headers = dict(headers)

    # --- what ------------------------------------------------------------------------------------

    async def owners_of(self, page: Page) -> dict[str, str]:
        """Whose settings a page shows; the weakest scope is the actor's own, if nothing else is
        said."""
        if not page.actor:
            return {}
        said: Any = {}
        if self.owners is not None:
            said = self.owners(page)
            if inspect.isawaitable(said):
                said = await said
        return self.complete(page.actor, said or {})

    def complete(self, actor: str, said: Mapping[str, str | None]) -> dict[str, str]:
        scopes = self.engine.scopes.names
        owners = {scopes[0]: actor, **said} if actor else dict(said)
        return {scope: owner for scope, owner in owners.items() if owner}

    def tools(self) -> dict[str, ToolSpec]:
        """The tools that the app's states declare."""
        from .mirror import sheets_of

        return {each.tool: each.spec for cls in rx_.bound_states() for each in sheets_of(cls)}

    def show(self, tab: Tab, owners: Mapping[str, str]) -> list[asyncio.Task[None]]:
        """Have every tool of the tab look at these owners. Returns the loads that are under way.

        All targets that aren't in memory come with one query.
        """
        if there := [scope for scope in tab.here if owners.get(scope) != tab.owners.get(scope)]:
            tab.here = {scope: told for scope, told in tab.here.items() if scope not in there}
            tab.has_news = True
        tab.owners = owners
        self.presence.moved(tab)
        denied: asyncio.Task[dict[str, str]] | None = None
        shown: dict[str, Stack] = {}
        tasks: list[asyncio.Task[None]] = []
        for tool, declared in self.tools().items():
            if tool not in tab.bindings:
                tab.bindings[tool] = self.engine.bind(declared, actor=tab.actor)
            binding = tab.bindings[tool]
            stack = self.engine.scopes.stack(tool, owners)
            before = tab.shown.get(tool, ())
            shown[tool] = stack
            if stack != before:
                self.unwatch(tab, before)
                self.watch(tab, stack)
            if stack != before or not binding.ready:
                tab.behind[tool] = None
                denied = denied or self._ask_denied(tab, owners)
                tasks.append(self.engine.spawn(self._show(tab, binding, owners, denied)))
        tab.shown = shown
        return tasks

    def _ask_denied(
        self, tab: Tab, owners: Mapping[str, str]
    ) -> asyncio.Task[dict[str, str]] | None:
        """Where the tab's actor may not edit, asked once for all of its tools."""
        from .rights import denied_to

        if self.engine.authorise is None:
            return None
        return self.engine.spawn(denied_to(self.engine, tab.actor, owners))

    async def _show(
        self,
        tab: Tab,
        binding: Binding[Any],
        owners: Mapping[str, str],
        denied: asyncio.Task[dict[str, str]] | None,
    ) -> None:
        try:
            if denied is not None:
                known = await denied
                if tab.owners is not owners:
                    return  # the tab has turned to others, which are being asked about
                binding.denied = known
            await binding.show(owners)
        except PersistenceError as error:
            log.info("%s isn't shown: %s", binding.spec.tool, error)
        tab.behind[binding.spec.tool] = None
        await self._tell_asides(tab, binding.layers)

    def watch(self, tab: Tab, stack: Stack) -> None:
        for target in stack:
            self.watching.setdefault(target, Counter())[tab] += 1

    def unwatch(self, tab: Tab, stack: Stack) -> None:
        for target in stack:
            watchers = self.watching.get(target, Counter())
            watchers[tab] -= 1
            if watchers[tab] <= 0:
                del watchers[tab]
            if not watchers:
                self.watching.pop(target, None)

    # --- hearing ---------------------------------------------------------------------------------

    def hear(self, notice: Notice) -> None:
        """The engine says that something changed: who shows it is behind."""
        is_aside = notice.kind in ("refused", "conflict")
        for tab in tuple(self.watching.get(notice.target, ())):
            if is_aside and notice.actor == tab.actor:
                self.engine.spawn(self._tell_asides(tab, [self.engine.layer(notice.target)]))
            self._note_behind(tab, notice)
            binding = tab.bindings.get(notice.target.tool)
            if notice.kind != "edited" or notice.origin not in (tab, binding):
                self.push(tab)  # an edit of its own is answered by the event that made it

    def _note_behind(self, tab: Tab, notice: Notice) -> None:
        tool, behind = notice.target.tool, tab.behind
        if notice.kind not in ("edited", "committed"):
            behind[tool] = None
        elif (fields := behind.get(tool, NEW)) is NEW:
            behind[tool] = set(notice.fields)
        elif fields is not None:
            fields |= notice.fields

    def expect(self, tab: Tab, operation: Operation) -> None:
        """The page wants to hear what becomes of an operation."""
        tab.sent.add(operation.id)
        self.senders[operation.id] = tab, operation

    def hear_outcome(self, outcome: Outcome) -> None:
        """An operation was answered for good: tell the page that sent it."""
        if outcome.status != "confirmed":
            if outcome.id in self.senders:
                self.engine.spawn(self.tell_outcome(outcome))
            return
        tab, _ = self.senders.pop(outcome.id, (None, None))
        if tab is not None:
            tab.sent.discard(outcome.id)
            tab.confirmed.append(outcome.id)
            self.push(tab)

    async def tell_outcome(self, outcome: Outcome) -> None:
        """The same, with the words for an edit that wasn't saved."""
        if outcome.status == "confirmed":
            self.hear_outcome(outcome)
            return
        tab, operation = self.senders.pop(outcome.id, (None, None))
        if tab is None or operation is None:
            return
        tab.sent.discard(outcome.id)
        told = outcome_as_json(outcome)
        told |= {"target": list(operation.target), "field": operation.field}
        tab.answers.append(await self.worded(told, operation, tab.actor, tab.owners))
        self.push(tab)

    async def worded(
        self,
        told: dict[str, Any],
        operation: Operation,
        actor: str,
        owners: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """An answer with all that a page needs to show it, now and later. See `answers.About`."""
        from .answers import about, in_words

        words = await about(self, actor, operation, told, owners)
        return in_words({**told, "about": words})

    async def _tell_asides(self, tab: Tab, layers: Iterable[Layer]) -> None:
        """What this person's handlers set and what couldn't be saved: their browser shall keep
        it."""
        from .answers import handlers_edits

        found = [
            each for layer in layers if layer.aside for each in handlers_edits(layer, tab.actor)
        ]
        for operation, told in found:
            tab.answers.append(await self.worded(told, operation, tab.actor, tab.owners))
        if found:
            self.push(tab)


_installed: Tabs | None = None


def install(tabs: Tabs | None) -> None:
    """Make these the tabs of the process."""
    global _installed
    _installed = tabs


def tabs_of_process() -> Tabs | None:
    return _installed


def require_tabs() -> Tabs:
    """Raises RuntimeError where the plugin isn't installed."""
    if _installed is None:
        raise RuntimeError(
            "persistence isn't installed: add PersistencePlugin(...) to the plugins in rxconfig.py"
        )
    return _installed
