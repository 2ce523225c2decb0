"""H3: nobody is asked about a conflict with himself, whichever tab, server or device it was."""

from __future__ import annotations

from persistence.testing import FailingStore
from tests.scenarios.tools import SHOT, Start, journal, operation, stored


async def test_two_tabs_of_one_person_on_one_base_dont_conflict_the_later_one_stands(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        one = operation("a", "frames", 41, client="one")
        two = operation("b", "frames", 42, client="two")
        assert (await engine.submit(one, actor="ada", wait=True)).status == "confirmed"
        assert (await engine.submit(two, actor="ada", wait=True)).status == "confirmed"
        assert await stored(store) == {"frames": 42}
        assert await journal(engine) == [("frames", 41), ("frames", 42)]


async def test_what_a_killed_browser_held_is_no_conflict_with_what_its_owner_did_meanwhile(
    start: Start, store: FailingStore
) -> None:
    held = operation("a", "frames", 41, client="killed")
    async with start() as engine:
        newer = operation("b", "frames", 42, client="phone")
        assert (await engine.submit(newer, actor="ada", wait=True)).status == "confirmed"
    async with start() as engine:  # nobody remembers who sent what
        assert (await engine.submit(held, actor="ada", wait=True)).status == "confirmed"
        assert await stored(store) == {"frames": 41}
        assert [c.author for c in await engine.store.history([SHOT])] == ["ada", "ada"]


async def test_somebody_elses_edit_on_that_base_is_still_asked_about(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        one = operation("a", "frames", 41, client="one")
        other = operation("b", "frames", 42, client="two")
        assert (await engine.submit(one, actor="ada", wait=True)).status == "confirmed"
        assert (await engine.submit(other, actor="bob", wait=True)).status == "conflict"
        assert await stored(store) == {"frames": 41}
