"""Between layers, as a person does it: promote, copy, push, presets, export, import.

`transfer_forms` has the menu and the forms.

Each opens a form, where there is something to choose, then the preview of `preview`. Nothing is
written before that is answered.

- The form stays on the server, with the tab: the page sends its number, and positions in its lists.
- Names, types, sizes and rights are checked at each step: any client can call any handler.
- Which other entities there are says the plugin's hook `members`, how they are called `describe`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast
from weakref import WeakKeyDictionary

import reflex as rx

from .. import exchange, presets, transfers
from ..binding import Binding
from ..errors import EditError, InvalidValue, StoreError
from ..formats import Form as Format
from ..plans import Plan, counted
from ..presets import Kept
from . import _private as rx_
from .mirror import tab_of_event
from .panel.words import value_words
from .preview import Choice, Question, ask
from .tabs import Tab, require_tabs

KINDS = ("copy", "push", "presets", "export", "import")
LARGEST = 700_000
"""Bytes of a text that a page sends or is given; a frame of a megabyte would close its socket."""
MOST_ENTRIES = 20_000
"""Entries of a form."""
AWAY = "The database can't be reached just now. Try again."


class FieldChoice(TypedDict):
    """A setting that can be chosen."""

    key: str
    title: str
    value: str
    chosen: bool


class PresetChoice(TypedDict):
    """A preset that can be applied or deleted."""

    key: str
    name: str
    about: str
    asking: bool
    """Was Delete pressed once?"""
    is_readable: bool


class Form(TypedDict):
    """What a person chooses from."""

    number: int
    """0 while none is open."""
    kind: str
    tool: str
    title: str
    scope: str
    """Of the edit target: what is copied to, exported from."""
    name: str
    """The edit target's name."""
    owners: list[str]
    fields: list[FieldChoice]
    presets: list[PresetChoice]
    scopes: list[str]
    """Who may keep presets."""
    problem: str


NO_FORM: Form = {
    "number": 0, "kind": "", "tool": "", "title": "", "scope": "", "name": "", "owners": [],
    "fields": [], "presets": [], "scopes": [], "problem": "",
}  # fmt: skip


@dataclass(slots=True)
class _Opened:
    """A form that a tab has open. Never leaves the server."""

    tab_id: str
    number: int
    binding: Binding[Any]
    scope: str
    stack: object
    """What was shown when it was opened: it is for nothing else."""
    owners: list[str] = field(default_factory=list[str])
    names: list[str] = field(default_factory=list[str])
    """Of those owners."""
    fields: list[str] = field(default_factory=list[str])
    kept: list[Kept] = field(default_factory=list[Kept])

    @property
    def owner(self) -> str:
        return self.binding.owners[self.scope]


_opened: WeakKeyDictionary[Tab, _Opened] = WeakKeyDictionary()


