"""Texts word by word: what stayed, what went, what came."""

from __future__ import annotations

import pytest

from persistence.reflex.worddiff import MOST_WORDS, segments

BEFORE = "A slow pan over the harbour at dusk, fog rolling in"
AFTER = "A slow pan over the old harbour at dawn, fog rolling in"


def test_both_texts_can_be_read_from_the_segments():
    told = segments(BEFORE, AFTER)
    assert "".join(s["text"] for s in told if s["kind"] != "ins") == BEFORE
    assert "".join(s["text"] for s in told if s["kind"] != "del") == AFTER
    assert [s["text"] for s in told if s["kind"] == "del"] == ["dusk"]


def test_of_what_stayed_only_the_surroundings_of_a_change_are_told():
    long = "word " * 200
    told = segments(long + "dusk", long + "dawn")
    assert [s["kind"] for s in told] == ["same", "del", "ins"]
    assert told[0]["text"].startswith("…")
    assert len(told[0]["text"]) < 60


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", BEFORE),
        ("dusk", "dawn"),
        (BEFORE, "Gulls circle above nobody, nothing else happens here"),
        ("x " * MOST_WORDS, "y " * MOST_WORDS),
    ],
)
def test_short_texts_and_those_with_little_in_common_are_told_whole(before: str, after: str):
    assert segments(before, after) == []
