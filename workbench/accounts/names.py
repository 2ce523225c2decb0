"""The names of accounts: what they may be, and when two are the same. Pure."""

from __future__ import annotations

import unicodedata

from workbench.names import Refused

SHORTEST, LONGEST = 2, 64
MARKS = "._-+@'"
"""Allowed beside letters and digits: an e-mail address may be a name. No mail is ever sent."""


def clean_account_name(value: object) -> str:
    """The name as its owner writes it, without spaces around. Raises Refused."""
    if not isinstance(value, str):
        raise Refused("name", "must be text")
    if len(value) > 10 * LONGEST:
        raise Refused("name", f"has {len(value):,} characters; the limit is {LONGEST}")
    name = unicodedata.normalize("NFKC", value).strip()
    if not SHORTEST <= len(name) <= LONGEST:
        raise Refused("name", f"needs {SHORTEST} to {LONGEST} characters")
    for character in name:
        if unicodedata.category(character)[0] not in "LNM" and character not in MARKS:
            shown = "a space" if character.isspace() else f"“{character}”"
            raise Refused("name", f"can’t have {shown}: letters, digits and {MARKS} are fine")
    if not any(unicodedata.category(character)[0] in "LN" for character in name):
        raise Refused("name", "needs a letter or a digit")
    return name


def key_of(name: str) -> str:
    """The same for names that differ in case, width or composition alone (RFC 8265)."""
    return unicodedata.normalize("NFKC", name.strip().casefold())
