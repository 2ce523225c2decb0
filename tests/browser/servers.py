"""Reflex apps as servers that a test can kill: built once, then started in about a second.

`build(app)` compiles an app's page once for all servers, and again only after its sources changed.
`Server` runs it in a process group of its own, with its own port, its own database and its own
copy of the page (the port is compiled into one small file of it).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
BUILDS = ROOT / ".build"
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]
"""For Chromium as tests start it."""
PLACEHOLDER = "49151"
"""The port that pages are built for: a server's copy gets the real one in its place."""


class Server:
    """One app in prod mode on a free port of 127.0.0.1.

    - `start` returns once the page answers; it raises with the server's log if it doesn't.
    - `kill` is SIGKILL to the whole process group: nothing of it runs on, nothing is flushed.
    - `terminate` is SIGTERM, as a supervisor sends it; it returns the exit code.
    - After either, `start` brings it back on the same port with the same database.
    - Several servers run at once, also of one app.
    """

    def __init__(self, app: Path, folder: Path, env: Mapping[str, str]) -> None:
        self.app, self.folder = app, folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "test.db"
        self.database_url = f"sqlite:///{self.database}"
        self.env = dict(env)
        self.process: subprocess.Popen[bytes] | None = None
        copy_page(build(app), folder / "web", self.port)

    @property
    def log(self) -> str:
        """What all its starts have printed."""
        path = self.folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, timeout: float = 60) -> Self:
        env = environment(self.app, self.folder / "web", self.port)
        env |= {"DATABASE_URL": self.database_url, **self.env}
        began = len(self.log)
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("serve.py"), str(self.port)],
                cwd=self.app,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while not self.answers() or "Started worker" not in self.log[began:]:
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self.app.name} didn't start on {self.url}:\n{self.log}")
            time.sleep(0.05)
        return self

    def answers(self) -> bool:
        """Whether the page comes at this moment."""
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def kill(self) -> None:
        if self.process is None:
            return
        self._signal(signal.SIGKILL)
        self.process.wait(10)
        self._wait_for_the_port()

    def terminate(self, timeout: float = 20) -> int:
        """Raises TimeoutExpired, after killing it, if it doesn't end by itself."""
        assert self.process is not None, "not started"
        self.process.terminate()
        try:
            return self.process.wait(timeout)
        finally:
            self._signal(signal.SIGKILL)  # a worker that outlived its parent
            self._wait_for_the_port()

    def restart(self) -> Self:
        """Kill it and start it again: what a crash looks like to a page."""
        self.kill()
        return self.start()

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def _signal(self, number: int) -> None:
        assert self.process is not None
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def _wait_for_the_port(self, timeout: float = 5) -> None:
        """A killed worker's socket may outlive its process for a moment."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
            except OSError:
                return
            time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(app: Path, web: Path, port: int | str) -> dict[str, str]:
    """The variables that an app is built and served with."""
    paths = [str(app), str(ROOT)]
    tools = str(Path(sys.prefix) / "bin")
    return os.environ | {
        "NPM_CONFIG_OMIT_LOCKFILE_REGISTRY_RESOLVED": "true",
        "PATH": tools + os.pathsep + os.environ.get("PATH", ""),
        "PYTHONPATH": os.pathsep.join(paths),
        "REFLEX_BACKEND_PORT": str(port),
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_FRONTEND_PORT": str(port),
        "REFLEX_USE_GRANIAN": "1",
        "REFLEX_USE_NPM": "1",
        "REFLEX_WEB_WORKDIR": str(web),
    }


def build(app: Path) -> Path:
    """Compile the app's page unless its sources are those of the last time; returns its folder."""
    web = BUILDS / f"web-{app.name}"
    stamp = BUILDS / f"web-{app.name}.stamp"
    with alone(BUILDS / f"web-{app.name}.lock"):
        wanted = fingerprint(app)
        if stamp.exists() and stamp.read_text() == wanted:
            return web
        stamp.unlink(missing_ok=True)
        built = subprocess.run(
            [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"],
            cwd=app,
            env=environment(app, web, PLACEHOLDER) | {"DATABASE_URL": "sqlite://"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if built.returncode != 0:
            raise RuntimeError(f"{app.name} can't be built:\n{built.stdout}\n{built.stderr}")
        stamp.write_text(wanted)
    return web


def fingerprint(app: Path) -> str:
    """Of everything that a page is made from."""
    folders = [ROOT / "persistence", ROOT / "workbench"] if app == ROOT else [ROOT / "persistence"]
    folders += [app / "assets"] if app == ROOT else [app]
    files = [app / "rxconfig.py", ROOT / "tests" / "requirements.txt"]
    files += [file for folder in folders for file in folder.rglob("*") if is_source(file)]
    digest = hashlib.sha256()
    for file in sorted(set(files)):
        digest.update(f"{os.path.relpath(file, ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def is_source(file: Path) -> bool:
    ignored = {"__pycache__", ".web", ".states", "external", "reflex.lock"}
    return file.suffix in {".py", ".js", ".css", ".svg", ".png"} and not ignored & set(file.parts)


def copy_page(built: Path, web: Path, port: int) -> None:
    """A server's own copy of the compiled page, with its port in it. Small: no node_modules."""
    with alone(built.with_suffix(".lock")):
        shutil.copytree(built / "build" / "client", web / "build" / "client")
        shutil.copytree(built / "backend", web / "backend")
        for file in built.glob("*.json"):
            shutil.copy2(file, web)
    settings = list(web.glob("build/client/assets/reflex-env-*.js"))
    assert settings, "Reflex no longer keeps its addresses in one file: see PLACEHOLDER"
    for file in settings:
        text = file.read_text()
        assert PLACEHOLDER in text, f"{file.name} names no port"
        file.write_text(text.replace(PLACEHOLDER, str(port)))
        for packed in file.parent.glob(f"{file.name}.*"):
            packed.unlink()


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Builds and copies of one app never overlap, whichever test run they belong to."""
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
