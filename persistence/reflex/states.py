"""A tool's settings as a Reflex state.

    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        prompt: rx.Field[str] = setting("", inherit=False, max_length=5000)
        frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames")

        @rx.event
        def shorten(self):
            self.frames = 41        # observed, checked, saved at the end of the event

The class carries `__tool__`, the same facts as a plain `Settings` class, so that
`engine.open(Travel, owners)` works without any page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, cast

import reflex as rx

from ..binding import Binding
from ..errors import DeclarationError, EditError, NotReady, PersistenceError
from ..explain import Explanation
from ..settings import (
    Migration,
    SettingSpec,
    ToolSpec,
    collect_validators,
    declare_tool,
    make_setting,
)
from . import _private as rx_
from . import causes
from .facts import Aside, FieldInfo, StateFacts, unknown
from .fields import Setting, check_value, require_observable
from .mirror import (
    Delta,
    Sheet,
    capture,
    delta_after_capture,
    refresh,
    sheets_of,
    tab_of_event,
    tab_still_open,
    wait_for,
)
from .tabs import require_tabs

_KEYWORDS = ("tool", "edit", "version", "migrations", "title", "mixin")


class SettingsMeta(rx_.BaseStateMeta):
    """Takes the class keywords, and refuses a wrong declaration when the class is made."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        tool: str | None = None,
        edit: str | None = None,
        version: int = 1,
        migrations: Mapping[int, Migration] | None = None,
        title: str = "",
        mixin: bool = False,
        **unknown_keywords: Any,
    ) -> type:
        where = f"{namespace.get('__module__')}.{namespace.get('__qualname__', name)}"
        if unknown_keywords:
            raise DeclarationError(
                where,
                f"unknown keywords {sorted(unknown_keywords)}",
                hint=f"Known are {', '.join(_KEYWORDS)}.",
            )
        above = [each for base in bases for each in base.__mro__]
        if concrete := [each for each in above if "__tool__" in vars(each)]:
            raise DeclarationError(
                where,
                f"extends the tool {concrete[0].__name__}",
                hint="Share settings through a class with mixin=True and without tool=.",
            )
        if mixin or tool is None:
            if not mixin:
                raise DeclarationError(
                    where, "no tool", hint='Write class …(SettingsState, tool="its-id", edit=…).'
                )
            if "SettingsState" in globals():
                _refuse_names(where, namespace)
            return super().__new__(mcs, name, bases, namespace, mixin=True)
        _refuse_names(where, namespace)
        if all(getattr(base, "_mixin", True) for base in bases):
            bases = (*bases, rx.State)  # a state of its own, not one more mixin
        cls = super().__new__(mcs, name, bases, namespace)
        specs = _bind_settings(where, cls)
        marked = {key: value for base in reversed(cls.__mro__) for key, value in vars(base).items()}
        made: Any = cls
        spec = declare_tool(
            where,
            tool=tool,
            edit=edit,
            fields=specs,
            version=version,
            migrations=migrations,
            validators=collect_validators(marked),
            title=title,
        )
        made.__tool__ = spec
        made.__sheets__ = (Sheet(spec, StateFacts(spec)),)
        for key, value in unknown(spec).items():
            rx_.fields_of(made)[key].set_default(value)
        return cls


def _refuse_names(where: str, namespace: Mapping[str, Any]) -> None:
    """A setting must not hide what every settings state has."""
    taken = {*dir(SettingsState), *rx_.fields_of(SettingsState)}
    for name, value in namespace.items():
        if not isinstance(value, Setting):
            continue
        if name.startswith("_"):
            raise DeclarationError(
                f"{where}.{name}", "is private", hint="A setting's name starts with a letter."
            )
        if name in taken:
            raise DeclarationError(
                f"{where}.{name}", "is a name of the machinery", hint=f"Call it {name}_value, say."
            )


def _bind_settings(where: str, cls: type) -> dict[str, SettingSpec]:
    specs: dict[str, SettingSpec] = {}
    for name, field in rx_.fields_of(cast(Any, cls)).items():
        if isinstance(field, Setting):
            annotation = rx_.annotation_of(field)
            require_observable(f"{where}.{name}", annotation)
            specs[name] = make_setting(where, name, annotation, field.declared)
            field.bind(specs[name])
    return specs


