"""Edits that a button makes by itself, without a handler of its own.

    rx.button("Dark", on_click=put(Ui.theme, "dark"))
    rx.button("Compact", on_click=toggle(Ui.compact))
    rx.button("Keep the shots open", on_click=toggle(Ui.pane_locks, "shots"))

They go the way of a bound control's edits: recorded in the browser with the target and the revision
that the page shows, sent, confirmed, refused with a reason at `field_error`.
"""

from __future__ import annotations

from typing import Any, cast

import reflex as rx
from reflex.vars.function import FunctionStringVar

from ..errors import DeclarationError
from .channel import PersistenceState
from .components import Bound, bound_setting


def put(var: Any, value: Any) -> Any:
    """An event that sets a setting to a value, which may be a var of the page.

    Raises DeclarationError for what isn't a setting, InvalidValue where a plain value doesn't fit.
    """
    bound = bound_setting(var)
    if not isinstance(value, rx.Var):
        bound.spec.check(value)
    return _event("edited", bound, value, False)


def toggle(var: Any, key: str | None = None) -> Any:
    """An event that turns a setting on or off; with `key`, one key of a dict of them.

    Raises DeclarationError for a setting that isn't on or off.
    """
    bound = bound_setting(var)
    if key is not None and bound.spec.merge:
        return _event("toggled", bound, key, var[key].bool())
    if key is not None or bound.spec.annotation is not bool:
        raise DeclarationError(
            bound.spec.name, "isn't on or off", hint="Use put(...), or a key of a merging dict."
        )
    return _event("toggled", bound, None, var.bool())


def _event(function: str, bound: Bound, *arguments: Any) -> Any:
    """Sends what a function of `assets/controls.js` makes of it, with what else waits."""
    made = cast(Any, FunctionStringVar.create(f"window.persistence.{function}")).call(
        bound.tool, bound.spec.name, bound.target, bound.info["revision"], *arguments
    )
    return cast(Any, PersistenceState).receive(made)
