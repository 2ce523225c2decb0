"""The menu of transfers, and the forms that it opens; `transfers` does what they say.

transfer_menu(Travel)                       # a button with a menu
"""

from __future__ import annotations

from typing import Any, cast

import reflex as rx

from .components import ui
from .forms import FieldChoice, PresetChoice, default_words
from .panel.base import Field, button, menu, menu_item
from .panel.items import field_items, panel_items
from .panel.panel import is_read_only
from .panel.words import scope_chain
from .preview_view import preview_dialog
from .transfers import TransferState

DIALOG = "persistence-transfer"
_state: Any = TransferState
_ITEMS = (
    ("copy", "Copy from…"),
    ("push", "Push to others…"),
    ("presets", "Presets…"),
    ("export", "Export…"),
    ("import", "Import…"),
)
_WRITES = ("copy", "push", "import")
"""For who may edit here, or in others of the kind."""


# --- menus ---------------------------------------------------------------------------------------


def transfer_menu(state: Any, *, label: str = "Copy, presets, export") -> rx.Component:
    """A button with a menu for one tool: copy from, push to, presets, export, import."""
    tool = state.__tool__.tool
    made = "".join(each if each.isalnum() else "-" for each in tool)
    return menu(f"p-transfer-{made}", label, transfer_items(state))


def transfer_items(state: Any) -> rx.Component:
    """The same as items of a panel's menu."""
    tool = state.__tool__.tool
    return ui.fragment(
        *[
            menu_item(
                words,
                icon_name=kind,
                disabled=~state.ready | is_read_only(state) if kind in _WRITES else ~state.ready,
                on_click=_state.open(tool, kind),
            )
            for kind, words in _ITEMS
        ]
    )


def promote_items(field: Field) -> rx.Component | None:
    """ "Make this the project's default", for the menu of a setting: one item a weaker scope."""
    spec, chain = field.spec, scope_chain()
    allowed = spec.scopes or chain
    if not spec.inherit or spec.secret:
        return None
    scope, kind = field.info["scope"].to(str), field.info["kind"].to(str)
    items: list[rx.Component] = []
    for at, to in enumerate(chain[:-1]):
        if to not in allowed:
            continue
        is_weaker: Any = ui.Var.create(False)
        for stronger in chain[at + 1 :]:
            is_weaker = is_weaker | (scope == stronger)
        offered = field.is_own & ~field.is_ruled & (kind != "policy") & is_weaker
        items.append(
            menu_item(
                f"Make this {default_words(to, chain)}",
                icon_name="promote",
                hidden=~(
                    offered
                    & field.state.scopes.contains(to)
                    & ~field.state.denied.contains(to)
                    & ~field.is_denied
                ),
                on_click=_state.promote(field.bound.tool, field.name, to),
            )
        )
    return ui.fragment(*items) if items else None


# --- the dialog ----------------------------------------------------------------------------------


def transfer_dialog(names: dict[str, str]) -> rx.Component:
    """The one dialog of a page; the plugin brings it."""
    form: Any = TransferState.form
    number = form["number"].to(int)
    word = ui.match(form["scope"], *names.items(), form["scope"])
    alone = form["owners"].to(list[str]).length() == 0
    return ui.el.dialog(
        ui.match(
            form["kind"].to(str),
            (
                "copy",
                _form(form, "Copy settings from", word, _copy(form), "Preview", is_idle=alone),
            ),
            ("push", _form(form, "Push settings", word, _push(form), "Preview", is_idle=alone)),
            ("presets", _form(form, "Presets", word, _presets(form, names), "Keep")),
            ("export", _form(form, "Export settings", word, _export(), "Download")),
            ("import", _form(form, "Import settings", word, _import(), "Preview")),
            ui.fragment(),
        ),
        ui.el.button(
            type="button",
            hidden=True,
            on_click=_state.close(number),
            custom_attrs={"data-persistence-closed": ""},
        ),
        id=DIALOG,
        aria_labelledby=f"{DIALOG}-title",
        class_name="persistence-dialog persistence-wide",
        custom_attrs={
            "data-persistence-open": ui.cond(number > 0, number.to_string(), ""),
            "data-persistence-done": TransferState.done,
        },
    )


def _form(
    form: Any, title: str, word: Any, body: rx.Component, does: str, *, is_idle: Any = False
) -> rx.Component:
    """A form anew for each time that one is opened: what was chosen before is gone."""
    number = form["number"].to(int).to_string()
    return ui.el.form(
        ui.el.header(
            ui.el.h2(title, id=f"{DIALOG}-title"),
            ui.el.p(form["title"], " · ", word, " · ", form["name"]),
        ),
        ui.el.div(
            form["problem"],
            hidden=form["problem"] == "",
            role="alert",
            class_name="persistence-note persistence-note-bad",
            custom_attrs={"data-persistence-problem": ""},
        ),
        ui.el.input(type="hidden", name="number", value=number, read_only=True),
        ui.el.div(body, class_name="persistence-form-body"),
        ui.el.div(
            button("Cancel" if does != "Keep" else "Close", attrs={"data-persistence-close": ""}),
            ui.el.button(
                does,
                type="submit",
                disabled=is_idle,
                class_name="persistence-button persistence-primary",
            ),
            class_name="persistence-dialog-actions",
        ),
        key=form["kind"].to(str) + number,
        on_submit=_state.submit,
    )


def _check(name: Any, label: Any, more: Any = "", **props: Any) -> rx.Component:
    return ui.el.label(
        ui.el.input(type="checkbox", name=name, **props), ui.el.span(label), ui.el.span(more)
    )


