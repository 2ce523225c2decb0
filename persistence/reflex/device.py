"""Values that live in this browser only: vars of any state, and what native elements remember.

    class Gallery(rx.State):
        columns: rx.Field[int] = device_local(4, ge=1, le=8)

    rx.cond(device_ready(), grid(Gallery.columns), skeleton())
    rx.el.details(rx.el.summary("Motion"), …, **on_device("motion.open", "open"))
    device_notice()                                   # "too large to be kept in this browser …"

The browser is the truth. When a tab's state is made, the server asks its page once what it holds; a
small event brings that, each value is checked against its declaration, and from then on a handler's
assignment goes to the page as for any var and is kept there (`assets/device.js`). Nothing is stored
on the server, and nothing of it is sent again with each event or connect.

- A handler of a state with such vars never runs on defaults: it waits for the page's answer.
- Storage that is blocked or full, or a value over 4 MB: kept in the page, and `device_notice` says
  so. A text that can't be read or doesn't fit is kept aside under another name.
- Every var, element and tab with one key in one browser shows the same. Other keys are left alone.
- It belongs to the browser, not to a person: nothing private, and nothing that must not be lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Unpack, cast, overload

import reflex as rx
from reflex.vars.function import FunctionStringVar

from ..codec import decode, encode
from ..errors import DeclarationError, InvalidValue
from ..settings import UNSET, Constraints, Declaration, SettingSpec, make_setting
from . import _private as rx_
from .components import bound_setting, ui
from .fields import require_observable
from .mirror import tab_of_event
from .tabs import Tab, tabs_of_process

T = TypeVar("T")
Remembered = Literal["open", "checked", "value", "width", "height"]

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("device.js", "takeover.js")
LARGEST = 4_000_000
"""Bytes of UTF-8 that the browser keeps of one value; as in `device.js`."""
MAX_PARTS, MAX_PART = 40, 200_000
"""How a page's answer is cut, so that no frame is too large for the socket; in characters."""

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class DeviceLocal(rx_.Field[rx_.FIELD_TYPE]):
    """A state var whose value the browser keeps. Assignments are checked like a setting's."""

    spec: SettingSpec
    """Set when the state's class is made."""
    key: str

    def __init__(
        self, *args: Any, declared: Declaration | None = None, key: str = "", **kwargs: Any
    ) -> None:
        cast(Any, super()).__init__(*args, **kwargs)
        self.declared, self.given_key = declared or Declaration(), key

    def _replace(self, **kwargs: Any) -> Any:
        return super()._replace(**{"declared": self.declared, "key": self.given_key, **kwargs})

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        if getattr(owner, "_mixin", False):
            return  # a state that uses the mixin gets a copy of its own
        where = f"{owner.__module__}.{owner.__qualname__}"
        annotation = rx_.annotation_of(self)
        require_observable(f"{where}.{name}", annotation)
        self.spec = make_setting(where, name, annotation, self.declared)
        self.key = self.given_key or f"{owner.__name__}.{name}"
        for other in device_fields().get(self.key, ()):
            if rx_.annotation_of(other) != annotation:
                raise DeclarationError(
                    f"{where}.{name}",
                    f"the key {self.key!r} is taken by a var of another type",
                    hint="Give one of them another key=.",
                )
        known: Mapping[str, DeviceLocal[Any]] = vars(owner).get("__device__", {})
        rx_.add_to_class(owner, "__device__", {**known, name: self})

    def __set__(self, instance: Any, value: Any) -> None:
        super().__set__(instance, self.spec.check(rx_.unwrap(value)))


def require_key(where: str, key: str) -> None:
    """Raises DeclarationError for what can't name a value of the browser."""
    if not _KEY.fullmatch(key):
        raise DeclarationError(
            where,
            f"{key[:80]!r} can't be a key",
            hint="Letters, digits, '.', '_' and '-', up to 100 characters.",
        )


