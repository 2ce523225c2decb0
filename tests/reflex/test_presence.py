"""Who else looks at the same, and what a tab hears that nobody looks at."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import reflex as rx

from persistence import Target
from persistence.reflex import (
    PresenceState,
    SettingsState,
    announce,
    current_actor,
    follow,
    recheck_rights,
    setting,
)
from persistence.reflex.presence import initials

NAMES = {"ann": "Ann Lee", "bob": "Bob"}
FILM = ("project", "film")


def declare() -> tuple[Any, Any]:
    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        frames: rx.Field[int] = setting(24)

    class Shots(rx.State):
        reads: rx.Field[int] = rx.field(0)

        @rx.event
        def watch(self) -> None:
            follow([FILM], Shots.read)

        @rx.event
        def read(self) -> None:
            self.reads += 1

        @rx.event
        def rename(self) -> None:
            announce(*FILM)

    return Travel, Shots


def owners(page: Any) -> dict[str, str]:
    shot = page.path.strip("/")
    return {"project": "film", **({"shot": shot} if shot else {})}


def describe(scope: str, ids: list[str]) -> dict[str, str]:
    assert scope == "user"
    return {each: NAMES[each] for each in ids if each in NAMES}


@pytest.fixture
def here(serve: Any) -> Any:
    def running(**options: Any) -> Any:
        return serve(owners=options.pop("owners", owners), describe=describe, **options)

    return running


def names(tab: Any, scope: str = "") -> list[str]:
    told = tab.shows(PresenceState, "here") or {}
    return [each["name"] for each in told.get(scope, [])]


# --- who is here ---------------------------------------------------------------------------------


async def test_others_on_the_same_shot_are_told_by_name_and_leave_when_they_close(here, until):
    declare()
    async with here() as site:
        ann = await site.open("t1", "ann", "/s1")
        assert names(ann) == []
        bob = await site.open("t2", "bob", "/s1")
        await until(lambda: names(ann) == ["Bob"] and names(bob) == ["Ann Lee"])
        [told] = ann.shows(PresenceState, "here")["shot"]
        assert (told["initials"], told["away"]) == ("B", False)
        bob.close()
        site.tabs.sweep()
        await until(lambda: names(ann) == [])


async def test_another_shot_of_the_project_is_another_place_and_the_same_project(here, until):
    declare()
    async with here() as site:
        ann = await site.open("t1", "ann", "/s1")
        bob = await site.open("t2", "bob", "/s2")
        await until(lambda: names(ann, "project") == ["Bob"])
        assert (names(ann), names(bob, "shot")) == ([], [])
        bob.path = "/s1"
        await bob.open()
        await until(lambda: names(ann) == ["Bob"])
        bob.path = "/"
        await bob.open()
        await until(lambda: names(ann) == [] and names(ann, "project") == ["Bob"])
        assert names(bob) == ["Ann Lee"], "the strongest that the page shows"


async def test_who_turns_to_another_shot_or_to_none_is_told_of_nobody_there(here, until):
    declare()
    async with here() as site:
        ann = await site.open("t1", "ann", "/s1")
        await site.open("t2", "bob", "/s1")
        await until(lambda: names(ann, "shot") == ["Bob"])
        ann.path = "/s2"
        await ann.open()
        assert (names(ann, "shot"), names(ann, "project")) == ([], ["Bob"])
        ann.path = "/s1"
        await ann.open()
        await until(lambda: names(ann, "shot") == ["Bob"])
        ann.path = "/"
        await ann.open()
        assert (names(ann, "shot"), names(ann, "project")) == ([], ["Bob"])


async def test_ones_own_other_tabs_are_nobody_else_and_a_person_is_there_once(here, until):
    declare()
    async with here() as site:
        one = await site.open("t1", "ann", "/s1")
        await site.open("t2", "ann", "/s1")
        bob = await site.open("t3", "bob", "/s1")
        await until(lambda: names(one) == ["Bob"])
        await until(lambda: names(bob) == ["Ann Lee"])


async def test_who_may_not_read_is_not_told_and_not_told_of(here, until):
    declare()
    members = {"ann", "bob"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return scope == "user" or actor in members

    async with here(authorise=authorise) as site:
        ann = await site.open("t1", "ann", "/s1")
        bob = await site.open("t2", "bob", "/s1")
        eve = await site.open("t3", "eve", "/s1")
        await until(lambda: names(ann) == ["Bob"])
        await asyncio.sleep(0.15)
        assert (names(ann), names(bob), names(eve)) == (["Bob"], ["Ann Lee"], [])
        members.discard("bob")
        announce("shot", "s1")
        await until(lambda: names(ann) == [] and names(bob) == [])
        members.add("eve")
        await recheck_rights("project", "film")
        await until(lambda: names(ann) == ["eve"] and names(eve) == ["Ann Lee"])


async def test_names_are_those_for_everybody_not_for_whose_event_it_was(serve, until):
    """An app may call who asks "You"."""
    declare()

    def told(scope: str, ids: list[str]) -> dict[str, str]:
        return {each: "You" if each == current_actor() else each.title() for each in ids}

    async with serve(owners=owners, describe=told) as site:
        ann = await site.open("t1", "ann", "/s1")
        bob = await site.open("t2", "bob", "/s1")
        await until(lambda: names(ann) and names(bob))
        await bob.send(PresenceState.look, hidden=True, number=1)
        await until(lambda: ann.shows(PresenceState, "here")["shot"][0]["away"])
        assert (names(ann), names(bob)) == (["Bob"], ["Ann"])


async def test_without_the_question_who_may_read_a_stranger_would_be_told(here, until):
    """The control of the test above."""
    declare()
    async with here() as site:
        await site.open("t1", "ann", "/s1")
        eve = await site.open("t3", "eve", "/s1")
        await until(lambda: names(eve) == ["Ann Lee"])


async def test_a_tab_that_is_somebody_elses_by_now_is_them(here, until):
    declare()
    async with here() as site:
        ann = await site.open("t1", "ann", "/s1")
        bob = await site.open("t2", "bob", "/s1")
        await until(lambda: names(ann) == ["Bob"])
        bob.user = "eve"
        await bob.open()
        await until(
            lambda: names(ann) == ["eve"],
        )
        assert names(bob) == ["Ann Lee"]


async def test_a_hidden_tabs_person_is_away(here, until):
    declare()
    async with here() as site:
        ann = await site.open("t1", "ann", "/s1")
        bob = await site.open("t2", "bob", "/s1")
        await until(lambda: names(ann) == ["Bob"])
        await bob.send(PresenceState.look, hidden=True, number=1)
        await until(lambda: ann.shows(PresenceState, "here")["shot"][0]["away"])
        await bob.send(PresenceState.look, hidden=False, number=2)
        await until(lambda: not ann.shows(PresenceState, "here")["shot"][0]["away"])


async def test_a_connection_that_comes_back_in_time_was_never_away_for_good(here, until):
    declare()
    async with here() as site:
        ann = await site.open("t1", "ann", "/s1")
        bob = await site.open("t2", "bob", "/s1")
        await until(lambda: names(ann) == ["Bob"])
        told = len(ann.updates)
        bob.close()
        await bob.open()
        site.tabs.sweep()
        await asyncio.sleep(0.15)
        assert (names(ann), len(ann.updates)) == (["Bob"], told)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ana Lima", "AL"), ("bo@example.org", "B"), ("Ann van der Lee", "AL"), ("“”", "?"), ("", "?"),
     ("李 小龙", "李小"), ("ß", "SS")],
)  # fmt: skip
def test_initials_are_those_of_the_first_and_the_last_word(name: str, expected: str) -> None:
    assert initials(name) == expected


# --- lists of the app's own ----------------------------------------------------------------------


async def test_what_is_announced_is_read_again_by_all_who_follow_it_but_not_by_whom_it_is(
    here, until
):
    _, shots = declare()
    async with here() as site:
        own, other = await site.open("t1", "ann"), await site.open("t2", "ann")
        bobs = await site.open("t3", "bob")
        for tab in (own, other, bobs):
            await tab.send(shots.watch)
        await own.send(shots.rename)
        await until(lambda: other.shows(shots, "reads") == bobs.shows(shots, "reads") == 1)
        assert not own.shows(shots, "reads")
        announce("project", "another")
        announce(*FILM)  # from a route, say: nobody's event
        await until(lambda: own.shows(shots, "reads") == 1)
        await asyncio.sleep(0.1)
        assert other.shows(shots, "reads") == 2


async def test_announcements_close_together_are_read_once(here, until):
    _, shots = declare()
    async with here() as site:
        tab = await site.open("t1")
        await tab.send(shots.watch)
        for _ in range(50):
            announce(*FILM)
        await until(lambda: tab.shows(shots, "reads") == 1)
        await asyncio.sleep(0.1)
        assert tab.shows(shots, "reads") == 1


def test_where_nothing_is_installed_an_announcement_is_no_error(states):
    announce("project", "film")


# --- hidden tabs ---------------------------------------------------------------------------------


async def test_a_hidden_tab_is_left_alone_and_catches_up_when_it_is_looked_at(here, until):
    travel, shots = declare()
    async with here() as site:
        tab = await site.open("t1", "ann", "/s1")
        await tab.send(shots.watch)
        await tab.send(PresenceState.look, hidden=True, number=1)
        await site.settle()
        told = len(tab.updates)
        binding: Any = await site.engine.open(travel, {"project": "film", "shot": "s1"})
        for frames in range(10):
            binding.update(frames=frames)
            announce(*FILM)
            await binding.flush()
        await asyncio.sleep(0.15)
        assert len(tab.updates) == told
        await tab.send(PresenceState.look, hidden=False, number=2)
        assert tab.shows(travel, "frames") == 9
        assert tab.shows(PresenceState, "answered") == 2
        await until(lambda: tab.shows(shots, "reads") == 1)
        binding.update(frames=77)
        await until(lambda: tab.shows(travel, "frames") == 77)


async def test_a_hidden_tab_hears_what_became_of_its_own_edits(here, until):
    """Its browser goes on keeping and sending them until it does."""
    travel, _ = declare()
    async with here() as site:
        tab = await site.open("t1", "ann", "/s1")
        await tab.send(PresenceState.look, hidden=True, number=1)
        made = await tab.operate(travel, "frames", 41)
        from persistence.reflex import PersistenceState

        await until(lambda: made in (tab.shows(PersistenceState, "confirmed") or []))
        assert await site.stored("shot", "s1", "travel-ui-state") == {"frames": "41"}


@pytest.mark.parametrize("sent", [{"hidden": 1, "number": 2}, {"hidden": True, "number": "x"}])
async def test_what_no_page_of_ours_would_say_changes_nothing(here, sent):
    declare()
    async with here() as site:
        tab = await site.open("t1", "ann", "/s1")
        await tab.send(PresenceState.look, **sent)
        assert not site.tabs.by_token["t1"].is_hidden
        assert Target("shot", "s1", "travel-ui-state") in site.tabs.watching
