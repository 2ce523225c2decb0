"""Two tools of a shot, one of the user's, bound every way there is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import reflex as rx

from persistence.reflex import (
    KeyedSettings,
    PersistenceState,
    SettingsState,
    bind,
    bind_row,
    field_error,
    is_ready,
    on_change,
    persisted,
    save_status,
    setting,
    whos_here,
)

from . import device, history_page, joint_page, takeover
from .panel_page import panel


class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
    prompt: rx.Field[str] = setting("default prompt", inherit=False, max_length=60)
    text: rx.Field[str] = setting("")
    mode: rx.Field[Literal["basic", "advanced"]] = setting("basic")
    frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames")
    strength: rx.Field[float] = setting(0.5, ge=0, le=1)
    fast: rx.Field[bool] = setting(False)
    tags: rx.Field[list[str]] = setting(default_factory=list)
    tidied: rx.Field[str] = setting("")

    @on_change("tidied")
    def strip(self, changed: Mapping[str, Any]) -> None:
        self.tidied = changed["tidied"].strip()

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
    def tag(self) -> None:
        self.tags.append(f"t{len(self.tags)}")

    @rx.event
    def tidy(self) -> None:
        self.text = self.text.strip()

    @rx.event(background=True)
    async def later(self) -> None:
        await asyncio.sleep(1)
        async with self:
            self.frames = 77


class Ui(SettingsState, tool="ui", edit="user"):
    theme: rx.Field[Literal["light", "dark", "system"]] = setting("system")
    locks: rx.Field[dict[str, bool]] = setting(default_factory=dict, merge=True)


class Rows(KeyedSettings, settings=Travel, scope="shot", fields=("frames", "fast")):
    """The frames of all shots on one page."""

    @rx.event
    async def open(self) -> None:
        actor = (await self.get_state(PersistenceState)).actor
        await self.show_rows([f"{actor}:{shot}" for shot in "abc"])


class Gallery(rx.State):
    """A state that isn't a tool's, with one var that is saved."""

    columns: rx.Field[int] = persisted(4, tool="gallery", edit="user", ge=1, le=8)
    opened: int = 0

    @rx.event
    def wider(self) -> None:
        self.columns += 1
        self.opened += 1


class Clock(rx.State):
    ticks: int = 0

    @rx.event
    def tick(self) -> None:
        self.ticks += 1


def shown(name: str, var: Any) -> rx.Component:
    return rx.text(var, id=name)


def shot() -> rx.Component:
    return rx.vstack(
        rx.hstack(*[rx.link(each, href=f"/shot/{each}", id=f"to-{each}") for each in "abc"]),
        rx.hstack(save_status(Travel, id="status"), whos_here(id="here")),
        shown("state", Travel.status),
        shown("hydrated", rx.cond(rx.State.is_hydrated, "yes", "no")),
        rx.cond(
            Travel.ready, rx.text(Travel.prompt, id="prompt-shown"), rx.text("…", id="skeleton")
        ),
        rx.input(**bind(Travel.prompt, id="prompt")),
        field_error(Travel.prompt, id="prompt-error"),
        rx.text_area(**bind(Travel.text, id="text")),
        rx.el.input(**bind(Travel.tidied, id="tidied")),
        rx.el.input(**bind(Travel.frames, id="frames")),
        field_error(Travel.frames, id="frames-error"),
        rx.el.input(**bind(Travel.strength, control="range", id="strength"), step="0.01"),
        rx.el.select(
            rx.el.option("basic", value="basic"),
            rx.el.option("advanced", value="advanced"),
            **bind(Travel.mode, control="native", id="mode-native"),
        ),
        rx.select(["basic", "advanced"], **bind(Travel.mode)),
        rx.el.input(**bind(Travel.fast, control="native", id="fast-native")),
        rx.switch(**bind(Travel.fast, id="fast")),
        rx.slider(**bind(Travel.frames, control="slider")),
        shown("frames-shown", Travel.frames),
        shown("mode-shown", Travel.mode),
        shown("fast-shown", Travel.fast.to_string()),
        shown("shout", Travel.shout),
        shown("tags", Travel.tags.join(",")),
        shown("origin", Travel.origins["frames"]),
        shown("last-error", Travel.last_error),
        shown("theme", Ui.theme),
        shown("ticks", Clock.ticks),
        rx.button("shorten", on_click=Travel.shorten, id="shorten"),
        rx.button("more", on_click=Travel.more, id="more"),
        rx.button("tag", on_click=Travel.tag, id="tag"),
        rx.button("tidy", on_click=Travel.tidy, id="tidy"),
        rx.button("later", on_click=Travel.later, id="later"),
        rx.button("reset", on_click=Travel.reset_field("frames"), id="reset"),
        rx.button("tick", on_click=Clock.tick, id="tick"),
    )


def row(each: Any) -> rx.Component:
    return rx.hstack(
        rx.text(each["owner"]),
        rx.el.input(**bind_row(Rows, each, "frames", class_name="row-frames")),
        rx.switch(**bind_row(Rows, each, "fast", class_name="row-fast")),
        rx.text(each["errors"]["frames"], class_name="row-error"),
    )


def overview() -> rx.Component:
    return rx.vstack(
        rx.foreach(Rows.rows, row),
        rx.cond(is_ready(Gallery.columns), rx.text(Gallery.columns, id="columns-shown")),
        rx.el.input(**bind(Gallery.columns, id="columns")),
        rx.button("wider", on_click=Gallery.wider, id="wider"),
        rx.link("a", href="/shot/a", id="to-a"),
    )


app = rx.App()
app.add_page(lambda: rx.link("a", href="/shot/a", id="to-a"), route="/")
app.add_page(shot, route="/shot/[shot]")
device.add_pages(app)
takeover.add_pages(app)
app.add_page(overview, route="/overview", on_load=Rows.open)
app.add_page(panel, route="/panel/[shot]")
history_page.add_pages(app)
joint_page.add_pages(app)
