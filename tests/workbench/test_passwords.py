"""Which names and passwords are taken, and why not."""

from __future__ import annotations

import asyncio

import pytest

from workbench.accounts import passwords
from workbench.accounts.devices import device_of
from workbench.accounts.names import clean_account_name, key_of
from workbench.accounts.passwords import Busy, clean_password, hashed, matches
from workbench.names import Refused


@pytest.mark.parametrize(
    "password",
    [
        "harbour at dawn", "Tr0ub4dor&3", "пристань на рассвете", "🐙 in a garden",
        "夜明けの港に舟がある",
        " leading and trailing ", "x" * 120 + "abcd", "ann walks the dog", "12 gulls, 7 nets",
    ],
)  # fmt: skip
def test_long_enough_is_good_enough_whatever_it_is_made_of(password):
    assert clean_password(password, name="ann")


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "at least 8 characters"),
        ("", "at least 8 characters"),
        ("x" * 257, "has 257 characters; the limit is 256"),
        ("password", "most common"),
        ("Password123", "most common"),
        ("P@ssw0rd", "most common"),
        ("letmein2024", "most common"),
        ("correct horse battery staple", "most common"),
        ("aaaaaaaaaaaa", "too simple"),
        ("abababababab", "too simple"),
        ("abcdefghij", "too simple"),
        ("987654321", "most common"),
        ("poiuytrewq", "too simple"),
        ("qwertyasdfgh", "too simple"),
        ("marianne", "nearly the name"),
        ("Marianne1", "nearly the name"),
        ("\ud800" * 9, "half a character"),
        (12345678, "must be text"),
        (None, "must be text"),
    ],
)
def test_a_weak_one_is_refused_with_the_limit_or_the_reason(password, problem):
    with pytest.raises(Refused, match=problem):
        clean_password(password, name="Marianne")


async def test_the_same_password_from_another_keyboard_fits():
    composed, decomposed = "caf\u00e9 au port", "cafe\u0301 au port"
    stored = await hashed(clean_password(composed, name="ann"))
    assert await matches(stored, decomposed)
    assert not await matches(stored, "cafe au port")
    assert not await matches(stored, composed + " ")


@pytest.mark.parametrize("given", [None, 1, [], "", "x" * 100_000, "\ud800", "a\0b"])
async def test_what_is_no_password_fits_nothing(given):
    stored = await hashed("harbour at dawn")
    assert not await matches(stored, given)
    assert not await matches(None, given)
    assert not await matches("not a hash", given)


async def test_hashing_leaves_the_event_loop_free():
    turns = 0

    async def tick() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await hashed("harbour at dawn")
    ticking.cancel()
    assert turns > 20


async def test_too_many_at_once_are_told_to_come_again(monkeypatch):
    monkeypatch.setattr(passwords, "WAITING", 3)
    answers = await asyncio.gather(
        *(hashed("harbour at dawn") for _ in range(5)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [str, str, str, Busy, Busy]
    assert await hashed("harbour at dawn")


def test_a_hash_of_weaker_parameters_is_known_as_such():
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("harbour at dawn")
    assert passwords.is_outdated(weak)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Ann", "Ann"), ("  ann ", "ann"), ("ann@film.example", "ann@film.example"),
        ("Ａｎｎ", "Ann"), ("Zoë", "Zoë"), ("小明", "小明"), ("o'hara", "o'hara"), ("007", "007"),
    ],
)  # fmt: skip
def test_a_name_is_kept_as_it_is_written(name, kept):
    assert clean_account_name(name) == kept


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "2 to 64"), ("x", "2 to 64"), ("x" * 65, "2 to 64"), ("x" * 10_000, "limit is 64"),
        ("an n", "can’t have a space"), ("a\u202enn", "can’t have"), ("a\u200bnn", "can’t have"),
        ("<b>", "can’t have “<”"), ("a/b", "can’t have “/”"), ("a\0b", "can’t have"),
        ("..", "letter"),
        (None, "must be text"), (["ann"], "must be text"),
    ],
)  # fmt: skip
def test_a_name_that_cant_be_says_why(name, problem):
    with pytest.raises(Refused, match=problem):
        clean_account_name(name)


def test_names_that_differ_in_case_or_width_alone_are_one():
    assert key_of("ANN") == key_of("ann") == key_of(" Ａnn ")
    assert key_of("Straße") == key_of("STRASSE")
    assert key_of("Zoe\u0308") == key_of("zoë")
    assert key_of("ann") != key_of("anna")


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; iPhone OS 18 like Mac OS X) Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit Chrome/140 Mobile", "Chrome on Android"),
        ("curl/8.5.0", "curl"), ("", "Unknown device"), ("\x1b[31mx" * 50, "[31mx"),
    ],
)  # fmt: skip
def test_a_device_is_two_words(agent, device):
    assert device_of(agent).startswith(device)
    assert len(device_of(agent)) <= 60
