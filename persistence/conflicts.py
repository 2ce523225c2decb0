"""CONFLICT: an edit that met somebody else's: both sides as data, and the loser in the history.

- What stood when the edit was made is asked of the journal, by the revision that it was made on.
- The edit goes into the history at once, whoever wins in the end: what was typed can be found there
  though the page, the browser and the server are gone.
- If what was seen stands again, there is nothing to ask about.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .changes import Override, Patch, same
from .codec import encode
from .errors import StoreError, StoreUnavailable
from .layers import Layer
from .loads import read_rows
from .pending import Dirty
from .specs import UNSET, SettingSpec
from .store.base import CONFLICT, Change, Kind, Row, Write

if TYPE_CHECKING:
    from .engine import Engine

NOTHING = Override("reset", None)
"""What stands where nothing was ever written."""
LARGEST = 1 << 40
"""Bytes: what is stored already is told, whatever its size."""

log = logging.getLogger("persistence")


@dataclass(frozen=True, slots=True)
class Side:
    """What stands in a field on one side of a conflict."""

    value: Any
    """Plain JSON, of a dict that merges all of its keys; None without a value, and for a secret."""
    kind: Kind
    by: str
    """The author's id; "" where nobody is known."""
    at: float
    """Seconds since the epoch; 0 where nothing was ever written."""
    revision: int
    secret: bool = False

    def as_json(self) -> dict[str, Any]:
        told = {
            "value": self.value,
            "kind": self.kind,
            "by": self.by,
            "at": self.at,
            "revision": self.revision,
        }
        return told | {"secret": True} if self.secret else told


def side_of(layer: Layer, spec: SettingSpec, held: Override) -> Side:
    """A saying of a layer, as it may be told to a page."""
    value: Any = None
    if held.holds and not spec.secret:
        whole: Any = held.value
        if isinstance(whole, Patch):
            whole = whole.apply(_below(layer, spec))
        adapter = None if spec.is_native else spec.adapter
        value = json.loads(encode(whole, field=spec.name, adapter=adapter, limit=LARGEST))
    return Side(value, held.kind, held.author, held.at, held.revision, spec.secret)


def _below(layer: Layer, spec: SettingSpec) -> Mapping[str, Any]:
    for view, index in layer.views:
        return view.below(spec.name, index)
    return spec.default()


def agrees(one: Override | None, other: Override) -> bool:
    """Do both say the same?"""
    return one is not None and one.kind == other.kind and same(one.value, other.value)


def merged(base: Override | None, edit: Dirty, theirs: Override) -> Any:
    """The edit's value where nobody else's choice is in its way, theirs where the edit chose
    nothing; else UNSET. `base` is what it was made on, as far as that is known: a block and a reset
    hold no value, and yet they are choices."""
    mine, other = edit.as_override(), theirs
    stood = base or (Override("reset", None) if edit.base == 0 else None)
    if _say_the_same(mine, other) or (stood is not None and _say_the_same(stood, other)):
        return mine.value
    if stood is not None and mine.kind == stood.kind == other.kind and _say_the_same(mine, stood):
        return other.value
    return UNSET


def _say_the_same(one: Override, other: Override) -> bool:
    """Do both say the same? A pin says what its value says."""
    if one.holds and other.holds:
        return same(one.value, other.value)
    return one.kind == other.kind


async def base_of(
    engine: Engine, layer: Layer, spec: SettingSpec, revision: int
) -> Override | None:
    """What stood in a field at a revision; None where the history doesn't know any more.

    Raises StoreUnavailable.
    """
    held = layer.confirmed.get(spec.name)
    if revision <= 0:
        return NOTHING
    if held is not None and held.revision == revision:
        return held
    point = (layer.target, spec.name, revision + 1)
    stood = (await engine.store.standing([point]))[point]
    if stood is not None and stood.revision == revision:
        return _read(layer, spec, stood)
    if revision <= await engine.store.pruned():
        return None
    return NOTHING if stood is None else _read(layer, spec, stood)


def _read(layer: Layer, spec: SettingSpec, stood: Change) -> Override | None:
    if spec.secret:
        return Override(stood.kind, None, stood.revision, stood.author, stood.at)
    row = Row(
        stood.kind, stood.text, stood.revision, stood.author, stood.at, stood.version, stood.note
    )
    found, unreadable = read_rows(layer.spec, {spec.name: row}, _never)
    return None if spec.name in unreadable else found.get(spec.name)


def _never(text: str) -> str:
    raise ValueError(f"a journal holds no secrets to decrypt ({len(text)} characters)")


def changed_by(theirs: Override) -> str:
    """What is wrong, in words for a user."""
    return f"was changed by {theirs.author or 'somebody else'} meanwhile"


def lost(write: Write) -> Write:
    """A write as it stands in the history when it has met somebody else's."""
    group = f"{CONFLICT}:{write.group}"
    return write._replace(source=CONFLICT, group=group, text=None if write.secret else write.text)


async def keep(engine: Engine, writes: Sequence[Write]) -> None:
    """Put edits that met somebody else's into the history; where the store is away, once it is
    back."""
    if not writes:
        return
    try:
        await engine.store.contest(writes)
    except StoreUnavailable:
        engine.spawn(_keep_later(engine, writes))
    except StoreError as error:
        log.error("an edit in conflict isn't in the history: %s", error)  # noqa: TRY400


async def _keep_later(engine: Engine, writes: Sequence[Write]) -> None:
    tries = 0
    while True:
        await asyncio.sleep(engine.retry.wait(tries, engine.random))
        tries += 1
        try:
            return await engine.store.contest(writes)
        except StoreUnavailable:
            continue
