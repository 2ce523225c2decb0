"""The settings of many entities at once, as rows of a list.

    class ShotRows(KeyedSettings, settings=Travel, scope="shot", fields=("frames", "mode")):
        @rx.event
        async def open(self):
            await self.show_rows(["shot-1", "shot-2"])

    rx.foreach(ShotRows.rows, lambda row: rx.el.input(**bind_row(ShotRows, row, "frames")))

All rows load with one query, an edit goes to the row's own entity, and a change from elsewhere
shows. The other scopes are those of the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, cast

import reflex as rx

from ..binding import Binding
from ..changes import same
from ..errors import DeclarationError, NotReady, PersistenceError
from ..settings import ToolSpec, tool_of
from . import _private as rx_
from .components import Bound, Control, props_of
from .facts import NO_INFO, FieldInfo, edit_target, field_info
from .mirror import Delta, expect_answer, pending_of, settle, tab_of_event, tab_still_open
from .tabs import Tab, require_tabs

MAX_ROWS = 1_000


class Row(TypedDict):
    """One entity's settings."""

    owner: str
    status: str
    ready: bool
    target: str
    """The edit target as JSON, "" for one that isn't loaded."""
    values: dict[str, Any]
    origins: dict[str, str]
    info: dict[str, FieldInfo]
    errors: dict[str, str]


class KeyedMeta(rx_.BaseStateMeta):
    """Takes the class keywords, and refuses a wrong declaration when the class is made."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        settings: Any = None,
        scope: str = "",
        fields: Iterable[str] | None = None,
        mixin: bool = False,
    ) -> type:
        where = f"{namespace.get('__module__')}.{namespace.get('__qualname__', name)}"
        if mixin:
            return super().__new__(mcs, name, bases, namespace, mixin=True)
        if settings is None or not scope:
            raise DeclarationError(
                where, "no settings or no scope", hint="Write class …(settings=Travel, scope=…)."
            )
        spec = tool_of(settings)
        chosen = tuple(fields) if fields is not None else tuple(spec.fields)
        if unknown := [each for each in chosen if each not in spec.fields]:
            raise DeclarationError(
                where, f"{spec.tool} has no {unknown}", hint="Name its settings."
            )
        if secret := [each for each in chosen if spec.fields[each].secret]:
            raise DeclarationError(where, f"{secret} is secret", hint="Leave it out of the rows.")
        if all(getattr(base, "_mixin", True) for base in bases):
            bases = (*bases, rx.State)
        made: Any = super().__new__(mcs, name, bases, namespace)
        made.__tool__, made.__scope__, made.__keyed__ = spec, scope, chosen
        return made


class KeyedSettings(rx.State, metaclass=KeyedMeta, mixin=True):
    """Base of a keyed view; see the module's docstring."""

    __tool__: ClassVar[ToolSpec]
    __scope__: ClassVar[str]
    __keyed__: ClassVar[tuple[str, ...]]

    rows: rx.Field[list[Row]] = rx.field(default_factory=list)
    """In the order that was asked for. Empty in the compiled page."""

    if TYPE_CHECKING:

        def __init_subclass__(
            cls,
            *,
            settings: Any = None,
            scope: str = "",
            fields: Iterable[str] | None = None,
            mixin: bool = False,
        ) -> None: ...

    @rx_.override
    async def show_rows(self, owners: Iterable[str]) -> None:
        """Show these entities' settings; waits for the load a moment. For handlers of any state."""
        tabs, tab = require_tabs(), tab_still_open("show_rows")
        if tab is None:
            return
        cls = type(_own(self))
        wanted = list(dict.fromkeys(owners))[:MAX_ROWS]
        held = tab.keyed.setdefault(cls.get_full_name(), {})
        for gone in [owner for owner in held if owner not in wanted]:
            tabs.unwatch(tab, held[gone].stack)
            held.pop(gone).close()
        loads: list[asyncio.Task[None]] = []
        for owner in wanted:
            if owner not in held:
                binding: Binding[Any] = tabs.engine.bind(
                    cls.__tool__, actor=tab.actor, edit=cls.__scope__
                )
                held[owner] = binding
                stack = {**tab.owners, cls.__scope__: owner}
                tabs.watch(tab, tabs.engine.scopes.stack(cls.__tool__.tool, stack))
                loads.append(tabs.engine.spawn(_show(tab, binding, stack)))
        tab.keyed[cls.get_full_name()] = {owner: held[owner] for owner in wanted}
        if loads:
            await asyncio.wait(loads, timeout=tabs.grace)
            for load in loads:
                load.add_done_callback(lambda _: tabs.push(tab))
        self.refresh_rows(tab)

    @rx_.override
    def set_value(self, owner: str, field: str, value: Any) -> None:
        """Set one setting of one row. Raises the kinds of EditError."""
        tab = tab_of_event()
        binding = self.row_binding(owner)
        binding.set(field, value, source="user", durable=True)
        if tab is not None:
            rx_.held_by(_own(self))[WAITS] = binding.stack
            self.refresh_rows(tab)

    @rx_.override
    def row_binding(self, owner: str) -> Binding[Any]:
        """The binding of a row. Raises NotReady for one that isn't shown."""
        cls, tab = type(_own(self)), tab_of_event()
        held = tab.keyed.get(cls.get_full_name(), {}) if tab is not None else {}
        if owner not in held:
            raise NotReady(cls.__tool__.tool, f"no row of {owner[:80]} is shown")
        return held[owner]

    @rx_.override
    def refresh_rows(self, tab: Tab, own: Mapping[tuple[str, str], Any] | None = None) -> None:
        """Show what the engine holds. `own` are values that this page's controls show already."""
        state = _own(self)
        cls = type(state)
        before = {row["owner"]: row for row in cast("list[Row]", rx_.unwrap(state.rows))}
        rows = [
            _row(cls, owner, binding, before.get(owner), own or {}, _problems(tab, binding))
            for owner, binding in tab.keyed.get(cls.get_full_name(), {}).items()
        ]
        if not same(rows, list(before.values())):
            rx_.held_by(state)["rows"] = rows
            rx_.make_touched(state, ("rows",))

    @rx_.override
    def get_delta(self) -> Delta:
        """What the page should learn. It holds something to await, if an edit is being saved."""
        delta: Delta = super().get_delta()
        stack = rx_.held_by(_own(self)).pop(WAITS, ())
        tab = tab_of_event()
        if tab is not None and (targets := pending_of(stack)):
            mine = delta.setdefault(self.get_full_name(), {})
            expect_answer(tab)

            def again() -> Delta:
                self.refresh_rows(tab)
                return super(KeyedSettings, self).get_delta()

            mine[WAITS] = settle(tab, targets, mine, self.get_full_name(), again)
        return delta


