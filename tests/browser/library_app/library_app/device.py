"""A page of what lives in the browser alone: vars of two states, and elements by themselves."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from persistence.reflex import (
    SettingsState,
    bind,
    device_copy,
    device_local,
    device_notice,
    device_ready,
    on_device,
    setting,
)


class Look(SettingsState, tool="look", edit="user"):
    """A setting, of which the browser keeps a copy for its first paint."""

    theme: rx.Field[Literal["light", "dark"]] = setting("light")


class Desk(rx.State):
    columns: rx.Field[int] = device_local(4, key="columns", title="Columns", ge=1, le=8)
    notes: rx.Field[str] = device_local("", key="notes", title="Notes")
    layout: rx.Field[dict[str, float]] = device_local(default_factory=dict, key="layout")

    @rx.event
    def wider(self) -> None:
        self.columns += 1

    @rx.event
    def lean(self) -> None:
        self.layout["left"] = self.layout.get("left", 0) + 0.25

    @rx.event
    def write_much(self) -> None:
        self.notes = "ä" * 2_100_000

    @rx.event
    def write_little(self) -> None:
        self.notes = "short"


class Shelf(rx.State):
    """Another state with a var of the same key."""

    columns: rx.Field[int] = device_local(4, key="columns", ge=1, le=8)

    @rx.var
    def doubled(self) -> int:
        return self.columns * 2


def section(name: str, key: str) -> rx.Component:
    return rx.el.details(
        rx.el.summary(name, id=f"{name}-summary"), "…", id=name, **on_device(key, "open")
    )


def device() -> rx.Component:
    el: Any = rx.el
    return rx.vstack(
        device_notice(id="notice"),
        device_copy(Look.theme, key="theme"),
        el.select(
            el.option("light"), el.option("dark"),
            **bind(Look.theme, control="native", id="theme"),
        ),
        rx.text(rx.cond(device_ready(), "ready", "…"), id="ready"),
        rx.text(rx.cond(device_ready(), Desk.columns, "…"), id="columns"),
        rx.text(Shelf.columns, id="shelf"),
        rx.text(Shelf.doubled, id="doubled"),
        rx.text(Desk.layout.to_string(), id="layout"),
        rx.text(Desk.notes.length(), id="notes"),
        rx.button("wider", on_click=Desk.wider, id="wider"),
        rx.button("lean", on_click=Desk.lean, id="lean"),
        rx.button("much", on_click=Desk.write_much, id="much"),
        rx.button("little", on_click=Desk.write_little, id="little"),
        section("motion", "motion.open"),
        section("again", "motion.open"),
        el.input(id="filter", **on_device("filter", "value")),
        el.input(id="filter-too", **on_device("filter", "value")),
        el.input(type="checkbox", id="tick", **on_device("tick", "checked")),
        el.aside(
            "drag me", id="side", **on_device("side.width", "width"),
            style={
                "width": "200px", "height": "40px", "overflow": "hidden", "resize": "horizontal",
            },
        ),
        rx.text("Wide only", id="by-css"),
        rx.el.style(
            "#by-css { display: none }"
            "html[data-device-columns='7'] #by-css { display: block }"
        ),
    )  # fmt: skip


def add_pages(app: rx.App) -> None:
    app.add_page(device, route="/device")
