"""The history beside the page: a drawer that one can work next to, and the button that opens it."""

from __future__ import annotations

import reflex as rx

from persistence.reflex import history_panel
from workbench.components.base import icon, icon_button
from workbench.settings import TOOLS, Onboarding
from workbench.states.drawer import Drawer


def history_button() -> rx.Component:
    return rx.el.button(
        icon("history"),
        type="button",
        title="History",
        aria_label="History",
        aria_expanded=rx.cond(Drawer.is_open, "true", "false"),
        aria_controls="history",
        on_click=[Drawer.toggle, Onboarding.look],
        class_name="icon-button",
    )


def history_drawer() -> rx.Component:
    """Who changed what, of all that the page shows. Read only while it is open."""
    return rx.el.aside(
        rx.cond(
            Drawer.is_open,
            rx.el.div(
                rx.el.header(
                    rx.el.h2("History"),
                    icon_button(
                        "x",
                        "Close the history",
                        on_click=Drawer.close,
                        auto_focus=True,
                        custom_attrs={"data-close-drawer": ""},
                    ),
                    class_name="drawer-head",
                ),
                history_panel(*TOOLS, class_name="drawer-body"),
                class_name="drawer",
            ),
        ),
        id="history",
        aria_label="History",
    )
