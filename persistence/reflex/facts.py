"""What a page has to know about a tool's settings besides their values, as vars of its state.

Read by `bind(...)`, by status lines and by panels; written by `mirror.refresh` alone.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Generic, Protocol, TypedDict, TypeVar

from ..binding import Binding
from ..changes import Patch, same
from ..errors import EditError
from ..layers import Conflict, View
from ..scopes import Target
from ..settings import ToolSpec
from . import _private as rx_
from .people import person
from .tabs import Tab

T = TypeVar("T")


class FieldInfo(TypedDict):
    """One setting at the edit target."""

    revision: int
    """Of the stored row, 0 where nothing was written: what an edit is based on."""
    own: bool
    """Does the edit target itself say something, so that it can be reset?"""
    hidden_by: str
    """The stronger scope that hides what is edited here, or ""."""
    policy: str
    """The weaker scope that enforces the value, or ""."""
    moves: int
    """Grows when the value changes by something else than this page's own control."""
    kind: str
    """What the edit target says: set, pin, block, policy; "" for nothing."""
    scope: str
    """The scope that edits of this setting go to, "" while nobody's is shown."""
    target: str
    """Its own edit target as JSON where that isn't the tool's, else ""."""
    note: str
    """The policy's reason."""
    by: str
    """Who made the policy: "you", a name, "" where the app has none."""


class Aside(TypedDict):
    """An edit that was set aside and needs somebody's decision."""

    problem: str
    mine: Any
    """The value that isn't saved; None for a secret and for a reset."""
    kind: str
    """`refused`, or `conflict` where somebody else changed the same."""


class ToolFacts(TypedDict, total=False):
    """How a tool of `persisted(...)` vars stands."""

    status: str
    ready: bool
    is_dirty: bool
    last_error: str
    target: str
    info: dict[str, FieldInfo]
    errors: dict[str, str]
    denied: dict[str, str]


NO_INFO: FieldInfo = {
    "revision": 0, "own": False, "hidden_by": "", "policy": "", "moves": 0, "kind": "",
    "scope": "", "target": "", "note": "", "by": "",
}  # fmt: skip


class Facts(Protocol):
    """Where a kind of state keeps these."""

    @property
    def names(self) -> Collection[str]:
        """The vars of the state that hold them."""
        ...

    def waits(self, tab: Tab, source: str) -> bool:
        """Is a change of that source kept aside until the user touched something?"""
        ...

    def note_errors(
        self, state: Any, tab: Tab, names: Iterable[str], problems: Mapping[str, EditError]
    ) -> None:
        """These settings were edited just now; some were refused."""
        ...

    def update(
        self,
        state: Any,
        tab: Tab,
        binding: Binding[Any] | None,
        names: Iterable[str],
        moved: Iterable[str],
    ) -> list[str]:
        """Write what is true now; returns the vars of the state that changed."""
        ...


class StateFacts:
    """In vars of the state itself: those of `SettingsState`."""

    names = frozenset(
        (
            "status", "ready", "is_dirty", "last_error", "last_saved", "status_text", "errors",
            "origins", "info", "hidden", "aside", "edit_scope", "scopes", "target", "denied",
        )
    )  # fmt: skip

    def __init__(self, spec: ToolSpec) -> None:
        self._spec = spec

    def waits(self, tab: Tab, source: str) -> bool:
        del tab, source
        return False

    def note_errors(
        self, state: Any, tab: Tab, names: Iterable[str], problems: Mapping[str, EditError]
    ) -> None:
        del tab
        before: dict[str, str] = rx_.held_by(state).get("errors") or {}
        edited = set(names)
        after = {name: text for name, text in before.items() if name not in edited}
        after |= {name: error.problem for name, error in problems.items()}
        if after != before:
            rx_.held_by(state)["errors"] = after
            rx_.make_touched(state, ("errors",))

    def update(
        self,
        state: Any,
        tab: Tab,
        binding: Binding[Any] | None,
        names: Iterable[str],
        moved: Iterable[str],
    ) -> list[str]:
        held = rx_.held_by(state)
        fields = rx_.fields_of(rx_.type_of(state))
        changed: list[str] = []
        for name, value in self._facts(held, tab, binding, list(names), set(moved)).items():
            live = held[name] if name in held else fields[name].default_value()
            if value is not live and (name in ("info", "origins") or not same(live, value)):
                held[name] = value
                changed.append(name)
        return changed

    def _facts(
        self,
        held: Mapping[str, Any],
        tab: Tab,
        binding: Binding[Any] | None,
        names: list[str],
        moved: set[str],
    ) -> dict[str, Any]:
        status = status_of_tool(tab, self._spec.tool)
        ready = binding is not None and binding.ready and not tab.is_asking
        target = edit_target(binding)
        error = tab.problem or (binding.last_error if binding is not None else "")
        saved = binding.last_saved if binding is not None else None
        facts: dict[str, Any] = {
            "status": status,
            "ready": ready,
            "is_dirty": binding is not None and binding.is_dirty,
            "last_error": error,
            "last_saved": saved,
            "status_text": status_text(status, error, saved),
            "edit_scope": target.scope if target else self._spec.edit,
            "scopes": [each.scope for each in tab.shown.get(self._spec.tool, ())],
            "target": rx_.as_json(target) if target else "",
            "aside": asides(binding),
            "denied": denied_in(binding),
        }
        if facts["target"] != (held.get("target") or ""):
            facts["errors"] = {}  # they were about another entity
        view = binding.view if binding is not None else None
        if view is None or binding is None or not view.layers:
            return {**facts, **unknown(self._spec)}
        return {**facts, **self._field_facts(held, tab, binding, view, names, moved)}

    def _field_facts(
        self,
        held: Mapping[str, Any],
        tab: Tab,
        binding: Binding[Any],
        view: View,
        names: list[str],
        moved: set[str],
    ) -> dict[str, Any]:
        general = index_of(view, binding.edit_scope)
        origins = Patched[str](held.get("origins"))
        info = Patched[FieldInfo](held.get("info"))
        hidden = Patched[Any](held.get("hidden"))
        for name in names:
            winner, index = view.winners.get(name, -1), index_of(view, binding.edit_scope_of(name))
            origins.set(name, "default" if winner < 0 else view.stack[winner].scope)
            moves = info.held.get(name, NO_INFO)["moves"] + (name in moved)
            facts = field_info(view, index, name, moves, general)
            if facts["by"]:
                facts["by"] = person(tab, self._spec.tool, name, facts["by"])
            info.set(name, facts)
            is_hidden = info.held[name]["hidden_by"] and not self._spec.fields[name].secret
            value = self._spec.fields[name].copy(view.at(name, index)) if is_hidden else GONE
            hidden.set(name, value)
        patched = {"origins": origins, "info": info, "hidden": hidden}
        return {name: each.held for name, each in patched.items() if each.is_changed}


