"""Where a value comes from: the whole layer stack of one setting, computed when somebody asks.

One popover a page, which the plugin brings; every origin badge opens it. What it shows is in one
state of the tab, never in the states of all settings.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypedDict, cast

import reflex as rx

from ...binding import Binding
from ...explain import Explanation, LayerView
from ..components import ui
from ..mirror import tab_of_event
from ..tabs import require_tabs
from .base import Field, icon, icon_button, in_words, menu_item, rank_of
from .words import DEFAULT, value_words

POPOVER = "persistence-explain"


class StoryRow(TypedDict):
    """What one layer says."""

    scope: str
    owner: str
    """The name of the entity, "" where that is the reader."""
    state: str
    """wins, shadowed, blocks or unset."""
    kind: str
    value: str
    author: str
    at: float
    note: str
    pending: bool


class Story(TypedDict):
    """What the popover tells, in words."""

    number: int
    """Grows, so that the page knows a new answer."""
    tool: str
    field: str
    title: str
    value: str
    origin: str
    default: str
    if_reset: str
    """What the edit target would inherit; "" where there is nothing to reset."""
    rows: list[StoryRow]
    """Strongest first."""


NO_STORY: Story = {
    "number": 0, "tool": "", "field": "", "title": "", "value": "", "origin": DEFAULT,
    "default": "", "if_reset": "", "rows": [],
}  # fmt: skip


class PanelState(rx.State):
    """What the tab's panels ask for."""

    story: rx.Field[Story] = rx.field(default_factory=lambda: cast(Story, dict(NO_STORY)))

    @rx.event
    async def explain(self, tool: str, field: str):
        """Tell the story of a setting that this tab shows."""
        tab = tab_of_event()
        if tab is None or not isinstance(cast(object, tool), str):
            return
        binding = tab.bindings.get(tool)
        if binding is None or field not in tuple(binding.spec.fields):
            return
        number = self.story["number"] + 1
        self.story = await tell(binding, field, number)


async def tell(binding: Binding[Any], field: str, number: int) -> Story:
    """The explanation of a setting in words; names by the app's `describe` hook."""
    spec, told = binding.spec.require(field), binding.explain(field)
    people = await _people(binding, told)
    owners = await _owners(binding, told)
    rows = [_row(spec, layer, people, owners) for layer in reversed(told.layers)]
    is_own = any(
        layer.scope == binding.edit_scope_of(field) and layer.kind for layer in told.layers
    )
    return {
        "number": number,
        "tool": binding.spec.tool,
        "field": field,
        "title": spec.title,
        "value": value_words(spec, told.value),
        "origin": told.origin,
        "default": value_words(spec, told.default),
        "if_reset": value_words(spec, told.if_reset) if is_own else "",
        "rows": rows,
    }


def _row(
    spec: Any, layer: LayerView, people: dict[str, str], owners: dict[tuple[str, str], str]
) -> StoryRow:
    return {
        "scope": layer.scope,
        "owner": owners.get((layer.scope, layer.owner), ""),
        "state": layer.state,
        "kind": layer.kind,
        "value": "" if layer.kind in ("", "block") else value_words(spec, layer.value),
        "author": people.get(layer.author, layer.author),
        "at": layer.at,
        "note": layer.note,
        "pending": layer.pending,
    }


async def _people(binding: Binding[Any], told: Explanation) -> dict[str, str]:
    """Who wrote what; the reader is "You"."""
    weakest = binding.engine.scopes.names[0]
    ids = {layer.author for layer in told.layers if layer.author}
    names = await require_tabs().directory.names(weakest, ids - {binding.actor})
    return {**names, binding.actor: "You"}


async def _owners(binding: Binding[Any], told: Explanation) -> dict[tuple[str, str], str]:
    """The names of the entities, where the app has any; the reader's own layer needs none."""
    found: dict[tuple[str, str], str] = {}
    for layer in told.layers:
        if layer.owner != binding.actor:
            name = await require_tabs().directory.name(layer.scope, layer.owner)
            found[layer.scope, layer.owner] = name if name != layer.owner else ""
    return found


# --- what opens it -------------------------------------------------------------------------------


def _opens(field: Field) -> dict[str, Any]:
    return {
        "popoverTarget": POPOVER,
        "aria-haspopup": "dialog",
        "data-persistence-explain": f"{field.bound.tool}.{field.name}",
    }


