"""The facts of a declaration: what `check` lets in, and what a tool as a whole does."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

import pydantic
import pytest
from annotated_types import Ge
from typing_extensions import TypedDict

from persistence.errors import DeclarationError, InvalidValue, UnknownField
from persistence.settings import (
    Settings,
    make_setting,
    setting,
    tool_of,
    validates,
)
from persistence.specs import UNSET, Declaration, SettingSpec, undeclared_tool


def spec_of(annotation: Any, default: Any, **keywords: Any) -> SettingSpec:
    return make_setting("tests.Sample", "field", annotation, Declaration(default, **keywords))


class Point(pydantic.BaseModel):
    x: float
    y: float


class Panes(TypedDict):
    gens: bool
    shots: bool


class Ranged(Settings, tool="t.ranged", edit="shot"):
    first: int = setting(1)
    last: int = setting(9)
    other: int = setting(0)

    @validates("first", "last")
    def in_order(values: Mapping[str, Any]) -> None:  # noqa: N805  # it becomes a static method
        if values["first"] > values["last"]:
            raise ValueError("first must not lie after last")


@pytest.mark.parametrize(
    ("annotation", "default", "good"),
    [
        (int, 0, [0, -5, 2**40]),
        (float, 0.0, [0.5, -0.0, 3]),
        (bool, False, [True, False]),
        (str, "", ["", "žluťoučký 🐎", "‮right to left"]),
        (str | None, None, [None, "x"]),
        (Literal["light", "dark"], "light", ["dark"]),
        (list[tuple[str, int]], [], [[("a", 1)], []]),
        (dict[str, bool], {}, [{"gens": True}]),
        (Panes, {"gens": True, "shots": False}, [{"gens": False, "shots": False}]),
    ],
)
def test_a_value_of_the_declared_type_passes_as_it_is(
    annotation: Any, default: Any, good: list[Any]
) -> None:
    spec = spec_of(annotation, default)
    assert [spec.check(value) for value in good] == good


@pytest.mark.parametrize(
    ("annotation", "default", "bad"),
    [
        (int, 0, [True, "3", 3.0, None, [], {}]),
        (float, 0.0, [math.nan, math.inf, -math.inf, 1e400, "1", True]),
        (bool, False, [0, 1, "true", None]),
        (str, "", [b"bytes", 3, None]),
        (Literal["light", "dark"], "light", ["Light", "", None]),
        (list[tuple[str, int]], [], [[("a", True)], [("a",)], "ab", {("a", 1)}]),
        (dict[str, bool], {}, [{"gens": 1}, {3: True}, [("gens", True)]]),
        (Panes, {"gens": True, "shots": False}, [{"gens": 1}, {"gens": True}]),
        (Point, Point(x=0, y=0), [{"x": "1", "y": 2}, {"x": 1.0}]),
    ],
)
def test_any_other_value_is_refused_with_the_fields_name_and_the_problem(
    annotation: Any, default: Any, bad: list[Any]
) -> None:
    spec = spec_of(annotation, default)
    for value in bad:
        with pytest.raises(InvalidValue) as caught:
            spec.check(value)
        assert caught.value.field == "field"
        assert caught.value.problem


@pytest.mark.parametrize(
    ("annotation", "default", "constraint", "bad", "limit"),
    [
        (int, 61, {"ge": 1}, 0, "1"),
        (int, 61, {"le": 241}, 242, "241"),
        (float, 0.5, {"gt": 0.25}, 0.25, "0.25"),
        (float, 0.5, {"lt": 1.5}, 1.5, "1.5"),
        (int, 8, {"multiple_of": 8}, 9, "8"),
        (str, "abc", {"min_length": 2}, "a", "2"),
        (str, "", {"max_length": 5}, "abcdef", "5"),
        (str, "ab", {"pattern": "^[a-z]+$"}, "A1", "[a-z]"),
        (list[int], [], {"max_length": 2}, [1, 2, 3], "2"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_the_limit(
    annotation: Any, default: Any, constraint: dict[str, Any], bad: Any, limit: str
) -> None:
    spec = make_setting(
        "tests.Sample",
        "field",
        annotation,
        Declaration(default, constraints=constraint),  # type: ignore[arg-type]
    )
    with pytest.raises(InvalidValue) as caught:
        spec.check(bad)
    assert limit in caught.value.problem


def test_a_cycle_or_a_bottomless_nesting_is_refused_not_followed() -> None:
    spec = spec_of(Any, None)
    tree: Any = spec_of(list[Any], [])
    cycle: list[Any] = []
    cycle.append(cycle)
    for checked in (spec, tree):
        with suppress(InvalidValue):  # Any lets it pass: the codec, next in line, refuses it
            checked.check(cycle)


def test_the_problem_names_the_path_inside_the_value() -> None:
    with pytest.raises(InvalidValue, match=r"0\.1"):
        spec_of(list[tuple[str, int]], []).check([("a", "three")])


def test_parse_reads_json_where_a_tuple_is_a_list() -> None:
    spec = spec_of(list[tuple[str, int]], [])
    assert spec.parse('[["a", 3]]') == [("a", 3)]
    with pytest.raises(InvalidValue):
        spec.parse('[["a", true]]')
    with pytest.raises(InvalidValue):
        spec.parse("not json")


def test_a_copy_can_be_changed_without_touching_the_original() -> None:
    held = {"a": [1]}
    spec_of(dict[str, list[int]], {}).copy(held)["a"].append(2)
    assert held == {"a": [1]}


@pytest.mark.parametrize(
    ("annotation", "default", "plain"),
    [
        (int, 0, True),
        (Literal["a"], "a", True),
        (str | None, None, True),
        (tuple[int, ...], (), True),
        (list[int], [], False),
        (dict[str, int], {}, False),
        (tuple[list[int], ...], (), False),
        (Any, None, False),
    ],
)
def test_only_a_type_that_cannot_be_changed_in_place_does_without_copies(
    annotation: Any, default: Any, plain: bool
) -> None:
    assert spec_of(annotation, default).is_plain is plain


def test_a_validator_across_fields_runs_only_when_one_of_them_changes() -> None:
    tool = Ranged.__tool__
    wrong = {"first": 5, "last": 2, "other": 0}
    tool.check_together(wrong, ["other"])
    with pytest.raises(InvalidValue, match="first must not lie after last") as caught:
        tool.check_together(wrong, ["last", "other"])
    assert caught.value.field == "last"


@pytest.mark.parametrize(
    "name", ["__class__", "_hidden", "router", "a.b", "", "Frames", "x" * 10**4]
)
def test_an_unknown_field_is_refused_whatever_it_is_called(name: str) -> None:
    with pytest.raises(UnknownField) as caught:
        Ranged.__tool__.require(name)
    assert len(str(caught.value)) < 1000
    assert "first" in caught.value.problem


def test_a_tool_that_nobody_declared_takes_any_decent_field_and_has_no_defaults() -> None:
    tool = undeclared_tool("nobodys", "shot")
    assert tool.defaults() == {}
    assert not tool.is_declared
    assert tool.require("anything").check([1, {"a": None}]) == [1, {"a": None}]
    for name in ("__class__", "_hidden", "a.b", ""):
        with pytest.raises(UnknownField):
            tool.require(name)


def test_values_of_an_older_version_go_through_each_migration_in_turn() -> None:
    def seconds_to_frames(values: dict[str, Any]) -> dict[str, Any]:
        values["frames"] = round(values.pop("seconds") * 24)
        return values

    def double(values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "frames": values["frames"] * 2}

    class Moved(Settings, tool="t.moved", version=3, migrations={1: seconds_to_frames, 2: double}):
        frames: int = setting(61)

    stored = {"seconds": 1.5}
    assert tool_of(Moved).migrate(stored, 1) == {"frames": 72}
    assert tool_of(Moved).migrate({"frames": 36}, 2) == {"frames": 72}
    assert tool_of(Moved).migrate({"frames": 72}, 3) == {"frames": 72}
    assert stored == {"seconds": 1.5}


def test_unset_is_false_and_not_none() -> None:
    assert not UNSET
    assert UNSET is not None
    assert repr(UNSET) == "UNSET"


@pytest.mark.parametrize(
    ("constraints", "value", "problem"),
    [
        ({"ge": 1}, 0, "must be at least 1"),
        ({"le": 1_000_000}, 1_000_001, "must be at most 1000000"),
        ({"gt": 3}, 3, "must be more than 3"),
        ({}, "41", "must be a whole number"),
        ({}, True, "must be a whole number"),
    ],
)
def test_a_refusal_says_the_limit_in_words_for_users(
    constraints: Any, value: Any, problem: str
) -> None:
    spec = make_setting("Tool", "frames", int, Declaration(default=7, constraints=constraints))
    with pytest.raises(InvalidValue) as refused:
        spec.check(value)
    assert (refused.value.field, refused.value.problem) == ("frames", problem)


def upper(text: str) -> str:
    if "!" in text:
        raise ValueError("must be calm")
    return text.upper()


class Annotations(Settings, tool="t.annotations"):
    code: Annotated[str, pydantic.AfterValidator(upper)] = setting("A", max_length=3)
    size: Annotated[int, Ge(3)] = setting(5, le=9)
    text: Annotated[str, pydantic.StringConstraints(pattern="^a", strip_whitespace=True)] = "a"
    number: Annotated[int, pydantic.BeforeValidator(lambda value: value or 1)] = setting(1)
    lax: Annotated[int, pydantic.Field(strict=False)] = setting(1)


@pytest.mark.parametrize(
    ("name", "given", "stored"),
    [("code", "abc", "ABC"), ("text", " ab ", "ab"), ("number", None, 1), ("size", 9, 9)],
)
def test_what_an_annotation_has_beside_the_type_makes_the_value(
    name: str, given: Any, stored: Any
) -> None:
    spec = tool_of(Annotations).fields[name]
    assert spec.check(given) == stored
    assert spec.parse(json.dumps(given)) == stored
    assert spec.annotation in (str, int)


@pytest.mark.parametrize(
    ("name", "bad", "why"),
    [
        ("code", "a!", "must be calm"),
        ("code", "abcd", "at most 3"),
        ("size", 2, "at least 3"),
        ("size", 10, "at most 9"),
        ("text", "b", "match"),
        ("number", "7", "whole number"),
        ("lax", "7", "whole number"),
    ],
)
def test_what_an_annotation_has_beside_the_type_refuses_values(
    name: str, bad: Any, why: str
) -> None:
    with pytest.raises(InvalidValue, match=why):
        tool_of(Annotations).fields[name].check(bad)


def test_a_default_that_its_annotation_refuses_is_a_wrong_declaration() -> None:
    with pytest.raises(DeclarationError, match="must be calm"):

        class Loud(Settings, tool="t.loud"):  # pyright: ignore[reportUnusedClass]
            code: Annotated[str, pydantic.AfterValidator(upper)] = setting("A!")
