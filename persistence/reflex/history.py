"""The history of what a page shows: who changed what when, compared, restored, with named moments.

The state behind `history_panel`. What was read stays on the server, with the tab; the page gets
words, and sends numbers that are looked up there. It follows what happens while it is open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast
from weakref import WeakKeyDictionary

import reflex as rx

from ..errors import EditError, NotKept, PermissionDenied, StoreError
from ..history import Page, Then
from ..journal import Step
from ..scopes import Target
from ..store.base import Moment
from .following import follow
from .history_words import (
    MOST_CHANGES,
    ChangeRow,
    MomentRow,
    StepRow,
    change_row,
    denied_to,
    moment_row,
    step_row,
)
from .mirror import tab_of_event
from .preview import Choice, Question, ask
from .tabs import Tab, require_tabs
from .telling import Names, scope_word, title_of

PAGE = 25
"""Steps that are read at once."""
MOST_STEPS = 300
"""Steps that are read anew when something changed; older ones are loaded again when asked for."""
AWAY = "The database can't be reached just now. Try again."


class Compared(TypedDict):
    """Two moments, compared."""

    is_open: bool
    name: str
    """Of a named moment that it begins with, else ""."""
    at: float
    until: str
    until_at: float
    """0 for now."""
    changes: list[ChangeRow]


NOT_COMPARED: Compared = {
    "is_open": False, "name": "", "at": 0.0, "until": "", "until_at": 0.0, "changes": [],
}  # fmt: skip


@dataclass(slots=True)
class _Open:
    """What a tab's panel shows. Never leaves the server."""

    tab_id: str
    tools: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    steps: dict[int, Step] = field(default_factory=dict[int, Step])
    before: int | None = None
    begins: float | None = None
    people: list[str] = field(default_factory=list[str])
    moments: list[Moment] = field(default_factory=list[Moment])
    earlier: Step | Moment | None = None
    later: Step | Moment | None = None


_open: WeakKeyDictionary[Tab, _Open] = WeakKeyDictionary()


