"""The frame of every page: sidebar, top bar with the trail and the status line, main part."""

from __future__ import annotations

from typing import Any

import reflex as rx

from persistence.reflex import undo_controls, unsaved_button, whos_here
from workbench.components.base import icon, link
from workbench.components.coach import coach_strip
from workbench.components.status import offline_notice, status_line
from workbench.components.theme import theme_sync
from workbench.components.who import sign_in_again, unsaved_question, who_changed


def shell(*children: rx.Component, trail: rx.Component, sidebar: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.a("Skip to content", href="#main", class_name="skip"),
        rx.el.aside(
            rx.el.div(
                link(_mark(), rx.el.span("Workbench"), to="/", class_name="brand"),
                class_name="sidebar-head",
            ),
            sidebar,
            id="sidebar",
            class_name="sidebar",
            aria_label="Navigation",
        ),
        rx.el.div(class_name="scrim", custom_attrs={"data-sidebar": "close"}),
        rx.el.div(
            rx.el.header(
                rx.el.button(
                    icon("panel-left", size=18),
                    type="button",
                    class_name="icon-button sidebar-toggle",
                    aria_label="Navigation",
                    aria_controls="sidebar",
                    custom_attrs={"data-sidebar": "toggle"},
                ),
                trail,
                whos_here(),
                undo_controls(),
                unsaved_button(),
                status_line(),
                class_name="topbar",
            ),
            offline_notice(),
            coach_strip(),
            rx.el.main(*children, id="main", class_name="main", tab_index=-1),
            class_name="stage",
        ),
        theme_sync(),
        who_changed(),
        unsaved_question(),
        sign_in_again(),
        class_name="app",
    )


def trail(*parts: Any) -> rx.Component:
    """Where the page stands: links to what is above it, then its own name."""
    return rx.el.nav(
        rx.el.ol(*[rx.el.li(part) for part in parts], class_name="trail"),
        aria_label="Breadcrumb",
        class_name="trail-place",
    )


def skeleton(*shapes: str) -> rx.Component:
    """Grey shapes in the place of what is still loading, so that nothing jumps."""
    return rx.el.div(
        *[rx.el.div(class_name=f"bone {shape}") for shape in shapes],
        class_name="skeleton",
        aria_hidden=True,
    )


def _mark() -> rx.Component:
    """The app's sign: three frames of a strip, the middle one lit."""
    return rx.el.svg(
        rx.el.svg.rect(x="1", y="4", width="4", height="12", rx="1.2", opacity="0.45"),
        rx.el.svg.rect(x="7", y="2", width="6", height="16", rx="1.6"),
        rx.el.svg.rect(x="15", y="4", width="4", height="12", rx="1.2", opacity="0.45"),
        view_box="0 0 20 20",
        width="20",
        height="20",
        fill="currentColor",
        class_name="brand-mark",
        custom_attrs={"aria-hidden": "true"},
    )
