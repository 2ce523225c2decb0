"""What runs before every event of a page: who is it, what does the page show, is it loaded.

1. What a failed handler left behind is captured for what it was made on.
2. The actor is asked for; another one than the state was made for, and the whole state begins anew.
3. The page's owners are asked for, and every tool looks at them: one query for what isn't in
memory. 4. The event waits a moment for the load. If that takes longer, the page goes on as
`loading`, and the
   handlers of a tool that isn't loaded are held up until it is: they never run on defaults.
5. The event gets its cause, and so does what it yields.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from . import _private as rx_
from . import causes
from .causes import Cause
from .channel import PersistenceState
from .device import ask, waits_for_device
from .doors import HOLDER, holder_of
from .looking import PresenceState
from .mirror import capture, forget, refresh, sheets_of
from .rights import recheck, recheck_rows
from .tabs import Page, Tab, Tabs, require_tabs

if TYPE_CHECKING:
    from reflex.app import App

log = logging.getLogger("persistence")

MARK = "_persistence_mark"
"""Where the root of a state tree notes for whom, and for which tab of ours, it was filled."""

DEVICE = ""
"""Stands for a tool where an event waits for the page to say what its browser keeps."""
ANSWER_WITHIN = 3.0
"""Seconds; a page that doesn't say it until then (it has no script) goes on with defaults."""

MAX_PARKED = 100
"""Events that one tab may have held up; more are dropped, newest first."""

ASKED_AGAIN = 3
"""What the app couldn't tell is asked again after so long as after so many failures in a row."""

_HYDRATING = frozenset(("hydrate", "hydrate_and_load"))
_LOADING = frozenset(
    ("hydrate", "hydrate_and_load", "on_load_internal", "update_vars_internal", "set_is_hydrated")
)