def origin_badge(field: Field) -> rx.Component:
    """Says where the value comes from; opens the whole story."""
    origin = field.state.origins[field.name]
    word = field.scope_word(origin)
    return ui.el.button(
        ui.el.span(word, class_name="persistence-origin-word"),
        ui.el.span(", where ", field.title, " comes from", class_name="persistence-sr"),
        type="button",
        class_name="persistence-origin",
        title="Where this value comes from",
        on_click=cast(Any, PanelState).explain(field.bound.tool, field.name),
        custom_attrs={
            **_opens(field),
            "data-origin": origin,
            "data-rank": rank_of(origin),
        },
    )


def explain_button(field: Field) -> rx.Component:
    """An icon that opens the story, for rows without a badge."""
    return icon_button(
        "info",
        f"Where {field.title} comes from",
        attrs=_opens(field),
        on_click=cast(Any, PanelState).explain(field.bound.tool, field.name),
    )


def explain_item(field: Field) -> rx.Component:
    """The story as an item of the field's menu."""
    return menu_item(
        "Where this comes from",
        icon_name="info",
        attrs={"data-persistence-explain": f"{field.bound.tool}.{field.name}"},
        on_click=cast(Any, PanelState).explain(field.bound.tool, field.name),
    )


# --- the popover ---------------------------------------------------------------------------------


def explain_popover(names: dict[str, str]) -> rx.Component:
    """The one popover of a page. The script places it, and hides what it said before."""
    story: Any = PanelState.story
    return ui.el.div(
        ui.el.div(
            ui.el.h2(story["title"], id=f"{POPOVER}-title"),
            ui.el.p(
                ui.el.span(story["value"], class_name="persistence-story-value"),
                ui.el.span(" from ", in_words(story["origin"].to(str), names)),
            ),
            _table(story, names),
            ui.cond(
                story["if_reset"] != "",
                ui.el.p(
                    "If reset: ",
                    ui.el.strong(story["if_reset"]),
                    class_name="persistence-story-reset",
                ),
            ),
            class_name="persistence-story",
            custom_attrs={"data-story": story["number"].to_string()},
        ),
        id=POPOVER,
        role="dialog",
        aria_labelledby=f"{POPOVER}-title",
        class_name="persistence-popover",
        custom_attrs={"popover": "auto"},
    )


def _table(story: Any, names: dict[str, str]) -> rx.Component:
    return ui.el.table(
        ui.el.thead(
            ui.el.tr(
                ui.el.th("Layer", scope="col"),
                ui.el.th("Value", scope="col"),
                ui.el.th("Set by", scope="col"),
            )
        ),
        ui.el.tbody(
            ui.foreach(story["rows"].to(list[StoryRow]), partial(_table_row, names)),
            ui.el.tr(
                ui.el.th(names[DEFAULT], scope="row"),
                ui.el.td(story["default"]),
                ui.el.td("The declaration", class_name="persistence-story-faint"),
                custom_attrs={
                    "data-layer": ui.cond(story["origin"] == DEFAULT, "wins", "shadowed"),
                    "data-rank": "0",
                },
            ),
        ),
    )


def _table_row(names: dict[str, str], row: Any) -> rx.Component:
    scope = row["scope"].to(str)
    return ui.el.tr(
        ui.el.th(
            in_words(scope, names),
            ui.cond(row["owner"] != "", ui.el.small(row["owner"])),
            scope="row",
        ),
        ui.el.td(
            ui.match(
                row["kind"],
                ("", ui.el.span("inherits", class_name="persistence-story-faint")),
                ("block", ui.el.span("blocked: the default is used")),
                ui.el.span(row["value"], class_name="persistence-story-value"),
            ),
            ui.match(
                row["kind"],
                ("pin", _mark("pin", "pinned")),
                ("policy", _mark("lock", "policy")),
                ui.fragment(),
            ),
            ui.cond(row["note"] != "", ui.el.small("“", row["note"], "”")),
        ),
        ui.el.td(
            ui.cond(row["author"] != "", ui.el.span(row["author"])),
            ui.cond(
                row["pending"],
                ui.el.small("not saved yet"),
                ui.el.time(
                    hidden=row["at"].to(float) == 0,
                    custom_attrs={"data-persistence-at": row["at"].to_string()},
                ),
            ),
        ),
        custom_attrs={"data-layer": row["state"], "data-rank": rank_of(scope)},
    )


def _mark(icon_name: str, words: str) -> rx.Component:
    return ui.el.span(icon(icon_name), words, class_name="persistence-mark")
