"""What a page may send: events of public handlers, with the arguments that they declare.

Any client can send any frame. Each is looked at before Reflex reads it: what no page of the app
sends is dropped, with one line in the log that names the handler and what is wrong, never a value.

- The handler is registered, and its name begins with no underscore.
- All arguments that it needs are there, no others, each of the type of its annotation. What Reflex
  itself converts (forms, texts of numbers and dates) may come as Reflex takes it. An argument
  without annotation takes any JSON.
- `setvar` sets what has a setter that is a handler, and that takes the value.
- Numbers are finite, and nothing is nested deeper than `DEEPEST`.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_type_hints

import pydantic

from . import _private as rx_

DEEPEST = 60
"""Levels of lists and objects within an event."""
LONGEST_PATH = 8_000
"""Characters of an address."""
MOST_PARAMS = 200
"""Parameters of an address."""
LONGEST_REPORT = 4_000
"""Characters of what a page reports as its own error, of which each is a line in the log."""

REPORTS = "handle_frontend_exception"
_STORED = frozenset(("update_vars_internal", "hydrate_and_load"))
_SETVAR = "setvar"


class Undeclared(ValueError):
    """What was sent is no event that a page of this app sends. The text holds no value of it."""


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument of a handler. `takes` is None where any JSON will do."""

    is_needed: bool
    hint: Any
    takes: Callable[[Any], bool] | None


def check_event(sent: object) -> dict[str, Any]:
    """The event as Reflex may have it. Raises Undeclared."""
    event = _object(sent, "the event")
    name = event.get("name")
    if not isinstance(name, str) or not (handler := rx_.handler_of(name)):
        raise Undeclared("there is no such handler")
    short = ".".join(name.rsplit(".", 2)[-2:])
    if name.rpartition(".")[2].startswith("_"):
        raise Undeclared(f"{short} is private")
    payload = _object(event.get("payload") or {}, f"{short}: the payload")
    _check_plain(payload, short)
    try:
        _check_arguments(handler, name, payload)
    except Undeclared as problem:
        raise Undeclared(f"{short}: {problem}") from None
    return {"name": name, "payload": payload, "router_data": _router(event.get("router_data"))}


def _object(sent: object, what: str) -> dict[str, Any]:
    if not isinstance(sent, dict):
        raise Undeclared(f"{what} is no object")
    return cast("dict[str, Any]", sent)


def _router(sent: object) -> dict[str, Any]:
    """Where the page is, as its browser says. The rest of the router's data is the server's."""
    given = _object({} if sent is None else sent, "router_data")
    made: dict[str, Any] = {}
    for key in ("pathname", "asPath"):
        text = given.get(key)
        if text is None:
            continue
        if not isinstance(text, str) or len(text) > LONGEST_PATH or not _is_address(text):
            raise Undeclared(f"router_data: {key} is no address")
        made[key] = text
    if "query" in given:
        query = _object(given["query"], "router_data: the query")
        texts = [each for value in query.values() for each in _texts(value)]
        if len(texts) > MOST_PARAMS or sum(map(len, (*query, *texts))) > LONGEST_PATH:
            raise Undeclared("router_data: the query is too long")
        made["query"] = query
    return made


