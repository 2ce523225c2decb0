"""The tools of a shot, each a panel that the library makes of its declaration."""

from __future__ import annotations

from typing import Any

import reflex as rx

from persistence.reflex import is_read_only, settings_panel
from workbench.components.base import button, icon
from workbench.components.frames import frame_positions
from workbench.settings import ImageGeneration, Interface, Travel


def _look_only(state: Any) -> rx.Component:
    """In short: the page says why."""
    return rx.cond(
        is_read_only(state),
        rx.el.p(icon("eye", size=14), rx.el.span("Only to look at"), class_name="panel-look-only"),
    )


PARTS = {"read_only": _look_only}


def words() -> rx.Component:
    return settings_panel(
        Travel,
        only=("prompt", "text_before", "text_after"),
        title="Words",
        id="words",
        parts=PARTS,
        footer=_foot(
            "scissors",
            "Shorten prompt",
            Travel.shorten_prompt,
            is_off=(Travel.prompt == "") | is_read_only(Travel),
        ),
    )


def motion() -> rx.Component:
    return settings_panel(
        Travel,
        only=("timeline_frame_positions", "accelerated_mode", "random_seed"),
        title="Motion",
        id="motion",
        parts=PARTS,
        widgets={"timeline_frame_positions": frame_positions},
    )


def images() -> rx.Component:
    return settings_panel(
        ImageGeneration,
        id="images",
        parts=PARTS,
        footer=_foot(
            "undo-2",
            "Use the default model",
            ImageGeneration.use_default_model,
            is_off=(ImageGeneration.last_used_model == ImageGeneration.default_model)
            | is_read_only(ImageGeneration),
        ),
    )


def interface() -> rx.Component:
    return settings_panel(
        Interface,
        only=("pane_locks",),
        id="interface",
        parts=PARTS,
    )


def _foot(name: str, label: str, on_click: Any, *, is_off: rx.Var[bool]) -> rx.Component:
    """A button whose handler edits settings on the server."""
    return rx.el.div(
        button(
            icon(name, size=14),
            label,
            class_name="button-small",
            on_click=on_click,
            disabled=is_off,
        ),
        class_name="panel-foot",
    )
