"""A real server is told to end while several clients edit.

Ended plainly; told twice, by a second SIGTERM or Ctrl-C; and while another program holds the
database, so that nothing can be saved.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from tests.faults.aftermath import judge_file
from tests.faults.servers import TOOL, Page, Sender, Served
from tests.faults.tally import Experiment, Tally

IN_TIME = 10.0
"""Seconds until the process is gone; supervisors wait ten at least."""
IN_TIME_LOCKED = 25.0
"""The same where nothing can be saved: it tries for a while."""
WAYS = ("ended", "told twice", "ended", "interrupted twice", "ended, locked")


def run(count: int, seed: int, folder: Path, *, eager: bool = False) -> Tally:
    tally = Tally()
    for number in range(seed, seed + count):
        place = folder / str(number)
        place.mkdir()
        end_one(tally, place, number, WAYS[number % len(WAYS)], eager=eager)
        shutil.rmtree(place)
    return tally


def end_one(tally: Tally, folder: Path, number: int, way: str, *, eager: bool) -> None:
    random, where = Random(number), f"{way} ({number})"
    with Served(folder) as server:
        senders = [Sender(each, server.port, eager=eager) for each in range(3)]
        page = Page(1, server.port)
        for each in (*senders, page):
            each.start()
        page.is_ready.wait(20)
        until(lambda: all(each.told for each in senders) and page.shown > 1)
        time.sleep(random.uniform(0, 0.4))
        with closing(sqlite3.connect(server.database, isolation_level=None)) as other:
            is_locked = way.endswith("locked")
            if is_locked:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(random.uniform(0, 0.4))
            shown = page.shown
            seconds = _end(server, way, tally, where, IN_TIME_LOCKED if is_locked else IN_TIME)
        for each in (*senders, page):
            each.is_ending = True
        for each in senders:
            each.join(20)
        tally.happened[way] += 1
        tally.happened["slowest, in ms"] = max(
            tally.happened["slowest, in ms"], round(seconds * 1000)
        )
        if is_locked and "unsaved" not in server.log and "not everything" not in server.log:
            tally.fault(f"{where}: the log doesn't say what wasn't saved:\n{server.log[-500:]}")
    made = {name: one for each in senders for name, one in each.made.items()}
    told = {name for each in senders for name in each.told}
    tally.happened["confirmed"] += len(told)
    judge_file(server.database, made, told, tally, where)
    if not is_locked and (held := count_in(server.database, page.shot)) < shown:
        tally.lose(f"{where}: the page showed {shown} clicks, {held} are saved")
    tally.count += 1


def _end(server: Served, way: str, tally: Tally, where: str, in_time: float) -> float:
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    if "twice" in way:
        time.sleep(0.1)
        server.signal(signal.SIGTERM if way == "told twice" else signal.SIGINT)
    try:
        code = server.wait(in_time)
    except subprocess.TimeoutExpired:
        tally.fault(f"{where}: still there after {in_time} s:\n{server.log[-1_000:]}")
        return in_time
    if code not in (0, -signal.SIGTERM, -signal.SIGINT):
        tally.fault(f"{where}: exit code {code}:\n{server.log[-1_000:]}")
    return time.monotonic() - began


def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "the clients got no answers"
        time.sleep(0.01)


def count_in(path: Path, shot: str) -> int:
    """What the page's counter is in the database."""
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(
            "SELECT c.text FROM persistence_override o JOIN persistence_change c "
            "ON c.revision = o.revision WHERE o.tool = ? AND o.owner = ? AND o.field = 'count'",
            (TOOL, shot),
        ).fetchone()
    return int(row[0]) if row else 0


def control(seed: int, folder: Path) -> Tally:
    """With clients that take what they sent for confirmed."""
    return run(1, seed, folder, eager=True)


EXPERIMENTS = [
    Experiment(
        "sigterm",
        "a real server is told to end while clients edit",
        "ends",
        "100 of 100: nothing confirmed or shown is lost, exit in time",
        run,
        control,
        short=2,
        full=100,
        portion=10,
        slow=True,
    )
]
