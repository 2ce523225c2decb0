"""Values ↔ canonical JSON text. Pure and fast, since every edit comes by; hostile values end soon.

The text is RFC 8259 JSON with sorted keys and no spaces, the same bytes for the same value on every
database with a UTF-8 text column: NUL stands as `\\u0000`, -0.0 as 0.0. What JSON can't carry, or
what a browser would read as something else (RFC 7493, I-JSON), is refused and never bent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from json.encoder import encode_basestring  # the C one: JSONEncoder's own for ensure_ascii=False
from typing import TYPE_CHECKING, Any, cast

from .errors import InvalidValue

if TYPE_CHECKING:
    from pydantic import TypeAdapter

LIMIT = 1_000_000
"""Bytes of UTF-8 that a value's text may have, unless another limit is given."""

LARGEST_INT = 2**53 - 1
"""Beyond it a browser rounds (RFC 7493, 2.2)."""

DEEPEST = 100
"""Lists and dicts within one another."""

_quote: Callable[[str], str] = encode_basestring
_dump = json.JSONEncoder(
    ensure_ascii=False,
    check_circular=False,  # `_is_plain` has looked
    allow_nan=False,
    sort_keys=True,
    separators=(",", ":"),
).encode
_CONTAINERS = frozenset({list, dict, tuple})
_CONTAINS_ITSELF = "contains itself"
_NO_TEXT = object()
"""Stands for a key that isn't text, when a value is looked through."""
_PLAIN = frozenset({str, int, float, bool, type(None)}) | _CONTAINERS


def encode(
    value: Any, *, field: str, adapter: TypeAdapter[Any] | None = None, limit: int = LIMIT
) -> str:
    """The value's canonical JSON text; with an adapter, of what that makes of it for JSON.

    `limit` is in bytes of UTF-8. Raises InvalidValue with the field, the path inside the value and
    the limit. `decode(encode(value)) == value`, with lists for tuples.
    """
    if adapter is not None:
        value = _adapt(value, field, adapter, limit)
    kind = cast("type[Any]", type(value))
    if kind is str:
        if len(value) > limit:
            raise _too_large(field, len(value), limit, at_least=True)
        text = _quote(value)
    elif kind is int and -LARGEST_INT <= value <= LARGEST_INT:
        text = repr(value)
    elif kind is float and value - value == 0.0:
        text = repr(value + 0.0)  # -0.0 + 0.0 is 0.0
    elif value is None or kind is bool:
        text = "null" if value is None else "true" if value else "false"
    else:
        text = _dump(value if _is_plain(value, field, limit) else _Copier(field, limit).copy(value))
    if text.isascii():
        size = len(text)
    else:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            _Copier(field, limit).copy(value)  # finds the place, and raises
            raise
    if size > limit:
        raise _too_large(field, size, limit)
    return text


def decode(text: str, *, field: str = "value") -> Any:
    """The value of a JSON text. Raises InvalidValue.

    `encode` never writes NaN, infinities, a key twice, or more than 100 levels. A text with them is
    damaged or forged, so it is refused: to pick one of two values would be a guess.
    """
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise _too_deep(field) from None
    except ValueError as error:
        raise InvalidValue(field, f"isn't readable JSON ({error})") from None
    if text.count("[") + text.count("{") > DEEPEST and _depth(value) > DEEPEST:
        raise _too_deep(field)
    return value


# --- looking at a value --------------------------------------------------------------------------


def _is_plain(value: Any, field: str, limit: int) -> bool:
    """Whether the C encoder may have it: only exact built-in types, nothing to refuse or to mend.

    Raises InvalidValue where it is too large or too deep.
    """
    if type(value) not in _CONTAINERS:
        return False
    for items in _levels(value, field, limit):
        if not _PLAIN.issuperset(map(type, items)) or not all(map(_is_safe, _of(items, int))):
            return False
        if any(item - item or repr(item) == "-0.0" for item in _of(items, float)):
            return False
    return True


def _levels(value: Any, field: str, limit: int) -> Iterator[list[Any]]:
    """The keys and items of all containers, level by level.

    So a cycle ends at the deepest level, and a value that is small in memory but huge as text at
    the limit: each item takes at least two bytes of text.
    """
    level: list[Any] = [value]
    size = 0
    for _ in range(DEEPEST):
        size += 2 * sum(map(len, level))
        if size > limit:
            raise _endless(value, field) or _too_large(field, size, limit, at_least=True)
        items = _items(level)
        size += sum(map(len, _of(items, str)))
        if size > limit:
            raise _too_large(field, size, limit, at_least=True)
        yield items
        level = [item for item in items if type(item) in _CONTAINERS]
        if not level:
            return
    raise _endless(value, field) or _too_deep(field)


def _items(level: Iterable[Any]) -> list[Any]:
    dicts: list[dict[Any, Any]] = [each for each in level if type(each) is dict]
    keys = [key if type(key) is str else _NO_TEXT for key in chain.from_iterable(dicts)]
    rest: list[Iterable[Any]] = [
        cast("dict[Any, Any]", each).values() if type(each) is dict else each for each in level
    ]
    return keys + list(chain.from_iterable(rest))


