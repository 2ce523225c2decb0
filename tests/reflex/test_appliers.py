"""An app's own kinds by both ways in: a page's socket, and the route."""

from __future__ import annotations

from typing import Any

import httpx

from persistence import Submitted, applier
from persistence.errors import InvalidValue
from persistence.reflex.channel import PersistenceState

said: list[tuple[str, str]] = []


@applier(str)
async def add_message(submitted: Submitted[str]) -> None:
    if submitted.payload == "rude":
        raise InvalidValue("text", "isn't kind")
    if submitted.id not in {name for name, _ in said}:
        said.append((submitted.id, f"{submitted.actor}: {submitted.payload}"))


def message(name: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name, "client": "c1", "seq": int(name[1:]), "target": ["conversation", "c1", ""],
        "field": "", "kind": "message.add", "value": text, "base": 0, **more,
    }  # fmt: skip


async def test_a_page_hears_what_became_of_its_messages(serve, until):
    said.clear()
    async with serve(appliers={"message.add": add_message}) as site:
        tab = await site.open("t1")
        some = [message("m1", "hello"), message("m2", "rude"), message("m3", "bye")]
        await tab.send(PersistenceState.receive, operations=some)
        await until(lambda: len(tab.shows(PersistenceState, "confirmed") or []) == 2)
        assert tab.shows(PersistenceState, "confirmed") == ["m1", "m3"]
        (refused,) = tab.shows(PersistenceState, "answers")
        assert (refused["id"], refused["status"]) == ("m2", "refused")
        assert refused["target"] == ["conversation", "c1", ""]
        assert said == [("m1", "ann: hello"), ("m3", "ann: bye")]


async def test_the_route_takes_them_and_the_same_ones_again(serve):
    said.clear()
    async with serve(appliers={"message.add": add_message}) as site:
        transport = httpx.ASGITransport(app=site.app.api_transformer[0])
        known = {"transport": transport, "base_url": "http://here"}
        async with httpx.AsyncClient(headers={"cookie": "user=ann"}, **known) as http:
            for _ in range(2):
                body = {"operations": [message("m1", "hello"), message("m2", "rude")]}
                answer = await http.post("/persistence/operations", json=body)
                assert [each["status"] for each in answer.json()["operations"]] == [
                    "confirmed",
                    "refused",
                ]
            assert said == [("m1", "ann: hello")]
            for bad in (
                {"kind": "message"}, {"kind": "A.b"}, {"kind": None}, {"kind": "x" * 70 + ".add"},
                {"target": ["a", "", ""]}, {"field": "x" * 101},
            ):  # fmt: skip
                answer = await http.post(
                    "/persistence/operations", json={"operations": [message("m3", "a", **bad)]}
                )
                assert answer.status_code == 422, bad


async def test_the_plugin_imports_them_by_name(serve):

    async with serve(appliers={"message.add": "tests.reflex.test_appliers:add_message"}) as site:
        assert site.engine.appliers.kinds == ("message.add",)
