"""What a panel knows of each setting, and what its page events take, also from a hostile page."""

from __future__ import annotations

import json
from typing import Any

import pytest
import reflex as rx

from persistence.reflex import SettingsState, setting

HOSTILE = ["", "nothing", "__class__", 3, None, ["frames"], {"frames": 1}, "x" * 5000, True]


def declare() -> Any:
    class Travel(SettingsState, tool="p.travel", edit="shot"):
        prompt: rx.Field[str] = setting("", scopes=("shot",), inherit=False)
        seed: rx.Field[int] = setting(1, scopes=("user", "project"))
        frames: rx.Field[int] = setting(61, ge=1, le=241)

    return Travel


def target_of(tab: Any, state: Any, field: str) -> list[str]:
    info = tab.shows(state, "info")[field]
    return json.loads(info["target"] or tab.shows(state, "target"))


async def test_a_setting_that_may_not_be_set_there_has_an_edit_target_of_its_own(serve: Any):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        assert target_of(tab, travel, "seed") == ["project", "ann-p", "p.travel"]
        assert target_of(tab, travel, "frames") == ["shot", "ann-A", "p.travel"]
        await tab.send(travel.choose_edit_scope, scope="project")
        assert target_of(tab, travel, "prompt") == ["shot", "ann-A", "p.travel"]
        await tab.operate(travel, "prompt", "gulls", target=target_of(tab, travel, "prompt"))
        await site.settle()
        assert await site.stored("shot", "ann-A", "p.travel") == {"prompt": '"gulls"'}


async def test_one_settings_edit_target_is_chosen_by_a_page_event(serve: Any):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(travel.choose_field_scope, field="frames", scope="user")
        assert target_of(tab, travel, "frames") == ["user", "ann", "p.travel"]
        assert tab.shows(travel, "info")["frames"]["scope"] == "user"
        await tab.send(travel.choose_field_scope, field="frames", scope="")
        assert target_of(tab, travel, "frames") == ["shot", "ann-A", "p.travel"]


async def test_a_refusal_of_a_setting_with_a_target_of_its_own_is_shown_at_it(serve: Any):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(travel.choose_field_scope, field="frames", scope="user")
        at = target_of(tab, travel, "frames")
        await tab.operate(travel, "frames", 999, target=at)
        assert "241" in tab.shows(travel, "errors")["frames"]
        await tab.operate(travel, "frames", 99, target=at)
        assert "frames" not in tab.shows(travel, "errors")


async def test_a_policy_is_told_with_its_reason_and_who_made_it(serve: Any):
    travel = declare()
    async with serve(describe=lambda scope, _: {"producer": f"Paula ({scope})"}) as site:
        tab = await site.open("t1")
        producer = await site.engine.open(
            travel, {"user": "ann", "project": "ann-p", "shot": "ann-A"}, actor="producer"
        )
        await producer.enforce("frames", 24, scope="project", note="until the review")
        await site.settle()
        info = tab.shows(travel, "info")["frames"]
        assert (info["policy"], info["note"], info["by"]) == (
            "project", "until the review", "Paula (user)",
        )  # fmt: skip


async def test_a_pin_and_a_block_are_told_and_reset_takes_several_back_as_one(serve: Any):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.operate(travel, "frames", 61, kind="pin")
        at = target_of(tab, travel, "seed")
        await tab.operate(travel, "seed", None, kind="block", target=at)
        await site.settle()
        kinds = {name: each["kind"] for name, each in tab.shows(travel, "info").items()}
        assert kinds == {"prompt": "", "seed": "block", "frames": "pin"}
        await tab.send(travel.reset_shown, fields=["frames", "seed", "prompt"])
        await site.settle()
        assert not any(each["own"] for each in tab.shows(travel, "info").values())
        rows = await site.engine.store.history(
            [site.engine.layer(layer.target).target for layer in site.engine.layers.values()]
        )
        assert len({row.group for row in rows if row.kind == "reset"}) == 1


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_arguments_change_nothing(serve: Any, hostile: Any):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.operate(travel, "frames", 41)
        await site.settle()
        before = tab.shows(travel, "info")
        for handler in (
            travel.reset_field, travel.pin_field, travel.block_field, travel.retry_field,
            travel.discard_field,
        ):  # fmt: skip
            await tab.send(handler, field=hostile)
        await tab.send(travel.choose_field_scope, field=hostile, scope="user")
        if hostile != "":
            await tab.send(travel.choose_field_scope, field="frames", scope=hostile)
            await tab.send(travel.choose_edit_scope, scope=hostile)
        await tab.send(travel.reset_shown, fields=hostile if hostile != ["frames"] else [hostile])
        await site.settle()
        assert tab.shows(travel, "info") == before
        assert await site.stored("shot", "ann-A", "p.travel") == {"frames": "41"}
        assert await site.stored("user", "ann", "p.travel") == {}


async def test_an_edit_that_was_set_aside_is_told_with_its_value_and_can_be_retried(serve: Any):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        here = await site.engine.open(
            travel, {"user": "ann", "project": "ann-p", "shot": "ann-A"}, actor="ann"
        )
        layer = here.layers[-1]
        here.update(frames=41)
        edit = layer.pending.waiting["frames"]
        layer.pending.drop("frames")
        site.engine.recorder.set_aside(layer, edit, "the disk is full")
        await site.settle()
        told = tab.shows(travel, "aside")
        assert told == {"frames": {"problem": "the disk is full", "mine": 41, "kind": "refused"}}
        await tab.send(travel.retry_field, field="frames")
        await site.settle()
        assert tab.shows(travel, "aside") == {}
        assert await site.stored("shot", "ann-A", "p.travel") == {"frames": "41"}
