"""One line that says how it stands with what was edited; true at every moment.

The words are made in the browser (`assets/status.js`), which alone knows what hasn't left it, and
the time of day. The compiled page says nothing.
"""

from __future__ import annotations

import json
from typing import Any

import reflex as rx

from ..components import ui
from ..states import SettingsState
from .base import button


def save_status(
    state: type[SettingsState], *others: type[SettingsState], **props: Any
) -> rx.Component:
    """Saving, saved and when, waiting for the server, not saved and why, with another try.

    One line for all the tools named; the worst is said.
    """
    tools: list[Any] = [state, *others]
    class_name = f"persistence-status {props.pop('class_name', '')}".strip()
    attributes = {"data-persistence-line": "", **props.pop("custom_attrs", {})}
    return ui.el.span(
        *[_facts(each) for each in tools],
        ui.el.span(class_name="persistence-status-dot", aria_hidden=True),
        ui.el.span(class_name="persistence-status-text", aria_hidden=True),
        ui.el.span(class_name="persistence-sr", role="status"),
        button(
            "Show",
            class_name="persistence-status-unsaved",
            attrs={"data-persistence-unsaved": "", "aria-haspopup": "dialog"},
            aria_label="Show what couldn’t be saved",
        ),
        *[_retry(each) for each in tools],
        class_name=class_name,
        custom_attrs=attributes,
        **props,
    )


def _facts(tool: Any) -> rx.Component:
    """What the script reads of one tool."""
    titles = {name: spec.title for name, spec in tool.__tool__.fields.items()}
    return ui.el.span(
        hidden=True,
        custom_attrs={
            "data-persistence-status": tool.status,
            "data-persistence-saved": tool.last_saved.to_string(),
            "data-persistence-problem": tool.last_error,
            "data-persistence-errors": tool.errors.to_string(),
            "data-persistence-tool-id": tool.__tool__.tool,
            "data-persistence-titles": json.dumps(titles, ensure_ascii=False),
        },
    )


def _retry(tool: Any) -> rx.Component:
    """Shown by the stylesheet where the line says that this tool failed."""
    return button(
        "Try again",
        on_click=tool.retry,
        class_name="persistence-status-retry",
        attrs={"data-persistence-retry": tool.__tool__.tool},
        hidden=tool.status != "error",
    )
