"""What holds for every command: help, wrong arguments, the database, pipes, terminals."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SHOT, Studio

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["inspect", "explain", "export", "import", "prune", "doctor"]


def process(*arguments: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The command as it is started in a shell, its output in pipes."""
    return subprocess.run(
        [sys.executable, "-m", "persistence", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_examples(studio: Studio, command: str) -> None:
    told = studio.run(command, "--help").stdout
    assert "Example" in told
    assert "--database" in told
    assert "DATABASE_URL" in told


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["inspect", "--database", "nowhere.db"], "--database"),
        (["inspect", "--database", "postgresql://ann:pa55@host/x"], "--database"),
        (["inspect", "--database", "."], "--database"),
        (["inspect", "--database", ""], "--database"),
        (["inspect", "--import", "nowhere"], "--import"),
        (["inspect", "--owner", "ana"], "--owner"),
        (["inspect", "shot=s1", "shot=s2"], "--owner"),
        (["inspect", "travel-ui-state", "shot=s1", "--scopes", "user"], "--owner"),
        (["inspect", "travel-ui-state", "shot=s1", "--scopes", "a-b"], "--scopes"),
        (["inspect", "travel-ui-state", "image-generation"], "TOOL"),
        (["inspect", "travel-ui-state", "shot=s1", "--mute", "user"], "--mute"),
        (["inspect", "--limit", "0"], "--limit"),
        (["explain", "travel-ui-state", "frames"], "--owner"),
        (["explain", "travel-ui-state", "tempo", "shot=s1"], "FIELD"),
        (["prune", "--older-than", "soon"], "--older-than"),
    ],
)
def test_a_wrong_argument_is_named(studio: Studio, arguments: list[str], named: str) -> None:
    refused = studio.run(*arguments, code=2)
    assert named in refused.stderr
    assert refused.stdout == ""
    assert "pa55" not in refused.output


@pytest.mark.parametrize("command", [["inspect"], ["prune"], ["prune", "--dry-run"], ["doctor"]])
def test_a_missing_file_is_an_error_and_stays_missing(studio: Studio, command: list[str]) -> None:
    missing = studio.folder / "missing.db"
    refused = studio.run(*command, "--database", f"sqlite:///{missing}", code=2)
    assert "missing.db" in re.sub(r"[│\s]", "", refused.stderr)  # a long path is wrapped in a box
    assert not list(studio.folder.glob("missing*"))


@pytest.mark.parametrize("command", [["inspect"], ["prune"], ["prune", "--dry-run"]])
def test_a_database_without_settings_is_refused_and_left_alone(
    studio: Studio, command: list[str]
) -> None:
    other = studio.folder / "other.db"
    other.write_bytes(b"")
    refused = studio.run(*command, "--database", str(other), code=1)
    assert "no such tables" in refused.stderr
    assert other.read_bytes() == b""


def test_a_file_that_is_no_database_is_an_error(studio: Studio) -> None:
    refused = studio.run("inspect", "--database", "studio.py", code=1)
    assert "isn't an SQLite database" in refused.stderr


def test_the_module_runs_and_a_pipe_has_plain_columns(studio: Studio) -> None:
    done = process("inspect", "travel-ui-state", *SHOT, "--import", "studio", folder=studio.folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "│" not in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())
    assert any(line.split()[:4] == ["frames", "61", "50", "42"] for line in
               done.stdout.splitlines())  # fmt: skip


@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_it_wants_none(
    studio: Studio, env: dict[str, str], coloured: bool
) -> None:
    mine, theirs = pty.openpty()
    terminal = {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **env}
    with subprocess.Popen(
        [sys.executable, "-m", "persistence", "inspect", "travel-ui-state", *SHOT],
        cwd=studio.folder,
        env={k: v for k, v in os.environ.items() if k != "NO_COLOR"} | terminal,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as done:
        os.close(theirs)
        told = b""
        try:
            while chunk := os.read(mine, 65536):
                told += chunk
        except OSError:
            pass  # Linux says so when the other end is closed
    os.close(mine)
    assert done.returncode == 0
    assert b"frames" in told
    assert (b"\x1b[32m" in told) is coloured


def test_without_typer_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['typer'] = None\n"
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'typer' else find(name, *a)\n"
    )
    done = process("inspect", folder=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert done.returncode == 1
    assert "pip install 'reflex-persistence[cli]'" in done.stderr
