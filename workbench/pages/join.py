"""`/join/[token]`: what a link invites to, told before anybody joins."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.components.base import button, link
from workbench.components.lists import away, cookies_blocked, empty
from workbench.components.shell import shell, skeleton, trail
from workbench.components.sidebar import home_sidebar
from workbench.states.me import Me
from workbench.states.share import Join

STATE: Any = Join


def join() -> rx.Component:
    return shell(
        rx.el.div(
            rx.match(
                Join.status,
                ("ready", _offer()),
                ("missing", _gone("There is no such link", "It may not be complete. Ask whoever "
                                  "sent it to send it again.")),
                ("away", away(STATE, Join.load)),
                ("blocked", cookies_blocked()),
                skeleton("title", "panel"),
            ),
            class_name="page signing",
        ),
        trail=trail(rx.el.span("Invitation", class_name="trail-here")),
        sidebar=home_sidebar(),
    )  # fmt: skip


def _offer() -> Any:
    return rx.match(
        Join.state,
        ("open", _invitation(_open())),
        ("raise", _invitation(_raise())),
        ("member", _invitation(_already("You are a member already."))),
        ("own", _invitation(_already("This is your own project. Send the link to others."))),
        ("limited", _gone("Too many links were tried", Join.why)),
        _gone("This link doesn’t work any more", "It " + Join.why.to(str) + "."),
    )


def _invitation(*children: rx.Component) -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.h1(rx.el.bdi(Join.name)),
            rx.el.p(
                rx.cond(
                    Join.state == "own",
                    "An invitation to your project",
                    rx.fragment(rx.el.bdi(Join.by), " invites you to this project"),
                ),
                class_name="lead",
            ),
            class_name="signing-head",
        ),
        rx.el.section(
            *children,
            rx.cond(
                Join.problem != "",
                rx.el.p(Join.problem, class_name="form-problem", role="alert"),
            ),
            class_name="panel signing-panel",
            aria_label="Invitation",
        ),
    )


def _open() -> rx.Component:
    return rx.fragment(
        rx.el.p(_what(), class_name="join-what"),
        rx.match(
            Me.kind,
            ("account", rx.el.p("You join as ", rx.el.strong(Me.name), ".")),
            rx.el.p(
                "You join as a guest of this browser, and stay a member when you sign up. If you "
                "have an account, ",
                link("sign in", to="/sign-in", class_name="text-link"),
                " first, then open this link again.",
            ),
        ),
        rx.el.div(
            button("Join", kind="primary", class_name="form-submit", on_click=Join.join),
            link("Not now", to="/", class_name="button button-plain"),
            class_name="form-actions",
        ),
    )


def _raise() -> rx.Component:
    return rx.fragment(
        rx.el.p("You can look at it already. With this link you can edit it, too."),
        rx.el.div(
            button("Take it", kind="primary", class_name="form-submit", on_click=Join.join),
            _open_it(kind="plain"),
            class_name="form-actions",
        ),
    )


def _already(words: str) -> rx.Component:
    return rx.fragment(
        rx.el.p(words), rx.el.div(_open_it(kind="primary"), class_name="form-actions")
    )


def _open_it(*, kind: str) -> rx.Component:
    return link(
        "Open the project", to="/p/" + Join.project, class_name=f"button button-{kind} form-submit"
    )


def _what() -> Any:
    return rx.cond(
        Join.role == "editor",
        "You will be able to look at it, edit its settings, and add, rename and delete shots.",
        "You will be able to look at it. Editing is for others.",
    )


def _gone(title: str, text: Any) -> rx.Component:
    return empty(
        "link-2-off", title, text, link("All projects", to="/", class_name="button button-primary")
    )
