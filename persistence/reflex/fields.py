"""A setting as a var of a Reflex state: declared once, checked before it is stored, observed.

    frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames")

`Travel.frames` is a Var in the page, `self.frames` an int in a handler. An assignment of the wrong
type or out of bounds raises InvalidValue and changes nothing. What changed is only noted here, by
name; the values are read when the event ends (`capture.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, Unpack, cast, get_args, get_origin, overload
from uuid import UUID

from typing_extensions import is_typeddict as is_typed_dict

from ..errors import DeclarationError, InvalidValue
from ..settings import UNSET, Declaration, Facts, Flush, SettingSpec, split_facts
from . import _private as rx_

T = TypeVar("T")

CHANGED = "_persistence_changed"
"""Where a state's instance notes the names of the settings that changed since the last capture."""

_IMMUTABLE = frozenset(
    {
        str,
        int,
        float,
        bool,
        NoneType,
        date,
        datetime,
        time,
        timedelta,
        Decimal,
        UUID,
        tuple,
        frozenset,
    }
)
_OBSERVED = (list, dict, set)


class Setting(rx_.Field[rx_.FIELD_TYPE]):
    """A state var that is checked and observed.

    - What breaks its declaration is refused before anything is stored.
    - A change is noted once an event, by name: the value may still change until the event ends.
    - Reflex learns of every change as it does of its own vars.
    """

    spec: SettingSpec
    """Set when the state's class is made."""

    def __init__(self, *args: Any, declared: Declaration | None = None, **kwargs: Any) -> None:
        cast(Any, super()).__init__(*args, **kwargs)
        self.declared = declared or Declaration()
        self._exact: type | None = None
        self._passes: Callable[[Any], bool] = _never

    def _replace(self, **kwargs: Any) -> Any:
        return super()._replace(**{"declared": self.declared, **kwargs})

    def bind(self, spec: SettingSpec) -> None:
        """Take the name, type and rules that the finished class gives it."""
        self.spec = spec
        self._exact = spec.annotation if spec.annotation in (str, int, bool) else None
        self._passes = _never
        if spec.constraints or spec.rules:
            self._exact, self._passes = None, _quick_test(spec)
        elif spec.annotation is float:
            self._passes = _between(float, -math.inf, math.inf, strict=True)

    def __set__(self, instance: Any, value: Any) -> None:
        if type(value) is not self._exact and not self._passes(value):
            value = self.spec.check(rx_.unwrap(value))  # raises before anything is stored
        owner = self._owner
        state = instance if type(instance) is owner else rx_.owner_state(instance, owner)
        state.__dict__[self._name] = value
        self._mark_dirty(state)

    def _mark_dirty(self, state: Any) -> None:
        held = state.__dict__
        name = self._name
        changed = held.get(CHANGED)
        if changed is None:
            held[CHANGED] = {name}
        elif name not in changed:
            changed.add(name)
        elif (  # Reflex knows already, and no computed var has to be made anew
            name in state.dirty_vars
            and name not in state._var_dependencies
            and not state._always_dirty_computed_vars
        ):
            return
        super()._mark_dirty(state)


def _never(_value: Any) -> bool:
    return False


def _between(kind: type, low: float, high: float, *, strict: bool = False) -> Callable[[Any], bool]:
    if strict:
        return lambda value: type(value) is kind and low < value < high
    return lambda value: type(value) is kind and low <= value <= high


def _long(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) is str and low <= len(value) <= high


def _quick_test(spec: SettingSpec) -> Callable[[Any], bool]:
    """A test that only right values pass; the others go to pydantic, which says what is wrong."""
    rules: dict[str, Any] = dict(spec.constraints)
    kind = spec.annotation
    if spec.rules:
        return _never
    if kind is str and not rules.keys() - {"min_length", "max_length"}:
        return _long(rules.get("min_length", 0), rules.get("max_length", math.inf))
    if kind in (int, float) and not rules.keys() - {"ge", "gt", "le", "lt"}:
        low = max(_at_least(rules), -math.inf)
        high = min(_at_most(rules), math.inf)
        if kind is float and (math.isinf(low) or math.isinf(high)):
            return _never  # keep NaN and the infinities with pydantic
        return _between(kind, low, high)
    return _never