class TransferState(rx.State):
    """The form that a tab has open."""

    form: rx.Field[Form] = rx.field(default_factory=lambda: cast(Form, dict(NO_FORM)))
    count: rx.Field[int] = rx.field(0)
    done: rx.Field[str] = rx.field("")
    """What was done last, with a number in front, so that the page reads it aloud each time."""

    @rx.event
    async def promote(self, tool: str, name: str, to: str):
        """Ask whether a setting becomes the default of a weaker scope."""
        found = _binding(tool)
        chain = require_tabs().engine.scopes.names
        if found is None or name not in tuple(found[1].spec.fields) or to not in chain:
            return
        binding, title = found[1], found[1].spec.require(name).title

        async def make() -> Question:
            plan = await transfers.promote(binding, name, to=to)
            note = f"All that inherit from this {to} follow. What is shown here stays as it is."
            return Question(
                f"Make “{title}” {default_words(to, chain)}?",
                (Choice("", plan),),
                note,
                done="Done",
            )

        await self._attempt(lambda: ask(self, make))

    @rx.event
    async def open(self, tool: str, kind: str):
        """Open one of the forms for a tool that the tab shows."""
        found = _binding(tool)
        if found is None or kind not in KINDS:
            return
        tab, binding = found
        self.count += 1
        scope = binding.edit_scope
        opened = _Opened(tab.id, self.count, binding, scope, binding.stack)
        _opened[tab] = opened
        await self._attempt(lambda: self._show(opened, kind))

    async def _show(self, opened: _Opened, kind: str) -> None:
        directory, binding = require_tabs().directory, opened.binding
        scope, spec = opened.scope, binding.spec
        if kind in ("copy", "push"):
            members = await directory.belonging(binding.actor, scope, binding.owners)
            opened.owners = [each for each in members if each != opened.owner]
            names = await directory.names(scope, opened.owners)
            opened.names = [names[each] for each in opened.owners]
        if kind in ("push", "presets"):
            opened.fields = [
                name for name, each in spec.fields.items() if each.inherit and not each.secret
            ]
        self.form = {
            "number": opened.number,
            "kind": kind,
            "tool": spec.tool,
            "title": spec.title or spec.tool,
            "scope": scope,
            "name": await directory.name(scope, opened.owner),
            "owners": opened.names,
            "fields": _fields(opened),
            "presets": await _presets(opened) if kind == "presets" else [],
            "scopes": _keepers(binding),
            "problem": "",
        }

    @rx.event
    def close(self, number: int):
        """Forget the form."""
        tab, opened = _open(number)
        if tab is not None and opened is not None:
            self._close(tab)

    def _close(self, tab: Tab) -> None:
        _opened.pop(tab, None)
        self.form = cast(Form, {**rx_.unwrap(self.form), "number": 0})

    def _say(self, words: str) -> None:
        self.count += 1
        self.done = f"{self.count}|{words}"

    async def _attempt(self, action: Callable[[], Any]) -> Any:
        """Do it; what is wrong is said in the form, or in the preview where none is open."""
        try:
            return await action()
        except EditError as error:
            about = "" if error.field in ("document", "name") else f"{error.field}: "
            problem = f"{about}{error.problem}"
        except StoreError:
            problem = AWAY
        problem = problem[:1].upper() + problem[1:]
        if self.form["number"]:
            self.form = cast(Form, {**rx_.unwrap(self.form), "problem": problem})
        else:
            await ask(self, lambda: _nothing(problem))
        return None

    @rx.event
    async def submit(self, data: dict[str, Any]):
        """What was chosen in the form that is open."""
        sent = _texts(data)
        tab, opened = _open(_position(sent.get("number")))
        if tab is None or opened is None:
            return None
        kind = rx_.unwrap(self.form)["kind"]
        if kind == "export":
            return await self._attempt(lambda: self._export(tab, opened, sent))
        if kind == "presets":
            await self._attempt(lambda: self._keep(opened, sent))
            return None
        await self._attempt(lambda: self._ask(tab, _QUESTIONS[kind](opened, sent)))
        return None

    async def _ask(self, tab: Tab, make: Callable[[], Any]) -> None:
        await ask(self, make)
        self._close(tab)

    async def _export(self, tab: Tab, opened: _Opened, sent: Mapping[str, str]) -> Any:
        form: Format = "toml" if sent.get("form") == "toml" else "json"
        binding, tools = opened.binding, _tools(opened, sent)
        text = await exchange.export_text(
            binding.engine, opened.scope, opened.owner, actor=binding.actor, form=form, tools=tools
        )
        size = len(text.encode())
        if size > LARGEST:
            raise InvalidValue(
                "document",
                f"has {size:,} bytes, and a page can take {LARGEST:,}. The command line writes"
                " larger ones: python -m persistence export",
            )
        self._close(tab)
        name = f"{rx_.unwrap(self.form)['name']}-{binding.spec.tool if tools else 'settings'}"
        return cast(Any, rx).download(data=text, filename=f"{_file_name(name)}.{form}")

    # --- presets ---------------------------------------------------------------------------------

    async def _keep(self, opened: _Opened, sent: Mapping[str, str]) -> None:
        chosen = _chosen(sent, "field", opened.fields)
        if not chosen:
            raise InvalidValue("name", "choose at least one setting to keep")
        at = sent.get("at", "")
        if at not in _keepers(opened.binding):
            return
        name, replace = sent.get("name", ""), "replace" in sent
        kept = await presets.keep(opened.binding, name, *chosen, at=at, replace=replace)
        self._say(f"Kept “{kept.name}”")
        await self._show(opened, "presets")

    @rx.event
    async def apply_preset(self, number: int, position: int):
        """Ask whether to apply a preset of the list."""
        tab, opened = _open(number)
        kept = _preset(opened, position)
        if tab is None or opened is None or kept is None:
            return
        binding = opened.binding

        async def make() -> Question:
            plan = await presets.plan(binding, kept.name, at=kept.scope)
            return Question(f"Apply “{kept.name}”?", (Choice("", plan),), done="Applied")

        await self._attempt(lambda: self._ask(tab, make))

    @rx.event
    async def remove_preset(self, number: int, position: int):
        """Delete a preset of the list, the second time it is pressed."""
        tab, opened = _open(number)
        kept = _preset(opened, position)
        if tab is None or opened is None or kept is None:
            return
        listed = [dict(each) for each in rx_.unwrap(self.form)["presets"]]
        if not listed[position]["asking"]:
            for at, each in enumerate(listed):
                each["asking"] = at == position
            self.form = cast(Form, {**rx_.unwrap(self.form), "presets": listed})
            return

        async def remove() -> None:
            await presets.remove(opened.binding, kept.name, at=kept.scope)
            self._say(f"Deleted “{kept.name}”")
            await self._show(opened, "presets")

        await self._attempt(remove)


