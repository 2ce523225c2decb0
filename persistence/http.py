"""The route that operations arrive by when the page's socket can't be trusted to bring them.

    POST /persistence/operations   {"operations": [{"id", "client", "seq", "target", "field",
    "kind", "value", "base", "actor", "schema"}]}
    → 200 {"operations": [{"id", "status", "problem", "revision"}]}

A conflict's answer also has "theirs" and "base_value": {"value", "kind", "by", "at", "revision"}.

- Idempotent by operation id: sending one twice does it once, and answers the same.
- An answer says `confirmed` only when the edit is durable.
- Who sends is told by `identify(headers)`, the app's; another origin's page is refused.
- An edit that says who else made it (`actor`, may be left out) waits for them: `pending`.
- One that says by which version of its tool it was made (`schema`, may be left out) is migrated, or
  refused where it can't be.
- Edits with the same `together`, the `seq` of the first of them, are one action, and one to undo.
- A kind that the app registered ("message.add") may leave `field` and the target's last part empty.
  It may be `pending` because another one has to arrive first: send that again, too.
- Whatever the body holds, the answer is one of ours: problems as RFC 9457 has them.

Starlette is all it needs; a page's WebSocket events go through the same `parse_operations`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import math
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .engine import Engine
from .errors import PersistenceError
from .operations import KIND, KINDS, Operation, Outcome
from .scopes import Target
from .turns import Turns

Identify = Callable[[Mapping[str, str]], str | Awaitable[str]]
"""`identify(headers) -> actor`: who sends this, by lower-case header names; "" for nobody."""

Tell = Callable[[dict[str, Any], Operation, str], Awaitable[dict[str, Any]]]
"""`tell(answer, operation, actor) -> answer`, with more in it."""

PATH = "/persistence/operations"
MAX_OPERATIONS = 100
MAX_BODY = 4_000_000
"""Bytes of one request: some values of the largest size, never an endless stream."""
ANSWER_WITHIN = 10.0
"""Seconds to wait for the store; then the answer is `pending` and the client asks again."""
HELD_UP = 1.0
"""Seconds that edits of settings, once durable, wait for other kinds in the same request."""

_KEYS = {
    "id", "client", "seq", "target", "field", "kind", "value", "base", "actor", "together",
    "schema",
}  # fmt: skip


class Escaped(JSONResponse):
    """JSON in ASCII: what a client sent may be told again, also where it is no text of Unicode."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


class Malformed(ValueError):
    """What a client sent isn't a list of operations. The message says which and why."""


async def actor_of(identify: Identify, headers: Mapping[str, str]) -> str:
    """Ask the app who this is. Anything but a text of up to 200 characters is nobody."""
    answer = identify(headers)
    if inspect.isawaitable(answer):
        answer = await answer
    known = cast(Any, answer)
    return known if isinstance(known, str) and len(known) <= 200 else ""


def parse_operations(sent: object) -> list[Operation]:
    """The operations in what a client sent, in its order. Raises Malformed."""
    if not isinstance(sent, list):
        raise Malformed("operations isn't a list")
    listed = cast("list[object]", sent)
    if len(listed) > MAX_OPERATIONS:
        raise Malformed(f"more than {MAX_OPERATIONS} operations")
    return [_parse(position, each) for position, each in enumerate(listed)]


def _parse(position: int, sent: object) -> Operation:
    def wrong(problem: str) -> Malformed:
        return Malformed(f"operation {position}: {problem}")

    if not isinstance(sent, dict):
        raise wrong("isn't an object")
    given = cast("dict[str, Any]", sent)
    if unknown := set(given) - _KEYS:
        raise wrong(f"unknown key {min(unknown)[:40]!r}")
    kind = given.get("kind", "set")
    is_settings = kind in KINDS if isinstance(kind, str) else True
    if kind not in KINDS and (is_settings or not KIND.fullmatch(kind)):
        raise wrong(f"kind is none of {', '.join(KINDS)}, and no kind of an app's own")
    for name, limit in (("id", 64), ("client", 64), ("field", 100)):
        text = given.get(name)
        if name == "field" and text == "" and not is_settings:
            continue
        if not _is_text(text, limit) or not text:
            raise wrong(f"{name} isn't a text of 1–{limit} characters")
    maker = given.get("actor", "")
    if not _is_text(maker, 200):
        raise wrong("actor isn't a text of up to 200 characters")
    for name in ("seq", "base", "together", "schema"):
        number = given.get(name, 0)
        if type(number) is not int or not 0 <= number < 1 << 53:
            raise wrong(f"{name} isn't a whole number")
    if (target := _target(given.get("target"), 3 if is_settings else 2)) is None:
        raise wrong("target isn't [scope, owner, tool]")
    return Operation(
        given["id"], given["client"], given.get("seq", 0), target,
        given["field"], kind, given.get("value"), given.get("base", 0),
        actor=maker, together=given.get("together", 0), schema=given.get("schema", 0),
    )  # fmt: skip


def _target(sent: object, filled: int) -> Target | None:
    """None for what is none; so many of its parts, from the first, mustn't be empty."""
    parts = cast("list[object]", sent) if isinstance(sent, list) else []
    if len(parts) != 3 or not all(_is_text(part, 200) for part in parts):
        return None
    return Target(*cast("list[str]", parts)) if all(parts[:filled]) else None


