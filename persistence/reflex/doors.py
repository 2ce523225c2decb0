"""Who may come in by a page's WebSocket, as whom, and how fast.

- A page of another site gets no socket (`is_own_origin`, `guarded`).
- A tab's token is its client's word. Where the state behind it is of another user, or of nobody at
  another address, the connection is given a token of its own: it sees nothing of the other's, hears
  nothing of it, and leaves it as it is. So is an upload refused that names another's token.
- One user has at most `MAX_SOCKETS` pages connected, and at most `MOST_OPEN` sockets open.
- One user opens so many new pages an hour and no more (`throttle.PAGES`).
- Events beyond the user's rate wait their turn, in order. A page that has waited `FLOOD` seconds
  without a pause is closed: its edits come again when it reconnects.
- What isn't an event that the app declares is dropped (`declared.py`). Who sends what isn't even a
  frame, or no page's, is closed.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..http import actor_of, problem
from ..throttle import Throttle, address_in, closed, cost_of, key_of
from . import _private as rx_
from .declared import REPORTS, Undeclared, check_event

if TYPE_CHECKING:
    from reflex.app import App

log = logging.getLogger("persistence")

HOLDER = "_persistence_holder"
"""Where the root of a state tree notes whose it is: a user's, or an address's."""
MAX_SOCKETS = 200
"""Pages of one user that are connected at a time."""
MOST_OPEN = 2 * MAX_SOCKETS
"""Sockets of one user that are open at a time: each is to become a page, but needn't."""
FLOOD = 10.0
"""Seconds of waiting without a pause, after which a page is closed."""
MAX_REPORTS = 5
"""Errors of its own that one page may report: each is a line in the log."""
MAX_COMPLAINTS = 20
"""Lines in the log about what one page sent and shouldn't have."""

_TOKEN = re.compile(r"[A-Za-z0-9_.:~-]{8,128}")

EVENTS = "/_event"
"""In the path of a page's WebSocket."""
PACKETS = frozenset("0123456")

IsOurs = Callable[[Scope, Headers], bool]
"""Does the request come from a page of ours, or from none?"""


@dataclass(slots=True)
class Visitor:
    """One connection."""

    key: str
    waited: float = 0.0
    """Seconds that its events have waited since one last didn't."""
    complaints: int = 0
    reports: int = 0

    def note_report(self, name: str) -> None:
        """Raises Undeclared where the event is one report too many."""
        if name.endswith(REPORTS):
            self.reports += 1
            if self.reports > MAX_REPORTS:
                raise Undeclared(f"reports more than {MAX_REPORTS} errors")


