"""Methods of a state that run when effective values of its settings changed, whoever changed them.

    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        frames: rx.Field[int] = setting(61)
        seconds: rx.Field[float] = rx.field(0.0)

        @on_change("frames")
        def tell_seconds(self, changed):
            self.seconds = changed["frames"] / 24

They run with the tab's state locked: after a load, after an edit here, and when a change from
another tab arrives. They are for vars that follow from settings; a setting that they set is an edit
like any other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from . import _private as rx_

F = TypeVar("F", bound=Callable[..., None])

log = logging.getLogger("persistence")


def on_change(*names: str) -> Callable[[F], F]:
    """Call the method with the changed values by name, where any of these settings is among them.

    Without names: for every setting of the state.
    """

    def mark(method: F) -> F:
        cast(Any, method).__on_change__ = frozenset(names)
        return rx_.override(method)

    return mark


def tell(state: Any, changed: Iterable[str]) -> None:
    """Run the methods that listen to one of these. One that fails is logged, and that is all."""
    names = tuple(changed)
    for wanted, method in _listening(rx_.type_of(state)):
        heard = [name for name in names if not wanted or name in wanted]
        if heard:
            values: Mapping[str, Any] = {name: getattr(state, name) for name in heard}
            try:
                method(state, values)
            except Exception:
                log.exception("%s failed", method.__qualname__)


_found: dict[type, list[tuple[frozenset[str], Callable[..., None]]]] = {}


def _listening(cls: type) -> list[tuple[frozenset[str], Callable[..., None]]]:
    known = _found.get(cls)
    if known is None:
        members = {
            name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()
        }
        marked = [each for each in members.values() if hasattr(each, "__on_change__")]
        known = _found[cls] = [(each.__on_change__, each) for each in marked]
    return known
