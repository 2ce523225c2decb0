"""One setting as the parts of a panel see it, and the smallest native elements they are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from ...errors import DeclarationError
from ...presentation import widget_of
from ...specs import SettingSpec, Widget
from .. import _private as rx_
from ..components import Bound, bound_setting, ui
from ..states import SettingsState
from .words import DEFAULT, scope_chain, scope_names

PARTS = (
    "label", "badge", "menu", "help", "notes", "header", "search", "target", "actions", "read_only",
)  # fmt: skip
"""The parts of a panel that an app can replace."""

WIDE: frozenset[Widget] = frozenset(("long", "tags", "list", "dict", "record", "json", "slider"))
"""Widgets that need the panel's whole width."""
GROUPED: frozenset[Widget] = frozenset(("radio", "tags", "list", "dict", "record", "json"))
"""Widgets of several controls: they are named by their label, which can't point to one of them."""


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of a panel: its declaration, and what the page knows of it, as vars."""

    state: Any
    """The state's class."""
    bound: Bound
    id: str
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Scopes in the app's words."""
    parts: Mapping[str, Part] = field(default_factory=dict[str, Any])
    """Parts that the app replaces."""

    @property
    def spec(self) -> SettingSpec:
        return self.bound.spec

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def title(self) -> str:
        return self.spec.title

    @property
    def widget(self) -> Widget:
        return widget_of(self.spec)

    @property
    def info(self) -> Any:
        """The setting's `FieldInfo`."""
        return self.bound.info

    @property
    def is_ruled(self) -> Any:
        """Does a policy of a weaker layer decide?"""
        return self.info["policy"].to(str) != ""

    @property
    def is_own(self) -> Any:
        """Does the edit target itself say something?"""
        return self.info["own"].bool()

    @property
    def is_denied(self) -> Any:
        """May whoever looks not edit it?"""
        return self.bound.denied

    def part(self, name: str, own: Part) -> rx.Component:
        """The app's part of that name, else the library's."""
        return self.parts.get(name, own)(self)

    def scope_word(self, scope: Any) -> Any:
        """A scope, which only the page knows, in words."""
        return in_words(scope, self.names)


Part = Callable[[Any], rx.Component]


def field_of(
    var: Any,
    *,
    names: Mapping[str, str] | None = None,
    parts: Mapping[str, Part] | None = None,
    prefix: str = "",
) -> Field:
    """The field of a setting's var. Raises DeclarationError for what isn't a SettingsState's."""
    bound = bound_setting(var)
    cls, _ = rx_.source_of(var)
    if cls is None or not issubclass(cls, SettingsState):
        raise DeclarationError(
            str(var)[:80],
            "isn't a setting of a SettingsState",
            hint="Panels are for those; bind(...) a persisted var to a control of yours.",
        )
    parts = check_parts(parts)
    return Field(
        cls, bound, _dom_id(prefix, bound.tool, bound.spec.name), scope_names(names), parts
    )


def check_parts(parts: Mapping[str, Part] | None) -> Mapping[str, Part]:
    """Raises TypeError for a part that no panel has."""
    if unknown := [name for name in parts or {} if name not in PARTS]:
        raise TypeError(f"a panel has no part {unknown}; it has {', '.join(PARTS)}")
    return parts or {}


def _dom_id(*parts: str) -> str:
    return "-".join(re.sub(r"[^a-zA-Z0-9_-]", "-", each) for each in ("p", *parts) if each)


def in_words(scope: Any, names: Mapping[str, str]) -> Any:
    """A scope, which only the page knows, in the app's words."""
    return ui.match(scope, *names.items(), scope)


def rank_of(scope: Any) -> Any:
    """How strong a scope is, as text: "0" for the default. For colours."""
    ranks = {name: str(at) for at, name in enumerate(scope_chain(), 1)}
    return ui.match(scope, (DEFAULT, "0"), *ranks.items(), "1")


# --- elements ------------------------------------------------------------------------------------


def icon(name: str) -> rx.Component:
    """A line icon, drawn by the stylesheet. It only decorates."""
    return ui.el.span(
        class_name="persistence-icon", custom_attrs={"data-icon": name, "aria-hidden": "true"}
    )


def button(*children: Any, class_name: str = "", attrs: Any = None, **props: Any) -> rx.Component:
    return ui.el.button(
        *children,
        type="button",
        class_name=f"persistence-button {class_name}".strip(),
        custom_attrs=attrs or {},
        **props,
    )


def icon_button(name: str, label: Any, *, attrs: Any = None, **props: Any) -> rx.Component:
    """A button that is only an icon; `label` is read aloud and shown on hover."""
    return ui.el.button(
        icon(name),
        type="button",
        class_name="persistence-icon-button",
        aria_label=label,
        title=label,
        custom_attrs=attrs or {},
        **props,
    )


def act(kind: str, label: Any, *, icon_name: str = "", **props: Any) -> rx.Component:
    """A menu's item that edits: the script makes it an operation on the field around it."""
    return menu_item(label, icon_name=icon_name, attrs={"data-persistence-act": kind}, **props)


def menu_item(
    label: Any, *, icon_name: str = "", role: str = "menuitem", attrs: Any = None, **props: Any
) -> rx.Component:
    """One line of a menu."""
    return ui.el.button(
        icon(icon_name or "none"),
        ui.el.span(label),
        type="button",
        role=role,
        class_name="persistence-menu-item",
        tab_index=-1,
        custom_attrs=attrs or {},
        **props,
    )


def menu(menu_id: str, label: str, *items: Any) -> rx.Component:
    """A button with three dots, and what it opens: a native popover that the script places."""
    return ui.fragment(
        icon_button(
            "more",
            label,
            attrs={"popoverTarget": menu_id, "aria-haspopup": "menu"},
        ),
        ui.el.div(
            *items,
            id=menu_id,
            role="menu",
            aria_label=label,
            class_name="persistence-menu",
            custom_attrs={"popover": "auto"},
        ),
    )