class Doors:
    """Stands before Reflex's namespace of events, and before the whole server."""

    def __init__(self, app: App, throttle: Throttle) -> None:
        self.app, self.throttle = app, throttle
        self.visitors: dict[str, Visitor] = {}
        self._sockets: Counter[str] = Counter()
        self.open: Counter[str] = Counter()
        """Whose sockets are open, pages or not."""

    def install(self) -> None:
        """Take the place of what Reflex calls, once."""
        namespace: Any = self.app.event_namespace
        if namespace is None:
            return  # an app without states
        connect, receive, leave = (
            namespace.on_connect,
            namespace.on_event,
            namespace.on_disconnect,
        )

        async def on_connect(sid: str, environ: dict[str, Any], auth: Any = None) -> Any:
            scope: Scope = environ.get("asgi.scope", {})
            visitor = await self._let_in(sid, scope)
            try:
                if late := self.throttle.wait(visitor.key):
                    await asyncio.sleep(late)
                environ, given = await self._bind(environ, visitor)
                if given:
                    await namespace.emit("new_token", given, to=sid)
                return await connect(sid, environ, self._boot(auth, visitor))
            except BaseException:
                self._leave(sid)
                raise

        async def on_event(sid: str, data: Any) -> Any:
            visitor = self.visitors.get(sid)
            if visitor is None or not await self._turn(sid, visitor, data):
                return None
            if sid not in namespace.sid_to_token:
                return None  # it is leaving; Reflex would log what it sent
            try:
                event = check_event(data)
                visitor.note_report(event["name"])
            except Undeclared as undeclared:
                self._complain(visitor, undeclared)
                return None
            try:
                return await receive(sid, event)
            except Exception:
                log.exception("an event could not be taken in")
                return None

        def on_disconnect(sid: str, *_: Any) -> Any:
            self._leave(sid)
            return leave(sid)

        namespace.on_connect, namespace.on_event = on_connect, on_event
        namespace.on_disconnect = on_disconnect
        rx_.on_bad_frames(
            self.app, lambda: log.warning("closed a page that sent what is no frame of socket.io")
        )

    # --- coming and going ------------------------------------------------------------------------

    async def _let_in(self, sid: str, scope: Scope) -> Visitor:
        """Note a connection. Raises socket.io's refusal where its user has too many."""
        key = await self.throttle.who(scope, Headers(scope=scope))
        if self._sockets[key] >= MAX_SOCKETS:
            log.warning("refused a page: %d of one user are connected", MAX_SOCKETS)
            raise rx_.ConnectionRefused(
                f"At most {MAX_SOCKETS} pages may be open. Close some, then reload."
            )
        visitor = self.visitors[sid] = Visitor(key)
        self._sockets[key] += 1
        return visitor

    def _leave(self, sid: str) -> None:
        if (visitor := self.visitors.pop(sid, None)) is not None:
            self._sockets[visitor.key] -= 1
            if self._sockets[visitor.key] <= 0:
                del self._sockets[visitor.key]

    async def _bind(self, environ: dict[str, Any], visitor: Visitor) -> tuple[dict[str, Any], str]:
        """The connection with a token that it may hold, and that token, if it is another one.

        Raises socket.io's refusal where the page is new and its user has opened too many.
        """
        said = parse_qs(environ.get("QUERY_STRING", ""))
        token = (said.get("token") or [""])[0]
        is_theirs = bool(_TOKEN.fullmatch(token)) and await self.may_hold(token, visitor.key)
        if is_theirs and not self._is_open(token) and await self._holder(token) is not None:
            return environ, ""
        if late := self.throttle.open_page(visitor.key):
            log.warning("refused a page: one user has opened too many")
            raise rx_.ConnectionRefused(
                f"Too many pages were opened. Reload in {math.ceil(late)} seconds."
            )
        if is_theirs:
            return environ, ""
        given = str(uuid.uuid4())
        query = urlencode({**{key: each[0] for key, each in said.items()}, "token": given})
        log.info("gave a page a token of its own: the one it named isn't its to use")
        return {**environ, "QUERY_STRING": query}, given

    def _is_open(self, token: str) -> bool:
        """Who names the token of an open page gets another by Reflex, with a state of its own."""
        namespace: Any = self.app.event_namespace
        return token in namespace.token_to_sid

    async def may_hold(self, token: str, key: str) -> bool:
        """Is what the server keeps under that token this user's, or nobody's yet?"""
        holder = await self._holder(token)
        return holder is None or holder == key

    async def _holder(self, token: str) -> str | None:
        return await rx_.noted_on(self.app, token, HOLDER)

    def _boot(self, auth: Any, visitor: Visitor) -> Any:
        """The page's first event comes with its connection."""
        if not isinstance(auth, dict):
            return None
        said = cast("dict[str, Any]", auth)
        if (event := said.get(rx_.BOOT_EVENT)) is None:
            return said
        try:
            return {**said, rx_.BOOT_EVENT: check_event(event)}
        except Undeclared as undeclared:
            self._complain(visitor, undeclared)
            return {name: value for name, value in said.items() if name != rx_.BOOT_EVENT}

    @asynccontextmanager
    async def opening(self, scope: Scope) -> AsyncGenerator[bool]:
        """May one more socket be open? It is counted while this lasts."""
        key = await self.throttle.who(scope, Headers(scope=scope))
        if self.open[key] >= MOST_OPEN:
            log.warning("refused a WebSocket: %d of one user are open", MOST_OPEN)
            yield False
            return
        self.open[key] += 1
        try:
            yield True
        finally:
            self.open[key] -= 1
            if not self.open[key]:
                del self.open[key]

    # --- events ----------------------------------------------------------------------------------

    async def _turn(self, sid: str, visitor: Visitor, data: Any) -> bool:
        """Wait until the event may be looked at. False where the page was closed meanwhile.

        A connection's events are read one after the other, so those behind it wait, too.
        """
        late = self.throttle.wait(visitor.key, cost_of(_operations_in(data)))
        if not late:
            visitor.waited = 0.0
            return True
        visitor.waited += late
        if visitor.waited > FLOOD:
            log.warning("closed a page of %s: it sends far too much", visitor.key)
            await rx_.disconnect(self.app, sid)
            return False
        await asyncio.sleep(late)
        return sid in self.visitors

    def _complain(self, visitor: Visitor, undeclared: Undeclared) -> None:
        visitor.complaints += 1
        if visitor.complaints <= MAX_COMPLAINTS:
            log.warning("dropped what a page sent: %s", undeclared)


