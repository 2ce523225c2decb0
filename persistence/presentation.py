"""How a setting is shown: the widget that fits its type, and what a declaration may ask. Pure.

Read by panels; a wrong wish is refused when the class is made, with what would fit.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, cast, get_args

from .errors import DeclarationError, InvalidValue
from .shapes import Shape, shape_of
from .specs import Presentation, SettingSpec, Widget

LONG_TEXT = 200
"""A text that may have so many characters gets several lines."""
SMALL_RANGE = 100
"""A number between limits that are no further apart gets a slider."""
FEW_CHOICES = 4
"""So many choices stand side by side, more in a list to open."""

_FITTING: dict[str, tuple[Widget, ...]] = {
    "text": ("text", "long"),
    "integer": ("number", "slider"),
    "number": ("number", "slider"),
    "boolean": ("switch", "radio", "select"),
    "choice": ("radio", "select"),
    "date": ("date",),
    "time": ("time",),
    "list": ("list",),
    "row": ("record",),
    "dict": ("dict",),
    "json": (),
}
_EMPTY_SHOWS = ("text", "long", "number", "select", "password", "tags", "json")
"""Widgets that can show a placeholder."""


def widget_of(spec: SettingSpec) -> Widget:
    """The widget that was asked for, else the one that fits the declared type."""
    if (asked := spec.presentation.get("widget")) is not None:
        return asked
    shape = shape_of(spec.annotation)
    if spec.secret:
        return "password" if shape.kind == "text" else "json"
    if shape.kind == "text":
        return "long" if _is_long(spec) else "text"
    if shape.kind in ("integer", "number"):
        return "slider" if _is_small_range(spec, shape) else "number"
    if shape.kind == "choice" or (shape.kind == "boolean" and shape.optional):
        count = len(shape.choices) or 2
        return "radio" if count + shape.optional <= FEW_CHOICES else "select"
    if shape.kind == "list" and shape.item is not None and shape.item == Shape("text"):
        return "tags"
    fitting = _FITTING[shape.kind]
    return fitting[0] if fitting else "json"


def fitting_widgets(spec: SettingSpec) -> tuple[Widget, ...]:
    """The widgets that can edit a setting."""
    shape = shape_of(spec.annotation)
    if spec.secret:
        return ("password", "none") if shape.kind == "text" else ("json", "none")
    found = _FITTING[shape.kind]
    if shape.kind == "boolean" and shape.optional:
        found = ("radio", "select")
    if shape.kind == "list" and shape.item is not None and shape.item.kind == "text":
        found = ("tags", *found)
    return (*found, "json", "none")


def choices_of(spec: SettingSpec) -> tuple[tuple[Any, str], ...]:
    """What may be chosen, each with its words; None stands last where it is allowed."""
    shape = shape_of(spec.annotation)
    labels = spec.presentation.get("labels", {})
    values: tuple[Any, ...] = shape.choices
    words: dict[Any, str] = {}
    if shape.kind == "boolean":
        values, words = (True, False), {True: "On", False: "Off"}
    if shape.optional:
        values, words = (*values, None), {**words, None: "Not set"}
    return tuple((each, labels.get(each, words.get(each, words_of(each)))) for each in values)


def words_of(name: Any) -> str:
    """A name of the code in words: "wan_local" → "Wan local"."""
    text = str(name).replace("_", " ")
    return text[:1].upper() + text[1:]


def _is_long(spec: SettingSpec) -> bool:
    return spec.constraints.get("max_length", 0) >= LONG_TEXT or "\n" in str(spec.default())


def _is_small_range(spec: SettingSpec, shape: Shape) -> bool:
    low, high = spec.constraints.get("ge"), spec.constraints.get("le")
    if low is None or high is None or shape.optional:
        return False
    return high - low <= SMALL_RANGE


# --- what is refused -----------------------------------------------------------------------------


def check_presentation(at: str, spec: SettingSpec) -> None:
    """Raises DeclarationError where a wish doesn't fit the setting."""
    shown = spec.presentation
    if not shown:
        return

    def refuse(problem: str, hint: str) -> DeclarationError:
        return DeclarationError(at, problem, hint=hint)

    for name in ("group", "placeholder", "unit"):
        if not isinstance(shown.get(name, ""), str):
            raise refuse(f"{name}= isn't a text", f'Write {name}="…".')
    _check_widget(spec, shown, refuse)
    widget = widget_of(spec)
    if shown.get("placeholder") and widget not in _EMPTY_SHOWS:
        raise refuse(
            f"has a placeholder, but its {widget} is never empty", "Say it with help= instead."
        )
    if shown.get("unit") and widget not in ("number", "slider"):
        raise refuse("has a unit, but is no number", "Drop unit=, or say it with help=.")
    _check_labels(spec, refuse)