class SettingsState(rx.State, metaclass=SettingsMeta, mixin=True):
    """Base of a tool's state. Subclass it with `tool=` and `edit=`; see the module's docstring.

    - Compiled into the page as not ready, so that defaults never show as if they were values.
    - Nothing is saved before its target was loaded, and nothing that a page load sets.
    - A handler's edits are committed at the end of its event; the page waits for that a moment.
    """

    __tool__: ClassVar[ToolSpec]
    __sheets__: ClassVar[tuple[Sheet, ...]]

    status: rx.Field[str] = rx.field("idle")
    """idle, loading, ready, saving or error."""
    ready: rx.Field[bool] = rx.field(False)
    """Is everything loaded? False in the compiled page."""
    is_dirty: rx.Field[bool] = rx.field(False)
    last_error: rx.Field[str] = rx.field("")
    last_saved: rx.Field[float | None] = rx.field(None)
    """Seconds since the epoch."""
    status_text: rx.Field[str] = rx.field("")
    """A status line: "Saving…", "Saved 12:04", what went wrong."""
    errors: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Setting → why its newest edit was refused."""
    origins: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Setting → the scope that gives its value, or "default"."""
    info: rx.Field[dict[str, FieldInfo]] = rx.field(default_factory=dict)
    hidden: rx.Field[dict[str, Any]] = rx.field(default_factory=dict)
    """Setting → its value at the edit target, where a stronger layer hides that."""
    aside: rx.Field[dict[str, Aside]] = rx.field(default_factory=dict)
    """Setting → its edit that was refused or is in conflict, and waits for a decision."""
    edit_scope: rx.Field[str] = rx.field("")
    """Where edits go."""
    scopes: rx.Field[list[str]] = rx.field(default_factory=list)
    """The scopes that are shown, weakest first: where edits could go."""
    denied: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Scope → why whoever looks may not edit there; those where they may are missing."""
    target: rx.Field[str] = rx.field("")
    """The edit target as JSON, "" for nobody: what a bound control is keyed by."""

    if TYPE_CHECKING:

        def __init_subclass__(
            cls,
            *,
            tool: str | None = None,
            edit: str | None = None,
            version: int = 1,
            migrations: Mapping[int, Migration] | None = None,
            title: str = "",
            mixin: bool = False,
        ) -> None: ...

    # --- what handlers of an app call ------------------------------------------------------------

    @rx_.override
    async def show(self, owners: Mapping[str, str | None]) -> None:
        """Have all tools of this tab look at other owners; waits for the load a moment.

        The weakest scope is the actor's own, unless `owners` says otherwise.
        """
        await show(self, owners)

    @rx_.override
    def update_field(self, name: str, value: Any) -> None:
        """Set one setting. Raises UnknownField and InvalidValue."""
        self.update_fields(**{name: value})

    @rx_.override
    def update_fields(self, **values: Any) -> None:
        """Set several settings: all are checked before any is set."""
        cls = type(_parts(self))
        fields = rx_.fields_of(cls)
        for name in values:
            cls.__tool__.require(name)
        checked = {n: check_value(cast("Setting[Any]", fields[n]), v) for n, v in values.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    @rx_.override
    def mark_as_interacted(self) -> None:
        """Count what was changed so far as the user's, and save it at once."""
        with causes.acting_as("user"):
            capture(_parts(self), _sheet(self))
        self.binding.mark_as_interacted()

    @rx_.override
    @contextmanager
    def acting_as(self, source: causes.Source) -> Generator[None]:
        """Within: what this state changes has that source, whatever the event's is."""
        state, sheet = _parts(self), _sheet(self)
        capture(state, sheet)
        with causes.acting_as(source):
            yield
            capture(state, sheet)

    @rx_.override
    def explain(self, name: str) -> Explanation:
        """A setting's value, its origin, and what every layer says. Raises UnknownField."""
        return self.binding.explain(name)

    @property
    def binding(self) -> Binding[Any]:
        """This tab's binding. Raises NotReady where nobody's settings are shown."""
        tab = tab_of_event()
        tool = type(_parts(self)).__tool__.tool
        if tab is None or tool not in tab.bindings:
            raise NotReady(tool, "nobody's settings are shown")
        return tab.bindings[tool]

    # --- what pages send -------------------------------------------------------------------------

    @rx.event
    async def save(self):
        """Save now; what was set aside or is in conflict is tried again as it is."""
        await self.persistence_do(lambda binding: binding.retry(), durable=True)

    @rx.event
    async def retry(self):
        """Try what was set aside once more, and a load that failed."""

        def again(binding: Binding[Any]) -> None:
            binding.retry()
            if not binding.ready:
                require_tabs().engine.spawn(binding.show(binding.owners))

        await self.persistence_do(again, durable=True)

    @rx.event
    async def retry_field(self, field: str):
        """Try an edit that was set aside once more; in a conflict, mine wins."""
        await self.persistence_do(lambda binding: binding.retry(field), field, durable=True)

    @rx.event
    async def revert(self):
        """Back to what was last saved."""
        await self.persistence_do(lambda binding: binding.revert())

    @rx.event
    async def discard_field(self, field: str):
        """Give up an edit that was refused or is in conflict."""
        await self.persistence_do(lambda binding: binding.discard(field), field)

    @rx.event
    async def reset_field(self, field: str):
        """Remove the edit target's override: the value is inherited again."""
        await self.persistence_do(lambda binding: binding.reset(field), field, durable=True)

    @rx.event
    async def reset_fields(self):
        """Remove all overrides of the edit target."""
        await self.persistence_do(lambda binding: binding.reset(), durable=True)

    @rx.event
    async def reset_shown(self, fields: list[str]):
        """Remove the overrides of these settings, each at its edit target, as one action."""
        known, shown = _names(_sheet(self)), self.info
        if isinstance(cast(object, fields), list) and all(field in known for field in fields):
            own = [
                field
                for field in dict.fromkeys(fields)
                if shown[field]["own"] and shown[field]["scope"] not in self.denied
            ]
            if own:
                await self.persistence_do(lambda binding: binding.reset(*own), durable=True)

    @rx.event
    async def block_field(self, field: str):
        """Hide what weaker layers say: the default answers."""
        await self.persistence_do(lambda binding: binding.block(field), field, durable=True)

    @rx.event
    async def pin_field(self, field: str):
        """Keep the value that is shown, though it may be inherited."""
        await self.persistence_do(lambda binding: binding.pin(field), field, durable=True)

    @rx.event
    async def choose_edit_scope(self, scope: str):
        """Send edits to another of the scopes that are shown."""
        if any(scope == shown for shown in self.scopes):
            await self.persistence_do(lambda binding: binding.choose_edit_scope(scope))

    @rx.event
    async def choose_field_scope(self, field: str, scope: str):
        """Send edits of one setting to another scope; "" sends them where all go."""
        if any(scope == shown for shown in ("", *self.scopes)):
            await self.persistence_do(
                lambda binding: binding.choose_edit_scope(scope, field), field
            )

    # --- the machinery ---------------------------------------------------------------------------

    @rx_.override
    async def persistence_do(
        self,
        action: Callable[[Binding[Any]], object],
        field: object = None,
        *,
        durable: bool = False,
    ) -> None:
        """Run an action on the binding; what it refuses is shown at the field."""
        state, sheet, tab = _parts(self), _sheet(self), tab_of_event()
        if tab is None or (field is not None and field not in _names(sheet)):
            return  # nothing that a page of ours would send
        capture(state, sheet)
        problems: dict[str, EditError] = {}
        try:
            action(self.binding)
        except EditError as error:
            problems[str(field or error.field)] = error
        except (PersistenceError, ValueError):
            pass  # `status` and `last_error` say it
        edited = [str(field)] if field is not None else list(self.errors)
        sheet.facts.note_errors(state, tab, edited, problems)
        refresh(state, tab, sheet)
        if durable:
            wait_for(state, sheet.tool, tab.shown.get(sheet.tool, ()))

    @rx_.override
    def get_delta(self) -> Delta:
        """What the page should learn, edits captured first. Called by Reflex at the end of an
        event."""
        return delta_after_capture(self, super().get_delta)

    @rx_.override
    def reset(self) -> None:
        """Reflex's own: vars back to their defaults. Settings aren't vars of a page: they stay.

        `reset_fields` removes a layer's overrides.
        """
        cls = type(_parts(self))
        kept = {*cls.__tool__.fields, *StateFacts.names}
        for name, field in rx_.fields_of(cls).items():
            if rx_.is_own_field(cls, field) and name not in kept:
                setattr(self, name, field.default_value())
        for substate in self.substates.values():
            substate.reset()


def _parts(state: SettingsState) -> SettingsState:
    """The state itself, where a background task holds a proxy of it."""
    return cast(SettingsState, rx_.unwrap_state(state))


def _sheet(state: SettingsState) -> Sheet:
    return sheets_of(type(_parts(state)))[0]


def _names(sheet: Sheet) -> tuple[object, ...]:
    """To look up what a page sent, which may be anything, hashable or not."""
    return tuple(sheet.spec.fields)


async def show(state: rx.State, owners: Mapping[str, str | None]) -> None:
    """Have all tools of the tab look at other owners. For handlers of any state.

    Waits a moment for the load; if it takes longer, the tools go on as `loading`. Raises
    RuntimeError outside of an event.
    """
    tabs, tab = require_tabs(), tab_still_open("show")
    if tab is None:
        return
    from .gate import capture_all, catch_up

    await capture_all(state)
    loads = tabs.show(tab, tabs.complete(tab.actor, owners))
    if (cause := causes.current()) is not causes.OUTSIDE:
        cause.stacks = tab.shown
    if loads:
        await asyncio.wait(loads, timeout=tabs.grace)
    await catch_up(state, tab)
