"""Scopes and targets: order, identity, and what can't name a scope."""

from __future__ import annotations

from typing import assert_type

import pytest

from persistence.errors import DeclarationError
from persistence.scopes import ScopeChain, Stack, Target

CHAIN = ScopeChain(("user", "project", "shot"))


def test_order_is_strength_weakest_first() -> None:
    assert list(CHAIN) == ["user", "project", "shot"]
    assert [CHAIN.strength(name) for name in CHAIN] == [0, 1, 2]


def test_a_stack_holds_a_target_for_each_scope_that_has_an_owner_weakest_first() -> None:
    stack = CHAIN.stack("travel", {"shot": "s1", "user": "u1"})
    assert_type(stack, Stack)
    assert stack == (Target("user", "u1", "travel"), Target("shot", "s1", "travel"))


def test_a_scope_whose_owner_is_empty_has_no_target() -> None:
    assert CHAIN.stack("travel", {"user": "u1", "shot": ""}) == (Target("user", "u1", "travel"),)
    assert CHAIN.stack("travel", {}) == ()


def test_an_owner_for_a_scope_that_is_not_in_the_chain_is_an_error() -> None:
    with pytest.raises(ValueError, match="team"):
        CHAIN.stack("travel", {"team": "t1"})


def test_a_scope_outside_the_chain_has_no_strength() -> None:
    assert "team" not in CHAIN
    with pytest.raises(ValueError):
        CHAIN.strength("team")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ((), "no scope"),
        (("user", "user"), "stands twice"),
        (("user", "default"), "'default'"),
        (("user", ""), "''"),
        (("user", "my shot"), "'my shot'"),
        (("user", "a:b"), "'a:b'"),
        (("u" * 41,), "can't name"),
    ],
)
def test_a_wrong_chain_fails_when_it_is_made(names: tuple[str, ...], problem: str) -> None:
    with pytest.raises(DeclarationError, match=problem) as caught:
        ScopeChain(names)
    assert caught.value.hint


@pytest.mark.parametrize("names", [("site",), tuple(f"level_{n}" for n in range(40))])
def test_any_number_of_scopes_will_do(names: tuple[str, ...]) -> None:
    chain = ScopeChain(names)
    assert len(chain.stack("tool", dict.fromkeys(names, "one"))) == len(names)


def test_the_same_owner_id_under_two_scopes_or_two_tools_is_another_target() -> None:
    targets = {
        Target("project", "7", "travel"),
        Target("shot", "7", "travel"),
        Target("shot", "7", "images"),
    }
    assert len(targets) == 3


def test_a_target_reads_as_a_sentence() -> None:
    assert str(Target("shot", "s1", "travel")) == "shot s1 of travel"
