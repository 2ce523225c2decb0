"""Power cuts: what a traced run has written, cut anywhere, without part of what wasn't synced.

Three kinds of runs by turns: one that nothing disturbs; one in which a sync fails; one that is
killed, after which a second process takes over the file, its recovery and the client's edits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Literal, get_args

from tests.faults.aftermath import judge, judge_all
from tests.faults.disk import CALLS, OPTIONS, Disk, Step, read_trace
from tests.faults.kills import clear, traced
from tests.faults.tally import Experiment, Tally, without_programs
from tests.faults.workload import Work, confirmed

Run = Literal["quiet", "sync fails", "killed and taken over"]
RUNS: tuple[Run, ...] = get_args(Run)
IMAGES = 20
"""Of one run, where few are wanted in all."""
MANY = 200
AGAIN = 25
"""To one image in so many the client comes back."""


def run(
    count: int, seed: int, folder: Path, kinds: Sequence[Run] = RUNS, **options: object
) -> Tally:
    tally = Tally()
    size = MANY if count >= MANY else IMAGES
    for begin in range(seed, seed + count, size):
        number = begin // size
        work = _work(folder, number, **options)
        steps = list(trace_of(work, kinds[number % len(kinds)], Random(number)))
        tally.happened["runs"] += 1
        images(tally, work, steps, number, min(size, seed + count - begin))
    return tally


def _work(folder: Path, seed: int, **options: object) -> Work:
    traced_in = folder / "traced"
    traced_in.mkdir(exist_ok=True)
    clear(traced_in)
    return Work(str(traced_in / "app.db"), str(traced_in / "marks"), 40, seed, **options)  # type: ignore[arg-type]


def trace_of(work: Work, kind: Run, random: Random) -> Iterator[Step]:
    """Everything that is written, by one process or by two in turn."""
    if kind == "quiet":
        yield from _traced(work)
    elif kind == "sync fails":
        yield from _disturbed(work, "error=EIO", random.randint(6, 24))
    else:
        yield from _disturbed(work, "signal=KILL", random.randint(8, 14))
        yield from _traced(work)


def _disturbed(work: Work, how: str, when: int) -> list[Step]:
    """At that sync; at an earlier one where a slow machine saves more at once."""
    while when:
        steps = _traced(work, f"fdatasync:{how}:when={when}")
        text = _trace(work).read_text()
        if "INJECTED" in text or "SIGKILL" in text:
            return steps
        clear(work.path.parent)
        when //= 2
    raise AssertionError("nothing was synced")


def _traced(work: Work, inject: str = "") -> list[Step]:
    folder, trace = work.path.parent, _trace(work)
    traced(
        work, trace, inject=inject, calls=CALLS, options=OPTIONS, others=[work.marks, str(folder)]
    )
    return list(read_trace(trace.read_text(), folder, Path(work.marks).name))


def _trace(work: Work) -> Path:
    return work.path.parent.parent / "trace"


def images(tally: Tally, work: Work, steps: list[Step], seed: int, count: int) -> None:
    """Cut the run at that many places, and see what comes up."""
    random = Random(seed)
    disk, at = Disk(), 0
    place = work.path.parent.parent / "image"
    place.mkdir(exist_ok=True)
    for number, cut in enumerate(sorted(random.randint(0, len(steps)) for _ in range(count))):
        for step in steps[at:cut]:
            disk.take(step)
        at = cut
        clear(place)
        keep, sector = random.choice((0.0, 0.1, 0.5, 0.9, 1.0)), random.choice((512, 4096))
        for name, content in disk.image(random, sector, keep=keep).items():
            (place / name).write_bytes(content)
        found = replace(work, database=str(place / work.path.name), marks=str(place / "marks"))
        Path(found.marks).write_bytes(disk.marks)
        where = f"run {seed}, cut after {cut} of {len(steps)}, image {number}"
        tally.happened["confirmed before"] += len(confirmed(Path(found.marks)))
        (judge_all if number % AGAIN == 0 else judge)(found, tally, where)
        tally.count += 1


def control(seed: int, folder: Path) -> Tally:
    """With SQLite's `synchronous = NORMAL`, which doesn't sync what is committed."""
    return run(IMAGES, seed, folder, synchronous="NORMAL")


def run_takeovers(count: int, seed: int, folder: Path) -> Tally:
    return run(count, seed, folder, RUNS[-1:])


def control_of_takeovers(seed: int, folder: Path) -> Tally:
    """With a process that takes what it finds for durable: the last one may not have synced it."""
    tally = Tally()
    while not tally.faults and tally.count < 8 * MANY:
        tally.add(run(MANY, seed + 2 * MANY + tally.count, folder, RUNS[-1:], trusting=True))
    return tally


EXPERIMENTS = [
    Experiment(
        "power-cuts",
        "images of what a power cut leaves of unsynced writes: dropped, torn, out of order",
        "images",
        "10,000: 0 confirmed lost, 0 corrupt",
        run,
        control,
        short=40,
        slow=True,
        full=10_000,
        portion=200,
        missing=without_programs("strace"),
    ),
    Experiment(
        "takeovers",
        "a process is killed, another takes over its file and its client; then the power goes",
        "images",
        "0 confirmed lost, 0 corrupt",
        run_takeovers,
        control_of_takeovers,
        short=20,
        slow=True,
        full=4_000,
        portion=200,
        missing=without_programs("strace"),
    ),
]
