"""A notebook that saves itself. Visitors are guests, known by a cookie of the library's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import reflex as rx

from persistence.reflex import (
    SettingsState,
    bind,
    device_copy,
    device_local,
    device_ready,
    field_error,
    put,
    save_status,
    setting,
)

el: Any = rx.el


class Notebook(SettingsState, tool="notebook", edit="user"):
    """What a person wrote, in the database: a row a field, saved at each pause of typing."""

    title: rx.Field[str] = setting("My notes", max_length=80)
    text: rx.Field[str] = setting("", max_length=100_000)
    theme: rx.Field[Literal["light", "dark"]] = setting("light")

    @rx.var
    def words(self) -> int:
        return len(self.text.split())

    @rx.event
    def stamp(self):
        """A handler's edit is saved before the page shows it."""
        self.text = f"{self.text}\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n".lstrip("\n")


class Paper(rx.State):
    """How wide this screen's page is: the browser's business, on no server."""

    width: rx.Field[int] = device_local(40, title="Width", ge=20, le=90)

    @rx.event
    def wider(self):
        self.width = min(90, self.width + 10)

    @rx.event
    def narrower(self):
        self.width = max(20, self.width - 10)


def index() -> rx.Component:
    notebook = el.main(
        el.input(**bind(Notebook.title, id="title", aria_label="Title")),
        field_error(Notebook.title, id="title-error"),
        el.textarea(**bind(Notebook.text, id="text", aria_label="Text")),
        field_error(Notebook.text),
        el.nav(
            save_status(Notebook, id="status"),
            el.span(Notebook.words, " words", id="words"),
            el.button("Time", on_click=Notebook.stamp, id="stamp"),
            el.button("Narrower", on_click=Paper.narrower, id="narrower"),
            el.button("Wider", on_click=Paper.wider, id="wider"),
            el.button("Light", on_click=put(Notebook.theme, "light"), id="light"),
            el.button("Dark", on_click=put(Notebook.theme, "dark"), id="dark"),
        ),
        style={"max_width": rx.cond(device_ready(), f"{Paper.width}rem", "40rem")},
    )
    return rx.fragment(
        device_copy(Notebook.theme, key="theme"),  # painted dark before the server has spoken
        rx.cond(Notebook.ready, notebook, el.main("…")),
    )


app = rx.App(stylesheets=["/notes.css"])
app.add_page(index, route="/", title="Notes")
