"""Panels: settings as people see and steer them. See docs/guide/panels.md."""

from __future__ import annotations

from typing import Any

import reflex as rx

from . import explain as _explain
from . import menu as _menu
from .base import PARTS, Field, Part, field_of
from .field import row
from .items import field_items, panel_items
from .panel import edit_target, is_read_only, settings_panel
from .status import save_status


def field_row(var: Any, *, widget: Part | None = None, **options: Any) -> rx.Component:
    """One setting's row by itself: `field_row(Travel.frames)`.

    `widget` makes the control; the options are those of `field_of`: `names`, `parts`, `prefix`.
    """
    return row(field_of(var, **options), widget=widget)


def origin_badge(setting: Any) -> rx.Component:
    """Where a setting's value comes from, as a button that tells the whole story."""
    return _explain.origin_badge(_field(setting))


def explain_button(setting: Any) -> rx.Component:
    """An icon that tells where a setting's value comes from."""
    return _explain.explain_button(_field(setting))


def field_menu(setting: Any) -> rx.Component:
    """Reset, pin, block and the edit target of a setting, in a menu.

    Beside a control of yours both stand within an element with the attribute
    `data-persistence-field`.
    """
    return _menu.field_menu(_field(setting))


def _field(setting: Any) -> Field:
    return setting if isinstance(setting, Field) else field_of(setting)


__all__ = [
    "PARTS",
    "Field",
    "Part",
    "edit_target",
    "explain_button",
    "field_items",
    "field_menu",
    "field_of",
    "field_row",
    "is_read_only",
    "origin_badge",
    "panel_items",
    "save_status",
    "settings_panel",
]
