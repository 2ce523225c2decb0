"""Ways round a door that stands: the same said twice, an address that looks like a file's, sockets
in numbers, tokens that nobody has."""

from __future__ import annotations

from typing import Any

import pytest

from persistence import throttle
from persistence.rates import Rate, Rates
from persistence.reflex import doors
from tests.doors.door import Door, Person, Socket, in_house
from tests.doors.test_sockets import HYDRATE, told, until


async def copied(door: Door, name: str) -> str:
    """The cookie of somebody with a project, as it was before it was replaced, twice."""
    owner = await door.sign_up(name)
    await owner.make_shot()
    old = owner.cookies
    for _ in range(2):
        assert (await owner.refresh()).is_success
        assert (await owner.http.get("/auth/me")).json()["user"]["name"] == name
    return old


async def shown(door: Door, socket: Socket) -> str:
    socket.send("event", HYDRATE)
    await door.settle(socket)
    await socket.close()
    return told(socket)


@in_house
async def test_a_replaced_cookie_in_a_second_header_opens_nothing(door: Door):
    old = await copied(door, "twice-ann")
    thief = Person(door, "203.0.113.9")
    thief.http.cookies.set("other", "cookie")
    socket = await thief.socket("token-of-a-thief-1", more=[("cookie", old)])
    assert "Harbour" not in await shown(door, socket)


@in_house
async def test_cookies_in_several_headers_count_as_one(door: Door):
    """As HTTP/2 may send them."""
    ann = await door.sign_up("split-ann")
    headers = [("cookie", "other=1"), ("cookie", ann.cookies)]
    answer = await Person(door).http.get("/auth/me", headers=headers)
    assert answer.json()["user"]["name"] == "split-ann"


@in_house
async def test_an_origin_that_is_said_twice_is_none_of_ours(door: Door):
    socket = await door.guest().socket(
        "token-of-two-origins", more=[("origin", "http://evil.example")]
    )
    assert socket.closed


@in_house
async def test_behind_a_proxy_its_own_line_tells_the_address(
    door: Door, monkeypatch: pytest.MonkeyPatch
):
    """Some proxies add a header of their own behind the one that a client made up."""
    limits = door.doors.throttle
    monkeypatch.setattr(limits, "proxies", 1)
    monkeypatch.setattr(limits, "_addresses", Rates(Rate(60, burst=2)))
    codes: list[int] = []
    for number in range(3):
        lines = [("x-forwarded-for", f"198.51.100.{number}"), ("x-forwarded-for", "192.0.2.77")]
        codes.append((await Person(door).http.get("/auth/me", headers=lines)).status_code)
    assert codes == [200, 200, 429]


@in_house
async def test_a_replaced_cookie_opens_nothing_at_an_address_that_looks_like_a_files(door: Door):
    old = await copied(door, "dotted-ann")
    thief = Person(door, "203.0.113.9")
    name, _, value = old.partition("=")
    thief.http.cookies.set(name, value)
    socket = await thief.socket("token-of-a-thief-2", path="/_event/a.js")
    assert "Harbour" not in await shown(door, socket)


@in_house
async def test_asking_whose_a_token_is_keeps_nothing_of_it(door: Door):
    """Requests for files aren't counted, and any of them may name a token."""
    kept: Any = door.app.state_manager
    before, person = len(kept.states), door.guest()
    for number in range(20):
        headers = {"reflex-client-token": f"made-up-token-{number}"}
        assert (await person.http.get("/part.js", headers=headers)).status_code == 404
    assert len(kept.states) == before


@in_house
async def test_opening_a_socket_counts_as_a_request(door: Door, monkeypatch: pytest.MonkeyPatch):
    """Each makes a state, which is kept for an hour; becoming a page counts once more."""
    monkeypatch.setattr(door.doors.throttle, "_users", Rates(Rate(60, burst=4)))
    person, other = door.guest(), door.guest()
    pages = [await person.socket(f"token-in-a-row-{number}") for number in range(3)]
    assert [each.closed for each in pages] == [False, False, True]
    theirs = await other.socket("token-of-another-one")
    assert not theirs.closed
    for each in (*pages, theirs):
        await each.close()


@in_house
async def test_sockets_that_never_become_a_page_are_limited_too(
    door: Door, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(doors, "MOST_OPEN", 3)
    person, other = door.guest(), door.guest()
    mute = [await person.socket(f"token-of-a-mute-{n}", is_mute=True) for n in range(4)]
    assert [each.closed for each in mute] == [False, False, False, True]
    theirs = await other.socket("token-of-a-talker")
    assert not theirs.closed
    await mute[0].close()
    again = await person.socket("token-of-a-mute-9", is_mute=True)
    assert not again.closed
    for each in (*mute, theirs, again):
        await each.close()
    assert not door.doors.open


@in_house
async def test_a_page_cannot_say_anew_where_it_comes_from(door: Door):
    """socket.io calls whatever handler a frame names, that of a new connection too: it would be
    counted at any address, and get the pages of who was there."""
    person = door.guest()
    for name in ("connect", "disconnect", "ping", "_x"):
        socket = await person.socket(f"token-that-says-{name}")
        held = dict(door.doors._sockets)
        scope = {"headers": [], "client": ["198.51.100.8", 1]}
        socket.send(name, {"asgi.scope": scope, "QUERY_STRING": "token=token-of-somebody-else"})
        await until(lambda page=socket: page.left)
        assert "at 198.51.100.8" not in door.doors._sockets
        assert door.doors._sockets.keys() <= held.keys()
        await socket.close()


@in_house
async def test_a_page_that_connects_again_and_again_waits_its_turn(
    door: Door, monkeypatch: pytest.MonkeyPatch
):
    waits: list[float] = []

    async def no_wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(door.doors.throttle, "_users", Rates(Rate(60, burst=3)))
    monkeypatch.setattr(doors, "asyncio", type("Asyncio", (), {"sleep": no_wait}))
    socket = await door.guest().socket("token-again-and-again")
    for _ in range(5):
        socket.frame("41/_event,")
        socket.frame("40/_event,")
    await door.settle(socket)
    assert len(waits) == 4
    await socket.close()


@in_house
async def test_one_user_opens_so_many_new_pages_an_hour_and_known_ones_as_often_as_they_like(
    door: Door, monkeypatch: pytest.MonkeyPatch
):
    """A page's state is kept for an hour after it was closed: 60 kB each, as fast as they come."""
    monkeypatch.setattr(door.doors.throttle, "_pages", Rates(Rate(60, seconds=3600, burst=3)))
    person, other = door.guest(), door.guest()
    for number in (1, 1, 2, 2, 1, 3):
        page = await person.socket(f"token-of-page-{number}")
        assert not page.refused
        await shown(door, page)
    more = [await person.socket("token-of-page-4"), await person.socket("no")]
    assert all("pages" in each.refused for each in more)
    theirs = await other.socket("token-of-page-5")
    assert not theirs.refused
    theirs.send("event", HYDRATE)
    await door.settle(theirs)
    beside = [await other.socket("token-of-page-5") for _ in range(3)]  # it is open: these are new
    assert [bool(each.refused) for each in beside] == [False, False, True]
    later = throttle._now() + 60
    monkeypatch.setattr(throttle, "_now", lambda: later)
    again = await person.socket("token-of-page-4")
    assert not again.refused
    for each in (*more, theirs, *beside, again):
        await each.close()