Refuse = Callable[[str, str], DeclarationError]


def _check_widget(spec: SettingSpec, shown: Presentation, refuse: Refuse) -> None:
    if (widget := shown.get("widget")) is None:
        return
    if widget not in get_args(Widget):
        near = difflib.get_close_matches(str(widget), get_args(Widget), 1)
        hint = f'Did you mean "{near[0]}"?' if near else f"There are {', '.join(get_args(Widget))}."
        raise refuse(f"widget={widget!r} is unknown", hint)
    if widget not in (fitting := fitting_widgets(spec)):
        raise refuse(f"widget={widget!r} doesn't fit its type", f"These do: {', '.join(fitting)}.")
    if widget == "slider" and not {"ge", "le"} <= spec.constraints.keys():
        raise refuse("is a slider without ends", "Give it ge= and le=.")


def _check_labels(spec: SettingSpec, refuse: Refuse) -> None:
    labels: Any = spec.presentation.get("labels")
    if labels is None:
        return
    if not isinstance(labels, Mapping) or not all(
        isinstance(each, str) for each in cast("Mapping[Any, Any]", labels).values()
    ):
        raise refuse("labels= isn't a mapping to texts", 'Write labels={"wan": "Wan 2"}.')
    allowed = _labelled(shape_of(spec.annotation))
    if allowed is None:
        raise refuse("has labels, but no choices and no parts", "Drop labels=.")
    if allowed and (unknown := [each for each in cast("Any", labels) if each not in allowed]):
        listed = ", ".join(map(repr, allowed))
        raise refuse(f"labels {unknown}, which it doesn't have", f"There are {listed}.")


def _labelled(shape: Shape) -> tuple[Any, ...] | None:
    """What may have words: choices, or parts of a row; () for any key, None for nothing."""
    none = (None,) if shape.optional else ()
    if shape.kind == "choice":
        return (*shape.choices, *none)
    if shape.kind == "boolean":
        return (True, False, *none)
    if shape.kind == "list" and shape.item is not None:
        return _labelled(shape.item)
    if shape.kind == "row":
        names = [name for name, _ in shape.parts]
        return tuple(names) if shape.by_name else tuple(map(int, names))
    return () if shape.kind == "dict" else None


def conditions_of(spec: SettingSpec) -> dict[str, tuple[Any, ...]]:
    """Other settings by name, each with the values with which this one is shown."""
    wanted: Mapping[str, Any] = spec.presentation.get("shown_if", {})
    return {
        name: cast("tuple[Any, ...]", values) if isinstance(values, tuple) else (values,)
        for name, values in wanted.items()
    }


def check_condition(at: str, spec: SettingSpec, fields: Mapping[str, SettingSpec]) -> None:
    """Raises DeclarationError where `shown_if` could never hold, or looks at what isn't there."""
    wanted: Any = spec.presentation.get("shown_if")
    if wanted is None:
        return
    if not isinstance(wanted, Mapping) or not wanted:
        raise DeclarationError(
            at, "shown_if= isn't a mapping", hint='Write shown_if={"mode": "advanced"}.'
        )
    for name, values in conditions_of(spec).items():
        if name not in fields or name == spec.name:
            near = difflib.get_close_matches(name, [n for n in fields if n != spec.name], 1)
            raise DeclarationError(
                at,
                f"is shown by {name!r}, which is no other setting of the tool",
                hint=f'Did you mean "{near[0]}"?' if near else "Name another of its settings.",
            )
        other = fields[name]
        if other.secret or not shape_of(other.annotation).is_scalar:
            raise DeclarationError(
                at, f"is shown by {name}, which is a secret or has parts",
                hint="Let a switch, a choice, a number or a text decide.",
            )  # fmt: skip
        _check_values(at, other, values)


def _check_values(at: str, other: SettingSpec, values: tuple[Any, ...]) -> None:
    if not values:
        raise DeclarationError(
            at, f"is shown for no value of {other.name}", hint="Name one or more."
        )
    for value in values:
        try:
            other.check(value)
        except InvalidValue as error:
            raise DeclarationError(
                at,
                f"is shown where {other.name} is {value!r}, which {error.problem}",
                hint="Name a value that it can have.",
            ) from None
