"""The only module that touches Reflex's private names. Checked at import;
`tests/reflex/test_seams.py` is the contract of each.

Everything here was read in, and is pinned to, Reflex 0.10. When Reflex moves one of these names,
the import fails with an error that says which one and what to do, and this file is the place to
mend.
"""

# pyright: reportPrivateUsage=false
# That is what this module is for.

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

try:
    import reflex
    from reflex import BaseStateToken
    from reflex.istate.delta import (
        _DROP_FROM_DELTA as DROP,
    )
    from reflex.istate.proxy import StateProxy
    from reflex.middleware.middleware import Middleware
    from reflex.state import BaseState, EventHandlerSetVar, State, StateUpdate
    from reflex_base.constants import CompileVars
    from reflex_base.constants.event import SocketEvent
    from reflex_base.constants.state import FIELD_MARKER
    from reflex_base.event import Event
    from reflex_base.event.context import EventContext
    from reflex_base.registry import RegistrationContext
    from reflex_base.utils.form import FORM_DATA_ENTRIES_KEY, FormData, transform_form_data
    from reflex_base.utils.types import is_mutable_type
    from reflex_base.vars.base import (
        FIELD_TYPE,
        BaseStateMeta,
        Field,
        Var,
        _owner_state,
    )
    from reflex_components_core.core.banner import has_connection_errors
    from socketio.exceptions import (  # pyright: ignore[reportMissingTypeStubs]
        ConnectionRefusedError as _ConnectionRefusedError,
    )
except ImportError as error:  # pragma: no cover - only with another Reflex
    raise ImportError(
        f"persistence.reflex doesn't fit the installed Reflex ({error}). "
        'Install "reflex>=0.10.1,<0.11", or a newer reflex-persistence.'
    ) from error

if TYPE_CHECKING:
    from reflex.app import App

F = TypeVar("F", bound=Callable[..., Any])
Remember = Callable[[str], Callable[[], None]]

__all__ = [
    "BOOT_EVENT",
    "DROP",
    "FIELD_MARKER",
    "FIELD_TYPE",
    "BaseState",
    "BaseStateMeta",
    "ConnectionRefused",
    "Event",
    "EventContext",
    "Field",
    "Middleware",
    "RegistrationContext",
    "Remember",
    "State",
    "StateUpdate",
    "add_to_class",
    "all_states",
    "annotation_of",
    "as_json",
    "bound_states",
    "current_app",
    "current_event",
    "delta_of",
    "device_states",
    "disconnect",
    "enqueue",
    "event_pipeline",
    "fields_of",
    "form_data",
    "handler_of",
    "handler_states",
    "has_connection_errors",
    "held_by",
    "is_client_storage",
    "is_form",
    "is_form_or_none",
    "is_mutable_type",
    "is_own_field",
    "is_setvar",
    "keyed_states",
    "make_touched",
    "mark_visited",
    "noted_on",
    "on_bad_frames",
    "on_children",
    "override",
    "owner_state",
    "restrict_origins",
    "root_of",
    "set_context",
    "source_of",
    "type_of",
    "unwrap",
    "unwrap_state",
]

_SEAMS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (Field, ("__set__", "__get__", "__set_name__", "_mark_dirty", "_replace", "_proxy")),
    (BaseState, ("get_delta", "_get_resolved_delta", "_mark_dirty", "_clean")),
    (BaseState, ("_is_client_storage",)),
    (BaseState, ("_get_root_state", "reset", "_var_dependencies", "_always_dirty_computed_vars")),
    (EventContext, ("get", "set", "txid", "parent_txid", "enqueue_impl", "token")),
    (RegistrationContext, ("get", "event_handlers", "app")),
    (Middleware, ("preprocess",)),
)  # fmt: skip

if missing := [
    f"{owner.__name__}.{name}"
    for owner, names in _SEAMS
    for name in names
    if not hasattr(owner, name)
]:  # pragma: no cover - only with another Reflex
    raise ImportError(
        f"Reflex {reflex.constants.Reflex.VERSION} no longer has {', '.join(missing)}. "
        'Install "reflex>=0.10.1,<0.11", or a newer reflex-persistence.'
    )

ConnectionRefused: type[Exception] = _ConnectionRefusedError
"""Raised while a page connects: it gets no socket, and the message."""

BOOT_EVENT: str = CompileVars.CONNECT_AUTH_EVENT
"""Where a connection carries its page's first event."""

owner_state: Callable[[Any, Any], Any] = _owner_state
"""`owner_state(instance, class)`: the instance in the tree that holds a field of that class."""


def override(function: F) -> F:
    """Mark a method as replacing one of Reflex's, or as one of ours that is no event handler."""
    cast(Any, function).__override_base_method__ = True
    return function


def unwrap(value: Any) -> Any:
    """The value itself, where reading it gave a tracking proxy."""
    return getattr(value, "__wrapped__", value) if isinstance(value, Field._proxy) else value


