"""Operations of an app's own kinds: applied once, in order, with the app's own rows."""

from __future__ import annotations

import asyncio

import pydantic
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from persistence import (
    Engine,
    InvalidValue,
    Operation,
    Outcome,
    PermissionDenied,
    Submitted,
    Target,
    applier,
)
from persistence.http import submit_durably
from persistence.testing import FailingStore
from tests.scenarios.messages import Away, Conversations, NewMessage, drawn, said
from tests.scenarios.tools import SHOT, Start, operation, stored


@pytest.fixture
def store(persistence_memory: FailingStore) -> FailingStore:
    return persistence_memory  # where settings are kept is no matter here


@pytest.fixture
def app() -> Conversations:
    return Conversations()


async def send(engine: Engine, *operations: Operation, actor: str = "ada") -> list[str]:
    """What POST /persistence/operations answers."""
    return [each.status for each in await submit_durably(engine, [*operations], actor)]


async def test_j3_sending_again_after_a_timeout_gives_one_message_in_its_place(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        one, two = said(1, "one"), said(2, "two", base=1)
        app.slow = 15.0
        assert await send(engine, one, two) == ["pending", "pending"]
        app.slow = 0.0
        assert await send(engine, one, two) == ["confirmed", "confirmed"]
        assert await send(engine, one, two) == ["confirmed", "confirmed"]
        assert app.texts() == ["one", "two"]


async def test_j4_what_was_queued_offline_goes_out_in_order_once_over_restarts(
    start: Start, app: Conversations
) -> None:
    queue = [said(n, f"m{n}", base=n - 1 if n > 1 else 0) for n in range(1, 6)]
    async with app.register(start()) as engine:
        assert await send(engine, *queue[:3]) == ["confirmed"] * 3  # and nobody hears of it
    async with app.register(start()) as engine:
        assert await send(engine, *queue) == ["confirmed"] * 5
        assert app.texts() == ["m1", "m2", "m3", "m4", "m5"]
        assert app.runs == 8  # the ledger, not this process, knew three of them


async def test_without_the_ledger_a_message_is_there_twice(
    start: Start, app: Conversations
) -> None:
    app.is_once = False
    for _ in range(2):
        async with app.register(start()) as engine:
            assert await send(engine, said(1, "one")) == ["confirmed"]
    assert app.texts() == ["one", "one"]


async def test_a_message_that_overtakes_another_waits_for_it(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        one, two = said(1, "one"), said(2, "two", base=1)
        (early,) = await submit_durably(engine, [two], "ada")
        assert (early.status, app.texts()) == ("pending", [])
        assert "earlier" in early.problem
        assert await send(engine, one, two) == ["confirmed", "confirmed"]
        assert app.texts() == ["one", "two"]


async def test_a_refused_message_holds_up_none_that_follow_it(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        some = said(1, "one"), said(2, "x" * 51, base=1), said(3, "three", base=2)
        assert await send(engine, *some) == ["confirmed", "refused", "confirmed"]
        assert app.texts() == ["one", "three"]
    async with app.register(start()) as engine:  # which has heard of no refusal
        assert await send(engine, said(4, "four", base=0)) == ["confirmed"]


async def test_messages_of_one_client_in_two_conversations_dont_wait_for_each_other(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        some = said(1, "a", to="c1"), said(2, "b", to="c2")
        app.slow = 9.0
        began = asyncio.get_running_loop().time()
        assert await send(engine, *some) == ["confirmed", "confirmed"]
        assert asyncio.get_running_loop().time() - began < 10.0


async def test_a_slow_kind_holds_up_no_edit_of_a_setting(
    start: Start, store: FailingStore, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        app.slow = 25.0
        edit = operation("op", "frames", 41)
        began = asyncio.get_running_loop().time()
        assert await send(engine, said(1, "one"), edit) == ["pending", "confirmed"]
        assert asyncio.get_running_loop().time() - began < 1.5
        assert await stored(store) == {"frames": 41}


async def test_a_kind_whose_functions_all_hang_holds_up_no_other_kind(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        app.slow = 25.0
        for n in range(40):
            await engine.submit(said(1, "x", client=f"tab{n}"), actor="ada")
        assert await send(engine, drawn(1, "at once")) == ["confirmed"]


async def test_one_that_takes_too_long_is_pending_and_the_next_has_its_turn(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        app.slow = 100.0
        stuck = asyncio.create_task(engine.submit(said(1, "one"), actor="ada", wait=True))
        await asyncio.sleep(1)
        behind = asyncio.create_task(engine.submit(said(2, "two"), actor="ada", wait=True))
        await asyncio.sleep(30)
        assert (await stuck).status == "pending"
        app.slow = 0.0
        assert (await behind).status == "pending"  # it had begun while all was slow
        assert await send(engine, said(1, "one"), said(2, "two")) == ["confirmed"] * 2
        assert app.texts() == ["one", "two"]


@pytest.mark.parametrize(
    "failure",
    [
        Away(),
        OperationalError("INSERT", {}, Exception("locked")),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=["declared", "locked", "reset", "timeout"],
)
async def test_what_fails_in_passing_is_pending_and_done_when_it_comes_again(
    start: Start, app: Conversations, failure: Exception
) -> None:
    async with app.register(start()) as engine:
        app.fails = [failure]
        assert await send(engine, said(1, "one")) == ["pending"]
        assert await send(engine, said(1, "one")) == ["confirmed"]
        assert app.texts() == ["one"]


async def test_a_function_that_is_cancelled_from_within_is_pending_and_the_next_has_its_turn(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        app.fails = [asyncio.CancelledError()]  # of a task of the app's own that it waited for
        assert await send(engine, said(1, "one"), said(2, "two")) == ["pending", "confirmed"]
        assert await send(engine, said(1, "one")) == ["confirmed"]
    assert app.texts() == ["two", "one"]


async def test_what_is_refused_at_once_is_tried_once_in_a_request(
    start: Start, app: Conversations
) -> None:
    tried: list[str] = []

    @applier(NewMessage)
    async def refuse(submitted: Submitted[NewMessage]) -> None:
        tried.append(submitted.payload.text)
        raise InvalidValue("message.keep", "isn't wanted")

    async with app.register(start()) as engine:
        engine.appliers.register("message.keep", refuse)
        some = [said(n, str(n), kind="message.keep", base=n - 1) for n in range(1, 4)]
        assert await send(engine, *some) == ["refused"] * 3
        assert tried == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("failure", "said_of_it"),
    [
        (PermissionDenied("text", "there is no such conversation"), "no such conversation"),
        (IntegrityError("INSERT", {"text": "one"}, Exception("UNIQUE")), "can't store"),
        (KeyError("one"), "in its log"),
    ],
    ids=["said", "database", "bug"],
)
async def test_what_can_never_work_is_refused_with_the_reason(
    start: Start, app: Conversations, failure: Exception, said_of_it: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    async with app.register(start()) as engine:
        app.fails = [failure]
        (outcome,) = await submit_durably(engine, [said(1, "secret words")], "ada")
        assert outcome.status == "refused"
        assert said_of_it in outcome.problem
        assert "secret words" not in caplog.text


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({}, "text"),
        ({"text": ""}, "at least 1"),
        ({"text": 5}, "must be a text"),
        ({"text": "a", "extra": 1}, "no field 'extra'"),
        ("a", "object"),
        (None, "object"),
        ({"text": "a", "image": "x" * 2000}, "too large"),
    ],
    ids=["missing", "empty", "number", "undeclared", "text", "null", "large"],
)
async def test_a_payload_that_doesnt_fit_is_refused_before_the_app_sees_it(
    start: Start, app: Conversations, value: object, problem: str
) -> None:
    async with app.register(start(value_limit=1000)) as engine:
        (outcome,) = await submit_durably(engine, [said(1, "", value=value)], "ada")
        assert (outcome.status, app.runs) == ("refused", 0)
        assert problem in outcome.problem


async def test_a_payload_on_which_the_apps_own_check_fails_is_refused_and_holds_up_no_other(
    start: Start, app: Conversations, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(pydantic.BaseModel):
        text: str

        @pydantic.field_validator("text")
        @classmethod
        def look_up(cls, value: str) -> str:
            return dict[str, str]()[value]

    @applier(Odd)
    async def never(submitted: Submitted[Odd]) -> None:
        raise AssertionError

    async with app.register(start()) as engine:
        engine.appliers.register("message.odd", never)
        some = said(1, "private words", kind="message.odd"), said(2, "two", base=1)
        assert await send(engine, *some) == ["refused", "confirmed"]
        assert "private words" not in caplog.text


async def test_a_kind_that_nobody_registered_is_refused_clearly(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        (outcome,) = await submit_durably(engine, [said(1, "a", kind="message.sing")], "ada")
        assert outcome.status == "refused"
        assert "doesn't know" in outcome.problem


async def test_of_what_replaces_itself_an_older_one_that_comes_late_is_passed_over(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        assert await send(engine, drawn(2, "new")) == ["confirmed"]
    async with app.register(start()) as engine:  # the mark is in the database
        assert await send(engine, drawn(1, "old"), drawn(1, "old")) == ["confirmed"] * 2
        assert app.scene() == "new"
        assert await send(engine, drawn(1, "other tab", client="two")) == ["confirmed"]
        assert app.scene() == "other tab"
    assert ("tab.00000001", "overtaken") in app.applied()


async def test_who_may_not_write_there_is_refused_and_an_app_that_cant_tell_is_asked_again(
    start: Start, app: Conversations
) -> None:
    broken = False

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if broken:
            raise RuntimeError("the directory is away")
        assert (action, scope) == ("write", "conversation")
        return (actor, owner) == ("ada", "c1")

    async with app.register(start(authorise=authorise)) as engine:
        assert await send(engine, said(1, "a"), actor="ada") == ["confirmed"]
        assert await send(engine, said(1, "b"), actor="bob") == ["refused"]
        broken = True
        assert await send(engine, said(2, "c"), actor="ada") == ["pending"]
        broken = False
        assert await send(engine, said(2, "c"), actor="ada") == ["confirmed"]
    assert app.texts() == ["a", "c"]


async def test_an_app_that_never_says_who_may_write_there_holds_up_what_follows_for_a_while_only(
    start: Start, app: Conversations
) -> None:
    asked: list[str] = []

    async def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        asked.append(owner)
        if len(asked) == 1:
            await asyncio.Event().wait()
        return True

    async with app.register(start(authorise=authorise)) as engine:
        stuck = asyncio.create_task(engine.submit(said(1, "one"), actor="ada", wait=True))
        await asyncio.sleep(31)
        assert stuck.done()
        assert (await stuck).status == "pending"
        assert await send(engine, said(1, "one"), said(2, "two")) == ["confirmed"] * 2


async def test_nobody_can_use_up_anothers_operation(start: Start, app: Conversations) -> None:
    async with app.register(start()) as engine:
        assert await send(engine, said(1, "first"), actor="mallory") == ["confirmed"]
        assert await send(engine, said(1, "mine"), actor="ada") == ["confirmed"]
        assert app.texts() == ["first", "mine"]


async def test_listeners_hear_what_became_of_it_and_followers_that_something_was_done(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        heard: list[Outcome] = []
        told: list[tuple[Target, str, str]] = []
        engine.operations.listeners.append(heard.append)
        engine.subscribe(lambda n: told.append((n.target, n.kind, n.actor)))
        app.fails = [Away()]
        await send(engine, said(1, "a"))
        assert (heard, told) == ([], [])  # pending is no answer
        await send(engine, said(1, "a"))
        assert [each.status for each in heard] == ["confirmed"]
        assert told == [(Target("conversation", "c1", ""), "applied", "ada")]


async def test_a_listener_that_fails_stops_nothing(start: Start, app: Conversations) -> None:
    def fail(outcome: Outcome) -> None:
        raise KeyError(outcome.id)

    async with app.register(start()) as engine:
        engine.operations.listeners.append(fail)
        some = said(1, "one"), said(2, "two"), operation("op", "frames", 41)
        assert await send(engine, *some) == ["confirmed"] * 3


async def test_stopping_waits_for_what_is_being_applied(start: Start, app: Conversations) -> None:
    app.slow = 2.0
    async with app.register(start()) as engine:
        await engine.submit(said(1, "one"), actor="ada")
    assert app.texts() == ["one"]


async def test_a_flood_of_one_client_is_taken_in_up_to_a_bound(
    start: Start, app: Conversations
) -> None:
    async with app.register(start()) as engine:
        app.slow = 1.0
        answers = [
            await engine.submit(said(n, "x"), actor="ada", wait=False) for n in range(1, 700)
        ]
        assert {each.status for each in answers} == {"pending"}
        assert sum("others before" in each.problem for each in answers) > 100
        app.slow = 0.0
        engine.appliers.close()


async def test_a_kind_is_registered_once_under_a_name_of_two_words(
    start: Start, app: Conversations
) -> None:
    engine = app.register(start())
    assert engine.appliers.kinds == ("canvas.put", "message.add")
    with pytest.raises(ValueError, match="already"):
        engine.appliers.register("message.add", app.add)
    for bad in ("set", "Message.add", "message.", ".add", "a b.c", "x" * 70 + ".y"):
        with pytest.raises(ValueError, match="small letters"):
            engine.appliers.register(bad, app.add)
    with pytest.raises(TypeError, match="@applier"):
        engine.appliers.register("a.b", app.register)  # type: ignore[arg-type]


async def test_settings_kinds_still_need_a_field_and_a_tool(start: Start) -> None:
    async with start() as engine:
        for bad in (
            Operation("a", "tab", 1, SHOT, "", "set", 1),
            Operation("a", "tab", 1, Target("shot", "s1", ""), "frames", "set", 1),
        ):
            assert (await engine.submit(bad, actor="ada")).status == "refused"