WAITS = "_persistence_waits"


def _own(state: Any) -> KeyedSettings:
    return cast(KeyedSettings, rx_.unwrap_state(state))


async def _show(tab: Tab, binding: Binding[Any], owners: Mapping[str, str]) -> None:
    try:
        await binding.show(owners)
    except PersistenceError:
        pass  # the row's status says it
    tab.behind[binding.spec.tool] = None


def _problems(tab: Tab, binding: Binding[Any]) -> dict[str, str]:
    """What the newest operations of a row were refused for."""
    target = edit_target(binding)
    listed = list(target) if target is not None else []
    return {each["field"]: each["problem"] for each in tab.answers if each["target"] == listed}


def _row(
    cls: type[KeyedSettings],
    owner: str,
    binding: Binding[Any],
    before: Row | None,
    own: Mapping[tuple[str, str], Any],
    problems: Mapping[str, str],
) -> Row:
    view, target = binding.view, edit_target(binding)
    spec = cls.__tool__
    values = {
        name: spec.fields[name].copy(view.values[name]) if view else spec.fields[name].default()
        for name in cls.__keyed__
    }
    errors = dict(before["errors"]) if before else {}
    errors = {name: text for name, text in errors.items() if (owner, name) not in own}
    info: dict[str, FieldInfo] = {}
    for name, value in values.items():
        moves = before["info"][name]["moves"] if before else 0
        if before and not same(before["values"][name], value):
            moves += not ((owner, name) in own and same(own[owner, name], value))
        info[name] = (
            field_info(view, view.stack.index(target), name, moves)
            if view is not None and target is not None
            else {**NO_INFO, "moves": moves}
        )
    return {
        "owner": owner,
        "status": binding.status,
        "ready": binding.ready,
        "target": rx_.as_json(target) if target else "",
        "values": values,
        "origins": {name: binding.origin(name) for name in cls.__keyed__},
        "info": info,
        "errors": {**errors, **problems},
    }


def bind_row(
    cls: type[KeyedSettings],
    row: Any,
    field: str,
    *,
    control: Control | None = None,
    **props: Any,
) -> dict[str, Any]:
    """The props that bind a control to one setting of a row, within `rx.foreach`. See `bind`."""
    if field not in cls.__keyed__:
        raise DeclarationError(cls.__name__, f"has no {field!r}", hint="Add it to fields=(…).")
    spec = cls.__tool__.fields[field]
    value = row["values"][field]
    bound = Bound(
        cls.__tool__.tool, spec, value.to(_page_type(spec.annotation)), row["target"].to(str),
        row["info"][field], row["errors"][field], row["ready"].bool(),
    )  # fmt: skip
    return props_of(bound, control, props)


def _page_type(annotation: Any) -> Any:
    return annotation if annotation in (str, int, float, bool) else str
