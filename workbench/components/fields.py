"""One setting on the page: its label, its control, where its value comes from, and the way back."""

from __future__ import annotations

from typing import Any

import reflex as rx

from persistence.reflex import SettingsState, bind
from workbench.components.base import icon, icon_button

PLACES = {"default": "Default", "user": "You", "project": "Project", "shot": "This shot"}
"""Scopes in the words of the page."""

_WHO_HIDES = {"shot": "this shot’s own value", "project": "the project’s own value"}
_WHO_RULES = {"user": "your own policy", "project": "the project", "shot": "the shot"}

Tool = type[SettingsState]


def text_area(tool: Tool, name: str, *, lines: int = 2, placeholder: str = "") -> rx.Component:
    """Text that is a shot's own. While edits go elsewhere it is shown, and can't be written."""
    looks: dict[str, Any] = {
        "rows": lines,
        "placeholder": placeholder,
        "class_name": f"input text-{name.replace('_', '-')}",
        "dir": "auto",
    }
    return _field(
        tool,
        name,
        rx.cond(
            tool.edit_scope == "shot",
            rx.el.textarea(id=name, **looks, **bind(getattr(tool, name))),
            rx.el.textarea(
                id=name, **looks, value=getattr(tool, name), disabled=True, read_only=True
            ),
        ),
    )


def text_field(tool: Tool, name: str, *, placeholder: str = "") -> rx.Component:
    return _field(
        tool,
        name,
        rx.el.input(
            id=name,
            class_name="input",
            auto_complete="off",
            spell_check=False,
            placeholder=placeholder,
            **bind(getattr(tool, name)),
        ),
    )


def number_field(tool: Tool, name: str) -> rx.Component:
    control = rx.el.input(id=name, class_name="input number", **bind(getattr(tool, name)))
    return _field(tool, name, control, kind="field-row")


def choice_field(tool: Tool, name: str, choices: dict[str, str]) -> rx.Component:
    control = rx.el.select(
        *[rx.el.option(label, value=value) for value, label in choices.items()],
        id=name,
        class_name="input",
        **bind(getattr(tool, name), control="native"),
    )
    return _field(tool, name, control)


def switch_field(tool: Tool, name: str) -> rx.Component:
    control = rx.el.input(
        id=name, role="switch", class_name="switch", **bind(getattr(tool, name), control="native")
    )
    return _field(tool, name, control, kind="field-row")


def custom_field(tool: Tool, name: str, *children: rx.Component) -> rx.Component:
    """A control of several parts, under the same head as any other."""
    return _field(tool, name, rx.fragment(*children), is_group=True)


def _field(
    tool: Tool, name: str, control: rx.Component, *, kind: str = "", is_group: bool = False
) -> rx.Component:
    spec = tool.__tool__.fields[name]
    label = (
        rx.el.span(spec.title, class_name="field-label", id=f"{name}-label")
        if is_group
        else rx.el.label(spec.title, html_for=name, class_name="field-label")
    )
    return rx.el.div(
        rx.el.div(
            label, field_source(tool, name, spec.title), class_name="field-head"
        ),
        control,
        rx.el.p(spec.help, class_name="field-help") if spec.help else rx.fragment(),
        field_notes(tool, name),
        role="group" if is_group else None,
        aria_labelledby=f"{name}-label" if is_group else None,
        class_name=f"field {kind}",
        custom_attrs={"data-field": name},
    )  # fmt: skip


def field_source(tool: Tool, name: str, title: str) -> rx.Component:
    """The badge that says where the value comes from, and a reset where there is one to do."""
    return rx.el.span(
        rx.cond(
            tool.info[name]["own"].bool() & (tool.info[name]["policy"].to(str) == ""),
            icon_button(
                "rotate-ccw",
                f"Reset {title}",
                on_click=tool.reset_field(name),
                disabled=~tool.ready,
            ),
        ),
        origin_badge(tool.origins[name]),
        class_name="field-source",
    )


def origin_badge(origin: Any) -> rx.Component:
    return rx.el.span(
        rx.match(origin, *PLACES.items(), origin),
        class_name="origin",
        title="Where this value comes from",
        custom_attrs={"data-origin": origin},
    )


def field_notes(tool: Tool, name: str) -> rx.Component:
    """What one must know beside the value: a refusal, a stronger layer, a policy."""
    scopes = tool.__tool__.fields[name].scopes
    hidden_by = tool.info[name]["hidden_by"].to(str)
    policy = tool.info[name]["policy"].to(str)
    is_edited_here = True
    if scopes:
        is_edited_here = rx.Var.create(list(scopes)).contains(tool.edit_scope)
    return rx.fragment(
        rx.cond(
            tool.errors.contains(name),
            _note("circle-alert", "note-bad", "Not saved: ", tool.errors[name], role="alert"),
        ),
        rx.cond(
            (hidden_by != "") & is_edited_here,
            _note(
                "layers", "note-warn", "Hidden here by ",
                rx.match(hidden_by, *_WHO_HIDES.items(), "a stronger one"), ".",
            ),
        ),
        rx.cond(
            policy != "",
            _note("lock", "note-warn", "Set by ", rx.match(policy, *_WHO_RULES.items(), policy)),
        ),
    )  # fmt: skip


def _note(name: str, kind: str, *text: Any, **props: Any) -> rx.Component:
    return rx.el.p(icon(name, size=14), rx.el.span(*text), class_name=f"note {kind}", **props)
