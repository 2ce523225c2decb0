"""`/`: all projects of a user."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.components.base import button, icon, link
from workbench.components.lists import (
    away,
    cookies_blocked,
    deleted_list,
    menu,
    menu_item,
    name_field,
    new_form,
    problem_bar,
    undo_bar,
)
from workbench.components.shell import shell, skeleton, trail
from workbench.components.sidebar import home_sidebar
from workbench.components.start import first_choice, sample_offer
from workbench.states.home import Home


def home() -> rx.Component:
    return shell(
        rx.el.div(
            _head(),
            problem_bar(Home),
            rx.match(
                Home.status,
                ("ready", _projects()),
                ("away", away(Home, Home.load)),
                ("blocked", cookies_blocked()),
                skeleton("card", "card", "card"),
            ),
            class_name="page",
        ),
        undo_bar(Home),
        trail=trail(rx.el.span("Projects", class_name="trail-here")),
        sidebar=home_sidebar(),
    )


def _head() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h1("Projects"),
            rx.cond(Home.cards.length() > 0, rx.el.p("The latest first.", class_name="lead")),
        ),
        rx.cond(
            (Home.cards.length() > 0) & ~Home.creating,
            rx.el.div(
                rx.cond(Home.last.id != "", _go_on()),
                button(icon("plus"), "New project", kind="primary", on_click=Home.start_creating),
                class_name="head-actions",
            ),
        ),
        class_name="page-head",
    )


def _projects() -> rx.Component:
    return rx.fragment(
        rx.cond(Home.creating, _new_project()),
        rx.cond(
            Home.cards.length() > 0,
            rx.fragment(
                rx.cond(
                    Home.own.length() > 0,
                    rx.el.ul(rx.foreach(Home.own, _card), class_name="cards"),
                ),
                rx.cond(Home.shared.length() > 0, _shared()),
                rx.cond(~Home.has_sample, sample_offer()),
            ),
            rx.cond(~Home.creating, first_choice()),
        ),
        deleted_list(Home.deleted, on_restore=Home.restore),
    )


def _shared() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Shared with you", id="shared-title", class_name="cards-title"),
        rx.el.ul(rx.foreach(Home.shared, _card), class_name="cards"),
        aria_labelledby="shared-title",
    )


def _go_on() -> rx.Component:
    return link(
        icon("play", size=14),
        rx.el.span("Continue with ", rx.el.bdi(Home.last.name), class_name="go-on-name"),
        to=Home.last.href,
        class_name="button button-plain go-on",
    )


def _new_project() -> rx.Component:
    return new_form(
        label="Name of the new project",
        placeholder="Name, e.g. “Harbour at dawn”",
        action="Create project",
        on_submit=Home.create,
        on_cancel=Home.stop_creating,
        required=True,
    )


def _card(card: Any) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(rx.foreach(card.frames, lambda _: rx.el.span()), class_name="strip"),
            to=card.href,
            class_name="cover",
            tab_index=-1,
            aria_hidden=True,
            custom_attrs={"data-hue": card.hue},
        ),
        rx.el.div(
            rx.el.div(
                rx.cond(
                    Home.renaming == card.id,
                    name_field(
                        card.name,
                        label="Name of the project",
                        on_done=lambda name: Home.rename(card.id, name),
                    ),
                    link(card.name, to=card.href, class_name="card-name", dir="auto"),
                ),
                rx.el.span(card.detail, class_name="meta"),
                class_name="card-text",
            ),
            rx.cond(
                card.by == "",
                menu(
                    "Actions for " + card.name,
                    menu_item("pencil", "Rename", on_click=Home.start_rename(card.id)),
                    menu_item("trash-2", "Delete", on_click=Home.delete(card.id), kind="danger"),
                ),
            ),
            class_name="card-foot",
        ),
        key=card.id,
        class_name="card",
    )
