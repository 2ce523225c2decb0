"""`python3 -m tests [all|fast|slow|browser|faults|check|lock] [arguments]`: sets up, then runs.

all      the fast tests, then the slow ones (the default)
fast     in virtual time, without a browser
slow     in browsers, and with real processes that are killed
browser  in browsers alone
faults   what must not lose an edit, with counts, one line each; `--long` at full counts
check    format, lint, types, import contracts, then all tests: the one check command
lock     makes the requirement files anew from pyproject.toml
"""

from __future__ import annotations

import sys
from pathlib import Path

from workbench.bootstrap import ROOT, environment_for, run, say

CHECKS = {
    "format": ["-m", "ruff", "format", "--check", "."],
    "lint": ["-m", "ruff", "check", "."],
    "types": ["-m", "pyright", "--warnings"],
    "contracts": ["-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
}
CHOSEN = {"fast": "not browser and not slow", "slow": "browser or slow", "browser": "browser"}
LOCKS = {
    "workbench": ["--extra=reflex", "--extra=secrets", "--extra=cli", "--group=workbench"],
    "tests": ["--group=dev", "--constraint=workbench/requirements.txt"],
    "benchmarks": ["--group=bench", "--constraint=tests/requirements.txt"],
}


def main(arguments: list[str]) -> int:
    what = arguments.pop(0) if arguments and not arguments[0].startswith("-") else "all"
    if what not in {"all", *CHOSEN, "faults", "check", "lock"}:
        say(__doc__ or "")
        return 2
    python = environment_for(ROOT / "tests" / "requirements.txt")
    if what == "lock":
        return lock(python)
    if what == "faults":
        return run(python, "-m", "tests.faults", *arguments)
    failed = check(python) if what == "check" else []
    code = 0
    for chosen in runs(what, arguments):
        code = run(python, "-m", "pytest", *chosen, *arguments) or code
    if failed:
        say(f"Failed before the tests: {', '.join(failed)}")
    return code or len(failed)


def runs(what: str, arguments: list[str]) -> list[list[str]]:
    """Options of each run of pytest, on all cores: the fast tests first, then the slow ones."""
    if what in ("all", "check"):
        return [[]] if arguments else [*runs("fast", []), *runs("slow", [])]
    return [["-m", CHOSEN[what], "-n", "auto"]]


def check(python: Path) -> list[str]:
    """Run every check, also after one has failed; returns the names of those that failed."""
    failed: list[str] = []
    for name, command in CHECKS.items():
        say(f"== {name}")
        more = ["--pythonpath", str(python)] if name == "types" else []
        if run(python, *command, *more) != 0:
            failed.append(name)
    return failed


def lock(python: Path) -> int:
    """Each file takes the versions of the one before it, and names no registry."""
    choices: list[str] = []
    for folder, more in LOCKS.items():
        choices += more
        target = ROOT / folder / "requirements.txt"
        command = ["-m", "uv", "pip", "compile", "pyproject.toml", "--universal", "--upgrade"]
        command += ["--python-version=3.11", "--generate-hashes", "--no-annotate", "--no-header"]
        if code := run(python, *command, "--quiet", *choices, f"--output-file={target}"):
            return code
        target.write_text("# Locked. Made anew by: python3 -m tests lock\n" + target.read_text())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