def unwrap_state(state: Any) -> Any:
    """The state itself, where a background task holds a proxy of it."""
    return getattr(state, "__wrapped__", state) if isinstance(state, StateProxy) else state


def type_of(state: object) -> Any:
    """A state's class, with whatever its metaclass gave it."""
    return type(state)


def held_by(state: object) -> dict[str, Any]:
    """What an instance of a state holds itself, past descriptors and observers."""
    return vars(state)


def annotation_of(field: Field[Any]) -> Any:
    """The type that the field was declared with."""
    return cast(Any, field).outer_type_


def is_own_field(cls: type[BaseState], field: Field[Any]) -> bool:
    """Does the value live on instances of this class, and not on its parent state's?"""
    return field._owner is cls


def all_states() -> list[type[BaseState]]:
    """Every state class of the app."""
    return list(RegistrationContext.get().base_states.values())


def keyed_states() -> list[type[BaseState]]:
    """The state classes of the app that are keyed views."""
    bound_states()
    return _bound[3]


def device_states() -> list[type[BaseState]]:
    """The state classes of the app with vars that live in the browser."""
    bound_states()
    return _bound[4]


def bound_states() -> list[type[BaseState]]:
    """The state classes of the app that have settings."""
    global _bound
    states = RegistrationContext.get().base_states
    if _bound[0] is not states or _bound[1] != len(states):
        found = [each for each in states.values() if "__sheets__" in vars(each)]
        keyed = [each for each in states.values() if "__keyed__" in vars(each)]
        local = [each for each in states.values() if "__device__" in vars(each)]
        _bound = states, len(states), found, keyed, local
    return _bound[2]


_States = list[type[BaseState]]
_bound: tuple[Any, int, _States, _States, _States] = ({}, -1, [], [], [])


def source_of(var: Any) -> tuple[type[BaseState] | None, str]:
    """The state class and field that a var stands for; for a backend var, which is a field itself,
    too."""
    if isinstance(var, Field):
        return cast("type[BaseState] | None", var._owner), var._name
    data = var._get_all_var_data() if isinstance(var, Var) else None
    if data is None or not data.state or not data.field_name:
        return None, ""
    return RegistrationContext.get().base_states.get(data.state), data.field_name


def fields_of(cls: type[BaseState]) -> Mapping[str, Field[Any]]:
    """Every field of a state class by its name."""
    return cast(Any, cls).__fields__


def root_of(state: BaseState) -> BaseState:
    return state._get_root_state()


def make_touched(state: BaseState, names: Iterable[str]) -> None:
    """Tell the page and computed vars that these changed, without our observer hearing of it."""
    names = tuple(names)
    state.dirty_vars.update(names)
    if not state._was_touched:
        state._was_touched = True
    state._mark_dirty(names)


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def add_to_class(cls: type, name: str, value: Any) -> None:
    """Give a state class one more member while it is being made."""
    type.__setattr__(cls, name, value)


def mark_visited(state: BaseState) -> None:
    """Have `get_delta` called for this state at the end of the event, whatever changed."""
    state._mark_ancestors_dirty()


async def delta_of(root: BaseState) -> dict[str, dict[str, Any]]:
    """What the page should learn now; the tree is clean afterwards."""
    delta = await root._get_resolved_delta()
    root._clean()
    return delta


def current_event() -> EventContext | None:
    """The context of the event being handled; None outside one."""
    try:
        return EventContext.get()
    except LookupError:
        return None


def current_app() -> App:
    """The app of this process."""
    return RegistrationContext.get().app


def handler_states(name: str) -> tuple[type[BaseState] | None, bool]:
    """The state class of an event's handler, and whether it is a background task."""
    registered = RegistrationContext.get().event_handlers.get(name)
    if registered is None:
        return None, False
    return registered.states[0], registered.handler.is_background


async def noted_on(app: App, token: str, name: str) -> Any:
    """What the root of a token's state tree holds under a name of ours; None where there is no
    tree. None is made: memory and disk would keep it, for whatever token anybody made up."""
    if app._state is None:
        return None
    manager: Any = app.state_manager
    asked = BaseStateToken(ident=token, cls=app._state)
    if (states := getattr(manager, "states", None)) is not None and token not in states:
        path_of = getattr(manager, "token_path", None)
        if path_of is None or not path_of(asked.with_cls(app._state.get_root_state())).exists():
            return None
    root = await manager.get_state(asked)
    return held_by(root_of(root)).get(name)


def restrict_origins(app: App, instead: Iterable[str]) -> list[str]:
    """Which other origins the app lets in by its configuration, "*" for all; where it says nothing,
    Reflex would let in all, and from here on lets in these instead."""
    config = RegistrationContext.get().config
    said = list(config.cors_allowed_origins)
    if "cors_allowed_origins" in config._non_default_attributes or said != ["*"]:
        return said
    allowed = tuple(instead)
    config.cors_allowed_origins = allowed  # the server that is still to be made reads it
    for each in app._api.user_middleware if app._api is not None else ():
        if "allow_origins" in each.kwargs:
            each.kwargs["allow_origins"] = allowed
    return []


