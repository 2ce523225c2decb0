"""The menu of one setting: reset, pin, block, where its edits go, and what others add."""

from __future__ import annotations

import reflex as rx

from ..components import ui
from .base import Field, act, icon_button, menu, menu_item
from .explain import explain_item
from .items import field_items, items_for
from .words import scope_chain


def field_menu(field: Field) -> rx.Component:
    """Three dots, and what can be done with a setting. The script makes its edits operations."""
    return menu(
        f"{field.id}-menu",
        f"{field.title}: more",
        explain_item(field),
        *_edits(field),
        *_targets(field),
        *items_for(field_items, field),
    )


def _edits(field: Field) -> list[rx.Component]:
    kind, is_ruled = field.info["kind"].to(str), field.is_ruled
    made = [
        act(
            "reset",
            "Reset" if not field.spec.inherit else "Reset to what is inherited",
            icon_name="reset",
            hidden=~field.is_own | is_ruled | (kind == "policy") | field.is_denied,
        )
    ]
    if field.spec.inherit:
        is_fixed = is_ruled | (kind == "policy") | field.is_denied
        if not field.spec.secret:
            made.append(
                act(
                    "pin",
                    "Pin this value",
                    icon_name="pin",
                    title="It stays, though what is inherited may change",
                    hidden=is_fixed | (kind == "pin"),
                )
            )
        made.append(
            act(
                "block",
                "Block what is inherited",
                icon_name="block",
                title="The default is used, whatever weaker layers say",
                hidden=is_fixed | (kind == "block"),
            )
        )
    return made


def _targets(field: Field) -> list[rx.Component]:
    """Where the edits of this one setting go, if there is a choice."""
    allowed = field.spec.scopes or scope_chain()
    scopes = [scope for scope in scope_chain() if scope in allowed]
    if len(scopes) < 2:
        return []
    choose = field.state.choose_field_scope
    return [
        ui.el.div("Edit for", class_name="persistence-menu-head", role="presentation"),
        *[
            menu_item(
                field.names[scope],
                icon_name="check",
                role="menuitemradio",
                aria_checked=ui.cond(field.info["scope"].to(str) == scope, "true", "false"),
                hidden=~field.state.scopes.contains(scope),
                on_click=choose(field.name, scope),
            )
            for scope in scopes
        ],
    ]


def reset_button(field: Field) -> rx.Component:
    """The way back in one click, for a setting that is overridden at its edit target."""
    return icon_button(
        "reset",
        f"Reset {field.title}",
        attrs={"data-persistence-act": "reset"},
        hidden=~field.is_own
        | field.is_ruled
        | (field.info["kind"].to(str) == "policy")
        | field.is_denied,
    )
