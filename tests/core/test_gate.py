"""The loading gate: one test per line of its contract."""

from __future__ import annotations

import pytest

from persistence.gate import Gate


def test_it_starts_closed_and_beginning_a_load_does_not_open_it() -> None:
    gate = Gate()
    assert not gate.is_open
    gate.begin()
    assert gate.state == "loading"
    assert not gate.is_open


def test_only_a_finished_load_opens_it() -> None:
    gate = Gate()
    assert gate.finish(gate.begin())
    assert gate.is_open


def test_an_answer_of_a_load_that_is_not_the_newest_is_ignored() -> None:
    gate = Gate()
    late, newest = gate.begin(), gate.begin()
    assert not gate.finish(late)
    assert not gate.fail(late, "away")
    assert gate.state == "loading"
    assert gate.finish(newest)
    assert gate.is_open


@pytest.mark.parametrize("succeeds", [True, False])
def test_the_answer_of_a_load_begun_before_the_owner_was_gone_is_ignored(succeeds: bool) -> None:
    gate = Gate()
    epoch = gate.begin()
    gate.retire("deleted")
    assert not (gate.finish(epoch) if succeeds else gate.fail(epoch, "away"))
    assert gate.state == "gone"


def test_a_failed_load_leaves_it_closed_with_the_reason_until_a_later_one_succeeds() -> None:
    gate = Gate()
    assert gate.fail(gate.begin(), "the database is away")
    assert (gate.state, gate.problem, gate.is_open) == ("failed", "the database is away", False)
    epoch = gate.begin()
    assert (gate.state, gate.problem) == ("loading", "")
    gate.finish(epoch)
    assert (gate.state, gate.problem) == ("open", "")


def test_a_failed_refresh_of_what_is_loaded_leaves_it_open_and_says_why() -> None:
    gate = Gate()
    gate.finish(gate.begin())
    gate.fail(gate.begin(), "away")
    assert gate.is_open
    assert gate.problem == "away"
