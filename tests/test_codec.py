"""Values ↔ canonical JSON text: what goes round, what is refused and with which words."""

from __future__ import annotations

import json
import math
import random
import sqlite3
import string
import time
from collections import OrderedDict
from contextlib import closing
from datetime import UTC, datetime
from enum import Enum, IntEnum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from persistence.codec import DEEPEST, LARGEST_INT, decode, encode
from persistence.errors import InvalidValue


def problem(value: Any, *, limit: int = 1_000_000, adapter: TypeAdapter[Any] | None = None) -> str:
    """What the codec says of a value that it refuses; never after more than a second."""
    begun = time.perf_counter()
    with pytest.raises(InvalidValue) as caught:
        encode(value, field="lens", adapter=adapter, limit=limit)
    assert time.perf_counter() - begun < 1.0
    assert caught.value.field == "lens"
    assert len(str(caught.value)) < 1_000
    return caught.value.problem


texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INT, LARGEST_INT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=30
)


# --- there and back ------------------------------------------------------------------------------


@given(values)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    text = encode(value, field="f")
    assert decode(text) == json.loads(text) == value
    assert encode(decode(text), field="f") == text
    assert text.encode().decode() == text


@given(values)
def test_with_the_adapter_of_anything_it_is_the_same_text(value: Any) -> None:
    assert encode(value, field="f", adapter=TypeAdapter(Any)) == encode(value, field="f")


@given(st.dictionaries(texts, scalars))
def test_the_order_of_keys_makes_no_difference(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert encode(value, field="f") == encode(turned, field="f")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (41, "41"),
        (1.0, "1.0"),
        (-0.0, "0.0"),
        ([-0.0, {"a": -0.0}], '[0.0,{"a":0.0}]'),
        ("-0.0", '"-0.0"'),
        ("é🎬", '"é🎬"'),
        ('"\\\x00\x1f\n\u2028\x7f', '"\\"\\\\\\u0000\\u001f\\n\u2028\x7f"'),
        ({"b": 1, "a": [1, 2]}, '{"a":[1,2],"b":1}'),
        ((1, ("a",)), '[1,["a"]]'),
        (LARGEST_INT, "9007199254740991"),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_the_text_of(value: Any, text: str) -> None:
    assert encode(value, field="f") == text


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int
    y: int


class Lens(BaseModel):
    name: str
    gain: float = -0.0


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Colour, Colour.RED, '"red"'),
        (Lens, Lens(name="é"), '{"gain":0.0,"name":"é"}'),
        (list[Lens], [Lens(name="a")], '[{"gain":0.0,"name":"a"}]'),
        (datetime, datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02T00:00:00Z"'),
        (dict[int, str], {2: "b", 1: "a"}, '{"1":"a","2":"b"}'),
        (set[str], set("hgfedcba"), '["a","b","c","d","e","f","g","h"]'),
        (str, "plain", '"plain"'),
    ],
)
def test_a_declared_type_says_its_own_form(kind: Any, value: Any, text: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    assert encode(value, field="f", adapter=adapter) == text
    assert adapter.validate_json(text) == value


def test_subclasses_of_plain_types_are_written_as_those() -> None:
    class Text(str):
        __slots__ = ()

    value = [Level.HIGH, Point(1, 2), OrderedDict(b=1, a=Text("t"))]
    assert encode(value, field="f") == '[3,[1,2],{"a":"t","b":1}]'


def test_a_value_is_never_changed() -> None:
    value = {"b": [-0.0, (1, 2)], "a": Level.HIGH}
    encode(value, field="f")
    assert list(value) == ["b", "a"]
    assert math.copysign(1, value["b"][0]) == -1


# --- what is refused -----------------------------------------------------------------------------

ANY: TypeAdapter[Any] = TypeAdapter(Any)


@pytest.mark.parametrize("adapter", [None, ANY], ids=["plain", "adapted"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.nan, "is nan, which isn't a finite number"),
        ([1, {"gain": math.inf}], "1.gain: is inf, which isn't a finite number"),
        (-math.inf, "is -inf"),
        (2**53, "is a number of about 16 digits"),
        ({"a": [0, -(2**63)]}, "a.1: is a number of about 19 digits"),
        (10**400, "is a number of about 400 digits"),
        ([10**1_000_000], "0: is a number of about 1000000 digits"),
        ("a\ud800", "has half a character (a lone surrogate) at position 1"),
        ({"k": ["\udfff"]}, "k.0: has half a character"),
    ],
)
def test_what_json_cant_carry_is_refused_with_its_place(
    value: Any, words: str, adapter: TypeAdapter[Any] | None
) -> None:
    assert words in problem(value, adapter=adapter)


def test_a_number_that_browsers_would_round_comes_with_a_hint() -> None:
    assert problem(2**53).endswith("Declare it as str")
    assert "from -9007199254740991 to 9007199254740991" in problem(2**53)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"x", "is of type bytes, which JSON doesn't have"),
        ([{1, 2}], "0: is of type set"),
        (object(), "is of type object"),
        (datetime(2026, 1, 1, tzinfo=UTC), "is of type datetime"),
        ({1: "a"}, "has a key of type int"),
        ({"a": {None: 1}}, "a: has a key of type NoneType"),
        ({"\ud800": 1}, "has half a character"),
    ],
)
def test_other_types_are_refused(value: Any, words: str) -> None:
    assert words in problem(value)


