"""The route of operations: idempotent, checked, and of one's own."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import reflex as rx
from starlette.applications import Starlette

from persistence.reflex import SettingsState, setting
from persistence.reflex.guests import GUEST_ROUTES, identify_guest

PATH = "/persistence/operations"


def declare() -> Any:
    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        frames: rx.Field[int] = setting(61, ge=1, le=241)

    return Travel


def client(site: Any, user: str = "ann", **headers: str) -> httpx.AsyncClient:
    mounted = site.app.api_transformer[0]
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=mounted),
        base_url="http://here",
        headers={"cookie": f"user={user}", **headers},
    )


def operation(**more: Any) -> dict[str, Any]:
    return {
        "id": "op-1", "client": "c1", "seq": 1, "target": ["shot", "ann-A", "travel-ui-state"],
        "field": "frames", "kind": "set", "value": 41, "base": 0, **more,
    }  # fmt: skip


async def post(http: httpx.AsyncClient, *operations: Any) -> Any:
    answer = await http.post(PATH, json={"operations": list(operations)})
    assert answer.status_code == 200, answer.text
    return answer.json()["operations"]


async def test_an_operation_is_durable_when_it_is_confirmed_and_done_once(serve, until):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        async with client(site) as http:
            assert (await post(http, operation()))[0]["status"] == "confirmed"
            assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "41"}
            await until(lambda: tab.shows(travel, "frames") == 41)
            await post(http, operation(id="op-2", seq=2, value=50))
            again = await post(http, operation())
            assert again[0]["status"] == "confirmed"
            assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "50"}


async def test_each_operation_gets_its_own_answer(serve):
    declare()
    async with serve() as site:
        async with client(site) as http:
            answers = await post(
                http,
                operation(),
                operation(id="op-2", seq=2, value=1000),
                operation(id="op-3", seq=3, field="nothing"),
                operation(id="op-4", seq=4, field="__class__"),
                operation(id="op-5", seq=5, target=["planet", "x", "travel-ui-state"]),
            )
        assert [each["status"] for each in answers] == [
            "confirmed", "refused", "refused", "refused", "refused",
        ]  # fmt: skip
        assert "241" in answers[1]["problem"]


async def test_foreign_and_missing_owners_answer_alike(serve):
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return owner.startswith(actor)

    declare()
    async with serve(authorise=authorise) as site:
        async with client(site, user="eve") as http:
            foreign, missing = await post(
                http,
                operation(),
                operation(id="op-2", seq=2, target=["shot", "nobody", "travel-ui-state"]),
            )
            assert foreign["status"] == missing["status"] == "refused"
            assert foreign["problem"] == missing["problem"]
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"{}", b"[" * 100_000, b"\xff\xfe",
        b'{"operations": {}}', b'{"operations": [], "x": 1}', b'{"operations": [1]}',
        b'{"operations": [{}]}', b'{"operations": [{"id": "a"}]}',
        b'{"operations": [' + b",".join([b"{}"] * 101) + b"]}",
        *(b'{"operations": [{"client": "c", "field": "f", ' + each + b"}]}" for each in (
            b'"id": 1, "target": ["a", "b", "c"]',
            b'"id": "a", "target": []',
            b'"id": "a", "target": ["a", "b"]',
            b'"id": "a", "target": ["a", "b", "c"], "seq": true',
            b'"id": "a", "target": ["a", "b", "c"], "value": NaN',
            b'"id": "a", "target": ["a", "b", "c"], "owner_id": 1',
            rb'"id": "\ud800", "target": ["a", "b", "c"]',
            rb'"id": "a", "target": ["a", "\udfff", "c"]',
            rb'"id": "a", "target": ["a", "b", "c"], "actor": "\ud800"',
        )),
    ],
)  # fmt: skip
async def test_a_malformed_body_is_a_problem_that_says_what_is_wrong(serve, body):
    declare()
    async with serve() as site, client(site) as http:
        answer = await http.post(PATH, content=body)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


async def test_what_a_client_sent_is_answered_whatever_letters_it_has(serve):
    declare()
    half = "\ud800"  # no letter, and yet JSON can carry it
    sent = [
        operation(),
        operation(id="op-2", seq=2, field="mode", value=half),
        operation(id="op-3", seq=3, field="mode", value={half: half}),
    ]
    async with serve() as site, client(site) as http:
        body = json.dumps({"operations": sent}).encode()
        answer = await http.post(PATH, content=body)
        told = [each["status"] for each in answer.json()["operations"]]
        assert told == ["confirmed", "refused", "refused"]


async def test_a_body_without_end_is_refused(serve):
    declare()
    async with serve() as site, client(site) as http:
        answer = await http.post(PATH, content=b'{"operations": [' + b" " * 4_100_000)
        assert answer.status_code == 422
        assert "4,000,000" in answer.json()["detail"]


async def test_a_value_over_the_limit_is_refused_with_the_limit(serve):
    class Text(SettingsState, tool="text", edit="shot"):
        text: rx.Field[str] = setting("")

    async with serve() as site, client(site) as http:
        target = ["shot", "ann-A", "text"]
        sent = operation(target=target, field="text", value="x" * 1_000_001)
        (answer,) = await post(http, sent)
        assert answer["status"] == "refused"
        assert "1,000,000" in answer["problem"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://here"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 200),
    ],
)
async def test_another_origins_page_is_refused(serve, headers, status):
    declare()
    async with serve() as site, client(site, **headers) as http:
        answer = await http.post(PATH, json={"operations": [operation()]})
        assert answer.status_code == status


async def test_nobody_is_told_so(serve):
    declare()
    async with serve() as site, client(site, user="") as http:
        answer = await http.post(PATH, json={"operations": [operation()]})
        assert answer.status_code == 401


async def test_a_guest_is_known_by_a_cookie_that_is_given_once():
    transport = httpx.ASGITransport(app=Starlette(routes=list(GUEST_ROUTES)))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        first = await http.post("/persistence/guest")
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        guest = identify_guest({"cookie": cookie.partition(";")[0]})
        assert guest.startswith("guest-")
        assert http.cookies["persistence_guest"] not in guest
        again = await http.post("/persistence/guest")
        assert "set-cookie" not in again.headers
    assert identify_guest({"cookie": "persistence_guest=short"}) == ""
    assert identify_guest({}) == ""


async def test_a_refusal_brings_its_words_and_an_app_that_fails_costs_only_those(serve):
    declare()
    allows = True

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if action == "read" and not allows:
            raise OSError("the app's own database is away")
        return True

    async with serve(authorise=authorise) as site, client(site) as http:
        [told] = await post(http, operation(value=1000))
        assert (told["status"], told["about"]["title"]) == ("refused", "Frames")
        assert told["about"]["where"] == ["Shot"]
        allows = False
        [told] = await post(http, operation(id="op-2", seq=2, value=1000))
        assert (told["status"], told["about"]["where"]) == ("refused", [])
        [told] = await post(http, operation(id="op-3", seq=3))
        assert "about" not in told
