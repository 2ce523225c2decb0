"""Single vars of any state that are settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
import reflex as rx

from persistence.reflex import (
    PersistenceState,
    bind,
    is_ready,
    mark_as_interacted,
    persisted,
    show,
    status_of,
)


def declare() -> Any:
    class Gallery(rx.State):
        columns: rx.Field[int] = persisted(4, tool="gallery", edit="shot", ge=1, le=8)
        sort: rx.Field[str] = persisted("newest", tool="gallery")
        names: rx.Field[list[str]] = persisted(default_factory=list, tool="names", edit="user")
        plain: int = 0

        @rx.event
        def wide(self) -> None:
            self.columns = 8

        @rx.event
        def add(self, name: str) -> None:
            self.names.append(name)

        @rx.event(background=True)
        async def program(self) -> None:
            async with self:
                self.columns = 2

        @rx.event(background=True)
        async def program_that_counts(self) -> None:
            async with self:
                self.columns = 3
                mark_as_interacted(self)

        @rx.event
        async def go(self, shot: str) -> None:
            await show(self, {"shot": shot})

        @rx.event
        def clear(self) -> None:
            self.plain = 5
            self.reset()

    return Gallery


async def test_they_are_saved_each_to_its_tool(serve):
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        assert tab.shows(PersistenceState, "tools")["gallery"]["ready"] is True
        await tab.send(gallery.wide)
        await tab.send(gallery.add, name="x")
        assert await site.stored("shot", "ann-A", "gallery") == {"columns": "8"}
        assert await site.stored("user", "ann", "names") == {"names": '["x"]'}


async def test_nothing_of_a_program_is_saved_before_the_user_touched_something(serve, until):
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(gallery.program)
        assert tab.shows(gallery, "columns") == 2
        assert await site.stored("shot", "ann-A", "gallery") == {}
        await tab.send(gallery.go, shot="ann-B")
        assert tab.shows(gallery, "columns") == 4
        await tab.send(gallery.program_that_counts)
        assert await site.stored("shot", "ann-B", "gallery") == {"columns": "3"}
        await tab.send(gallery.program)
        await site.settle()
        assert await site.stored("shot", "ann-B", "gallery") == {"columns": "2"}
        assert await site.stored("shot", "ann-A", "gallery") == {}


async def test_a_bound_edit_reaches_them(serve):
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        facts = tab.shows(PersistenceState, "tools")["gallery"]
        made = {
            "id": "op-1", "client": "c", "seq": 1, "target": json.loads(facts["target"]),
            "field": "columns", "kind": "set", "value": 6,
            "base": facts["info"]["columns"]["revision"],
        }  # fmt: skip
        await tab.send(PersistenceState.receive, operations=[made])
        assert tab.shows(gallery, "columns") == 6
        await site.settle()
        assert await site.stored("shot", "ann-A", "gallery") == {"columns": "6"}


async def test_reflexs_reset_keeps_them(serve):
    gallery = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(gallery.wide)
        await tab.send(gallery.clear)
        assert tab.shows(gallery, "columns") == 8
        assert (await site.state("t1", gallery)).plain == 0
        assert await site.stored("shot", "ann-A", "gallery") == {"columns": "8"}


def test_the_page_can_ask_how_they_stand(states):
    gallery = declare()
    assert "gallery" in str(is_ready(gallery.columns))
    assert "status" in str(status_of(gallery.columns))
    assert bind(gallery.columns)["type"] == "number"
    with pytest.raises(TypeError, match="isn't a setting"):
        bind(gallery.plain)
