"""After the worst: is everything there that the client was told of, once, and where it belongs?"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from persistence import Engine, Operation
from persistence.http import submit_durably
from persistence.store.sqlite import SQLiteStore
from tests.faults.tally import Tally
from tests.faults.workload import Work, batches, confirmed, edits_of

Key = tuple[str, str, str, str]


def judge(work: Work, tally: Tally, where: str, *, told: set[str] | None = None) -> None:
    """What the file holds against what the client was told (`told`, else its marks)."""
    told = confirmed(Path(work.marks)) if told is None else told
    made = {each.id: each for each in edits_of(work.seed, work.edits)}
    judge_file(work.path, made, told, tally, where)


def _health(connection: sqlite3.Connection) -> list[str]:
    """["ok"], or what is wrong: so much perhaps that nothing can be checked."""
    try:
        return [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        return [str(error)]


def judge_file(
    path: Path, made: Mapping[str, Operation], told: set[str], tally: Tally, where: str
) -> None:
    """`made` are operations by id; each field is one client's, who numbers them."""
    with closing(sqlite3.connect(path)) as connection:
        health = _health(connection)
        if health != ["ok"]:
            tally.fault(f"{where}: damaged: {health}")
            return
        if not connection.execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'persistence_operation'"
        ).fetchone():
            for name in sorted(told):
                tally.lose(f"{where}: {name}, with all tables")
            return
        done: dict[str, int] = dict(
            connection.execute("SELECT id, revision FROM persistence_operation").fetchall()
        )
        clients = {(each.target.owner, each.field) for each in made.values()}
        rows = [
            row
            for row in connection.execute(
                "SELECT revision, owner, scope, tool, field, kind, text FROM persistence_change "
                "ORDER BY revision"
            )
            if (row[1], row[4]) in clients
        ]
        standing = {
            tuple(row[:4]): (row[4], row[5])
            for row in connection.execute(
                "SELECT owner, scope, tool, field, revision, kind FROM persistence_override"
            )
        }
    last_done: dict[tuple[object, str], int] = defaultdict(int)
    for each in (made[name] for name in done if name in made):
        at = (each.target, each.field)
        last_done[at] = max(last_done[at], each.seq)
    for each in (made[name] for name in sorted(told - done.keys())):
        if last_done[each.target, each.field] < each.seq:  # else a newer one of the field stands
            tally.lose(f"{where}: {each.id} was confirmed")
    makers: dict[int, Operation] = {}
    for name, revision in done.items():
        if (each := made.get(name)) is None:
            continue  # an edit that folded others
        if revision not in makers or makers[revision].seq < each.seq:
            makers[revision] = each
    newest: dict[Key, tuple[int, str]] = {}
    last: dict[Key, int] = defaultdict(int)
    for revision, owner, scope, tool, field, kind, text in rows:
        key = (owner, scope, tool, field)
        newest[key] = (revision, kind)
        maker = makers.get(revision)
        if maker is None:
            tally.double(f"{where}: nobody made row {revision} of {key}")
            continue
        at = (maker.target.owner, maker.target.scope, maker.target.tool, maker.field)
        if at != key:
            tally.misplace(f"{where}: {maker.id} made row {revision} of {key}")
        elif (kind, json.loads(text) if text else None) != (maker.kind, maker.value):
            tally.fault(f"{where}: row {revision} isn't what {maker.id} says")
        if maker.seq <= last[key]:
            tally.double(f"{where}: {maker.id} stands behind a newer one of {key}")
        last[key] = max(last[key], maker.seq)
    for key, row in newest.items():
        if standing.get(key) != row:
            tally.fault(f"{where}: {key} holds {standing.get(key)}, its newest row is {row}")


async def send_again(work: Work, tally: Tally, where: str) -> None:
    """The client comes back with what it wasn't told of. Then all of it is there, once."""
    told = confirmed(Path(work.marks))
    made = edits_of(work.seed, work.edits)
    store = SQLiteStore(work.path, threaded=False)
    async with Engine(store, scopes=("user", "shot")) as engine:
        for batch in batches([each for each in made if each.id not in told]):
            for outcome in await submit_durably(engine, batch, "ann"):
                if outcome.status != "confirmed":
                    tally.fault(f"{where}: sent again, it was answered {outcome}")
        wrong = [each for each in await store.check() if each.level == "error"]
        for each in wrong:
            tally.fault(f"{where}: doctor finds {each.what}")
    everything = {each.id for each in made}
    judge(work, tally, f"{where}, all sent again", told=everything)


def judge_all(work: Work, tally: Tally, where: str) -> None:
    judge(work, tally, where)
    asyncio.run(send_again(work, tally, where))
