"""Guests: whom a cookie makes, and what the library's questions are answered."""

from __future__ import annotations

import stat

import pytest

from workbench import accounts, projects
from workbench.accounts import COOKIE, authorise, identify, new_guest, read_cookie


@pytest.fixture(autouse=True)
def fresh_key():
    accounts.secret_key.cache_clear()
    yield
    accounts.secret_key.cache_clear()


def header(value: str) -> dict[str, str]:
    return {"cookie": f"other=1; {COOKIE}={value}; last=2"}


def test_a_guest_is_known_by_the_cookie_again():
    value = new_guest()
    assert identify(header(value)) == value.split(".")[0]
    assert len(identify(header(value))) == 22


@pytest.mark.parametrize("cookie", ["", "x", COOKIE, f"{COOKIE}=", f"{COOKIE}=.", f"{COOKIE}=é.é"])
def test_no_cookie_is_nobody(cookie: str):
    assert read_cookie(cookie) == ""


def test_a_cookie_that_somebody_made_up_or_changed_is_nobody():
    value = new_guest()
    user, signature = value.split(".")
    for forged in (f"{user}x.{signature}", f"{user}.{signature[:-1]}0x", user, f".{signature}"):
        assert identify(header(forged)) == ""


def test_another_key_makes_it_nobodys(monkeypatch):
    value = new_guest()
    accounts.secret_key.cache_clear()
    monkeypatch.setenv("SECRET_KEY", "another")
    assert identify(header(value)) == ""


def test_a_key_is_made_once_and_only_its_owner_can_read_it(monkeypatch, tmp_path):
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setattr(accounts, "KEY_FILE", tmp_path / ".secret_key")
    first = accounts.secret_key()
    accounts.secret_key.cache_clear()
    assert accounts.secret_key() == first
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / ".secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".secret_key"]


async def test_one_may_read_and_write_what_is_ones_own_and_live(new_user):
    me, other = new_user(), new_user()
    project = await projects.create_project(me, "P")
    shot = await projects.create_shot(me, project, "Wide")
    for scope, owner in (("user", me), ("project", project), ("shot", shot)):
        assert await authorise(me, "write", scope, owner)
        assert not await authorise(other, "read", scope, owner)
        assert not await authorise("", "read", scope, owner)
    await projects.delete_shot(me, shot)
    assert not await authorise(me, "write", "shot", shot)
