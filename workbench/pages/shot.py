"""`/p/[project_id]/s/[shot_id]`: one shot and its tools."""

from __future__ import annotations

import reflex as rx

from workbench.components.base import here, icon, link
from workbench.components.history import history_button, history_drawer
from workbench.components.lists import (
    away,
    cookies_blocked,
    menu,
    menu_item,
    name_field,
    not_found,
    problem_bar,
)
from workbench.components.panels import images, interface, motion, words
from workbench.components.share import ended, look_only, may_edit, share_button, share_dialog
from workbench.components.shell import shell, skeleton, trail
from workbench.components.sidebar import project_sidebar
from workbench.states.project import Project


def shot() -> rx.Component:
    return shell(
        rx.el.div(
            rx.match(
                _status(),
                ("ready", rx.fragment(_head(), look_only(), problem_bar(Project), _tools())),
                ("missing", not_found()),
                ("ended", ended()),
                ("away", away(Project, Project.load)),
                ("blocked", cookies_blocked()),
                rx.fragment(skeleton("title"), _tools_skeleton()),
            ),
            class_name="page page-shot",
        ),
        history_drawer(),
        share_dialog(),
        trail=trail(
            link("Projects", to="/"),
            link(
                rx.cond(_status() == "ready", Project.name, ""), to="/p/" + Project.id, dir="auto"
            ),
            rx.el.span(
                rx.cond(_status() == "ready", Project.shot.name, ""),
                class_name="trail-here",
                dir="auto",
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
            rx.el.span(Project.shot.number, class_name="frame-number"),
            rx.cond(
                Project.renaming == Project.shot.id,
                name_field(
                    Project.shot.name,
                    label="Name of the shot",
                    on_done=lambda name: Project.rename(Project.shot.id, name),
                ),
                rx.el.h1(
                    rx.cond(
                        may_edit(),
                        rx.el.button(
                            rx.el.span(Project.shot.name, dir="auto"),
                            icon("pencil", size=14),
                            type="button",
                            title="Rename",
                            on_click=Project.start_rename(Project.shot.id),
                            class_name="name-button",
                        ),
                        rx.el.span(Project.shot.name, dir="auto"),
                    )
                ),
            ),
            class_name="shot-name",
        ),
        rx.el.div(
            history_button(),
            share_button(),
            _step("chevron-left", "Previous shot", Project.previous),
            _step("chevron-right", "Next shot", Project.next),
            rx.cond(may_edit(), _shot_menu()),
            class_name="shot-steps",
        ),
        class_name="shot-head",
    )


def _shot_menu() -> rx.Component:
    return menu(
        "Actions for this shot",
        menu_item("pencil", "Rename", on_click=Project.start_rename(Project.shot.id)),
        menu_item("copy-plus", "New from this shot", on_click=Project.new_from(Project.shot.id)),
        menu_item("trash-2", "Delete", on_click=Project.delete(Project.shot.id), kind="danger"),
    )


def _step(name: str, label: str, to: rx.Var[str]) -> rx.Component:
    return rx.cond(
        to != "",
        link(icon(name), to=to, class_name="icon-button", aria_label=label, title=label),
        rx.el.span(icon(name), class_name="icon-button is-off", aria_hidden=True),
    )


def _tools() -> rx.Component:
    """Each panel keeps its place while it loads, and says what went wrong."""
    return rx.el.div(
        rx.el.div(words(), motion(), class_name="tools-main"),
        rx.el.div(images(), interface(), class_name="tools-side"),
        class_name="tools",
    )


def _tools_skeleton() -> rx.Component:
    return rx.el.div(
        skeleton("panel tall", "panel"),
        skeleton("panel", "panel short"),
        class_name="tools",
    )
