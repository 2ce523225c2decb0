"""The inspector: a tool's whole stack for one entity, live, with layers muted on request.

The address says what is looked at: `?tool=…&project=…&shot=…&field=…`. Only what `authorise`
permits is shown; anything else answers as if it weren't there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import reflex as rx

from persistence import Binding, PermissionDenied, StoreUnavailable, Target, ToolSpec
from persistence.inspect import InspectedRow, inspect
from persistence.reflex import follow, running_engine
from workbench.access import NotFound
from workbench.database import Unavailable
from workbench.directory import describe
from workbench.inspecting import LONGEST_SEARCH, Entity, find_entities, stack_of
from workbench.settings import TOOLS
from workbench.states.common import PageState, actor_of, become_guest
from workbench.states.stack import (
    PLACES,
    Choice,
    Head,
    Line,
    Past,
    Says,
    line_of,
    past_of,
    says_of,
)

STEPS = 20
"""Of a setting's history, how many steps stand beside it."""


class Inspector(PageState, rx.State):
    address_of_stack: rx.Field[str] = rx.field("")
    """Tool, project and shot of the address that all of this belongs to."""
    asked: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """What the address says, by the parameter's name."""
    tool: rx.Field[str] = rx.field("")
    tools: rx.Field[list[Choice]] = rx.field(default_factory=list)
    entity: rx.Field[str] = rx.field("")
    """What is looked at, by name."""
    place: rx.Field[str] = rx.field("")
    """You · Project · This shot"""
    heads: rx.Field[list[Head]] = rx.field(default_factory=list)
    lines: rx.Field[list[Line]] = rx.field(default_factory=list)
    count: rx.Field[int] = rx.field(0)
    """How many settings there are, those that aren't shown included."""
    search: rx.Field[str] = rx.field("")
    only_set: rx.Field[bool] = rx.field(False)
    muted: rx.Field[list[str]] = rx.field(default_factory=list)
    field: rx.Field[str] = rx.field("")
    """The setting whose story stands beside the table."""
    chosen: rx.Field[Line] = rx.field(default_factory=Line)
    story: rx.Field[list[Says]] = rx.field(default_factory=list)
    past: rx.Field[list[Past]] = rx.field(default_factory=list)
    more_past: rx.Field[bool] = rx.field(False)
    closed_href: rx.Field[str] = rx.field("")
    """Where the table stands alone."""
    found: rx.Field[list[Choice]] = rx.field(default_factory=list)
    """Entities that can be chosen."""

    @rx.event
    async def load(self):
        if not actor_of(self):
            return become_guest(Inspector.hear_cookies)
        said = self.router.url.query_parameters
        self.asked = {
            name: str(said.get(name, "")) for name in ("tool", "project", "shot", "field")
        }
        if self._address() != self.address_of_stack:
            self.muted, self.search = [], ""
        await self.refresh()
        await self._find("")
        self.address_of_stack = self._address()
        return None

    @rx.event
    async def refresh(self):
        """Read it all anew: after a load, and whenever one of the layers has changed."""
        try:
            stack = await stack_of(actor_of(self), self._asked("project"), self._asked("shot"))
            await self._show(stack)
        except (NotFound, PermissionDenied):
            follow((), Inspector.refresh)
            self._let_go()
            await self.find("")
        except (Unavailable, StoreUnavailable) as error:
            self.status, self.problem = "away", str(error)

    @rx.event
    async def look_for(self, text: str):
        """Settings and values that contain it."""
        if isinstance(text, str):
            self.search = text[:LONGEST_SEARCH]
            await self.refresh()

    @rx.event
    async def toggle_only_set(self):
        self.only_set = not self.only_set
        await self.refresh()

    @rx.event
    async def toggle_mute(self, scope: str):
        if scope in {head.scope for head in self.heads}:
            kept = [each for each in self.muted if each != scope]
            self.muted = kept if len(kept) < len(self.muted) else [*kept, scope]
            await self.refresh()

    @rx.event
    async def find(self, text: str):
        """Entities by name."""
        if isinstance(text, str):
            try:
                await self._find(text)
            except Unavailable as error:
                self.problem = str(error)

    # --- reading ---------------------------------------------------------------------------------

    def _let_go(self) -> None:
        """Show nothing of what isn't theirs to see, or not any more."""
        self.status, self.lines, self.story, self.past = "missing", [], [], []
        self.heads, self.chosen = [], Line()
        self.entity = self.place = self.field = ""

    async def _show(self, stack: list[Entity]) -> None:
        engine, actor = running_engine(), actor_of(self)
        owners = {each.scope: each.id for each in stack}
        known = await self._known_tools(owners)
        tool = self._asked("tool") or TOOLS[0].__tool__.tool
        if tool not in known:
            raise NotFound("no such tool")
        binding: Binding[Any] = await engine.open(tool, owners, actor=actor)
        try:
            view, targets = binding.view, binding.stack
            rows = inspect(view, muted=self.muted) if view is not None else ()
            plain = inspect(view) if self.muted and view is not None else rows
        finally:
            binding.close()
        follow([*targets, *owners.items()], Inspector.refresh)  # of owners: rights, too
        self.tool = tool
        self.tools = [self._choice_of(each) for each in known.values()]
        self.entity, self.place = stack[-1].name, PLACES[stack[-1].scope]
        self.heads = [
            Head(each.scope, PLACES[each.scope], each.name, each.scope in self.muted)
            for each in stack
        ]
        lines = [line_of(row, was, self._href(field=row.field))
                 for row, was in zip(rows, plain, strict=True)]  # fmt: skip
        self.count = len(lines)
        self.lines = [line for line in lines if self._is_wanted(line)]
        await self._tell(rows, {line.field: line for line in lines}, targets)
        self.status, self.problem = "ready", ""

    async def _known_tools(self, owners: Mapping[str, str]) -> dict[str, ToolSpec]:
        """The tools that may be asked for: the app's, and what the stack holds something of."""
        engine = running_engine()
        known = {each.__tool__.tool: each.__tool__ for each in TOOLS}
        for scope, owner in owners.items():
            for tool in await engine.store.tools(scope, owner):
                known.setdefault(tool, engine.tool(tool))
        return known

    async def _tell(
        self, rows: Iterable[InspectedRow], lines: Mapping[str, Line], stack: Iterable[Target]
    ) -> None:
        """The story of the chosen setting, if one is."""
        wanted = self._asked("field")
        row = next((each for each in rows if each.field == wanted), None)
        self.closed_href = self._href()
        if row is None:
            self.field, self.story, self.past, self.more_past = "", [], [], False
            return
        self.field, self.chosen = row.field, lines[row.field]
        page = await running_engine().history.steps(list(stack), field=row.field, limit=STEPS)
        people = {layer.author for layer in row.layers} | {step.author for step in page.steps}
        names = await describe("user", sorted(people - {""}))
        owners = {head.scope: head.name for head in self.heads}
        self.story = [says_of(layer, owners, names) for layer in reversed(row.layers)]
        self.past = [each for step in page.steps for each in past_of(step, names)]
        self.more_past = page.before is not None

    async def _find(self, text: str) -> None:
        me = Entity("user", actor_of(self), "You")
        said = text.strip().casefold()
        mine = [me] if not said or said in "you" else []
        entities = [*mine, *await find_entities(actor_of(self), text)]
        self.found = [
            Choice(
                each.id,
                each.name,
                f"Shot of {each.within}" if each.within else PLACES[each.scope],
                self._href(owner=each),
                each.scope != "user" and each.id in (self._asked("project"), self._asked("shot")),
            )
            for each in entities
        ]

    # --- the address -----------------------------------------------------------------------------

    def _asked(self, name: str) -> str:
        return self.asked.get(name, "")

    def _address(self) -> str:
        """Without the setting: from one to the other the table stays as it is."""
        return " ".join(self._asked(name) for name in ("tool", "project", "shot"))

    def _href(
        self, *, tool: str | None = None, owner: Entity | None = None, field: str = ""
    ) -> str:
        asked = {name: self._asked(name) for name in ("tool", "project", "shot")}
        if tool is not None:
            asked["tool"] = tool
        if owner is not None:
            asked |= {"project": "", "shot": ""}
            if owner.scope != "user":
                asked[owner.scope] = owner.id
        query = urlencode(
            {name: value for name, value in {**asked, "field": field}.items() if value}
        )
        return f"/inspector?{query}" if query else "/inspector"

    def _choice_of(self, spec: ToolSpec) -> Choice:
        detail = spec.tool if spec.is_declared else "not declared any more"
        title = spec.title or spec.tool
        return Choice(spec.tool, title, detail, self._href(tool=spec.tool), spec.tool == self.tool)

    def _is_wanted(self, line: Line) -> bool:
        text = self.search.strip().casefold()
        return (line.is_set or not self.only_set) and (not text or text in line.searched)
