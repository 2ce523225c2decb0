"""The control of a setting, by its declared type. Each is bound: its edits go as operations.

Simple ones are native controls. Tags, lists, dicts, records and JSON are elements of the library
(`assets/editors.js`), which build their own controls in the browser and have a `value` like any
other; React sees one element without children.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML

from ...presentation import choices_of, words_of
from ...shapes import Shape, shape_of
from ...specs import Widget
from ..components import props_of, ui
from .base import GROUPED, Field
from .words import as_json


class _Editor(BaseHTML):
    """An element that `editors.js` defines. The alias is its name in the page."""

    tag = "PersistenceJson"
    alias = "persistence-json"


class _Tags(_Editor):
    tag = "PersistenceTags"
    alias = "persistence-tags"


class _List(_Editor):
    tag = "PersistenceList"
    alias = "persistence-list"


class _Dict(_Editor):
    tag = "PersistenceDict"
    alias = "persistence-dict"


class _Record(_Editor):
    tag = "PersistenceRecord"
    alias = "persistence-record"


def control(field: Field) -> rx.Component:
    """The widget that was asked for, or the one that fits the type, as a bound control."""
    return WIDGETS[field.widget](field)


def common(field: Field, *, described: bool = True) -> dict[str, Any]:
    """The props of every control: its id, what it is called and what describes it."""
    props: dict[str, Any] = {"id": field.id}
    if field.widget in GROUPED:
        props["aria_labelledby"] = f"{field.id}-label"
    if described:
        notes = f"{field.id}-notes"
        props["aria_describedby"] = f"{field.id}-help {notes}" if field.spec.help else notes
    return props


def text(field: Field) -> rx.Component:
    return ui.el.input(
        class_name="persistence-input",
        auto_complete="off",
        dir="auto",
        **_placeholder(field),
        **props_of(field.bound, "text", common(field)),
    )


def long_text(field: Field) -> rx.Component:
    return ui.el.textarea(
        class_name="persistence-input persistence-long",
        rows=3,
        dir="auto",
        **_placeholder(field),
        **props_of(field.bound, "text", common(field)),
    )


def number(field: Field) -> rx.Component:
    return _with_unit(
        field,
        ui.el.input(
            class_name="persistence-input persistence-number",
            **_placeholder(field),
            **props_of(field.bound, "number", common(field)),
        ),
    )


def slider(field: Field) -> rx.Component:
    """A range, and a number beside it for who knows what they want: one setting in two controls."""
    ranged = props_of(
        field.bound,
        "range",
        {**common(field), "id": f"{field.id}-range", "aria_label": field.title},
    )
    step = _step(field)
    number_props = props_of(field.bound, "number", common(field)) | {"step": step}
    return ui.el.div(
        ui.el.input(class_name="persistence-range", step=step, **ranged),
        _with_unit(
            field, ui.el.input(class_name="persistence-input persistence-number", **number_props)
        ),
        class_name="persistence-slider",
    )


def _step(field: Field) -> str:
    rules = field.spec.constraints
    if (step := rules.get("multiple_of")) is not None:
        return str(step)
    if shape_of(field.spec.annotation).kind == "integer":
        return "1"
    span = rules.get("le", 1.0) - rules.get("ge", 0.0)
    return "0.01" if span <= 2 else "0.1" if span <= 20 else "1"


def switch(field: Field) -> rx.Component:
    return ui.el.input(
        role="switch",
        class_name="persistence-switch",
        **props_of(field.bound, "native", common(field)),
    )


def select(field: Field) -> rx.Component:
    choices = choices_of(field.spec)
    return ui.el.select(
        *[ui.el.option(words, value=_json(field, value)) for value, words in choices],
        class_name="persistence-input persistence-select",
        **props_of(field.bound, "json", common(field)),
    )


def radio(field: Field) -> rx.Component:
    """Choices side by side. The fieldset is the control; its radios have no state of their own."""
    props = props_of(field.bound, "json", common(field))
    shown = props.pop("default_value")
    attributes = props.pop("custom_attrs") | {"data-persistence-kind": "choice"}
    return ui.el.fieldset(
        *[
            ui.el.label(
                ui.el.input(
                    type="radio",
                    name=field.id,
                    value=(sent := _json(field, value)),
                    default_checked=shown == sent,
                ),
                ui.el.span(words),
            )
            for value, words in choices_of(field.spec)
        ],
        class_name="persistence-radio",
        role="radiogroup",
        custom_attrs=attributes,
        **props,
    )


def day(field: Field) -> rx.Component:
    return _native_typed(field, "date")


def hour(field: Field) -> rx.Component:
    return _native_typed(field, "time", step="1")


def _native_typed(field: Field, kind: str, **props: Any) -> rx.Component:
    return ui.el.input(
        type=kind,
        class_name="persistence-input persistence-date",
        **props,
        **props_of(field.bound, "text", common(field)),
    )


def password(field: Field) -> rx.Component:
    """What is stored is never sent to a page: the dots say that something is."""
    props = props_of(field.bound, "password", common(field))
    is_set = field.state.origins[field.name] != "default"
    hint = field.spec.presentation.get("placeholder", "Not set")
    return ui.el.input(
        class_name="persistence-input",
        **{**props, "placeholder": ui.cond(is_set, "•••••••• (stored)", hint)},
    )


def tags(field: Field) -> rx.Component:
    return _editor(_Tags, field, shape_of(field.spec.annotation))


def rows(field: Field) -> rx.Component:
    return _editor(_List, field, shape_of(field.spec.annotation))


def pairs(field: Field) -> rx.Component:
    return _editor(_Dict, field, shape_of(field.spec.annotation))


def record(field: Field) -> rx.Component:
    return _editor(_Record, field, shape_of(field.spec.annotation))


def as_text(field: Field) -> rx.Component:
    return _editor(_Editor, field, Shape("json"))


def _editor(kind: type[_Editor], field: Field, shape: Shape) -> rx.Component:
    """One of our elements: what it edits is in its attributes, as with a native control."""
    props = props_of(field.bound, "json", common(field))
    props.pop("default_value")
    attributes = props.pop("custom_attrs")
    attributes.pop("aria-invalid")  # a group can't be; the note beside it says so
    attributes |= {
        "aria-disabled": ui.cond(props.pop("disabled"), "true", "false"),
        "data-label": field.title,
        "data-shape": json.dumps(_described(field, shape), ensure_ascii=False),
    }
    if field.spec.merge:
        attributes["data-persistence-kind"] = "keys"
    made: Any = kind
    return made.create(custom_attrs=attributes, role="group", **props)


def _described(field: Field, shape: Shape) -> dict[str, Any]:
    """A shape as `editors.js` reads it."""
    labels = field.spec.presentation.get("labels", {})
    rules = field.spec.constraints
    more = {
        "labels": {str(key): words for key, words in labels.items()},
        "most": rules.get("max_length"),
        "least": rules.get("min_length", 0),
        "placeholder": field.spec.presentation.get("placeholder", ""),
    }
    return {**_plain(shape, labels), **more}


def _plain(shape: Shape, labels: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": shape.kind, "optional": shape.optional, "unique": shape.unique}
    if shape.choices:
        made["choices"] = [[each, labels.get(each, words_of(each))] for each in shape.choices]
    if shape.item is not None:
        made["item"] = _plain(shape.item, labels)
    if shape.parts:
        made["byName"] = shape.by_name
        made["parts"] = [
            [name, _part_words(name, labels, by_name=shape.by_name), _plain(each, labels)]
            for name, each in shape.parts
        ]
    return made


def _part_words(name: str, labels: Any, *, by_name: bool) -> str:
    if by_name:
        return labels.get(name, words_of(name))
    return labels.get(int(name), f"Part {int(name) + 1}")


def _with_unit(field: Field, made: rx.Component) -> rx.Component:
    if not (unit := field.spec.presentation.get("unit")):
        return made
    return ui.el.span(
        made, ui.el.span(unit, class_name="persistence-unit"), class_name="persistence-with-unit"
    )


def _placeholder(field: Field) -> dict[str, Any]:
    words = field.spec.presentation.get("placeholder")
    return {"placeholder": words} if words else {}


def _json(field: Field, value: Any) -> str:
    """A choice as the browser's JSON has it."""
    return "null" if value is None else json.dumps(as_json(field.spec, value), ensure_ascii=False)


WIDGETS: dict[Widget, Callable[[Field], rx.Component]] = {
    "text": text,
    "long": long_text,
    "number": number,
    "slider": slider,
    "switch": switch,
    "select": select,
    "radio": radio,
    "tags": tags,
    "list": rows,
    "dict": pairs,
    "record": record,
    "date": day,
    "time": hour,
    "password": password,
    "json": as_text,
}
