"""Vars that live in the browser, as the server sees them. What a page says of them is anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
import reflex as rx

from persistence import DeclarationError, InvalidValue
from persistence.reflex import SettingsState, device_local, on_device, setting
from persistence.reflex.device import MAX_PART, MAX_PARTS, DeviceState, device_fields


def declare() -> Any:
    class Gallery(rx.State):
        columns: rx.Field[int] = device_local(4, ge=1, le=8)
        layout: rx.Field[dict[str, float]] = device_local(default_factory=dict, key="layout")
        mode: rx.Field[Literal["grid", "list"]] = device_local("grid")
        plain: int = 0

        @rx.var
        def doubled(self) -> int:
            return self.columns * 2

        @rx.event
        def wider(self) -> None:
            self.columns += 1

        @rx.event
        def far_too_wide(self) -> None:
            self.columns = 99

        @rx.event
        def arrange(self) -> None:
            self.layout["left"] = 0.25

    return Gallery


@contextmanager
def refused(match: str) -> Iterator[None]:
    """Python before 3.12 wraps what a descriptor raises while a class is made."""
    with pytest.raises((DeclarationError, RuntimeError)) as found:
        yield
    error = found.value if isinstance(found.value, DeclarationError) else found.value.__cause__
    assert isinstance(error, DeclarationError)
    assert match in str(error)


async def answer(tab: Any, kept: Any, **more: Any) -> None:
    """What the page's script sends when it is asked."""
    text = kept if isinstance(kept, str) else json.dumps(kept)
    sent = {"asked": tab.shows(DeviceState, "asked"), "part": 0, "of": 1, "text": text, **more}
    await tab.send(DeviceState.receive, answer=sent)


async def test_a_page_is_asked_what_its_browser_keeps_and_shows_it(serve: Any) -> None:
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        assert tab.shows(gallery, "columns") == 4
        assert tab.shows(DeviceState, "asked")
        assert tab.shows(DeviceState, "answered") != tab.shows(DeviceState, "asked")
        await answer(tab, {"Gallery.columns": "7", "layout": '{"left": 0.5}'})
        assert tab.shows(gallery, "columns") == 7
        assert tab.shows(gallery, "doubled") == 14
        assert tab.shows(gallery, "layout") == {"left": 0.5}
        assert tab.shows(gallery, "mode") == "grid"
        assert tab.shows(DeviceState, "answered") == tab.shows(DeviceState, "asked")


async def test_a_handler_that_comes_before_the_answer_runs_after_it(serve: Any, until: Any) -> None:
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(gallery.wider)
        assert tab.shows(gallery, "columns") == 4
        await answer(tab, {"Gallery.columns": "6"})
        await until(lambda: tab.shows(gallery, "columns") == 7)


async def test_a_handler_runs_by_itself_where_no_page_answers(
    serve: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("persistence.reflex.gate.ANSWER_WITHIN", 0.01)
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(gallery.wider)
        await until(lambda: tab.shows(gallery, "columns") == 5)


async def test_a_replayed_event_after_a_restart_waits_for_the_page_too(
    serve: Any, until: Any
) -> None:
    gallery = declare()
    async with serve() as site:
        tab = site.tab("t1")
        site.connected.add("t1")
        await tab.send(gallery.wider)
        assert tab.shows(gallery, "columns") == 4
        await answer(tab, {"Gallery.columns": "2"})
        await until(lambda: tab.shows(gallery, "columns") == 3)


async def test_what_a_handler_sets_goes_to_the_page_and_nowhere_else(serve: Any) -> None:
    gallery = declare()
    async with serve() as site:
        tab, other = await site.open("t1"), await site.open("t2")
        for each in (tab, other):
            await answer(each, {})
        await tab.send(gallery.wider)
        await tab.send(gallery.arrange)
        await site.settle()
        assert tab.shows(gallery, "columns") == 5
        assert tab.shows(gallery, "layout") == {"left": 0.25}
        assert other.shows(gallery, "columns") == 4
        assert await site.engine.store.tools("user", "ann") == []


async def test_a_wrong_assignment_changes_nothing(serve: Any) -> None:
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await answer(tab, {"Gallery.columns": "3"})
        state = await site.state("t1", gallery)
        with pytest.raises(InvalidValue, match="columns: must be at most 8"):
            state.columns = 99
        assert state.columns == 3


@pytest.mark.parametrize(
    "text",
    ["0", "9", '"4"', "4.5", "true", "null", "[4]", "NaN", "{", "", "1e999", '{"a":1,"a":2}'],
)
async def test_a_text_that_doesnt_fit_gives_the_default_and_the_page_hears_why(
    serve: Any, text: str
) -> None:
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await answer(tab, {"Gallery.columns": text, "Gallery.mode": '"list"'})
        assert tab.shows(gallery, "columns") == 4
        assert tab.shows(gallery, "mode") == "list"
        refused = tab.shows(DeviceState, "refused")
        assert set(refused) == {"Gallery.columns"}
        assert refused["Gallery.columns"]["problem"]
        await answer(tab, {"Gallery.columns": text})
        assert tab.shows(DeviceState, "refused")["Gallery.columns"]["count"] == 2


@pytest.mark.parametrize(
    "hostile",
    [
        {"plain": "5"},
        {"Gallery.plain": "5"},
        {"__class__": "1", "router": "1", "asked": '"x"', "Gallery.columns.x": "1"},
        {"Gallery.columns": 5},
        {"Gallery.columns": {"a": 1}},
        {"layout": '{"left": "wide"}'},
        {"layout": "[" * 5_000},
    ],
)
async def test_only_declared_vars_are_reached_and_only_by_texts_that_fit(
    serve: Any, hostile: dict[str, Any]
) -> None:
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await answer(tab, hostile)
        state = await site.state("t1", gallery)
        assert (state.plain, state.columns, state.mode) == (0, 4, "grid")
        assert state.layout == {}


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"part": -1},
        {"part": 1, "of": 1},
        {"part": True, "of": 2},
        {"part": 0, "of": MAX_PARTS + 1},
        {"part": 1, "of": 2},
        {"of": "1"},
        {"text": 5},
        {"text": "[1]"},
        {"text": "{"},
        {"text": "x" * (MAX_PART + 1)},
        {"asked": ""},
        {"asked": "another"},
        {"asked": None},
    ],
)
async def test_what_isnt_an_answer_is_none(serve: Any, sent: dict[str, Any]) -> None:
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        if sent:
            await answer(tab, {"Gallery.columns": "7"}, **sent)
        else:
            await tab.send(DeviceState.receive, answer={})
            await tab.send(DeviceState.receive, answer=[1, 2])
            await tab.send(DeviceState.receive, answer=None)
        assert tab.shows(gallery, "columns") == 4
        assert tab.shows(DeviceState, "answered") != tab.shows(DeviceState, "asked")
        await answer(tab, {"Gallery.columns": "7"})
        assert tab.shows(gallery, "columns") == 7