def _is_text(value: object, longest: int) -> bool:
    """A text of Unicode: JSON can carry halves of characters, a database can't."""
    if not isinstance(value, str) or len(value) > longest:
        return False
    return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": outcome.id,
        "status": outcome.status,
        "problem": outcome.problem,
        "revision": outcome.revision,
    }
    if outcome.status == "conflict":
        sides = {"theirs": outcome.theirs, "base_value": outcome.base_value}
        told |= {name: each and each.as_json() for name, each in sides.items()}
    return told


def problem(status: int, title: str, detail: str = "") -> JSONResponse:
    """An answer that says what is wrong, in the shape of RFC 9457."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def too_many(seconds: float) -> JSONResponse:
    """429: nothing was done, and after the seconds of `Retry-After` it may be sent again."""
    wait = max(1, math.ceil(seconds))
    answer = problem(429, "Too many requests", f"Nothing was done. Try again in {wait} seconds.")
    answer.headers["retry-after"] = str(wait)
    answer.headers["cache-control"] = "no-store"
    return answer


def is_own_origin(headers: Mapping[str, str], allowed: Collection[str] = ()) -> bool:
    """Does the request come from a page of this host, or from one that the app allows?

    A request without Origin and Sec-Fetch-Site comes from no page, and so carries no one's cookies
    against their will.
    """
    origin = headers.get("origin", "")
    if not origin:
        return headers.get("sec-fetch-site", "none") in ("same-origin", "none")
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    return bool({origin, "*"} & set(allowed)) or (bool(host) and host == headers.get("host", ""))


def operation_routes(
    engine: Callable[[], Engine],
    identify: Identify,
    *,
    allowed_origins: Collection[str] = (),
    charge: Callable[[str, int], float] | None = None,
    tell: Tell | None = None,
) -> list[Route]:
    """The routes, to be mounted where the app likes. `engine` is asked at each request.

    `charge(actor, operations)` counts what a request brings: 0.0, or the seconds after which it may
    be sent again, and then nothing of it is done. `tell` adds what a page is told besides of an
    operation that was refused or is in conflict.
    """

    async def receive(request: Request) -> Response:
        if not is_own_origin(request.headers, allowed_origins):
            return problem(403, "Foreign origin", "Only pages of this site may send operations.")
        if not (actor := await actor_of(identify, request.headers)):
            return problem(401, "Nobody", "The request says of no user who sends it.")
        try:
            operations = parse_operations(await _operations_in(request))
        except Malformed as error:
            return problem(422, "Not a list of operations", str(error))
        except ClientDisconnect:
            return Response(status_code=400)
        if charge is not None and (late := charge(actor, len(operations))):
            return too_many(late)
        outcomes = await submit_durably(engine(), operations, actor)
        told = [outcome_as_json(each) for each in outcomes]
        if tell is not None:
            for at, operation in enumerate(operations):
                if told[at]["status"] in ("refused", "conflict"):
                    told[at] = await tell(told[at], operation, actor)
        return Escaped({"operations": told})

    return [Route(PATH, receive, methods=["POST"])]


async def submit_durably(engine: Engine, operations: list[Operation], actor: str) -> list[Outcome]:
    """Apply in order, save at once, and answer when durable; `pending` where the store is slow.

    The edits live on if the request is cut off: what was accepted is saved all the same. One kind
    that is slow holds up the answers of the others for a second at most.
    """
    edits = [each for each in operations if each.kind in KINDS]
    others = [each for each in operations if each.kind not in KINDS]
    known: dict[str, Outcome] = {}

    async def submit(some: list[Operation]) -> list[Operation]:
        """Returns what isn't answered yet."""
        turns = Turns(engine, actor)
        for each in some:
            known[each.id] = await turns.submit(each)
        return [each for each in some if known[each.id].status == "pending"]

    async def save() -> None:
        waiting = await submit(edits)
        targets = {each.target for each in waiting if each.target.scope in engine.scopes}
        with suppress(PersistenceError):  # then they wait in memory, and the client will ask again
            await engine.flush(targets)
            await submit(waiting)

    async def wait_for(operation: Operation) -> None:
        known[operation.id] = await engine.submit(operation, actor=actor, wait=True)

    async def apply() -> None:
        """Each is submitted once, in order: one that is refused at once would be tried again."""
        await asyncio.gather(*map(wait_for, others))

    saving, applying = engine.spawn(save()), engine.spawn(apply())
    await asyncio.wait({saving}, timeout=ANSWER_WITHIN)
    await asyncio.wait({applying}, timeout=HELD_UP if edits else ANSWER_WITHIN)
    for task in (saving, applying):
        if task.done():
            task.result()
    slow = "the store is slow"
    return [known.get(each.id) or Outcome(each.id, "pending", slow) for each in operations]


async def _operations_in(request: Request) -> object:
    """The list in the body. Raises Malformed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Malformed(f"more than {MAX_BODY:,} bytes")
    try:
        sent: object = json.loads(bytes(body), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed("the body isn't JSON") from None
    if not isinstance(sent, dict) or set(cast("dict[str, Any]", sent)) != {"operations"}:
        raise Malformed('the body isn\'t {"operations": [...]}')
    return cast("dict[str, object]", sent)["operations"]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} isn't JSON")
