"""What a field of a layer may say after some operations at once: the model, without an engine.

Operations that are under way together may take effect in any order. An answer is right if there is
an order in which each operation, one after the other, gets its answer by these rules, and the
field says in the end what the last of them left.

- One that was done before changes nothing. Who was asked about it is asked again, or not.
- So does one of a client that has sent a later one in the same field; keys merge instead, unless
  the later one took them all away.
- Nobody conflicts with himself, nor with what he saw when he made the edit.
- What somebody else wrote since is written over only where it says what it said before.
- Saying what the field says, or has said since it was looked at, changes nothing. Nor do several
  edits of one person that are folded and together say that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, NamedTuple

from persistence import Operation

Content = tuple[str, Any] | None
"""Kind and value; None where nothing is said."""


class Said(NamedTuple):
    """What a field of a layer said from a revision on."""

    revision: int
    content: Content
    author: str


BEFORE = Said(0, None, "")
"""Nothing was said yet."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An operation that is under way, and who sent it."""

    operation: Operation
    actor: str
    was_done: bool = False
    """The store has its id: this is a replay."""
    was_confirmed: bool = False
    """It was answered so before, maybe because it changed nothing: then the store has no id."""
    was_asked: bool = False
    """It met somebody else's before: that is decided by another operation."""


@dataclass(slots=True)
class Field:
    """One field of one layer: all that it ever said."""

    default: Any
    merges: bool = False
    inherits_nothing: bool = False
    """An edit that says the default says nothing."""
    past: list[Said] = field(default_factory=list[Said])
    newest: dict[str, int] = field(default_factory=dict[str, int])
    """Client → its newest operation."""
    cleared: dict[str, int] = field(default_factory=dict[str, int])
    """Client → its newest reset or block."""

    def note(self, made: Operation) -> None:
        """It was sent."""
        memories = [self.newest]
        if made.kind in ("reset", "block"):
            memories.append(self.cleared)
        for memory in memories:
            memory[made.client] = max(made.seq, memory.get(made.client, -1))

    @property
    def now(self) -> Said:
        return self.past[-1] if self.past else BEFORE

    def explains(self, sent: Sequence[Sent], statuses: Mapping[str, str], content: Content) -> bool:
        """Is there an order in which each gets its answer, and this is left?"""
        for order in permutations(sent):
            for left in _left(self, list(order), statuses, ""):
                if left.now.content == content:
                    return True
        return False


def _left(
    at: Field, order: list[Sent], statuses: Mapping[str, str], actor: str, is_asked: bool = False
) -> Iterator[Field]:
    """The states that are left where each operation got its answer in this order. Edits of one
    person (`actor`) are folded before they are written, and who is asked about one is asked about
    those that are folded with it."""
    if not order:
        yield at
        return
    first, rest = order[0], order[1:]
    for length in range(2, len(order) + 1):
        folded = order[:length]
        answers = {statuses[each.operation.id] for each in folded}
        if folded[-1].actor != first.actor or answers != {"confirmed"}:
            break
        if _cancels(at, folded):
            yield from _left(at, order[length:], statuses, first.actor)
    if first.actor != actor:
        is_asked = False
    ways = list(_ways(at, first))
    if is_asked or _is_asked_with_next(first, rest, statuses):
        ways.append(("conflict", at.now.content))
    if rest and _replaces(rest[0], first):
        ways.append(("confirmed", at.now.content))
    for status, content in ways:
        if status == statuses[first.operation.id]:
            after = _after(at, first, content)
            yield from _left(after, rest, statuses, first.actor, is_asked or status == "conflict")


def _cancels(at: Field, folded: Sequence[Sent]) -> bool:
    """Do these edits together say what the process knew before? It may know an older state, but
    none that is older than what a page showed that one of them was made on."""
    shown = max(each.operation.base for each in folded)
    return any(
        _is_back(at, content, said.content)
        for said in _since(at, shown)
        for content in _folded(at, folded, said.content)
    )


def _folded(at: Field, folded: Sequence[Sent], content: Content) -> Iterator[Content]:
    """What the field may say after these. One that changed nothing before left no trace: where it
    comes again it counts or not."""
    if not folded:
        yield content
        return
    first, rest = folded[0], folded[1:]
    if first.was_done or first.was_confirmed:
        yield from _folded(at, rest, content)
    if not first.was_done:
        yield from _folded(at, rest, _wanted(at, first.operation, content))


