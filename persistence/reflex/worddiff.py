"""What is new in a text, word by word, as people read it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, TypedDict

SHORT = 24
"""Texts up to so many characters are told whole: from this to that."""
MOST_WORDS = 600
"""Words of a text that are compared, at most; a longer text is told whole."""
AROUND = 32
"""Characters on either side of a change that are told of what stayed."""

_WORDS = re.compile(r"\w+\s*|[^\w\s]+\s*|\s+")
"""A word or a mark with the space behind it: spaces by themselves would seem to have stayed."""


class Segment(TypedDict):
    """A piece of a text."""

    kind: Literal["same", "del", "ins"]
    text: str


def segments(before: str, after: str) -> list[Segment]:
    """Both texts as one: what stayed, what went, what came. Empty for texts that are better told
    whole: short ones, and those that have little in common."""
    if min(len(before), len(after)) == 0 or max(len(before), len(after)) <= SHORT:
        return []
    one, other = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(one), len(other)) > MOST_WORDS:
        return []
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < 0.3:
        return []
    found = list(_pieces(matcher, one, other))
    return [_shortened(each, at == 0, at == len(found) - 1) for at, each in enumerate(found)]


def _pieces(
    matcher: SequenceMatcher[str], one: Sequence[str], other: Sequence[str]
) -> Iterator[Segment]:
    for tag, i, j, k, end in matcher.get_opcodes():
        if tag == "equal":
            yield {"kind": "same", "text": "".join(one[i:j])}
            continue
        if j > i:
            yield {"kind": "del", "text": "".join(one[i:j])}
        if end > k:
            yield {"kind": "ins", "text": "".join(other[k:end])}


def _shortened(piece: Segment, is_first: bool, is_last: bool) -> Segment:
    """A long piece that stayed, told by its ends."""
    text = piece["text"]
    head, tail = (0 if is_first else AROUND), (0 if is_last else AROUND)
    if piece["kind"] != "same" or len(text) <= head + tail + AROUND:
        return piece
    end = text[len(text) - tail :] if tail else ""
    return {"kind": "same", "text": f"{text[:head]}…{end}"}
