"""How many requests are taken, and that what is foreign answers like what is missing."""

from __future__ import annotations

import re
import statistics
import time
from typing import Any

import pytest

from persistence import throttle
from persistence.rates import Rate, Rates
from persistence.throttle import RATE_LIMIT, Throttle, client_address, cost_of
from tests.doors.audit import routes
from tests.doors.door import Door, Person, Socket, in_house
from tests.doors.test_sockets import HYDRATE, told, until

TRAVEL = "travel-ui-state"


@pytest.fixture
def slow(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three at once, then one a second; of nobody, two."""
    for name, burst in (("_users", 3), ("_addresses", 2)):
        monkeypatch.setattr(house.door.doors.throttle, name, Rates(Rate(60, burst=burst)))


@in_house
async def test_too_many_requests_are_told_when_to_come_again(
    door: Door,
    slow: None,
    monkeypatch: pytest.MonkeyPatch,
):
    person, other = door.guest(), door.guest()
    for _ in range(3):
        assert (await person.http.get("/auth/me")).status_code == 200
    answer = await person.http.get("/auth/me")
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 429
    assert (await other.http.get("/auth/me")).status_code == 200
    later = throttle._now() + int(answer.headers["retry-after"])
    monkeypatch.setattr(throttle, "_now", lambda: later)
    assert (await person.http.get("/auth/me")).status_code == 200


@in_house
async def test_nobody_is_counted_by_address(door: Door, slow: None):
    one, same, other = door.nobody(), door.nobody(), Person(door, "203.0.113.9")
    assert (await one.http.get("/auth/me")).status_code == 200
    assert (await same.http.get("/auth/me")).status_code == 200
    assert (await one.http.get("/auth/me")).status_code == 429
    assert (await other.http.get("/auth/me")).status_code == 200


@in_house
async def test_files_of_the_page_are_not_counted(door: Door, slow: None):
    person = door.guest()
    answers = [await person.http.get(f"/assets/part-{number}.js") for number in range(20)]
    assert {each.status_code for each in answers} == {404}


@in_house
async def test_a_request_that_is_refused_did_nothing_and_is_done_when_it_comes_again(
    door: Door,
    slow: None,
    monkeypatch: pytest.MonkeyPatch,
):
    person = door.guest()
    _, shot = await person.make_shot()
    target = ("shot", shot, TRAVEL)
    sent = {"operations": [person.operation(target, "prompt", f"{n}") for n in range(25)]}
    await person.http.get("/auth/me")
    first = await person.http.post("/persistence/operations", json=sent)  # 1, then 2 more: in all 4
    assert first.status_code == 429
    assert await door.stored(*target) == {}
    later = throttle._now() + int(first.headers["retry-after"])
    monkeypatch.setattr(throttle, "_now", lambda: later)
    again = await person.http.post("/persistence/operations", json=sent)
    assert [each["status"] for each in again.json()["operations"]] == ["confirmed"] * 25


async def test_nobody_who_works_meets_the_limit():
    """Typing ten keys a second in three tabs, and coming back with 2,000 edits of a journey."""
    limits = Throttle(lambda _: "ana", limit=RATE_LIMIT)
    at = 0.0
    for _ in range(20):  # 100 operations a request
        assert limits._users.take("user ana", at, cost_of(100)) == 0.0
    for _ in range(10 * 60 * 10 * 3):
        at += 1 / 30
        assert limits._users.take("user ana", at, cost_of(1)) == 0.0


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_limit_that_is_none_is_refused_at_the_start(limit: float):
    with pytest.raises(ValueError, match="positive"):
        Throttle(lambda _: "", limit=limit)


def test_of_an_ipv6_address_the_network_counts():
    assert client_address("2001:db8:1:2:3:4:5:6", "", proxies=0) == "2001:db8:1:2::"


@in_house
async def test_who_has_sent_a_days_bytes_waits_and_loses_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch
):
    limits = door.doors.throttle
    monkeypatch.setattr(limits, "_volume", Rates(Rate(10_000, seconds=1_000)))
    person, other = door.guest(), door.guest()
    _, shot = await person.make_shot()
    target = ("shot", shot, TRAVEL)
    socket = await person.socket("token-of-much-to-say")
    for size in (4_000, 4_500, 4_600):
        assert (await person.operate(target, "prompt", "x" * size)).is_success
    refused = await person.operate(target, "prompt", "more")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) < 1_000
    assert (await other.http.get("/auth/me")).status_code == 200
    socket.send("event", HYDRATE)
    await until(lambda: socket.closed)
    assert (await door.stored(*target))["prompt"].text == f'"{"x" * 4_600}"'
    monkeypatch.setattr(throttle, "_now", lambda: 1e9)
    assert (await person.operate(target, "prompt", "more")).is_success


@in_house
async def test_events_by_request_are_for_pages_of_this_host_too(door: Door):
    """Where Reflex is configured to poll instead of opening a socket."""
    polling = "/_event/?EIO=4&transport=polling&token=token-of-a-poller"
    for method in ("GET", "POST"):
        foreign = {"origin": "http://evil.example"}
        answer = await door.guest().http.request(method, polling, headers=foreign)
        assert answer.status_code == 403
    assert (await door.guest().http.get(polling)).status_code != 403


@in_house
async def test_no_route_that_acts_is_for_another_sites_page(door: Door):
    """Each that the server mounts, with the cookies of somebody signed in."""
    ann = await door.sign_up("lured-ann")
    acting = [each for each in routes(door) if each[0] not in ("GET", "HEAD")]
    assert len(acting) > 10
    for method, path in acting:
        for headers in (
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"origin": "", "sec-fetch-site": "same-site"},
        ):
            answer = await ann.http.request(method, path, headers=headers)
            assert answer.status_code == 403, (method, path, headers)
    assert (await ann.http.get("/auth/me")).json()["user"]["name"] == "lured-ann"


@in_house
async def test_an_upload_into_somebodys_tab_is_refused(door: Door):
    ann, ben = door.guest(), door.guest()
    socket = await ann.socket("token-for-uploads")
    socket.send("event", HYDRATE)
    await door.settle(socket)
    headers = {"reflex-client-token": "token-for-uploads", "reflex-event-handler": "x"}
    assert (await ben.http.post("/_upload", headers=headers)).status_code == 403
    assert (await ann.http.post("/_upload", headers=headers)).status_code == 404  # no such route
    foreign = {**headers, "origin": "http://evil.example"}
    assert (await ann.http.post("/_upload", headers=foreign)).status_code == 403
    await socket.close()


# --- foreign and missing -------------------------------------------------------------------------


async def _answers(person: Person, owner: str, scope: str) -> list[str]:
    """What somebody is told of an owner, over all ways to ask; without what they asked for."""
    answers: list[str] = []
    for kind in ("set", "reset", "block", "pin"):
        sent = person.operation((scope, owner, TRAVEL), "prompt", "mine now")
        sent["kind"] = kind
        answer = await person.http.post("/persistence/operations", json={"operations": [sent]})
        answers.append(f"{answer.status_code} {answer.text}".replace(sent["id"], "ID"))
    ended = await person.http.delete(f"/auth/sessions/{owner}")
    answers.append(f"{ended.status_code} {ended.text}")
    for path, query in (
        (f"/p/{owner}", {"project_id": owner}),
        (f"/p/{owner}/s/{owner}", {"project_id": owner, "shot_id": owner}),
        (f"/inspector?{scope}={owner}", {scope: owner}),
    ):
        socket = await person.socket(f"token-{person.sent:08}-{len(answers)}")
        router = {"pathname": path.partition("?")[0], "asPath": path, "query": query}
        socket.send("event", {**HYDRATE, "router_data": router})
        await until(lambda page=socket: "'is_hydrated_rx_state_': True" in told(page))
        await person.door.settle(socket)
        answers.append(str(shown(socket)))
        await socket.close()
    return [_without_asking(each, owner) for each in answers]


def shown(socket: Socket) -> list[tuple[str, Any]]:
    """What the page shows in the end, however many messages brought it."""
    values: dict[str, Any] = {}
    for message in socket.updates:
        for state, changed in (message[1].get("delta") or {}).items():
            values |= {f"{state}.{name}": value for name, value in changed.items()}
    return sorted(values.items())


def _without_asking(text: str, owner: str) -> str:
    text = text.replace(owner, "ASKED")
    text = re.sub(r"'(session_id|client_token)': '[^']*'", "", text)
    text = re.sub(r"(persistence_state\.tab_rx_state_', )'[^']*'", r"\1", text)
    return re.sub(r"\d{2}:\d{2}|token-[0-9-]+|\d\.\d{6,}", "", text)


@in_house
async def test_what_is_foreign_answers_like_what_is_missing(door: Door):
    ann, ben = await door.sign_up("alike-ann"), await door.sign_up("alike-ben")
    project, shot = await ann.make_shot()
    for scope, foreign in (("project", project), ("shot", shot), ("user", await ann.who())):
        missing = "x" * len(foreign)
        differ: list[tuple[str, str]] = []
        for _ in range(5):  # a page of a busy machine may be caught while it loads
            told, of_none = [await _answers(ben, each, scope) for each in (foreign, missing)]
            differ = [pair for pair in zip(told, of_none, strict=True) if pair[0] != pair[1]]
            if not differ:
                break
        assert not differ, (scope, differ[0])


@in_house
async def test_and_takes_the_same_time(door: Door):
    """Interleaved, so that a busy machine is as slow for both."""
    ann, ben = await door.sign_up("timed-ann"), await door.sign_up("timed-ben")
    _, shot = await ann.make_shot()
    took: dict[str, list[float]] = {shot: [], "y" * len(shot): []}
    for _ in range(60):
        for owner, times in took.items():
            began = time.perf_counter()
            await ben.operate(("shot", owner, TRAVEL), "prompt", "mine now")
            times.append(time.perf_counter() - began)
    foreign, missing = (statistics.median(times) for times in took.values())
    assert 0.4 < foreign / missing < 2.5
