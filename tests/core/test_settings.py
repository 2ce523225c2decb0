"""Declarations: what is accepted, what fails at import with a hint, what `check` lets in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, assert_type

import pydantic
import pytest
from typing_extensions import TypedDict

from persistence.errors import DeclarationError, InvalidValue, UnknownField
from persistence.settings import (
    Settings,
    camel_case,
    make_setting,
    registry,
    setting,
    tool_of,
    validates,
)
from persistence.specs import UNSET, Declaration, SettingSpec, ToolSpec, undeclared_tool


@pytest.fixture(autouse=True)
def _own_registry() -> Iterator[None]:
    """Each test declares what it likes; the process's declarations stay as they were."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


def spec_of(annotation: Any, default: Any, **keywords: Any) -> SettingSpec:
    return make_setting("tests.Sample", "field", annotation, Declaration(default, **keywords))


class Point(pydantic.BaseModel):
    x: float
    y: float


class Panes(TypedDict):
    gens: bool
    shots: bool


# ---------------------------------------------------------------------------------- declaring


def test_a_declaration_is_a_typed_pydantic_model_with_its_tool_beside_it() -> None:
    class Travel(Settings, tool="t.typed", edit="shot", title="Travel"):
        prompt: str = setting("", inherit=False, max_length=5000)
        frames: int = setting(61, ge=1, le=241, title="Frames", help="How many")

    assert_type(Travel().frames, int)
    assert Travel().frames == 61

    tool = tool_of(Travel)
    assert_type(tool, ToolSpec)
    assert (tool.tool, tool.edit, tool.version, tool.title) == ("t.typed", "shot", 1, "Travel")
    assert list(tool.fields) == ["prompt", "frames"]
    assert registry["t.typed"] is tool

    frames = tool.fields["frames"]
    assert (frames.title, frames.help, frames.annotation) == ("Frames", "How many", int)
    assert (frames.inherit, frames.merge, frames.flush, frames.secret) == (
        True,
        False,
        "debounced",
        False,
    )
    assert tool.fields["prompt"].inherit is False


def test_a_plain_default_declares_a_setting_too() -> None:
    class Plain(Settings, tool="t.plain"):
        frames: int = 61

    assert tool_of(Plain).defaults() == {"frames": 61}


def test_the_alias_is_the_camel_case_name_unless_another_is_given() -> None:
    class Named(Settings, tool="t.named"):
        last_used_model: str = setting("")
        quality: str = setting("", alias="preferredQuality")

    tool = tool_of(Named)
    assert set(tool.by_alias) == {"lastUsedModel", "preferredQuality"}
    assert tool.by_alias["preferredQuality"].name == "quality"
    assert camel_case("timeline_frame_positions") == "timelineFramePositions"


def test_a_title_comes_from_the_name_when_none_is_given() -> None:
    class Titled(Settings, tool="t.titled"):
        random_seed: bool = setting(False)

    assert tool_of(Titled).fields["random_seed"].title == "Random seed"


def test_a_mutable_default_is_made_anew_each_time() -> None:
    shared = ["a"]

    class Listed(Settings, tool="t.listed"):
        steps: list[str] = setting(shared)
        tips: list[str] = setting(default_factory=list)

    first = tool_of(Listed).defaults()
    first["steps"].append("b")
    first["tips"].append("c")
    shared.append("d")
    assert tool_of(Listed).defaults()["tips"] == []
    assert "b" not in tool_of(Listed).defaults()["steps"]


def test_a_class_without_tool_is_a_group_of_settings_for_others_to_share() -> None:
    class Common(Settings):
        seed: int = setting(0, ge=0)

    class First(Common, tool="t.first"):
        frames: int = setting(61)

    class Second(Common, tool="t.second"):
        pass

    assert list(tool_of(First).fields) == ["seed", "frames"]
    assert list(tool_of(Second).fields) == ["seed"]


def test_the_same_class_may_be_declared_again_but_not_another_one_with_its_tool() -> None:
    def declare() -> type[Settings]:
        class Again(Settings, tool="t.again"):
            frames: int = setting(61)

        return Again

    declare()
    declare()
    with pytest.raises(DeclarationError, match=r"'t.again' is declared by .*Again"):

        class Other(Settings, tool="t.again"):
            frames: int = setting(61)


def declare_private() -> None:
    class Wrong(Settings, tool="t.wrong"):
        _hidden: int = setting(1)


def declare_dunder_tool() -> None:
    class Wrong(Settings, tool="../etc/passwd"):
        frames: int = setting(61)


def declare_without_tool() -> None:
    class Wrong(Settings, edit="shot"):
        frames: int = setting(61)


