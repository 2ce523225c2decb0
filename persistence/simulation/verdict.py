"""Did a schedule come out right? The journal against what the tabs made and heard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..operations import Operation, Outcome
from ..scopes import Target
from ..store.base import Change, Layers

Key = tuple[Target, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known when all has been mended and settled."""

    made: Mapping[str, Operation]
    """Operations by id, as they were sent last."""
    authors: Mapping[str, str]
    """Client → its user."""
    heard: Mapping[str, Outcome]
    done: Mapping[str, int]
    """Operation → the revision that the store has for it."""
    journal: Mapping[int, Change]
    stored: Layers
    defaults: Mapping[tuple[str, str], Any]
    """The default of each tool's field."""
    contested: Sequence[Change] = ()
    """What the history has of edits that met somebody else's."""

    def author(self, made: Operation) -> str:
        return self.authors[made.client]


def faults_of(evidence: Evidence) -> list[str]:
    """What is wrong, in words; empty if all is well."""
    return [
        *_unanswered(evidence),
        *_misplaced(evidence),
        *_unexplained(evidence),
        *_not_standing(evidence),
        *_lost(evidence),
        *_overtaken(evidence),
        *_unasked(evidence),
        *_asked_of_oneself(evidence),
        *_forgotten_losers(evidence),
    ]


def _unanswered(known: Evidence) -> list[str]:
    return [f"{made} was lost: nobody said what became of it"
            for made in _last_words(known) if made.id not in known.heard]  # fmt: skip


def _misplaced(known: Evidence) -> list[str]:
    """Operations whose row isn't theirs."""
    faults: list[str] = []
    for name, revision in known.done.items():
        made, row = known.made[name], known.journal.get(revision)
        if row is None:
            faults.append(f"{made} is done, but its row {revision} is missing")
        elif _key(row) != _key(made) or row.author != known.author(made):
            faults.append(f"{made} was misplaced: it made {row}")
    return faults


def _unexplained(known: Evidence) -> list[str]:
    """Rows that no operation made, or that say what none of theirs says."""
    behind: dict[int, list[Operation]] = {}
    for name, revision in known.done.items():
        behind.setdefault(revision, []).append(known.made[name])
    faults: list[str] = []
    for revision, row in known.journal.items():
        if revision not in behind:
            faults.append(f"doubled or invented: nobody made {row}")
        elif not any(says(row, each) for each in behind[revision]):
            faults.append(f"{row} isn't what its operations say: {behind[revision]}")
    return faults


def _not_standing(known: Evidence) -> list[str]:
    """Overrides that aren't their newest journal row."""
    faults: list[str] = []
    for (target, field), row in _newest(known).items():
        held = known.stored[target].get(field)
        if held is None or (held.revision, held.kind) != (row.revision, row.kind):
            faults.append(f"{target} {field} holds {held}, but its newest row is {row}")
    return faults


def _lost(known: Evidence) -> list[str]:
    """A client's last word on a field that was confirmed, and that nothing in the store says."""
    return [
        f"{made} was confirmed and lost"
        for made in _last_words(known)
        if (answer := known.heard.get(made.id)) is not None
        and answer.status == "confirmed"
        and made.id not in known.done
        and not _was_so(known, made)
    ]


def _overtaken(known: Evidence) -> list[str]:
    """Older edits of a client that came late and were written over newer ones of its own."""
    faults: list[str] = []
    done = sorted(
        ((r, known.made[n]) for n, r in known.done.items()), key=lambda pair: (pair[0], pair[1].seq)
    )
    newest: dict[tuple[str, Target, str], Operation] = {}
    for _, made in done:
        key = (made.client, *_key(made))
        newer = newest.setdefault(key, made)
        if made.seq < newer.seq:
            faults.append(f"{made} came late, and was written over {newer}")
        else:
            newest[key] = made
    return faults


def _was_so(known: Evidence, made: Operation) -> bool:
    """Did the field say that anyway, or inherit it? Then nothing is written for it."""
    if made.kind == "reset" or isinstance(made.value, dict):
        return True
    if made.value == known.defaults[made.target.tool, made.field]:
        return True
    alike = (made.target.tool, made.field)
    rows = [row for row in known.journal.values() if (row.target.tool, row.field) == alike]
    return any(says(row, made) for row in rows) or _was_taken_back(known, made)


