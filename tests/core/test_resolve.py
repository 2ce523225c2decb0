"""Resolve: the effective value is the fold of the layers, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistence.changes import Override, Patch
from persistence.resolve import DEFAULT, resolve
from persistence.settings import make_setting
from persistence.specs import Declaration, SettingSpec

FRAMES = make_setting("tests.Travel", "frames", int, Declaration(61))
PROMPT = make_setting("tests.Travel", "prompt", str, Declaration("", inherit=False))
LOCKS = make_setting("tests.Ui", "locks", dict[str, bool], Declaration({"gens": True}, merge=True))
ANY = make_setting("tests.Travel", "value", Any, Declaration("default"))

USER, PROJECT, SHOT = 0, 1, 2


def put(value: Any) -> Override:
    return Override("set", value)


def policy(value: Any) -> Override:
    return Override("policy", value)


BLOCK = Override("block", None)
TOMBSTONE = Override("reset", None)


def effective(spec: SettingSpec, *held: Override | None) -> tuple[Any, int]:
    resolved = resolve(spec, held)
    return resolved.value, resolved.winner


def test_the_strongest_override_wins_and_without_one_the_default_answers() -> None:
    assert effective(FRAMES, put(1), put(2), put(3)) == (3, SHOT)
    assert effective(FRAMES, put(1), put(2), None) == (2, PROJECT)
    assert effective(FRAMES, put(1), None, None) == (1, USER)
    assert effective(FRAMES, None, None, None) == (61, DEFAULT)
    assert effective(FRAMES) == (61, DEFAULT)


def test_a_tombstone_resolves_as_if_never_written() -> None:
    assert effective(FRAMES, put(1), TOMBSTONE, TOMBSTONE) == (1, USER)


@pytest.mark.parametrize("value", [None, [], {}, False, 0, ""])
def test_a_layer_that_holds_an_empty_value_is_an_override(value: Any) -> None:
    assert effective(ANY, put("inherited"), None, put(value)) == (value, SHOT)


def test_a_block_hides_all_that_is_weaker_and_gives_the_default() -> None:
    assert effective(FRAMES, put(1), BLOCK, None) == (61, PROJECT)
    assert effective(FRAMES, put(1), BLOCK, put(3)) == (3, SHOT)


def test_a_pin_counts_as_an_override() -> None:
    assert effective(FRAMES, put(1), None, Override("pin", 1)) == (1, SHOT)


def test_a_setting_that_does_not_inherit_knows_the_strongest_layer_only() -> None:
    assert effective(PROMPT, put("a"), put("b"), None) == ("", DEFAULT)
    assert effective(PROMPT, put("a"), put("b"), put("c")) == ("c", SHOT)
    assert effective(PROMPT, policy("a"), None, put("c")) == ("c", SHOT)


def test_a_policy_in_a_weaker_layer_beats_every_stronger_one() -> None:
    resolved = resolve(FRAMES, [policy(24), put(2), put(3)])
    assert (resolved.value, resolved.winner, resolved.is_policy) == (24, USER, True)


def test_of_two_policies_the_weaker_layers_holds() -> None:
    assert effective(FRAMES, policy(24), policy(48), put(3)) == (24, USER)


def test_a_policy_does_not_bind_what_is_weaker_than_itself() -> None:
    assert effective(FRAMES, put(1), put(2), policy(3)) == (3, SHOT)


def test_without_a_policy_nothing_says_so() -> None:
    assert not resolve(FRAMES, [put(1), None, None]).is_policy


def test_a_merging_dict_folds_key_by_key() -> None:
    value, winner = effective(
        LOCKS,
        put(Patch({"shots": True, "tasks": True})),
        None,
        put(Patch({"shots": False}, frozenset({"tasks"}))),
    )
    assert value == {"gens": True, "shots": False}
    assert winner == SHOT


def test_a_stronger_layer_can_remove_a_key_that_the_default_has() -> None:
    assert effective(LOCKS, None, None, put(Patch({}, frozenset({"gens"})))) == ({}, SHOT)


def test_a_block_under_a_merging_dict_starts_over_from_the_default() -> None:
    locks = effective(LOCKS, put(Patch({"gens": False})), BLOCK, put(Patch({"shots": True})))
    assert locks == ({"gens": True, "shots": True}, SHOT)


def test_a_policy_on_a_merging_dict_cuts_off_stronger_keys() -> None:
    resolved = resolve(LOCKS, [policy(Patch({"gens": False})), None, put(Patch({"gens": True}))])
    assert resolved.value == {"gens": False}
    assert resolved.is_policy


overrides = st.one_of(
    st.none(),
    st.just(TOMBSTONE),
    st.just(BLOCK),
    st.builds(put, st.integers(1, 9)),
    st.builds(lambda value: Override("pin", value), st.integers(1, 9)),
    st.builds(policy, st.integers(1, 9)),
)


@given(st.lists(overrides, max_size=6))
def test_any_stack_resolves_as_a_reader_of_the_rules_would_by_hand(
    held: list[Override | None],
) -> None:
    expected, winner = 61, DEFAULT
    for index, override in enumerate(held):  # from weak to strong, each may replace what is there
        if override is None or override.kind == "reset":
            continue
        expected, winner = (61 if override.kind == "block" else override.value), index
        if override.kind == "policy":
            break
    assert effective(FRAMES, *held) == (expected, winner)


@given(st.lists(overrides, min_size=1, max_size=5))
def test_resolving_the_default_never_hands_out_one_and_the_same_object(held: Any) -> None:
    spec = make_setting("tests.Sample", "steps", list[int], Declaration([1]))
    resolve(spec, [None] * len(held)).value.append(2)
    assert resolve(spec, [None] * len(held)).value == [1]
