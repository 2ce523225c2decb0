"""`inspect` and `explain`: what stands in a database, and where a value comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from ..explain import LayerView
from ..inspect import InspectedRow, inspect, words
from ..layers import Layer
from ..scopes import ScopeChain, Stack, Target
from ..specs import UNSET
from ..store import Change, Store
from .database import Owners, layer_of, reading, spec_of, view_of
from .output import Cell, Problem, instant, plain, say, show_json, show_table, value_text, when

PAGE = 500
"""Owners asked for at once."""

CHANGES = 5
"""Of a setting's latest changes, how many `explain` tells."""

MARKS = {"pin": "pinned", "policy": "policy", "block": "blocked"}


async def show_scopes(path: Path, *, as_json: bool) -> None:
    """What there is: the scopes, and how many owners have settings at each."""
    async with reading(path) as store:
        found = {scope: await count_owners(store, scope) for scope in await store.scopes()}
    if as_json:
        return show_json([{"scope": scope, "owners": count} for scope, count in found.items()])
    if not found:
        return say(f"{path.name} holds no settings yet.")
    show_table("", ["Scope", "#Owners"], [[s, f"{n:,}"] for s, n in found.items()])
    return say("", "--owners-of SCOPE lists them; SCOPE=OWNER shows what one holds.")


async def show_owners(path: Path, scope: str, *, after: str, limit: int, as_json: bool) -> None:
    """The owners of one scope, a page of them."""
    async with reading(path) as store:
        owners = await store.owners(scope, after=after, limit=limit)
        held = [layer async for layer in layers(store, scope, owners)]
    summaries = [summary(owner, [each for each in held if each.target.owner == owner])
                 for owner in owners]  # fmt: skip
    if as_json:
        return show_json(
            [{**each, "changed_at": instant(each["changed_at"])} for each in summaries]
        )
    if not owners:
        return say(f"Nobody has settings at the scope {scope}{' after that one' if after else ''}.")
    show_table(
        "",
        ["Owner", "Tools", "#Settings", "Last change"],
        [
            [s["owner"], ", ".join(s["tools"]), f"{s['settings']:,}", when(s["changed_at"])]
            for s in summaries
        ],
    )
    if len(owners) == limit:
        say("", f"There may be more: --after {owners[-1]}")
    return None


def summary(owner: str, held: Sequence[Layer]) -> dict[str, Any]:
    """What an owner holds, in numbers."""
    stored = [each for layer in held for each in layer.confirmed.values()]
    return {
        "owner": owner,
        "tools": [layer.target.tool for layer in held],
        "settings": sum(each.kind != "reset" for each in stored),
        "changed_at": max((each.at for each in stored), default=0.0),
    }


async def show_held(path: Path, owners: Owners, *, search: str, as_json: bool) -> None:
    """All that these owners hold, over all tools."""
    async with reading(path) as store:
        found = [
            (layer, row)
            for scope, owner in owners.items()
            async for layer in layers(store, scope, [owner])
            for row in await rows_of(store, (layer.target,))
            if row.is_set and matches(row, search)
        ]
    if as_json:
        return show_json([
            {"tool": layer.target.tool, "field": row.field, **cell_json(row.layers[0])}
            for layer, row in found
        ])  # fmt: skip
    if not found:
        return say("They hold nothing" + (" that fits the search." if search else "."))
    return show_table(
        "",
        ["Scope", "Owner", "Tool", "Setting", "Value", "Author", "When", "#Revision"],
        [
            [cell.scope, cell.owner, layer.target.tool, row.field, cell_text(cell),
             cell.author, when(cell.at), str(cell.revision)]
            for layer, row in found
            for cell in row.layers
        ],
    )  # fmt: skip


