"""The examples of README and guide, as tests find and run them."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import os
import re
import subprocess
import sys
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
        run_python("example.py", folder=Path.cwd())
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
