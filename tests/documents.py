"""The examples of README and guide, as tests find and run them."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def examples_of(page: Path) -> list[Any]:
    """Each Python example of a document, with its line for the test's name."""
    text = page.read_text()
    name = page.relative_to(ROOT)
    return [
        pytest.param((page, found[1]), id=f"{name}:{text[: found.start()].count(chr(10)) + 1}")
        for found in re.finditer(r"```python\n(.*?)```", text, re.DOTALL)
    ]


def run_example(page: Path, code: str) -> dict[str, Any]:
    """Run an example in the current folder; returns what it named.

    One that needs Reflex runs in a process of its own, and returns nothing: Reflex keeps every
    state that was made.
    """
    if "import reflex" in code:
        Path("example.py").write_text(code)
        failed = run_forked(Path.cwd() / "example.py")
        assert not failed, failed
        return {}
    registry = importlib.import_module("persistence.settings").registry
    declared = dict(registry)
    registry.clear()  # an example may declare a tool that an app under test declares, too
    names: dict[str, Any] = {"__name__": "example"}
    try:
        outcome = eval(compile(code, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
    finally:
        registry.clear()
        registry.update(declared)
    return names


def run_forked(file: Path) -> str:
    """Run a file that needs Reflex in a process of its own. Returns its traceback, if it failed."""
    process = forking()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{file}\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


@cache
def forking() -> subprocess.Popen[str]:
    """One for all; it ends with this process, when its input does."""
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("forked.py")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_python(*arguments: str, folder: Path = ROOT) -> None:
    """Raises AssertionError with what it said, if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