@overload
def device_local(
    default: T, *, key: str = "", title: str = "", **constraints: Unpack[Constraints]
) -> DeviceLocal[T]: ...
@overload
def device_local(
    *,
    default_factory: Callable[[], T],
    key: str = "",
    title: str = "",
    **constraints: Unpack[Constraints],
) -> DeviceLocal[T]: ...
def device_local(
    default: Any = UNSET,
    *,
    default_factory: Callable[[], Any] | None = None,
    key: str = "",
    title: str = "",
    **constraints: Unpack[Constraints],
) -> Any:
    """Make one var of any state a value of this browser.

    `key` is its name there ("State.var", if not given): vars, elements and tabs with one key agree.
    `title` names it to the user. The other keywords are pydantic's constraints. Raises
    DeclarationError when the class is made, InvalidValue when a handler assigns what doesn't fit.
    """
    if key:
        require_key(f"device_local(…, key={key[:80]!r})", key)
    declared = Declaration(default, default_factory, title, constraints=constraints)
    made: Any = DeviceLocal
    if default is UNSET and default_factory is None:
        return made(declared=declared, key=key)  # refused when the class is made
    if isinstance(default, str | int | float | bool | None):
        return made(default=default, declared=declared, key=key)
    return made(default_factory=declared.factory(), declared=declared, key=key)


def fields_of_state(cls: type) -> Mapping[str, DeviceLocal[Any]]:
    """The vars of a state class itself that live in the browser."""
    return vars(cls).get("__device__", {})


def device_fields() -> dict[str, list[DeviceLocal[Any]]]:
    """Every such var of the app by its key."""
    found: dict[str, list[DeviceLocal[Any]]] = {}
    for cls in rx_.device_states():
        for each in fields_of_state(cls).values():
            found.setdefault(each.key, []).append(each)
    return found


def waits_for_device(cls: type, tab: Tab) -> bool:
    """Would a handler of this state run on defaults, since the page hasn't answered yet?"""
    return bool(tab.asked) and any(fields_of_state(each) for each in cls.__mro__)


# --- the page's answer ---------------------------------------------------------------------------


class DeviceState(rx.State):
    """What the server and a tab's page tell one another about what the browser keeps."""

    asked: rx.Field[str] = rx.field("")
    """The question that the page should answer; "" before there is one."""
    answered: rx.Field[str] = rx.field("")
    """The newest question that it answered."""
    refused: rx.Field[dict[str, dict[str, Any]]] = rx.field(default_factory=dict)
    """Key → `problem`, and `count`, which tells one refusal from the next."""
    _parts: list[str] = []

    @rx_.override
    def begin(self, question: str) -> None:
        """From here on only the answer to this question counts."""
        self.asked, self._parts = question, []

    @rx.event
    async def receive(self, answer: dict[str, Any]):
        """A part of what the page's browser keeps; the last one makes it count."""
        tab = tab_of_event()
        text = self._whole_text(answer)
        if tab is None or text is None:
            return
        try:
            sent = decode(text)
        except InvalidValue:
            return  # nothing that a page of ours would send
        if not isinstance(sent, dict):
            return
        await self._take_over(cast("dict[str, Any]", sent), is_first=self.answered != self.asked)
        self.answered = self.asked
        tab.asked = ""
        if (tabs := tabs_of_process()) is not None:
            tabs.push(tab)  # what was held up runs now

    def _whole_text(self, answer: object) -> str | None:
        """The text, when its last part has come. None before, and for what isn't an answer."""
        given = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
        part, of, text = given.get("part"), given.get("of"), given.get("text")
        if not self.asked or given.get("asked") != self.asked:
            return None  # to a question that no longer stands: the page will answer the new one
        if type(part) is not int or type(of) is not int or not isinstance(text, str):
            return None
        if not 0 <= part < of <= MAX_PARTS or len(text) > MAX_PART:
            return None
        before = [] if part == 0 else list(rx_.unwrap(self._parts))
        if part != len(before):
            return None
        if part < of - 1:
            self._parts = [*before, text]
            return None
        self._parts = []
        return "".join((*before, text))

    async def _take_over(self, sent: Mapping[str, Any], *, is_first: bool) -> None:
        """Show what the browser keeps. Of a first answer, what it lacks is at its default."""
        problems: dict[str, str] = {}
        for cls in rx_.device_states():
            fields = fields_of_state(cls)
            wanted = {n: f for n, f in fields.items() if is_first or f.key in sent}
            if not wanted:
                continue
            state = await self.get_state(cast("type[rx.State]", cls))
            for name, field in wanted.items():
                rx_.held_by(state)[name] = _value(field, sent.get(field.key), problems)
            rx_.make_touched(state, wanted)
        counts = {key: each["count"] for key, each in rx_.unwrap(self.refused).items()}
        if problems:
            self.refused = {
                **rx_.unwrap(self.refused),
                **{
                    key: {"problem": problem, "count": counts.get(key, 0) + 1}
                    for key, problem in problems.items()
                },
            }