async def show_tool(path: Path, tool: str, *, limit: int, as_json: bool) -> None:
    """Who holds something of a tool."""
    found: list[Layer] = []
    async with reading(path) as store:
        for scope in await store.scopes():
            async for owners in pages(store, scope):
                rows = await store.load([Target(scope, owner, tool) for owner in owners])
                held = (layer_of(target, spec_of(tool), each) for target, each in rows.items())
                found += [layer for layer in held if layer.confirmed or layer.unreadable]
    if as_json:
        return show_json([
            {"scope": layer.target.scope, **summary(layer.target.owner, [layer])}
            for layer in found[:limit]
        ])  # fmt: skip
    if not found:
        return say(f"Nobody holds anything of {tool}.")
    show_table(
        "",
        ["Scope", "Owner", "#Settings", "Which"],
        [
            [layer.target.scope, layer.target.owner, str(len(set_in(layer))),
             ", ".join(set_in(layer))]
            for layer in found[:limit]
        ],
    )  # fmt: skip
    if len(found) > limit:
        say("", f"{len(found) - limit:,} more: --limit {len(found)}")
    return None


def set_in(layer: Layer) -> list[str]:
    """The fields that a layer says something about."""
    return sorted(name for name, each in layer.confirmed.items() if each.kind != "reset")


async def show_stack(
    path: Path,
    tool: str,
    owners: Owners,
    scopes: ScopeChain,
    *,
    muted: Sequence[str],
    only_set: bool,
    search: str,
    as_json: bool,
) -> None:
    """A tool's whole stack: a row for each setting, a column for each layer."""
    stack = scopes.stack(tool, owners)
    async with reading(path) as store:
        rows = await rows_of(store, stack, muted)
    rows = [row for row in rows if (row.is_set or not only_set) and matches(row, search)]
    if as_json:
        return show_json([row_json(row) for row in rows])
    if not rows:
        return say(f"{tool} shows nothing here{' that fits the search' if search else ''}.")
    heads = [f"{t.scope} {t.owner}{' (muted)' if t.scope in muted else ''}" for t in stack]
    return show_table(
        tool,
        ["Setting", "Default", *heads, "Effective", "From"],
        [
            [row.field, value_text(row.default), *map(cell_text, row.layers),
             Text(value_text(row.value), style="bold"), origin_text(row)]
            for row in rows
        ],
    )  # fmt: skip


async def explain(
    path: Path, tool: str, field: str, owners: Owners, scopes: ScopeChain, *, as_json: bool
) -> None:
    """One setting: its value, who says what, and what happened to it lately."""
    stack = scopes.stack(tool, owners)
    async with reading(path) as store:
        rows = await rows_of(store, stack)
        row = next((each for each in rows if field in (each.field, each.alias)), None)
        if row is None:
            known = ", ".join(each.field for each in rows) or "none"
            raise Problem(f"FIELD: {tool} has no setting {field!r} here; it has {known}", code=2)
        changes = await store.history(stack, field=row.field, limit=CHANGES)
    if as_json:
        return show_json(row_json(row) | {"changes": [change_json(each, row) for each in changes]})
    origin = "by default" if row.origin == "default" else f"from the {row.origin}"
    because = " (it is enforced there)" if row.policy else ""
    say(Text(f"{tool}.{row.field} = {words(row.value)}", style="bold"), f"{origin}{because}", "")
    show_table(
        "",
        ["Layer", "Owner", "Says", "Value", "Author", "When", "#Revision", "Note"],
        [
            *[[c.scope, c.owner, says(c), value_text(c.value, limit=2_000), c.author, when(c.at),
               str(c.revision or ""), c.note] for c in reversed(row.layers)],
            ["default", "", "wins" if row.origin == "default" else "", value_text(row.default),
             "", "", "", ""],
        ],
    )  # fmt: skip
    if changes:
        say("")
        show_table(
            "Latest changes",
            ["When", "Author", "Layer", "Owner", "What", "#Revision"],
            [[when(c.at), c.author, c.target.scope, c.target.owner, change_text(c, row),
              str(c.revision)] for c in changes],
        )  # fmt: skip
    return None


