"""Every handler and every route of the running workbench × hostile input × everybody.

The handlers are those that Reflex registered and the routes those that the server mounts: a new one
takes part by itself. Ann has what nobody else may see or change; her words begin with `CANARY`. A
trial is one event, frame or request of somebody, and it is at fault where the server fails, answers
after more than a second, tells what isn't theirs, writes what isn't theirs, or logs a secret.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

import httpx
from reflex_base.registry import RegistrationContext
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from persistence import Target
from persistence.settings import registry
from tests.doors.door import PASSWORD, Door, Person, Socket
from tests.doors.hostile import Sender
from tests.faults.tally import Tally
from workbench import database, projects, sharing
from workbench.accounts import resets

CANARY = "canary"
ROLES = ("owner", "editor", "viewer", "other", "guest", "visitor", "signed out")
HANG, PATIENCE = 1.0, 10
"""Seconds of this process's own work; so many times as long may pass, since machines are busy."""
TOGETHER = 20
"""Events of one page that are sent before anybody looks what came of them."""
VOLATILE = {"opened_at", "seen_at", "is_used", "rotated_at", "previous_hash", "secret_hash"}


def clocks() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def since(began: tuple[float, float]) -> float:
    """Seconds of work since then, or a part of those that passed, whichever is more."""
    work, passed = (now - then for now, then in zip(clocks(), began, strict=True))
    return max(work, passed / PATIENCE)


@dataclass
class World:
    """Ann's, whom nobody may harm, and what the others may know of her."""

    ann: Person
    ann_id: str
    shared: str
    shot: str
    private: str
    private_shot: str
    secrets: list[str]
    known: list[str] = field(default_factory=list[str])
    """Ids and names, everybody's: what a client may have got hold of."""

    @property
    def targets(self) -> list[tuple[str, str, str]]:
        owners = [("user", self.ann_id), ("project", self.shared), ("shot", self.shot),
                  ("project", self.private), ("shot", self.private_shot)]  # fmt: skip
        return [(*owner, tool) for owner in owners for tool in registry]


async def build(door: Door) -> World:
    ann = await door.sign_up("canary-ann")
    me = await ann.who()
    shared = await projects.create_project(me, f"{CANARY} shared project")
    shot = await projects.create_shot(me, shared, f"{CANARY} shared shot")
    private = await projects.create_project(me, f"{CANARY} private project")
    private_shot = await projects.create_shot(me, private, f"{CANARY} private shot")
    gone = await projects.create_project(me, f"{CANARY} private gone")
    await projects.delete_project(me, gone)
    for owner in (shot, private_shot):
        where = "shared" if owner == shot else "private"
        await _plant(ann, ("shot", owner, "travel-ui-state"), "prompt", f"{CANARY} {where} prompt")
    await _plant(ann, ("user", me, "image-generation"), "last_used_model", f"{CANARY} private one")
    history = door.tabs.engine.history
    await history.name_moment("shot", private_shot, f"{CANARY} private moment", actor=me)
    link = await resets.make_link("canary-ann", now=time.time())
    invitation = await sharing.invite(me, private, "editor")
    cookies = [value.partition(".")[2] or value for value in ann.http.cookies.values()]
    world = World(
        ann, me, shared, shot, private, private_shot, [PASSWORD, link, invitation, *cookies]
    )
    world.known = [
        me, shared, shot, private, private_shot, gone, "x" * 22, "canary-ann", "travel-ui-state",
        "image-generation", "ui", "user", "project", "shot", "default", "prompt", "theme", "frames",
        "lastUsedModel", *(name for spec in registry.values() for name in spec.fields),
    ]  # fmt: skip
    return world


async def _plant(ann: Person, target: tuple[str, str, str], field: str, value: str) -> None:
    answer = await ann.operate(target, field, value)
    assert [each["status"] for each in answer.json()["operations"]] == ["confirmed"], answer.text


async def somebody(door: Door, world: World, role: str) -> Person:
    """One of that role towards Ann's shared project; everybody but she is nobody to the private."""
    if role in ("visitor", "guest"):
        return door.nobody() if role == "visitor" else door.guest()
    person = await door.sign_up(f"{role.replace(chr(32), chr(45))}-{time.perf_counter_ns()}")
    me = await person.who()
    world.known += await person.make_shot()
    if role in ("editor", "viewer"):
        link = await sharing.invite(world.ann_id, world.shared, role)
        await sharing.join(link, me, "192.0.2.1")
    elif role == "signed out":
        cookies = dict(person.http.cookies)
        await person.http.post("/auth/sign-out")
        person.http.cookies.clear()
        person.http.cookies.update(cookies)
    return person


