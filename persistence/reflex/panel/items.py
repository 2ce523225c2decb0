"""What other parts of the library, or an app, add to the menus of fields and panels.

    field_items.append(lambda field: menu_item("Make this the project's default", on_click=…))

A function takes the `Field`, or the panel's state class, and returns an item, or None where it has
none to offer. The library's own transfers come first.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import reflex as rx

FieldItem = Callable[[Any], rx.Component | None]
PanelItem = Callable[[Any], rx.Component | None]

field_items: list[FieldItem] = []
panel_items: list[PanelItem] = []


def items_for(makers: list[Callable[[Any], rx.Component | None]], what: Any) -> list[rx.Component]:
    importlib.import_module("..transfer_forms", __package__)  # adds its own, which need menus
    return [item for make in makers if (item := make(what)) is not None]
