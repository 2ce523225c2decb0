"""What serves pages without a server: the worker's file, the pages' script, what is cached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from persistence.reflex import PersistencePlugin, offline, plugin
from persistence.reflex.components import ASSETS
from persistence.reflex.offline import AWAY_SCRIPTS, WORKER, page_script, revalidated, worker_file

if TYPE_CHECKING:
    from starlette.requests import Request


def worker(monkeypatch: pytest.MonkeyPatch, *, is_prod: bool, **options: object) -> str:
    """The worker's file as the plugin writes it."""
    monkeypatch.setattr(plugin, "is_prod_mode", lambda: is_prod)
    monkeypatch.setattr(offline, "site_root", lambda: "/")  # Reflex has no configuration here
    made = PersistencePlugin(database="memory:", **options)  # pyright: ignore[reportArgumentType]
    return str(dict(made.get_static_assets())[Path("public", WORKER)])


def test_the_worker_brings_all_that_its_pages_run():
    _, text = worker_file(is_on=True, base="/")
    for name in AWAY_SCRIPTS:
        first = (ASSETS / name).read_text().splitlines()[0].replace("</", "<\\/")
        assert json.dumps(first)[1:-1] in text, name


def test_no_script_of_the_library_ends_the_element_that_it_stands_in():
    _, text = worker_file(is_on=True, base="/")
    settings, _ = json.JSONDecoder().raw_decode(text[text.index('{"base"') :])
    assert "</" not in settings["script"] + settings["style"]


def test_where_it_is_off_the_same_file_removes_the_worker(monkeypatch: pytest.MonkeyPatch):
    on = worker(monkeypatch, is_prod=True)
    assert "navigate" in on
    for text in (
        worker(monkeypatch, is_prod=True, offline=False),
        worker(monkeypatch, is_prod=False),
        worker(monkeypatch, is_prod=True, backend="https://api.example"),
    ):
        assert "unregister()" in text
        assert "navigate" not in text


@pytest.mark.parametrize("is_on", [True, False])
def test_pages_are_told_whether_it_is_on_and_where(is_on: bool):
    text = page_script(is_on=is_on, base="/studio/")
    settings, _ = json.JSONDecoder().raw_decode(text[text.index('{"isOn"') :])
    assert settings == {"isOn": is_on, "worker": f"/studio/{WORKER}", "base": "/studio/"}


async def test_browsers_ask_for_pages_anew_unless_the_app_says_otherwise():
    async def page(request: Request) -> HTMLResponse:
        del request
        return HTMLResponse("<p>")

    async def told(request: Request) -> HTMLResponse:
        del request
        return HTMLResponse("<p>", headers={"cache-control": "no-store"})

    async def data(request: Request) -> JSONResponse:
        del request
        return JSONResponse({})

    app = Starlette(routes=[Route("/page", page), Route("/told", told), Route("/data", data)])
    transport = httpx.ASGITransport(revalidated(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = {path: (await client.get(path)).headers for path in ("/page", "/told", "/data")}
    assert answers["/page"]["cache-control"] == "no-cache"
    assert answers["/told"]["cache-control"] == "no-store"
    assert "cache-control" not in answers["/data"]
