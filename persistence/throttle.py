"""How many requests and events one user may send a minute, and who counts as one. Starlette only.

- A user is told by the app's `identify`; who is nobody counts by address, for less.
- What a page fetches as a file isn't counted. Opening a WebSocket is.
- A request beyond the rate is answered 429 with `Retry-After`, before anything of it is read: the
  page's script sends again after that, and loses nothing.
- A request that brings operations costs one more for each ten of them.
- Bytes are counted as well, by the day: a user who has sent `VOLUME` of them waits for more.
- A header that stands there several times is read as one by all that come behind.

Counts are those of one process. Nobody who types, or who comes back with the edits of a long
journey, meets the limit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .http import Identify, actor_of, too_many
from .rates import Rate, Rates

log = logging.getLogger("persistence")

RATE_LIMIT = 3_000
"""Requests and events a minute of one user, and as many at once."""
NOBODY = 5
"""By how much less an address may send of which nobody is signed in."""
PER_OPERATION = 0.1
VOLUME = 1_000_000_000
"""Bytes a day that one user may send, and as many at once."""
PAGES = 1_000
"""New pages an hour of one user, and so many at once: the server keeps what each shows for an hour,
also where it was closed. One that comes back isn't new."""
AT_ONCE = 400
DAY = 24 * 3600

_FILES = ("GET", "HEAD")


def client_address(peer: str, forwarded: str, *, proxies: int) -> str:
    """Who asks, for limits: behind so many proxies of ours, what the outermost of them saw.

    Of an IPv6 address only the network counts: a customer has all of its 2**64.
    """
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    seen = hops[-proxies] if proxies and len(hops) >= proxies else peer
    try:
        address = ip_address(seen)
    except ValueError:
        return seen[:64]
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)


def address_in(scope: Scope, *, proxies: int) -> str:
    """The address that a connection comes from."""
    peer = scope.get("client") or ("",)
    forwarded = Headers(scope=scope).get("x-forwarded-for", "")
    return client_address(str(peer[0]), forwarded, proxies=proxies)


def key_of(actor: str, address: str) -> str:
    """Who counts as one: a user, wherever they are; of nobody, those at one address."""
    return f"user {actor}" if actor else f"at {address}"


def cost_of(operations: int) -> float:
    """What a request or an event costs that brings so many operations."""
    return 1.0 + operations * PER_OPERATION


class Throttle:
    """The rates of users and of addresses. Time is the event loop's."""

    def __init__(
        self, identify: Identify, *, limit: float | None = RATE_LIMIT, proxies: int = 0
    ) -> None:
        """`limit` is requests and events a minute and user, None for as many as they like;
        `proxies` is how many proxies of ours say in `X-Forwarded-For` where a request comes from.
        """
        self.identify, self.proxies = identify, proxies
        self.is_open = limit is None
        amount = RATE_LIMIT if limit is None else limit
        self._volume = Rates(Rate(VOLUME, DAY))
        self._pages = Rates(Rate(PAGES, 3600, burst=AT_ONCE))
        self._users, self._addresses = Rates(Rate(amount)), Rates(Rate(amount / NOBODY))

    async def who(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """Whose rate a request or a connection is counted on."""
        return key_of(
            await actor_of(self.identify, headers), address_in(scope, proxies=self.proxies)
        )

    async def who_asks(self, scope: Scope) -> str:
        """The same of a request; where the app can't tell just now it is nobody's: a page that asks
        for no user is served all the same."""
        try:
            return await self.who(scope, Headers(scope=scope))
        except Exception as error:  # noqa: BLE001  # an app's function: whatever it raises
            log.info("who asks can't be told: %s", type(error).__name__)
            return key_of("", address_in(scope, proxies=self.proxies))

    def take(self, key: str, cost: float = 1.0) -> float:
        """0.0 where it may be; else in how many seconds."""
        return 0.0 if self.is_open else self._rates(key).take(key, _now(), cost)

    def wait(self, key: str, cost: float = 1.0) -> float:
        """Count it, and say for how many seconds it must wait."""
        return 0.0 if self.is_open else self._rates(key).wait(key, _now(), cost)

    def open_page(self, key: str) -> float:
        """0.0 where they may open one more new page; else in how many seconds."""
        return 0.0 if self.is_open else self._pages.take(key, _now())

    def note_bytes(self, key: str, count: int) -> None:
        """Count what was received."""
        if not self.is_open:
            self._volume.wait(key, _now(), count)

    def full(self, key: str) -> float:
        """For how many seconds they may send no more, after so many bytes; 0.0 where they may."""
        return 0.0 if self.is_open else self._volume.take(key, _now(), 0.0)

    def charge(self, actor: str, operations: int) -> float:
        """The rest of what a request with so many operations costs: 0.0, or the seconds after which
        there is enough for all of it, the request itself included."""
        rate = self._users.rate
        rest = min(cost_of(operations), rate.most / rate.each) - 1
        late = self.take(key_of(actor, ""), rest) if actor and rest > 0 else 0.0
        return late + rate.each if late else 0.0

    def _rates(self, key: str) -> Rates:
        return self._users if key.startswith("user ") else self._addresses


def throttled(app: ASGIApp, throttle: Throttle) -> ASGIApp:
    """The app, with each request counted before it is read, and all that is read."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind in ("http", "websocket"):
            scope = {**scope, "headers": combined(scope["headers"])}
        if kind == "http" and not is_file(scope["method"], scope["path"]):
            key = await throttle.who_asks(scope)
            if late := throttle.full(key) or throttle.take(key):
                log.info("too many requests %s", key if key.startswith("user ") else "of nobody")
                await too_many(late)(scope, receive, send)
                return
            receive = counted(receive, throttle, key)
        elif kind == "websocket":
            key = await throttle.who(scope, Headers(scope=scope))
            if throttle.full(key) or throttle.take(key):
                log.info("too many WebSockets %s", key if key.startswith("user ") else "of nobody")
                await closed(receive, send, 1013)
                return
            receive = counted(receive, throttle, key)
        await app(scope, receive, send)

    return limited


async def closed(receive: Receive, send: Send, code: int) -> None:
    """Refuse a WebSocket, before it is open."""
    await receive()
    await send({"type": "websocket.close", "code": code})


def combined(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, each once, as RFC 9110 (5.3) and RFC 9113 (8.2.3) put several into one.

    Else one reader takes the first of them, another the last: a check would look at a cookie, an
    origin or an address, and what comes behind it act by another one.
    """
    made: dict[bytes, bytes] = {}
    for name, value in headers:
        key, between = name.lower(), b"; " if name.lower() == b"cookie" else b", "
        made[key] = made[key] + between + value if key in made else value
    return list(made.items())


def counted(receive: Receive, throttle: Throttle, key: str) -> Receive:
    """What is received, with its bytes counted. A WebSocket that brings too many is closed."""

    async def receive_counted() -> Message:
        message = await receive()
        size = len(message.get("body") or message.get("bytes") or message.get("text") or "")
        if size:
            throttle.note_bytes(key, size)
            if message["type"] == "websocket.receive" and throttle.full(key):
                log.warning("closed a page of %s: it sends too many bytes", key)
                return {"type": "websocket.disconnect", "code": 1013}
        return message

    return receive_counted


def is_file(method: str, path: str) -> bool:
    """Does the request only fetch a file of the page, as its last part's ending says?"""
    return method in _FILES and "." in path.rpartition("/")[2]


def _now() -> float:
    return asyncio.get_running_loop().time()
