"""Any other address: the same answer as for a project or shot that isn't there."""

from __future__ import annotations

import reflex as rx

from workbench.components.lists import not_found
from workbench.components.shell import shell, trail
from workbench.components.sidebar import home_sidebar


def missing() -> rx.Component:
    return shell(
        rx.el.div(not_found(), class_name="page"),
        trail=trail(rx.el.span("Not found", class_name="trail-here")),
        sidebar=home_sidebar(),
    )
