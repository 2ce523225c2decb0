"""`python -m tests.faults [--long] [--seed N] [names…]`: the experiments, one line each.

Without `--long` each runs as briefly as in the tests. Started by `python3 -m tests faults`, which
sets itself up. A line says what was tried how often, what came of it, and whether the control (the
same without the guard) was found out. The exit code is 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.faults.tally import Experiment, Tally

HERE = Path(__file__).parent


def experiments() -> dict[str, Experiment]:
    """All there are, by name: those of each module of this folder."""
    found: dict[str, Experiment] = {}
    for file in sorted(HERE.glob("*.py")):
        if not file.stem.startswith(("test_", "__", "conftest", "runner")):
            module = importlib.import_module(f"tests.faults.{file.stem}")
            found |= {each.name: each for each in getattr(module, "EXPERIMENTS", [])}
    return found


def room() -> Path | None:
    """Where files lie while they are tried: in memory, where the machine has such a place."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else None


def run_part(name: str, count: int, seed: int) -> Tally:
    logging.disable(logging.CRITICAL)  # what fails on purpose isn't worth a line
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        return experiments()[name].run(count, seed, Path(folder))


def parts(experiment: Experiment, count: int, seed: int) -> Iterator[tuple[str, int, int]]:
    size = experiment.portion or count
    for begin in range(0, count, size):
        yield experiment.name, min(size, count - begin), seed + begin


def run(experiment: Experiment, count: int, seed: int) -> Tally:
    """Shared out over all cores."""
    tally = Tally()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        work = [pool.submit(run_part, *part) for part in parts(experiment, count, seed)]
        for number, part in enumerate(work, 1):
            tally.add(part.result())
            if number < len(work):  # a long run that is cut off has said how far it came
                told = f"{experiment.name}: {tally.count:,} of {count:,} so far: {tally.numbers}"
                print(told, file=sys.stderr, flush=True)
    return tally


def control(experiment: Experiment, seed: int) -> str:
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        tally = experiment.control(seed, Path(folder))
    return f"found out ({tally.numbers})" if tally.faults else "NOT FOUND OUT"


def line(experiment: Experiment, tally: Tally, verdict: str, seconds: float) -> str:
    more = ", ".join(f"{number:,} {what}" for what, number in sorted(tally.happened.items()))
    return (
        f"{experiment.name}: {tally.count:,} {experiment.unit}: {tally.numbers}"
        f" | without the guard: {verdict} | wanted: {experiment.target}"
        f" | {seconds:.0f} s{f' | {more}' if more else ''}"
    )


def main(arguments: Sequence[str]) -> int:
    found = experiments()
    parser = argparse.ArgumentParser(
        prog="python3 -m tests faults", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("--long", action="store_true", help="at full counts: an hour or two")
    parser.add_argument("--count", type=int, default=0, help="another count than either")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(found))
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(found):
        parser.error(f"no experiment {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    logging.disable(logging.CRITICAL)
    failed = 0
    for experiment in [found[name] for name in chosen.names or found]:
        if lacking := experiment.missing():
            print(f"{experiment.name}: not tried: {lacking}", flush=True)
            continue
        began = time.monotonic()
        count = chosen.count or (experiment.full if chosen.long else experiment.short)
        tally = run(experiment, count, chosen.seed)
        verdict = control(experiment, chosen.seed)
        print(line(experiment, tally, verdict, time.monotonic() - began), flush=True)
        for fault in tally.faults[:5]:
            print(f"    {fault[:1_000]}", flush=True)
        failed += bool(tally.faults) or "NOT" in verdict
    return 1 if failed else 0
