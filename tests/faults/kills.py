"""A process is killed right before each of its write system calls, and its client comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.faults.aftermath import judge_all
from tests.faults.tally import Experiment, Tally, without_programs
from tests.faults.workload import Work, confirmed

ROOT = Path(__file__).resolve().parents[2]
CALLS = "pwrite64,write,fsync,fdatasync,ftruncate,unlink"
STRIDE = 37
"""Neighbouring kills aren't of neighbouring calls, so that a few are spread over the whole."""


def traced(
    work: Work,
    trace: Path,
    *,
    inject: str = "",
    calls: str = CALLS,
    options: Sequence[str] = ("-s", "0"),
    others: Sequence[str] = (),
) -> int:
    """Let the client work under strace, which sees the database's files alone, and `others`.
    Returns its exit code; negative, or 137, where it was killed."""
    files = [work.database, *(work.database + end for end in ("-wal", "-journal", "-shm")), *others]
    command = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={calls}", *options]
    if inject:
        command += ["-e", f"inject={inject}"]
    for file in files:
        command += ["-P", file]
    command += [sys.executable, "-m", "tests.faults.workload", json.dumps(asdict(work))]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    if ended.returncode > 0 and ended.returncode != 137:
        raise RuntimeError(f"the client failed: {ended.stderr[-3_000:]}")
    return ended.returncode


def count_calls(work: Work, folder: Path) -> int:
    """How many write calls a whole run makes, in the thread that makes them."""
    traced(work, folder / "trace")
    threads: dict[str, int] = {}
    for line in (folder / "trace").read_text().splitlines():
        if "(" in line and "resumed>" not in line:
            thread = line.split()[0]
            threads[thread] = threads.get(thread, 0) + 1
    clear(folder)
    return max(threads.values())


def clear(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def work_in(folder: Path, seed: int, **options: object) -> Work:
    return Work(str(folder / "app.db"), str(folder / "marks"), seed=seed, **options)  # type: ignore[arg-type]


def run(count: int, seed: int, folder: Path, **options: object) -> Tally:
    """The first so many kills go once through all calls of one run, the next through another's."""
    tally = Tally()
    calls = count_calls(work_in(folder, 0, edits=24), folder)
    for number in range(seed, seed + count):
        point, variation = 1 + number * STRIDE % calls, number // calls
        work = work_in(folder, variation, edits=24, **options)
        where = f"run {variation} killed at its write call {point} of {calls}"
        code = traced(work, folder / "trace", inject=f"{CALLS}:signal=KILL:when={point}")
        tally.happened["killed" if code else "ended before"] += 1
        tally.happened["edits confirmed before"] += len(confirmed(Path(work.marks)))
        judge_all(work, tally, where)
        tally.count += 1
        clear(folder)
    return tally


def control(seed: int, folder: Path) -> Tally:
    """With a client that is told of edits before they are durable."""
    return run(2, seed + 1, folder, eager=True)


EXPERIMENTS = [
    Experiment(
        "kills",
        "a process is killed at each of its write system calls",
        "kills",
        "0 confirmed lost, 0 corrupt, nothing doubled when sent again",
        run,
        control,
        short=4,
        slow=True,
        full=800,
        portion=50,
        missing=without_programs("strace"),
    )
]
