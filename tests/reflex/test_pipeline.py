"""What happens to a setting in Reflex's own event pipeline."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
import reflex as rx

from persistence.errors import InvalidValue
from persistence.reflex import SettingsState, acting_as, setting, show

STEPS: dict[str, asyncio.Event] = {}
"""Where the background task of a test has come to, and what it waits for."""


def declare() -> Any:
    STEPS.update({"begun": asyncio.Event(), "go on": asyncio.Event()})

    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        prompt: rx.Field[str] = setting("", inherit=False, max_length=20)
        mode: rx.Field[Literal["basic", "advanced"]] = setting("basic")
        frames: rx.Field[int] = setting(61, ge=1, le=241)
        tags: rx.Field[list[str]] = setting(default_factory=list)
        deep: rx.Field[dict[str, Any]] = setting(default_factory=dict)

        @rx.var
        def shout(self) -> str:
            return self.prompt.upper()

        @rx.event
        def shorten(self) -> None:
            self.frames = 41

        @rx.event
        def more(self) -> None:
            self.frames += 1

        @rx.event
        def tag(self, text: str) -> None:
            self.tags.append(text)

        @rx.event
        def alias(self) -> None:
            self.get_value("tags").append("unseen")

        @rx.event
        def too_many(self) -> None:
            self.frames = 1000

        @rx.event
        def nest(self) -> None:
            self.deep["a"] = {"b": [1]}
            self.deep["a"]["b"].append(2)

        @rx.event
        def fail(self) -> None:
            self.frames = 7
            raise RuntimeError("no")

        @rx.event
        def chain(self) -> Any:
            self.mode = "advanced"
            return type(self).shorten

        @rx.event
        def to_b(self) -> Any:
            return None

        @rx.event(background=True)
        async def later(self) -> None:
            STEPS["begun"].set()
            await STEPS["go on"].wait()
            async with self:
                self.frames = 77

        @rx.event
        async def switch(self, shot: str) -> None:
            await self.show({"project": "ann-p", "shot": shot})

        @rx.event
        def initialise(self) -> None:
            self.frames = 99

        @rx.event
        def initialise_for_the_user(self) -> None:
            self.frames = 98
            self.mark_as_interacted()

    return Travel


async def test_an_assignment_is_saved_to_the_edit_target_and_the_answer_says_so(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        assert tab.shows(Travel, "ready") is True
        assert tab.shows(Travel, "status") == "ready"
        await tab.send(Travel.shorten)
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "41"}
        assert tab.shows(Travel, "frames") == 41
        assert tab.shows(Travel, "status") == "ready"
        assert tab.shows(Travel, "is_dirty") is False
        assert tab.shows(Travel, "origins")["frames"] == "shot"
        assert tab.shows(Travel, "info")["frames"]["own"] is True


async def test_the_compiled_page_is_not_ready(states):
    Travel = declare()
    initial = Travel(_reflex_internal_init=True).dict(initial=True)[Travel.get_full_name()]
    assert initial["ready_rx_state_"] is False
    assert initial["status_rx_state_"] == "idle"
    assert initial["info_rx_state_"]["frames"]["revision"] == 0


async def test_a_nested_change_is_saved(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(Travel.tag, text="one")
        await tab.send(Travel.tag, text="two")
        await tab.send(Travel.nest)
        stored = await site.stored("shot", "ann-A", "travel-ui-state")
        assert stored == {"tags": '["one","two"]', "deep": '{"a":{"b":[1,2]}}'}


async def test_a_change_that_reflex_cannot_see_is_found_at_the_end_of_the_event(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(Travel.alias)
        assert tab.shows(Travel, "tags") == ["unseen"]
        stored = await site.stored("shot", "ann-A", "travel-ui-state")
        assert stored == {"tags": '["unseen"]'}


async def test_a_background_task_is_saved(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        STEPS["go on"].set()
        await tab.send(Travel.later)
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "77"}


async def test_a_background_task_writes_to_what_was_shown_when_it_began(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        running = await tab.post(Travel.later)
        await STEPS["begun"].wait()
        await tab.send(Travel.switch, shot="ann-B")
        STEPS["go on"].set()
        await running.wait_all()
        await site.settle()
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "77"}
        assert await site.stored("shot", "ann-B", "travel-ui-state") == {}
        assert tab.shows(Travel, "frames") == 61


async def test_what_on_load_sets_is_never_saved(serve):
    Travel = declare()
    async with serve(on_load=Travel.initialise) as site:
        tab = await site.open("t1")
        await site.settle()
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {}
        assert tab.shows(Travel, "frames") == 61


async def test_what_a_program_sets_counts_as_the_users_where_it_says_so(serve):
    Travel = declare()
    async with serve(on_load=Travel.initialise_for_the_user) as site:
        tab = await site.open("t1")
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "98"}
        assert tab.shows(Travel, "frames") == 98


async def test_an_event_before_any_load_runs_on_what_is_stored(serve):
    Travel = declare()
    async with serve(database="sqlite:///a.db") as site:
        tab = await site.open("t1")
        await tab.send(Travel.shorten)
    async with serve(database="sqlite:///a.db") as site:
        tab = site.tab("t1")
        site.connected.add("t1")
        await tab.send(Travel.more)  # replayed on a default state
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "42"}


async def test_what_a_failing_handler_changed_is_saved_for_what_it_was_made_on(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        with pytest.raises(RuntimeError):
            await tab.send(Travel.fail)
        await tab.send(Travel.switch, shot="ann-B")
        await site.settle()
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "7"}
        assert await site.stored("shot", "ann-B", "travel-ui-state") == {}


async def test_an_event_and_what_it_yields_are_the_users(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(Travel.chain)
        stored = await site.stored("shot", "ann-A", "travel-ui-state")
        assert stored == {"mode": '"advanced"', "frames": "41"}


async def test_out_of_bounds_is_refused_and_the_last_good_value_stays(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(Travel.shorten)
        with pytest.raises(InvalidValue, match=r"frames.*241"):
            await tab.send(Travel.too_many)
        await tab.send(Travel.tag, text="x")
        assert tab.shows(Travel, "frames") == 41


async def test_switching_shows_the_other_and_never_the_first(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(Travel.shorten)
        await tab.send(Travel.switch, shot="ann-B")
        assert tab.shows(Travel, "frames") == 61
        assert '"ann-B"' in tab.shows(Travel, "target")
        await tab.send(Travel.switch, shot="ann-A")
        assert tab.shows(Travel, "frames") == 41


async def test_every_open_tab_shows_a_change(serve, until):
    Travel = declare()
    async with serve() as site:
        one, two = await site.open("t1"), await site.open("t2")
        other = await site.open("t3", user="bob")
        await one.send(Travel.shorten)
        await until(lambda: two.shows(Travel, "frames") == 41)
        assert other.shows(Travel, "frames") == 61


async def test_a_bound_edit_is_accepted_shown_and_confirmed(serve, until):
    from persistence.reflex import PersistenceState

    Travel = declare()
    async with serve() as site:
        tab, two = await site.open("t1"), await site.open("t2")
        made = await tab.operate(Travel, "prompt", "hello")
        assert tab.shows(Travel, "prompt") == "hello"
        assert tab.shows(Travel, "shout") == "HELLO"
        assert tab.shows(Travel, "status") == "saving"
        await until(lambda: two.shows(Travel, "prompt") == "hello")
        await site.settle()
        await until(lambda: made in (tab.shows(PersistenceState, "confirmed") or []))
        assert tab.shows(Travel, "status") == "ready"
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"prompt": '"hello"'}


async def test_a_bound_edit_out_of_bounds_says_so_at_the_field(serve):
    from persistence.reflex import PersistenceState

    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        made = await tab.operate(Travel, "frames", 1000)
        assert "241" in tab.shows(Travel, "errors")["frames"]
        assert tab.shows(PersistenceState, "answers")[-1]["id"] == made
        assert tab.shows(Travel, "frames") in (None, 61)
        await tab.operate(Travel, "frames", 100)
        assert tab.shows(Travel, "errors") == {}


async def test_a_foreign_target_answers_like_a_missing_one(serve):
    from persistence.reflex import PersistenceState

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return owner == actor or owner.startswith(f"{actor}-")

    Travel = declare()
    async with serve(authorise=authorise) as site:
        tab = await site.open("t1", user="eve")
        answers = []
        for owner in ("ann-A", "nobody-A"):
            await tab.operate(Travel, "frames", 5, target=["shot", owner, "travel-ui-state"])
            answers.append(tab.shows(PersistenceState, "answers")[-1]["problem"])
        assert answers[0] == answers[1]
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {}


async def test_a_token_of_somebody_else_opens_nothing(serve):
    Travel = declare()

    class Notes(rx.State):
        text: str = ""

        @rx.event
        def write(self) -> None:
            self.text = "ann's"

    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(Travel.shorten)
        await tab.send(Notes.write)
        thief = await site.open("t1", user="eve")
        assert thief.shows(Notes, "text") == ""
        assert thief.shows(Travel, "frames") == 61
        assert '"eve' in thief.shows(Travel, "target")
        assert await site.stored("shot", "eve-A", "travel-ui-state") == {}


@pytest.mark.parametrize(
    "operations",
    [None, 3, "x", {"a": 1}, [1], [{}], [{"id": 1}], [[[[]]]],
     [{"id": "a", "client": "b", "field": "__class__"}], [{"id": "x" * 100}]],
)  # fmt: skip
async def test_hostile_operations_change_nothing(serve, operations):
    from persistence.reflex import PersistenceState

    declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(PersistenceState.receive, operations=operations)
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {}


@pytest.mark.parametrize("field", ["__class__", "_hidden", "router", "a.b", "", None, [1], 2**70])
async def test_hostile_field_names_change_nothing(serve, field):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        for handler in (Travel.reset_field, Travel.pin_field, Travel.block_field):
            await tab.send(handler, field=field)
        await tab.send(Travel.choose_edit_scope, scope=field)
        assert tab.shows(Travel, "status") == "ready"


async def test_reset_pin_and_edit_scope(serve):
    Travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(Travel.shorten)
        await tab.send(Travel.choose_edit_scope, scope="project")
        assert tab.shows(Travel, "edit_scope") == "project"
        await tab.operate(Travel, "frames", 33)
        assert tab.shows(Travel, "frames") == 41
        assert tab.shows(Travel, "hidden") == {"frames": 33}
        await tab.send(Travel.choose_edit_scope, scope="shot")
        await tab.send(Travel.reset_field, field="frames")
        assert tab.shows(Travel, "frames") == 33
        assert tab.shows(Travel, "origins")["frames"] == "project"
        await tab.send(Travel.pin_field, field="frames")
        await site.settle()
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "33"}


async def test_reflexs_own_reset_makes_no_overrides(serve):
    Travel = declare()

    class Page(rx.State):
        @rx.event
        async def clear(self) -> None:
            (await self.get_state(Travel)).reset()

        @rx.event
        async def go(self) -> None:
            await show(self, {"shot": "ann-B"})

        @rx.event
        async def quietly(self) -> None:
            travel = await self.get_state(Travel)
            with travel.acting_as("load"):
                travel.frames = 5
            with acting_as("user"):
                travel.mode = "advanced"

    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(Travel.shorten)
        await tab.send(Page.clear)
        await site.settle()
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "41"}
        assert tab.shows(Travel, "frames") == 41
        await tab.send(Page.go)
        assert '"ann-B"' in tab.shows(Travel, "target")
        await tab.send(Page.quietly)
        await site.settle()
        assert await site.stored("shot", "ann-B", "travel-ui-state") == {"mode": '"advanced"'}
