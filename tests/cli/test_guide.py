"""docs/guide/command-line.md: its commands run in their order, and give what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.cli.conftest import DECLARATIONS, Studio

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "command-line.md").read_text()
COMMANDS = re.findall(r"^python -m persistence (.*)$", GUIDE, re.MULTILINE)


def outputs() -> list[str]:
    return re.findall(r"```text\n(.*?)```", GUIDE, re.DOTALL)


def words(text: str) -> list[list[str]]:
    """Its lines, without times."""
    lines = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "WHEN", text).splitlines()
    return [line.split() for line in lines if line.strip()]


def test_the_guides_commands_run_in_their_order(studio: Studio) -> None:
    assert len(COMMANDS) >= 12
    told = [studio.run(*shlex.split(command, comments=True)).stdout for command in COMMANDS]
    assert (studio.folder / "s1.toml").exists()
    shown = [words(each) for each in told]
    for expected in outputs():
        assert words(expected) in shown, f"no command prints\n{expected}"


def test_the_guide_declares_what_its_examples_use() -> None:
    declared = re.search(r"```py\n(.*?)```", GUIDE, re.DOTALL)
    assert declared is not None
    assert declared[1].strip() == DECLARATIONS.strip()
