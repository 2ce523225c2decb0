"""A wrong declaration fails when the class is made, and says what to write instead."""

from __future__ import annotations

from collections import deque
from typing import Annotated, Any

import pytest
import reflex as rx
from pydantic import AfterValidator, Field

from persistence import DeclarationError, Engine, InvalidValue, UnknownField, validates
from persistence.reflex import SettingsState, bind, setting


def refused(match: str) -> Any:
    return pytest.raises(DeclarationError, match=match)


def test_a_state_without_a_tool(states):
    with refused("no tool"):

        class Wrong(SettingsState):
            number: rx.Field[int] = setting(1)


def test_an_unknown_keyword(states):
    with refused(r"unknown keywords \['colour'\]"):

        class Wrong(SettingsState, tool="t", colour="red"):
            pass


def test_a_subclass_of_a_tool(states):
    class Right(SettingsState, tool="t", edit="user"):
        number: rx.Field[int] = setting(1)

    with refused("extends the tool Right"):

        class Wrong(Right, tool="u"):
            pass


@pytest.mark.parametrize(
    "name", ["status", "ready", "save", "router", "reset", "info", "show", "get_delta", "binding"]
)
def test_a_name_of_the_machinery(states, name):
    with refused("machinery"):
        type(SettingsState)(
            "Wrong",
            (SettingsState,),
            {
                "__module__": __name__,
                "__annotations__": {name: rx.Field[int]},
                name: setting(1),
            },
            tool="t",
        )


def test_a_private_name(states):
    with refused("private"):

        class Wrong(SettingsState, tool="t"):
            _number: rx.Field[int] = setting(1)


@pytest.mark.parametrize("kind", [deque, deque[int], list[deque[int]], object, bytes, complex])
def test_a_type_whose_changes_cannot_be_seen(states, kind):
    with pytest.raises(TypeError):
        type(SettingsState)(
            "Wrong",
            (SettingsState,),
            {
                "__module__": __name__,
                "__annotations__": {"held": rx.Field[kind]},
                "held": setting(default_factory=list),
            },
            tool="t",
        )


def test_a_default_that_breaks_its_own_rule(states):
    with refused("default breaks its own rule"):

        class Wrong(SettingsState, tool="t"):
            number: rx.Field[int] = setting(0, ge=1)


def test_two_classes_of_one_tool(states):
    class One(SettingsState, tool="t"):
        number: rx.Field[int] = setting(1)

    with refused("declared by"):

        class Two(SettingsState, tool="t"):
            number: rx.Field[int] = setting(1)


def test_a_mixin_shares_its_settings_and_handlers(states):
    class Motion(SettingsState, mixin=True):
        strength: rx.Field[float] = setting(0.5, ge=0, le=1)

        @rx.event
        def most(self) -> None:
            self.strength = 1.0

    class Travel(Motion, tool="t", edit="user"):
        number: rx.Field[int] = setting(1)

    assert set(Travel.__tool__.fields) == {"strength", "number"}
    state = Travel(_reflex_internal_init=True)
    state.most()
    assert state.strength == 1.0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", True), ("number", "3"), ("number", 0), ("number", 242), ("number", 2.0),
        ("number", None),
        ("ratio", float("nan")), ("ratio", float("inf")), ("ratio", -0.1), ("ratio", 1.1),
        ("text", 3), ("text", "x" * 6), ("text", None), ("listed", [1, "x"]), ("listed", (1,)),
        ("exact", True), ("exact", 1.5),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_before_anything_is_stored(states, field, value):
    class Travel(SettingsState, tool="t", edit="user"):
        number: rx.Field[int] = setting(61, ge=1, le=241)
        ratio: rx.Field[float] = setting(0.5, ge=0, le=1)
        text: rx.Field[str] = setting("a", max_length=5)
        listed: rx.Field[list[int]] = setting(default_factory=list)
        exact: rx.Field[int] = setting(1)

    state = Travel(_reflex_internal_init=True)
    before = getattr(state, field)
    with pytest.raises(InvalidValue, match=field):
        setattr(state, field, value)
    assert getattr(state, field) == before
    assert not state.dirty_vars


