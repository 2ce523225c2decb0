"""What stands in the sidebar: where one can go, and the look of the app."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.components.base import here, icon, link
from workbench.components.coach import coach
from workbench.components.theme import theme_switch
from workbench.components.who import whoami
from workbench.states.home import Home
from workbench.states.project import Project


def home_sidebar() -> rx.Component:
    return rx.fragment(
        rx.el.nav(
            link(
                icon("layout-grid"), rx.el.span("All projects"), to="/", **_current(here() == "/")
            ),
            link(
                icon("layers"),
                rx.el.span("Inspector"),
                to="/inspector",
                **_current(here() == "/inspector"),
            ),
            rx.cond(
                Home.cards.length() > 0,
                rx.fragment(
                    rx.el.h2("Recent", class_name="sidebar-title"),
                    rx.el.ul(rx.foreach(Home.cards[:12], _project_link)),
                ),
            ),
            class_name="sidebar-nav",
            aria_label="Projects",
        ),
        _foot(),
    )


def project_sidebar() -> rx.Component:
    """The project's shots, to switch by; the chosen one is marked."""
    is_here = (Project.status == "ready") & (here().startswith("/p/" + Project.id))
    return rx.fragment(
        rx.el.nav(
            link(icon("arrow-left"), rx.el.span("All projects"), to="/", class_name="nav-item"),
            rx.cond(
                is_here & (Project.path == here()),
                link(
                    icon("layers"),
                    rx.el.span("Inspector"),
                    to=rx.cond(
                        here().contains("/s/"),
                        "/inspector?shot=" + Project.shot.id.to(str),
                        "/inspector?project=" + Project.id.to(str),
                    ),
                    class_name="nav-item",
                ),
            ),
            rx.cond(
                is_here,
                rx.fragment(
                    link(
                        Project.name,
                        to="/p/" + Project.id,
                        class_name="sidebar-project",
                        dir="auto",
                        aria_current=rx.cond(here() == "/p/" + Project.id, "page", "false"),
                    ),
                    rx.el.h2(
                        "Shots ", rx.el.span(Project.shots.length(), class_name="count"),
                        class_name="sidebar-title",
                    ),
                    rx.el.ol(rx.foreach(Project.shots, _shot_link)),
                ),
            ),
            class_name="sidebar-nav",
            aria_label="Shots",
        ),
        _foot(),
    )  # fmt: skip


def _project_link(card: Any) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(class_name="dot-cover", custom_attrs={"data-hue": card.hue}),
            rx.el.span(card.name, class_name="nav-text", dir="auto"),
            rx.el.span(card.number, class_name="nav-count"),
            to=card.href,
            class_name="nav-item",
        ),
        key=card.id,
    )


def _shot_link(card: Any) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(card.number, class_name="nav-number"),
            rx.el.span(card.name, class_name="nav-text", dir="auto"),
            to=card.href,
            class_name="nav-item",
            aria_current=rx.cond(
                (Project.shot.id == card.id) & (Project.path == card.href), "page", "false"
            ),
        ),
        key=card.id,
    )


def _current(is_current: rx.Var[bool]) -> dict[str, Any]:
    return {"class_name": "nav-item", "aria_current": rx.cond(is_current, "page", "false")}


def _foot() -> rx.Component:
    return rx.fragment(
        coach(),
        _guest_and_looks(),
    )


def _guest_and_looks() -> rx.Component:
    return rx.el.div(
        whoami(),
        theme_switch(),
        class_name="sidebar-foot",
    )