async def test_a_large_value_comes_in_parts(serve: Any) -> None:
    class Notes(rx.State):
        text: rx.Field[str] = device_local("", key="notes")

    async with serve() as site:
        tab = await site.open("t1")
        whole = json.dumps({"notes": json.dumps("ä" * 450_000, ensure_ascii=False)})
        of = -(-len(whole) // MAX_PART)
        for part in range(of):
            assert tab.shows(Notes, "text") == ""
            piece = whole[part * MAX_PART : (part + 1) * MAX_PART]
            await answer(tab, piece, part=part, of=of)
        assert tab.shows(Notes, "text") == "ä" * 450_000


async def test_a_change_in_another_tab_touches_no_other_var(serve: Any) -> None:
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await answer(tab, {"Gallery.columns": "7", "Gallery.mode": '"list"'})
        await answer(tab, {"Gallery.columns": None})
        assert tab.shows(gallery, "columns") == 4
        assert tab.shows(gallery, "mode") == "list"


async def test_two_vars_with_one_key_are_told_of_together(serve: Any) -> None:
    gallery = declare()

    class Sidebar(rx.State):
        columns: rx.Field[int] = device_local(2, key="Gallery.columns")

    async with serve() as site:
        tab = await site.open("t1")
        await answer(tab, {"Gallery.columns": "5"})
        assert tab.shows(gallery, "columns") == tab.shows(Sidebar, "columns") == 5


async def test_another_person_at_the_same_tab_is_asked_for_anew(serve: Any) -> None:
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1", user="ann")
        await answer(tab, {"Gallery.columns": "7"})
        before = tab.shows(DeviceState, "asked")
        tab.user = "bob"
        await tab.send(rx.State.hydrate_and_load)
        assert tab.shows(DeviceState, "asked") != before
        assert tab.shows(DeviceState, "answered") != tab.shows(DeviceState, "asked")
        await answer(tab, {"Gallery.columns": "7"})
        assert tab.shows(gallery, "columns") == 7


async def test_a_reload_asks_anew_since_another_tab_may_have_changed_it(serve: Any) -> None:
    declare()
    async with serve() as site:
        tab = await site.open("t1")
        await answer(tab, {})
        before = tab.shows(DeviceState, "answered")
        await tab.open()
        assert tab.shows(DeviceState, "asked") != before == tab.shows(DeviceState, "answered")


async def test_an_app_without_such_vars_is_never_asked(serve: Any) -> None:
    class Plain(rx.State):
        count: int = 0

        @rx.event
        def more(self) -> None:
            self.count += 1

    async with serve() as site:
        tab = await site.open("t1")
        assert not tab.shows(DeviceState, "asked")
        await tab.send(Plain.more)
        assert tab.shows(Plain, "count") == 1


async def test_a_tools_state_may_have_such_vars_beside_its_settings(serve: Any) -> None:
    class Travel(SettingsState, tool="device-travel", edit="user"):
        frames: rx.Field[int] = setting(61)
        zoom: rx.Field[float] = device_local(1.0)

        @rx.event
        def look(self) -> None:
            self.zoom, self.frames = 2.0, 41

    async with serve() as site:
        tab = await site.open("t1")
        await answer(tab, {})
        await tab.send(Travel.look)
        await site.settle()
        assert tab.shows(Travel, "zoom") == 2.0
        assert await site.stored("user", "ann", "device-travel") == {"frames": "41"}


def test_what_cant_be_declared_is_refused_when_the_class_is_made(states: Any) -> None:
    declare()
    with refused("can't be a key"):
        device_local(1, key="not a key")

    with refused("taken by a var of another type"):

        class Other(rx.State):
            a: rx.Field[str] = device_local("", key="Gallery.columns")

    with refused("breaks its own rule"):

        class Bounds(rx.State):
            a: rx.Field[int] = device_local(9, le=8)

    with refused("has no default"):

        class Missing(rx.State):
            a: rx.Field[int] = device_local()  # type: ignore[call-overload]

    with refused("can't be a key"):
        on_device("a key", "open")
    assert set(device_fields()) >= {"Gallery.columns", "layout", "Gallery.mode"}
