"""`/sign-in`, `/sign-up`, `/reset/…` and `/bring`: one panel each, in the middle of the page."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.accounts import names, passwords
from workbench.components.base import button, icon, link
from workbench.components.forms import form, password_input, text_input
from workbench.components.lists import away, cookies_blocked, empty
from workbench.components.shell import shell, skeleton, trail
from workbench.components.sidebar import home_sidebar
from workbench.states.account import Account, Reset

NAME_HINT = (
    f"{names.SHORTEST} to {names.LONGEST} characters. An e-mail address is fine; no mail is sent."
)
PASSWORD_HINT = f"{passwords.SHORTEST} to {passwords.LONGEST} characters, any. A few words do well."

STATE: Any = Account
"""For parts of other pages that say why something failed: it has what they read."""


def sign_in() -> rx.Component:
    return _page(
        "Sign in",
        form(
            text_input("name", "Name", autocomplete="username"),
            password_input("password", "Password"),
            path="/auth/sign-in",
            submit="Sign in",
            done="/",
            tells="signed-in",
        ),
        rx.el.p(role="status", custom_attrs={"data-sealed": ""}),
        rx.el.p(
            "No account yet? ", link("Sign up", to="/sign-up", class_name="text-link"), ".",
        ),
        rx.el.p(
            "Password forgotten? Whoever runs this workbench can make you a link to set a new one."
        ),
        lead="What you made as a guest in this browser stays. You’ll be asked about it.",
    )  # fmt: skip


def sign_up() -> rx.Component:
    return _page(
        "Sign up",
        form(
            text_input("name", "Name", autocomplete="username", hint=NAME_HINT),
            password_input("password", "Password", is_new=True, hint=PASSWORD_HINT),
            path="/auth/sign-up",
            submit="Sign up",
            done="/",
            tells="signed-up",
        ),
        rx.el.p(
            "An account already? ", link("Sign in", to="/sign-in", class_name="text-link"), ".",
        ),
        lead="All that you made as a guest stays yours, and is there wherever you sign in.",
    )  # fmt: skip


def reset() -> rx.Component:
    ready = rx.fragment(
        form(
            text_input(
                "name", "Name", autocomplete="username", value=Reset.name, read_only=True
            ),
            password_input("new_password", "New password", is_new=True, hint=PASSWORD_HINT),
            path="/auth/reset",
            submit="Set password",
            done="/sign-in",
            tells="signed-out",
        ),
        rx.el.p("Wherever this account is signed in, it will be signed out."),
    )  # fmt: skip
    gone = empty(
        "link-2-off",
        "This link is gone",
        "It was used already or is too old. Ask whoever runs this workbench for another one.",
        link("Sign in", to="/sign-in", class_name="button button-primary"),
    )
    shown = rx.match(
        Reset.status,
        ("ready", ready),
        ("gone", gone),
        ("away", empty("database-zap", "The database can’t be reached", "Load this page again.")),
        skeleton("row", "row"),
    )
    return _page("Set a new password", shown)


def bring() -> rx.Component:
    """After signing in, where the browser's guest had made something."""
    shown = rx.match(
        Account.status,
        ("ready", rx.cond(Account.guest_projects > 0, guest_work(), _nothing_waits())),
        ("away", away(STATE, Account.load)),
        ("blocked", cookies_blocked()),
        skeleton("row", "row"),
    )
    return _page("What you made as a guest", shown)


def guest_work() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            "In this browser you had ", rx.el.strong(Account.guest_work), " before you signed in."
        ),
        rx.el.ul(
            rx.foreach(Account.guest_names, lambda name: rx.el.li(icon("film", size=14), name)),
            class_name="guest-work-names",
        ),
        rx.el.p(
            "Bring them along, and they are in your account from here on. Or leave them: they are "
            "there again when you sign out in this browser."
        ),
        rx.cond(
            Account.problem != "",
            rx.el.p(Account.problem, class_name="form-problem", role="alert"),
        ),
        rx.el.div(
            button("Bring them along", kind="primary", on_click=Account.bring),
            link("Leave them for now", to="/", class_name="button button-plain"),
            class_name="form-actions",
        ),
        class_name="guest-work",
    )  # fmt: skip


def _nothing_waits() -> rx.Component:
    return rx.fragment(
        rx.el.p("Nothing waits in this browser."),
        link("All projects", to="/", class_name="button button-primary"),
    )


def _page(title: str, *children: Any, lead: str = "") -> rx.Component:
    return shell(
        rx.el.div(
            rx.el.div(
                rx.el.h1(title),
                rx.el.p(lead, class_name="lead") if lead else rx.fragment(),
                class_name="signing-head",
            ),
            rx.el.section(*children, class_name="panel signing-panel", aria_label=title),
            class_name="page signing",
        ),
        trail=trail(rx.el.span(title, class_name="trail-here")),
        sidebar=home_sidebar(),
    )