class HistoryState(rx.State):
    """What the tab's history panel shows."""

    steps: rx.Field[list[StepRow]] = rx.field(default_factory=list)
    has_more: rx.Field[bool] = rx.field(False)
    begins: rx.Field[float] = rx.field(-1.0)
    """Since when the history is complete, where older changes aren't kept; 0 where nobody knows,
    -1 where all is kept."""
    is_loaded: rx.Field[bool] = rx.field(False)
    problem: rx.Field[str] = rx.field("")
    people: rx.Field[list[str]] = rx.field(default_factory=list)
    """Who made the changes that were read so far, by name."""
    only_field: rx.Field[str] = rx.field("")
    """`tool.field`, to see that one alone."""
    only_person: rx.Field[str] = rx.field("")
    """A position in `people` as text, to see that person's changes alone."""
    moments: rx.Field[list[MomentRow]] = rx.field(default_factory=list)
    places: rx.Field[list[list[str]]] = rx.field(default_factory=list)
    """Scope and words of the owners that a moment can be named for, the strongest first."""
    compared: rx.Field[Compared] = rx.field(
        default_factory=lambda: cast(Compared, dict(NOT_COMPARED))
    )
    name_problem: rx.Field[str] = rx.field("")
    count: rx.Field[int] = rx.field(0)
    done: rx.Field[str] = rx.field("")
    """What was done last, with a number in front, so that the page reads it aloud each time."""

    # --- reading ---------------------------------------------------------------------------------

    @rx.event
    async def open(self, tools: list[str]):
        """Show the history of these tools, of the owners that the page shows."""
        tab = tab_of_event()
        known = tuple(tab.bindings) if tab is not None else ()
        chosen = tuple(each for each in known if any(each == sent for sent in tools))
        if tab is None or not chosen:
            return
        _open[tab] = _Open(tab.id, chosen)
        self.only_field = self.only_person = self.name_problem = ""
        self.compared = cast(Compared, dict(NOT_COMPARED))
        await self._show(tab, _open[tab], PAGE)

    @rx.event
    async def refresh(self):
        """Something changed in what is shown."""
        await self._refresh()

    async def _refresh(self) -> None:
        tab, opened = _opened()
        if tab is not None and opened is not None:
            await self._show(tab, opened, min(MOST_STEPS, max(PAGE, len(opened.steps))))
            if opened.earlier is not None:
                await self._compare(opened)

    @rx.event
    async def load_more(self):
        """Read older steps."""
        tab, opened = _opened()
        if tab is not None and opened is not None and opened.before is not None:
            await self._show(tab, opened, PAGE, more=True)

    @rx.event
    async def filter_field(self, field: str):
        """Show the changes of one field alone; of all for ""."""
        await self._filter(field if isinstance(cast(object, field), str) else "", self.only_person)

    @rx.event
    async def filter_person(self, person: str):
        """Show one person's changes alone, by the position in `people`; everybody's for ""."""
        await self._filter(self.only_field, person if _index(person) is not None else "")

    async def _filter(self, field: str, person: str) -> None:
        tab, opened = _opened()
        if tab is None or opened is None:
            return
        tool, _, name = field.partition(".")
        spec = require_tabs().engine.tool(tool) if tool in opened.tools else None
        is_known = spec is not None and name in tuple(spec.fields)
        self.only_field = field[:300] if is_known else ""
        self.only_person = person
        await self._show(tab, opened, PAGE)

    async def _show(self, tab: Tab, opened: _Open, limit: int, *, more: bool = False) -> None:
        """Read steps, the newest or the next ones, and say them."""
        try:
            opened.targets = await _readable(tab, opened.tools)
            follow(opened.targets, HistoryState.refresh)
            page = await self._read(opened, limit, opened.before if more else None)
            opened.moments = await _moments(tab, opened.targets)
        except StoreError:
            self.problem, self.is_loaded = AWAY, True
            return
        except EditError as error:  # a right was taken away just then
            self.problem, self.is_loaded = error.problem, True
            return
        known = opened.steps if more else {}
        opened.steps = {**known, **{step.revision: step for step in page.steps}}
        opened.before, opened.begins = page.before, page.begins
        authors = [step.author for step in page.steps]
        opened.people = list(dict.fromkeys([*opened.people, *authors]))
        await self._tell(tab, opened)

    async def _read(self, opened: _Open, limit: int, before: int | None) -> Page:
        tool, _, name = self.only_field.partition(".")
        chosen = [each for each in opened.targets if not name or each.tool == tool]
        person = _index(self.only_person)
        author = opened.people[person] if person is not None and person < len(opened.people) else ""
        history = require_tabs().engine.history
        return await history.steps(
            chosen, field=name or None, author=author, before=before, limit=limit
        )

    async def _tell(self, tab: Tab, opened: _Open) -> None:
        steps = list(opened.steps.values())
        names = Names(tab)
        people = [*opened.people, *(moment.author for moment in opened.moments)]
        await names.ask((), people)
        self.steps = [step_row(step, names) for step in steps]
        self.has_more = opened.before is not None
        self.begins = -1.0 if opened.begins is None else opened.begins
        self.people = [names.person(each) for each in opened.people]
        self.moments = [moment_row(at, each, names) for at, each in enumerate(opened.moments)]
        owners = {target[:2]: target for target in opened.targets}
        scopes = [each.scope for each in reversed(owners.values())]
        denied = denied_to(tab)
        self.places = [[each, scope_word(each)] for each in scopes if each not in denied]
        self.problem, self.is_loaded = "", True

    # --- comparing -------------------------------------------------------------------------------

    @rx.event
    async def compare(self, number: int):
        """Compare how it stood after a step with now; with another one after that, if one is
        chosen already."""
        tab, opened = _opened()
        step = opened.steps.get(number) if opened is not None and type(number) is int else None
        if tab is not None and opened is not None and step is not None:
            await self._compare_from(opened, step)

    @rx.event
    async def compare_moment(self, number: int):
        """Compare a named moment with now, or with what was chosen."""
        tab, opened = _opened()
        moment = _moment(opened, number)
        if tab is not None and opened is not None and moment is not None:
            await self._compare_from(opened, moment)

    async def _compare_from(self, opened: _Open, then: Step | Moment) -> None:
        first = opened.earlier
        if first is None or opened.later is not None or first == then:
            opened.earlier, opened.later = then, None
        else:
            opened.earlier, opened.later = sorted((first, then), key=lambda each: each.revision)
        await self._compare(opened)

    async def _compare(self, opened: _Open) -> None:
        earlier, later = opened.earlier, opened.later
        if earlier is None:
            return
        targets = _targets_of(opened.targets, earlier, later)
        try:
            found = await require_tabs().engine.history.compare(targets, earlier, later)
        except (NotKept, StoreError) as error:
            self._say(str(error) if isinstance(error, NotKept) else AWAY)
            return
        self.compared = {
            "is_open": True,
            "name": earlier.name if isinstance(earlier, Moment) else "",
            "at": earlier.at,
            "until": later.name if isinstance(later, Moment) else "",
            "until_at": later.at if later is not None else 0.0,
            "changes": [change_row(each, can_restore=False) for each in found],
        }

    @rx.event
    def end_comparing(self):
        """Close the comparison."""
        _, opened = _opened()
        if opened is not None:
            opened.earlier = opened.later = None
        self.compared = cast(Compared, dict(NOT_COMPARED))

    # --- restoring -------------------------------------------------------------------------------

    @rx.event
    async def restore(self, number: int):
        """Ask whether to bring everything that is shown back to a step."""
        tab, opened = _opened()
        step = opened.steps.get(number) if opened is not None and type(number) is int else None
        if tab is not None and opened is not None and step is not None:
            ways = (("As it was after this", step), ("As it was before this", step.first - 1))
            await self._ask_restore(tab, opened.targets, "everything", ways)

    @rx.event
    async def restore_field(self, number: int, position: int):
        """Ask whether to bring one field of a step back."""
        tab, opened = _opened()
        step = opened.steps.get(number) if opened is not None and type(number) is int else None
        if tab is None or step is None or type(position) is not int:
            return
        if not 0 <= position < min(len(step.changes), MOST_CHANGES):
            return
        change = step.changes[position]
        ways = (("As it was after this", step), ("As it was before this", step.first - 1))
        title = f"“{title_of(change.target, change.field)}”"
        await self._ask_restore(tab, (change.target,), title, ways, [change.field])

    @rx.event
    async def restore_moment(self, number: int):
        """Ask whether to bring everything of its owner back to a named moment."""
        tab, opened = _opened()
        moment = _moment(opened, number)
        if tab is not None and opened is not None and moment is not None:
            targets = _targets_of(opened.targets, moment)
            await self._ask_restore(tab, targets, f"“{moment.name}”", (("", moment),))

    async def _ask_restore(
        self,
        tab: Tab,
        targets: tuple[Target, ...],
        what: str,
        ways: tuple[tuple[str, Then], ...],
        fields: list[str] | None = None,
    ) -> None:
        history = require_tabs().engine.history

        async def make() -> Question:
            choices: list[Choice] = []
            for label, then in ways:
                try:
                    plan = await history.plan_restore(targets, then, actor=tab.actor, fields=fields)
                except NotKept:
                    continue  # nobody knows how it was before
                choices.append(Choice(label, plan))
            if not choices:
                raise EditError("Restore", "the history doesn't reach back so far")
            useful = [at for at, each in enumerate(choices) if not each.plan.is_empty]
            title, done = f"Restore {what}?", f"Restored {what}"
            return Question(
                title,
                tuple(choices),
                button="Restore",
                done=done,
                chosen=useful[0] if useful else 0,
            )

        await self._attempt(lambda: ask(self, make))

    # --- named moments ---------------------------------------------------------------------------

    @rx.event
    async def name_moment(self, data: dict[str, Any]):
        """Give a name to how everything of an owner stands now."""
        tab, opened = _opened()
        sent = data if isinstance(cast(object, data), dict) else {}
        name, scope = sent.get("name"), sent.get("scope")
        if tab is None or opened is None:
            return
        owners = {target.scope: target.owner for target in opened.targets}
        if not isinstance(scope, str) or scope not in owners:
            return
        try:
            moment = await require_tabs().engine.history.name_moment(
                scope, owners[scope], cast(str, name), actor=tab.actor
            )
        except EditError as error:
            self.name_problem = f"The name {error.problem}"
        except StoreError:
            self.name_problem = AWAY
        else:
            self.name_problem = ""
            self._say(f"Named “{moment.name}”")
            await self._refresh()

    @rx.event
    async def remove_moment(self, number: int):
        """Forget a named moment, the second time it is pressed."""
        tab, opened = _opened()
        moment = _moment(opened, number)
        if tab is None or opened is None or moment is None:
            return
        rows = [dict(row) for row in self.moments]
        if number < len(rows) and not rows[number]["asking"]:
            for at, row in enumerate(rows):
                row["asking"] = at == number
            self.moments = cast("list[MomentRow]", rows)
            return

        async def remove() -> None:
            scope, owner, name = moment[:3]
            await require_tabs().engine.history.remove_moment(scope, owner, name, actor=tab.actor)
            self._say(f"Deleted “{name}”")
            await self._refresh()

        await self._attempt(remove)

    # --- helpers ---------------------------------------------------------------------------------

    async def _attempt(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do it; what is wrong is said."""
        try:
            await action()
        except EditError as error:
            self._say(f"{error.field} {error.problem}")
        except StoreError:
            self._say(AWAY)

    def _say(self, words: str) -> None:
        self.count += 1
        self.done = f"{self.count}|{words}"


def _opened() -> tuple[Tab | None, _Open | None]:
    """The tab of the event and what its panel shows, if it was opened by who is there now."""
    tab = tab_of_event()
    opened = _open.get(tab) if tab is not None else None
    if tab is None or opened is None or opened.tab_id != tab.id:
        return None, None
    return tab, opened


def _index(text: object) -> int | None:
    is_number = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 6
    return int(cast(str, text)) if is_number else None


def _moment(opened: _Open | None, number: object) -> Moment | None:
    if opened is None or type(number) is not int or not 0 <= number < len(opened.moments):
        return None
    return opened.moments[number]


async def _readable(tab: Tab, tools: Iterable[str]) -> tuple[Target, ...]:
    """The layers that the page shows and its actor may read, weakest first."""
    engine = require_tabs().engine
    shown = [target for tool in tools for target in tab.shown.get(tool, ())]
    allowed: dict[tuple[str, str], bool] = {}
    for target in shown:
        if target[:2] not in allowed:
            try:
                await engine.permit(tab.actor, "read", target)
                allowed[target[:2]] = True
            except PermissionDenied:
                allowed[target[:2]] = False
    strength = engine.scopes.strength
    return tuple(sorted((t for t in shown if allowed[t[:2]]), key=lambda t: strength(t.scope)))


async def _moments(tab: Tab, targets: Iterable[Target]) -> list[Moment]:
    """The named moments of all owners that are shown, newest first."""
    history = require_tabs().engine.history
    owners = dict.fromkeys(target[:2] for target in targets)
    found = [m for each in owners for m in await history.moments(*each, actor=tab.actor)]
    return sorted(found, key=lambda moment: -moment.revision)


def _targets_of(targets: tuple[Target, ...], *moments: Step | Moment | None) -> tuple[Target, ...]:
    """What is shown, or of it what belongs to the owner that a named moment is about."""
    owners = {each[:2] for each in moments if isinstance(each, Moment)}
    return tuple(target for target in targets if not owners or target[:2] in owners)
