"""How a declaration says what panels show: what fits a type, and what is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any, Literal, NotRequired

import pydantic
import pytest
from typing_extensions import TypedDict

from persistence import DeclarationError, Settings, setting
from persistence.presentation import choices_of, conditions_of, fitting_widgets, widget_of
from persistence.settings import make_setting, registry
from persistence.shapes import JSON, Shape, shape_of
from persistence.specs import Declaration, SettingSpec


class Mood(Enum):
    CALM = "calm"
    WILD = "wild"


class Cue(TypedDict):
    name: str
    frame: int


CUE = (("name", Shape("text")), ("frame", Shape("integer")))
MODEL = (("name", Shape("text")), ("mood", Shape("choice", choices=("calm", "wild"))))


class Loose(TypedDict):
    name: str
    frame: NotRequired[int]


@dataclasses.dataclass
class Point:
    x: float
    y: float


class Model(pydantic.BaseModel):
    name: str
    mood: Mood


def spec_of(annotation: Any, default: Any, **facts: Any) -> SettingSpec:
    constraints = {k: facts.pop(k) for k in ("ge", "le", "max_length") if k in facts}
    secret = facts.pop("secret", False)
    declared = Declaration(default, constraints=constraints, presentation=facts, secret=secret)  # type: ignore[arg-type]
    return make_setting("tests.Sample", "field", annotation, declared)


@pytest.mark.parametrize(
    ("annotation", "default", "facts", "widget"),
    [
        (str, "", {}, "text"),
        (str, "", {"max_length": 5000}, "long"),
        (str, "one\ntwo", {}, "long"),
        (str, "", {"secret": True}, "password"),
        (str | None, None, {}, "text"),
        (int, 1, {}, "number"),
        (int, 61, {"ge": 1, "le": 241}, "number"),
        (int, 4, {"ge": 1, "le": 16}, "slider"),
        (float, 0.5, {"ge": 0, "le": 1}, "slider"),
        (float | None, None, {"ge": 0, "le": 1}, "number"),
        (bool, True, {}, "switch"),
        (bool | None, None, {}, "radio"),
        (Literal["a", "b"], "a", {}, "radio"),
        (Literal["a", "b", "c", "d", "e"], "a", {}, "select"),
        (Mood, Mood.CALM, {}, "radio"),
        (list[str], [], {}, "tags"),
        (list[int], [], {}, "list"),
        (list[tuple[str, int]], [], {}, "list"),
        (list[Cue], [], {}, "list"),
        (tuple[int, int], (1, 2), {}, "record"),
        (Point, Point(0, 0), {}, "record"),
        (dict[str, bool], {}, {}, "dict"),
        (date, date(2026, 1, 1), {}, "date"),
        (dict[str, list[int]], {}, {}, "json"),
        (Any, None, {}, "json"),
        (str, "", {"widget": "long"}, "long"),
        (list[str], [], {"widget": "list"}, "list"),
    ],
)
def test_the_widget_fits_the_type_unless_another_is_asked_for(
    annotation: Any, default: Any, facts: dict[str, Any], widget: str
) -> None:
    spec = spec_of(annotation, default, **facts)
    assert widget_of(spec) == widget
    assert widget in fitting_widgets(spec)


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        (list[str], Shape("list", item=Shape("text"))),
        (set[str], Shape("list", item=Shape("text"), unique=True)),
        (tuple[int, ...], Shape("list", item=Shape("integer"))),
        (tuple[str, int], Shape("row", parts=(("0", Shape("text")), ("1", Shape("integer"))))),
        (Cue, Shape("row", parts=CUE, by_name=True)),
        (Model, Shape("row", parts=MODEL, by_name=True)),
        (Literal["a"] | None, Shape("choice", optional=True, choices=("a",))),
        (dict[str, float], Shape("dict", item=Shape("number"))),
        (Loose, JSON),
        (list[list[int]], JSON),
        (dict[int, str], JSON),
        (int | str, JSON),
    ],
)  # fmt: skip
def test_a_type_is_shown_as_what_it_is_made_of_and_else_as_json(
    annotation: Any, shape: Shape
) -> None:
    assert shape_of(annotation) == shape


def test_choices_have_words_of_their_own_or_those_that_were_given() -> None:
    spec = spec_of(Literal["wan_local", "wan2"] | None, None, labels={"wan2": "Wan 2"})
    assert choices_of(spec) == (("wan_local", "Wan local"), ("wan2", "Wan 2"), (None, "Not set"))


@pytest.mark.parametrize(
    ("declare", "problem", "hint"),
    [
        (lambda: spec_of(str, "", widget="slider"), "doesn't fit", "text, long"),
        (lambda: spec_of(str, "", widget="lnog"), "unknown", 'mean "long"'),
        (lambda: spec_of(int, 1, widget="slider"), "without ends", "ge= and le="),
        (lambda: spec_of(str, "", secret=True, widget="text"), "doesn't fit", "password"),
        (lambda: spec_of(bool, True, placeholder="x"), "never empty", "help="),
        (lambda: spec_of(str, "", unit="px"), "no number", "unit="),
        (lambda: spec_of(str, "", group=3), "isn't a text", "group="),
        (lambda: spec_of(str, "", labels={"a": "A"}), "no choices", "labels="),
        (lambda: spec_of(Literal["a"], "a", labels={"b": "B"}), "doesn't have", "'a'"),
        (lambda: spec_of(Literal["a"], "a", labels=["A"]), "mapping", "labels="),
        (lambda: spec_of(list[tuple[str, int]], [], labels={2: "x"}), "doesn't have", "0, 1"),
    ],
)
def test_a_wish_that_does_not_fit_is_refused_with_what_would(
    declare: Callable[[], object], problem: str, hint: str
) -> None:
    with pytest.raises(DeclarationError, match=problem) as refused:
        declare()
    assert hint in refused.value.hint


def declare_shown_if(shown_if: Any) -> None:
    class Shown(Settings, tool="t.shown", edit="user"):
        mode: Literal["basic", "advanced"] = setting("basic")
        key: str = setting("", secret=True)
        steps: int = setting(8, shown_if=shown_if)


@pytest.fixture(autouse=True)
def forget_the_tools() -> Any:
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


@pytest.mark.parametrize(
    ("shown_if", "problem", "hint"),
    [
        ({"moed": "basic"}, "no other setting", 'mean "mode"'),
        ({"steps": 8}, "no other setting", "another"),
        ({"mode": "expert"}, "must be", "it can have"),
        ({"mode": ()}, "no value", "one or more"),
        ({"key": "x"}, "secret", "switch"),
        ({}, "mapping", "shown_if="),
        ("mode", "mapping", "shown_if="),
    ],
)
def test_a_condition_that_can_never_hold_is_refused(shown_if: Any, problem: str, hint: str) -> None:
    with pytest.raises(DeclarationError, match=problem) as refused:
        declare_shown_if(shown_if)
    assert hint in refused.value.hint


def test_a_condition_names_one_value_or_several() -> None:
    spec = spec_of(str, "", shown_if={"mode": ("a", "b"), "fast": True})
    assert conditions_of(spec) == {"mode": ("a", "b"), "fast": (True,)}