# --- what is enumerated --------------------------------------------------------------------------


def handlers() -> dict[str, Any]:
    """Every handler that Reflex knows, by its full name."""
    return {
        name: each.handler.fn
        for name, each in sorted(RegistrationContext.get().event_handlers.items())
    }


def routes(door: Door) -> list[tuple[str, str]]:
    """Every method and path that the server mounts, the library's and the app's."""
    app: Any = door.app
    mounted = [app._api, *(each for each in app.api_transformer if isinstance(each, Starlette))]
    found: set[tuple[str, str]] = set()
    for each in mounted:
        found.update(_routes(each.routes))
    return sorted(found)


def _routes(listed: Any) -> Iterator[tuple[str, str]]:
    for route in listed:
        if isinstance(route, Route):
            yield from ((method, route.path) for method in route.methods or ())
        elif isinstance(route, Mount) and isinstance(route.app, Starlette):
            yield from _routes(route.app.routes)


# --- what may not happen -------------------------------------------------------------------------


class Heard(logging.Handler):
    """What was logged, at any level, as a file would have it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[int, str]] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelno, self.format(record)))


def in_short(line: str) -> str:
    """Of a traceback, where it was in our own files, and its end."""
    ours = [
        each.strip() for each in line.splitlines()
        if ("/persistence/" in each or "/workbench/" in each) and "site-packages" not in each
    ]  # fmt: skip
    return f"{line[:100]} {ours[-4:]} {line[-200:]}"


@contextmanager
def listening() -> Iterator[Heard]:
    root, heard = logging.getLogger(), Heard()
    before, disabled = root.level, logging.root.manager.disable
    logging.disable(logging.NOTSET)
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    try:
        yield heard
    finally:
        root.removeHandler(heard)
        root.setLevel(before)
        logging.disable(disabled)


async def hers(door: Door, world: World, *, but_shared: bool) -> str:
    """All that is stored of Ann's, without what changes by itself."""
    loaded = await door.tabs.engine.store.load([Target(*each) for each in world.targets])
    stored = {
        str(target): repr(sorted(rows.items()))
        for target, rows in loaded.items()
        if rows and not (but_shared and target.owner in (world.shared, world.shot))
    }
    rows = await database.read(_rows, world, but_shared)
    return json.dumps([stored, rows], sort_keys=True, indent=0, default=str)


def _rows(session: Any, world: World, but_shared: bool) -> Any:
    queries = {
        "select * from workbench_user where id = :me": {"me": world.ann_id},
        "select * from workbench_project where owner_id = :me": {"me": world.ann_id},
        "select * from workbench_reset_link where user_id = :me": {"me": world.ann_id},
        "select id, user_id from workbench_session where user_id = :me": {"me": world.ann_id},
        "select project_id, user_id, role from workbench_member where project_id = :private": {
            "private": world.private
        },
        "select * from workbench_shot where project_id in (:private, :shared)": {
            "private": world.private,
            "shared": "" if but_shared else world.shared,
        },
    }
    found: list[Any] = []
    for query, parameters in queries.items():
        rows = session.exec(text(query), params=parameters).mappings()
        found += [{k: v for k, v in row.items() if k not in VOLATILE} for row in rows]
    return found


# --- one person's trials -------------------------------------------------------------------------


