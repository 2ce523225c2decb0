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
from typing import Any, cast

import reflex as rx

from .. import exchange, presets, transfers
from ..errors import EditError, InvalidValue, StoreError
from ..formats import Form as Format
from ..plans import Plan, counted
from . import _private as rx_
from .forms import (
    LARGEST,
    NO_FORM,
    Form,
    Opened,
    binding_of,
    chosen_of,
    default_words,
    field_choices,
    file_name,
    keepers,
    open_form,
    opened_forms,
    position_of,
    preset_at,
    preset_choices,
    texts_of,
    tools_of,
)
from .preview import Choice, Question, ask
from .tabs import Tab, require_tabs

KINDS = ("copy", "push", "presets", "export", "import")
AWAY = "The database can't be reached just now. Try again."


class TransferState(rx.State):
    """The form that a tab has open."""

    form: rx.Field[Form] = rx.field(default_factory=lambda: cast(Form, dict(NO_FORM)))
    count: rx.Field[int] = rx.field(0)
    done: rx.Field[str] = rx.field("")
    """What was done last, with a number in front, so that the page reads it aloud each time."""

    @rx.event
    async def promote(self, tool: str, name: str, to: str):
        """Ask whether a setting becomes the default of a weaker scope."""
        found = binding_of(tool)
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
        found = binding_of(tool)
        if found is None or kind not in KINDS:
            return
        tab, binding = found
        self.count += 1
        scope = binding.edit_scope
        opened = Opened(tab.id, self.count, binding, scope, binding.stack)
        opened_forms[tab] = opened
        await self._attempt(lambda: self._show(opened, kind))

    async def _show(self, opened: Opened, kind: str) -> None:
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
            "fields": field_choices(opened),
            "presets": await preset_choices(opened) if kind == "presets" else [],
            "scopes": keepers(binding),
            "problem": "",
        }

    @rx.event
    def close(self, number: int):
        """Forget the form."""
        tab, opened = open_form(number)
        if tab is not None and opened is not None:
            self._close(tab)

    def _close(self, tab: Tab) -> None:
        opened_forms.pop(tab, None)
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
        sent = texts_of(data)
        tab, opened = open_form(position_of(sent.get("number")))
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

    async def _export(self, tab: Tab, opened: Opened, sent: Mapping[str, str]) -> Any:
        form: Format = "toml" if sent.get("form") == "toml" else "json"
        binding, tools = opened.binding, tools_of(opened, sent)
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
        return cast(Any, rx).download(data=text, filename=f"{file_name(name)}.{form}")

    # --- presets ---------------------------------------------------------------------------------

    async def _keep(self, opened: Opened, sent: Mapping[str, str]) -> None:
        chosen = chosen_of(sent, "field", opened.fields)
        if not chosen:
            raise InvalidValue("name", "choose at least one setting to keep")
        at = sent.get("at", "")
        if at not in keepers(opened.binding):
            return
        name, replace = sent.get("name", ""), "replace" in sent
        kept = await presets.keep(opened.binding, name, *chosen, at=at, replace=replace)
        self._say(f"Kept “{kept.name}”")
        await self._show(opened, "presets")

    @rx.event
    async def apply_preset(self, number: int, position: int):
        """Ask whether to apply a preset of the list."""
        tab, opened = open_form(number)
        kept = preset_at(opened, position)
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
        tab, opened = open_form(number)
        kept = preset_at(opened, position)
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


def _ask_copy(opened: Opened, sent: Mapping[str, str]) -> Callable[[], Any]:
    position = position_of(sent.get("owner"))
    if position is None or position >= len(opened.owners):
        raise InvalidValue("name", "choose whose settings to copy")
    binding, tools = opened.binding, tools_of(opened, sent)
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


def _ask_push(opened: Opened, sent: Mapping[str, str]) -> Callable[[], Any]:
    names, owners = chosen_of(sent, "field", opened.fields), chosen_of(sent, "owner", opened.owners)
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


def _ask_import(opened: Opened, sent: Mapping[str, str]) -> Callable[[], Any]:
    text = sent.get("text", "")
    if not text.strip():
        raise InvalidValue("document", "is empty, or too large: paste a document, or choose a file")
    binding, tools = opened.binding, tools_of(opened, sent)

    async def make() -> Question:
        document = await exchange.read_text(text)
        plan = await exchange.plan_import(
            binding.engine, opened.scope, opened.owner, document, actor=binding.actor, tools=tools
        )
        title, choices = "Import these settings?", (Choice("", plan),)
        return Question(title, choices, button="Import", done="Imported")

    return make


_QUESTIONS = {"copy": _ask_copy, "push": _ask_push, "import": _ask_import}
