"""A page with the scripts of the queue and of the drawer, and nothing else: no Reflex.

Storage, locks and requests are real. `Backend` answers its operations as a test says, so that a
browser test takes a fraction of a second. Its socket is a button that posts what the queue hands to
it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parents[2] / "persistence" / "reflex" / "assets"
SCRIPTS = (
    "outbox.js",
    "order.js",
    "operations.js",
    "controls.js",
    "status.js",
    "panel.js",
    "unsaved-words.js",
    "unsaved.js",
    "unsaved-notes.js",
)

PAGE = """<!doctype html><meta charset="utf-8"><title>queue</title>{scripts}
<div id="persistence-announcer" role="status"></div>
<button id="unsaved" data-persistence-unsaved="" data-persistence-unsaved-button="">
  <span data-part="count"></span></button>
<div id="persistence-root" hidden data-actor="{actor}" data-hydrated="true" data-offline="false"
     data-operations="/persistence/operations?page={number}" data-schemas='{schemas}'>
  <button id="persistence-send" onclick="send()"></button></div>
{controls}
<span data-persistence-line><span data-persistence-tool-id="travel" data-persistence-status="ready"
  data-persistence-titles="{titles}"></span><span class="persistence-status-text"></span>
  <span role="status"></span></span>
<script>
  async function send() {{
    if (window.isSocketAway) return;
    const body = JSON.stringify({{ operations: window.persistence.take() }});
    const sent = fetch("/socket?page={number}", {{ method: "POST", body }});
    const answer = await sent.catch(() => null);
    if (!answer?.ok) return;
    const {{ operations }} = await answer.json();
    const is = (...status) => operations.filter((each) => status.includes(each.status));
    const facts = document.getElementById("persistence-root").dataset;
    facts.confirmed = JSON.stringify(is("confirmed").map((each) => each.id));
    facts.answers = JSON.stringify(is("refused", "conflict"));
  }}
</script>"""
CONTROL = """<input id="{name}" value="default" data-persistence="{name}"
  data-persistence-kind="text" data-persistence-target='["shot","s1","travel"]'
  data-persistence-base="3" data-persistence-tool="travel"
  data-persistence-value='"default"'>"""


class Backend:
    """Answers each operation by `answer(operation) -> dict`, once: a replay gets the same."""

    def __init__(self) -> None:
        self.arrived: list[dict[str, Any]] = []
        """Operations in the order of their coming, each until it is answered for good."""
        self.tries: list[list[str]] = []
        """The ids in each request, also of those that got no answer."""
        self.news = threading.Condition()
        self.done: dict[str, dict[str, Any]] = {}
        """What was answered for good, by id."""
        self.cookie_actor = "ann"
        """Whom the browser's cookie stands for; "" for nobody."""
        self.page_actor = "ann"
        self.schemas: dict[str, int] = {}
        """The versions of tools that the page is built with, beyond the first."""
        self.verdict: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {"status": "confirmed"}
        self.is_away = False
        self.pages = 0
        """How many were given out: each has its number."""
        self.gone: set[str] = set()
        """The numbers of pages that are heard no more, however late what they said arrives."""
        self.without: dict[str, str] = {}
        """Parts of a guard that are taken out of the scripts, with what stands there instead."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://localhost:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, tries: int) -> None:
        """Until so many requests have come."""
        self.wait_until(lambda: len(self.tries) >= tries)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Until what has come, or was answered, is as asked."""
        with self.news:
            assert self.news.wait_for(is_so, timeout=30)

    def values(self) -> list[Any]:
        """What was done, in order, each once."""
        ids = list(dict.fromkeys(each["id"] for each in self.arrived))
        last = {each["id"]: each for each in self.arrived}
        return [last[each]["value"] for each in ids if self.is_done(each)]

    def is_done(self, operation: str) -> bool:
        return self.done.get(operation, {}).get("status") == "confirmed"

    def _answer(self, operation: dict[str, Any]) -> dict[str, Any]:
        known = self.done.get(operation["id"])
        if known is None:
            self.arrived.append(operation)
            known = {"problem": "", "revision": 9, **self.verdict(operation)}
            known |= {
                "id": operation["id"],
                "target": operation["target"],
                "field": operation["field"],
            }
            if known["status"] != "pending":
                self.done[operation["id"]] = known
        return known

    def _receive(self, path: str, body: bytes) -> tuple[int, Any]:
        if not self.cookie_actor and not path.startswith("/socket"):
            return 401, {"detail": "nobody"}
        answers: list[dict[str, Any]] = []
        for each in json.loads(body)["operations"]:
            if each.get("value") == "poison":
                return 422, {"detail": "operation 0: is poison"}
            if each["actor"] not in ("", self.cookie_actor):
                problem = "was made by somebody else: waits for them"
                answers.append({"id": each["id"], "status": "pending", "problem": problem})
            else:
                answers.append(self._answer(each))
        return 200, {"operations": answers}

    def _page(self) -> str:
        scripts = "".join(f"<script>{(ASSETS / name).read_text()}</script>" for name in SCRIPTS)
        for guard, instead in self.without.items():
            assert scripts.count(guard) == 1, f"no such guard: {guard}"
            scripts = scripts.replace(guard, instead)
        controls = "".join(CONTROL.format(name=name) for name in ("prompt", "text", "frames"))
        self.pages += 1
        titles = "{&quot;prompt&quot;: &quot;Prompt&quot;}"
        return PAGE.format(
            scripts=scripts, actor=self.page_actor, controls=controls, titles=titles,
            schemas=json.dumps(self.schemas), number=self.pages,
        )  # fmt: skip

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        backend = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = "<title>empty</title>" if self.path == "/empty" else backend._page()
                self._send(200, "text/html; charset=utf-8", page.encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                is_gone = self.path.partition("?page=")[2] in backend.gone
                is_away = backend.is_away or is_gone
                with backend.news:
                    sent = json.loads(body)["operations"]
                    if not is_gone:
                        backend.tries.append([each["id"] for each in sent])
                    backend.news.notify_all()
                if is_away:
                    self.close_connection = True
                    return
                status, answer = backend._receive(self.path, body)
                with backend.news:
                    backend.news.notify_all()
                self._send(status, "application/json", json.dumps(answer).encode())

            def _send(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.send_header("cache-control", "no-store")
                with suppress(OSError):  # the page has gone
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