def _was_taken_back(known: Evidence, made: Operation) -> bool:
    """Did its author edit the field in another tab, too, before it was due to be written?"""
    return any(
        other.client != made.client
        and _key(other) == _key(made)
        and known.author(other) == known.author(made)
        for other in known.made.values()
    )


def _unasked(known: Evidence) -> list[str]:
    """Edits that were written over somebody else's which their author had seen in no tab."""
    faults: list[str] = []
    for name, revision in known.done.items():
        made, row = known.made[name], known.journal.get(revision)
        over = _before(known, row)
        if row is None or over is None or isinstance(made.value, dict):
            continue  # keys merge
        seen = _seen(known, made, revision)
        is_unseen = over.revision > seen and over.author != row.author
        stood = [known.journal.get(each) for each in (seen, made.base)]  # and may stand again
        if is_unseen and not any(_agree(over, each) for each in (row, *stood)):
            faults.append(f"{made} was written over {over} unasked")
    return faults


def _before(known: Evidence, row: Change | None) -> Change | None:
    """The row that stood until this one came."""
    if row is None:
        return None
    older = [r for r, each in known.journal.items() if _key(each) == _key(row) and r < row.revision]
    return known.journal[max(older)] if older else None


def _seen(known: Evidence, made: Operation, upto: int) -> int:
    """The newest revision of the field that the author's edits up to there were made on."""
    author, key = known.author(made), _key(made)
    mine = (known.made[name] for name, revision in known.done.items() if revision <= upto)
    return max(each.base for each in mine if _key(each) == key and known.author(each) == author)


def _asked_of_oneself(known: Evidence) -> list[str]:
    faults: list[str] = []
    for name, answer in known.heard.items():
        made = known.made[name]
        others = {row.author for row in known.journal.values() if _key(row) == _key(made)}
        if answer.status == "conflict" and others <= {known.author(made)}:
            faults.append(f"{made} was in conflict with oneself")
    return faults


def _has_later(known: Evidence, made: Operation) -> bool:
    """Did its author edit the field again before it was due to be written? They fold."""
    return _was_taken_back(known, made) or all(made.id != e.id for e in _last_words(known))


def _has_lost(known: Evidence, made: Operation) -> bool:
    """Is an edit of its author in the history that lost? Of folded edits the last one is."""
    author, key = known.author(made), _key(made)
    return any(_key(row) == key and row.author == author for row in known.contested)


def _forgotten_losers(known: Evidence) -> list[str]:
    """Edits in conflict that aren't in the history, or oftener than they were made."""
    left = list(known.contested)
    asked = [answer for answer in known.heard.values() if answer.status == "conflict"]
    faults: list[str] = []
    # Of a client's edits that were folded, the last one's row stands for all.
    for answer in sorted(asked, key=lambda answer: -known.made[answer.id].seq):
        made = known.made[answer.id]
        found = [
            row
            for row in left
            if _key(row) == _key(made) and row.author == known.author(made) and says(row, made)
        ]
        if found:
            left.remove(found[0])
        elif not (_has_later(known, made) and _has_lost(known, made)):
            faults.append(f"{made} was in conflict, and the history has nothing of it")
    others = [each for each in known.made.values() if known.heard.get(each.id) not in asked]
    for row in left:
        by = [each for each in others if _key(each) == _key(row) and says(row, each)]
        if by:
            others.remove(by[0])  # decided otherwise when it came again
        else:
            faults += [f"nobody made, or not so often: {row}"]
    return faults


# --- helpers -------------------------------------------------------------------------------------


def says(row: Change, made: Operation) -> bool:
    """Is that what the operation asked for? A dict's row holds all keys of its layer."""
    if row.text is None:
        return row.kind == made.kind
    if made.kind != "set":
        return False
    return isinstance(made.value, dict) or bool(json.loads(row.text) == made.value)


def _agree(one: Change, other: Change | None) -> bool:
    """Do they say the same? No row says what a reset says."""
    return (one.kind, one.text) == ((other.kind, other.text) if other else ("reset", None))


def _key(of: Change | Operation) -> Key:
    return of.target, of.field


def _newest(known: Evidence) -> dict[Key, Change]:
    return {_key(row): row for _, row in sorted(known.journal.items())}


def _last_words(known: Evidence) -> list[Operation]:
    """Each client's newest operation of each field: older ones are folded into it."""
    last: dict[tuple[str, Target, str], Operation] = {}
    for made in known.made.values():
        key = (made.client, *_key(made))
        if key not in last or made.seq > last[key].seq:
            last[key] = made
    return list(last.values())
