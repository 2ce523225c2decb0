"""A disk that reports errors, or is full, for a while or for good."""

from __future__ import annotations

from pathlib import Path

from tests.faults.aftermath import judge_all
from tests.faults.kills import CALLS, clear, count_calls, traced, work_in
from tests.faults.tally import Experiment, Tally, without_programs
from tests.faults.workload import confirmed, problems

EDITS = 24
FAULTS = (
    ("fdatasync", "EIO", 0),
    ("pwrite64", "ENOSPC", 25),
    ("pwrite64", "EIO", 0),
    ("fdatasync", "EIO", 3),
    ("pwrite64", "EIO", 25),
    ("pwrite64", "ENOSPC", 0),
    ("ftruncate", "EIO", 0),
    ("unlink", "EIO", 0),
    (CALLS, "EIO", None),
    (CALLS, "ENOSPC", None),
)
"""System call, error, and how many more fail after the first; None: all of them."""


def run(count: int, seed: int, folder: Path) -> Tally:
    tally = Tally()
    calls = count_calls(work_in(folder, 0, edits=EDITS), folder)
    for number in range(seed, seed + count):
        call, error, more = FAULTS[number % len(FAULTS)]
        first = 1 + number * 13 % (calls if "pwrite64" in call else 14)
        variation = number // len(FAULTS)
        attempt(tally, folder, f"{call}:error={error}", first, more, seed=variation)
    return tally


def attempt(
    tally: Tally,
    folder: Path,
    fault: str,
    first: int,
    more: int | None,
    *,
    seed: int,
    **options: object,
) -> None:
    """Let it fail from its `first` time on, for so many `more`; None: for good."""
    for_good = more is None
    upto = "+" if for_good else f"..{first + (more or 0)}"
    work = work_in(folder, seed, edits=EDITS, patience=1.0 if for_good else 20.0, **options)
    where = f"{fault}:when={first}{upto} in run {seed}"
    traced(work, folder / "trace", inject=f"{fault}:when={first}{upto}")
    met = "INJECTED" in (folder / "trace").read_text()
    tally.happened["errors met" if met else "ended before"] += 1
    tally.happened["runs that told of it"] += bool(problems(Path(work.marks)))
    told = confirmed(Path(work.marks))
    if not for_good and len(told) != EDITS:
        tally.fault(f"{where}: {EDITS - len(told)} edits weren't saved though the disk is well")
    judge_all(work, tally, where)
    tally.count += 1
    clear(folder)


def control(seed: int, folder: Path) -> Tally:
    """With an engine that takes a commit that failed for done."""
    tally = Tally()
    attempt(tally, folder, "fdatasync:error=EIO", 10, 0, seed=seed, deaf=True)
    attempt(tally, folder, "pwrite64:error=ENOSPC", 110, 10, seed=seed, deaf=True)
    return tally


EXPERIMENTS = [
    Experiment(
        "disk-errors",
        "writes and syncs fail, once, for a while, or for good; no room on the disk",
        "failing disks",
        "0 confirmed lost, 0 corrupt; all is saved once the disk is well",
        run,
        control,
        short=4,
        slow=True,
        full=400,
        portion=50,
        missing=without_programs("strace"),
    )
]