# --- reading -------------------------------------------------------------------------------------


async def pages(store: Store, scope: str) -> AsyncIterator[list[str]]:
    """All owners of a scope, some at once."""
    owners = await store.owners(scope, limit=PAGE)
    while owners:
        yield owners
        owners = await store.owners(scope, after=owners[-1], limit=PAGE)


async def count_owners(store: Store, scope: str) -> int:
    return sum([len(some) async for some in pages(store, scope)])


async def layers(store: Store, scope: str, owners: Sequence[str]) -> AsyncIterator[Layer]:
    """All layers of these owners, over all their tools."""
    targets = [
        Target(scope, owner, tool) for owner in owners for tool in await store.tools(scope, owner)
    ]
    rows = await store.load(targets)
    for target in targets:
        yield layer_of(target, spec_of(target.tool), rows[target])


async def rows_of(store: Store, stack: Stack, muted: Sequence[str] = ()) -> list[InspectedRow]:
    spec = spec_of(stack[0].tool)
    return list(inspect(await view_of(store, spec, stack), muted=muted))


def matches(row: InspectedRow, search: str) -> bool:
    """Does a name or a value of the row contain it?"""
    texts = [row.field, row.alias, row.title, words(row.value)]
    texts += [words(cell.value) for cell in row.layers]
    return not search or any(search.casefold() in text.casefold() for text in texts)


# --- saying --------------------------------------------------------------------------------------


def says(cell: LayerView) -> str:
    """What a layer does to the value, in words."""
    marks = {"wins": "wins", "shadowed": "shadowed", "blocks": "wins", "unset": ""}
    return ", ".join(filter(None, [MARKS.get(cell.kind), marks.get(cell.state, cell.state)]))


def cell_text(cell: LayerView) -> Cell:
    """What a layer says, with its mark; the winner stands out, who lost is struck."""
    if cell.state == "unset":
        return ""
    if cell.state == "unreadable":
        return Text("unreadable", style="red")
    mark = MARKS.get(cell.kind)
    value = "" if cell.value is UNSET else value_text(cell.value)
    text = " ".join(filter(None, [value, f"({mark})" if mark else ""]))
    styles = {"wins": "green", "blocks": "green", "shadowed": "dim strike", "muted": "dim"}
    return Text(text, style=styles[cell.state])


def origin_text(row: InspectedRow) -> str:
    return f"{row.origin} (policy)" if row.policy else row.origin


def change_text(change: Change, row: InspectedRow) -> str:
    """What a change made of the field, in words."""
    if change.kind == "reset":
        return "reset"
    if change.kind == "block":
        return "blocked"
    value = "a secret" if row.is_secret or change.text is None else change.text
    return f"{MARKS.get(change.kind, 'set')} to {value_text(value)}"


def row_json(row: InspectedRow) -> dict[str, Any]:
    return {
        "field": row.field,
        "name": row.alias,
        "title": row.title,
        "value": plain(row.value),
        "origin": row.origin,
        "default": plain(row.default),
        "policy": row.policy or None,
        "secret": row.is_secret,
        "layers": [cell_json(cell) for cell in row.layers],
    }


def cell_json(cell: LayerView) -> dict[str, Any]:
    return {
        "scope": cell.scope,
        "owner": cell.owner,
        "state": cell.state,
        "kind": cell.kind or None,
        "value": plain(cell.value),
        "author": cell.author or None,
        "at": instant(cell.at),
        "revision": cell.revision,
        "note": cell.note or None,
    }


def change_json(change: Change, row: InspectedRow) -> dict[str, Any]:
    return {
        "revision": change.revision,
        "scope": change.target.scope,
        "owner": change.target.owner,
        "kind": change.kind,
        "json": None if row.is_secret else change.text,
        "author": change.author or None,
        "source": change.source,
        "at": instant(change.at),
    }