class Trials:
    """Hostile events, frames and requests of one person."""

    def __init__(self, door: Door, world: World, random: Random, tally: Tally) -> None:
        self.door, self.world, self.random, self.tally = door, world, random, tally
        self.sender = Sender(random, world.known)
        self.handlers, self.routes = list(handlers().items()), routes(door)
        self.fields = [name for spec in registry.values() for name in spec.fields] + ["x", "a.b"]

    async def of(self, role: str, count: int) -> None:
        world = self.world
        person = await somebody(self.door, world, role)
        before = await hers(self.door, world, but_shared=role == "editor")
        with listening() as heard:
            done = 0
            while done < count:
                done += await self._some(person, role, min(TOGETHER, count - done), heard)
                if role not in ("visitor", "signed out") and not await person.who():
                    person = await somebody(self.door, world, role)
        after = await hers(self.door, world, but_shared=role == "editor")
        if before != after:
            changed = set(after.splitlines()) ^ set(before.splitlines())
            self.tally.misplace(f"{role} changed what is Ann's: {sorted(changed)[:4]}")
        self.tally.happened[f"of {role}"] += count
        await person.http.aclose()

    async def _some(self, person: Person, role: str, count: int, heard: Heard) -> int:
        heard.lines.clear()
        is_http = self.random.random() < 0.4
        if is_http:
            sent, told, slowest = await self._requests(person, max(1, count // 4))
        else:
            sent, told, slowest = await self._events(person, count)
        self._judge(role, sent, told, slowest, heard)
        self.tally.count += len(sent)
        self.tally.happened["requests" if is_http else "events"] += len(sent)
        return max(1, len(sent))

    def _judge(self, role: str, sent: list[str], told: str, slowest: float, heard: Heard) -> None:
        what = f"{role}, one of {[each[:160] for each in sent][:TOGETHER]}"
        for level, line in heard.lines:
            if level >= logging.ERROR and "Reflex Frontend Exception" not in line:
                self.tally.fault(f"server error: {in_short(line)} by {what}")
            for secret in self.world.secrets:
                if secret in line:
                    self.tally.fault(f"a secret in the log: {line[:300]} by {what}")
        if slowest > HANG:
            self.tally.fault(f"took {slowest:.1f} s: {what}")
        mine = [word for word in self.world.secrets[1:] if word in told]
        private = f"{CANARY} private" in told
        shared = f"{CANARY} shared" in told and role not in ("editor", "viewer")
        if mine or private or shared:
            at = told.find(CANARY)
            self.tally.fault(f"told what isn't theirs: …{told[max(0, at - 200) : at + 60]}… {what}")

    # --- events ----------------------------------------------------------------------------------

    async def _events(self, person: Person, count: int) -> tuple[list[str], str, float]:
        socket = await person.socket(f"token-{self.random.getrandbits(64):x}")
        sent: list[str] = []
        began = clocks()
        for left in reversed(range(count)):
            sent.append(self._send(socket, is_last=not left))
            if self.random.random() < 0.15:
                await self.door.settle(socket)
        await self.door.settle(socket)
        took = since(began) / count
        told = json.dumps(socket.updates)
        await socket.close()
        return sent, told, took

    def _send(self, socket: Socket, *, is_last: bool) -> str:
        """What isn't even a frame comes last: it closes the page, and nothing behind it is read."""
        if is_last and self.random.random() < 0.7:
            frame = self.sender.frame()
            socket.frame(frame)
            return frame
        name, function = self.random.choice(self.handlers)
        if self.random.random() < 0.03:
            name = self.random.choice((
                f"{name.rpartition('.')[0]}._{name.rpartition('.')[2]}", name.upper(), f"{name}.",
                f"{name.rpartition('.')[0]}.__init__", f"{name.rpartition('.')[0]}.get_state",
                f"{name.rpartition('.')[0]}.set_value", f"{name.rpartition('.')[0]}._set", "",
            ))  # fmt: skip
        payload = self.sender.arguments(function)
        if "operations" in payload and self.random.random() < 0.8:
            payload["operations"] = self._operations()
        event = {"name": name, "payload": payload, "router_data": self._router()}
        socket.send("event", event)
        return f"{name.rpartition('state____')[2] or name}({payload!r})"

    def _operations(self) -> list[Any]:
        several = range(self.random.choice((0, 1, 1, 1, 3)))
        return [self.sender.operation(self.world.targets, self.fields) for _ in several]

    def _router(self) -> Any:
        """Where the page says that it is: at Ann's, mostly."""
        world, chance = self.world, self.random.random()
        project = self.random.choice((world.shared, world.private, self.sender.text()[:80]))
        shot = self.random.choice((world.shot, world.private_shot, self.sender.text()[:80]))
        if chance < 0.05:
            return self.sender.anything()
        if chance < 0.6:
            query = {"project_id": project, "shot_id": shot}
            path = f"/p/{project}/s/{shot}"
        else:
            query = {"project": project, "shot": shot, "tool": "travel-ui-state", "token": project}
            pages = ("/", "/inspector", f"/reset/{project}", "/account", "/bring")
            path = self.random.choice(pages)
            path += f"?project={quote(project, errors='replace')}&tool={query['tool']}"
        return {"pathname": path.partition("?")[0], "asPath": path, "query": query}

    # --- requests --------------------------------------------------------------------------------

    async def _requests(self, person: Person, count: int) -> tuple[list[str], str, float]:
        sent: list[str] = []
        told: list[str] = []
        slowest = 0.0
        for _ in range(count):
            method, path = self.random.choice(self.routes or [("GET", "/ping")])
            filled = "/".join(
                quote(str(self.sender.anything())[:300], safe="", errors="replace")
                if part.startswith("{") else part
                for part in path.split("/")
            )  # fmt: skip
            body, headers = self._body(path), self._headers()
            try:
                asked = person.http.build_request(method, filled, content=body, headers=headers)
            except (httpx.InvalidURL, ValueError):
                continue  # no client can send that
            began = clocks()
            try:
                answer = await person.http.send(asked)
            except Exception as error:  # noqa: BLE001  # a server would answer 500
                self.tally.fault(f"raised {error!r}: {method} {filled} {headers}")
                continue
            slowest = max(slowest, since(began))
            sent.append(f"{method} {filled} {body[:200]!r} {headers} → {answer.status_code}")
            told.append(answer.text)
            if answer.status_code >= 500:
                self.tally.fault(f"answered {answer.status_code} {answer.text[:200]}: {sent[-1]}")
        await self.door.settle()
        return sent, "\n".join(told), slowest

    def _headers(self) -> dict[str, str]:
        made = {"content-type": "application/json"}
        if self.random.random() < 0.3:
            name = self.random.choice(
                ("origin", "content-type", "cookie", "authorization", "host", "sec-fetch-site",
                 "reflex-client-token", "x-forwarded-for", "x-forwarded-proto", "user-agent")
            )  # fmt: skip
            made[name] = self.random.choice((
                "", "null", "http://evil.example", "http://[", "Bearer x.y.z", "Bearer", "x" * 999,
                "workbench_session=a.b.c", "workbench_session=;;=;\x01", "multipart/form-data", "*",
                self.world.ann_id, "..", "1.2.3.4, ::1, x", "localhost:99999", "\u00ff\u00fe",
            ))  # fmt: skip
        return {name: value.encode("latin-1", "replace") for name, value in made.items()}  # pyright: ignore[reportReturnType]

    def _body(self, path: str) -> bytes:
        chance = self.random.random()
        if chance < 0.1:
            return self.random.choice((
                b"", b"{", b"\xff\xfe", b"[" * 5_000, b'{"a":' * 3_000, b"null", b"1", b'"x"',
                b"{}" * 10, b'{"name": "a", "name": "b"}', b'{"a": NaN}', b'{"a": 1e999}', b"\0",
                b'{"operations": [' + b"{}," * 200 + b"{}]}", b"x" * 30_000,
                b'{"n": ' + b"9" * 5_000 + b"}", b'"' + b"x" * 5_000_000 + b'"', b"[" * 200_000,
            ))  # fmt: skip
        if "operations" in path and chance < 0.9:
            return _as_json({"operations": self._operations()})
        names = ("name", "password", "new_password", "token", "extra")
        fields = {name: self.sender.anything() for name in names if self.random.random() < 0.5}
        return _as_json(self.sender.anything() if chance > 0.9 else fields)


def _as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _named(name: str, parts: Collection[str]) -> bool:
    return any(part in name for part in parts)


async def try_all(
    door: Door,
    count: int,
    seed: int,
    tally: Tally,
    *,
    roles: Sequence[str] = ROLES,
    only: Collection[str] = (),
) -> None:
    """So many trials, by everybody in turn; at `only` the doors in whose names one of these is."""
    door.doors.throttle.is_open = True  # what is judged here isn't how often
    world = await build(door)
    trials = Trials(door, world, Random(seed), tally)
    if only:
        trials.handlers = [each for each in trials.handlers if _named(each[0], only)]
        trials.routes = [each for each in trials.routes if _named(each[1], only)]
    share = -(-count // len(roles))
    for role in roles:
        await trials.of(role, share)
    await asyncio.sleep(0)