def _is_address(text: str) -> bool:
    """A lone half of a character has no place in an address, and breaks whoever writes it down."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(value: object) -> list[str]:
    listed = cast("list[object]", value) if isinstance(value, list) else [value]
    texts = [each for each in listed if isinstance(each, str) and _is_address(each)]
    if len(texts) != len(listed):
        raise Undeclared("router_data: the query holds more than texts")
    return texts


def _check_plain(payload: dict[str, Any], short: str) -> None:
    """No number that isn't one, and no depth that a recursion wouldn't return from."""
    level: list[object] = [payload]
    for _ in range(DEEPEST):
        below: list[object] = []
        for each in level:
            if isinstance(each, dict):
                if not rx_.is_form_or_none(cast("dict[str, object]", each)):
                    raise Undeclared(f"{short}: holds a form that is none")
                below += cast("dict[str, object]", each).values()
            elif isinstance(each, list):
                below += cast("list[object]", each)
            elif isinstance(each, float) and not math.isfinite(each):
                raise Undeclared(f"{short}: holds a number that isn't finite")
        if not below:
            return
        level = below
    raise Undeclared(f"{short}: is nested deeper than {DEEPEST} levels")


def _check_arguments(handler: Any, name: str, payload: Mapping[str, Any]) -> None:
    known = _arguments(handler)
    if extra := payload.keys() - known.keys():
        raise Undeclared(f"takes no argument {min(extra)[:40]!r}")
    for key, argument in known.items():
        if key not in payload:
            if argument.is_needed:
                raise Undeclared(f"needs the argument {key!r}")
        elif argument.takes is not None and not argument.takes(payload[key]):
            raise Undeclared(f"{key!r} isn't {_words(argument.hint)}")
    last = name.rpartition(".")[2]
    if last in _STORED:
        _check_stored(payload.get("vars") or {})
    elif last == REPORTS:
        if any(len(text) > LONGEST_REPORT for text in payload.values() if isinstance(text, str)):
            raise Undeclared(f"reports more than {LONGEST_REPORT:,} characters")
    elif last == _SETVAR and rx_.is_setvar(handler):
        _check_setter(name, payload)


def _check_stored(stored: Mapping[str, Any]) -> None:
    """What the browser stored belongs to vars that it stores, and is text."""
    for key, value in stored.items():
        if not rx_.is_client_storage(key):
            raise Undeclared("names a var that no browser stores")
        if value is not None and not isinstance(value, str):
            raise Undeclared("what a browser stores is a text")


def _check_setter(name: str, payload: Mapping[str, Any]) -> None:
    """`setvar` calls any method named set_…: let it call handlers alone, with what they take."""
    setter = rx_.handler_of(f"{name.removesuffix(_SETVAR)}set_{payload['var_name']}")
    if setter is None:
        raise Undeclared("there is no such setter")
    arguments = list(_arguments(setter).values())
    if len(arguments) != 1 or (takes := arguments[0].takes) is None:
        return
    if not takes(payload["value"]):
        raise Undeclared(f"'value' isn't {_words(arguments[0].hint)}")


_known: dict[Callable[..., Any], dict[str, _Argument]] = {}


def _arguments(handler: Any) -> dict[str, _Argument]:
    """What a handler declares, its state left out."""
    function = handler.fn
    if (found := _known.get(function)) is None:
        found = _known[function] = _read_arguments(function)
    return found


def _read_arguments(function: Callable[..., Any]) -> dict[str, _Argument]:
    try:
        hints = get_type_hints(function)
    except Exception:  # noqa: BLE001  # an annotation that can't be resolved: whatever it raises
        hints = {}
    _, *parameters = inspect.signature(function).parameters.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        each.name: _Argument(
            each.default is inspect.Parameter.empty, hints.get(each.name), _taker(hints, each.name)
        )
        for each in parameters
        if each.kind in named
    }


def _taker(hints: Mapping[str, Any], name: str) -> Callable[[Any], bool] | None:
    hint = hints.get(name, Any)
    if hint is Any:
        return None
    if hint in (int, float):
        return _takes_int if hint is int else _takes_float
    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(hint)
        adapter.rebuild()
    except Exception:  # noqa: BLE001  # no type that JSON is read as: Reflex knows, or the handler
        return None

    def takes(value: Any) -> bool:
        value = rx_.form_data(value, hint)
        if rx_.is_form(value):
            return True
        try:
            adapter.validate_python(value, strict=True)
        except pydantic.ValidationError:
            return _takes_as_json(adapter, value)
        except Exception:  # noqa: BLE001  # a validator of the app's
            return False
        return True

    return takes


def _takes_as_json(adapter: pydantic.TypeAdapter[Any], value: Any) -> bool:
    """JSON has no tuples, sets, dates and enums: they come as lists and texts."""
    try:
        adapter.validate_json(json.dumps(value), strict=True)
    except Exception:  # noqa: BLE001  # as above
        return False
    return True


def _takes_int(value: Any) -> bool:
    if isinstance(value, str) and len(value) <= 20:
        return value.lstrip("+-").isdecimal()
    return type(value) is int


def _takes_float(value: Any) -> bool:
    if not isinstance(value, str):
        return type(value) in (int, float)
    try:
        return len(value) <= 40 and math.isfinite(float(value))
    except ValueError:
        return False


def _words(hint: Any) -> str:
    return getattr(hint, "__name__", None) or str(hint)[:60]
