"""Operations that reach one of two processes after the other has moved on."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest

from persistence import Engine, Operation, Settings, Target, setting
from persistence.operations import OVERTAKEN, Outcome, operation_id
from persistence.testing import FailingStore
from tests.scenarios.tools import Start

SHOT = Target("shot", "s1", "two-processes")


class Shared(Settings, tool="two-processes", edit="shot"):
    frames: int = setting(61, ge=1, le=241)
    locks: dict[str, bool] = setting({"a": True}, merge=True)
    note: str | None = setting("")


def made(
    client: str,
    seq: int,
    kind: Literal["set", "keys", "reset", "block", "pin"],
    value: Any = None,
    *,
    base: int = 0,
    field: str = "frames",
) -> Operation:
    return Operation(operation_id(client, seq), client, seq, SHOT, field, kind, value, base)


async def send(engine: Engine, operation: Operation, actor: str = "ann") -> str:
    return (await engine.submit(operation, actor=actor, wait=True)).status


async def held(store: FailingStore, field: str = "frames") -> tuple[str, str | None]:
    row = (await store.load([SHOT]))[SHOT][field]
    return row.kind, row.text


async def revision(store: FailingStore, field: str = "frames") -> int:
    return (await store.load([SHOT]))[SHOT][field].revision


async def test_setting_back_what_this_process_still_shows_is_an_edit(
    start: Start, store: FailingStore
) -> None:
    """The page saw the other process's value: what is in memory here is too old to compare with."""
    async with start() as here, start() as there:
        assert await send(here, made("a", 1, "set", 41)) == "confirmed"
        assert await send(there, made("b", 1, "set", 50, base=1), "bo") == "confirmed"
        seen = await revision(store)
        assert await send(here, made("a", 2, "set", 41, base=seen)) == "confirmed"
        assert await held(store) == ("set", "41")


async def test_an_edit_and_its_reverse_are_a_choice_where_the_page_saw_that_the_field_had_moved(
    start: Start, store: FailingStore
) -> None:
    """What waits stands on a value that is out of date; only the store tells what is back."""
    async with start() as here, start() as there:
        await send(here, made("a", 1, "set", 41))
        await send(there, made("b", 1, "block", base=await revision(store)))
        seen = await revision(store)
        waits = await here.submit(made("a", 2, "set", 50, base=1), actor="ann", wait=False)
        assert waits.status == "pending"
        assert await send(here, made("c", 1, "set", 41, base=seen)) == "confirmed"
        assert await held(store) == ("set", "41")


