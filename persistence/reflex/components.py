"""Controls that are bound to settings, and what a page needs for them.

    rx.input(**bind(Travel.prompt))                     # text and numbers: also rx.text_area,
    rx.el.input rx.switch(**bind(Travel.accelerated_mode))          # also rx.checkbox
    rx.select(["basic", "advanced"], **bind(Travel.mode)) rx.slider(**bind(Travel.frames,
    control="slider")) rx.el.select(*options, **bind(Travel.mode, control="native"))
    field_error(Travel.frames)

`panel` makes whole panels of these.

Native controls are uncontrolled: what is typed belongs to the browser until the server has it.
`assets/controls.js` makes each edit an operation, which `assets/operations.js` sends, and puts the
server's value into a control that has no edit on its way. Controls that aren't native show the
server's value; their edits go the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Union, cast, get_args, get_origin

import reflex as rx
from reflex.vars.function import FunctionStringVar

from ..errors import DeclarationError
from ..http import PATH
from ..settings import SettingSpec, registry
from . import _private as rx_
from .channel import PersistenceState
from .guests import PATH as GUEST_PATH
from .looking import presence_root
from .mirror import sheets_of
from .states import SettingsState

Control = Literal[
    "text", "number", "native", "json", "select", "radio", "checkbox", "slider", "range", "password"
]

ui: Any = rx
"""Reflex's components by name: their signatures hold types that no checker knows."""

_TYPED = ("text", "number", "password")
_RADIX = ("select", "radio", "checkbox", "slider")

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    "outbox.js",
    "order.js",
    "operations.js",
    "controls.js",
    "presence.js",
    "status.js",
    "panel.js",
    "unsaved-words.js",
    "unsaved.js",
    "unsaved-notes.js",
    "editors.js",
    "transfers.js",
    "history.js",
    "release.js",
)


@dataclass(frozen=True, slots=True)
class Bound:
    """One setting as a control sees it: facts of its declaration, and vars of the page."""

    tool: str
    spec: SettingSpec
    value: Any
    """The value at the edit target."""
    target: Any
    """The edit target as JSON, "" for nobody."""
    info: Any
    """The setting's `FieldInfo`."""
    error: Any
    ready: Any
    denied: Any = False
    """May whoever looks not edit it? Rows of a keyed view don't know beforehand."""


def bind(var: Any, *, control: Control | None = None, **props: Any) -> dict[str, Any]:
    """The props that bind a control to a setting; `props` are added to them.

    `control` says what kind of control it is for; without it: `number` or `text` for numbers and
    texts, `select` for a Literal of texts, `checkbox` for a bool. `native` is for `ui.el.select`
    and for `ui.el.input(type="checkbox")`; `json` is a text control for any value. Raises
    DeclarationError for what isn't a setting, and for a type that no control fits.
    """
    return props_of(bound_setting(var), control, props)


def bound_setting(var: Any) -> Bound:
    """What a var of a state is bound to. Raises DeclarationError for one that isn't a setting."""
    cls, name = rx_.source_of(var)
    sheets = [each for each in sheets_of(cls) if name in each.spec.fields] if cls else []
    if cls is None or not sheets:
        raise DeclarationError(
            str(var)[:80], "isn't a setting", hint="Bind a var that setting(...) declared."
        )
    tool, spec = sheets[0].tool, sheets[0].spec.fields[name]
    if not issubclass(cls, SettingsState):
        facts: Any = PersistenceState.tools[tool]
        own = facts["info"][name]["target"].to(str)
        return Bound(
            tool, spec, var, ui.cond(own.bool(), own, facts["target"].to(str)).to(str),
            facts["info"][name], facts["errors"][name],
            facts["ready"].bool(), _is_denied(facts["denied"], facts["info"][name]),
        )  # fmt: skip
    held: Any = cls.hidden
    info: Any = cls.info[name]
    value = ui.cond(held.contains(name), held[name], var) if not spec.secret else ui.Var.create("")
    own = info["target"].to(str)
    target = ui.cond(own.bool(), own, cls.target).to(str)
    aside: Any = cls.aside
    problem = ui.cond(aside.contains(name), aside[name]["problem"].to(str), cls.errors[name])
    denied = _is_denied(cls.denied, info)
    return Bound(tool, spec, value, target, info, problem.to(str), cls.ready, denied)


def _is_denied(denied: Any, info: Any) -> Any:
    return denied.to(dict[str, str]).contains(info["scope"].to(str))


