"""Forms that go over HTTP: `accounts.js` sends them as JSON, and says what is wrong beside a field.

A password never passes the page's state. Without scripts a form would post itself, never show what
was typed in an address.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.components.base import Text, button, icon

METHODS = {"POST": "POST", "DELETE": "DELETE"}


def form(
    *children: rx.Component,
    path: str,
    submit: str,
    done: str,
    method: str = "POST",
    tells: str = "",
    kind: Any = "primary",
) -> rx.Component:
    """`done` is where to go when it worked, or what to say if it is no path; "again" leaves it to
    `again.js`. `tells` is what other tabs are told: "signed-in", "signed-up", "deleted"."""
    return rx.el.form(
        *children,
        rx.el.p(class_name="form-problem", role="alert"),
        rx.el.p(class_name="form-done", role="status"),
        rx.el.div(
            button(submit, submit=True, kind=kind, class_name="form-submit"),
            class_name="form-actions",
        ),
        action=path,
        method="post",
        no_validate=True,
        class_name="form",
        custom_attrs={
            "data-auth": path,
            "data-method": METHODS[method],
            "data-done": done,
            "data-tells": tells,
        },
    )


def text_input(
    name: str,
    label: str,
    *,
    autocomplete: str,
    hint: str = "",
    value: Text = "",
    read_only: bool = False,
    prefix: str = "",
) -> rx.Component:
    control = rx.el.input(
        **_input(name, prefix),
        type="text",
        default_value=value,
        read_only=read_only,
        auto_complete=autocomplete,
        auto_capitalize="none",
        auto_correct="off",
        spell_check=False,
        dir="auto",
    )
    return _field(name, label, control, hint, prefix)


def password_input(
    name: str, label: str, *, is_new: bool = False, hint: str = "", prefix: str = ""
) -> rx.Component:
    """With a button that shows what was typed. Pasting is welcome: password managers do."""
    control = rx.el.div(
        rx.el.input(
            **_input(name, prefix),
            type="password",
            auto_complete="new-password" if is_new else "current-password",
            auto_capitalize="none",
            spell_check=False,
        ),
        rx.el.button(
            icon("eye"),
            type="button",
            class_name="icon-button reveal",
            aria_label=f"Show {label.lower()}",
            aria_pressed="false",
            title="Show",
            custom_attrs={"data-reveal": prefix + name},
        ),
        class_name="password",
    )
    return _field(name, label, control, hint, prefix)


def _input(name: str, prefix: str) -> dict[str, Any]:
    identity = prefix + name
    return {
        "id": identity,
        "name": name,
        "class_name": "input",
        "required": True,
        "custom_attrs": {"aria-describedby": f"{identity}-hint {identity}-error"},
    }


def _field(name: str, label: str, control: rx.Component, hint: str, prefix: str) -> rx.Component:
    """The line under the control is there from the start: an error moves nothing."""
    identity = prefix + name
    return rx.el.div(
        rx.el.label(label, html_for=identity, class_name="field-label"),
        control,
        rx.el.div(
            rx.el.p(hint, id=f"{identity}-hint", class_name="form-hint"),
            rx.el.p(id=f"{identity}-error", class_name="form-error"),
            class_name="form-note",
        ),
        class_name="form-field",
    )
