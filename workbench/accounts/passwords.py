"""Passwords: which are taken (NIST SP 800-63B), and argon2id off the event loop.

Length counts, composition doesn't: any character and any space may be in a password, none must.
Refused are those that are guessed first: common ones, the account's own name, one character again
and again, a row of the keyboard or of the alphabet.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workbench.accounts.names import key_of
from workbench.names import Refused

P = ParamSpec("P")
R = TypeVar("R")

SHORTEST, LONGEST = 8, 256

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
)
_SAME = str.maketrans("@4301!$57", "aaeoiisst")
"""What people write in a letter's place."""

AT_ONCE = 2
"""Each takes 19 MiB and 30 ms or so of a core."""
WAITING = 50


class Busy(Exception):
    """Too many passwords are being checked at this moment. Another try will do."""


def clean_password(value: object, *, name: str, field: str = "password") -> str:
    """A new password in the form that is hashed. Raises Refused with the limit or the reason."""
    if not isinstance(value, str):
        raise Refused(field, "must be text")
    if len(value) > LONGEST:
        raise Refused(field, f"has {len(value):,} characters; the limit is {LONGEST}")
    password = normal(value)
    if any(unicodedata.category(character) == "Cs" for character in password):
        raise Refused(field, "has half a character in it; type it again")
    if len(password) < SHORTEST:
        raise Refused(field, f"needs at least {SHORTEST} characters; a few words do well")
    plain = password.casefold()
    bare = "".join(character for character in plain if character.isalnum())
    if not _common().isdisjoint((plain, plain.translate(_SAME), bare.rstrip("0123456789"))):
        raise Refused(field, "is one of the most common ones and would be guessed first")
    if len(set(bare or plain)) < 4 or _is_row(bare):
        raise Refused(field, "is too simple: it repeats itself or follows a row of keys")
    key = key_of(name)
    if key and len(plain.replace(key, "")) < 4:
        raise Refused(field, "is nearly the name of the account")
    return password


def normal(password: str) -> str:
    """The same characters whatever keyboard typed it."""
    return unicodedata.normalize("NFKC", password)


async def hashed(password: str) -> str:
    """The argon2id hash, salt and parameters included. Raises Busy."""
    return await _in_thread(_hasher().hash, password)


async def matches(stored: str | None, password: object) -> bool:
    """Whether it is that one. Takes as long where there is none to compare with. Raises Busy."""
    given = normal(password) if isinstance(password, str) and len(password) <= LONGEST else ""
    fits = await _in_thread(_verify, stored or _nobodys(), given)
    return fits and stored is not None


def is_outdated(stored: str) -> bool:
    """Whether it was hashed with weaker parameters than today's."""
    return _hasher().check_needs_rehash(stored)


@cache
def _hasher() -> PasswordHasher:
    """OWASP's parameters for argon2id: 19 MiB, two passes, one lane."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody’s password, which nobody can know by this")


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _common() -> frozenset[str]:
    """The longer of the passwords that are guessed first, and what this app suggests."""
    text = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.splitlines())


def _is_row(text: str) -> bool:
    """Made of nothing but one or two stretches of a row, forwards or backwards."""
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    half = (len(text) + 1) // 2
    return any(text in row for row in rows) or (
        any(text[:half] in row for row in rows) and any(text[half:] in row for row in rows)
    )


@cache
def _threads() -> ThreadPoolExecutor:
    """Made at first use, since Reflex forks its workers after the import."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")


_under_way = 0


async def _in_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    global _under_way
    if _under_way >= WAITING:
        raise Busy
    _under_way += 1
    try:
        call = partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(_threads(), call)
    finally:
        _under_way -= 1
