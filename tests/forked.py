"""Runs Python files one after the other, each in a process forked from one that has Reflex loaded.

Reflex keeps every state that was made, so that a file needs a process of its own; loading Reflex
takes longer than most files run. Reads paths from standard input; for each it writes a line, the
traceback as JSON, "" where all went well. Run by `documents.py`.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import tempfile
import traceback
from pathlib import Path


def main() -> None:
    import persistence.reflex  # noqa: F401  # what every file needs

    sys.dont_write_bytecode = True
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as said:
            child = os.fork()
            if child == 0:
                os._exit(run(Path(line.rstrip("\n")), said.fileno()))
            _, status = os.waitpid(child, 0)
            said.seek(0)
            print(json.dumps(said.read() or ("it ended early" if status else "")), flush=True)


def run(file: Path, said: int) -> int:
    """What the file prints goes nowhere; what it raises, to `said`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(said, 2)
    os.chdir(file.parent)
    try:
        runpy.run_path(str(file), run_name="__main__")
    except BaseException:  # noqa: BLE001  # it is told
        traceback.print_exc()
        sys.stderr.flush()
        return 1
    os.ftruncate(said, 0)  # warnings are no failure
    return 0


if __name__ == "__main__":
    main()
