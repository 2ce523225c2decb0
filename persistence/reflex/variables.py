"""Settings that are single vars of any state, for apps that have their states already.

    class Gallery(rx.State):
        columns: rx.Field[int] = persisted(4, tool="gallery", edit="user", ge=1, le=8)

    rx.cond(is_ready(Gallery.columns), grid(), skeleton())
    rx.input(**bind(Gallery.columns))

They are saved like those of a `SettingsState`, with two differences: how the tool stands is asked
with `is_ready(...)`, `is_saving(...)` and `status_of(...)`, and nothing that a program sets is
saved before the user touched something, or `mark_as_interacted(self)` says that it counts as
theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar, Unpack, cast, overload

import reflex as rx

from ..binding import Binding
from ..errors import DeclarationError, EditError
from ..settings import (
    UNSET,
    Declaration,
    Facts,
    Flush,
    ToolSpec,
    declare_tool,
    make_setting,
    split_facts,
)
from . import _private as rx_
from . import causes
from .channel import PersistenceState
from .facts import denied_in, edit_target, field_info, index_of, status_of_tool
from .fields import CHANGED, Setting, make_field, require_observable
from .mirror import ASIDE, Sheet, capture, delta_after_capture, refresh, sheets_of, tab_of_event
from .tabs import Tab, tabs_of_process

T = TypeVar("T")


class Persisted(Setting[rx_.FIELD_TYPE]):
    """A setting that brings its tool along. It makes its state capture it."""

    def __init__(self, *args: Any, tool: str = "", edit: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tool, self.edit = tool, edit

    def _replace(self, **kwargs: Any) -> Any:
        return super()._replace(**{"tool": self.tool, "edit": self.edit, **kwargs})

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        if getattr(owner, "_mixin", False):
            return  # a state that uses the mixin gets a copy of its own
        where = f"{owner.__module__}.{owner.__qualname__}"
        annotation = rx_.annotation_of(self)
        require_observable(f"{where}.{name}", annotation)
        self.bind(make_setting(where, name, annotation, self.declared))
        _add(owner, where, self)


def _add(owner: type, where: str, field: Persisted[Any]) -> None:
    """Declare the tool anew, with this setting too."""
    sheets = {sheet.tool: sheet for sheet in sheets_of(owner)}
    if (known := sheets.get(field.tool)) is None and "get_delta" not in vars(owner):
        _observe(owner)
    fields = {**known.spec.fields, field.spec.name: field.spec} if known else {}
    spec = declare_tool(
        where,
        tool=field.tool,
        edit=field.edit or (known.spec.edit if known else None),
        fields=fields or {field.spec.name: field.spec},
    )
    sheets[field.tool] = Sheet(spec, VarFacts(spec))
    rx_.add_to_class(owner, "__sheets__", tuple(sheets.values()))


def _observe(owner: type) -> None:
    """Have the state capture its settings at the end of an event, and keep them at Reflex's
    `reset`."""

    @rx_.override
    def get_delta(self: Any) -> Any:
        return delta_after_capture(self, cast(Any, super(owner, self)).get_delta)

    @rx_.override
    def reset(self: Any) -> None:
        state, tab = rx_.unwrap_state(self), tab_of_event()
        for sheet in sheets_of(owner):
            capture(state, sheet)
        cast(Any, super(owner, self)).reset()
        rx_.held_by(state).pop(CHANGED, None)
        for sheet in sheets_of(owner):
            if tab is not None:
                refresh(state, tab, sheet)

    rx_.add_to_class(owner, "get_delta", get_delta)
    rx_.add_to_class(owner, "reset", reset)


class VarFacts:
    """How a tool of `persisted(...)` vars stands, kept by the tab's own state."""

    names: Collection[str] = ()

    def __init__(self, spec: ToolSpec) -> None:
        self._spec = spec

    def waits(self, tab: Tab, source: str) -> bool:
        binding = tab.bindings.get(self._spec.tool)
        return source == "program" and (binding is None or not binding.interacted)

    def note_errors(
        self, state: Any, tab: Tab, names: Iterable[str], problems: Mapping[str, EditError]
    ) -> None:
        del state
        before: dict[str, str] = tab.tools.get(self._spec.tool, {}).get("errors", {})
        edited = set(names)
        errors = {name: text for name, text in before.items() if name not in edited}
        errors |= {name: error.problem for name, error in problems.items()}
        self._keep(tab, {"errors": errors})

    def update(
        self,
        state: Any,
        tab: Tab,
        binding: Binding[Any] | None,
        names: Iterable[str],
        moved: Iterable[str],
    ) -> list[str]:
        del state, names
        target = edit_target(binding)
        facts: dict[str, Any] = {
            "status": status_of_tool(tab, self._spec.tool),
            "ready": binding is not None and binding.ready and not tab.is_asking,
            "is_dirty": binding is not None and binding.is_dirty,
            "last_error": tab.problem or (binding.last_error if binding is not None else ""),
            "target": rx_.as_json(target) if target else "",
            "denied": denied_in(binding),
        }
        if binding is not None and binding.view is not None and target is not None:
            view, again = binding.view, set(moved)
            general = view.stack.index(target)
            before: dict[str, Any] = tab.tools.get(self._spec.tool, {}).get("info", {})
            facts["info"] = {
                name: field_info(
                    view,
                    index_of(view, binding.edit_scope_of(name)),
                    name,
                    before.get(name, {}).get("moves", 0) + (name in again),
                    general,
                )
                for name in self._spec.fields
            }
        self._keep(tab, facts)
        return []

    def _keep(self, tab: Tab, facts: dict[str, Any]) -> None:
        before = tab.tools.get(self._spec.tool, {})
        after = {**before, **facts}
        if after != before:
            tab.tools = {**tab.tools, self._spec.tool: after}
            tab.has_news = True
            if (tabs := tabs_of_process()) is not None:
                tabs.push(tab)


