"""What people may call their things. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

NAME_LIMIT = 120


class Refused(ValueError):
    """Bad input: `field` and what is wrong with it, with the limit. Nothing was changed."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field.capitalize()} {problem}")
        self.field, self.problem = field, problem


def clean_name(value: object, *, field: str = "name") -> str:
    """The name as it is kept: one line, no control characters, no spaces around. Raises Refused."""
    if not isinstance(value, str):
        raise Refused(field, "must be text")
    if len(value) > 100 * NAME_LIMIT:
        raise Refused(field, f"has {len(value):,} characters; the limit is {NAME_LIMIT}")
    if any(unicodedata.category(character) == "Cs" for character in value):
        raise Refused(field, "has half a character in it; type it again")
    visible = "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
        for character in unicodedata.normalize("NFC", value)
    )
    name = " ".join(visible.split())
    if not any(unicodedata.category(character)[0] not in "CMZ" for character in name):
        raise Refused(field, f"needs 1 to {NAME_LIMIT} characters")
    if len(name) > NAME_LIMIT:
        raise Refused(field, f"has {len(name):,} characters; the limit is {NAME_LIMIT}")
    return name


def numbered(name: str, taken: Container[str]) -> str:
    """The name with the next free number behind it, short enough: "Wide", then "Wide 2"."""
    stem, _, last = name.rpartition(" ")
    stem, number = (stem, int(last)) if stem and re.fullmatch(r"[1-9]\d{0,5}", last) else (name, 1)
    while True:
        number += 1
        candidate = f"{stem[: NAME_LIMIT - len(str(number)) - 1]} {number}"
        if candidate not in taken:
            return candidate