def _value(field: DeviceLocal[Any], text: object, problems: dict[str, str]) -> Any:
    """What the browser's text says; the default for none, and for one that doesn't fit."""
    if isinstance(text, str):
        try:
            decode(text, field=field.spec.name)
            return field.spec.parse(text)
        except InvalidValue as error:
            problems[field.key] = error.problem
    elif text is not None:
        problems[field.key] = "isn't a text of JSON"
    return field.spec.default()


async def ask(state: rx_.BaseState, tab: Tab, question: str) -> bool:
    """Have the tab's page say what its browser keeps. False where the app has no such vars."""
    if not rx_.device_states():
        return False
    device = await state.get_state(DeviceState)
    device.begin(question)
    tab.asked = question
    return True


# --- in the page ---------------------------------------------------------------------------------


def device_ready() -> rx.Var[bool]:
    """Has the page said what its browser keeps? False in the compiled page."""
    state: Any = DeviceState
    return cast("rx.Var[bool]", (state.asked != "") & (state.asked == state.answered))


def on_device(key: str, what: Remembered) -> dict[str, Any]:
    """The props of a native element that this browser remembers, without the server.

        rx.el.details(rx.el.summary("Motion"), …, **on_device("motion.open", "open"))
        rx.el.aside(…, style={"resize": "horizontal"}, **on_device("sidebar.width", "width"))
        rx.el.input(**on_device("shots.filter", "value"))

    `open` is of details, `checked` and `value` are of uncontrolled inputs, `width` and `height` are
    those that a user drags (in pixels). Set before the first paint. A key may also be that of a
    `device_local` var. Raises DeclarationError for a key that can't be one.
    """
    require_key(f"on_device({key[:80]!r})", key)
    return {"custom_attrs": {"data-persistence-device": key, "data-persistence-keeps": what}}


def device_copy(var: Any, *, key: str) -> rx.Component:
    """Have the browser keep a copy of a setting, for the first paint of the next visit.

        device_copy(Ui.theme, key="theme")          # html[data-device-theme="dark"] { … }

    It is what CSS goes by before the server has said anything, and never read back into the
    setting. Raises DeclarationError for what isn't a setting.
    """
    require_key(f"device_copy(…, key={key[:80]!r})", key)
    bound = bound_setting(var)
    return ui.el.i(
        hidden=True,
        custom_attrs={
            "data-persistence-copy": key,
            "data-value": var.to_string(),
            "data-ready": bound.ready.to_string(),
        },
    )


def device_notice(**props: Any) -> rx.Component:
    """What the user should know of what this browser keeps; nothing where all is well."""
    attributes = {"data-persistence-device-notice": "", **props.pop("custom_attrs", {})}
    return ui.el.div(role="status", hidden=True, custom_attrs=attributes, **props)


def device_root() -> rx.Component:
    """What the page's script talks to, where the app has such vars. The plugin puts it into every
    page."""
    if not rx_.device_states():
        return ui.fragment()
    state: Any = DeviceState
    take = cast(Any, FunctionStringVar.create("window.persistenceDevice.take")).call()
    return ui.el.div(
        ui.el.button(
            id="persistence-device-send", type="button", tab_index=-1, on_click=state.receive(take)
        ),
        *_mirrors(rx_.device_states()),
        id="persistence-device",
        hidden=True,
        custom_attrs={
            "aria-hidden": "true",
            "data-asked": state.asked,
            "data-answered": state.answered,
            "data-refused": state.refused.to_string(),
        },
    )


def _mirrors(states: Iterable[type[rx_.BaseState]]) -> list[rx.Component]:
    """One element a var, in which the script reads what the server shows."""
    return [
        ui.el.i(
            custom_attrs={
                "data-persistence-var": field.key,
                "data-value": getattr(cls, name).to_string(),
                "data-default": encode(
                    field.spec.default(),
                    field=name,
                    adapter=None if field.spec.is_native else field.spec.adapter,
                    limit=LARGEST,
                ),
                "data-title": field.spec.title,
            }
        )
        for cls in states
        for name, field in fields_of_state(cls).items()
    ]


def device_scripts() -> list[rx.Component]:
    """The scripts, for the page's head, so that they run before anything is painted.

    That of `takeover.py` is here, too: a page that takes nothing over has no use for its state.
    """
    return [ui.el.script((ASSETS / name).read_text(encoding="utf-8")) for name in SCRIPTS]