def _at_least(rules: dict[str, Any]) -> float:
    above = math.nextafter(rules["gt"], math.inf) if "gt" in rules else -math.inf
    return max(rules.get("ge", -math.inf), above)


def _at_most(rules: dict[str, Any]) -> float:
    below = math.nextafter(rules["lt"], -math.inf) if "lt" in rules else math.inf
    return min(rules.get("le", math.inf), below)


@overload
def setting(
    default: T,
    *,
    title: str = "",
    help: str = "",
    alias: str = "",
    scopes: Iterable[str] | None = None,
    inherit: bool = True,
    merge: bool = False,
    flush: Flush = "debounced",
    secret: bool = False,
    **facts: Unpack[Facts],
) -> Setting[T]: ...
@overload
def setting(
    *,
    default_factory: Callable[[], T],
    title: str = "",
    help: str = "",
    alias: str = "",
    scopes: Iterable[str] | None = None,
    inherit: bool = True,
    merge: bool = False,
    flush: Flush = "debounced",
    secret: bool = False,
    **facts: Unpack[Facts],
) -> Setting[T]: ...
def setting(
    default: Any = UNSET,
    *,
    default_factory: Callable[[], Any] | None = None,
    title: str = "",
    help: str = "",  # noqa: A002  # the word of DECLARE
    alias: str = "",
    scopes: Iterable[str] | None = None,
    inherit: bool = True,
    merge: bool = False,
    flush: Flush = "debounced",
    secret: bool = False,
    **facts: Unpack[Facts],
) -> Any:
    """Declare one setting of a `SettingsState`; the keywords are those of `persistence.setting`.

    A secret setting is a backend var: its value never goes to the page.
    """
    declared = Declaration(
        default, default_factory, title, help, alias, None if scopes is None else tuple(scopes),
        inherit, merge, flush, secret, *split_facts(facts),
    )  # fmt: skip
    return make_field(Setting, declared)


def make_field(kind: type[Setting[Any]], declared: Declaration, **more: Any) -> Any:
    """The field for a declaration, with its default where Reflex looks for it."""
    if declared.default is UNSET and declared.default_factory is None:
        return kind(declared=declared, is_var=not declared.secret, **more)
    if isinstance(declared.default, str | int | float | bool | None):
        return kind(default=declared.default, declared=declared, is_var=not declared.secret, **more)
    return kind(
        default_factory=declared.factory(), declared=declared, is_var=not declared.secret, **more
    )


def require_observable(where: str, annotation: Any) -> None:
    """Raises DeclarationError for a type whose changes Reflex can't see, or that isn't a value."""
    if problem := _unobservable(annotation):
        raise DeclarationError(
            where,
            f"{problem} can't be observed",
            hint="Use str, int, float, bool, list, dict, set, a dataclass or a pydantic model.",
        )


def _unobservable(annotation: Any) -> str:
    if annotation is Any or annotation is Ellipsis or annotation is None:
        return ""
    if is_typed_dict(annotation):
        return _any_unobservable(annotation.__annotations__.values())
    origin = get_origin(annotation)
    if origin is Literal or isinstance(annotation, str | TypeVar):
        return ""
    if origin in (Union, UnionType):
        return _any_unobservable(get_args(annotation))
    if hasattr(annotation, "__metadata__"):  # Annotated[...]
        return _unobservable(get_args(annotation)[0])
    kind = cast("type[Any]", origin or annotation)
    if isinstance(cast(Any, kind), type) and not _is_observable(kind):
        return kind.__name__
    return _any_unobservable(get_args(annotation))


def _is_observable(kind: type[Any]) -> bool:
    if kind in _IMMUTABLE or kind in _OBSERVED or issubclass(kind, Enum):
        return True
    return rx_.is_mutable_type(kind) and not issubclass(kind, dict | list | set)


def _any_unobservable(annotations: Iterable[Any]) -> str:
    return next((problem for each in annotations if (problem := _unobservable(each))), "")


def check_value(field: Setting[Any], value: Any) -> Any:
    """The value as it may be stored. Raises InvalidValue."""
    try:
        return field.spec.check(rx_.unwrap(value))
    except (TypeError, ValueError) as error:
        if isinstance(error, InvalidValue):
            raise
        raise InvalidValue(field.spec.name, str(error)) from None
