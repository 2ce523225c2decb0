"""An edit that a page of another release made, in the shape that its tool has now. Pure; used by
`operations`.

- It says by which version of the tool's declaration it was made. One that doesn't say is taken as
  it is.
- Of an older version it is migrated as a row of that version would be, by itself: what becomes one
  field is an edit of that field. What becomes several or none, and what a migration fails on, is
  refused, and so stays with its author.
- Of a newer version it is refused: an older release can't know what it means.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from .errors import InvalidValue
from .settings import ToolSpec

if TYPE_CHECKING:
    from .operations import Operation

OLDER = "was edited in an older version of the app, and doesn't fit this one"
NEWER = "was edited in a newer version of the app: send it again when that is back"


def brought_up(tool: ToolSpec, operation: Operation) -> Operation:
    """The edit of this version; the same object where nothing changes. Raises InvalidValue."""
    if operation.schema in (0, tool.version):
        return operation
    if operation.schema > tool.version:
        raise InvalidValue(operation.field, NEWER)
    if operation.kind in ("reset", "block"):
        return operation  # no value; a field that is gone by now is unknown
    values = _migrated(tool, operation)
    if len(values) != 1:
        raise InvalidValue(operation.field, OLDER)
    ((field, value),) = values.items()
    if operation.kind == "keys":
        if field != operation.field or value != _keys_in(operation.value):
            raise InvalidValue(operation.field, OLDER)
        return operation
    return replace(operation, field=field, value=value, schema=tool.version)


def _migrated(tool: ToolSpec, operation: Operation) -> dict[str, Any]:
    value = _keys_in(operation.value) if operation.kind == "keys" else operation.value
    try:
        return tool.migrate({operation.field: value}, operation.schema)
    except Exception:  # noqa: BLE001  # an app's function, and a client's value: whatever it raises
        raise InvalidValue(operation.field, OLDER) from None


def _keys_in(value: Any) -> Any:
    """What an edit of a merging dict sets."""
    return cast("dict[str, Any]", value).get("set", {}) if isinstance(value, dict) else value
