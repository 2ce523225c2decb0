"""Which panes stay open: a switch for each, one key of the setting."""

from __future__ import annotations

from typing import Any

import reflex as rx

from persistence.reflex import bind, is_read_only, toggle
from workbench.settings import Interface

PANES = {"gens": "Generations", "shots": "Shots", "tasks": "Tasks"}


def pane_locks(field: Any) -> rx.Component:
    """The control of the setting within its panel; `field` is the panel's."""
    return rx.el.div(
        rx.el.input(
            id=field.id,
            class_name="bound",
            tab_index=-1,
            **bind(Interface.pane_locks, control="json", aria_hidden=True),
        ),
        *[_pane(pane, label) for pane, label in PANES.items()],
        role="group",
        aria_label=field.title,
    )


def _pane(pane: str, label: str) -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(
            type="checkbox",
            role="switch",
            class_name="switch",
            checked=Interface.ready & Interface.pane_locks[pane].bool(),
            on_change=lambda _: toggle(Interface.pane_locks, pane),
            disabled=~Interface.ready | is_read_only(Interface),
        ),
        class_name="switch-row",
    )
