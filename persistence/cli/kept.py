"""`quarantine`: what nobody could read, as it was when an edit took its place."""

from __future__ import annotations

from pathlib import Path

from ..store.base import Quarantined
from ..store.sqlite import SQLiteStore
from .database import reading
from .looks import pages
from .output import instant, say, show_json, show_table, when

SHOWN = 60
"""Characters of a text in the table; all of it in JSON."""

CIPHERTEXT = "gAAAA"
"""What a Fernet token begins with; no JSON does."""


async def show_quarantine(path: Path, *, remove: bool, as_json: bool) -> None:
    """All of it, newest first within an owner; with `remove` it goes after it was shown."""
    async with reading(path) as store:
        found = [
            kept
            for scope in await store.scopes()
            async for owners in pages(store, scope)
            for owner in owners
            for kept in await store.quarantined(scope, owner)
        ]
    if as_json:
        show_json([as_object(each) for each in found])
    elif not found:
        say("Nothing is in quarantine.")
    else:
        show_table(
            "In quarantine",
            ["Scope", "Owner", "Setting", "What stood there", "Why", "Author", "When"],
            [
                [e.target.scope, e.target.owner, f"{e.target.tool}.{e.field}", shortened(e.text),
                 e.problem, e.author, when(e.at)]
                for e in found
            ],
        )  # fmt: skip
    if remove and found:
        await remove_all(path, found)


async def remove_all(path: Path, found: list[Quarantined]) -> None:
    store = SQLiteStore(path)
    await store.open()
    try:
        for each in found:
            await store.remove_quarantined(each.target, each.field, each.revision)
    finally:
        await store.close()


def as_object(kept: Quarantined) -> dict[str, object]:
    return {
        "scope": kept.target.scope,
        "owner": kept.target.owner,
        "tool": kept.target.tool,
        "field": kept.field,
        "revision": kept.revision,
        "kind": kept.kind,
        "text": printable(kept.text),
        "author": kept.author,
        "at": instant(kept.at),
        "version": kept.version,
        "problem": kept.problem,
    }


def printable(text: str | None) -> str | None:
    """Bytes that are no text any more as `\\udcff`, so that nothing of them is lost; of a secret
    not even its ciphertext."""
    if text is None or text.startswith(CIPHERTEXT):
        return None
    return text.encode(errors="backslashreplace").decode()


def shortened(text: str | None) -> str:
    shown = printable(text) or ("" if text is None else "a secret")
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
