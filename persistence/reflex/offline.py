"""Reloading while the server is away: a service worker, and what pages do for it.

    plugins=[PersistencePlugin(database=…, offline=False)]      # without it

- `assets/offline.js` keeps each page in the browser, as it is shown: markup without scripts, for
  its user alone.
- `WORKER` is a file at the root of the site. The network comes first; where it fails, the worker
  shows what is kept, with `AWAY_SCRIPTS`: no app runs, but bound native controls go on recording
  edits in the browser's outbox.
- In development, and where it is switched off, the same file removes the worker and what it kept.

The guide's page: docs/guide/offline.md.
"""

from __future__ import annotations

import json
from pathlib import Path

import reflex as rx
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import _private as rx_
from .components import ASSETS, ui

WORKER = "persistence-worker.js"
"""The service worker's name: at the root of the site, so that its scope is all of it."""
FOLDER = ASSETS / "offline"
AWAY_SCRIPTS = (
    "outbox.js",
    "order.js",
    "operations.js",
    "controls.js",
    "status.js",
    "panel.js",
    "unsaved-words.js",
    "unsaved.js",
    "unsaved-notes.js",
    "editors.js",
)
"""What runs in a page that the worker shows, before `offline/page.js`."""

_SLOT = '"__SETTINGS__"'


def worker_file(*, is_on: bool, base: str) -> tuple[Path, str]:
    """The worker among the app's public files, and its text. `base` is the site's root."""
    shelf = _read("offline/shelf.js")
    if not is_on:
        return Path("public", WORKER), shelf + _read("offline/removal.js")
    settings = {
        "base": base,
        "script": shelf + "".join(map(_read, AWAY_SCRIPTS)) + _read("offline/page.js"),
        "style": _read("offline/page.css"),
    }
    for name in ("script", "style"):
        # Both stand within elements of HTML, which end at their own end tag only.
        settings[name] = settings[name].replace("</", "<\\/")
    return Path("public", WORKER), shelf + _with(_read("offline/worker.js"), settings)


def page_script(*, is_on: bool, base: str) -> str:
    """What each page runs after the library's other scripts."""
    settings = {"isOn": is_on, "worker": base + WORKER, "base": base}
    return _read("offline/shelf.js") + _with(_read("offline.js"), settings)


def offline_scripts(*, is_on: bool, base: str) -> list[rx.Component]:
    """For the page's head."""
    return [ui.el.script(page_script(is_on=is_on, base=base))]


def revalidated(app: ASGIApp) -> ASGIApp:
    """The server, whose pages a browser asks for anew: without a word on that it shows what it has
    for a while, and then an app of yesterday, or one without a server, never reaches the worker."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("cache-control", "no-cache")
            await send(message)

        await app(scope, receive, send_on if scope["type"] == "http" else send)

    return serve


def site_root() -> str:
    """The path that the app's pages begin with, with a slash at its end."""
    path = rx_.RegistrationContext.get().config.frontend_path.strip("/")
    return f"/{path}/" if path else "/"


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _with(script: str, settings: object) -> str:
    before, _, after = script.partition(_SLOT)
    return before + json.dumps(settings) + after
