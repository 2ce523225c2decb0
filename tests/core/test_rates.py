"""Rates: what is within them is never delayed, what isn't waits exactly as long as it must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistence.rates import REMEMBERED, Rate, Rates

A_MINUTE = Rate(60)


def test_as_many_as_the_amount_may_come_at_once_and_then_one_by_one():
    rates = Rates(A_MINUTE)
    assert [rates.take("ana", 0.0) for _ in range(60)] == [0.0] * 60
    assert rates.take("ana", 0.0) == pytest.approx(1.0)
    assert rates.take("ana", 1.0) == 0.0
    assert rates.take("ana", 1.0) == pytest.approx(1.0)


def test_one_who_asks_in_vain_is_not_made_to_wait_longer():
    rates = Rates(Rate(60, burst=1))
    rates.take("ana", 0.0)
    assert all(rates.take("ana", 0.5) == pytest.approx(0.5) for _ in range(100))
    assert rates.take("ana", 1.0) == 0.0


def test_those_who_wait_are_let_in_one_after_the_other():
    rates = Rates(Rate(60, burst=2))
    assert [rates.wait("ana", 0.0) for _ in range(5)] == pytest.approx([0, 0, 1, 2, 3])


def test_keys_do_not_share_and_after_a_pause_all_is_there_again():
    rates = Rates(Rate(60, burst=3))
    for _ in range(3):
        assert rates.take("ana", 0.0) == 0.0
    assert rates.take("ana", 0.0) > 0
    assert rates.take("ben", 0.0) == 0.0
    assert [rates.take("ana", 1000.0) for _ in range(3)] == [0.0] * 3


def test_a_cost_beyond_the_whole_allowance_counts_as_the_whole():
    rates = Rates(Rate(60, burst=10))
    assert rates.take("ana", 0.0, 1_000_000) == 0.0
    assert rates.take("ana", 0.0) == pytest.approx(1.0)


def test_what_is_whole_again_is_forgotten():
    rates = Rates(Rate(1, seconds=1.0))
    for number in range(3 * REMEMBERED):
        rates.take(f"visitor {number}", float(number))
    assert len(rates) <= REMEMBERED + 1


def test_a_flood_of_names_at_one_moment_is_not_walked_through_for_each_of_them():
    rates = Rates(Rate(1))
    for number in range(4 * REMEMBERED):
        rates.take(f"visitor {number}", 0.0)
    assert len(rates) == 4 * REMEMBERED  # all of them used something, none may be forgotten


@pytest.mark.parametrize("given", [(0,), (60, 0), (60, 60, -1), (float("nan"),)])
def test_a_rate_is_a_positive_amount_in_a_positive_time(given: tuple[float, ...]):
    with pytest.raises(ValueError, match="positive"):
        Rate(*given)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 4)), max_size=80))
def test_in_no_time_more_is_allowed_than_the_burst_and_what_grew_meanwhile(
    asked: list[tuple[float, float]],
):
    rates, now = Rates(Rate(2, seconds=1.0, burst=5)), 0.0
    allowed: list[tuple[float, float]] = []
    for pause, cost in asked:
        now += pause
        if rates.take("ana", now, cost) == 0.0:
            allowed.append((now, cost))
    for number, (start, _) in enumerate(allowed):
        total = 0.0
        for at, cost in allowed[number:]:
            total += cost
            assert total <= 5 + 2 * (at - start) + 1e-6
