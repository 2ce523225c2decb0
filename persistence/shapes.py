"""What a declared type looks like from outside: what a panel, or a form, has to offer. Pure.

    shape_of(list[tuple[str, int]])  →  a list of rows of a text and a whole number

What has no simpler form is `json`: any value, edited as text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pydantic
from typing_extensions import is_typeddict as is_typed_dict

Kind = Literal[
    "text", "integer", "number", "boolean", "choice", "date", "time", "list", "row", "dict", "json"
]

SCALARS: frozenset[Kind] = frozenset(
    ("text", "integer", "number", "boolean", "choice", "date", "time")
)

_PLAIN: dict[Any, Kind] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    date: "date",
    time: "time",
    datetime: "text",
    timedelta: "text",
    Decimal: "text",
    UUID: "text",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of value, with those it is made of."""

    kind: Kind
    optional: bool = False
    """May it be None?"""
    choices: tuple[Any, ...] = ()
    """Of a choice: its values, as JSON has them."""
    item: Shape | None = None
    """Of a list: its entries; of a dict: its values."""
    parts: tuple[tuple[str, Shape], ...] = ()
    """Of a row: its parts by name, or by position as text."""
    by_name: bool = False
    """Of a row: is it an object, and not a list?"""
    unique: bool = False
    """Of a list: is it a set?"""

    @property
    def is_scalar(self) -> bool:
        return self.kind in SCALARS


JSON = Shape("json")


def shape_of(annotation: Any) -> Shape:
    """The shape of a declared type."""
    if hasattr(annotation, "__metadata__"):  # Annotated[...]
        return shape_of(get_args(annotation)[0])
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        left = [each for each in get_args(annotation) if each is not NoneType]
        only = shape_of(left[0]) if len(left) == 1 else JSON
        return dataclasses.replace(only, optional=NoneType in get_args(annotation))
    if origin is Literal:
        return _choice(get_args(annotation))
    if annotation in _PLAIN:
        return Shape(_PLAIN[annotation])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choice(member.value for member in annotation)
    return _composite(annotation, origin)


def _choice(values: Iterable[Any]) -> Shape:
    """A Literal's values, or an Enum's; None among them makes it optional."""
    found = tuple(each.value if isinstance(each, Enum) else each for each in values)
    choices = tuple(each for each in found if each is not None)
    if not all(isinstance(each, str | int | float) for each in choices):
        return JSON
    return Shape("choice", optional=None in found, choices=choices)


def _composite(annotation: Any, origin: Any) -> Shape:
    args = get_args(annotation)
    if origin in (list, set, frozenset) or (origin is tuple and args[-1:] == (Ellipsis,)):
        item = shape_of(args[0])
        if item.is_scalar or item.kind == "row":
            return Shape("list", item=item, unique=origin in (set, frozenset))
        return JSON
    if origin is tuple:
        return _row({str(at): each for at, each in enumerate(args)}, by_name=False)
    if origin is dict and args[0] is str:
        values = shape_of(args[1])
        return Shape("dict", item=values) if values.is_scalar else JSON
    return _row(_fields(annotation), by_name=True)


def _row(parts: dict[str, Any], *, by_name: bool) -> Shape:
    shapes = tuple((name, shape_of(each)) for name, each in parts.items())
    if not shapes or not all(shape.is_scalar for _, shape in shapes):
        return JSON
    return Shape("row", parts=shapes, by_name=by_name)


def _fields(kind: Any) -> dict[str, Any]:
    """The fields of a typed dict, a dataclass or a model; none of any other type."""
    if is_typed_dict(kind):
        hints = get_type_hints(kind, include_extras=True)
        is_loose = not kind.__total__ or any(get_origin(h) is NotRequired for h in hints.values())
        return {} if is_loose else hints
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return {each.name: hints[each.name] for each in dataclasses.fields(kind)}
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    return {}