@overload
def persisted(
    default: T,
    *,
    tool: str,
    edit: str | None = None,
    title: str = "",
    help: str = "",
    alias: str = "",
    scopes: Iterable[str] | None = None,
    inherit: bool = True,
    merge: bool = False,
    flush: Flush = "debounced",
    **facts: Unpack[Facts],
) -> Persisted[T]: ...
@overload
def persisted(
    *,
    default_factory: Callable[[], T],
    tool: str,
    edit: str | None = None,
    title: str = "",
    help: str = "",
    alias: str = "",
    scopes: Iterable[str] | None = None,
    inherit: bool = True,
    merge: bool = False,
    flush: Flush = "debounced",
    **facts: Unpack[Facts],
) -> Persisted[T]: ...
def persisted(
    default: Any = UNSET,
    *,
    tool: str,
    edit: str | None = None,
    default_factory: Callable[[], Any] | None = None,
    title: str = "",
    help: str = "",  # noqa: A002  # the word of DECLARE
    alias: str = "",
    scopes: Iterable[str] | None = None,
    inherit: bool = True,
    merge: bool = False,
    flush: Flush = "debounced",
    **facts: Unpack[Facts],
) -> Any:
    """Make one var of any state a setting of `tool`. Vars of one class and tool belong together.

    `edit` is the scope that edits go to; the other keywords are those of `setting`.
    """
    declared = Declaration(
        default, default_factory, title, help, alias, None if scopes is None else tuple(scopes),
        inherit, merge, flush, False, *split_facts(facts),
    )  # fmt: skip
    return make_field(Persisted, declared, tool=tool, edit=edit)


def tool_facts(var: Any) -> Any:
    """How the tool of a persisted var stands, as a var of the page. Raises DeclarationError."""
    cls, name = rx_.source_of(var)
    for sheet in sheets_of(cls) if cls is not None else ():
        if name in sheet.spec.fields:
            return PersistenceState.tools[sheet.tool]
    raise DeclarationError(str(var)[:80], "isn't persisted", hint="Declare it with persisted(...).")


def is_ready(var: Any) -> rx.Var[bool]:
    """Is the var loaded? False in the compiled page."""
    return cast("rx.Var[bool]", tool_facts(var)["ready"].bool())


def is_saving(var: Any) -> rx.Var[bool]:
    """Is something of its tool on its way to the store?"""
    return cast("rx.Var[bool]", tool_facts(var)["is_dirty"].bool())


def status_of(var: Any) -> rx.Var[str]:
    """idle, loading, ready, saving or error."""
    return cast(Any, rx).cond(
        tool_facts(var)["status"].bool(), tool_facts(var)["status"].to(str), "idle"
    )


def mark_as_interacted(state: rx.State) -> None:
    """Count what was changed in this state so far as the user's, and save it at once."""
    held, tab = rx_.unwrap_state(state), tab_of_event()
    if tab is None:
        return
    _, aside = rx_.held_by(held).pop(ASIDE, ((), ()))
    rx_.held_by(held)[CHANGED] = {*(rx_.held_by(held).get(CHANGED) or ()), *aside}
    for sheet in sheets_of(rx_.type_of(held)):
        if (binding := tab.bindings.get(sheet.tool)) is not None:
            binding.mark_as_interacted()
        with causes.acting_as("user"):
            capture(held, sheet)
