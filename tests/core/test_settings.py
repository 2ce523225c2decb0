"""Declarations: what is accepted, and what fails at import with a hint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, assert_type

import pydantic
import pytest

from persistence.errors import DeclarationError
from persistence.settings import (
    Settings,
    camel_case,
    make_setting,
    registry,
    setting,
    tool_of,
    validates,
)
from persistence.specs import Declaration, ToolSpec


@pytest.fixture(autouse=True)
def _own_registry() -> Iterator[None]:
    """Each test declares what it likes; the process's declarations stay as they were."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


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
