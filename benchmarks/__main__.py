"""`python -m benchmarks [--quick] [name …]` prints the table, each file in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .measure import HEADER

HERE = Path(__file__).parent
QUESTIONS = (
    "observe", "resolve", "save", "burst", "big_tool", "debounce", "load", "memory", "commits",
    "keystroke", "tabs",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Returns 1 where a file failed to run; a missed target is a line, not a failure."""
    options = [each for each in arguments if each.startswith("-")]
    chosen = [each for each in arguments if each not in options] or QUESTIONS
    print(HEADER, flush=True)
    environment = {**os.environ, "BENCHMARKS_HEADER": "0"}
    failed = [
        name
        for name in chosen
        if subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *options],
            cwd=HERE.parent,
            env=environment,
            check=False,
        ).returncode
    ]
    if failed:
        print(f"failed to run: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