def _operations_in(data: Any) -> int:
    """How many operations an event brings, as far as it looks like one that does."""
    payload = cast("dict[str, Any]", data).get("payload") if isinstance(data, dict) else None
    listed = (
        cast("dict[str, Any]", payload).get("operations") if isinstance(payload, dict) else None
    )
    return len(cast("list[Any]", listed)) if isinstance(listed, list) else 0


def holder_of(actor: str, router_data: Mapping[str, Any], *, proxies: int) -> str:
    """Whose a state is whose newest event came with this router data."""
    headers: Mapping[str, str] = router_data.get("headers") or {}
    scope: Scope = {
        "type": "websocket",
        "headers": [
            (b"x-forwarded-for", headers.get("x-forwarded-for", "").encode("latin-1", "replace"))
        ],
        "client": (headers.get("asgi-scope-client", ""), 0),
    }
    return key_of(actor, address_in(scope, proxies=proxies))


def only_packets(receive: Receive) -> Receive:
    """What a page's WebSocket receives, up to the first frame that is no packet of engine.io's."""

    async def receive_packet() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive" and not is_packet(message.get("text")):
            log.warning("closed a page that sent what is no packet")
            return {"type": "websocket.disconnect", "code": 1008}
        return message

    return receive_packet


def is_packet(text: object) -> bool:
    """A packet is a text that begins with its type."""
    return isinstance(text, str) and text[:1] in PACKETS and text != ""


def guarded(app: ASGIApp, doors: Doors, is_ours: IsOurs) -> ASGIApp:
    """The server, without sockets of other sites' pages and uploads into others' tabs."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            if scope["type"] == "websocket":
                if not is_ours(scope, headers):
                    log.info("refused a WebSocket from a page of another site")
                    await closed(receive, send, 1008)
                    return
                if EVENTS in scope["path"]:
                    receive = only_packets(receive)
                async with doors.opening(scope) as may_open:
                    await (app(scope, receive, send) if may_open else closed(receive, send, 1013))
                return
            if EVENTS in scope["path"] and not is_ours(scope, headers):
                log.info("refused events from a page of another site")
                refused = problem(403, "Foreign origin", "Only pages of this site may send events.")
                await refused(scope, receive, send)
                return
            if token := headers.get("reflex-client-token", ""):
                actor = await actor_of(doors.throttle.identify, headers)
                key = key_of(actor, address_in(scope, proxies=doors.throttle.proxies))
                if not is_ours(scope, headers) or not await doors.may_hold(token, key):
                    refused = problem(403, "Not this page's", "Reload the page, then try again.")
                    await refused(scope, receive, send)
                    return
        await app(scope, receive, send)

    return guard
