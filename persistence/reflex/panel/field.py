"""A setting's row: label, control, help, where the value comes from, and what one must know."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

import reflex as rx

from ...presentation import conditions_of
from ..components import bound_setting, ui
from .base import GROUPED, WIDE, Field, Part, button, icon
from .explain import origin_badge
from .menu import field_menu, reset_button
from .widgets import control
from .words import as_json


def row(field: Field, *, widget: Part | None = None) -> rx.Component:
    """The whole row. `widget` makes the control, where the app brings its own."""
    spec = field.spec
    attributes = {
        "data-persistence-field": f"{field.bound.tool}.{field.name}",
        "data-own": ui.cond(field.is_own, "true", "false"),
        "data-widget": field.widget,
        "data-search": f"{spec.title} {spec.name} {spec.help}".lower(),
    }
    kind = "wide" if field.widget in WIDE or widget is not None else "short"
    return ui.el.div(
        field.part("label", label),
        ui.el.div((widget or control)(field), class_name="persistence-control"),
        ui.el.div(
            reset_button(field),
            field.part("badge", origin_badge),
            field.part("menu", field_menu),
            class_name="persistence-side",
        ),
        field.part("help", help_text),
        field.part("notes", notes),
        class_name=f"persistence-field persistence-field-{kind}",
        hidden=~shown_if(field),
        custom_attrs=attributes,
    )


def label(field: Field) -> rx.Component:
    """The title, and a mark that the edit target itself says something."""
    words = [
        field.title,
        ui.el.span(
            " (edited for ",
            field.scope_word(field.info["scope"].to(str)),
            ")",
            class_name="persistence-sr",
            hidden=~field.is_own,
        ),
        _mark(field, "pin", "pinned", "It stays, though what is inherited may change"),
        _mark(field, "block", "blocked", "What weaker layers say isn’t used here"),
    ]
    if field.widget in GROUPED:
        return ui.el.span(*words, id=f"{field.id}-label", class_name="persistence-label")
    return ui.el.label(
        *words, id=f"{field.id}-label", html_for=field.id, class_name="persistence-label"
    )


def _mark(field: Field, kind: str, words: str, title: str) -> rx.Component:
    """The edit target says more than a value."""
    return ui.cond(
        field.info["kind"].to(str) == kind,
        ui.el.span(icon(kind), words, title=title, class_name="persistence-mark"),
    )


def help_text(field: Field) -> rx.Component:
    if not field.spec.help:
        return ui.fragment()
    return ui.el.p(field.spec.help, id=f"{field.id}-help", class_name="persistence-help")


def shown_if(field: Field) -> Any:
    """Do the settings that it depends on say that it is shown? It keeps its value anyway.

    Until the load nobody knows, and everything keeps its place.
    """
    conditions = conditions_of(field.spec)
    if not conditions:
        return ui.Var.create(True)
    tests: list[Any] = []
    for name, values in conditions.items():
        other = bound_setting(getattr(field.state, name))
        shown = other.value.to_string()
        allowed = [json.dumps(as_json(other.spec, value), ensure_ascii=False) for value in values]
        tests.append(reduce(lambda one, two: one | two, [shown == each for each in allowed]))
    return ~field.bound.ready | reduce(lambda one, two: one & two, tests)


# --- notes ---------------------------------------------------------------------------------------


def notes(field: Field) -> rx.Component:
    """Beside the control: a refusal with the way on, a stronger layer, a policy."""
    return ui.el.div(
        ui.el.div(custom_attrs={"data-persistence-slot": ""}),  # the script's: `unsaved-notes.js`
        _refusal(field),
        _hidden(field),
        _policy(field),
        _elsewhere(field),
        _denied(field),
        id=f"{field.id}-notes",
        class_name="persistence-notes",
    )


def _refusal(field: Field) -> rx.Component:
    """Why the newest edit isn't saved, as the server says it: for what the browser doesn't keep,
    which tells more (`unsaved-notes.js`)."""
    aside = field.state.aside[field.name]
    is_aside = field.state.aside.contains(field.name)
    error = field.bound.error
    again = ui.cond(
        is_aside,
        button(
            ui.cond(aside["kind"] == "conflict", "Keep mine", "Try again"),
            on_click=field.state.retry_field(field.name),
        ),
    )
    mine = ui.cond(
        is_aside & (aside["mine"].to_string() != "null"),
        ui.el.span("Yours: ", ui.el.q(aside["mine"].to_string()), class_name="persistence-mine"),
    )
    return ui.cond(
        error.bool(),
        ui.el.div(
            icon("alert"),
            ui.el.span("Not saved: ", error, " ", mine),
            ui.el.span(
                again,
                button(
                    "Discard",
                    attrs={"data-persistence-act": "discard"},
                    on_click=field.state.discard_field(field.name),
                ),
                class_name="persistence-note-actions",
            ),
            role="alert",
            class_name="persistence-note persistence-note-bad",
        ),
    )


def _hidden(field: Field) -> rx.Component:
    by = field.info["hidden_by"].to(str)
    return ui.cond(
        by != "",
        ui.el.p(
            icon("layers"),
            ui.el.span(
                "Hidden here: ",
                field.scope_word(by),
                " has a value of its own, which is stronger than what you edit for ",
                field.scope_word(field.info["scope"].to(str)),
                ".",
            ),
            class_name="persistence-note persistence-note-warn",
        ),
    )


def _policy(field: Field) -> rx.Component:
    by, is_here = field.info["by"].to(str), field.info["kind"].to(str) == "policy"
    rules = ui.cond(is_here, field.info["scope"].to(str), field.info["policy"].to(str)).to(str)
    return ui.cond(
        field.is_ruled | is_here,
        ui.el.p(
            icon("lock"),
            ui.el.span(
                "A policy of ",
                field.scope_word(rules),
                ui.cond(field.info["note"].to(str) != "", ": ", ""),
                field.info["note"].to(str),
                ui.cond(by != "", ui.el.span(" (", by, ")")),
            ),
            class_name="persistence-note persistence-note-policy",
        ),
    )


def _denied(field: Field) -> rx.Component:
    """Why it can't be edited, where its edit target isn't the panel's, which says so itself."""
    return ui.cond(
        field.is_denied & (field.info["target"].to(str) != ""),
        ui.el.p(
            icon("lock"),
            ui.el.span(field.state.denied[field.info["scope"].to(str)]),
            class_name="persistence-note persistence-note-plain",
        ),
    )


def _elsewhere(field: Field) -> rx.Component:
    """The setting's own edit target, where that isn't the panel's."""
    return ui.cond(
        field.info["target"].to(str) != "",
        ui.el.p(
            icon("target"),
            ui.el.span("Edited for ", field.scope_word(field.info["scope"].to(str))),
            class_name="persistence-note persistence-note-plain",
        ),
    )