@pytest.mark.parametrize("adapter", [None, ANY], ids=["plain", "adapted"])
def test_a_value_that_contains_itself_is_refused(adapter: TypeAdapter[Any] | None) -> None:
    thin: list[Any] = []
    thin.append(thin)
    wide: dict[str, Any] = {}
    wide.update({str(number): [wide, wide] for number in range(20)})
    assert "contains itself" in problem(thin, adapter=adapter)
    assert "contains itself" in problem(wide, adapter=adapter)


@pytest.mark.parametrize("adapter", [None, ANY], ids=["plain", "adapted"])
def test_nesting_ends_at_a_hundred(adapter: TypeAdapter[Any] | None) -> None:
    value: Any = 1
    for _ in range(DEEPEST):
        value = [value]
    assert decode(encode(value, field="f", adapter=adapter)) == value
    for more in (1, 1_000, 100_000):
        for _ in range(more):
            value = [value]
        assert problem(value, adapter=adapter) == "is nested deeper than 100 levels"


def test_the_limit_counts_bytes_of_utf8_and_is_said_with_the_size() -> None:
    assert encode("é" * 49, field="f", limit=100) == '"' + "é" * 49 + '"'
    assert problem("é" * 50, limit=100) == "is 102 bytes large; the limit is 100"
    assert problem("\x00" * 50, limit=100) == "is 302 bytes large; the limit is 100"
    assert problem(["a" * 40] * 3, limit=100) == "is at least 126 bytes large; the limit is 100"
    assert problem("a" * 10_000_000) == (
        "is at least 10,000,000 bytes large; the limit is 1,000,000"
    )


@given(values)
def test_the_limit_is_exact(value: Any) -> None:
    size = len(encode(value, field="f").encode())
    assert encode(value, field="f", limit=size)
    assert "bytes large; the limit is" in problem(value, limit=size - 1)


def bomb() -> list[Any]:
    """Small in memory, 10**60 items as text."""
    value: list[Any] = [1]
    for _ in range(60):
        value = [value] * 10
    return value


@pytest.mark.parametrize("adapter", [None, ANY], ids=["plain", "adapted"])
@pytest.mark.parametrize(
    "value",
    [
        bomb(),
        ["x" * 10_000_000] * 400_000,
        dict.fromkeys(map(str, range(1_000_000))),
        [[]] * 600_000,
        [math.nan] * 400_000,
        {"a": ["\udc80"] * 200_000},
        "\x00" * 10_000_000,
    ],
    ids=["bomb", "one text often", "a million keys", "lists", "NaNs", "surrogates", "NULs"],
)
def test_hostile_values_end_within_a_second(value: Any, adapter: TypeAdapter[Any] | None) -> None:
    problem(value, adapter=adapter)


def test_a_hostile_path_stays_short_and_printable() -> None:
    assert len(problem({"k" * 100_000: {"\n\u202e": {1}}})) < 200
    assert "\\n\\u202e" in problem({"a": {"\n\u202e": {1}}})


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1,]",
        "NaN",
        "[Infinity]",
        "-Infinity",
        '{"a":1,"a":2}',
        '[{"a":{"b":1,"b":1}}]',
        "[" * 200 + "]" * 200,
        "[" * 100_000,
        "1" * 10_000,
        '"\x00"',
        "1 2",
        "'a'",
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_a_text_that_we_would_never_write_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"^lens: "):
        decode(text, field="lens")


def test_brackets_within_a_text_are_no_nesting() -> None:
    assert decode('"' + "[" * 500 + '"') == "[" * 500


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        decode(text)
    except InvalidValue:
        pass


# --- the same bytes on both databases ------------------------------------------------------------


def random_value(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.randrange(8 if depth < 4 else 6)
    if kind == 0:
        return dice.choice(
            [None, True, False, 0, -0.0, LARGEST_INT, -LARGEST_INT, "", 5e-324, 1e308]
        )
    if kind == 1:
        return dice.randint(-LARGEST_INT, LARGEST_INT)
    if kind == 2:
        return dice.uniform(-1, 1) * 10 ** dice.randint(-300, 300)
    if kind in (3, 4, 5):
        alphabet = dice.choice(
            [string.printable, "\x00\x01\x7f\x80\u2028\ufeff\uffff", "é日🎬\U0010ffff", "\"\\/'%"]
        )
        return "".join(dice.choices(alphabet, k=dice.randrange(30)))
    count = dice.randrange(5)
    if kind == 6:
        return [random_value(dice, depth + 1) for _ in range(count)]
    return {str(random_value(dice, 9)): random_value(dice, depth + 1) for _ in range(count)}


DICE = random.Random(20)
VALUES = [random_value(DICE) for _ in range(5_000)]


def test_random_values_come_back_from_sqlite_byte_for_byte() -> None:
    sent = [encode(value, field="f") for value in VALUES]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO t (text) VALUES (?)", [(text,) for text in sent])
        rows = connection.execute("SELECT text, CAST(text AS BLOB) FROM t ORDER BY id").fetchall()
    assert [text for text, _ in rows] == sent
    assert [raw for _, raw in rows] == [text.encode() for text in sent]


@pytest.mark.postgres
def test_random_values_come_back_from_postgresql_byte_for_byte(postgres_url: str) -> None:
    import psycopg

    sent = [encode(value, field="f") for value in VALUES]
    with psycopg.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE t (id SERIAL PRIMARY KEY, text TEXT)")
        cursor.executemany("INSERT INTO t (text) VALUES (%s)", [(text,) for text in sent])
        rows = cursor.execute("SELECT text, convert_to(text, 'UTF8') FROM t ORDER BY id").fetchall()
    assert [text for text, _ in rows] == sent
    assert [bytes(raw) for _, raw in rows] == [text.encode() for text in sent]
