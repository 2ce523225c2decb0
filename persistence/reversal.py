"""REVERSAL: what a layer should say when an action on one of its fields is taken back. Pure.

Three sayings of the layer decide: what it said before the action (`was`), what the action made of
it (`made`), and what it says now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .changes import Patch, same
from .journal import NOTHING, agree
from .plans import Opinion
from .specs import UNSET


class Reversal(NamedTuple):
    """What to make of a field."""

    rest: Opinion | None
    """With what nobody changed since taken back; None where that is nothing."""
    everything: Opinion | None
    """With all of it taken back; None where that is nothing."""
    keys: tuple[str, ...] = ()
    """Of a merging dict: the keys that were changed since."""
    is_asked: bool = False
    """Was any of it changed since?"""


def reverse(now: Opinion, was: Opinion, made: Opinion, *, is_own: bool) -> Reversal:
    """What to make of the field. `is_own`: nobody else made it what it is now."""
    if all(_merges(each) for each in (now, was, made)) and any(
        isinstance(each.value, Patch) for each in (now, was, made)
    ):
        return _by_key(now, was, made)
    if agree(now, was):
        return Reversal(None, None)
    if agree(now, made) and is_own:
        return Reversal(was, was)
    return Reversal(None, was, is_asked=True)


def _merges(each: Opinion) -> bool:
    """Does it speak of keys? A policy and a block are about the whole field."""
    return each.kind == "reset" or (each.kind in ("set", "pin") and isinstance(each.value, Patch))


def _by_key(now: Opinion, was: Opinion, made: Opinion) -> Reversal:
    """Only keys that the action changed go back; the others are somebody else's, or older."""
    patches = [_patch(each) for each in (now, was, made)]
    current, before, after = patches
    names = {name for patch in patches for name in (*patch.set, *patch.remove)}
    touched = {n for n in names if not _says_same(before, after, n)}
    open_ = {n for n in touched if not _says_same(current, before, n)}
    free = {n for n in open_ if _says_same(current, after, n)}
    asked = tuple(sorted(open_ - free))
    rest, everything = (_taken_back(now, was, made, keys) for keys in (free, open_))
    return Reversal(rest, everything, asked, bool(asked))


def _taken_back(now: Opinion, was: Opinion, made: Opinion, keys: set[str]) -> Opinion | None:
    """These keys as they were, the kind too if it stands as it was made; None for no change."""
    kind_too = now.kind == made.kind
    if not keys and not (kind_too and was.kind != made.kind):
        return None
    before = _patch(was)
    patch = _with_keys(_patch(now), before, keys)
    kind = was.kind if kind_too else now.kind
    if patch:
        back = Opinion("set" if kind == "reset" else kind, patch)
    else:  # a layer that says nothing of any key says nothing, unless it was set to that
        back = was if not before else NOTHING
    return None if agree(back, now) else back


def _patch(each: Opinion) -> Patch:
    return each.value if isinstance(each.value, Patch) else Patch()


def _says_same(one: Patch, other: Patch, key: str) -> bool:
    return (key in one.remove) == (key in other.remove) and same(
        one.set.get(key, UNSET), other.set.get(key, UNSET)
    )


def _with_keys(patch: Patch, source: Patch, keys: Iterable[str]) -> Patch:
    """The patch, saying of these keys what the source says."""
    chosen = frozenset(keys)
    kept = {key: value for key, value in patch.set.items() if key not in chosen}
    taken = {key: value for key, value in source.set.items() if key in chosen}
    return Patch({**kept, **taken}, (patch.remove - chosen) | (source.remove & chosen))