def _endless(value: Any, field: str) -> InvalidValue | None:
    """For a better message: whether the first 20,000 items show that it contains itself."""
    try:
        _Copier(field, limit=40_000, strict=False).copy(value)
    except InvalidValue as error:
        if error.problem.endswith(_CONTAINS_ITSELF):
            return error
    return None


def _of(items: list[Any], kind: type) -> list[Any]:
    return [item for item in items if type(item) is kind]


def _is_safe(number: int) -> bool:
    return -LARGEST_INT <= number <= LARGEST_INT


def _adapt(value: Any, field: str, adapter: TypeAdapter[Any], limit: int) -> Any:
    """What the declared type makes of the value for JSON; a set's items in a settled order."""
    # Before the adapter, which might never end, and makes null of NaN.
    levels = _levels(value, field, limit) if type(value) in _CONTAINERS else iter([[value]])
    if any(item - item for items in levels for item in _of(items, float)):
        _Copier(field, limit, strict=False).copy(value)  # finds the place, and raises
    try:
        plain = adapter.dump_python(value, mode="json", warnings="none")
    except RecursionError:
        raise _too_deep(field) from None
    except (ValueError, TypeError) as error:
        raise InvalidValue(field, f"has no form in JSON ({str(error)[:200]})") from None
    if isinstance(value, (set, frozenset)) and isinstance(plain, list):
        items = cast("list[Any]", plain)
        return sorted(items, key=lambda item: encode(item, field=field, limit=limit))
    return plain


class _Copier:
    """Goes through a value one by one: a plain copy of it, or InvalidValue with the path.

    The slow way, for what `_is_plain` didn't pass. `strict=False` lets types pass that aren't
    JSON's own: the adapter knows them.
    """

    def __init__(self, field: str, limit: int, *, strict: bool = True) -> None:
        self.field, self.limit, self.strict = field, limit, strict
        self.size = 0
        self.path: list[object] = []
        self.within: set[int] = set()

    def copy(self, value: Any) -> Any:
        self.size += 2
        if self.size > self.limit:
            raise _too_large(self.field, self.size, self.limit, at_least=True)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            return self._int(value)
        if isinstance(value, float):
            return self._float(value)
        if isinstance(value, (list, dict, tuple)):
            return self._container(cast("list[Any] | dict[Any, Any]", value))
        if not self.strict:
            return value
        raise self._refuse(f"is of type {type(value).__name__}, which JSON doesn't have")

    def _text(self, value: str) -> str:
        self.size += len(value)
        if self.size > self.limit:
            raise _too_large(self.field, self.size, self.limit, at_least=True)
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise self._refuse(
                    f"has half a character (a lone surrogate) at position {error.start}"
                ) from None
        return str(value)

    def _int(self, value: int) -> int:
        if not _is_safe(value):
            digits = (
                int((value.bit_length() - 1) * 0.30103) + 1
            )  # to write it out could take seconds
            raise self._refuse(
                f"is a number of about {digits} digits; whole numbers go from {-LARGEST_INT} to "
                f"{LARGEST_INT}, or browsers round them. Declare it as str"
            )
        return int(value)

    def _float(self, value: float) -> float:
        if value - value != 0.0:
            raise self._refuse(f"is {float(value)!r}, which isn't a finite number")
        return float(value) + 0.0

    def _container(self, value: list[Any] | dict[Any, Any]) -> Any:
        if id(value) in self.within:
            raise self._refuse(_CONTAINS_ITSELF)
        if len(self.within) >= DEEPEST:
            raise _too_deep(self.field)
        self.within.add(id(value))
        if isinstance(value, dict):
            copied: Any = {self._key(key): self._at(key, item) for key, item in value.items()}
        else:
            copied = [self._at(index, item) for index, item in enumerate(value)]
        self.within.remove(id(value))
        return copied

    def _key(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._text(key)
        if not self.strict:
            return key
        raise self._refuse(f"has a key of type {type(key).__name__}; keys are text in JSON")

    def _at(self, step: object, item: Any) -> Any:
        self.path.append(step)
        copied = self.copy(item)
        self.path.pop()
        return copied

    def _refuse(self, problem: str) -> InvalidValue:
        steps = (step if isinstance(step, int) else ascii(step)[1:-1] for step in self.path[:20])
        path = ".".join(str(step)[:40] for step in steps)
        return InvalidValue(self.field, f"{path}: {problem}" if path else problem)


def _too_large(field: str, size: int, limit: int, *, at_least: bool = False) -> InvalidValue:
    more = "at least " if at_least else ""
    return InvalidValue(field, f"is {more}{size:,} bytes large; the limit is {limit:,}")


def _too_deep(field: str) -> InvalidValue:
    return InvalidValue(field, f"is nested deeper than {DEEPEST} levels")


# --- looking at a text ---------------------------------------------------------------------------


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level := [each for each in level if type(each) in _CONTAINERS]:
        depth += 1
        level = _items(level)
    return depth
