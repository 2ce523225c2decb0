"""A real server, who sends it operations, and who clicks in a page of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import simple_websocket

from persistence import Operation, Target
from persistence.operations import operation_id

ROOT = Path(__file__).resolve().parents[2]
TOOL = "faults-served"
FIELDS = ("one", "two", "three")
STATE = "reflex___state____state"
WHO = "ann"


class Served:
    """The app of `served` in a process group of its own, on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder, folder / "app.db"
        self.process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @property
    def log(self) -> str:
        path = self.folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, timeout: float = 60) -> Self:
        web = self.folder / "web"
        web.mkdir(exist_ok=True)
        env = os.environ | {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REFLEX_BACKEND_PORT": str(self.port),
            "REFLEX_CHECK_LATEST_VERSION": "false",
            "REFLEX_USE_GRANIAN": "1",
            "REFLEX_USE_NPM": "1",
            "REFLEX_WEB_WORKDIR": str(web),
        }
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.serve", str(self.port)],
                cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + timeout
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"no server on port {self.port}:\n{self.log[-3_000:]}")
            time.sleep(0.05)
        return self

    def answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return ask(self.port, "GET", "/ping")[0] == 200
        return False

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, timeout: float) -> int:
        """Raises TimeoutExpired."""
        assert self.process is not None
        return self.process.wait(timeout)

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """A request of WHO. Raises OSError and HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Cookie": f"who={WHO}"})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


class Sender(threading.Thread):
    """A client that edits a shot of its own for as long as anybody answers.

    Of what isn't confirmed it keeps the newest of each field, and sends it again.
    """

    def __init__(self, number: int, port: int, *, eager: bool = False) -> None:
        super().__init__(daemon=True)
        self.client, self.port, self.eager = f"sender-{number}", port, eager
        self.made: dict[str, Operation] = {}
        self.told: set[str] = set()
        self.waits: list[float] = []
        """Seconds until each answer."""
        self.answers: list[str] = []
        self.is_ending = False

    def run(self) -> None:
        left: list[Operation] = []
        while not self.is_ending:
            left = [*left, self._make()][-len(FIELDS) :]
            if self.eager:
                self.told.update(each.id for each in left)
            began = time.monotonic()
            try:
                status, body = ask(
                    self.port, "POST", "/persistence/operations",
                    {"operations": [as_sent(each) for each in left]},
                )  # fmt: skip
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.02)
                continue
            self.waits.append(time.monotonic() - began)
            self.answers.append(str(status))
            if status == 200:
                said = {each["id"]: each["status"] for each in body["operations"]}
                self.answers += said.values()
                self.told.update(name for name, what in said.items() if what == "confirmed")
                left = [each for each in left if said.get(each.id) != "confirmed"]

    def _make(self) -> Operation:
        number = len(self.made) + 1
        field = FIELDS[number % len(FIELDS)]
        value = f"{number}:{self.client}:{field}:{'x' * (number % 7 * 300)}"
        target = Target("shot", self.client, TOOL)
        name = operation_id(self.client, number)
        self.made[name] = Operation(name, self.client, number, target, field, "set", value)
        return self.made[name]


def as_sent(made: Operation) -> dict[str, Any]:
    return {
        "id": made.id, "client": made.client, "seq": made.seq, "target": list(made.target),
        "field": made.field, "kind": made.kind, "value": made.value, "base": made.base,
    }  # fmt: skip


class Page(threading.Thread):
    """A page that clicks "More" again and again, and reads what it is told."""

    def __init__(self, number: int, port: int) -> None:
        super().__init__(daemon=True)
        self.token = f"00000000-0000-4000-8000-{number:012d}"
        self.shot, self.port = f"page-{number}", port
        self.shown = 0
        """The count that the page shows."""
        self.waits: list[float] = []
        """Seconds from each click until it showed."""
        self.said: list[str] = []
        """The status line."""
        self.is_ending = False
        self.is_ready = threading.Event()

    def run(self) -> None:
        address = f"ws://127.0.0.1:{self.port}/_event/?token={self.token}&EIO=4&transport=websocket"
        headers = {"Cookie": f"who={WHO}", "Origin": "http://127.0.0.1"}
        with contextlib.suppress(simple_websocket.ConnectionClosed, OSError):
            self.socket = simple_websocket.Client(address, headers=headers)
            # What comes together with the handshake is seen with the next: so it isn't waited for.
            self.socket.send("40/_event,")
            self._read(lambda text: text.startswith("40"))
            self._send(f"{STATE}.hydrate")
            self._read(lambda text: "is_hydrated" in text)
            self.is_ready.set()
            while not self.is_ending:
                self._click()

    def _click(self) -> None:
        began = time.monotonic()
        wanted = re.compile(rf'"count_rx_state_": ?{self.shown + 1}\b')
        self._send(f"{STATE}.served____worked.more")
        self._read(lambda text: wanted.search(text) is not None)
        self.shown += 1
        self.waits.append(time.monotonic() - began)

    def _send(self, name: str) -> None:
        page = {"pathname": "/", "query": {"shot": self.shot}, "asPath": f"/?shot={self.shot}"}
        event = {"name": name, "payload": {}, "router_data": page, "token": self.token}
        self.socket.send("42/_event," + json.dumps(["event", event]))

    def _read(self, is_it: Callable[[str], bool]) -> None:
        """Until that comes. Raises ConnectionClosed."""
        while True:
            text = str(self.socket.receive(timeout=60))
            if text == "2":
                self.socket.send("3")
            elif '"status_text_rx_state_":"' in text:
                self.said.append(text.split('"status_text_rx_state_":"')[1].split('"')[0])
            if text == "None" or is_it(text):
                return
