"""The status line: what is true of all tools of the page at this moment, the worst first.

What the browser holds and the server hasn't confirmed counts as not saved: `workbench.js` marks
the line.
"""

from __future__ import annotations

import reflex as rx

from persistence.reflex import save_status
from workbench.components.base import button
from workbench.components.fields import Tool
from workbench.settings import ImageGeneration, Interface, Travel


def shot_status() -> rx.Component:
    return _status(Travel, ImageGeneration, Interface)


def interface_status() -> rx.Component:
    """On pages without tools: only how the app looks is kept."""
    return _status(Interface)


def _status(*tools: Tool) -> rx.Component:
    line = _latest(*tools)
    for status in ("saving", "loading", "error"):
        for tool in reversed(tools):
            line = rx.cond(tool.status == status, _line(tool), line)
    return rx.el.div(
        rx.el.span(class_name="status-dot"),
        rx.el.span("Saving…", class_name="status-unsent"),
        rx.el.span(line, class_name="status-known"),
        class_name="status",
        aria_live="polite",
        custom_attrs={"data-status": ""},
    )


def _line(tool: Tool) -> rx.Component:
    return rx.fragment(
        save_status(tool, class_name="status-text"),
        rx.cond(
            tool.status == "error",
            button("Try again", class_name="button-small", on_click=tool.retry),
        ),
    )


def _latest(first: Tool, *others: Tool) -> rx.Component:
    """The line of the tool that was saved last."""
    line, newest = _line(first), first.last_saved.to(float)
    for tool in others:
        saved = tool.last_saved.to(float)
        is_newer = saved > newest  # never saved is null, which counts as 0 in the browser
        line = rx.cond(is_newer, _line(tool), line)
        newest = rx.cond(is_newer, saved, newest).to(float)
    return line