async def test_a_block_or_a_reset_of_somebody_else_is_not_taken_for_nothing(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        await send(here, made("a", 1, "set", 41))
        await send(here, made("a", 2, "reset", base=1))
        base = await revision(store)
        await there.load([SHOT])
        assert await send(here, made("a", 3, "block", base=base)) == "confirmed"
        assert await send(there, made("b", 1, "set", 50, base=base), "bo") == "conflict"
        assert await held(store) == ("block", None)


async def test_who_resets_what_somebody_else_has_reset_is_not_asked(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        await send(here, made("a", 1, "set", 41))
        base = await revision(store)
        await there.load([SHOT])
        await send(here, made("a", 2, "reset", base=base))
        for process in (there, here):
            assert await send(process, made("b", 1, "reset", base=base), "bo") == "confirmed"
        assert await held(store) == ("reset", None)


async def test_who_resets_or_blocks_what_somebody_else_made_null_is_asked(
    start: Start, store: FailingStore
) -> None:
    async with start() as here:
        await send(here, made("a", 1, "set", "gulls", field="note"))
        base = await revision(store, "note")
        await send(here, made("b", 1, "set", None, base=base, field="note"), "bo")
        for seq, kind in ((2, "reset"), (3, "block")):
            edit = made("a", seq, kind, base=base, field="note")
            assert await send(here, edit) == "conflict"
        assert await held(store, "note") == ("set", "null")


async def test_who_makes_the_same_of_a_merging_dict_is_not_asked(
    start: Start, store: FailingStore
) -> None:
    whole = {"a": True, "b": True}
    async with start() as here:
        await send(here, made("b", 1, "set", whole, field="locks"), "bo")
        assert await send(here, made("a", 1, "set", whole, field="locks")) == "confirmed"
        edit = made("a", 2, "set", {"a": False}, field="locks")
        assert await send(here, edit) == "conflict"


async def test_what_another_process_did_is_known_here_too(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        await send(there, made("b", 1, "set", 41), "bo")
        await send(here, made("b", 2, "set", 50, base=1), "bo")
        await send(here, made("a", 1, "set", 70, base=await revision(store)))
        again = await there.submit(made("b", 2, "set", 50, base=1), actor="bo", wait=True)
        assert (again.status, again.problem) == ("confirmed", "")
        late = await there.submit(made("b", 1, "set", 41), actor="bo", wait=True)
        assert (late.status, late.problem) == ("confirmed", "")
        assert await held(store) == ("set", "70")


async def test_an_edit_that_another_process_has_overtaken_changes_nothing(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        await send(here, made("b", 1, "set", 41), "bo")
        await send(there, made("b", 3, "set", 50, base=1), "bo")
        late = await here.submit(made("b", 2, "set", 45, base=1), actor="bo", wait=True)
        assert (late.status, late.problem) == ("confirmed", OVERTAKEN)
        assert await held(store) == ("set", "50")


async def test_a_reset_that_is_folded_with_a_key_is_not_forgotten(
    start: Start, store: FailingStore
) -> None:
    """Both go out as one write; where somebody else wrote the field, both are asked about."""
    keys = {"set": {"a": False}, "remove": []}
    async with start() as here, start() as there:
        await send(here, made("a", 1, "keys", {"set": {"b": True}, "remove": []}, field="locks"))
        base = await revision(store, "locks")
        await there.load([SHOT])
        other = {"set": {"c": True}, "remove": []}
        await send(here, made("a", 2, "keys", other, field="locks", base=base))
        answers = await asyncio.gather(
            send(there, made("b", 1, "reset", field="locks", base=base), "bo"),
            send(there, made("b", 2, "keys", keys, field="locks", base=base), "bo"),
        )
        assert "conflict" in answers
        assert await held(store, "locks") == ("set", '{"remove":[],"set":{"b":true,"c":true}}')


async def test_who_waited_for_somebody_elses_edit_is_asked_though_another_came_meanwhile(
    start: Start, store: FailingStore
) -> None:
    async with start() as here:
        await send(here, made("b", 1, "set", 70), "bo")
        base = await revision(store)
        waits = await here.submit(made("a", 1, "set", 41, base=base), actor="ann", wait=False)
        assert waits.status == "pending"
        theirs = asyncio.create_task(send(here, made("b", 2, "reset", base=base), "bo"))

        def go_on(outcome: Outcome) -> None:  # before who waits for it goes on
            if outcome.id == operation_id("a", 1):
                later.append(asyncio.ensure_future(send(here, made("c", 1, "set", 50, base=base))))

        later: list[asyncio.Future[str]] = []
        here.operations.listeners.append(go_on)
        assert await theirs == "conflict"
        assert await later[0] == "confirmed"
        assert await held(store) == ("set", "50")


@pytest.mark.parametrize("value", [3, 50])
async def test_nobody_is_asked_about_what_one_saw_though_an_older_edit_waits_in_the_same_process(
    start: Start, store: FailingStore, value: int
) -> None:
    async with start() as here, start() as there:
        await send(here, made("b", 1, "set", 1), "bo")
        base = await revision(store)
        await send(there, made("b", 2, "set", 61, base=base), "bo")
        seen = await revision(store)
        await here.submit(made("a", 1, "set", 50, base=base), actor="ann", wait=False)
        assert await send(here, made("c", 1, "set", value, base=seen)) == "confirmed"
        assert await held(store) == ("set", str(value))


async def test_keys_that_say_what_waits_already_are_kept_on_what_another_process_wrote(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        gone = {"set": {}, "remove": ["b"]}
        await send(here, made("a", 1, "keys", gone, field="locks"))
        await send(there, made("b", 1, "reset", base=1, field="locks"), "bo")
        added = {"set": {"c": True}, "remove": []}
        await here.submit(
            made("a", 2, "keys", added, base=1, field="locks"), actor="ann", wait=False
        )
        assert await send(here, made("a", 3, "keys", gone, base=1, field="locks")) == "confirmed"
        assert await held(store, "locks") == ("set", '{"remove":["b"],"set":{"c":true}}')
