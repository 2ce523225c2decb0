"""Sharing a project: the button, the dialog, and what a page says to who may only look."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.components.base import button, icon, icon_button, link
from workbench.components.lists import empty, menu, menu_item
from workbench.components.shell import skeleton
from workbench.states.project import Project
from workbench.states.share import ROLE_WORDS, Share

DIALOG = "share"


def may_edit() -> Any:
    """May whoever looks edit the project's shots and settings?"""
    return (Project.role == "owner") | (Project.role == "editor")


def is_own() -> Any:
    return Project.role == "owner"


def share_button() -> rx.Component:
    return button(
        icon("users-round"),
        rx.el.span(rx.cond(Project.members > 0, "Shared", "Share"), class_name="share-word"),
        rx.cond(Project.members > 0, rx.el.span(Project.members + 1, class_name="count")),
        class_name="share-button",
        title="Who can see and edit this project",
        on_click=Share.open(Project.id),
        custom_attrs={"data-persistence-dialog": DIALOG, "aria-haspopup": "dialog"},
    )


def look_only() -> rx.Component:
    """Above the page of who may not edit: why, and whom to ask."""
    return rx.cond(
        Project.role == "viewer",
        rx.el.p(
            icon("eye"),
            rx.el.span(
                "You can look at this project. Ask ", rx.el.bdi(Project.owner),
                " for the right to edit.",
            ),
            class_name="look-only",
            role="note",
        ),
    )  # fmt: skip


def ended() -> rx.Component:
    """Where a project stood that its reader may see no more."""
    return empty(
        "lock",
        "This project is closed to you now",
        "It was deleted, or is no longer shared with you. What you changed and couldn’t save is "
        "kept in this browser; nobody else got it.",
        link("All projects", to="/", class_name="button button-primary"),
    )


def share_dialog() -> rx.Component:
    return rx.el.dialog(
        rx.el.header(
            rx.el.h2("Share ", rx.el.bdi(Project.name), id="share-title"),
            icon_button("x", "Close", custom_attrs={"data-persistence-close": ""}),
            class_name="share-head",
        ),
        rx.cond(
            Share.project == Project.id,
            rx.match(
                Share.status,
                ("ready", _shared()),
                ("missing", rx.el.p("This project is no longer shared with you.")),
                ("away", rx.el.p("The database can’t be reached. Close this and try again.")),
                skeleton("row", "row"),
            ),
            skeleton("row", "row"),
        ),
        id=DIALOG,
        class_name="dialog share",
        aria_labelledby="share-title",
    )


def _shared() -> rx.Component:
    return rx.fragment(
        rx.cond(
            Share.problem != "", rx.el.p(Share.problem, class_name="form-problem", role="alert")
        ),
        rx.el.p(Share.said, class_name="form-done", role="status"),
        rx.el.section(
            rx.el.h3("Members"),
            rx.el.ul(rx.foreach(Share.people, _person), class_name="people"),
            aria_label="Members",
        ),
        rx.cond(Share.role == "owner", _links(), _leave()),
    )


# --- members -------------------------------------------------------------------------------------


def _person(each: Any) -> rx.Component:
    is_asked = (Share.about == each.user) & (Share.asking != "") & (Share.asking != "leave")
    return rx.el.li(
        rx.el.div(
            rx.el.span(each.initial, class_name="avatar", aria_hidden=True),
            rx.el.div(
                rx.el.span(each.name, class_name="person-name", dir="auto"),
                rx.el.span(each.note, class_name="meta"),
                class_name="person-text",
            ),
            rx.cond(
                (Share.role == "owner") & (each.role != "owner"),
                rx.fragment(_role_choice(each), _person_menu(each)),
                rx.el.span(each.role_word, class_name="role"),
            ),
            class_name="person",
        ),
        rx.cond(is_asked, _question()),
        key=each.user,
    )


def _role_choice(each: Any) -> rx.Component:
    return rx.el.select(
        *[rx.el.option(ROLE_WORDS[role], value=role) for role in ("editor", "viewer")],
        value=each.role,
        on_change=lambda role: Share.set_role(each.user, role),
        class_name="input role-choice",
        aria_label="What " + each.name + " may do",
    )