# --- what a page sends ---------------------------------------------------------------------------


def _binding(tool: object) -> tuple[Tab, Binding[Any]] | None:
    """The tab of the event, and its binding of a tool, where that is loaded."""
    tab = tab_of_event()
    if tab is None or not tab.actor or not isinstance(tool, str):
        return None
    binding = tab.bindings.get(tool)
    return (tab, binding) if binding is not None and binding.ready else None


def _open(number: object) -> tuple[Tab | None, _Opened | None]:
    """The tab of the event and its form of that number, if it is still for what is shown."""
    tab = tab_of_event()
    opened = _opened.get(tab) if tab is not None else None
    if tab is None or opened is None or type(number) is not int or opened.number != number:
        return None, None
    binding = opened.binding
    if opened.tab_id != tab.id or not binding.ready or binding.stack != opened.stack:
        return None, None
    return tab, opened


def _texts(data: object) -> dict[str, str]:
    """The entries of a form that are texts; none of a form that is too large."""
    if not isinstance(data, dict) or len(cast("dict[Any, Any]", data)) > MOST_ENTRIES:
        return {}
    entries = cast("dict[Any, Any]", data).items()
    sent = {name: text for name, text in entries if isinstance(name, str) and isinstance(text, str)}
    return sent if sum(map(len, sent.values())) <= LARGEST else {"number": sent.get("number", "")}


