"""Edits as data: patches of merging dicts, what counts as the same value, and three-way merges."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistence.changes import Override, Patch, difference, same, three_way
from persistence.specs import UNSET

keys = st.sampled_from("abcd")
values = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.lists(st.integers(0, 1)))
dicts = st.dictionaries(keys, values)


@st.composite
def patches(draw: st.DrawFn) -> Patch:
    put = draw(dicts)
    return Patch(put, draw(st.frozensets(keys)) - put.keys())


@given(dicts, dicts)
def test_the_difference_makes_the_one_dict_of_the_other(before: Any, after: Any) -> None:
    made = difference(before, after).apply(before)
    assert same(made, after)


@given(dicts)
def test_the_difference_of_a_dict_to_itself_is_empty(value: Any) -> None:
    assert not difference(value, value)


@given(dicts, patches(), patches())
def test_two_patches_as_one_do_what_both_did_in_turn(
    value: Any, first: Patch, second: Patch
) -> None:
    assert same(first.then(second).apply(value), second.apply(first.apply(value)))


@given(dicts, patches())
def test_applying_a_patch_changes_no_argument(value: Any, patch: Patch) -> None:
    before = dict(value)
    patch.apply(value)["new"] = 1
    assert value == before
    assert "new" not in patch.set


def test_a_patch_removes_a_key_without_touching_the_others() -> None:
    locks = {"gens": True, "shots": False, "tasks": True}
    assert Patch({"shots": True}, frozenset({"gens"})).apply(locks) == {
        "shots": True,
        "tasks": True,
    }


def test_a_key_set_to_none_is_not_a_removed_key() -> None:
    assert Patch({"a": None}).apply({"a": 1}) == {"a": None}
    assert difference({"a": 1}, {"a": None}) == Patch({"a": None})


@pytest.mark.parametrize(
    ("one", "other"),
    [(True, 1), (0, False), (0, ""), (None, 0), ([], ()), ([1], [True]), ({"a": 0}, {"a": False}),
     ({}, []), ("", None), (1, 1.0)],
)  # fmt: skip
def test_values_of_different_kinds_are_never_the_same(one: Any, other: Any) -> None:
    assert not same(one, other)
    assert same(one, one)
    assert same(other, other)


@given(values, values)
def test_same_is_stricter_than_equal(one: Any, other: Any) -> None:
    assert same(one, other) == same(other, one)
    if same(one, other):
        assert one == other


def test_three_way_keeps_the_side_that_changed() -> None:
    assert three_way("a", "b", "a") == "b"
    assert three_way("a", "a", "c") == "c"
    assert three_way("a", "b", "b") == "b"


def test_three_way_asks_when_both_sides_changed_to_different_values() -> None:
    assert three_way("a", "b", "c") is UNSET
    assert three_way(1, True, 2) is UNSET


@pytest.mark.parametrize(
    ("kind", "holds"),
    [("set", True), ("pin", True), ("policy", True), ("block", False), ("reset", False)],
)
def test_a_block_and_a_tombstone_hold_no_value(kind: Any, holds: bool) -> None:
    assert Override(kind, None).holds is holds
