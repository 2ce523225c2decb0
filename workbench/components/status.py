"""The status line: what is true of all tools at this moment, the worst first."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from persistence.reflex import SettingsState, save_status
from workbench.components.base import icon
from workbench.settings import TOOLS, Onboarding, Preferences

Tool = type[SettingsState]

EVERY_TOOL: tuple[Tool, ...] = (*TOOLS, Preferences, Onboarding)
"""On each page: an edit of a shot may still wait when its page was left."""


def status_line() -> rx.Component:
    return save_status(*EVERY_TOOL, class_name="status")


def offline_notice() -> rx.Component:
    """What to do while there is no connection. Lies over the page: nothing moves."""
    return rx.el.div(
        rx.cond(
            has_connection_errors,
            rx.el.div(
                icon("cloud-off"),
                rx.el.span(
                    "No connection. Go on: what you change is kept in this browser, and sent when "
                    "it is back.",
                    class_name="where-kept",
                ),
                rx.el.span(
                    "No connection, and this browser keeps nothing. Leave this page open: what you "
                    "change is in it alone, and sent when the connection is back.",
                    class_name="where-not-kept",
                ),
                class_name="trouble trouble-wait",
            ),
        ),
        role="alert",
    )
