"""The status line: what is true of all tools of the page at this moment, the worst first.

What the browser holds and the server hasn't confirmed counts as not saved: `workbench.js` marks
the line.
"""

from __future__ import annotations

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from persistence.reflex import save_status
from workbench.components.base import button, icon
from workbench.components.fields import Tool
from workbench.settings import TOOLS, Interface, Onboarding, Preferences

OTHER_TOOLS: tuple[Tool, ...] = (Interface, Preferences, Onboarding)
"""On pages without panels only what belongs to the user is kept."""
SHOT_TOOLS: tuple[Tool, ...] = (*TOOLS, Preferences, Onboarding)


def status_line(tools: tuple[Tool, ...]) -> rx.Component:
    line = _latest(*tools)
    for status in ("saving", "loading"):
        for tool in reversed(tools):
            line = rx.cond(tool.status == status, _line(tool), line)
    for tool in tools:
        is_wrong = (tool.status == "error") | (tool.errors.keys().length() > 0)
        line = rx.cond(is_wrong, _failed(), line)
    return rx.el.div(
        rx.el.span(class_name="status-dot"),
        rx.el.span("Saving…", class_name="status-unsent"),
        rx.el.span(line, class_name="status-known"),
        class_name="status",
        aria_live="polite",
        custom_attrs={"data-status": ""},
    )


def trouble(tools: tuple[Tool, ...]) -> rx.Component:
    """Why something isn't saved, and another try. Lies over the page: nothing moves."""
    bar = rx.fragment()
    for tool in reversed(tools):
        bar = rx.cond(tool.status == "error", _trouble(tool), bar)
    bar = rx.cond(has_connection_errors, _offline(), bar)
    return rx.el.div(bar, role="alert")


def _trouble(tool: Tool) -> rx.Component:
    return rx.el.div(
        icon("circle-alert"),
        rx.el.span(rx.cond(tool.last_error != "", tool.last_error, tool.status_text)),
        button("Try again", class_name="button-small", on_click=tool.retry),
        class_name="trouble",
    )


def _offline() -> rx.Component:
    return rx.el.div(
        icon("cloud-off"),
        rx.el.span(
            "No connection. Keep this page open: what you type here is sent when it is back."
        ),
        class_name="trouble trouble-wait",
    )


def _failed() -> rx.Component:
    return rx.el.span("Not saved", custom_attrs={"data-persistence-status": "error"})


def _line(tool: Tool) -> rx.Component:
    return save_status(tool, class_name="status-text")


def _latest(first: Tool, *others: Tool) -> rx.Component:
    """The line of the tool that was saved last."""
    line, newest = _line(first), first.last_saved.to(float)
    for tool in others:
        saved = tool.last_saved.to(float)
        is_newer = saved > newest  # never saved is null, which counts as 0 in the browser
        line = rx.cond(is_newer, _line(tool), line)
        newest = rx.cond(is_newer, saved, newest).to(float)
    return line
