"""Two processes on one database, with the feed between them: what one commits the other shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest

from persistence import Binding, EditError, Engine, PermissionDenied, StoreUnavailable
from persistence.feed import Polling
from persistence.testing import FailingStore, run_virtual
from tests.scenarios.tools import MINE, SHOT, Images, Start, Travel, Ui, stored

SOON = 0.3
"""Seconds: a look, and what is in flight."""

Both = tuple[Binding[Travel], Binding[Travel]]


@pytest.fixture
def both(start: Start) -> Any:
    """One shot, looked at by ada here and by bo there."""

    @asynccontextmanager
    async def open_both(**options: Any) -> AsyncGenerator[Both]:
        known: dict[str, Any] = {"pokes": Polling(), **options}
        async with start(**known) as here, start(**known) as there:
            yield (
                await here.open(Travel, MINE, actor="ada"),
                await there.open(Travel, {**MINE, "user": "bo"}, actor="bo"),
            )

    return open_both


async def test_h1_what_another_process_saved_shows_without_asking(both: Any) -> None:
    async with both() as (mine, theirs):
        heard: list[tuple[dict[str, Any], str]] = []
        mine.on_change(lambda changed, source: heard.append((dict(changed), source)))
        theirs.update(frames=50, mode="advanced")
        await theirs.flush()
        assert mine.values.frames == 61
        await asyncio.sleep(SOON)
        assert (mine.values.frames, mine.values.mode) == (50, "advanced")
        assert (mine.origin("frames"), mine.is_dirty) == ("shot", False)
        assert heard == [({"frames": 50, "mode": "advanced"}, "remote")]
        theirs.reset("frames")
        await theirs.flush()
        await asyncio.sleep(SOON)
        assert (mine.values.frames, mine.origin("frames")) == (61, "default")


async def test_h1_two_engines_on_one_file_need_no_more_than_its_url(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    async with Engine(url, scopes=tuple(MINE)) as here, Engine(url, scopes=tuple(MINE)) as there:
        mine = await here.open(Travel, MINE, actor="ada")
        theirs = await there.open(Travel, MINE, actor="bo")
        for frames in (50, 51):
            theirs.update(frames=frames)
            await theirs.flush()
            await asyncio.sleep(SOON)
            assert mine.values.frames == frames
        assert there.feed.refreshes == 0


async def test_without_the_feed_the_other_process_stays_as_it_was(both: Any) -> None:
    """The control of the test above: nothing else brings the news."""
    async with both(pokes=None) as (mine, theirs):
        theirs.update(frames=50)
        await theirs.flush()
        await asyncio.sleep(3_600)
        assert mine.values.frames == 61


async def test_h4_the_same_result_with_clocks_five_minutes_apart(
    start: Start, store: FailingStore
) -> None:
    slow, fast = (lambda: 1_000.0), (lambda: 1_300.0)
    async with (
        start(pokes=Polling(), wall=fast) as here,
        start(pokes=Polling(), wall=slow) as there,
    ):
        mine = await here.open(Travel, MINE, actor="ada")
        theirs = await there.open(Travel, MINE, actor="bo")
        for number in range(41, 47):
            writer, reader = (mine, theirs) if number % 2 else (theirs, mine)
            writer.update(frames=number)
            await writer.flush()
            await asyncio.sleep(SOON)
            assert reader.values.frames == number
            assert (reader.conflicts, writer.conflicts) == ((), ())
        assert await stored(store) == {"frames": 46}


async def test_a_weaker_layer_that_changed_elsewhere_shows_in_every_shot_that_inherits_it(
    start: Start,
) -> None:
    async with start(pokes=Polling()) as here, start(pokes=Polling()) as there:
        one = await here.open(Travel, MINE, actor="ada")
        other = await here.open(Travel, {**MINE, "shot": "s2"}, actor="ada")
        other.update(frames=7)
        await other.flush()
        project = await there.open(Travel, {"user": "bo", "project": "film"}, edit="project")
        project.update(frames=50)
        await project.flush()
        await asyncio.sleep(SOON)
        assert (one.values.frames, other.values.frames) == (50, 7)


async def test_c10_what_this_process_saved_is_no_news(both: Any, store: FailingStore) -> None:
    async with both() as (mine, theirs):
        before = len(store.loads.log)
        engine: Engine = mine.engine
        for number in range(10):
            mine.update(frames=number + 1)
            await asyncio.sleep(1.0)
        assert engine.feed.refreshes == 0
        assert engine.feed.looks > 40
        there: Engine = theirs.engine
        assert len(store.loads.log) - before == there.feed.refreshes == 10
        assert theirs.values.frames == 10


async def test_what_is_being_edited_stays_and_is_rebased_or_asked_about(
    both: Any, store: FailingStore
) -> None:
    async with both(debounce=5.0, max_wait=5.0) as (mine, theirs):
        mine.update(frames=41)  # still being typed when bo's edits come
        theirs.update(frames=50, mode="advanced")
        await theirs.flush()
        await asyncio.sleep(SOON)
        assert (mine.values.frames, mine.values.mode) == (41, "advanced")
        with pytest.raises(EditError, match="bo"):
            await mine.flush()
        [conflict] = mine.conflicts
        assert (conflict.mine, conflict.theirs.value) == (41, 50)
        assert await stored(store) == {"frames": 50, "mode": "advanced"}


async def test_the_base_of_a_conflict_is_what_the_edit_was_made_on(both: Any) -> None:
    async with both(debounce=5.0, max_wait=5.0) as (mine, theirs):
        mine.update(frames=20)
        await mine.flush()
        await asyncio.sleep(SOON)
        mine.update(frames=41)
        theirs.update(frames=50)
        await theirs.flush()
        await asyncio.sleep(SOON)
        with pytest.raises(EditError, match="bo"):
            await mine.flush()
        assert (mine.conflicts[0].base, mine.conflicts[0].theirs.value) == (20, 50)
        theirs.update(frames=51)
        await theirs.flush()
        await asyncio.sleep(SOON)
        assert mine.conflicts[0].theirs.value == 51, "what is asked about is out of date"


async def test_keys_of_a_merging_dict_that_two_processes_set_are_both_there(start: Start) -> None:
    async with (
        start(pokes=Polling(), debounce=5.0, max_wait=5.0) as here,
        start(pokes=Polling()) as there,
    ):
        mine = await here.open(Ui, MINE, actor="ada")
        theirs = await there.open(Ui, MINE, actor="ada")
        mine.set_key("locks", "mine", True)
        theirs.set_key("locks", "theirs", True)
        await theirs.flush()
        await asyncio.sleep(SOON)
        await mine.flush()
        await asyncio.sleep(SOON)
        expected = {"gens": False, "mine": True, "theirs": True}
        assert mine.values.locks == theirs.values.locks == expected


async def test_an_edit_that_is_taken_back_shows_what_came_meanwhile(both: Any) -> None:
    async with both(debounce=5.0, max_wait=5.0) as (mine, theirs):
        mine.update(frames=41)
        theirs.update(frames=50)
        await theirs.flush()
        await asyncio.sleep(SOON)
        mine.revert("frames")
        await asyncio.sleep(SOON)
        assert (mine.values.frames, mine.is_dirty) == (50, False)


async def test_what_came_meanwhile_shows_also_where_the_database_was_away_just_then(
    both: Any, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both(debounce=5.0, max_wait=5.0) as (mine, theirs):
        mine.update(frames=41)
        theirs.update(frames=50)
        await theirs.flush()
        await asyncio.sleep(SOON)
        away = AsyncMock(side_effect=StoreUnavailable("away"))
        with monkeypatch.context() as patched:
            patched.setattr(mine.engine.store, "load", away)
            mine.revert("frames")
            await asyncio.sleep(SOON)
            assert away.await_count
            assert mine.values.frames == 61
        await asyncio.sleep(SOON)
        assert mine.values.frames == 50


async def test_an_edit_in_flight_keeps_its_place_and_its_answer(
    both: Any, store: FailingStore
) -> None:
    async with both() as (mine, theirs):
        store.commits.delay(2.0, where=lambda write: write.author == "ada")
        mine.update(frames=41)
        await asyncio.sleep(0.5)  # on its way
        theirs.update(mode="advanced")
        await theirs.flush()
        await asyncio.sleep(SOON)
        assert (mine.values.frames, mine.values.mode) == (41, "advanced")
        await mine.flush()
        assert (mine.status, mine.values.frames) == ("ready", 41)


async def test_a_poke_that_is_lost_costs_a_wait_and_nothing_else(both: Any) -> None:
    class Deaf(Polling):
        async def wait(self) -> None:
            await asyncio.Event().wait()

    async with both(pokes=Deaf()) as (mine, theirs):
        theirs.update(frames=50)
        await theirs.flush()
        await asyncio.sleep(SOON)
        assert mine.values.frames == 61
        await asyncio.sleep(5.0)
        assert mine.values.frames == 50


async def test_a_poke_is_told_after_each_commit_of_ones_own(both: Any) -> None:
    class Told(Polling):
        def __init__(self) -> None:
            super().__init__()
            self.told: list[int] = []

        def tell(self, revision: int) -> None:
            self.told.append(revision)

    pokes = Told()
    async with both(pokes=pokes) as (mine, _):
        mine.update(frames=50, mode="advanced")
        await mine.flush()
        mine.update(frames=51)
        await mine.flush()
        assert pokes.told == [2, 3]


async def test_a_database_that_was_away_is_caught_up_with(both: Any, store: FailingStore) -> None:
    async with both() as (mine, theirs):
        store.loads.fail(times=None)
        theirs.update(frames=50)
        await theirs.flush()
        await asyncio.sleep(SOON)
        assert (mine.values.frames, mine.ready) == (61, True)
        store.loads.mend()
        await asyncio.sleep(SOON)
        assert mine.values.frames == 50


async def test_d7_an_owner_that_another_process_forgot_is_gone_here_too(
    both: Any, store: FailingStore
) -> None:
    async with both(debounce=5.0, max_wait=5.0) as (mine, theirs):
        theirs.update(frames=50)
        await theirs.flush()
        await asyncio.sleep(SOON)
        mine.update(frames=51)
        await theirs.engine.forget("shot", MINE["shot"])
        await asyncio.sleep(SOON)
        assert mine.values.frames == 61
        [refused] = mine.refused
        assert (refused.value, "gone" in refused.problem) == (51, True)
        with pytest.raises(PermissionDenied):
            mine.update(frames=52)
        assert await stored(store) == {}


async def test_a_tombstone_that_another_process_pruned_goes_here_too(
    both: Any, store: FailingStore
) -> None:
    async with both() as (mine, theirs):
        theirs.update(frames=50)
        await theirs.flush()
        await asyncio.sleep(SOON)
        store.loads.fail(times=None)  # asleep, say
        theirs.reset("frames")
        await theirs.flush()
        for _ in range(2):
            await store.store.prune(older_than=4e9, keep_operations_after=0)
        assert await store.store.load([SHOT]) == {SHOT: {}}
        store.loads.mend()
        await asyncio.sleep(SOON)
        assert (mine.values.frames, mine.origin("frames")) == (61, "default")
        mine.update(frames=70)
        await mine.flush()
        assert await stored(store) == {"frames": 70}


async def test_a_revision_that_is_no_row_of_the_journal_is_looked_for_once(
    both: Any, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever loses a conflict has one, too."""
    asked: list[int] = []
    since = store.since

    async def count(revision: int, *, limit: int = 1_000) -> Any:
        asked.append(revision)
        return await since(revision, limit=limit)

    async with both() as (mine, _):
        monkeypatch.setattr(store, "since", count)
        monkeypatch.setattr(store, "last_revision", lambda: _answer(7))
        await asyncio.sleep(5.0)
        assert asked == [0, 0]  # each engine, once
        assert mine.values.frames == 61


