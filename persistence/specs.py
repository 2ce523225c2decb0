"""The facts of a declaration: one setting, one tool. Pure; `settings` makes them."""

from __future__ import annotations

import copy
import logging
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, TypedDict, Union, get_args, get_origin

import pydantic

from .errors import InvalidValue, UnknownField

Flush = Literal["debounced", "now"]
Migration = Callable[[dict[str, Any]], dict[str, Any]]
Validator = Callable[[Mapping[str, Any]], None]

log = logging.getLogger("persistence")

NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,99}")


class Constraints(TypedDict, total=False):
    """pydantic's constraints, which a setting takes as keywords."""

    ge: float
    gt: float
    le: float
    lt: float
    multiple_of: float
    min_length: int
    max_length: int
    pattern: str


Widget = Literal[
    "text", "long", "number", "slider", "switch", "select", "radio", "tags", "list", "dict",
    "record", "date", "time", "password", "json", "none",
]  # fmt: skip
"""How a panel may edit a setting; `none`: panels leave it out."""


class Presentation(TypedDict, total=False):
    """How panels show a setting. Nothing of it changes what is stored."""

    group: str
    """The title of the part of the panel that it stands in."""
    widget: Widget
    """The control, where the one that fits the type isn't wanted."""
    labels: Mapping[Any, str]
    """Words for the choices by value, or for the parts of a row by name or position."""
    placeholder: str
    """Shown in an empty control."""
    unit: str
    """What a number counts: "frames", "%"."""
    shown_if: Mapping[str, Any]
    """Other settings by name, with the value, or the values in a tuple, with which this one is
    shown. Where it isn't it keeps its value."""


class Facts(Constraints, Presentation, total=False):
    """What a setting takes as keywords besides those that it names."""


class Unset:
    """The type of `UNSET`: nothing was written, nothing was given."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET = Unset()


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `setting(...)` was called with, before its name and type are known."""

    default: Any = UNSET
    default_factory: Callable[[], Any] | None = None
    title: str = ""
    help: str = ""
    alias: str = ""
    scopes: tuple[str, ...] | None = None
    inherit: bool = True
    merge: bool = False
    flush: Flush = "debounced"
    secret: bool = False
    constraints: Constraints = field(default_factory=Constraints)
    presentation: Presentation = field(default_factory=Presentation)

    def factory(self) -> Callable[[], Any]:
        """Makes the default anew each time, so that nobody can change it in place."""
        if self.default_factory is not None:
            return self.default_factory
        if isinstance(self.default, str | int | float | bool | None):
            return partial(_same, self.default)
        return partial(copy.deepcopy, self.default)


def _same(value: Any) -> Any:
    return value


def is_constant(default: Callable[[], Any]) -> bool:
    return isinstance(default, partial) and default.func is _same


@dataclass(frozen=True, eq=False)
class SettingSpec:
    """One declared setting. `check` is the only way in for a value."""

    name: str
    alias: str
    annotation: Any
    default: Callable[[], Any]
    title: str
    help: str
    scopes: tuple[str, ...] | None
    inherit: bool
    merge: bool
    flush: Flush
    secret: bool
    constraints: Constraints
    declared: bool = True
    """False for a field of a tool that nobody declared: stored and returned as it is."""
    presentation: Presentation = field(default_factory=Presentation)
    rules: tuple[Any, ...] = ()
    """What stands beside the type in `Annotated[...]`: validators, and further constraints."""

    @cached_property
    def adapter(self) -> pydantic.TypeAdapter[Any]:
        """Strict: `True` is no int, "3" is no number; NaN and infinities are refused."""
        kind: Any = Annotated[self.annotation, pydantic.Field(**self.constraints), *self.rules]
        config = pydantic.ConfigDict(strict=True, allow_inf_nan=False)
        try:
            return pydantic.TypeAdapter(kind, config=config)
        except pydantic.PydanticUserError:  # models and typed dicts bring a config of their own
            return pydantic.TypeAdapter(kind)

    @cached_property
    def is_native(self) -> bool:
        """Are its values JSON as they are, so that the codec needs no adapter?"""
        return not self.declared or (not self.rules and _is_native(self.annotation))

    @cached_property
    def is_plain(self) -> bool:
        """Values of this type can't be changed in place, so that they need no copies."""
        return not self.rules and _is_plain(self.annotation)

    def check(self, value: Any) -> Any:
        """The value as it may be stored. Raises InvalidValue with the problem and the limit."""
        try:
            return self.adapter.validator.validate_python(value, strict=True)
        except pydantic.ValidationError as error:
            raise InvalidValue(self.name, explain_error(error)) from None
        except RecursionError:
            raise InvalidValue(self.name, "is nested too deeply, or contains itself") from None
        except Exception as error:  # an app's own check may raise anything
            raise check_failed(self.name, error) from error

    def parse(self, text: str) -> Any:
        """The value in canonical JSON text. Raises InvalidValue where it doesn't fit the type."""
        try:
            return self.adapter.validator.validate_json(text, strict=True)
        except pydantic.ValidationError as error:
            raise InvalidValue(self.name, explain_error(error)) from None
        except Exception as error:  # as above
            raise check_failed(self.name, error) from error

    def copy(self, value: Any) -> Any:
        """A value that the caller may change without touching ours."""
        return value if self.is_plain else copy.deepcopy(value)