def declare_unknown_keyword() -> None:
    class Wrong(Settings, tool="t.wrong", scope="shot"):  # type: ignore[call-arg]
        frames: int = setting(61)


def declare_without_default() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: int


def declare_setting_without_default() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: int = setting()


def declare_two_defaults() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: list[int] = setting([1], default_factory=list)


def declare_wrong_default() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: int = setting(0, ge=1)


def declare_wrong_type_of_default() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: int = setting("61")


def declare_merging_list() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: list[int] = setting(default_factory=list, merge=True)


def declare_merging_secret() -> None:
    class Wrong(Settings, tool="t.wrong"):
        keys: dict[str, str] = setting(default_factory=dict, merge=True, secret=True)


def declare_wrong_flush() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: int = setting(61, flush="later")  # type: ignore[arg-type]


def declare_unknown_setting_keyword() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: int = setting(61, minimum=3)  # type: ignore[call-arg]


def declare_constraint_that_does_not_fit() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: bool = setting(False, max_length=3)


def declare_type_without_a_form_in_json() -> None:
    class Wrong(Settings, tool="t.wrong"):
        callback: Callable[[], int] = setting(lambda: 3)


def declare_one_alias_twice() -> None:
    class Wrong(Settings, tool="t.wrong"):
        last_model: str = setting("")
        other: str = setting("", alias="lastModel")


def declare_version_without_migrations() -> None:
    class Wrong(Settings, tool="t.wrong", version=3):
        frames: int = setting(61)


def declare_subclass_of_a_tool() -> None:
    class Base(Settings, tool="t.base"):
        frames: int = setting(61)

    class Wrong(Base, tool="t.wrong"):
        more: int = setting(1)


def declare_validator_of_another_tools_setting() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: int = setting(61)

        @validates("frames", "seconds")
        def fits(values: Mapping[str, Any]) -> None: ...  # noqa: N805


def declare_scopes_as_one_word() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: int = setting(61, scopes="shot")


def declare_no_scope_at_all() -> None:
    class Wrong(Settings, tool="t.wrong"):
        frames: int = setting(61, scopes=[])


@pytest.mark.parametrize(
    "declare",
    [
        declare_private,
        declare_dunder_tool,
        declare_without_tool,
        declare_unknown_keyword,
        declare_without_default,
        declare_setting_without_default,
        declare_two_defaults,
        declare_wrong_default,
        declare_wrong_type_of_default,
        declare_merging_list,
        declare_merging_secret,
        declare_wrong_flush,
        declare_unknown_setting_keyword,
        declare_constraint_that_does_not_fit,
        declare_type_without_a_form_in_json,
        declare_one_alias_twice,
        declare_version_without_migrations,
        declare_subclass_of_a_tool,
        declare_validator_of_another_tools_setting,
        declare_scopes_as_one_word,
        declare_no_scope_at_all,
    ],
    ids=lambda function: function.__name__,
)
def test_a_wrong_declaration_fails_at_import_with_a_hint(declare: Callable[[], None]) -> None:
    before = dict(registry)
    with pytest.raises(TypeError) as caught:
        declare()
    assert "t.wrong" not in registry or registry == before
    assert isinstance(caught.value, DeclarationError)
    assert caught.value.hint


@pytest.mark.parametrize(
    "name",
    ["status", "ready", "save", "router", "reset", "values", "update", "is_dirty", "last_error",
     "explain", "capture", "model_config", "model_extra", "schema", "copy"],
)  # fmt: skip
def test_a_setting_cannot_take_a_name_of_the_machinery(name: str) -> None:
    with pytest.raises(DeclarationError, match=name) as caught:
        make_setting("tests.Sample", name, int, Declaration(1))
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["_hidden", "__class__", "__dict__", "a.b", "", "ﬁeld", "f" * 101, "a b"]
)
def test_a_private_or_odd_name_is_refused(name: str) -> None:
    with pytest.raises(DeclarationError):
        make_setting("tests.Sample", name, int, Declaration(1))


def test_a_class_that_declares_no_tool_cannot_be_opened() -> None:
    class Plain(pydantic.BaseModel):
        frames: int = 1

    with pytest.raises(TypeError, match="Plain"):
        tool_of(Plain)


# --------------------------------------------------------------------------------- what is let in


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


# ------------------------------------------------------------------------------------ the tool


class Ranged(Settings, tool="t.ranged", edit="shot"):
    first: int = setting(1)
    last: int = setting(9)
    other: int = setting(0)

    @validates("first", "last")
    def in_order(values: Mapping[str, Any]) -> None:  # noqa: N805  # it becomes a static method
        if values["first"] > values["last"]:
            raise ValueError("first must not lie after last")


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
