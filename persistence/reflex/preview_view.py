"""The preview's dialog, as the page has it; `preview` says what is in it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from .components import ui
from .panel.base import button, icon
from .preview import Group, LeftOut, PreviewState, Row

DIALOG = "persistence-preview"


def preview_dialog() -> rx.Component:
    """The one dialog of a page; the plugin brings it. `assets/transfers.js` opens and closes it."""
    shown: Any = PreviewState.preview
    number = shown["number"].to(int)
    state: Any = PreviewState
    return ui.el.dialog(
        ui.el.header(
            ui.el.h2(shown["title"], id=f"{DIALOG}-title"),
            ui.el.p(shown["summary"], class_name="persistence-preview-summary", role="status"),
            ui.cond(shown["note"] != "", ui.el.p(shown["note"])),
        ),
        ui.cond(
            shown["problem"] != "",
            ui.el.div(
                icon("alert"),
                ui.el.span(shown["problem"]),
                role="alert",
                class_name="persistence-note persistence-note-bad",
            ),
        ),
        _choices(shown, number),
        ui.el.div(
            ui.foreach(shown["groups"].to(list[Group]), _group),
            ui.cond(
                shown["more"].to(int) > 0,
                ui.el.p("and ", shown["more"].to_string(), " more"),
            ),
            ui.foreach(shown["left_out"].to(list[LeftOut]), _reason),
            class_name="persistence-preview-body",
            tab_index=0,
            role="region",
            aria_label="What changes",
        ),
        ui.el.div(
            button("Cancel", attrs={"data-persistence-close": ""}),
            button(
                shown["button"],
                class_name="persistence-primary",
                disabled=shown["is_empty"].bool(),
                on_click=state.confirm(number),
                attrs={"data-persistence-first": ""},
            ),
            class_name="persistence-dialog-actions",
        ),
        ui.el.button(
            type="button",
            hidden=True,
            on_click=state.cancel(number),
            custom_attrs={"data-persistence-closed": ""},
        ),
        id=DIALOG,
        aria_labelledby=f"{DIALOG}-title",
        class_name="persistence-dialog persistence-wide persistence-preview",
        custom_attrs={
            "data-persistence-open": ui.cond(number > 0, number.to_string(), ""),
            "data-persistence-done": PreviewState.done,
        },
    )


def _choices(shown: Any, number: Any) -> rx.Component:
    state: Any = PreviewState

    def choice(label: Any, index: Any) -> rx.Component:
        return ui.el.label(
            ui.el.input(
                type="radio",
                name=f"{DIALOG}-choice",
                checked=shown["chosen"].to(int) == index,
                on_change=state.choose(number, index),
            ),
            ui.el.span(label),
        )

    return ui.cond(
        shown["choices"].to(list[str]).length() > 0,
        ui.el.fieldset(
            ui.el.legend("Which", class_name="persistence-sr"),
            ui.foreach(shown["choices"].to(list[str]), choice),
            class_name="persistence-preview-choices",
        ),
    )


def _group(group: Any) -> rx.Component:
    return ui.el.section(
        ui.el.h3(ui.el.span(group["kind"]), group["name"]),
        ui.el.dl(ui.foreach(group["rows"].to(list[Row]), _row)),
    )


def _row(row: Any) -> rx.Component:
    return ui.el.div(
        ui.el.dt(row["title"]),
        ui.el.dd(
            ui.el.del_(row["before"]),
            ui.el.span("→", aria_label="becomes", role="img"),
            ui.el.ins(row["after"]),
        ),
    )


def _reason(left: Any) -> rx.Component:
    return ui.el.details(
        ui.el.summary(icon("chevron"), ui.el.span("Left out: ", left["words"])),
        ui.el.ul(ui.foreach(left["names"].to(list[str]), _item)),
        class_name="persistence-preview-left",
    )


def _item(name: Any) -> rx.Component:
    return ui.el.li(name)