def props_of(bound: Bound, control: Control | None, props: dict[str, Any]) -> dict[str, Any]:
    kind = control or default_control(bound.spec)
    made = _radix(bound, kind) if kind in _RADIX else _native(bound, kind)
    attributes = {**made.pop("custom_attrs"), **props.pop("custom_attrs", {})}
    return {**made, **props, "custom_attrs": attributes}


def default_control(spec: SettingSpec) -> Control:
    """By the declared type. Raises DeclarationError where none fits."""
    kind = _without_none(spec.annotation)
    if spec.secret:
        return "password"
    if kind is bool:
        return "checkbox"
    if kind in (int, float):
        return "number"
    if kind is str:
        return "text"
    if get_origin(kind) is Literal and all(isinstance(each, str) for each in get_args(kind)):
        return "select"
    raise DeclarationError(
        spec.name,
        f"no control fits {spec.annotation}",
        hint='Say control="json" for a text control, or edit it by handlers.',
    )


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        left = [each for each in get_args(annotation) if each is not NoneType]
        return left[0] if len(left) == 1 else annotation
    return annotation


def _is_disabled(bound: Bound, *, is_denied: bool = True) -> Any:
    """Disabled while it loads, and where a policy decides or its reader may not edit."""
    ruled = (bound.info["policy"].to(str) != "") | (bound.info["kind"].to(str) == "policy")
    off = ~bound.ready | ruled
    return off | bound.denied if is_denied else off


def _native(bound: Bound, kind: Control) -> dict[str, Any]:
    """Uncontrolled, and keyed by the target: another entity's control is another control."""
    spec = bound.spec
    is_toggle = kind == "native" and _without_none(spec.annotation) is bool
    shown = bound.value
    attributes: dict[str, Any] = {
        "data-persistence": spec.name,
        "data-persistence-tool": bound.tool,
        "data-persistence-target": bound.target,
        "data-persistence-base": bound.info["revision"].to_string(),
        "data-persistence-value": shown.to_string(),
        "data-persistence-kind": _wire_kind(spec, kind, is_toggle=is_toggle),
        "aria-busy": ui.cond(bound.ready, "false", "true"),
        "aria-invalid": ui.cond(bound.error.bool(), "true", "false"),
        "data-persistence-refused": ui.cond(bound.error.bool(), "true", "false"),
    }
    if spec.secret:
        attributes["data-persistence-secret"] = "true"
    made: dict[str, Any] = {
        "key": ui.cond(bound.ready, bound.target, "") + f"|{bound.tool}.{spec.name}",
        "disabled": _is_disabled(bound, is_denied=kind not in _TYPED),
        "custom_attrs": attributes,
    }
    if kind in _TYPED:  # what may only be read can be selected and scrolled all the same
        made["read_only"] = bound.denied
    if is_toggle:
        return {**made, "type": "checkbox", "default_checked": bound.ready & shown.bool()}
    text = shown.to_string() if kind == "json" or _is_json(spec) else shown.to(str)
    empty = ui.cond(shown.is_none(), "", text) if _is_optional(spec) else text
    made["default_value"] = ui.cond(bound.ready, empty, "")
    if kind in ("number", "range"):
        made |= {"type": kind, **_limits(spec)}
        if kind == "number":
            made["step"] = "1" if _without_none(spec.annotation) is int else "any"
    if kind == "password":
        made |= {"type": "password", "auto_complete": "off"}
        made["placeholder"] = ui.cond(bound.info["own"].bool(), "••••••••", "")
    return made


def _wire_kind(spec: SettingSpec, kind: Control, *, is_toggle: bool) -> str:
    """How the script reads the control: text, number, boolean, json; "?" where None may be."""
    if is_toggle:
        return "boolean"
    if kind in ("number", "range"):
        return "number?" if _is_optional(spec) else "number"
    if kind == "json" or _is_json(spec):
        return "json"
    return "text?" if _is_optional(spec) else "text"


def _is_json(spec: SettingSpec) -> bool:
    """Choices that aren't texts travel as JSON."""
    kind = _without_none(spec.annotation)
    return get_origin(kind) is Literal and not all(isinstance(e, str) for e in get_args(kind))


def _is_optional(spec: SettingSpec) -> bool:
    return NoneType in get_args(spec.annotation)


def _limits(spec: SettingSpec) -> dict[str, Any]:
    rules = spec.constraints
    limits: dict[str, Any] = {}
    if (low := rules.get("ge", rules.get("gt"))) is not None:
        limits["min"] = str(low)
    if (high := rules.get("le", rules.get("lt"))) is not None:
        limits["max"] = str(high)
    return limits


