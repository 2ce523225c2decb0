"""A page's handler that runs when something changes in layers that it shows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import reflex as rx

from persistence import Target
from persistence.reflex import (
    SettingsState,
    current_actor,
    follow,
    running_engine,
    setting,
    show,
)
from persistence.reflex.following import follow_own
from persistence.reflex.mirror import tab_of_event
from persistence.reflex.tabs import require_tabs

SHOT = Target("shot", "ann-A", "travel-ui-state")
PROJECT = Target("project", "ann-p", "travel-ui-state")


def declare() -> tuple[Any, Any]:
    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        frames: rx.Field[int] = setting(24)

    class Counter(rx.State):
        count: rx.Field[int] = rx.field(0)
        actor: rx.Field[str] = rx.field("")
        path: rx.Field[str] = rx.field("")

        @rx.event
        def watch(self, shot: bool = True, project: bool = True) -> None:
            follow(
                [target for target, on in ((SHOT, shot), (PROJECT, project)) if on], Counter.hear
            )

        @rx.event
        async def late(self) -> None:
            """What a handler does whose page is closed while it waits for something."""
            tabs, tab = require_tabs(), tab_of_event()
            assert tab is not None
            tabs.close(tab)
            follow([SHOT], Counter.hear)
            follow_own(Counter.hear)
            await show(self, {"shot": "ann-A"})
            self.count = 7

        @rx.event
        def hear(self) -> None:
            self.count += 1
            self.actor, self.path = current_actor(), self.router.url.path

    return Travel, Counter


async def edit(site: Any, value: int, *, scope: str = "shot") -> None:
    """Somebody else's edit, in the same process."""
    owners = {"user": "ann", "project": "ann-p", "shot": "ann-A"}
    binding: Any = await running_engine().open("travel-ui-state", owners, actor="bob")
    binding.update(frames=value, scope=scope)
    await binding.flush()
    await site.settle()
    binding.close()


async def test_it_runs_for_a_change_that_a_stronger_layer_hides(serve, until):
    _, counter = declare()
    async with serve() as site:
        tab = await site.open("t1", path="/shot")
        await tab.send(counter.watch)
        await edit(site, 30)
        await until(lambda: (tab.shows(counter, "count") or 0) >= 1)
        seen = tab.shows(counter, "count")
        await edit(site, 40, scope="project")
        await until(lambda: tab.shows(counter, "count") > seen)
        assert tab.shows(counter, "actor") == "ann", "it is the page's own event"
        assert tab.shows(counter, "path") == "/shot"


async def test_what_isnt_followed_any_more_is_not_heard_of(serve, until):
    _, counter = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(counter.watch)
        await tab.send(counter.watch, project=False)
        await edit(site, 40, scope="project")
        await asyncio.sleep(0.1)
        assert not tab.shows(counter, "count")
        await tab.send(counter.watch, project=False, shot=False)
        await edit(site, 41)
        await asyncio.sleep(0.1)
        assert not tab.shows(counter, "count")


async def test_another_page_in_the_tab_follows_nothing_of_it(serve):
    _, counter = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(counter.watch)
        tab.path = "/elsewhere"
        await tab.send(rx.State.hydrate_and_load)
        await edit(site, 30)
        await asyncio.sleep(0.1)
        assert not tab.shows(counter, "count")


async def test_a_tab_that_has_gone_is_left_alone(serve):
    _, counter = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(counter.watch)
        site.connected.discard("t1")
        await edit(site, 30)
        await asyncio.sleep(0.1)
        assert not tab.shows(counter, "count")


async def test_a_handler_whose_page_is_closed_meanwhile_goes_on(serve, caplog):
    _, counter = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(counter.late)
        await site.settle()
        assert tab.shows(counter, "count") == 7
        assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_changes_close_together_run_it_once(serve, until):
    travel, counter = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(counter.watch)
        binding: Any = await site.engine.open(travel, {"shot": "ann-A"}, actor="bob")
        for frames in range(50):
            binding.update(frames=frames)
        await until(lambda: (tab.shows(counter, "count") or 0) >= 1)
        await site.settle()
        await asyncio.sleep(0.1)
        assert tab.shows(counter, "count") <= 4


async def test_outside_of_an_event_there_is_nobody_to_tell(serve):
    _, counter = declare()
    async with serve():
        with pytest.raises(RuntimeError, match="event handler"):
            follow([SHOT], counter.hear)
