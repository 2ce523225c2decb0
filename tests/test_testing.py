"""The contracts of `VirtualLoop` and `FailingStore`, a test per bullet."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Sequence
from typing import cast

import pytest

from persistence.errors import StoreRefused, StoreUnavailable
from persistence.scopes import Target
from persistence.store.base import Receipt, Store, Write
from persistence.testing import Deadlock, FailingStore, VirtualLoop, run_virtual

SHOT = Target("shot", "s1", "travel-ui-state")


async def test_an_unmarked_coroutine_test_runs_in_real_time() -> None:
    assert not isinstance(asyncio.get_running_loop(), VirtualLoop)


@pytest.mark.virtual
async def test_a_marked_one_runs_in_virtual_time() -> None:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    await asyncio.sleep(3_600)
    assert loop.time() == pytest.approx(3_600)
    assert time.perf_counter() - began < 5


@pytest.mark.virtual
async def test_time_stands_still_while_anything_is_ready() -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(0.001, lambda: None)
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert loop.time() == 0


@pytest.mark.virtual
async def test_timers_fire_in_the_order_of_their_times() -> None:
    fired: list[int] = []
    loop = asyncio.get_running_loop()
    for delay in (3, 1, 2):
        loop.call_later(delay, fired.append, delay)
    await asyncio.sleep(10)
    assert fired == [1, 2, 3]


@pytest.mark.virtual
async def test_timeouts_count_virtual_seconds() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.Event().wait()


def interleaving(seed: int | None) -> str:
    steps: list[str] = []

    async def walk(name: str) -> None:
        for _ in range(4):
            steps.append(name)
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(walk(name) for name in "abc"))

    run_virtual(main(), seed=seed)
    return "".join(steps)


def test_without_a_seed_tasks_take_turns() -> None:
    assert interleaving(None) == "abcabcabcabc"


def test_seeds_give_different_schedules_and_one_seed_always_the_same() -> None:
    schedules = [interleaving(seed) for seed in range(50)]
    assert len(set(schedules)) > 40
    assert schedules == [interleaving(seed) for seed in range(50)]


def test_plain_callbacks_keep_their_order_under_every_seed() -> None:
    async def main() -> list[int]:
        called: list[int] = []
        loop = asyncio.get_running_loop()
        for number in range(20):
            loop.call_soon(called.append, number)
        await asyncio.sleep(1)
        return called

    for seed in range(20):
        assert run_virtual(main(), seed=seed) == list(range(20))


def test_a_wait_for_nothing_raises_and_says_where() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"no timer is set.*forever:\d+"):
        run_virtual(forever())


def test_a_ticking_timer_hides_no_deadlock() -> None:
    async def main() -> None:
        async def tick() -> None:
            while True:
                await asyncio.sleep(1)

        async with asyncio.TaskGroup() as group:
            group.create_task(tick())
            await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="virtual seconds"):
        run_virtual(main(), limit=1_000)


@pytest.mark.virtual(seed=3)
async def test_to_thread_runs_in_the_loops_own_thread_even_when_its_waiter_has_gone() -> None:
    ran: list[int] = []

    def work() -> None:
        ran.append(threading.get_ident())

    waiter = asyncio.ensure_future(asyncio.to_thread(work))
    await asyncio.sleep(0.0001)
    waiter.cancel()
    await asyncio.sleep(1)
    assert ran == [threading.get_ident()]


@pytest.mark.virtual
async def test_what_a_thread_raises_reaches_its_waiter() -> None:
    def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await asyncio.to_thread(work)


@pytest.mark.virtual(limit=1e9)
async def test_timers_run_after_years_too() -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(6e8 + 0.1)
    await asyncio.to_thread(loop.time)
    await asyncio.sleep(0.001)
    assert loop.time() == pytest.approx(6e8 + 0.101)


@pytest.mark.virtual
async def test_an_answer_from_a_real_thread_is_no_deadlock() -> None:
    loop, answer = asyncio.get_running_loop(), asyncio.Event()
    thread = threading.Timer(0.05, lambda: loop.call_soon_threadsafe(answer.set))
    thread.start()
    await answer.wait()
    thread.join()


class Recorder:
    """A store that only remembers what reached it."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    async def load(self, targets: Collection[Target]) -> dict[Target, dict[str, object]]:
        self.reached.append("load")
        return {target: {} for target in targets}

    async def commit(self, writes: Sequence[Write]) -> Receipt:
        self.reached.append("commit")
        return Receipt([1] * len(writes))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def failing(recorder: Recorder) -> FailingStore:
    return FailingStore(cast("Store", recorder))


def write(field: str) -> Write:
    return Write(SHOT, field, "set", "1", 0, "ana", "user", 0.0)


@pytest.mark.virtual
async def test_a_failed_call_never_reaches_the_store_and_the_next_one_does(
    failing: FailingStore, recorder: Recorder
) -> None:
    failing.commits.fail(2)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await failing.commit([write("frames")])
    assert recorder.reached == []
    await failing.commit([write("frames")])
    assert recorder.reached == ["commit"]
    assert [w.field for w in failing.written] == ["frames"] * 3


@pytest.mark.virtual
async def test_a_lost_answer_reaches_the_store_wholly(
    failing: FailingStore, recorder: Recorder
) -> None:
    failing.commits.lose_answer()
    with pytest.raises(StoreUnavailable):
        await failing.commit([write("frames")])
    assert recorder.reached == ["commit"]


@pytest.mark.virtual
async def test_one_write_can_be_refused_for_good_and_others_pass(failing: FailingStore) -> None:
    failing.commits.refuse(lambda write: write.field == "prompt")
    for _ in range(3):
        with pytest.raises(StoreRefused):
            await failing.commit([write("frames"), write("prompt")])
    await failing.commit([write("frames")])


@pytest.mark.virtual
async def test_loads_wait_as_asked_and_mend_ends_it(failing: FailingStore) -> None:
    loop = asyncio.get_running_loop()
    failing.loads.delay(5, times=None)
    await failing.load([SHOT])
    assert loop.time() == pytest.approx(5)
    failing.loads.mend()
    await failing.load([SHOT])
    assert loop.time() == pytest.approx(5)
    assert failing.loads.log == [(SHOT,), (SHOT,)]
