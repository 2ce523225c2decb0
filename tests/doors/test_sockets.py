"""Who gets a page's WebSocket, whose state it shows, and how fast it may send."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pytest

from persistence.rates import Rate, Rates
from persistence.reflex import doors
from tests.doors.door import HOST, PATIENCE, Door, Person, Socket, in_house
from workbench.states.home import Home
from workbench.states.project import Project

TRAVEL = "travel-ui-state"


def handler(state: Any, name: str) -> str:
    return f"{state.get_full_name()}.{name}"


def event(state: Any, name: str, path: str = "/", /, **payload: Any) -> dict[str, Any]:
    return {
        "name": handler(state, name),
        "payload": payload,
        "router_data": {"pathname": path, "asPath": path, "query": {}},
    }


HYDRATE = {
    "name": "reflex___state____state.hydrate_and_load",
    "payload": {},
    "router_data": {"pathname": "/", "asPath": "/", "query": {}},
}


async def opened(person: Person, token: str, project: str = "", shot: str = "") -> Socket:
    """A page of theirs that shows what it shows."""
    socket = await person.socket(token)
    path = f"/p/{project}/s/{shot}" if shot else "/"
    query = {"project_id": project, "shot_id": shot} if shot else {}
    router = {"pathname": path, "asPath": path, "query": query}
    socket.send("event", {**HYDRATE, "router_data": router})
    await until(lambda: "'is_hydrated_rx_state_': True" in told(socket))
    return socket


def told(socket: Socket) -> str:
    """All that the page was sent."""
    return repr(socket.updates)


def new_token(socket: Socket) -> str:
    """The token that the server gave instead of the page's own; "" if it didn't."""
    return next((each[1] for each in socket.updates if each[0] == "new_token"), "")


ORIGINS = {
    f"http://{HOST}": True,
    f"https://{HOST}": True,
    "": True,
    "http://evil.example": False,
    f"http://{HOST}.evil.example": False,
    f"http://evil.example/{HOST}": False,
    f"http://{HOST}@evil.example": False,
    f"http://{HOST}:8080": False,
    "null": False,
    "http://[": False,
    "file://": False,
}


@in_house
async def test_only_pages_of_this_host_get_a_websocket(door: Door):
    person = door.guest()
    for origin, is_let_in in ORIGINS.items():
        socket = await person.socket("t" * 20, origin=origin)
        assert socket.closed is not is_let_in, origin
        await socket.close()


@in_house
async def test_somebodys_token_shows_and_changes_nothing_of_theirs(door: Door):
    ann, ben = await door.sign_up("Ann"), await door.sign_up("Ben")
    await ann.make_shot()
    hers = await opened(ann, "token-of-ann-0002")
    assert "Harbour" in told(hers)
    hers.send("event", event(Home, "start_rename", card="what she had begun"))
    await door.settle(hers)
    await hers.close()

    stolen = await ben.socket("token-of-ann-0002")
    assert new_token(stolen)
    stolen.send("event", HYDRATE)
    stolen.send("event", event(Home, "start_rename", card="his"))
    await door.settle(stolen)
    assert "Harbour" not in told(stolen)
    assert "what she had begun" not in told(stolen)
    await stolen.close()

    back = await opened(ann, "token-of-ann-0002")
    assert not new_token(back)
    assert "what she had begun" in told(back)
    await back.close()


@in_house
async def test_a_stolen_token_hears_nothing_though_it_sends_nothing(door: Door):
    """What is pushed goes to whoever is connected under a tab's token."""
    ann, ben = door.guest(), door.guest()
    project, shot = await ann.make_shot()
    hers = await opened(ann, "token-of-ann-0003", project, shot)
    await hers.close()
    stolen = await ben.socket("token-of-ann-0003")
    answer = await ann.operate(("shot", shot, TRAVEL), "prompt", "gulls over the harbour")
    assert answer.is_success
    await door.settle()
    await asyncio.sleep(0.05)
    assert "gulls" not in told(stolen)
    await stolen.close()


