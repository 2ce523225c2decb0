"""What a form of a transfer offers, and what a page may say about it. `transfers` does it.

The lists of a form stay on the server, with the tab: a page sends the form's number, and positions
in its lists. What it sends is of anybody's making: types and sizes are checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast
from weakref import WeakKeyDictionary

from .. import presets
from ..binding import Binding
from ..errors import EditError
from ..presets import Kept
from ..transfers import index_of
from .mirror import tab_of_event
from .panel.words import value_words
from .tabs import Tab, require_tabs

LARGEST = 700_000
"""Bytes of a text that a page sends or is given; a frame of a megabyte would close its socket."""
MOST_ENTRIES = 20_000
"""Entries of a form."""


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
class Opened:
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


opened_forms: WeakKeyDictionary[Tab, Opened] = WeakKeyDictionary()


# --- what a page sends ---------------------------------------------------------------------------


def binding_of(tool: object) -> tuple[Tab, Binding[Any]] | None:
    """The tab of the event, and its binding of a tool, where that is loaded."""
    tab = tab_of_event()
    if tab is None or not tab.actor or not isinstance(tool, str):
        return None
    binding = tab.bindings.get(tool)
    return (tab, binding) if binding is not None and binding.ready else None


def open_form(number: object) -> tuple[Tab | None, Opened | None]:
    """The tab of the event and its form of that number, if it is still for what is shown."""
    tab = tab_of_event()
    opened = opened_forms.get(tab) if tab is not None else None
    if tab is None or opened is None or type(number) is not int or opened.number != number:
        return None, None
    binding = opened.binding
    if opened.tab_id != tab.id or not binding.ready or binding.stack != opened.stack:
        return None, None
    return tab, opened


def texts_of(data: object) -> dict[str, str]:
    """The entries of a form that are texts; none of a form that is too large."""
    if not isinstance(data, dict) or len(cast("dict[Any, Any]", data)) > MOST_ENTRIES:
        return {}
    entries = cast("dict[Any, Any]", data).items()
    sent = {name: text for name, text in entries if isinstance(name, str) and isinstance(text, str)}
    return sent if sum(map(len, sent.values())) <= LARGEST else {"number": sent.get("number", "")}


def position_of(text: str | None) -> int | None:
    """A position or a number, which a form sends as text."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else None


def chosen_of(sent: Mapping[str, str], kind: str, known: list[str]) -> list[str]:
    """The boxes that are checked: `field.3`."""
    return [each for at, each in enumerate(known) if f"{kind}.{at}" in sent]


def tools_of(opened: Opened, sent: Mapping[str, str]) -> list[str] | None:
    """This tool, or all."""
    return None if "all" in sent else [opened.binding.spec.tool]


def preset_at(opened: Opened | None, position: object) -> Kept | None:
    if opened is None or type(position) is not int or not 0 <= position < len(opened.kept):
        return None
    return opened.kept[position]


def file_name(text: str) -> str:
    kept = "".join(each if each.isalnum() or each in "-_" else "-" for each in text)
    return "-".join(filter(None, kept.split("-")))[:80] or "settings"


# --- what is shown -------------------------------------------------------------------------------


def default_words(scope: str, chain: tuple[str, ...]) -> str:
    """ "the project's default"; at the weakest scope, which is a person's own, "my default"."""
    return "my default" if scope == chain[0] else f"the {scope}'s default"


def field_choices(opened: Opened) -> list[FieldChoice]:
    """The settings that can be chosen; those that this layer sets itself are."""
    view, chosen = opened.binding.view, opened.fields
    if view is None:
        return []
    index = index_of(view, opened.scope)
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


def keepers(binding: Binding[Any]) -> list[str]:
    """The scopes that may keep presets: all that are shown but the strongest, if there is more
    than one."""
    shown = [target.scope for target in binding.stack]
    return shown[:-1] or shown


async def preset_choices(opened: Opened) -> list[PresetChoice]:
    binding, opened.kept = opened.binding, []
    for scope in keepers(binding):
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
