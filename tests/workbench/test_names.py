"""What a thing may be called."""

from __future__ import annotations

import pytest

from workbench.names import NAME_LIMIT, Refused, clean_name, numbered


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Harbour   at dawn ", "Harbour at dawn"),
        ("two\nlines\tand\x00nul", "two lines and nul"),
        ("e\u0301tude", "étude"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("'; DROP TABLE x;--", "'; DROP TABLE x;--"),
        ("👩🏽‍🚀 launch", "👩🏽‍🚀 launch"),
        ("x" * NAME_LIMIT, "x" * NAME_LIMIT),
    ],
)
def test_a_name_is_one_clean_line(given: str, kept: str):
    assert clean_name(given) == kept


@pytest.mark.parametrize(
    "given",
    ["", "   ", "\n", "\u200b\u202e", "x" * 121, "e" + "\u0301" * 10_000, "\ud83d", 7, None, ["x"]],
)
def test_what_is_no_name_is_refused_with_the_field(given: object):
    with pytest.raises(Refused) as refused:
        clean_name(given)
    assert refused.value.field == "name"


def test_the_refusal_says_how_long_it_is_and_how_long_it_may_be():
    with pytest.raises(Refused, match=r"Name has 121 characters; the limit is 120"):
        clean_name("x" * 121)


@pytest.mark.parametrize(
    ("name", "taken", "next_one"),
    [
        ("Wide", set(), "Wide 2"),
        ("Wide", {"Wide 2", "Wide 3"}, "Wide 4"),
        ("Wide 2", {"Wide 2"}, "Wide 3"),
        ("Shot 09", set(), "Shot 09 2"),
        ("7", set(), "7 2"),
        ("x" * NAME_LIMIT, set(), "x" * (NAME_LIMIT - 2) + " 2"),
    ],
)
def test_a_copy_gets_the_next_free_number(name: str, taken: set[str], next_one: str):
    assert numbered(name, taken) == next_one