class Patched(Generic[T]):
    """A dict that is copied when it changes first, and not before."""

    def __init__(self, held: dict[str, T] | None) -> None:
        self.held: dict[str, T] = held or {}
        self.is_changed = False

    def set(self, name: str, value: T | Gone) -> None:
        if isinstance(value, Gone):
            if name in self.held:
                self._change()
                del self.held[name]
        elif name not in self.held or not same(self.held[name], value):
            self._change()
            self.held[name] = value

    def _change(self) -> None:
        if not self.is_changed:
            self.held, self.is_changed = dict(self.held), True


class Gone:
    """The type of `GONE`: no entry."""


GONE = Gone()


def index_of(view: View, scope: str) -> int:
    """The position of a scope in the stack that is shown."""
    return next(at for at, target in enumerate(view.stack) if target.scope == scope)


def field_info(
    view: View, index: int, name: str, moves: int, general: int | None = None
) -> FieldInfo:
    """One setting as its edit target, at `index`, sees it; `general` is where others go."""
    layer = view.layers[index]
    opinion = layer.opinion(name)
    kind = opinion.kind if opinion is not None and opinion.kind != "reset" else ""
    winner = view.winners.get(name, -1)
    is_policy = name in view.policies
    ruled = is_policy and winner != index
    policy = view.layers[winner].opinion(name) if is_policy else None
    return {
        "revision": layer.revision(name),
        "own": bool(kind),
        "hidden_by": view.hidden_by(name, index) or "",
        "policy": view.stack[winner].scope if ruled else "",
        "moves": moves,
        "kind": kind,
        "scope": layer.target.scope,
        "target": "" if general in (None, index) else rx_.as_json(layer.target),
        "note": (policy.note or "") if policy else "",
        "by": policy.author if policy else "",
    }


def asides(binding: Binding[Any] | None) -> dict[str, Aside]:
    """The actor's edits that were set aside, by field."""
    found: dict[str, Aside] = {}
    if binding is None:
        return found
    for layer in binding.layers:
        for each in layer.aside_of(binding.actor):
            spec = layer.spec.require(each.field)
            held = None if spec.secret else spec.copy(each.edit.value)
            mine = sorted(held.set) if isinstance(held, Patch) else held
            kind = "conflict" if isinstance(each, Conflict) else "refused"
            found[each.field] = {"problem": each.problem, "mine": mine, "kind": kind}
    return found


def denied_in(binding: Binding[Any] | None) -> dict[str, str]:
    """The scopes shown in which this actor may not edit, with the reason."""
    if binding is None or binding.view is None:
        return {}
    return {scope: why for scope, why in binding.denied.items() if scope in binding.owners}


def unknown(spec: ToolSpec) -> dict[str, Any]:
    """The facts while nobody's settings are shown; also what the page is compiled with."""
    return {
        "origins": dict.fromkeys(spec.fields, "default"),
        "info": {name: dict(NO_INFO) for name in spec.fields},
        "hidden": {},
    }


def status_of_tool(tab: Tab, tool: str) -> str:
    """The binding's status; `loading` also while the app is asked for permission."""
    if tab.problem:
        return "error"
    binding = tab.bindings.get(tool)
    if tab.is_asking or binding is None:
        return "loading" if tab.is_asking else "idle"
    status = binding.status
    return "loading" if status == "idle" and tab.shown.get(tool) else status


def edit_target(binding: Binding[Any] | None, field: str = "") -> Target | None:
    """Where edits go, those of a setting where one is named; None while nobody's is shown."""
    if binding is None or binding.view is None or not binding.stack:
        return None
    scope = binding.edit_scope_of(field) if field else binding.edit_scope
    return Target(scope, binding.owners[scope], binding.spec.tool)


def status_text(status: str, error: str, saved: float | None) -> str:
    """A status line in words; times are the server's."""
    if status == "error":
        return error or "Not saved"
    if status == "ready":
        return time.strftime("Saved %H:%M", time.localtime(saved)) if saved else "Saved"
    return {"saving": "Saving…", "loading": "Loading…"}.get(status, "")