async def test_another_file_in_the_databases_place_is_read_anew(
    both: Any, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both() as (mine, _):
        mine.update(frames=50, mode="advanced")
        await mine.flush()
        copied = await store.store.load([SHOT])
        monkeypatch.setattr(store, "last_revision", lambda: _answer(1))
        monkeypatch.setattr(
            store, "load", lambda _: _answer({SHOT: {"frames": copied[SHOT]["frames"]}})
        )
        await asyncio.sleep(SOON)
        assert (mine.values.frames, mine.values.mode) == (50, "basic")


async def test_a_load_that_a_look_supersedes_is_waited_for(
    start: Start, store: FailingStore
) -> None:
    """Else its waiter would take what isn't loaded for what was never written."""
    async with start(pokes=Polling()) as here, start() as there:
        theirs = await there.open(Travel, MINE, actor="bo")
        theirs.update(frames=50)
        store.loads.delay(1.0, times=2)
        mine = asyncio.create_task(here.open(Travel, MINE, actor="ada"))
        await asyncio.sleep(0.1)  # the load has begun
        await theirs.flush()
        binding = await mine
        assert (binding.ready, binding.values.frames) == (True, 50)


async def test_a_burst_of_another_process_is_read_once(start: Start, store: FailingStore) -> None:
    """Ten thousand rows of others: only what is in memory is read again, in one query."""
    async with start(pokes=Polling(1.0)) as here, start() as there:
        mine = await here.open(Travel, MINE, actor="ada")
        await here.open(Images, MINE, actor="ada")
        for number in range(700):
            owners = {**MINE, "shot": f"s{number}"}
            binding = await there.open(Travel, owners, actor="bo")
            binding.update(frames=50, mode="advanced", strength=0.75)
        await there.flush()
        before = len(store.loads.log)
        await asyncio.sleep(2.0)
        assert store.loads.log[before:] == [(SHOT,)]
        assert mine.values.frames == 50


@pytest.mark.parametrize("seed", range(12))
def test_in_whatever_order_both_agree_in_the_end(seed: int) -> None:
    """Two processes write the same few fields at random, in random schedules."""

    async def play() -> None:
        from random import Random

        from persistence.store import MemoryStore

        random, store = Random(seed), FailingStore(MemoryStore())
        options: dict[str, Any] = {"scopes": tuple(MINE), "pokes": Polling()}
        async with Engine(store, **options) as here, Engine(store, **options) as there:
            mine = await here.open(Travel, MINE, actor="ada")
            theirs = await there.open(Travel, MINE, actor="ada")
            store.commits.delay(0.4, times=10)
            for _ in range(30):
                binding = random.choice((mine, theirs))
                if random.random() < 0.2:
                    binding.reset("frames")
                else:
                    binding.update(frames=random.randrange(1, 9), prompt=str(random.random()))
                await asyncio.sleep(random.random())
            await mine.flush()
            await theirs.flush()
            await asyncio.sleep(1.0)
            await mine.flush()
            await theirs.flush()
            assert mine.values == theirs.values
            assert (mine.conflicts, theirs.conflicts) == ((), ())

    run_virtual(play(), seed=seed)


async def _answer(value: Any) -> Any:
    return value
