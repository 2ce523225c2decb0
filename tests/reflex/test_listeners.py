"""Methods that run when settings change, whoever changed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from persistence.reflex import SettingsState, on_change, setting


def declare() -> Any:
    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        frames: rx.Field[int] = setting(24)
        mode: rx.Field[str] = setting("basic")
        seconds: rx.Field[float] = rx.field(0.0)
        heard: rx.Field[list[str]] = rx.field(default_factory=list)

        @rx.event
        def double(self) -> None:
            self.frames = 48

        @on_change("frames")
        def tell_seconds(self, changed: Mapping[str, Any]) -> None:
            self.seconds = changed["frames"] / 24

        @on_change()
        def note(self, changed: Mapping[str, Any]) -> None:
            self.heard = [*self.heard, *sorted(changed)]
            if changed.get("mode") == "broken":
                raise RuntimeError("a listener may fail")

    return Travel


async def test_they_hear_of_edits_here_and_in_other_tabs_and_of_loads(serve, until):
    travel = declare()
    async with serve() as site:
        one, two = await site.open("t1"), await site.open("t2")
        await one.send(travel.double)
        assert one.shows(travel, "seconds") == 2.0
        await until(lambda: two.shows(travel, "seconds") == 2.0)
        await two.operate(travel, "frames", 72)
        assert two.shows(travel, "seconds") == 3.0
        three = await site.open("t3")
        assert three.shows(travel, "seconds") == 3.0


async def test_one_that_fails_disturbs_nothing(serve):
    travel = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.operate(travel, "mode", "broken")
        assert tab.shows(travel, "mode") == "broken"
        assert tab.shows(travel, "heard")[-1] == "mode"


def test_they_are_no_event_handlers(states):
    travel = declare()
    assert "tell_seconds" not in travel.event_handlers
    assert "update_fields" not in travel.event_handlers
    assert "persistence_do" not in travel.event_handlers
    assert set(travel.event_handlers) >= {"save", "revert", "reset_field", "double"}