class Gate(rx_.Middleware):
    """Asked by Reflex before each handler, with the tab's state locked."""

    def __init__(self, tabs: Tabs, *, proxies: int = 0) -> None:
        """`proxies`: as in `Throttle`."""
        self.tabs, self.proxies = tabs, proxies

    async def preprocess(
        self, app: App, state: rx_.BaseState, event: rx_.Event
    ) -> rx_.StateUpdate | None:
        context = rx_.current_event()
        if context is None or not context.token:
            return None
        root, tab = rx_.root_of(state), self.tabs.require(context.token)
        if root.dirty_substates and tab.last is not None:
            causes.begin(tab.last)
            await capture_all(state)
        cause = causes.expected(context.txid)
        if cause is None:
            known = tab.owners
            await self._enter(state, root, tab)
            cause = self._cause(tab, event, is_chained=context.parent_txid is not None)
            if event.name.rpartition(".")[2] in _HYDRATING:
                await self._ask_device(state, tab)
                if tab.owners is known and tab.bindings:  # loaded anew: roles may have changed
                    self.tabs.engine.spawn(recheck(self.tabs, tab))
        elif cause.actor != tab.actor:
            log.info("dropped %s: the tab is somebody else's by now", event.name)
            return rx_.StateUpdate()
        cls, is_background = rx_.handler_states(event.name)
        if is_background:
            cause = cause.background()
        else:
            tab.last = cause
        causes.begin(cause)
        rx_.on_children(app, context, causes.remember_child)
        if cls is None or not ((sheets := sheets_of(cls)) or waits_for_device(cls, tab)):
            return None
        if (update := await self._park(root, tab, event, cls, cause)) is not None:
            return update
        if not is_background and any(sheet.is_changeable for sheet in sheets):
            rx_.mark_visited(await state.get_state(cls))  # a change through an alias is found
        return None

    async def _enter(self, state: rx_.BaseState, root: rx_.BaseState, tab: Tab) -> None:
        """Steps 2 to 4: who, what, loaded."""
        router: Any = root.router_data
        mark = rx_.held_by(root).get(MARK)
        if router is tab.router and mark is not None and mark[1] == tab.id:
            if has_news(tab):
                await catch_up(state, tab)
            return
        await self.tabs.identify_tab(tab, root.router_data.get("headers") or {})
        if mark is None or mark != (tab.actor, tab.id):
            if mark is not None and mark[0] != tab.actor:
                await forget_everything(state, root)
            rx_.held_by(root)[MARK] = (tab.actor, tab.id)
            holder = holder_of(tab.actor, root.router_data, proxies=self.proxies)
            rx_.held_by(root)[HOLDER] = holder
            rx_.make_touched(root, ())
            await self._ask_device(state, tab)
            tab.behind.update(dict.fromkeys(self.tabs.tools()))
        page = page_of(root, tab.actor)
        if page != tab.page:
            await self._turn(tab, page)
        tab.router = router
        if has_news(tab):
            await catch_up(state, tab)

    async def _ask_device(self, state: rx_.BaseState, tab: Tab) -> None:
        """The state is new, or the page is: what its browser keeps isn't known, or not any more."""
        question = secrets.token_hex(8)
        if await ask(state, tab, question):
            self.tabs.engine.spawn(self._go_on(tab, question))

    async def _go_on(self, tab: Tab, question: str) -> None:
        await asyncio.sleep(ANSWER_WITHIN)
        if tab.asked == question:
            tab.asked = ""
            self.tabs.push(tab)

    async def _turn(self, tab: Tab, page: Page) -> None:
        """The tab shows another page: its owners, and a moment for their load."""
        tab.page = page
        tab.is_asking = True
        asked = self.tabs.engine.spawn(self._show(tab, page))
        await asyncio.wait({asked}, timeout=self.tabs.grace)
        if not asked.done():
            tab.behind.update(dict.fromkeys(self.tabs.tools()))

    async def _show(self, tab: Tab, page: Page) -> None:
        owners = await self._ask(tab, page)
        if owners is None or tab.page is not page:
            return  # it has turned again meanwhile
        tab.is_asking, tab.problem = False, ""
        if owners == dict(tab.owners) and tab.bindings and not tab.behind:
            return
        if loads := self.tabs.show(tab, owners):
            await asyncio.wait(loads)
            self.tabs.push(tab)  # unless the event that waits is quicker

    async def _ask(self, tab: Tab, page: Page) -> dict[str, str] | None:
        """The page's owners, asked again for as long as the app can't say. None for a page left."""
        tries = 0
        while tab.page is page:
            try:
                return await self.tabs.owners_of(page)
            except Exception as error:  # noqa: BLE001  # an app's function: whatever it raises
                log.warning("the owners of %s can't be told: %r", page.route, error)
                tab.problem = f"not loaded: {error}"
                tab.behind.update(dict.fromkeys(self.tabs.tools()))
                self.tabs.push(tab)
                await asyncio.sleep(self.tabs.engine.retry.wait(tries, self.tabs.engine.random))
                tries += 1
        return None

    def _cause(self, tab: Tab, event: rx_.Event, *, is_chained: bool) -> Cause:
        if event.name.rpartition(".")[2] in _LOADING:
            return Cause("load", tab.actor, tab.shown)
        return Cause("program" if is_chained else "user", tab.actor, tab.shown)

    async def _park(
        self,
        root: rx_.BaseState,
        tab: Tab,
        event: rx_.Event,
        cls: type[rx_.BaseState],
        cause: Cause,
    ) -> rx_.StateUpdate | None:
        """Hold the event up, if its tool is being loaded."""
        if event.name.rpartition(".")[2] == "retry":
            return None
        closed = [sheet.tool for sheet in sheets_of(cls) if is_closed(tab, sheet.tool)]
        if waits_for_device(cls, tab):
            closed.append(DEVICE)
        if not closed:
            return None
        tool = closed[0]
        if len(tab.parked) < MAX_PARKED:
            tab.parked.append((event, cause, tool))
            if not cause.stacks.get(tool):
                cause.stacks = tab.shown
        else:
            log.warning("dropped %s: too many events wait for the load", event.name)
        update = rx_.StateUpdate(delta=await rx_.delta_of(root))
        if not cast(Any, root).is_hydrated:
            update.events.append(rx_.Event(name=f"{root.get_full_name()}.hydrate_and_load"))
        return update