@in_house
async def test_without_the_check_of_the_token_it_would_be_told(
    door: Door, monkeypatch: pytest.MonkeyPatch
):
    """The control of the test above."""

    async def anybody(*_: Any) -> bool:
        return True

    monkeypatch.setattr(doors.Doors, "may_hold", anybody)
    ann, ben = door.guest(), door.guest()
    project, shot = await ann.make_shot()
    hers = await opened(ann, "token-of-ann-0004", project, shot)
    await hers.close()
    stolen = await ben.socket("token-of-ann-0004")
    await ann.operate(("shot", shot, TRAVEL), "prompt", "gulls over the harbour")
    await door.settle()
    await asyncio.sleep(0.05)
    assert "gulls" in told(stolen)
    await stolen.close()


@in_house
async def test_nobodys_state_is_bound_to_the_address(door: Door):
    visitor, other = door.nobody(), Person(door, "203.0.113.9")
    first = await opened(visitor, "token-of-nobody-1")
    first.send("event", event(Home, "start_rename", card="half a password"))
    await door.settle(first)
    await first.close()
    stolen = await other.socket("token-of-nobody-1", address="203.0.113.9")
    stolen.send("event", HYDRATE)
    await door.settle(stolen)
    assert new_token(stolen)
    assert "half a password" not in told(stolen)
    await stolen.close()


@in_house
async def test_a_token_that_no_page_makes_is_replaced(door: Door):
    for token in ("", "x", "a" * 500, "../../etc", "t&EIO=3", "\u00e9" * 12, "a b c d e f"):
        socket = await door.guest().socket(token)
        assert len(new_token(socket)) == 36, token
        await socket.close()


@in_house
async def test_one_user_has_so_many_pages_and_no_more(door: Door, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doors, "MAX_SOCKETS", 3)
    person, other = door.guest(), door.guest()
    pages = [await person.socket(f"token-number-{number}") for number in range(4)]
    assert [bool(each.refused) for each in pages] == [False, False, False, True]
    assert "3 pages" in pages[3].refused
    theirs = await other.socket("token-of-another")
    assert not theirs.refused
    await pages[0].close()
    again = await person.socket("token-number-9")
    assert not again.refused
    for each in (*pages, theirs, again):
        await each.close()


@in_house
async def test_events_beyond_the_rate_wait_their_turn_and_none_is_lost(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
):
    waits: list[float] = []

    async def no_wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(door.doors.throttle, "_users", Rates(Rate(600)))
    person = door.guest()
    project, shot = await person.make_shot()
    socket = await opened(person, "token-of-a-writer", project, shot)
    monkeypatch.setattr(doors, "asyncio", type("Asyncio", (), {"sleep": no_wait}))
    monkeypatch.setattr(doors, "FLOOD", 1e9)
    for number in range(700):
        socket.send("event", event(Project, "start_rename", card=f"name {number}"))
    await until(lambda: "name 699" in told(socket))
    assert waits
    assert _names(socket) == sorted(_names(socket))
    await socket.close()


@in_house
async def test_a_flood_is_closed_and_only_its_own_page(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def no_wait(_: float) -> None:
        return

    monkeypatch.setattr(door.doors.throttle, "_users", Rates(Rate(600)))
    monkeypatch.setattr(doors, "asyncio", type("Asyncio", (), {"sleep": no_wait}))
    flooding, calm = door.guest(), door.guest()
    theirs = await opened(calm, "token-of-somebody-calm")
    socket = await opened(flooding, "token-of-a-flooder")
    with caplog.at_level(logging.WARNING):
        for _ in range(3_000):
            socket.send("event", event(Home, "dismiss"))
        await until(lambda: socket.left)
    assert sum("sends far too much" in each.message for each in caplog.records) == 1
    theirs.send("event", event(Home, "start_rename", card="still here"))
    await until(lambda: "still here" in told(theirs))
    for each in (socket, theirs):
        await each.close()


def _names(socket: Socket) -> list[int]:
    return [int(each) for each in re.findall(r"'name (\d+)'", told(socket))]


async def until(holds: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.002)
