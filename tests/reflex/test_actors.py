"""Who somebody is changes behind an open page: signed out, a session ended, an account deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from persistence import Engine
from persistence.reflex import (
    PersistenceState,
    SettingsState,
    current_actor,
    recheck_actors,
    running_engine,
    setting,
)
from tests.reflex.conftest import identify

SEEN: list[str] = []


def declare() -> Any:
    class Travel(SettingsState, tool="travel-ui-state", edit="user"):
        prompt: rx.Field[str] = setting("", max_length=20)

        @rx.event
        def look(self):
            SEEN.append(current_actor())

        @rx.event
        def write(self, text: str):
            self.prompt = text

    return Travel


class Sessions:
    """An app's: whose cookies no longer count."""

    def __init__(self) -> None:
        self.ended: set[str] = set()

    def identify(self, headers: Mapping[str, str]) -> str:
        user = identify(headers)
        return "" if user in self.ended else user


async def test_a_handler_knows_whose_event_it_is(serve):
    SEEN.clear()
    travel = declare()
    async with serve() as site:
        page = await site.open("t1", user="ann")
        await page.send(travel.look)
        assert SEEN == ["ann"]
        assert current_actor() == ""
        assert isinstance(running_engine(), Engine)


async def test_a_page_whose_session_ended_saves_as_before_then_shows_and_does_nothing(serve):
    travel, sessions = declare(), Sessions()
    async with serve(identify=sessions.identify, debounce=60, max_wait=60) as site:
        page = await site.open("t1", user="ann")
        await page.operate(travel, "prompt", "mine")
        sessions.ended.add("ann")
        assert await recheck_actors() == 1
        await site.settle()
        assert page.shows(travel, "prompt") == ""
        assert page.shows(PersistenceState, "actor") == ""
        held = await site.stored("user", "ann", "travel-ui-state")
        assert held == {"prompt": '"mine"'}
        made = site.operation(
            page, travel, "prompt", "after", target=["user", "ann", "travel-ui-state"]
        )
        await page.send(PersistenceState.receive, operations=[made])
        await page.send(travel.write, text="after")
        await site.settle()
        assert await site.stored("user", "ann", "travel-ui-state") == held
        changes = await site.engine.store.history([_target("ann")])
        assert {change.author for change in changes} == {"ann"}


async def test_it_hears_of_no_change_any_more_and_other_pages_stay_as_they_are(serve):
    travel, sessions = declare(), Sessions()
    async with serve(identify=sessions.identify) as site:
        page, other = await site.open("t1", user="ann"), await site.open("t2", user="bob")
        await other.operate(travel, "prompt", "bob's")
        sessions.ended.add("ann")
        assert await recheck_actors() == 1
        assert await recheck_actors() == 0
        await site.settle()
        ann = await site.engine.open(travel.__tool__, {"user": "ann"}, actor="ann")
        ann.update(prompt="later")
        await site.settle()
        assert page.shows(travel, "prompt") == ""
        assert other.shows(travel, "prompt") == "bob's"
        ann.close()


async def test_who_comes_back_to_such_a_page_begins_anew(serve):
    travel, sessions = declare(), Sessions()
    async with serve(identify=sessions.identify) as site:
        page = await site.open("t1", user="ann")
        await page.operate(travel, "prompt", "mine")
        await site.settle()
        sessions.ended.add("ann")
        await recheck_actors()
        await site.settle()
        page.user = "bob"
        await page.open()
        await site.settle()
        assert page.shows(travel, "prompt") == ""
        assert page.shows(PersistenceState, "actor") == "bob"
        await page.operate(travel, "prompt", "bob's")
        await site.settle()
        assert await site.stored("user", "bob", "travel-ui-state") == {"prompt": '"bob\'s"'}
        assert await site.stored("user", "ann", "travel-ui-state") == {"prompt": '"mine"'}


def _target(user: str) -> Any:
    from persistence import Target

    return Target("user", user, "travel-ui-state")


async def test_an_edit_that_somebody_else_made_waits_for_them(serve):
    travel = declare()
    async with serve() as site:
        page = await site.open("t1", user="bob")
        shared = ["user", "ann", "travel-ui-state"]
        made = site.operation(page, travel, "prompt", "ann's", target=shared, actor="ann")
        await page.send(PersistenceState.receive, operations=[made])
        await site.settle()
        assert await site.stored(*shared) == {}
        assert page.shows(PersistenceState, "confirmed") in (None, [])
        assert page.shows(PersistenceState, "answers") in (None, [])  # the page keeps it
        page.user = "ann"
        await page.open()
        await page.send(PersistenceState.receive, operations=[made])
        await site.settle()
        assert await site.stored(*shared) == {"prompt": '"ann\'s"'}
        assert page.shows(PersistenceState, "confirmed") == [made["id"]]
