"""Where an edit goes: to the panel's edit target, or to one of the setting's own."""

from __future__ import annotations

import pytest

from persistence import Engine, ScopeNotAllowed, Settings, UnknownField, setting
from persistence.binding import Binding

OWNERS = {"user": "ana", "project": "harbour", "shot": "s1"}


class Take(Settings, tool="t.take", edit="shot"):
    prompt: str = setting("", scopes=("shot",), inherit=False)
    seed: int = setting(1, scopes=("user", "project"))
    frames: int = setting(61)
    steps: int = setting(8)


async def opened(engine: Engine) -> Binding[Take]:
    return await engine.open(Take, OWNERS)


def engine() -> Engine:
    return Engine("memory:", scopes=("user", "project", "shot"))


async def test_a_setting_that_may_not_be_set_there_goes_to_the_strongest_scope_that_it_allows():
    async with engine() as one:
        take = await opened(one)
        take.update(seed=7, frames=50)
        assert (take.origin("seed"), take.origin("frames")) == ("project", "shot")
        take.choose_edit_scope("user")
        take.update(prompt="gulls", seed=9, frames=40)
        assert take.origin("prompt") == "shot"
        assert take.explain("seed").layers[0].value == 9
        assert take.shown("frames") == 40
        assert take.values.frames == 50


async def test_one_settings_edit_target_can_be_chosen_and_taken_back():
    async with engine() as one:
        take = await opened(one)
        take.choose_edit_scope("project", "frames")
        assert (take.edit_scope_of("frames"), take.edit_scope_of("steps")) == ("project", "shot")
        take.update(frames=50, steps=9)
        assert (take.origin("frames"), take.origin("steps")) == ("project", "shot")
        take.choose_edit_scope("", "frames")
        take.update(frames=41)
        assert take.origin("frames") == "shot"


async def test_choosing_for_all_is_choosing_for_each():
    async with engine() as one:
        take = await opened(one)
        take.choose_edit_scope("project", "frames")
        take.choose_edit_scope("user")
        assert take.edit_scope_of("frames") == "user"


async def test_pin_block_reset_and_keys_of_a_setting_go_to_its_own_edit_target():
    async with engine() as one:
        take = await opened(one)
        take.choose_edit_scope("project", "frames")
        take.pin("frames")
        assert take.explain("frames").layers[1].kind == "pin"
        take.block("frames")
        assert take.explain("frames").layers[1].kind == "block"
        take.reset("frames")
        assert [layer.state for layer in take.explain("frames").layers] == ["unset"] * 3


async def test_a_target_that_the_setting_or_the_page_does_not_have_is_refused():
    async with engine() as one:
        take = await one.open(Take, {"user": "ana", "shot": "s1"})
        with pytest.raises(ScopeNotAllowed, match="only at shot"):
            take.choose_edit_scope("user", "prompt")
        with pytest.raises(ValueError, match="isn't shown"):
            take.choose_edit_scope("project", "frames")
        with pytest.raises(UnknownField):
            take.choose_edit_scope("user", "nothing")
        with pytest.raises(ScopeNotAllowed):
            take.update(scope="user", prompt="for all")
