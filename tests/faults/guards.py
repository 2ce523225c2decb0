"""Each guard is taken out once, in a process of its own, and a test has to miss it.

`GUARDS` names the guard, what is done to take it out, and the test. `takeout.py` is the plugin of
pytest that does it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.tally import Experiment, Tally

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Guard:
    what: str
    take_out: Callable[[], None]
    test: str
    """Node id: the test that misses it."""


def revisions() -> None:
    from persistence.store.memory import MemoryStore
    from persistence.store.sqlite import SQLiteStore

    for store in (MemoryStore, SQLiteStore):
        _before_commit(store, _on_what_stands)


async def _on_what_stands(store, writes):  # type: ignore[no-untyped-def]
    rows = await store.load({write.target for write in writes})
    return [
        write._replace(base=row.revision if (row := rows[write.target].get(write.field)) else 0)
        for write in writes
    ]


def operation_ids() -> None:
    from persistence.store.memory import MemoryStore
    from persistence.store.sqlite import SQLiteStore

    async def forget(store, writes):  # type: ignore[no-untyped-def]
        return [write._replace(operations=()) for write in writes]

    for store in (MemoryStore, SQLiteStore):
        _before_commit(store, forget)


def _before_commit(store, change):  # type: ignore[no-untyped-def]
    commit = store.commit

    async def changed(self, writes):  # type: ignore[no-untyped-def]
        return await commit(self, await change(self, writes))

    store.commit = changed


def epochs() -> None:
    from persistence.gate import Gate

    Gate._counts = lambda *_: True  # type: ignore[method-assign,assignment]


def gate() -> None:
    from persistence.gate import Gate

    Gate.is_open = property(lambda _: True)  # type: ignore[method-assign,assignment]


def owners() -> None:
    from persistence.engine import Engine

    async def allow(*_: object, **__: object) -> None:
        return None

    Engine.permit = Engine.refusal = allow  # type: ignore[method-assign,assignment]


def confirm_what_was_sent() -> None:
    from persistence.pending import Pending

    confirm = Pending.confirm

    def mark_clean(self, field, revision):  # type: ignore[no-untyped-def]
        self.drop(field)
        return confirm(self, field, revision)

    Pending.confirm = mark_clean  # type: ignore[method-assign]


def synchronous() -> None:
    from tests.faults import workload

    made = workload.Work

    def careless(*arguments, **options):  # type: ignore[no-untyped-def]
        return made(*arguments, **{"synchronous": "NORMAL"} | options)

    from tests.faults import power

    power.Work = careless  # type: ignore[misc,assignment]


def takeover() -> None:
    from tests.faults import power, workload

    made = workload.Work

    def trusting(*arguments, **options):  # type: ignore[no-untyped-def]
        return made(*arguments, **{"trusting": True} | options)

    power.Work = trusting  # type: ignore[misc,assignment]


def quarantine() -> None:
    from persistence.commits import Committer

    write = Committer._write

    def plain(self, *edit):  # type: ignore[no-untyped-def]
        return write(self, *edit)._replace(unreadable="")

    Committer._write = plain  # type: ignore[method-assign]


def refresh() -> None:
    from persistence.loads import Loader

    async def nothing(*_: object) -> None:
        return None

    Loader.refresh = nothing  # type: ignore[method-assign,assignment]


SCENARIOS = "tests/scenarios"
SIMULATION = f"{SCENARIOS}/test_simulation.py"
GUARDS = {
    "revisions": Guard(
        "a write names the revision that it was made on", revisions,
        f"{SCENARIOS}/test_h_two_engines.py::test_h2_the_same_field_is_a_conflict_with_mine_theirs_and_base",
    ),
    "operation-ids": Guard(
        "an operation's id is kept with its data", operation_ids,
        f"{SIMULATION}::test_whatever_happens_no_edit_is_lost_doubled_misplaced_or_unasked",
    ),
    "epochs": Guard(
        "a late answer to a load is ignored", epochs, "tests/core/test_gate.py",
    ),
    "gate": Guard(
        "nothing is saved before its target was loaded", gate, f"{SCENARIOS}/test_b_gate.py",
    ),
    "owners": Guard(
        "the app is asked who may do what", owners, f"{SCENARIOS}/test_permission.py",
    ),
    "confirmation": Guard(
        "a confirmation clears exactly what was sent", confirm_what_was_sent,
        "tests/core/test_pending.py",
    ),
    "synchronous": Guard(
        "what is confirmed is synced", synchronous,
        "tests/faults/test_experiments.py::test_nothing_is_lost_doubled_or_elsewhere[power-cuts]",
    ),
    "takeover": Guard(
        "what recovery finds is synced first", takeover,
        "tests/faults/test_experiments.py::test_nothing_is_lost_doubled_or_elsewhere[takeovers]",
    ),
    "quarantine": Guard(
        "what can't be read is put aside", quarantine, f"{SCENARIOS}/test_quarantine.py",
    ),
    "refresh": Guard(
        "a page that saw more is believed", refresh, f"{SCENARIOS}/test_two_processes.py",
    ),
}  # fmt: skip
NEED_STRACE = {"synchronous", "takeover"}
TRIES = 6
"""Of those: what a real process is caught at is drawn by the machine, some dozen times a test."""


def is_missed(name: str) -> bool:
    """Does its test fail without it? An error before the test ran counts for nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    command += ["-p", "tests.faults.takeout", GUARDS[name].test]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"WITHOUT_GUARD": name, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return ended.returncode == 1 and " failed" in ended.stdout


def run(count: int, seed: int, folder: Path) -> Tally:
    """Where few are wanted in all, those come first that take the least."""
    tally = Tally()
    names = sorted(
        GUARDS, key=lambda name: name in NEED_STRACE or "simulation" in GUARDS[name].test
    )
    if shutil.which("strace") is None:
        names = [name for name in names if name not in NEED_STRACE]
    for name in names[seed : seed + count]:
        tries = TRIES if name in NEED_STRACE else 1
        if not any(is_missed(name) for _ in range(tries)):
            tally.fault(f"nobody misses the guard {name!r}: {GUARDS[name].what}")
        tally.count += 1
    return tally


def control(seed: int, folder: Path) -> Tally:
    """A guard that none is: taking nothing out must be told from taking something out."""
    tally = Tally()
    GUARDS["none"] = Guard("nothing", lambda: None, GUARDS["epochs"].test)
    try:
        if not is_missed("none"):
            tally.fault("nobody misses what isn't one")
    finally:
        del GUARDS["none"]
    return tally


EXPERIMENTS = [
    Experiment(
        "guards",
        "each guard is taken out once",
        "guards",
        "a test fails, each time",
        run,
        control,
        short=3,
        full=len(GUARDS),
        portion=2,
        slow=True,
    )
]
