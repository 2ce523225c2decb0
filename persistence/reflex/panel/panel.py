"""A tool's settings as a panel, generated from the declaration; any part can be replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import reflex as rx

from ...errors import DeclarationError
from ...presentation import widget_of
from ..components import ui
from ..states import SettingsState
from .base import Field, Part, button, check_parts, field_of, icon, menu, menu_item
from .field import row
from .items import items_for, panel_items
from .words import scope_chain, scope_names

SEARCH_FROM = 12
"""A panel with so many settings can be searched."""


def settings_panel(
    state: type[SettingsState],
    *,
    only: Sequence[str] | None = None,
    title: str = "",
    widgets: Mapping[str, Part] | None = None,
    parts: Mapping[str, Part] | None = None,
    header: rx.Component | bool = True,
    footer: rx.Component | None = None,
    scope_names: Mapping[str, str] | None = None,
    search: bool | None = None,
    id: str = "",  # noqa: A002  # an element's
    class_name: str = "",
) -> rx.Component:
    """All settings of a tool, or those that `only` names, in that order.

    `widgets` are controls of the app's by setting, `parts` replace a part of every row or of the
    panel (see `PARTS`); both are functions of the `Field`, those of the panel of the state's class.
    `header` is a component instead of the panel's own, or False for none. `scope_names` are words
    for the scopes, where they aren't the plugin's. `search` says whether it can be searched, which
    else depends on its length. `id` keeps two panels of one tool on a page apart.

    Raises DeclarationError for a setting that isn't there, TypeError for a part that isn't.
    """
    fields = _fields(state, only, scope_names, check_parts(parts), id)
    _require_known(state, widgets or {})
    panel = _Panel(state, fields, title or state.__tool__.title, id, parts or {}, widgets or {})
    has_search = len(fields) >= SEARCH_FROM if search is None else search
    return ui.el.section(
        panel.header() if header is True else header or ui.fragment(),
        panel.part("search", _search(panel)) if has_search else ui.fragment(),
        _trouble(state),
        panel.part("read_only", _read_only(state)),
        ui.el.div(*(panel.groups() or [_empty()]), class_name="persistence-body"),
        footer or ui.fragment(),
        class_name=f"persistence-panel {class_name}".strip(),
        aria_labelledby=panel.title_id if header is True else None,
        aria_label=panel.title if header is not True else None,
        aria_busy=ui.cond(state.ready, "false", "true"),
        custom_attrs={"data-persistence-panel": state.__tool__.tool},
        **({"id": id} if id else {}),
    )


def _fields(
    state: type[SettingsState],
    only: Sequence[str] | None,
    names: Mapping[str, str] | None,
    parts: Mapping[str, Part],
    prefix: str,
) -> list[Field]:
    specs = state.__tool__.fields
    _require_known(state, only or ())
    shown = [name for name, spec in specs.items() if widget_of(spec) != "none"]
    chosen = shown if only is None else only
    return [
        field_of(getattr(state, name), names=names, parts=parts, prefix=prefix) for name in chosen
    ]


def _require_known(state: type[SettingsState], names: Any) -> None:
    known = state.__tool__.fields
    if unknown := [name for name in names if name not in known]:
        raise DeclarationError(
            f"settings_panel({state.__name__})",
            f"has no setting {unknown}",
            hint=f"It has {', '.join(known)}.",
        )


class _Panel:
    """What the parts of one panel share."""

    def __init__(
        self,
        state: Any,
        fields: list[Field],
        title: str,
        prefix: str,
        parts: Mapping[str, Part],
        widgets: Mapping[str, Part],
    ) -> None:
        self.state, self.fields, self.title = state, fields, title
        self.parts, self.widgets = parts, widgets
        self.id = "-".join(filter(None, ("p", prefix, state.__tool__.tool.replace(".", "-"))))
        self.title_id = f"{self.id}-title"
        self.names = fields[0].names if fields else scope_names()

    def part(self, name: str, own: rx.Component) -> rx.Component:
        return self.parts[name](self.state) if name in self.parts else own

    def header(self) -> rx.Component:
        return self.part(
            "header",
            ui.el.header(
                ui.el.h2(self.title, id=self.title_id, class_name="persistence-title"),
                self.part("target", edit_target(self.state, self.fields, self.names)),
                self.part("actions", _actions(self)),
                class_name="persistence-panel-head",
            ),
        )

    def groups(self) -> list[rx.Component]:
        """Settings without a group first, then each group, in the order of the declaration."""
        by_group: dict[str, list[rx.Component]] = {"": []}
        for field in self.fields:
            group = field.spec.presentation.get("group", "")
            made = row(field, widget=self.widgets.get(field.name))
            by_group.setdefault(group, []).append(made)
        return [self._group(name, rows) for name, rows in by_group.items() if rows]

    def _group(self, name: str, rows: list[rx.Component]) -> rx.Component:
        if not name:
            return ui.el.div(*rows, class_name="persistence-rows")
        return ui.el.details(
            ui.el.summary(icon("chevron"), ui.el.span(name)),
            ui.el.div(*rows, class_name="persistence-rows"),
            open=True,
            class_name="persistence-group",
            custom_attrs={"data-persistence-group": f"{self.state.__tool__.tool}/{name}"},
        )


# --- head ----------------------------------------------------------------------------------------


def edit_target(
    state: Any, fields: Sequence[Field] = (), names: Mapping[str, str] | None = None
) -> rx.Component:
    """For whom the edits of a panel are: one of the scopes that the page shows."""
    words = names or scope_names()
    allowed = {scope for each in fields for scope in each.spec.scopes or scope_chain()}
    scopes = [scope for scope in scope_chain() if not fields or scope in allowed]
    if len(scopes) < 2:
        return ui.fragment()
    return ui.el.div(
        *[
            ui.el.button(
                words[scope],
                type="button",
                aria_pressed=ui.cond(state.edit_scope == scope, "true", "false"),
                on_click=state.choose_edit_scope(scope),
                disabled=~state.ready,
                hidden=~state.scopes.contains(scope) & state.ready,
            )
            for scope in scopes
        ],
        class_name="persistence-segments",
        role="group",
        aria_label="Edit for",
        title="Edit for",
    )


def _actions(panel: _Panel) -> rx.Component:
    state, dialog = panel.state, f"{panel.id}-reset"
    return ui.el.div(
        menu(
            f"{panel.id}-menu",
            f"{panel.title}: more",
            menu_item("Save now", icon_name="check", on_click=state.save, disabled=~state.is_dirty),
            menu_item(
                "Back to what was saved",
                icon_name="undo",
                on_click=state.revert,
                disabled=~state.is_dirty,
            ),
            *items_for(panel_items, state),
            menu_item(
                "Reset all…",
                icon_name="reset",
                attrs={"data-persistence-dialog": dialog},
                disabled=~_has_own(panel),
            ),
        ),
        _reset_dialog(panel, dialog),
        class_name="persistence-actions",
    )


def _resettable(panel: _Panel) -> list[Field]:
    """Content isn't reset with the rest: nothing would take its place."""
    return [field for field in panel.fields if field.spec.inherit]


