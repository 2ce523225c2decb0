"""Guests: whom a cookie makes, and what the library's questions are answered."""

from __future__ import annotations

import stat

import pytest

from persistence import StoreUnavailable
from persistence.reflex import Page
from workbench import projects
from workbench.accounts import authorise, identify, keys, owners
from workbench.accounts.cookies import GUEST_COOKIE, guest_cookie, guest_in
from workbench.models import new_id


def header(value: str) -> dict[str, str]:
    return {"cookie": f"other=1; {GUEST_COOKIE}={value}; last=2"}


async def test_a_guest_is_known_by_the_cookie_again():
    guest = new_id()
    assert await identify(header(guest_cookie(guest))) == guest
    assert len(guest) == 22


@pytest.mark.parametrize("value", ["", "=", "=.", "=é.é", "=..", '="', "=a.b.c"])
async def test_no_cookie_is_nobody(value: str):
    assert guest_in(GUEST_COOKIE + value) == ""
    assert await identify({"cookie": GUEST_COOKIE + value}) == ""
    assert await identify({}) == ""


async def test_a_cookie_that_somebody_made_up_or_changed_is_nobody():
    value = guest_cookie(new_id())
    user, signature = value.split(".")
    for forged in (f"{user}x.{signature}", f"{user}.{signature[:-1]}0x", user, f".{signature}"):
        assert await identify(header(forged)) == ""


async def test_another_key_makes_it_nobodys(monkeypatch):
    value = guest_cookie(new_id())
    keys.secret_key.cache_clear()
    monkeypatch.setenv("SECRET_KEY", "another")
    assert await identify(header(value)) == ""


def test_what_is_signed_for_one_purpose_is_nothing_for_another():
    assert keys.signed("session", keys.sign("guest", "ann")) == ""
    assert keys.signed("guest", keys.sign("guest", "ann")) == "ann"


def test_a_key_is_made_once_and_only_its_owner_can_read_it(monkeypatch, tmp_path):
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setattr(keys, "KEY_FILE", tmp_path / ".secret_key")
    keys.secret_key.cache_clear()
    first = keys.secret_key()
    keys.secret_key.cache_clear()
    assert keys.secret_key() == first
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / ".secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".secret_key"]


async def test_a_page_shows_the_settings_of_what_is_there_and_ones_own(new_user):
    me, other = new_user(), new_user()
    project = await projects.create_project(me, "P")
    shot = await projects.create_shot(me, project, "Wide")
    another = await projects.create_project(me, "Q")

    async def shown(actor: str, **params: str) -> dict[str, str | None]:
        return await owners(Page(actor, "", "", params))

    both = {"project_id": project, "shot_id": shot}
    assert await shown(me, **both) == {"project": project, "shot": shot}
    assert await shown(me, project_id=project) == {"project": project, "shot": None}
    assert await shown(me) == {}
    assert await shown(other, **both) == {}
    assert await shown(me, project_id=another, shot_id=shot) == {}
    await projects.delete_shot(me, shot)
    assert await shown(me, **both) == {}


async def test_a_database_that_is_away_is_no_refusal(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/no/such/folder/x.db")
    with pytest.raises(StoreUnavailable):
        await authorise("me", "read", "project", "p")
    page = Page("me", "", "", {"project_id": "p"})
    assert await owners(page) == {"project": "p", "shot": None}


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
