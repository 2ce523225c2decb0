"""What the lists of projects and of shots share: making, renaming, deleting with a way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reflex as rx
from reflex.vars import ArrayVar

from workbench.components.base import Click, Text, button, icon, icon_button, link
from workbench.names import NAME_LIMIT
from workbench.states.common import Card, PageState


def name_field(name: Text, *, label: Text, on_done: Any) -> rx.Component:
    """Renaming in place: Enter or leaving it keeps the name, Escape the old one (workbench.js)."""
    return rx.el.input(
        default_value=name,
        aria_label=label,
        max_length=NAME_LIMIT,
        auto_focus=True,
        auto_complete="off",
        spell_check=False,
        on_blur=on_done,
        class_name="name-field",
        custom_attrs={"data-rename": ""},
    )


def new_form(
    *, label: str, placeholder: str, action: str, on_submit: Any, on_cancel: Click, required: bool
) -> rx.Component:
    """One line to make something new. Enter makes it, Escape gives it up (workbench.js)."""
    return rx.el.form(
        rx.el.input(
            name="name",
            aria_label=label,
            placeholder=placeholder,
            max_length=NAME_LIMIT,
            required=required,
            auto_focus=True,
            auto_complete="off",
            class_name="input",
        ),
        button(action, submit=True, kind="primary"),
        button("Cancel", kind="quiet", on_click=on_cancel, custom_attrs={"data-cancel": ""}),
        on_submit=on_submit,
        reset_on_submit=True,
        class_name="new-form",
    )


def menu(label: Text, *items: rx.Component) -> rx.Component:
    """Three dots that open a short list of actions; closes by itself (workbench.js)."""
    return rx.el.details(
        rx.el.summary(
            icon("ellipsis"), class_name="icon-button", aria_label=label, title="Actions"
        ),
        rx.el.div(*items, class_name="menu-items"),
        class_name="menu",
    )


def menu_item(
    name: str, label: Text, *, on_click: Click, kind: str = "", disabled: Any = False
) -> rx.Component:
    return rx.el.button(
        icon(name),
        rx.el.span(label),
        type="button",
        on_click=on_click,
        disabled=disabled,
        class_name=f"menu-item {kind}",
    )


def deleted_list(cards: ArrayVar[Sequence[Card]], *, on_restore: Any) -> rx.Component:
    """What was deleted stands here, folded away, until somebody wants it back."""
    return rx.cond(
        cards.length() > 0,
        rx.el.details(
            rx.el.summary(
                icon("archive-restore"),
                rx.el.span("Recently deleted"),
                rx.el.span(cards.length(), class_name="count"),
                icon("chevron-down"),
                class_name="deleted-summary",
            ),
            rx.el.ul(
                rx.foreach(cards, lambda card: _deleted_row(card, on_restore)),
                class_name="deleted-list",
            ),
            class_name="deleted",
        ),
    )


def _deleted_row(card: Any, on_restore: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(class_name="dot-cover", custom_attrs={"data-hue": card.hue}),
        rx.el.span(card.name, class_name="deleted-name", dir="auto"),
        rx.el.span(card.detail, class_name="meta"),
        button("Restore", kind="plain", on_click=on_restore(card.id)),
        key=card.id,
        class_name="deleted-row",
    )


def undo_bar(state: Any) -> rx.Component:
    """Says what was just deleted, and takes it back."""
    return rx.el.div(
        rx.cond(
            state.gone_id != "",
            rx.el.div(
                rx.el.span(
                    "Deleted ", rx.el.bdi(state.gone_name, class_name="undo-name"),
                    class_name="undo-text",
                ),
                button("Undo", kind="plain", on_click=state.undo),
                icon_button("x", "Dismiss", on_click=state.dismiss),
                class_name="undo-bar",
            ),
        ),
        role="status",
        class_name="undo-place",
    )  # fmt: skip


def problem_bar(state: type[PageState]) -> rx.Component:
    """Why the last action was refused. Stays until the next one, or until it is dismissed."""
    return rx.el.div(
        rx.cond(
            (state.problem != "") & (state.status == "ready"),
            rx.el.div(
                icon("circle-alert"),
                rx.el.span(state.problem),
                icon_button("x", "Dismiss", on_click=state.dismiss),
                class_name="problem-bar",
            ),
        ),
        role="alert",
    )


def empty(name: str, title: str, text: str, *actions: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.div(icon(name, size=22), class_name="empty-icon"),
        rx.el.h2(title),
        rx.el.p(text),
        *actions,
        class_name="empty",
    )


def not_found() -> rx.Component:
    """The one answer for what is missing, deleted, or somebody else's."""
    return empty(
        "film",
        "There’s nothing here",
        "It may have been deleted, or the link isn’t complete. What you deleted yourself is under "
        "“Recently deleted”.",
        link("All projects", to="/", class_name="button button-primary"),
    )


def cookies_blocked() -> rx.Component:
    return empty(
        "cookie",
        "This browser keeps no cookies",
        "Without one nobody could tell your work from anybody else’s. Allow cookies for this page, "
        "then load it again.",
    )


def away(state: type[PageState], on_retry: Click) -> rx.Component:
    """The database can't be reached: said, with the reason, and tried again on request."""
    return empty(
        "database-zap",
        "The database can’t be reached",
        "Nothing is lost; the page comes back when the database does.",
        rx.el.p(state.problem, class_name="meta"),
        button("Try again", kind="primary", on_click=on_retry),
    )
