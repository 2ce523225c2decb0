"""Who one is, in the sidebar; and what a page says when that has changed behind it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.components.base import button, link
from workbench.components.forms import form, password_input, text_input
from workbench.states.me import Me


def whoami() -> Any:
    return rx.match(
        Me.kind,
        (
            "account",
            link(
                rx.el.span(Me.initial, class_name="avatar", aria_hidden=True),
                rx.el.span(Me.name, class_name="who-name", dir="auto"),
                to="/account",
                class_name="guest who",
                title="Your account",
                custom_attrs={"data-who": "account"},
            ),
        ),
        (
            "guest",
            link(
                rx.el.span("G", class_name="avatar", aria_hidden=True),
                rx.el.span(
                    rx.el.span("Guest", class_name="who-name"),
                    rx.el.span("Sign up to keep your work", class_name="who-note"),
                    class_name="who-text",
                ),
                to="/sign-up",
                class_name="guest who",
                title="Your work belongs to this browser until you sign up",
                custom_attrs={"data-who": "guest"},
            ),
        ),
        rx.el.span(class_name="guest who"),
    )


def who_changed() -> rx.Component:
    """Shown by `accounts.js`: this page is of somebody whom this browser isn't any more."""
    return rx.el.dialog(
        rx.el.h2("You were signed out", id="who-changed-title"),
        rx.el.p(class_name="dialog-text", custom_attrs={"data-why": ""}),
        rx.el.div(
            button("Go on", kind="primary", custom_attrs={"data-go-on": ""}),
            button("Sign in", custom_attrs={"data-go-on": "/sign-in"}),
            class_name="dialog-actions",
        ),
        id="who-changed",
        class_name="dialog",
        aria_labelledby="who-changed-title",
    )


def unsaved_question() -> rx.Component:
    """Shown by `accounts.js` where edits couldn't be saved before signing out."""
    return rx.el.dialog(
        rx.el.h2("Not everything is saved", id="unsaved-title"),
        rx.el.p(class_name="dialog-text", custom_attrs={"data-unsaved-text": ""}),
        rx.el.form(
            button("Stay signed in", kind="primary", submit=True, value="stay"),
            button("Sign out, keep them here", submit=True, value="leave"),
            button("Sign out and remove them", kind="danger", submit=True, value="remove"),
            method="dialog",
            class_name="dialog-actions",
        ),
        id="unsaved",
        class_name="dialog",
        aria_labelledby="unsaved-title",
    )


def sign_in_again() -> rx.Component:
    """Shown by `again.js` where edits wait of somebody whom this browser isn't signed in as."""
    return rx.el.dialog(
        rx.el.h2("Sign in again", id="sign-in-again-title"),
        rx.el.div(
            rx.el.p(class_name="dialog-text", custom_attrs={"data-again-text": ""}),
            rx.el.ul(class_name="waiting-edits", custom_attrs={"data-again-list": ""}),
            form(
                text_input("name", "Your name", autocomplete="username", prefix="again-"),
                password_input("password", "Your password", prefix="again-"),
                path="/auth/sign-in",
                submit="Sign in",
                done="again",
            ),
            button("Not now", custom_attrs={"data-again-close": ""}),
            custom_attrs={"data-again-form": ""},
        ),
        rx.el.div(
            rx.el.p(class_name="dialog-text", custom_attrs={"data-again-done-text": ""}),
            button("Go on", kind="primary", custom_attrs={"data-go-on": ""}),
            hidden=True,
            custom_attrs={"data-again-done": ""},
        ),
        id="sign-in-again",
        class_name="dialog",
        aria_labelledby="sign-in-again-title",
    )
