"""`python3 -m examples notes`: sets itself up and serves one of the example apps."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from workbench.bootstrap import ROOT, environment_for, say

HERE = Path(__file__).resolve().parent
APPS = ("notes", "dashboard", "service")
HOST = "127.0.0.1"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m examples", description=__doc__)
    parser.add_argument("app", choices=APPS)
    parser.add_argument("--port", type=int, default=3000, help="default: %(default)s")
    chosen = parser.parse_args()
    python = environment_for(ROOT / "workbench" / "requirements.txt")
    prepare(HERE / chosen.app, python)
    say(f"{chosen.app}: http://{HOST}:{chosen.port}")
    os.chdir(HERE / chosen.app)
    os.execv(python, [str(python), *command(chosen.app, chosen.port)])  # noqa: S606  # this clone's


def prepare(folder: Path, python: Path) -> None:
    """What Reflex wants to know, and the versions that the tests ran with of what pages need."""
    os.environ.setdefault("REFLEX_USE_NPM", "1")
    os.environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")
    os.environ.setdefault("REFLEX_USE_GRANIAN", "1")
    os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ["PYTHONPATH"] = str(ROOT)
    if (folder / "rxconfig.py").exists() and not (folder / "reflex.lock").exists():
        shutil.copytree(ROOT / "reflex.lock", folder / "reflex.lock")


def command(app: str, port: int) -> list[str]:
    if app == "service":
        serve = ["-m", "granian", "--interface", "asgi", "--host", HOST, "--port", str(port)]
        return [*serve, "service:app"]
    ports = ["--frontend-port", str(port), "--backend-port", str(port)]
    return ["-m", "reflex", "run", "--env", "prod", "--backend-host", HOST, *ports]


if __name__ == "__main__":
    main()