def _person_menu(each: Any) -> rx.Component:
    return menu(
        "More for " + each.name,
        menu_item("crown", "Make owner…", on_click=Share.ask("own", each.user)),
        menu_item("user-minus", "Remove…", on_click=Share.ask("remove", each.user), kind="danger"),
    )


def _question() -> rx.Component:
    """What it would mean, before it is done."""
    return rx.el.div(
        rx.el.p(
            rx.match(
                Share.asking,
                (
                    "own",
                    rx.fragment(
                        rx.el.bdi(Share.about_name),
                        " owns the project then: only they can share, rename and delete it. You go "
                        "on as an editor. Open links are revoked.",
                    ),
                ),
                rx.fragment(
                    rx.el.bdi(Share.about_name),
                    " sees nothing of it any more, at once. What they made stays. Open links are "
                    "revoked, so that none brings them back.",
                ),
            )
        ),
        rx.el.div(
            button(
                rx.cond(Share.asking == "own", "Make owner", "Remove"),
                kind="danger",
                class_name="button-small",
                on_click=Share.confirm,
            ),
            _cancel(),
            class_name="dialog-actions",
        ),
        class_name="person-question",
        role="alertdialog",
        aria_label="Are you sure?",
    )


def _cancel() -> rx.Component:
    """Takes the focus, so that the question is read where it stands."""
    return button(
        "Cancel", class_name="button-small", on_click=Share.dismiss_question, auto_focus=True
    )


def _leave() -> rx.Component:
    return rx.el.section(
        rx.cond(
            Share.asking == "leave",
            rx.el.div(
                rx.el.p(
                    "You see nothing of it any more then. What you made in it stays. To come back "
                    "you need a link from ", rx.el.bdi(Share.owner), ".",
                ),
                rx.el.div(
                    button("Leave", kind="danger", class_name="button-small",
                           on_click=Share.confirm),
                    _cancel(),
                    class_name="dialog-actions",
                ),
                class_name="person-question",
                role="alertdialog",
                aria_label="Are you sure?",
            ),
            rx.el.div(
                rx.el.p("Only ", rx.el.bdi(Share.owner), " can invite others.", class_name="meta"),
                button("Leave this project…", class_name="button-small",
                       on_click=Share.ask("leave", "")),
                class_name="share-foot",
            ),
        ),
    )  # fmt: skip


# --- links ---------------------------------------------------------------------------------------


def _links() -> rx.Component:
    return rx.el.section(
        rx.el.h3("Invite by link"),
        rx.el.form(
            _choice("role", "Who joins", ("editor", "can edit"), ("viewer", "can look")),
            _choice("kind", "It is for", ("all", "all who have it"), ("once", "one person")),
            button(icon("link", size=14), "Create link", submit=True, kind="primary"),
            on_submit=Share.make_link,
            class_name="invite-form",
        ),
        rx.cond(Share.url != "", _new_link()),
        rx.cond(
            Share.links.length() > 0,
            rx.el.ul(rx.foreach(Share.links, _link), class_name="links", aria_label="Open links"),
            rx.el.p("No link is open. Nobody else can join.", class_name="meta"),
        ),
        aria_label="Invite by link",
    )


def _choice(name: str, label: str, *options: tuple[str, str]) -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.select(
            *[rx.el.option(words, value=value) for value, words in options],
            name=name,
            class_name="input",
        ),
    )


def _new_link() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.input(
                value=Share.url,
                read_only=True,
                aria_label="The new link",
                class_name="input",
                custom_attrs={"data-select": "", "data-url": ""},
            ),
            button(icon("copy", size=14), rx.el.span("Copy"), custom_attrs={"data-copy": ""}),
            class_name="new-link-row",
        ),
        rx.el.p(Share.url_note, " It isn’t shown again.", class_name="meta"),
        class_name="new-link",
    )


def _link(each: Any) -> rx.Component:
    return rx.el.li(
        icon("link", size=14),
        rx.el.div(
            rx.el.span(each.role_word, class_name="person-name"),
            rx.el.span(each.note, class_name="meta"),
            class_name="person-text",
        ),
        button(
            "Revoke",
            class_name="button-small",
            on_click=Share.revoke(each.id),
            aria_label="Revoke the link, " + each.role_word + ", " + each.note,
        ),
        key=each.id,
    )