def _position(text: str | None) -> int | None:
    """A position or a number, which a form sends as text."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else None


def _chosen(sent: Mapping[str, str], kind: str, known: list[str]) -> list[str]:
    """The boxes that are checked: `field.3`."""
    return [each for at, each in enumerate(known) if f"{kind}.{at}" in sent]


def _tools(opened: _Opened, sent: Mapping[str, str]) -> list[str] | None:
    """This tool, or all."""
    return None if "all" in sent else [opened.binding.spec.tool]


def _preset(opened: _Opened | None, position: object) -> Kept | None:
    if opened is None or type(position) is not int or not 0 <= position < len(opened.kept):
        return None
    return opened.kept[position]


def _file_name(text: str) -> str:
    kept = "".join(each if each.isalnum() or each in "-_" else "-" for each in text)
    return "-".join(filter(None, kept.split("-")))[:80] or "settings"


# --- what is asked -------------------------------------------------------------------------------


def _choices(keep: Plan, replace: Plan) -> tuple[Choice, ...]:
    """What to do about values of their own, where there are any."""
    if keep.edits == replace.edits:
        return (Choice("", keep),)
    return (
        Choice("Keep what they set themselves", keep),
        Choice("Replace it, but for what is pinned", replace),
    )


async def _nothing(problem: str) -> Question:
    return Question("That isn't possible", (Choice("", Plan("", ())),), problem)


def _ask_copy(opened: _Opened, sent: Mapping[str, str]) -> Callable[[], Any]:
    position = _position(sent.get("owner"))
    if position is None or position >= len(opened.owners):
        raise InvalidValue("name", "choose whose settings to copy")
    binding, tools = opened.binding, _tools(opened, sent)
    source, to = (opened.scope, opened.owners[position]), (opened.scope, opened.owner)

    async def make() -> Question:
        keep, replace = [
            await transfers.copy(
                binding.engine, source, to, actor=binding.actor, tools=tools, own=own
            )
            for own in ("keep", "replace")
        ]
        title = f"Copy settings from “{opened.names[position]}”?"
        return Question(title, _choices(keep, replace), button="Copy", done="Copied")

    return make


def _ask_push(opened: _Opened, sent: Mapping[str, str]) -> Callable[[], Any]:
    names, owners = _chosen(sent, "field", opened.fields), _chosen(sent, "owner", opened.owners)
    if not names or not owners:
        raise InvalidValue("name", f"choose settings, and at least one {opened.scope}")
    binding, scope = opened.binding, opened.scope

    async def make() -> Question:
        keep, replace = [
            await transfers.push(binding, *names, owners=owners, scope=scope, own=own)
            for own in ("keep", "replace")
        ]
        title = f"Push {counted(len(names), 'setting')} to {counted(len(owners), scope)}?"
        return Question(title, _choices(keep, replace), button="Push", done="Pushed")

    return make


def _ask_import(opened: _Opened, sent: Mapping[str, str]) -> Callable[[], Any]:
    text = sent.get("text", "")
    if not text.strip():
        raise InvalidValue("document", "is empty, or too large: paste a document, or choose a file")
    binding, tools = opened.binding, _tools(opened, sent)

    async def make() -> Question:
        document = await exchange.read_text(text)
        plan = await exchange.plan_import(
            binding.engine, opened.scope, opened.owner, document, actor=binding.actor, tools=tools
        )
        title, choices = "Import these settings?", (Choice("", plan),)
        return Question(title, choices, button="Import", done="Imported")

    return make


_QUESTIONS = {"copy": _ask_copy, "push": _ask_push, "import": _ask_import}


# --- what is shown -------------------------------------------------------------------------------


def default_words(scope: str, chain: tuple[str, ...]) -> str:
    """ "the project's default"; at the weakest scope, which is a person's own, "my default"."""
    return "my default" if scope == chain[0] else f"the {scope}'s default"


def _fields(opened: _Opened) -> list[FieldChoice]:
    """The settings that can be chosen; those that this layer sets itself are."""
    view, chosen = opened.binding.view, opened.fields
    if view is None:
        return []
    index = transfers.index_of(view, opened.scope)
    found: list[FieldChoice] = []
    for at, name in enumerate(chosen):
        spec, held = view.require(name), view.layers[index].opinion(name)
        found.append(
            {
                "key": str(at),
                "title": spec.title or name,
                "value": value_words(spec, view.at(name, index)),
                "chosen": held is not None and held.kind != "reset",
            }
        )
    return found


def _keepers(binding: Binding[Any]) -> list[str]:
    """The scopes that may keep presets: all that are shown but the strongest, if there is more
    than one."""
    shown = [target.scope for target in binding.stack]
    return shown[:-1] or shown


async def _presets(opened: _Opened) -> list[PresetChoice]:
    binding, opened.kept = opened.binding, []
    for scope in _keepers(binding):
        try:
            opened.kept += await presets.listed(binding, at=scope)
        except EditError:
            continue  # not theirs to read
    directory = require_tabs().directory
    weakest = binding.engine.scopes.names[0]
    people = await directory.names(weakest, {kept.author for kept in opened.kept})
    return [
        {
            "key": str(at),
            "name": kept.name,
            "about": _about(kept, people, binding),
            "asking": False,
            "is_readable": bool(kept.values),
        }
        for at, kept in enumerate(opened.kept)
    ]


def _about(kept: Kept, people: Mapping[str, str], binding: Binding[Any]) -> str:
    """Whose it is, what it holds, and what can't be read of it."""
    known = binding.spec.fields
    titles = ", ".join(known[name].title or name for name in kept.values)
    who = "you" if kept.author == binding.actor else people.get(kept.author, kept.author)
    parts = [f"{kept.scope} preset by {who}" if who else f"{kept.scope} preset", titles]
    for name, problem in kept.problems.items():
        parts.append(f"{name or 'it'} {problem}")
    words = " · ".join(filter(None, parts))[:300]
    return words[:1].upper() + words[1:]
