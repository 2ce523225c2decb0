"""The tools of a shot, each a panel; what is edited for whom is chosen in its head."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.components.base import button, icon
from workbench.components.fields import (
    Tool,
    choice_field,
    field_notes,
    field_source,
    number_field,
    switch_field,
    text_area,
    text_field,
)
from workbench.components.frames import frame_positions
from workbench.settings import ImageGeneration, Interface, Travel

_TARGETS = {"shot": "Shot", "project": "Project", "user": "You"}
_QUALITIES = {"draft": "Draft", "balanced": "Balanced", "fine": "Fine"}
_PANES = {"gens": "Generations", "shots": "Shots", "tasks": "Tasks"}


def words() -> rx.Component:
    return _panel(
        "Words",
        rx.cond(Travel.edit_scope != "shot", _belongs_to_the_shot()),
        text_area(Travel, "prompt", lines=5, placeholder="What happens in this shot?"),
        rx.el.div(
            text_area(Travel, "text_before", placeholder="Leads into the shot"),
            text_area(Travel, "text_after", placeholder="Leads out of it"),
            class_name="pair",
        ),
        actions=_action(
            "scissors",
            "Shorten prompt",
            Travel.shorten_prompt,
            is_off=~Travel.ready | (Travel.edit_scope != "shot") | (Travel.prompt == ""),
        ),
    )


def _belongs_to_the_shot() -> rx.Component:
    return rx.el.p(
        icon("layers", size=14),
        rx.el.span("Prompt and texts belong to the shot; you are editing for another place."),
        button(
            "Back to the shot", class_name="button-small", on_click=Travel.choose_edit_scope("shot")
        ),
        class_name="note note-warn",
    )


def motion() -> rx.Component:
    return _panel(
        "Motion",
        frame_positions(),
        rx.el.div(
            switch_field(Travel, "accelerated_mode"),
            switch_field(Travel, "random_seed"),
            class_name="pair",
        ),
        target=_edit_target(Travel),
    )


def images() -> rx.Component:
    return _panel(
        "Image generation",
        text_field(ImageGeneration, "last_used_model", placeholder="The default model"),
        choice_field(ImageGeneration, "preferred_quality", _QUALITIES),
        number_field(ImageGeneration, "images_per_prompt"),
        text_field(ImageGeneration, "default_model"),
        _action(
            "undo-2",
            "Use the default model",
            ImageGeneration.use_default_model,
            is_off=~ImageGeneration.ready
            | (ImageGeneration.last_used_model == ImageGeneration.default_model),
        ),
        target=_edit_target(ImageGeneration),
    )


def interface() -> rx.Component:
    title = Interface.__tool__.fields["pane_locks"].title
    return _panel(
        "Interface",
        rx.el.fieldset(
            rx.el.div(
                rx.el.legend(title, class_name="field-label"),
                field_source(Interface, "pane_locks", title),
                class_name="field-head",
            ),
            *[_pane(pane, label) for pane, label in _PANES.items()],
            field_notes(Interface, "pane_locks"),
            class_name="field",
        ),
    )


def _pane(pane: str, label: str) -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(
            type="checkbox",
            role="switch",
            class_name="switch",
            checked=Interface.pane_locks[pane].bool(),
            on_change=lambda _: Interface.toggle_pane(pane),
            disabled=~Interface.ready,
        ),
        class_name="switch-row",
    )


def _panel(
    title: str,
    *children: rx.Component,
    target: rx.Component | None = None,
    actions: rx.Component | None = None,
) -> rx.Component:
    return rx.el.section(
        rx.el.header(
            rx.el.h2(title, class_name="panel-title"),
            *[part for part in (target, actions) if part is not None],
            class_name="panel-head",
        ),
        rx.el.div(*children, class_name="panel-body"),
        class_name="panel",
        aria_label=title,
    )


def _edit_target(tool: Tool) -> rx.Component:
    """For whom the edits in this panel are: one of the places that the page shows."""
    return rx.el.div(
        rx.el.span("Edit for", class_name="segmented-label"),
        rx.el.div(
            *[
                rx.el.button(
                    label,
                    type="button",
                    aria_pressed=rx.cond(tool.edit_scope == scope, "true", "false"),
                    on_click=tool.choose_edit_scope(scope),
                    disabled=~tool.ready,
                )
                for scope, label in _TARGETS.items()
            ],
            class_name="segmented",
            role="group",
            aria_label="Edit for",
        ),
        class_name="target",
    )


def _action(name: str, label: str, on_click: Any, *, is_off: rx.Var[bool]) -> rx.Component:
    """A button whose handler edits settings on the server."""
    return button(
        icon(name, size=14), label, class_name="button-small", on_click=on_click, disabled=is_off
    )
