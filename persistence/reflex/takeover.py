"""Values that an app kept in the browser before (`rx.LocalStorage`, `rx.Cookie`), taken over.

    take_over(Ui.theme, local_storage="theme", remove=True)     # somewhere on the page, unseen
    take_over(Ui.compact, cookie="compact", words={"yes": True, "no": False})
    take_over_notice()                                          # what didn't fit, in words

- Once a person and browser, and only where nothing was written yet; a setting that was reset since
  counts as written.
- The old value stays where it is until the new one is durable; with `remove` it goes then.
- What doesn't fit stays where it is, is tried again with the next visit, and said.

`assets/takeover.js` reads and removes. What it sends is text of anybody's making: checked as an
edit of that person is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import NoneType
from typing import Any, Literal, cast, get_args, get_origin

import reflex as rx
from reflex.vars.function import FunctionStringVar

from ..binding import Binding
from ..changes import same
from ..codec import decode
from ..errors import DeclarationError, InvalidValue, PersistenceError
from ..moving import move_in
from ..scopes import Target
from ..specs import SettingSpec
from . import _private as rx_
from .components import bound_setting, ui
from .device import DeviceLocal, device_fields
from .mirror import tab_of_event
from .tabs import Tab, require_tabs

MAX_NAME, MAX_TEXT = 500, 200_000
"""Characters of what a page sends."""
MAX_ANSWERS = 100

Status = Literal["moved", "kept", "refused", "later"]


class TakeOverState(rx.State):
    """What became of values that this tab's browser held before."""

    answers: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Move → moved, kept (a value of its own is here), refused or later."""
    problems: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Move → why its value couldn't be taken over, in words for a user."""

    @rx.event
    async def receive(self, move: dict[str, Any]):
        """One old value of the page's browser, as JSON text."""
        tab = tab_of_event()
        sent = _texts(move)
        answers: dict[str, str] = dict(rx_.unwrap(self.answers))
        if tab is None or sent is None or len(answers) >= MAX_ANSWERS:
            return
        name, tool, field, scope, text = sent
        binding = tab.bindings.get(tool)
        spec = binding.spec.fields.get(field) if binding is not None else None
        if binding is None or spec is None or (target := _target(binding, scope, field)) is None:
            return  # nothing that a page of ours would send
        status, problem = await _take(tab, binding, target, spec, text)
        self.answers = {**answers, name: status}
        if problem:
            words = f"“{spec.title}” couldn't be taken over from this browser: {problem}."
            self.problems = {**rx_.unwrap(self.problems), name: words}


def _texts(move: object) -> tuple[str, ...] | None:
    given = cast("dict[str, Any]", move) if isinstance(move, dict) else {}
    texts = [given.get(key) for key in ("name", "tool", "field", "scope", "text")]
    limits = (MAX_NAME, 100, 100, 100, MAX_TEXT)
    if not all(isinstance(t, str) and len(t) <= n for t, n in zip(texts, limits, strict=True)):
        return None
    return tuple(cast("list[str]", texts))


def _target(binding: Binding[Any], scope: str, field: str) -> Target | None:
    if not binding.ready:
        return None
    wanted = scope or binding.edit_scope_of(field)
    return next((each for each in binding.stack if each.scope == wanted), None)


async def _take(
    tab: Tab, binding: Binding[Any], target: Target, spec: SettingSpec, text: str
) -> tuple[Status, str]:
    try:
        value = decode(text, field=spec.name)
    except InvalidValue as error:
        return "refused", error.problem
    engine = require_tabs().engine
    document = {target.tool: {spec.name: value}}
    work = engine.spawn(_move(binding, target, document))
    await asyncio.wait({work}, timeout=require_tabs().grace)
    if not work.done():
        work.add_done_callback(lambda _: require_tabs().push(tab))
        return "later", ""  # the page asks again with its next visit
    return work.result()


