"""The hooks `describe` and `members`: names and choices, never a right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from persistence.reflex.directory import LONGEST_NAME, Directory

OWNERS = {"user": "ann", "project": "film"}


def describe(scope: str, ids: list[str]) -> dict[str, str]:
    return {each: f"{scope} {each.upper()}" for each in ids}


async def describe_later(scope: str, ids: list[str]) -> dict[str, str]:
    return describe(scope, ids)


def members(actor: str, scope: str, owners: Mapping[str, str]) -> list[str]:
    return [f"{owners['project']}-{scope}-{number}" for number in range(3)] if actor else []


async def members_later(actor: str, scope: str, owners: Mapping[str, str]) -> list[str]:
    return members(actor, scope, owners)


def fails(*_: Any) -> Any:
    raise RuntimeError("the app's database is away")


@pytest.mark.parametrize("hook", [describe, describe_later])
async def test_the_app_names_owners_sync_or_async(hook: Any) -> None:
    directory = Directory(hook)
    assert await directory.names("shot", ["a", "b"]) == {"a": "shot A", "b": "shot B"}
    assert await directory.name("user", "ann") == "user ANN"


@pytest.mark.parametrize("hook", [members, members_later])
async def test_the_app_says_which_entities_belong_to_what_is_shown(hook: Any) -> None:
    directory = Directory(members=hook)
    assert await directory.belonging("ann", "shot", OWNERS) == [
        "film-shot-0",
        "film-shot-1",
        "film-shot-2",
    ]


async def test_without_hooks_ids_are_names_and_nobody_belongs() -> None:
    assert await Directory().names("shot", ["a", ""]) == {"a": "a"}
    assert await Directory().belonging("ann", "shot", OWNERS) == []


async def test_a_hook_that_fails_costs_names_and_choices_only() -> None:
    directory = Directory(fails, fails)
    assert await directory.names("shot", ["a"]) == {"a": "a"}
    assert await directory.belonging("ann", "shot", OWNERS) == []


@pytest.mark.parametrize("answer", [None, "abc", 7, ["a"], {"a": 3, "other": "x"}, {"a": "  "}])
async def test_nonsense_for_names_leaves_the_ids(answer: Any) -> None:
    assert await Directory(lambda _, __: answer).names("shot", ["a"]) == {"a": "a"}


async def test_a_name_is_cut_to_what_can_be_shown() -> None:
    said = {"a": " x" * LONGEST_NAME}
    names = await Directory(lambda _, __: said).names("shot", ["a"])
    assert len(names["a"]) == LONGEST_NAME


@pytest.mark.parametrize("answer", [None, "abc", 7, {"a": 1}])
async def test_nonsense_for_members_is_nobody(answer: Any) -> None:
    assert await Directory(members=lambda *_: answer).belonging("ann", "shot", OWNERS) == []


async def test_members_are_ids_each_once_in_the_apps_order() -> None:
    directory = Directory(members=lambda *_: ["b", "a", "b", 3, ""])  # type: ignore[list-item]
    assert await directory.belonging("ann", "shot", OWNERS) == ["b", "a"]


async def test_the_plugin_takes_the_hooks_also_by_name(serve: Any) -> None:
    async with serve(describe="tests.reflex.test_directory:describe", members=members) as site:
        assert await site.tabs.directory.name("shot", "a") == "shot A"
        assert len(await site.tabs.directory.belonging("ann", "shot", OWNERS)) == 3
