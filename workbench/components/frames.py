"""Frame positions: a ruler, and a list of image and frame under it, as the control of its panel.

The list's cells are plain inputs. `workbench.js` gathers them into one hidden control that is bound
to the setting, so that what is typed here is kept like any other edit.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from persistence.reflex import bind, is_read_only
from workbench.components.base import button, icon, icon_button
from workbench.settings import FRAME_LIMIT, FRAME_NAME_LIMIT, Frame, Travel

NAME = "timeline_frame_positions"


def frame_positions(field: Any) -> rx.Component:
    """The control of the setting within its panel; `field` is the panel's."""
    return rx.cond(Travel.ready, _editor(field), rx.el.div(class_name="bone bone-frames"))


def _editor(field: Any) -> rx.Component:
    return rx.el.div(
        rx.cond(
            Travel.ticks.length() > 0,
            rx.el.div(rx.foreach(Travel.ticks, _tick), class_name="ruler", aria_hidden=True),
        ),
        rx.el.div(
            rx.el.input(
                id=field.id,
                class_name="bound frames-value",
                tab_index=-1,
                **bind(Travel.timeline_frame_positions, control="json", aria_hidden=True),
            ),
            rx.el.ol(rx.foreach(_shown(), _row), class_name="frames"),
            custom_attrs={"data-frames": ""},
        ),
        rx.el.div(
            _action("plus", "Add frame", Travel.add_frame, is_off=_is_off()),
            rx.cond(
                Travel.ticks.length() > 2,
                _action(
                    "align-horizontal-space-between",
                    "Even out",
                    Travel.even_out,
                    is_off=_is_off(),
                ),
            ),
            class_name="frames-actions",
        ),
        role="group",
        aria_labelledby=f"{field.id}-label",
    )


def _is_off() -> Any:
    return ~Travel.ready | is_read_only(Travel)


def _action(name: str, label: str, on_click: Any, *, is_off: Any) -> rx.Component:
    return button(
        icon(name, size=14),
        label,
        kind="quiet",
        class_name="button-small",
        on_click=on_click,
        disabled=is_off,
    )


def _shown() -> rx.Var[list[Frame]]:
    """What the edit target says, where a stronger layer hides it."""
    return rx.cond(
        Travel.hidden.contains(NAME),
        Travel.hidden[NAME].to(list[Frame]),
        Travel.timeline_frame_positions,
    ).to(list[Frame])


def _tick(tick: Any) -> rx.Component:
    return rx.el.span(
        rx.el.span(tick.frame, class_name="tick-frame"),
        class_name="tick",
        title=tick.name,
        style={"left": tick.left},
    )


def _row(frame: Any, index: Any) -> rx.Component:
    return rx.el.li(
        rx.el.input(
            default_value=frame[0].to(str),
            aria_label="Image " + (index + 1).to_string(),
            max_length=FRAME_NAME_LIMIT,
            spell_check=False,
            auto_complete="off",
            read_only=is_read_only(Travel),
            class_name="input",
        ),
        rx.el.input(
            default_value=frame[1].to_string(),
            type="number",
            min="0",
            max=str(FRAME_LIMIT),
            step="1",
            aria_label="Frame of image " + (index + 1).to_string(),
            read_only=is_read_only(Travel),
            class_name="input number",
        ),
        icon_button("x", "Remove", on_click=Travel.remove_frame(index), disabled=_is_off()),
        key=Travel.target + index.to_string(),
    )