async def _move(
    binding: Binding[Any], target: Target, document: Mapping[str, Any]
) -> tuple[Status, str]:
    engine = binding.engine
    try:
        plan = await move_in(engine, target.scope, target.owner, document, actor=binding.actor)
    except PersistenceError as error:
        return "later", str(error)
    if plan.edits or not plan.skipped:
        return "moved", ""
    left = plan.skipped[0]
    if left.why not in ("own", "same"):
        return "refused", left.detail
    held = engine.layer(target).opinion(left.field)
    value = document[target.tool][left.field]
    return ("moved" if held is not None and same(held.value, value) else "kept"), ""


# --- in the page ---------------------------------------------------------------------------------


def take_over(
    var: Any,
    *,
    local_storage: str = "",
    cookie: str = "",
    words: Mapping[str, Any] | None = None,
    scope: str = "",
    remove: bool = False,
) -> rx.Component:
    """Take over what the browser holds under an old name, for a setting or a `device_local` var.

    Name one of `local_storage` and `cookie`: what the app gave as `name=`, else Reflex's own
    ("reflex___state____state.app___prefs.theme_rx_state_"). `words` maps old texts to values where
    they aren't the same. The value goes to the setting's edit target, or to that of `scope`. With
    `remove` the old value is removed once the new one is durable. Raises DeclarationError.
    """
    field = next((f for fields in device_fields().values() for f in fields if _is(f, var)), None)
    bound = None if field is not None else bound_setting(var)
    spec = field.spec if field is not None else cast(Any, bound).spec
    where = f"take_over({spec.name})"
    if bool(local_storage) == bool(cookie):
        raise DeclarationError(where, "no old name", hint="Give local_storage= or cookie=.")
    for word, value in (words or {}).items():
        try:
            spec.check(value)
        except InvalidValue as error:
            raise DeclarationError(
                where, f"{word!r} stands for what {error.problem}", hint="Mend words=."
            ) from None
    tool = bound.tool if bound is not None else ""
    source = f"local_storage:{local_storage}" if local_storage else f"cookie:{cookie}"
    name = f"{tool}.{spec.name}:{source}"[:MAX_NAME]
    state: Any = TakeOverState
    take = cast(Any, FunctionStringVar.create("window.persistenceTakeOver.take")).call(name)
    return ui.el.div(
        ui.el.button(type="button", tab_index=-1, on_click=state.receive(take)),
        hidden=True,
        custom_attrs={
            "aria-hidden": "true",
            "data-persistence-take": name,
            "data-source": source,
            "data-tool": tool,
            "data-field": spec.name,
            "data-scope": scope,
            "data-device": field.key if field is not None else "",
            "data-text": "true" if _is_text(spec.annotation) else "false",
            "data-words": json.dumps({**_common_words(spec), **(words or {})}),
            "data-remove": "true" if remove else "false",
            "data-ready": "true" if bound is None else bound.ready.to_string(),
            "data-answer": state.answers[name].to(str),
        },
    )


def take_over_notice(**props: Any) -> rx.Component:
    """What couldn't be taken over, and why; nothing where all is well."""
    problems: Any = TakeOverState.problems
    lines = ui.foreach(problems.values(), ui.el.p)
    return ui.cond(problems.length() > 0, ui.el.div(lines, role="status", **props))


def _is(field: DeviceLocal[Any], var: Any) -> bool:
    cls, name = rx_.source_of(var)
    return cls is not None and vars(cls).get("__device__", {}).get(name) is field


def _is_text(annotation: Any) -> bool:
    """Is the old text the value itself, and not JSON?"""
    kinds = [each for each in get_args(annotation) if each is not NoneType] or [annotation]
    if get_origin(annotation) is Literal:
        return all(isinstance(each, str) for each in kinds)
    return all(each is str or (get_origin(each) is Literal and _is_text(each)) for each in kinds)


def _common_words(spec: SettingSpec) -> dict[str, Any]:
    """How Python and forms write what isn't JSON."""
    if spec.annotation is bool:
        return {"True": True, "False": False, "1": True, "0": False, "on": True, "off": False}
    return {"None": None} if NoneType in get_args(spec.annotation) else {}