def _has_own(panel: _Panel) -> Any:
    found: Any = ui.Var.create(False)
    for field in _resettable(panel):
        found = found | (field.is_own & ~field.is_denied)
    return found


def _reset_dialog(panel: _Panel, dialog_id: str) -> rx.Component:
    """Asks first, and says what it would change. The script resets what the list shows."""
    return ui.el.dialog(
        ui.el.h2(f"Reset {panel.title}?", id=f"{dialog_id}-title"),
        ui.el.p("These are inherited again:"),
        ui.el.ul(
            *[
                ui.el.li(
                    field.title,
                    ui.el.span(" for ", field.scope_word(field.info["scope"].to(str))),
                    hidden=~field.is_own | field.is_denied,
                    custom_attrs={
                        "data-persistence-reset": field.name,
                        "data-persistence-target": field.bound.target,
                        "data-persistence-base": field.info["revision"].to_string(),
                    },
                )
                for field in _resettable(panel)
            ]
        ),
        ui.el.div(
            button("Cancel", attrs={"data-persistence-close": ""}),
            button(
                "Reset",
                class_name="persistence-danger",
                attrs={"data-persistence-close": "", "data-persistence-reset-all": ""},
            ),
            class_name="persistence-dialog-actions",
        ),
        id=dialog_id,
        aria_labelledby=f"{dialog_id}-title",
        class_name="persistence-dialog",
    )


# --- search and trouble --------------------------------------------------------------------------


def _search(panel: _Panel) -> rx.Component:
    """Filters rows in the browser; "/" goes there, Escape clears."""
    return ui.el.div(
        icon("search"),
        ui.el.input(
            type="search",
            placeholder="Search settings",
            aria_label=f"Search {panel.title}",
            auto_complete="off",
            spell_check=False,
            class_name="persistence-input",
            custom_attrs={"data-persistence-search": "", "aria-keyshortcuts": "/"},
        ),
        ui.el.kbd("/", aria_hidden=True),
        ui.el.span(role="status", class_name="persistence-search-count"),
        class_name="persistence-search",
    )


def _empty() -> rx.Component:
    return ui.el.p(
        "There is nothing to set here.",
        class_name="persistence-note persistence-note-plain persistence-trouble",
    )


def _read_only(state: Any) -> rx.Component:
    """Why nothing can be edited here, for who may only look at the edit target."""
    return ui.cond(
        is_read_only(state),
        ui.el.p(
            icon("lock"),
            ui.el.span(state.denied[state.edit_scope]),
            class_name="persistence-note persistence-note-plain persistence-trouble",
        ),
    )


def is_read_only(state: Any) -> Any:
    """May whoever looks at a tool not edit it where its edits go? A var of the page."""
    return state.denied.contains(state.edit_scope)


def _trouble(state: Any) -> rx.Component:
    """Nothing to show: it can't be loaded, or nobody is chosen."""
    return ui.fragment(
        ui.cond(
            (state.status == "error") & ~state.ready,
            ui.el.div(
                icon("alert"),
                ui.el.span(state.last_error),
                ui.el.span(
                    button("Try again", on_click=state.retry), class_name="persistence-note-actions"
                ),
                role="alert",
                class_name="persistence-note persistence-note-bad persistence-trouble",
            ),
        ),
        ui.cond(
            (state.status == "idle") & ui.State.is_hydrated,
            ui.el.p(
                "Nothing is chosen whose settings could be shown.",
                class_name="persistence-note persistence-note-plain persistence-trouble",
            ),
        ),
    )