def _radix(bound: Bound, kind: Control) -> dict[str, Any]:
    """Controlled: it shows what the server holds. A slider, which moves by itself while it is
    dragged,
    is made anew when its value changes by something else."""
    made: dict[str, Any] = {
        "disabled": _is_disabled(bound),
        "custom_attrs": {"aria-busy": ui.cond(bound.ready, "false", "true")},
    }
    shown = bound.value
    if kind == "slider":
        return {**made, **_slider(bound)}
    made["key"] = ui.cond(bound.ready, bound.target, "") + f"|{bound.tool}.{bound.spec.name}"
    made["on_change"] = partial(_send, bound)
    if kind == "checkbox":
        return {**made, "checked": bound.ready & shown.bool()}
    return {**made, "value": ui.cond(bound.ready, shown.to(str), "")}


def _slider(bound: Bound) -> dict[str, Any]:
    spec = bound.spec
    key = ui.cond(bound.ready, bound.target, "") + f"|{bound.tool}.{spec.name}|"
    made: dict[str, Any] = {name: float(limit) for name, limit in _limits(spec).items()}
    if _without_none(spec.annotation) is int:
        made["step"] = 1
    made["key"] = key + bound.info["moves"].to_string()
    made["default_value"] = [bound.value.to(float)]
    made["on_value_commit"] = partial(_send_first, bound)
    return made


def _send(bound: Bound, value: Any) -> Any:
    """The operation for an edit, made in the browser and sent with what waits there."""
    made = cast(Any, FunctionStringVar.create("window.persistence.edited")).call(
        bound.tool, bound.spec.name, bound.target, bound.info["revision"], value
    )
    return cast(Any, PersistenceState).receive(made)


def _send_first(bound: Bound, values: Any) -> Any:
    return _send(bound, values[0])


def field_error(var: Any, **props: Any) -> rx.Component:
    """Why the newest edit of a setting was refused; nothing where all is well."""
    error = bound_setting(var).error
    return ui.cond(
        error.bool(), ui.text(error, role="alert", **{"size": "1", "color_scheme": "red", **props})
    )


def persistence_root(*, guests: bool = False, backend: str = "") -> rx.Component:
    """What the page's scripts talk to, and what all panels of a page share. The plugin puts it into
    every page.

    With `guests` a browser without a cookie asks for one. `backend` is the server's URL, where the
    pages may come from another one.
    """
    from .panel.explain import explain_popover
    from .panel.words import scope_names
    from .transfer_forms import dialogs

    take = cast(Any, FunctionStringVar.create("window.persistence.take")).call()
    report = cast(Any, FunctionStringVar.create("window.persistenceUnsaved.report")).call()
    root = ui.el.div(
        ui.el.button(
            id="persistence-send",
            type="button",
            tab_index=-1,
            on_click=cast(Any, PersistenceState).receive(take),
        ),
        ui.el.button(
            id="persistence-hold",
            type="button",
            tab_index=-1,
            on_click=cast(Any, PersistenceState).hold(report),
        ),
        id="persistence-root",
        hidden=True,
        custom_attrs={
            "aria-hidden": "true",
            "data-actor": PersistenceState.actor,
            "data-tab": PersistenceState.tab,
            "data-hydrated": ui.State.is_hydrated.to_string(),
            "data-offline": ui.cond(rx_.has_connection_errors, "true", "false"),
            "data-confirmed": PersistenceState.confirmed.to_string(),
            "data-answers": PersistenceState.answers.to_string(),
            "data-operations": PATH,
            "data-schemas": rx_.as_json(newer_than_first()),
            "data-guest": GUEST_PATH,
            "data-guests": "true" if guests else "false",
            "data-backend": backend,
        },
    )
    announcer = ui.el.div(id="persistence-announcer", role="status", class_name="persistence-sr")
    names = scope_names()
    return ui.fragment(root, presence_root(), announcer, explain_popover(names), *dialogs(names))


def newer_than_first() -> dict[str, int]:
    """The version of each tool that has had others before. Compiled into the page: it says by which
    one its edits are made, whatever the server has by then."""
    return {tool: spec.version for tool, spec in registry.items() if spec.version > 1}


def scripts() -> list[rx.Component]:
    """The scripts, within the page's head, so that they hear the first key."""
    return [ui.el.script((ASSETS / name).read_text(encoding="utf-8")) for name in SCRIPTS]
