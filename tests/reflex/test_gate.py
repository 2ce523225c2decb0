"""Before each event: who, what, loaded. With a database that is slow, away or wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx

from persistence import StoreUnavailable
from persistence.reflex import PersistenceState, SettingsState, setting, show
from persistence.store import open_store


class Database:
    """A store that waits or fails on request."""

    def __init__(self) -> None:
        self.store = open_store("memory:")
        self.load_gate, self.commit_gate = asyncio.Event(), asyncio.Event()
        self.load_gate.set()
        self.commit_gate.set()
        self.problem = ""
        self.loads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def load(self, targets: Any) -> Any:
        self.loads += 1
        await self.load_gate.wait()
        if self.problem:
            raise StoreUnavailable(self.problem)
        return await self.store.load(targets)

    async def commit(self, writes: Any) -> Any:
        await self.commit_gate.wait()
        if self.problem:
            raise StoreUnavailable(self.problem)
        return await self.store.commit(writes)


def declare() -> Any:
    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        prompt: rx.Field[str] = setting("", inherit=False)
        frames: rx.Field[int] = setting(61, ge=1, le=241)

        @rx.event
        def more(self) -> None:
            self.frames += 1

        @rx.event
        async def go(self, shot: str) -> None:
            await self.show({"project": "ann-p", "shot": shot})

        @rx.event
        async def nobody(self) -> None:
            await self.show({"user": None})

    class Clock(rx.State):
        ticks: int = 0

        @rx.event
        def tick(self) -> None:
            self.ticks += 1

        @rx.event
        async def meddle(self) -> None:
            (await self.get_state(Travel)).prompt = "meddled"

        @rx.event
        async def go(self, shot: str) -> None:
            await show(self, {"project": "ann-p", "shot": shot})

    return Travel, Clock


async def test_a_slow_load_shows_loading_and_the_rest_of_the_page_answers(serve, until):
    travel, clock = declare()
    database = Database()
    async with serve(database=database, grace=0.02) as site:
        database.load_gate.clear()
        tab = await site.open("t1")
        assert tab.shows(travel, "status") == "loading"
        assert tab.shows(travel, "ready") is False
        await tab.send(clock.tick)
        assert tab.shows(clock, "ticks") == 1
        await tab.send(travel.more)
        await tab.send(travel.more)
        assert tab.shows(travel, "frames") in (None, 61)
        database.load_gate.set()
        await until(lambda: tab.shows(travel, "frames") == 63)
        assert tab.shows(travel, "ready") is True
        await site.settle()
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "63"}


async def test_a_users_edit_while_loading_is_kept_and_rebased(serve, until):
    travel, clock = declare()
    database = Database()
    async with serve(database=database, grace=0.02) as site:
        tab = await site.open("t1")
        await tab.send(travel.more)
        database.load_gate.clear()
        await tab.send(travel.go, shot="ann-B")
        assert tab.shows(travel, "status") == "loading"
        assert tab.shows(travel, "frames") == 61
        await tab.send(clock.meddle)
        database.load_gate.set()
        await until(lambda: tab.shows(travel, "status") == "ready")
        await site.settle()
        assert await site.stored("shot", "ann-B", "travel-ui-state") == {"prompt": '"meddled"'}
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "62"}


async def test_a_late_load_of_what_is_no_longer_shown_is_ignored(serve, until):
    travel, clock = declare()
    database = Database()
    async with serve(database=database, grace=0.02) as site:
        tab = await site.open("t1")
        await tab.send(travel.more)
        database.load_gate.clear()
        await tab.send(clock.go, shot="ann-B")
        await tab.send(clock.go, shot="ann-A")
        assert tab.shows(travel, "frames") == 62
        assert tab.shows(travel, "status") == "ready"
        database.load_gate.set()
        await site.settle()
        assert tab.shows(travel, "frames") == 62


async def test_a_failed_load_says_so_saves_nothing_and_heals(serve, until):
    travel, _ = declare()
    database = Database()
    async with serve(database=database, grace=0.02) as site:
        database.problem = "the disk is gone"
        tab = await site.open("t1")
        assert tab.shows(travel, "status") == "error"
        assert "the disk is gone" in tab.shows(travel, "last_error")
        await tab.send(travel.more)
        database.problem = ""
        await until(lambda: tab.shows(travel, "status") == "ready")
        await until(lambda: tab.shows(travel, "frames") == 62)


async def test_a_slow_commit_delays_the_answer_by_no_more_than_the_grace(serve, until):
    travel, _ = declare()
    database = Database()
    async with serve(database=database, grace=0.05) as site:
        tab = await site.open("t1")
        database.commit_gate.clear()
        began = asyncio.get_running_loop().time()
        await tab.send(travel.more)
        assert asyncio.get_running_loop().time() - began < 0.5
        assert tab.shows(travel, "frames") == 62
        assert tab.shows(travel, "status") == "saving"
        assert tab.shows(travel, "is_dirty") is True
        database.commit_gate.set()
        await until(lambda: tab.shows(travel, "status") == "ready")
        assert tab.shows(travel, "is_dirty") is False


async def test_an_answer_waits_for_no_commit_while_they_are_known_to_be_slow(serve, until):
    travel, _ = declare()
    database = Database()
    async with serve(database=database, grace=0.4) as site:
        tab, loop = await site.open("t1"), asyncio.get_running_loop()
        database.commit_gate.clear()
        await tab.send(travel.more)  # who knows; from here on it is known
        began = loop.time()
        await tab.send(travel.more)
        assert loop.time() - began < 0.3
        assert tab.shows(travel, "frames") == 63
        assert tab.shows(travel, "status") == "saving"
        database.commit_gate.set()
        await until(lambda: tab.shows(travel, "status") == "ready")
        await tab.send(travel.more)
        assert tab.shows(travel, "status") == "ready"  # quick again: durable when it is shown
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "64"}


async def test_a_failing_commit_is_shown_and_retried(serve, until):
    travel, _ = declare()
    database = Database()
    async with serve(database=database, grace=0.05) as site:
        tab = await site.open("t1")
        database.problem = "full"
        await tab.send(travel.more)
        await until(lambda: tab.shows(travel, "status") == "error")
        assert "full" in tab.shows(travel, "status_text")
        database.problem = ""
        await tab.send(travel.save)
        await until(lambda: tab.shows(travel, "status") == "ready")
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "62"}


async def test_all_tools_of_a_page_load_with_one_query(serve):
    declare()

    class Ui(SettingsState, tool="ui", edit="user"):
        theme: rx.Field[str] = setting("system")

    database = Database()
    async with serve(database=database) as site:
        await site.open("t1")
        assert database.loads == 1
        await site.open("t2")
        assert database.loads == 1


async def test_nobody_is_idle_and_nothing_is_saved(serve):
    travel, _ = declare()
    async with serve() as site:
        tab = await site.open("t1", user="")
        assert tab.shows(travel, "status") == "idle"
        await tab.send(travel.more)
        assert tab.shows(travel, "frames") in (None, 61)
        assert "frames" in tab.shows(travel, "errors")
        somebody = await site.open("t2")
        await somebody.send(travel.more)
        await somebody.send(travel.nobody)
        assert somebody.shows(travel, "status") == "idle"
        assert somebody.shows(travel, "frames") == 61


async def test_owners_follow_the_address(serve):
    travel, _ = declare()

    async def owners(page: Any) -> dict[str, str]:
        await asyncio.sleep(0)
        return {"shot": f"{page.actor}-{page.params['shot']}"} if "shot" in page.params else {}

    async with serve(owners=owners) as site:
        tab = site.tab("t1")
        tab.params = {"shot": "X"}
        await tab.open()
        await tab.send(travel.more)
        tab.params = {"shot": "Y"}
        await tab.send(rx.State.hydrate_and_load)
        assert '"ann-Y"' in tab.shows(travel, "target")
        assert tab.shows(travel, "frames") == 61
        tab.params = {}
        await tab.send(rx.State.hydrate_and_load)
        assert '"user"' in tab.shows(travel, "target")
        assert await site.stored("shot", "ann-X", "travel-ui-state") == {"frames": "62"}


async def test_what_authorise_refuses_is_not_shown(serve):
    travel, _ = declare()

    async def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return owner.startswith(actor)

    async with serve(authorise=authorise) as site:
        tab = await site.open("t1")
        await tab.send(travel.go, shot="bob-A")
        assert tab.shows(travel, "status") == "error"
        assert tab.shows(travel, "ready") is False
        await tab.send(travel.more)
        assert await site.stored("shot", "bob-A", "travel-ui-state") == {}


async def test_a_change_isnt_passed_on_to_who_may_not_read_any_more(serve):
    travel, _ = declare()
    allowed = {"ann", "bob"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return actor in allowed

    async with serve(authorise=authorise) as site:
        ann, bob = await site.open("t1", user="ann"), await site.open("t2", user="bob")
        for tab in (ann, bob):
            await tab.send(travel.go, shot="shared")
        await ann.operate(travel, "frames", 41)
        await site.settle()
        assert bob.shows(travel, "frames") == 41
        allowed.discard("bob")
        await ann.operate(travel, "frames", 42)
        await site.settle()
        assert bob.shows(travel, "frames") != 42
        assert (bob.shows(travel, "ready"), bob.shows(travel, "status")) == (False, "error")
        await ann.operate(travel, "frames", 43)
        await site.settle()
        assert ann.shows(travel, "frames") == 43


async def test_closed_tabs_are_let_go_and_what_they_edited_is_saved(serve):
    travel, _ = declare()
    async with serve() as site:
        for number in range(30):
            tab = await site.open(f"t{number}")
            await tab.operate(travel, "prompt", f"text {number}")
            site.connected.discard(f"t{number}")
        assert len(site.tabs.by_token) == 30
        site.tabs.sweep()
        await site.settle()
        assert not site.tabs.by_token
        assert not site.tabs.watching
        assert not site.tabs.senders
        assert not site.engine.views
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"prompt": '"text 29"'}


async def test_a_tab_that_comes_back_after_its_state_expired_shows_what_is_stored(serve):
    travel, _ = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(travel.more)
        site.app.state_manager.states.clear()
        await tab.send(travel.more)
        assert tab.shows(travel, "frames") == 63


async def test_causes_of_finished_events_are_forgotten(serve, until):
    from persistence.reflex import causes

    travel, clock = declare()

    class Chain(rx.State):
        @rx.event
        def start(self) -> Any:
            return [travel.more, clock.tick]

    async with serve() as site:
        tab = await site.open("t1")
        for _ in range(20):
            await tab.send(Chain.start)
        await until(lambda: not causes._expected)


async def test_our_own_edit_does_not_come_back_as_somebody_elses(serve, until):
    travel, _ = declare()
    async with serve() as site:
        tab = await site.open("t1")
        before = tab.shows(travel, "info")["frames"]["moves"]
        await tab.operate(travel, "frames", 99, id="op-x-w")
        await site.settle()
        await until(lambda: "op-x-w" in (tab.shows(PersistenceState, "confirmed") or []))
        assert tab.shows(travel, "info")["frames"]["moves"] == before
        await tab.send(travel.more)  # a handler's: what moves by itself, as a slider, has to follow
        assert tab.shows(travel, "info")["frames"]["moves"] == before + 1


async def test_an_app_that_cannot_tell_the_owners_is_asked_again(serve, until):
    travel, _ = declare()
    broken = True

    async def owners(page: Any) -> dict[str, str]:
        if broken:
            raise RuntimeError("no accounts today")
        return {"shot": "ann-A"}

    async with serve(owners=owners, grace=0.02) as site:
        tab = await site.open("t1")
        assert tab.shows(travel, "status") == "error"
        assert "no accounts today" in tab.shows(travel, "last_error")
        await tab.send(travel.more)
        broken = False
        await until(lambda: tab.shows(travel, "status") == "ready")
        await until(lambda: tab.shows(travel, "frames") == 62)


async def test_a_slow_answer_about_the_owners_holds_handlers_up(serve, until):
    travel, _ = declare()
    answered = asyncio.Event()

    async def owners(page: Any) -> dict[str, str]:
        await answered.wait()
        return {"shot": "ann-A"}

    async with serve(owners=owners, grace=0.02) as site:
        tab = await site.open("t1")
        assert tab.shows(travel, "status") == "loading"
        await tab.send(travel.more)
        answered.set()
        await until(lambda: tab.shows(travel, "frames") == 62)
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "62"}


async def test_a_database_that_cannot_be_opened_is_said_on_the_page_and_heals(
    serve, until, tmp_path
):
    travel, _ = declare()
    place = tmp_path / "missing"
    async with serve(database=f"sqlite:///{place}/a.db", grace=0.05) as site:
        tab = await site.open("t1")
        await until(lambda: tab.shows(travel, "status") == "error")
        assert tab.shows(travel, "last_error")
        place.mkdir()
        await until(lambda: tab.shows(travel, "status") == "ready")
        await tab.send(travel.more)
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "62"}