def _replaces(later: Sent, earlier: Sent) -> bool:
    """Is it an edit of the same person, made on something newer, that leaves nothing of the earlier
    one? Folded, they are one edit that was made on that."""
    is_newer = later.operation.base > earlier.operation.base
    return later.actor == earlier.actor and later.operation.kind != "keys" and is_newer


def _is_asked_with_next(first: Sent, rest: Sequence[Sent], statuses: Mapping[str, str]) -> bool:
    """Keys on top of one's own reset or block are one edit with it, and asked about as one."""
    if not rest or first.operation.kind not in ("reset", "block"):
        return False
    following = rest[0]
    is_keys = following.actor == first.actor and following.operation.kind == "keys"
    return is_keys and statuses[following.operation.id] == "conflict"


def _after(at: Field, sent: Sent, content: Content) -> Field:
    if content == at.now.content:
        return at
    said = Said(at.now.revision + 1, content, sent.actor)
    return replace(at, past=[*at.past, said])


def _ways(at: Field, sent: Sent) -> Iterator[tuple[str, Content]]:
    """The answers that are right, each with what the field then says."""
    made, now = sent.operation, at.now
    if sent.was_asked:
        yield "conflict", now.content
    if sent.was_done:
        yield "confirmed", now.content
        return
    later = at.cleared if made.kind == "keys" else at.newest
    is_overtaken = later.get(made.client, -1) > made.seq
    if is_overtaken or sent.was_confirmed:
        yield "confirmed", now.content
    wanted = _wanted(at, made, now.content)
    since = _since(at, made.base)
    if any(_is_back(at, _wanted(at, made, s.content), s.content) for s in since):
        yield "confirmed", now.content
    is_theirs = now.revision > made.base and now.author != sent.actor
    seen = _seen(at, sent)
    harmless = _agree(wanted, now.content) or any(_agree(each, now.content) for each in seen)
    if made.kind == "keys" or not is_theirs or harmless:
        yield "confirmed", wanted
    if made.kind != "keys" and any(_is_in_the_way(said, sent, wanted) for said in since):
        yield "conflict", now.content


def _is_in_the_way(said: Said, sent: Sent, wanted: Content) -> bool:
    """Is that what a process may hold against the edit? It may know an older state alone."""
    is_newer = said.revision > sent.operation.base and said.author != sent.actor
    return is_newer and not _agree(wanted, said.content)


def _wanted(at: Field, made: Operation, now: Content) -> Content:
    """What the field says after the operation alone."""
    if made.kind == "reset":
        return None
    if made.kind == "block":
        return "block", None
    if not at.merges:
        return made.kind, made.value
    held: dict[str, Any] = now[1] if now is not None and now[0] != "block" else {}
    set_, removed = dict(held.get("set", {})), set(held.get("remove", ()))
    change: dict[str, Any] = made.value
    for key in change.get("remove", ()):
        set_.pop(key, None)
        removed.add(key)
    for key, value in change.get("set", {}).items():
        set_[key] = value
        removed.discard(key)
    return "set", {"set": set_, "remove": sorted(removed)}


def _seen(at: Field, sent: Sent) -> list[Content]:
    """What the field said when the operation was made; and, since its author knows that, too, what
    they made of it elsewhere."""
    known = sent.operation.base
    before = [said.content for said in (BEFORE, *at.past) if said.revision <= known]
    own = [s.content for s in at.past if s.revision > known and s.author == sent.actor]
    return [before[-1], *own]


def _agree(one: Content, other: Content) -> bool:
    """A pin says what a value says, for who asks whether anything changed."""
    if one is None or other is None:
        return one is other
    kinds = {one[0], other[0]}
    return one[1] == other[1] and (len(kinds) == 1 or kinds == {"set", "pin"})


def _since(at: Field, revision: int) -> list[Said]:
    """What the field said at that revision and later."""
    return [said for said in (BEFORE, *at.past) if said.revision >= revision] or [BEFORE]


def _is_back(at: Field, wanted: Content, now: Content) -> bool:
    """Does that say what the field says, or what is inherited anyway?"""
    if _agree(wanted, now):
        return True
    if now is not None or not at.inherits_nothing or wanted is None or wanted[0] != "set":
        return False
    if not at.merges:
        return bool(wanted[1] == at.default)
    kept = {k: v for k, v in at.default.items() if k not in wanted[1]["remove"]}
    return {**kept, **wanted[1]["set"]} == at.default