def page_of(root: rx_.BaseState, actor: str) -> Page:
    params: Any = root.router_data.get("query") or {}
    return Page(actor, root.rx_router_route_id, root.rx_router_url.path, dict(params))


def is_closed(tab: Tab, tool: str) -> bool:
    """Is the tool of somebody, or will be, but not loaded?"""
    if tool == DEVICE:
        return bool(tab.asked)
    if tab.is_asking:
        return True
    binding = tab.bindings.get(tool)
    return binding is not None and bool(tab.shown.get(tool)) and not binding.ready


def has_news(tab: Tab) -> bool:
    return bool(tab.behind or tab.has_news or tab.confirmed or tab.answers)


async def catch_up(state: rx_.BaseState, tab: Tab) -> None:
    """Show in the tab's states what the engine holds, if its actor may still see it.

    The tab's state is locked.
    """
    unsure = {tool for tool in tuple(tab.behind) if not await _is_told(tab, tool)}
    if tab.keyed:
        await show_rows(state, tab, {})
    for cls in rx_.bound_states():
        behind = [s for s in sheets_of(cls) if s.tool in tab.behind and s.tool not in unsure]
        if behind:
            mirrored = await state.get_state(cls)
            for sheet in behind:
                refresh(mirrored, tab, sheet, fields=tab.behind[sheet.tool])
    tab.behind = {tool: fields for tool, fields in tab.behind.items() if tool in unsure}
    channel = await state.get_state(PersistenceState)
    channel.hear(tab)
    here = await state.get_state(PresenceState)
    here.hear(tab)
    tab.has_news = False
    if unsure and not tab.is_unsure:
        tab.is_unsure = True
        tabs = require_tabs()
        wait = tabs.engine.retry.wait(ASKED_AGAIN, tabs.engine.random)
        asyncio.get_running_loop().call_later(wait, _again, tabs, tab)


def _again(tabs: Tabs, tab: Tab) -> None:
    tab.is_unsure = False
    tabs.push(tab)


async def _is_told(tab: Tab, tool: str) -> bool:
    """Can the app tell whether the tab's actor may see the tool? Until it can, the page stays as it
    is, and its events go on."""
    if (binding := tab.bindings.get(tool)) is None:
        return True
    try:
        if not await binding.recheck():
            tab.behind[tool] = None  # a right was taken away, maybe by another process
            await recheck_rows(tab)
    except Exception as error:  # noqa: BLE001  # an app's function: whatever it raises
        log.info("whether %s may be shown can't be told: %r", tool, error)
        return False
    return True


async def show_rows(state: rx_.BaseState, tab: Tab, own: Mapping[tuple[str, str], Any]) -> None:
    """The rows of keyed views; `own` are values by owner and field that their controls show
    already."""
    for cls in rx_.keyed_states():
        if cls.get_full_name() in tab.keyed:
            keyed: Any = await state.get_state(cls)
            keyed.refresh_rows(tab, own)


async def capture_all(state: rx_.BaseState) -> None:
    """Capture what was changed so far, before something else happens."""
    for cls in rx_.bound_states():
        held = await state.get_state(cls)
        for sheet in sheets_of(cls):
            capture(held, sheet)


async def forget_everything(state: rx_.BaseState, root: rx_.BaseState) -> None:
    """The state was made for somebody else: nothing of it may be seen."""
    for cls in rx_.all_states():
        await state.get_state(cls)  # with Redis, only a part of the tree is here
    root.reset()
    for cls in rx_.bound_states():
        forget(await state.get_state(cls))