_WORDS = {
    "bool_type": "must be on or off",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_type": "must be a text",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
}
"""What users meet, in words for them; pydantic says the rest."""


def explain_error(error: pydantic.ValidationError) -> str:
    """The first complaint, with the path inside the value: "0.name: must be a text"."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    words = _WORDS.get(first["type"])
    text = words.format_map(first.get("ctx", {})) if words else first["msg"]
    more = error.error_count() - 1
    return (f"{path}: " if path else "") + text + (f" (and {more} more)" if more else "")


def _is_native(annotation: Any) -> bool:
    if annotation in (str, int, float, bool, None, type(None), list, dict, Any):
        return True
    origin = get_origin(annotation)
    if origin is Literal:
        return all(isinstance(each, str | int | None) for each in get_args(annotation))
    return origin in (list, dict, tuple, Union, UnionType) and all(
        arg is Ellipsis or _is_native(arg) for arg in get_args(annotation)
    )


def _is_plain(annotation: Any) -> bool:
    if annotation in (str, int, float, bool, None, type(None)):
        return True
    origin = get_origin(annotation)
    if origin is Literal:
        return True
    if origin in (list, dict, set) or annotation in (list, dict, set, Any):
        return False
    if args := get_args(annotation):
        return all(_is_plain(arg) for arg in args if arg is not Ellipsis)
    return False


@dataclass(frozen=True, eq=False)
class ToolSpec:
    """One tool: its settings by name, where an edit goes by default, and its schema version."""

    tool: str
    edit: str
    fields: Mapping[str, SettingSpec]
    version: int = 1
    migrations: Mapping[int, Migration] = field(default_factory=dict[int, Migration])
    validators: tuple[tuple[tuple[str, ...], Validator], ...] = ()
    title: str = ""
    declared_by: str = ""

    @cached_property
    def by_alias(self) -> Mapping[str, SettingSpec]:
        return {spec.alias: spec for spec in self.fields.values()}

    @cached_property
    def special(self) -> frozenset[str]:
        """The settings that don't simply take the strongest layer's value."""
        return frozenset(n for n, spec in self.fields.items() if spec.merge or not spec.inherit)

    @property
    def is_declared(self) -> bool:
        return bool(self.declared_by)

    def require(self, name: str) -> SettingSpec:
        """The setting of that name. Raises UnknownField, naming what there is."""
        if (spec := self.fields.get(name)) is not None:
            return spec
        if not self.is_declared and NAME.fullmatch(name):
            return _undeclared(name)
        known = ", ".join(sorted(self.fields)[:12])
        raise UnknownField(str(name)[:80], f"{self.tool} has no such setting; it has {known}")

    def defaults(self) -> dict[str, Any]:
        """All defaults, in the order of the declaration; yours to change."""
        made = dict(self._first_defaults)
        for name in self._made_anew:
            made[name] = self.fields[name].default()
        return made

    @cached_property
    def _first_defaults(self) -> dict[str, Any]:
        return {name: spec.default() for name, spec in self.fields.items()}

    @cached_property
    def _made_anew(self) -> tuple[str, ...]:
        """The settings whose default isn't one value that nobody can change."""
        return tuple(n for n, spec in self.fields.items() if not is_constant(spec.default))

    def migrate(self, values: dict[str, Any], version: int) -> dict[str, Any]:
        """Values written at an older version, in the shape of this one."""
        for step in range(version, self.version):
            values = self.migrations[step](dict(values))
        return values

    def check_together(self, values: Mapping[str, Any], changed: Iterable[str]) -> None:
        """Run the validators across fields that `changed` touches. Raises InvalidValue."""
        edited = set(changed)
        for names, validator in self.validators:
            if touched := [name for name in names if name in edited]:
                try:
                    validator(values)
                except ValueError as error:
                    raise InvalidValue(touched[0], str(error)) from None
                except Exception as error:  # an app's function
                    raise check_failed(touched[0], error) from error


def check_failed(name: str, error: Exception) -> InvalidValue:
    """What an app's check means that failed itself: the edit isn't taken, and holds up no other."""
    where = "".join(traceback.format_tb(error.__traceback__))  # its text may hold the value
    log.error("a check of %s failed with %s\n%s", name, type(error).__name__, where)
    return InvalidValue(name, "can't be checked: the app failed on it; the reason is in its log")


def _undeclared(name: str) -> SettingSpec:
    return SettingSpec(
        name, name, Any, partial(_same, None), name, "", None, True, False, "debounced", False,
        Constraints(), declared=False,
    )  # fmt: skip


def undeclared_tool(tool: str, edit: str) -> ToolSpec:
    """A tool id that nobody declared: no defaults, but what is stored is returned."""
    return ToolSpec(tool, edit, MappingProxyType({}))
