"""What was read a moment ago counts for a moment, and not once it is known to have changed."""

from __future__ import annotations

import asyncio

import pytest

from workbench.accounts.lately import FRESH, Lately
from workbench.database import Unavailable


class Table:
    """A place to read from; counts how often, and can be away."""

    def __init__(self) -> None:
        self.value, self.reads, self.is_away = "old", 0, False

    async def read(self) -> str:
        self.reads += 1
        if self.is_away:
            raise Unavailable("away")
        return self.value


async def test_an_answer_counts_for_a_moment():
    table, lately = Table(), Lately[str]()
    assert await lately.get("a", table.read, now=100.0) == "old"
    table.value = "new"
    assert await lately.get("a", table.read, now=100.0 + FRESH - 1) == "old"
    assert await lately.get("a", table.read, now=100.0 + FRESH) == "new"
    assert table.reads == 2


async def test_what_is_dropped_is_read_again_at_once():
    table, lately = Table(), Lately[str]()
    await lately.get("a", table.read, now=100.0)
    table.value = "new"
    lately.drop("a")
    assert await lately.get("a", table.read, now=100.0) == "new"


async def test_a_read_that_began_before_a_change_is_not_remembered():
    table, lately, reading, go_on = Table(), Lately[str](), asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        value = await table.read()
        reading.set()
        await go_on.wait()
        return value

    waiting = asyncio.create_task(lately.get("a", slow, now=100.0))
    await reading.wait()
    table.value = "new"
    lately.drop("a")
    go_on.set()
    assert await waiting == "old"
    assert await lately.get("a", table.read, now=100.0) == "new"


async def test_while_the_database_is_away_the_last_answer_counts():
    table, lately = Table(), Lately[str]()
    await lately.get("a", table.read, now=100.0)
    table.is_away = True
    assert await lately.get("a", table.read, now=100.0 + 10 * FRESH) == "old"
    with pytest.raises(Unavailable):
        await lately.get("b", table.read, now=100.0)
