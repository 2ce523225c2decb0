"""`/account`: who one is, password, sessions, export, deletion. A guest has a part of it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.components.base import button, icon, link
from workbench.components.forms import form, password_input
from workbench.components.lists import away, cookies_blocked
from workbench.components.shell import shell, skeleton, trail
from workbench.components.sidebar import home_sidebar
from workbench.pages.signing import PASSWORD_HINT, STATE, guest_work
from workbench.states.account import Account


def account() -> rx.Component:
    return shell(
        rx.el.div(
            rx.match(
                Account.status,
                ("ready", _account()),
                ("away", away(STATE, Account.load)),
                ("blocked", cookies_blocked()),
                skeleton("row", "row", "row"),
            ),
            class_name="page account",
        ),
        trail=trail(rx.el.span("Account", class_name="trail-here")),
        sidebar=home_sidebar(),
    )


def _account() -> rx.Component:
    is_account = Account.kind == "account"
    return rx.fragment(
        rx.cond(is_account, _head(), _guest_head()),
        rx.el.div(
            rx.cond(
                Account.problem != "",
                rx.el.p(Account.problem, class_name="form-problem", role="alert"),
            ),
            rx.el.p(Account.said, class_name="form-done", role="status"),
        ),
        rx.cond(
            is_account & (Account.guest_projects > 0),
            _part("What you made as a guest", guest_work()),
        ),
        rx.cond(is_account, _sessions()),
        rx.cond(is_account, _password()),
        _export(),
        rx.cond(is_account, _delete(), _delete_guest()),
    )


def _head() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h1(Account.name, dir="auto"),
            rx.el.p(
                "Signed up ", _time(Account.created_at), " · ", Account.work, class_name="lead"
            ),
        ),
        rx.el.div(
            rx.el.label(
                rx.el.input(type="checkbox", custom_attrs={"data-remove-kept": ""}),
                "Remove what is kept on this device",
                class_name="sign-out-choice",
                title="For a computer that others use, too",
            ),
            button(icon("log-out"), "Sign out", custom_attrs={"data-sign-out": ""}),
            class_name="sign-out",
        ),
        class_name="page-head",
    )  # fmt: skip


def _guest_head() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h1("Guest"),
            rx.el.p(
                "Your work belongs to this browser until you sign up · ", Account.work,
                class_name="lead",
            ),
        ),
        link("Sign up to keep your work", to="/sign-up", class_name="button button-primary"),
        class_name="page-head",
    )  # fmt: skip


def _sessions() -> rx.Component:
    return _part(
        "Where you’re signed in",
        rx.el.ul(rx.foreach(Account.sign_ins, _session), class_name="sessions"),
        rx.cond(
            Account.sign_ins.length() > 1,
            rx.el.div(
                button("Sign out everywhere else", on_click=Account.end_others),
                class_name="form-actions",
            ),
        ),
    )


def _session(each: Any) -> rx.Component:
    return rx.el.li(
        icon("monitor-smartphone"),
        rx.el.div(
            rx.el.span("Signed in on ", each.device, class_name="session-device"),
            rx.el.span(
                rx.cond(each.is_current, "This browser", "Last seen "),
                rx.cond(each.is_current, rx.fragment(), _time(each.seen_at)),
                " · since ", _time(each.signed_in_at),
                class_name="meta",
            ),
            class_name="session-text",
        ),
        rx.cond(
            ~each.is_current,
            button(
                "End", class_name="button-small", on_click=Account.end_session(each.id),
                aria_label="End the session on " + each.device,
            ),
        ),
        key=each.id,
    )  # fmt: skip


def _password() -> rx.Component:
    return _part(
        "Password",
        form(
            rx.el.input(
                type="text", name="", value=Account.name, auto_complete="username",
                read_only=True, tab_index=-1, class_name="sr-only", aria_hidden=True,
            ),
            password_input("password", "Password until now"),
            password_input("new_password", "New password", is_new=True, hint=PASSWORD_HINT),
            path="/auth/password",
            submit="Change password",
            done="Changed. Everywhere else you were signed out.",
        ),
        lead="All other sessions end when it changes.",
    )  # fmt: skip


def _export() -> rx.Component:
    return _part(
        "Your data",
        rx.el.div(
            button(icon("download"), "Export as JSON", custom_attrs={"data-export": ""}),
            class_name="form-actions",
        ),
        lead="One file: the account, projects and shots, all settings, and who changed them when.",
    )  # fmt: skip


def _delete() -> rx.Component:
    return _part(
        "Delete this account",
        _folded(
            "Delete my account",
            form(
                password_input("password", "Password", prefix="delete-"),
                path="/auth/account",
                method="DELETE",
                submit="Delete everything for good",
                done="/",
                tells="deleted",
                kind="danger",
            ),
        ),
        lead=rx.fragment(
            "What goes: ", Account.work, _WHAT_GOES, " your name and every session.", _lent()
        ),
    )


def _delete_guest() -> rx.Component:
    return _part(
        "Delete what you made",
        _folded(
            "Delete all that I made here",
            form(
                path="/auth/account",
                method="DELETE",
                submit="Delete everything for good",
                done="/",
                tells="deleted",
                kind="danger",
            ),
        ),
        lead=rx.fragment(
            "What goes: ", Account.work, _WHAT_GOES, " this browser’s cookie.", _lent()
        ),
    )


def _lent() -> rx.Component:
    """Others lose it, too, unless one of them owns it first."""
    return rx.cond(
        Account.lent.length() > 0,
        rx.el.span(
            " Others work with you on ",
            rx.el.strong(Account.lent.join(", ")),
            ", and lose it, too. If they should keep it, make one of them its owner first: open "
            "it, then Share.",
            class_name="what-others-lose",
        ),
    )


_WHAT_GOES = ", all settings, their history, moments and presets, what was deleted lately, and"


def _folded(label: str, *children: rx.Component) -> rx.Component:
    return rx.el.details(
        rx.el.summary(label, class_name="button button-plain"),
        *children,
        class_name="folded",
    )


def _part(title: str, *children: rx.Component, lead: Any = "") -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(title),
            rx.el.p(lead, class_name="lead") if lead != "" else rx.fragment(),
            class_name="account-head",
        ),
        rx.el.div(*children, class_name="account-body"),
        class_name="panel account-part",
        aria_label=title,
    )


def _time(epoch: Any) -> rx.Component:
    """A day in the browser's own time: `accounts.js` writes it."""
    return rx.el.time(custom_attrs={"data-epoch": epoch.to_string()})
