"""`/p/[project_id]`: the shots of one project."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.vars.function import FunctionStringVar

from workbench.components.base import button, here, icon, link
from workbench.components.history import history_button, history_drawer
from workbench.components.lists import (
    away,
    cookies_blocked,
    deleted_list,
    empty,
    menu,
    menu_item,
    name_field,
    new_form,
    not_found,
    problem_bar,
    undo_bar,
)
from workbench.components.share import (
    ended,
    is_own,
    look_only,
    may_edit,
    share_button,
    share_dialog,
)
from workbench.components.shell import shell, skeleton, trail
from workbench.components.sidebar import project_sidebar
from workbench.states.project import Project, Prompts


def project() -> rx.Component:
    return shell(
        rx.el.div(
            rx.match(
                _status(),
                ("ready", rx.fragment(_head(), look_only(), problem_bar(Project), _shots())),
                ("missing", not_found()),
                ("ended", ended()),
                ("away", away(Project, Project.load)),
                ("blocked", cookies_blocked()),
                rx.fragment(skeleton("title", "lead"), skeleton("card", "card", "card", "card")),
            ),
            class_name="page",
        ),
        undo_bar(Project),
        history_drawer(),
        share_dialog(),
        trail=trail(
            link("Projects", to="/"),
            rx.el.span(
                rx.cond(_status() == "ready", Project.name, ""), class_name="trail-here", dir="auto"
            ),
        ),
        sidebar=project_sidebar(),
    )


def _status() -> rx.Var[str]:
    """Loading until what the server has is what the address asks for."""
    return rx.cond(
        (here() == Project.path) | (Project.status == "blocked"), Project.status, "loading"
    )


def _head() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.cond(
                Project.renaming == Project.id,
                name_field(
                    Project.name, label="Name of the project", on_done=Project.rename_project
                ),
                rx.el.h1(
                    rx.cond(
                        is_own(),
                        rx.el.button(
                            rx.el.span(Project.name, dir="auto"),
                            icon("pencil", size=14),
                            type="button",
                            title="Rename",
                            on_click=Project.start_rename(Project.id),
                            class_name="name-button",
                        ),
                        rx.el.span(Project.name, dir="auto"),
                    )
                ),
            ),
            rx.el.p(
                Project.detail,
                rx.cond(
                    Project.owner != "",
                    rx.fragment(" · shared by ", rx.el.bdi(Project.owner)),
                ),
                class_name="lead",
            ),
        ),
        rx.el.div(
            history_button(),
            share_button(),
            rx.cond(
                (Project.shots.length() > 0) & ~Project.creating & may_edit(),
                button(icon("plus"), "New shot", kind="primary", on_click=Project.start_creating),
            ),
            class_name="head-actions",
        ),
        class_name="page-head",
    )


def _shots() -> rx.Component:
    return rx.fragment(
        rx.cond(Project.creating & may_edit(), _new_shot()),
        rx.cond(
            Project.shots.length() > 0,
            rx.fragment(
                rx.el.ol(rx.foreach(Project.shots, _card), class_name="cards cards-shots"),
                rx.cond(may_edit(), _dropped()),
            ),
            rx.cond(~Project.creating, rx.cond(may_edit(), _first_shot(), _no_shots())),
        ),
        rx.cond(may_edit(), deleted_list(Project.deleted, on_restore=Project.restore)),
    )


def _dropped() -> rx.Component:
    """Pressed by `workbench.js` when a card was dropped at another place."""
    dropped = FunctionStringVar.create("window.workbench.dropped").call()
    return rx.el.button(
        id="shot-dropped", type="button", hidden=True, tab_index=-1, on_click=Project.place(dropped)
    )


def _first_shot() -> rx.Component:
    return empty(
        "film",
        "Add the first shot",
        "Each shot has its prompt, its texts and its timing, and takes the rest from the project.",
        button(icon("plus"), "New shot", kind="primary", on_click=Project.start_creating),
    )


def _no_shots() -> rx.Component:
    return empty("film", "No shots yet", "They stand here as soon as somebody adds one.")


def _new_shot() -> rx.Component:
    return new_form(
        label="Name of the new shot",
        placeholder="Name of the shot (or leave it to us)",
        action="Add shot",
        on_submit=Project.add_shot,
        on_cancel=Project.stop_creating,
        required=False,
    )


def _card(card: Any) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(Prompts.begins[card.id], class_name="cover-text", dir="auto"),
            rx.el.span(card.number, class_name="frame-number"),
            to=card.href,
            class_name="cover cover-shot",
            tab_index=-1,
            aria_hidden=True,
            draggable=False,
            custom_attrs={"data-hue": card.hue},
        ),
        rx.el.div(
            rx.el.div(
                rx.cond(
                    Project.renaming == card.id,
                    name_field(
                        card.name,
                        label="Name of the shot",
                        on_done=lambda name: Project.rename(card.id, name),
                    ),
                    link(
                        card.name, to=card.href, class_name="card-name", dir="auto",
                        draggable=False,
                    ),
                ),
                class_name="card-text",
            ),
            rx.cond(may_edit(), _card_menu(card)),
            class_name="card-foot",
        ),
        key=card.id,
        class_name="card",
        draggable=(Project.renaming != card.id) & may_edit(),
        custom_attrs={"data-shot": card.id},
    )  # fmt: skip


def _card_menu(card: Any) -> rx.Component:
    return menu(
        "Actions for " + card.name,
        menu_item("pencil", "Rename", on_click=Project.start_rename(card.id)),
        menu_item("copy-plus", "New from this shot", on_click=Project.new_from(card.id)),
        menu_item(
            "arrow-left", "Move earlier", on_click=Project.move(card.id, -1), disabled=card.is_first
        ),
        menu_item(
            "arrow-right", "Move later", on_click=Project.move(card.id, 1), disabled=card.is_last
        ),
        menu_item("trash-2", "Delete", on_click=Project.delete(card.id), kind="danger"),
    )
