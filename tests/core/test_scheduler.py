"""The scheduler: one test per line of its contract, then any sequence against plain arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from persistence.scheduler import NEVER, TICK, Scheduler


@dataclass(eq=False)
class Item:
    touched: float = NEVER
    latest: float = NEVER
    slot: int | None = None
    holds: int = 0


def scheduler() -> Scheduler[Item]:
    return Scheduler(debounce=0.3, max_wait=1.0)


def test_nothing_is_due_before_the_debounce_has_passed() -> None:
    clock, item = scheduler(), Item()
    clock.touch(item, 10.0)
    assert clock.due(10.29) == []
    assert clock.due(10.3) == [item]
    assert clock.due(99.0) == []


def test_each_touch_puts_the_deadline_off() -> None:
    clock, item = scheduler(), Item()
    clock.touch(item, 10.0)
    clock.touch(item, 10.2)
    assert clock.due(10.3) == []
    assert clock.due(10.5) == [item]


def test_the_deadline_is_never_later_than_the_max_wait_after_the_first_touch() -> None:
    clock, item = scheduler(), Item()
    for step in range(10):
        clock.touch(item, 10.0 + step / 10)
        assert clock.due(10.0 + step / 10) == []
    assert clock.due(11.0) == [item]


def test_after_it_was_handed_out_the_next_touch_begins_anew() -> None:
    clock, item = scheduler(), Item()
    clock.touch(item, 10.0)
    clock.due(10.3)
    clock.touch(item, 10.9)
    assert clock.due(11.1) == []
    assert clock.due(11.2) == [item]


def test_an_expedited_item_is_due_at_the_given_time_whatever_was_said_before() -> None:
    clock, item = scheduler(), Item()
    clock.touch(item, 10.0)
    clock.expedite(item, 10.1)
    assert clock.due(10.1) == [item]
    clock.touch(item, 20.0)
    clock.expedite(item, 25.0)
    assert clock.due(24.9) == []
    assert clock.due(25.0) == [item]


def test_what_is_expedited_to_now_is_due_now_and_not_at_the_next_tick() -> None:
    clock, item = scheduler(), Item()
    now = 10.0 + TICK / 3
    clock.touch(item, 10.0)
    clock.expedite(item, now)
    upcoming = clock.next()
    assert upcoming is not None
    assert upcoming <= now
    assert clock.due(now) == [item]


def test_a_touch_neither_hastens_nor_delays_a_retry() -> None:
    clock, item = scheduler(), Item()
    clock.expedite(item, 15.0)
    clock.touch(item, 10.0)
    assert clock.due(14.9) == []
    clock.touch(item, 14.95)
    assert clock.due(15.0) == [item]


def test_a_cancelled_item_is_not_due() -> None:
    clock, item = scheduler(), Item()
    clock.touch(item, 10.0)
    clock.cancel(item)
    assert clock.due(99.0) == []
    clock.touch(item, 100.0)
    assert clock.due(100.3) == [item]


def test_a_held_item_is_not_due_until_it_is_released() -> None:
    clock, item = scheduler(), Item(holds=1)
    clock.touch(item, 10.0)
    assert clock.due(99.0) == []
    item.holds = 0
    clock.expedite(item, 99.0)
    assert clock.due(99.0) == [item]


def test_an_item_is_handed_out_once_however_often_it_was_put_into_a_slot() -> None:
    clock, item = scheduler(), Item()
    for _ in range(5):
        clock.touch(item, 10.0)
        clock.cancel(item)
    clock.touch(item, 10.0)
    clock.expedite(item, 10.3)
    assert clock.due(11.0) == [item]
    assert clock.due(99.0) == []


def test_100_000_pending_items_ask_for_one_time_only() -> None:
    clock = scheduler()
    items = [Item() for _ in range(100_000)]
    for item in items:
        clock.touch(item, 10.0)
    first = clock.next()
    assert first is not None
    assert abs(first - 10.3) <= TICK
    assert len(clock.due(10.3)) == len(items)
    assert clock.next() is None


def test_as_many_are_handed_out_as_are_asked_for_and_the_rest_is_still_due() -> None:
    clock, items = scheduler(), [Item() for _ in range(5)]
    for item in items:
        clock.touch(item, 10.0)
    assert clock.due(10.3, most=2) == items[:2]
    first = clock.next()
    assert first is not None
    assert first <= 10.3 + TICK
    assert clock.due(10.3, most=2) == items[2:4]
    assert clock.due(10.3, most=2) == items[4:]


def test_re_arming_adds_nothing_to_keep() -> None:
    clock, item = scheduler(), Item()
    for step in range(1000):
        clock.touch(item, 10.0 + step / 2000)
    assert sum(len(held) for held in clock._slots.values()) == 1


moves = st.lists(
    st.tuples(st.sampled_from(["touch", "now", "later", "cancel"]), st.integers(0, 2),
              st.sampled_from([0.0, 0.004, 0.1, 0.35, 1.2])),
    max_size=40,
)  # fmt: skip


@given(moves)
def test_whatever_is_asked_an_item_comes_in_time_and_at_most_a_tick_late(
    sequence: list[tuple[str, int, float]],
) -> None:
    clock, items = scheduler(), [Item() for _ in range(3)]
    due: dict[int, float] = {}
    latest: dict[int, float] = {}
    now = 10.0

    def pass_time(until: float) -> None:
        nonlocal now
        while (at := clock.next()) is not None and at <= until:
            now = max(now, at)
            for item in clock.due(now):
                number = items.index(item)
                assert due[number] - 1e-6 <= now <= due[number] + TICK + 1e-6
                del due[number], latest[number]
        now = until
        assert all(when > now - TICK - 1e-6 for when in due.values())

    for what, number, wait in sequence:
        if what == "touch":
            latest.setdefault(number, now + 1.0)
            due[number] = max(due.get(number, 0.0), min(now + 0.3, latest[number]))
            clock.touch(items[number], now)
        elif what in ("now", "later"):
            due[number] = latest[number] = now + (2.0 if what == "later" else 0.0)
            clock.expedite(items[number], due[number])
        else:
            due.pop(number, None)
            latest.pop(number, None)
            clock.cancel(items[number])
        pass_time(now + wait)
    pass_time(now + 10)
    assert not due