@pytest.mark.parametrize(
    ("field", "value"), [("over", 1.0), ("over", 0.0), ("under", 10), ("count", 4)]
)
def test_exclusive_bounds_and_multiples(states, field, value):
    class Travel(SettingsState, tool="t", edit="user"):
        over: rx.Field[float] = setting(1.5, gt=1, lt=2)
        under: rx.Field[int] = setting(5, gt=0, lt=10)
        count: rx.Field[int] = setting(3, multiple_of=3)

    state = Travel(_reflex_internal_init=True)
    with pytest.raises(InvalidValue):
        setattr(state, field, value)
    state.over, state.under, state.count = 1.0000001, 9, 6


def test_a_list_that_the_caller_still_holds_is_not_ours(states):
    class Travel(SettingsState, tool="t", edit="user"):
        listed: rx.Field[list[int]] = setting(default_factory=list)

    state = Travel(_reflex_internal_init=True)
    mine = [1]
    state.listed = mine
    mine.append(2)
    assert state.listed == [1]


def test_update_fields_checks_all_before_it_sets_any(states):
    class Travel(SettingsState, tool="t", edit="user"):
        one: rx.Field[int] = setting(1)
        two: rx.Field[int] = setting(2, le=5)

    state = Travel(_reflex_internal_init=True)
    with pytest.raises(InvalidValue):
        state.update_fields(one=7, two=9)
    with pytest.raises(UnknownField):
        state.update_field("three", 1)
    assert (state.one, state.two) == (1, 2)
    state.update_fields(one=7, two=5)
    assert (state.one, state.two) == (7, 5)


async def test_the_same_declaration_serves_plain_python(states):
    class Travel(SettingsState, tool="t", edit="user"):
        number: rx.Field[int] = setting(61, ge=1, le=241)

    async with Engine("memory:", scopes=("user",)) as engine:
        travel = await engine.open(Travel, {"user": "ann"})
        travel.update(number=41)
        assert travel.get("number") == 41
        assert travel.explain("number").origin == "user"


async def test_rules_across_fields_hold_for_handlers_and_controls(serve):
    class Range(SettingsState, tool="range", edit="shot"):
        first: rx.Field[int] = setting(1)
        last: rx.Field[int] = setting(9)

        @validates("first", "last")
        def in_order(values: Any) -> None:  # noqa: N805  # a rule is no method
            if values["first"] > values["last"]:
                raise ValueError("first must not lie after last")

        @rx.event
        def wrong(self) -> None:
            self.first = 20

    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(Range.wrong)
        assert "after last" in tab.shows(Range, "errors")["first"]
        assert tab.shows(Range, "first") in (None, 1)
        await tab.operate(Range, "last", 0)
        assert "after last" in tab.shows(Range, "errors")["last"]
        assert await site.stored("shot", "ann-A", "range") == {}


async def test_a_secret_never_goes_to_the_page(serve):
    class Keys(SettingsState, tool="keys", edit="user"):
        api_key: rx.Field[str] = setting("", secret=True)

        @rx.event
        def put(self) -> None:
            self.api_key = "hunter2"

    from persistence.vault import Vault

    key = Vault.new_key() if hasattr(Vault, "new_key") else None
    if key is None:
        from cryptography.fernet import Fernet

        key = Fernet.generate_key().decode()
    async with serve(key=key) as site:
        tab = await site.open("t1")
        await tab.send(Keys.put)
        await site.settle()
        assert "hunter2" not in repr(tab.told)
        assert (await site.state("t1", Keys)).api_key == "hunter2"
        assert tab.shows(Keys, "info")["api_key"]["own"] is True
        assert bind(Keys.api_key)["type"] == "password"
        assert "hunter2" not in repr(await site.stored("user", "ann", "keys"))


def calm(text: str) -> str:
    if "!" in text:
        raise ValueError("must be calm")
    return text.lower()


def test_what_an_annotation_has_beside_the_type_is_checked(states):
    class Right(SettingsState, tool="t", edit="user"):
        text: rx.Field[Annotated[str, AfterValidator(calm)]] = setting("a")
        limited: Annotated[str, AfterValidator(calm)] = setting("a", max_length=5)
        number: rx.Field[Annotated[int, Field(ge=3)]] = setting(5)

    state = Right()
    for name, bad in (("text", "a!"), ("limited", "a!"), ("limited", "abcdef"), ("number", 2)):
        with pytest.raises(InvalidValue):
            setattr(state, name, bad)
    state.text = state.limited = "ABC"
    assert (state.text, state.limited) == ("abc", "abc")
    with refused("must be calm"):

        class Wrong(SettingsState, tool="u", edit="user"):
            text: rx.Field[Annotated[str, AfterValidator(calm)]] = setting("a!")