PAGES_SEND = frozenset((str(SocketEvent.EVENT), str(SocketEvent.CLIENT_ERROR)))
"""All that a page says by its socket."""


def on_bad_frames(app: App, close: Callable[[], None]) -> None:
    """Close the socket of who sends frames that aren't socket.io's, or that no page sends; `close`
    hears of it.

    Else the former would be an error each in the log; and of the latter socket.io calls whatever
    handler they name, also those by which the server itself tells of a connection.
    """
    server: Any = app.sio
    engine: Any = server.eio
    take, take_event = engine.handlers["message"], server._handle_event

    async def event(socket: str, namespace: Any, number: Any, data: Any) -> Any:
        if data[0] not in PAGES_SEND:
            raise ValueError("no page sends that")
        return await take_event(socket, namespace, number, data)

    server._handle_event = event

    async def message(socket: str, data: Any) -> Any:
        try:
            return await take(socket, data)
        except Exception:  # noqa: BLE001  # its parser raises whatever it meets
            close()
            await engine.disconnect(socket)

    engine.handlers["message"] = message


async def disconnect(app: App, sid: str) -> None:
    """Close a page's socket."""
    sio: Any = app.sio
    await sio.disconnect(sid, namespace=cast(Any, app.event_namespace).namespace)


def handler_of(name: str) -> Any:
    """The handler of an event's full name; None where there is none."""
    registered = RegistrationContext.get().event_handlers.get(name)
    return None if registered is None else registered.handler


def is_setvar(handler: Any) -> bool:
    """Is it the handler that every state has, which calls its setters by name?"""
    return isinstance(handler, EventHandlerSetVar)


def is_client_storage(key: str) -> bool:
    """Does "state.var" name a var that the browser stores?"""
    state, _, name = key.rpartition(".")
    cls: Any = RegistrationContext.get().base_states.get(state)
    return cls is not None and cls._is_client_storage(name.removesuffix(FIELD_MARKER))


def form_data(value: Any, hint: Any) -> Any:
    """A form's fields as a handler gets them; anything else as it is."""
    return transform_form_data(value, hint)


def is_form(value: object) -> bool:
    """Is it a form's fields, checked as they were read?"""
    return isinstance(value, FormData)


def is_form_or_none(sent: Mapping[str, Any]) -> bool:
    """Are the fields of a form, if it says that it is one, pairs of a name and a value?"""
    if FORM_DATA_ENTRIES_KEY not in sent:
        return True
    entries: Any = sent[FORM_DATA_ENTRIES_KEY]
    return isinstance(entries, list) and all(
        isinstance(each, list) and len(cast("list[Any]", each)) == 2 and isinstance(each[0], str)
        for each in cast("list[Any]", entries)
    )


@asynccontextmanager
async def event_pipeline(
    app: App, emit: Callable[[Any, str], Awaitable[None]]
) -> AsyncGenerator[App]:
    """The app's own event loop, without a server: what it would send to a page goes to `emit`."""
    async with app._setup_event_processor():
        namespace: Any = app.event_namespace
        namespace.emit_update = emit
        yield app


def set_context(config: Any = None) -> RegistrationContext:
    """From here on, a copy of Reflex's registrations, with this configuration and no app. Returns
    what was there before."""
    before = RegistrationContext.ensure_context()
    made = before.fork()
    if config is not None:
        made._set_config(config)
    RegistrationContext.set(made)
    return before


def on_children(app: App, context: EventContext, remember: Remember) -> None:
    """From now on, before an event begins that another one caused, `remember(txid)` is called.

    It is called in the context of the event that causes; what it returns is called when the caused
    one is done. Costs nothing from the second event on.
    """
    if getattr(context.enqueue_impl, "remembers", None) is remember:
        return
    enqueue: Callable[..., Awaitable[Any]] = context.enqueue_impl

    async def enqueue_and_remember(token: str, *events: Event) -> Any:
        futures = await enqueue(token, *events)
        for future in cast("Iterable[Any]", futures or ()):
            _when_done(future, remember(future.txid))
        return futures

    cast(Any, enqueue_and_remember).remembers = remember
    # Every event's context is a fork of the processor's own, or of such a fork.
    for each in (context, app.event_processor._root_context):
        if each is not None:
            object.__setattr__(each, "enqueue_impl", enqueue_and_remember)


async def enqueue(app: App, token: str, event: Event, remember: Remember) -> None:
    """Bring an event back that was held up, with its cause remembered before it begins."""
    future = await app.event_processor.enqueue(token, event)
    _when_done(future, remember(future.txid))


def _when_done(future: Any, forget: Callable[[], None]) -> None:
    future.add_done_callback(lambda _: forget())  # pyright: ignore[reportUnknownLambdaType]
