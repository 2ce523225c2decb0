"""`python3 -m workbench reset-password NAME`, run as a command on a real database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from workbench.accounts import resets, signing
from workbench.accounts.signing import Visit

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_800_000_000.0


def run(database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workbench.accounts.reset_password", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"DATABASE_URL": database, "PATH": "/usr/bin:/bin"},
        check=False,
    )


def holds(database: Path, text: str) -> bool:
    return any(text.encode() in each.read_bytes() for each in database.parent.glob("workbench.db*"))


async def test_it_prints_a_link_and_nothing_else_to_standard_output(own_database: Path):
    await signing.sign_up("", "Ann", "harbour at dawn", Visit("192.0.2.1", "", NOW))
    url = f"sqlite:///{own_database}"
    made = run(url, "ann", "--url", "https://film.example/", "--hours", "2")
    assert made.returncode == 0, made.stderr
    link = made.stdout.strip()
    assert link.startswith("https://film.example/reset/")
    token = link.rpartition("/")[2]
    assert len(token) == 32
    assert await resets.whose(token, now=NOW - 365 * 24 * 3600) == "Ann"
    assert "once, within 2 hours" in made.stderr
    assert not holds(own_database, token)


async def test_an_unknown_name_and_a_database_that_is_away_have_their_own_exit_codes(
    own_database: Path,
):
    unknown = run(f"sqlite:///{own_database}", "nobody")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no account with the name 'nobody'" in unknown.stderr
    away = run(f"sqlite:///{own_database.parent}/no/such/folder.db", "ann")
    assert (away.returncode, away.stdout) == (2, "")
    assert "DATABASE_URL" in away.stderr