def _list(legend: str, boxes: rx.Component, *, all_words: str) -> rx.Component:
    return ui.el.fieldset(
        ui.el.legend(legend),
        ui.el.label(
            ui.el.input(
                type="checkbox",
                custom_attrs={"data-persistence-all": "", "data-persistence-first": ""},
            ),
            ui.el.span(all_words),
        ),
        boxes,
        class_name="persistence-form-list",
    )


def _fields(form: Any) -> rx.Component:
    def box(each: Any) -> rx.Component:
        return _check(
            "field." + each["key"].to(str),
            each["title"],
            each["value"],
            default_checked=each["chosen"].bool(),
        )

    chosen = ui.foreach(form["fields"].to(list[FieldChoice]), box)
    return _list("Settings", chosen, all_words="All settings")


def _all_tools() -> rx.Component:
    return ui.el.fieldset(
        _check("all", "All tools, not only this one"),
        class_name="persistence-form-list persistence-form-options",
    )


def _nobody(form: Any) -> rx.Component:
    return ui.el.p("There is no other ", form["scope"], " here.")


def _copy(form: Any) -> rx.Component:
    def option(name: Any, at: Any) -> rx.Component:
        return ui.el.option(name, value=at.to_string())

    owners = form["owners"].to(list[str])
    return ui.fragment(
        ui.cond(
            owners.length() > 0,
            ui.el.label(
                "From",
                ui.el.select(
                    ui.foreach(owners, option),
                    name="owner",
                    custom_attrs={"data-persistence-first": ""},
                ),
            ),
            _nobody(form),
        ),
        _all_tools(),
        ui.el.p("Configuration is copied, content such as prompts is not."),
    )


def _push(form: Any) -> rx.Component:
    def box(name: Any, at: Any) -> rx.Component:
        return _check("owner." + at.to_string(), name, default_checked=True)

    owners = form["owners"].to(list[str])
    return ui.cond(
        owners.length() > 0,
        ui.fragment(
            _fields(form),
            _list("To", ui.foreach(owners, box), all_words="All of them"),
        ),
        _nobody(form),
    )


def _presets(form: Any, names: dict[str, str]) -> rx.Component:
    number = form["number"].to(int)

    def listed(each: Any, at: Any) -> rx.Component:
        return ui.el.li(
            ui.el.span(each["name"], ui.el.small(each["about"])),
            ui.el.div(
                button(
                    "Apply",
                    disabled=~each["is_readable"].bool(),
                    on_click=_state.apply_preset(number, at),
                    aria_label="Apply " + each["name"].to(str),
                ),
                button(
                    ui.cond(each["asking"].bool(), "Really delete", "Delete"),
                    class_name="persistence-quiet",
                    on_click=_state.remove_preset(number, at),
                    aria_label=ui.cond(each["asking"].bool(), "Really delete ", "Delete ")
                    + each["name"].to(str),
                ),
            ),
        )

    def keeper(scope: Any) -> rx.Component:
        return ui.el.option(ui.match(scope, *names.items(), scope), value=scope)

    kept = form["presets"].to(list[PresetChoice])
    return ui.fragment(
        ui.cond(
            kept.length() > 0,
            ui.el.ul(ui.foreach(kept, listed), class_name="persistence-presets"),
            ui.el.p("There are none yet. Keep what is set here under a name:"),
        ),
        ui.el.label(
            "Name",
            ui.el.input(
                name="name",
                max_length=100,
                auto_complete="off",
                custom_attrs={"data-persistence-first": ""},
            ),
        ),
        ui.el.label(
            "Kept for", ui.el.select(ui.foreach(form["scopes"].to(list[str]), keeper), name="at")
        ),
        _fields(form),
        ui.el.fieldset(
            _check("replace", "Replace one of the same name"),
            class_name="persistence-form-list persistence-form-options",
        ),
    )


def _export() -> rx.Component:
    return ui.fragment(
        ui.el.fieldset(
            ui.el.legend("As", class_name="persistence-sr"),
            _radio("form", "json", "JSON, which most programs read", chosen=True),
            _radio("form", "toml", "TOML, which people read and edit"),
            class_name="persistence-form-list persistence-form-options",
        ),
        _all_tools(),
        ui.el.p("What is set here itself. Secrets stay out."),
    )


def _radio(name: str, value: str, label: str, *, chosen: bool = False) -> rx.Component:
    return ui.el.label(
        ui.el.input(
            type="radio",
            name=name,
            value=value,
            default_checked=chosen,
            custom_attrs={"data-persistence-first": ""} if chosen else {},
        ),
        ui.el.span(label),
    )


def _import() -> rx.Component:
    return ui.fragment(
        ui.el.label(
            "A JSON or TOML document",
            ui.el.textarea(
                name="text",
                rows=9,
                spell_check=False,
                auto_complete="off",
                placeholder='{"tool": {"setting": 41}}',
                custom_attrs={"data-persistence-document": "", "data-persistence-first": ""},
            ),
        ),
        ui.el.label(
            "or a file",
            ui.el.input(
                type="file",
                accept=".json,.toml,application/json,application/toml",
                custom_attrs={"data-persistence-file": ""},
            ),
        ),
        _all_tools(),
    )


def dialogs(names: dict[str, str]) -> list[rx.Component]:
    """What the plugin puts into every page: the form and the preview."""
    return [cast(Any, transfer_dialog(names)), preview_dialog()]


field_items.append(promote_items)
panel_items.append(transfer_items)
