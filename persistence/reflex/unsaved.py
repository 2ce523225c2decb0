"""What couldn't be saved, and the ways on: a drawer that is in every page of the app.

    rx.hstack(save_status(Travel), unsaved_button())

An edit that the server refused, or against which somebody else's change of the same setting stands,
stays in the browser until its user has decided: over reloads, offline, and while the server is
started anew. The drawer says what, where, why and when, with: edit and save, try again, keep mine
or take theirs, export, discard. It is drawn by `assets/unsaved.js`, which the plugin brings; a
`save_status` line opens it, too.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from .components import ui
from .panel.base import icon


def unsaved_button(**props: Any) -> rx.Component:
    """A button with the number of edits that couldn't be saved; it opens the drawer. Not there
    while there is none."""
    class_name = f"persistence-icon-button persistence-unsaved-button {props.pop('class_name', '')}"
    return ui.el.button(
        icon("unsaved"),
        ui.el.span(custom_attrs={"data-part": "count"}, aria_hidden=True),
        type="button",
        aria_label="Not saved",
        aria_haspopup="dialog",
        class_name=class_name.strip(),
        custom_attrs={
            "data-persistence-unsaved": "",
            "data-persistence-unsaved-button": "",
            **props.pop("custom_attrs", {}),
        },
        **props,
    )
