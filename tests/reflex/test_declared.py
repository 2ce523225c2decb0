"""What a page may send: events of public handlers, with the arguments that they declare."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import pytest
import reflex as rx

from persistence.reflex import _private as rx_
from persistence.reflex import declared
from persistence.reflex.declared import Undeclared, check_event


@pytest.fixture(autouse=True)
def state() -> Any:
    before = rx_.set_context()

    class Sent(rx.State):
        name: str = ""

        @rx.event
        def take(
            self, text: str, number: int = 0, share: float = 0.0, on: bool = False, odd: Any = None
        ): ...

        @rx.event
        def listed(self, rows: list[dict[str, Any]], by: Literal[-1, 1] = 1): ...

        @rx.event
        def formed(self, form: dict[str, str], at: date | None = None): ...

        @rx.event
        def set_name(self, value: str): ...

    yield Sent
    rx_.RegistrationContext.set(before)


def sent(state: Any, handler: str, /, **payload: Any) -> dict[str, Any]:
    return {"name": f"{state.get_full_name()}.{handler}", "payload": payload}


@pytest.mark.parametrize(
    ("handler", "payload"),
    [
        ("take", {"text": "x"}),
        ("take", {"text": "\ud800", "number": 3, "share": 3, "on": True, "odd": [{}]}),
        ("take", {"text": "", "number": "-3", "share": "3.5", "odd": None}),
        ("listed", {"rows": []}),
        ("listed", {"rows": [{"a": 1}], "by": -1}),
        ("formed", {"form": {"name": "x"}, "at": "2026-01-31"}),
        ("formed", {"form": {"__reflex_form_data__": [["name", "x"], ["name", "y"]]}}),
        ("setvar", {"var_name": "name", "value": "x"}),
    ],
)
def test_what_a_page_of_the_app_sends_passes(state: Any, handler: str, payload: Any):
    event = sent(state, handler, **payload)
    assert check_event(event)["payload"] == payload


@pytest.mark.parametrize(
    ("handler", "payload", "problem"),
    [
        ("take", {}, "needs the argument 'text'"),
        ("take", {"text": "x", "more": 1}, "takes no argument 'more'"),
        ("take", {"text": 1}, "'text' isn't str"),
        ("take", {"text": None}, "'text' isn't str"),
        ("take", {"text": ["x"]}, "'text' isn't str"),
        ("take", {"text": "x", "number": True}, "'number' isn't int"),
        ("take", {"text": "x", "number": 1.5}, "'number' isn't int"),
        ("take", {"text": "x", "number": "1e5"}, "'number' isn't int"),
        ("take", {"text": "x", "number": "9" * 5000}, "'number' isn't int"),
        ("take", {"text": "x", "share": float("nan")}, "isn't finite"),
        ("take", {"text": "x", "share": "inf"}, "'share' isn't float"),
        ("take", {"text": "x", "on": 1}, "'on' isn't bool"),
        ("take", {"text": "x", "odd": [[float("inf")]]}, "isn't finite"),
        ("listed", {"rows": [1]}, "'rows' isn't list"),
        ("listed", {"rows": {}}, "'rows' isn't list"),
        ("listed", {"rows": [], "by": 2}, "'by' isn't"),
        ("formed", {"form": {"name": 1}}, "'form' isn't dict"),
        ("formed", {"form": {"__reflex_form_data__": [1]}}, "a form that is none"),
        ("formed", {"form": {}, "at": "yesterday"}, "'at' isn't"),
        ("setvar", {"var_name": "is_hydrated_", "value": 1}, "no such setter"),
        ("setvar", {"var_name": "name", "value": 1}, "'value' isn't str"),
        ("_take", {}, "no such handler"),
        ("__init__", {}, "no such handler"),
        ("get_state", {}, "no such handler"),
    ],
)
def test_anything_else_is_dropped_with_its_reason(
    state: Any, handler: str, payload: Any, problem: str
):
    with pytest.raises(Undeclared) as undeclared:
        check_event(sent(state, handler, **payload))
    assert problem in str(undeclared.value)


@pytest.mark.parametrize(
    "router",
    [
        [],
        {"pathname": 1},
        {"pathname": "x" * 10_000},
        {"asPath": "/\ud800"},
        {"query": []},
        {"query": {"a": 1}},
        {"query": {"a": ["x", {}]}},
        {"query": {str(number): "" for number in range(300)}},
    ],
)
def test_where_the_page_is_must_be_an_address(state: Any, router: Any):
    with pytest.raises(Undeclared, match="router_data"):
        check_event({**sent(state, "take", text="x"), "router_data": router})


def test_what_is_the_servers_to_know_is_not_taken_from_the_page(state: Any):
    router = {"pathname": "/a", "headers": {"cookie": "x"}, "token": "y", "ip": "z", "sid": "1"}
    event = check_event({**sent(state, "take", text="x"), "router_data": router, "more": 1})
    assert event["router_data"] == {"pathname": "/a"}
    assert set(event) == {"name", "payload", "router_data"}


@pytest.mark.parametrize("event", [None, [], "x", 1, {}, {"name": 1}, {"name": "x" * 10_000}])
def test_what_is_no_event_is_dropped(event: Any):
    with pytest.raises(Undeclared):
        check_event(event)


def test_a_nested_payload_is_looked_at_without_recursion(state: Any):
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Undeclared, match=f"deeper than {declared.DEEPEST}"):
        check_event(sent(state, "take", text="x", odd=deep))


def test_no_reason_holds_what_was_sent(state: Any):
    for payload in ({"text": ["hunter2"]}, {"text": "x", "number": "hunter2"}):
        with pytest.raises(Undeclared) as undeclared:
            check_event(sent(state, "take", **payload))
        assert "hunter2" not in str(undeclared.value)
