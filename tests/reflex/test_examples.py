"""The apps in examples/ do what their README says, through their own event pipeline."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from reflex_base.registry import RegistrationContext

from persistence.reflex.device import DeviceState
from tests.reflex.conftest import FakeTab, Site

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Run = Callable[[str], AbstractAsyncContextManager[tuple[Site, ModuleType]]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Copies an example to where its database may be made, and has Python find its modules."""

    def copy(name: str) -> Path:
        made = Path(shutil.copytree(EXAMPLES / name, tmp_path / name))
        monkeypatch.chdir(made)
        monkeypatch.syspath_prepend(made)
        monkeypatch.delenv("DATABASE_URL", raising=False)
        for module in made.glob("*.py"):
            monkeypatch.delitem(sys.modules, module.stem, raising=False)
        return made

    return copy


@pytest.fixture
def run(states: Any, folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`async with run("notes") as (site, module)`: the example as its server would run it."""

    @asynccontextmanager
    async def running(name: str) -> AsyncIterator[tuple[Site, ModuleType]]:
        made = folder(name)
        RegistrationContext.set(RegistrationContext.get().fork())
        config = importlib.import_module("rxconfig").config
        module = importlib.import_module(name)
        (plugin,) = config.plugins
        site = Site(module.app, plugin)
        site.tabs.is_connected = lambda token: token in site.connected  # type: ignore[method-assign]

        async def tell(update: Any, token: str) -> None:
            if token in site.pages:
                site.pages[token].hear(update)

        async with module.app._setup_event_processor():
            monkeypatch.setattr(module.app.event_namespace, "emit_update", tell)
            await site.engine.start()
            try:
                yield site, module
            finally:
                await site.engine.stop()
                for each in made.glob("*.py"):
                    sys.modules.pop(each.stem, None)

    return running


class Cookies(FakeTab):
    """A page whose browser has this cookie."""

    def router_data(self) -> dict[str, Any]:
        data = super().router_data()
        return data | {"headers": {"cookie": self.user, "origin": "http://here"}}


async def opened(site: Site, token: str, cookie: str) -> Cookies:
    tab = site.pages[token] = Cookies(site, token, cookie, "/")
    await tab.open()
    await answer(tab)
    return tab


async def answer(tab: FakeTab) -> None:
    """What the page's script says of what its browser keeps."""
    if asked := tab.shows(DeviceState, "asked"):
        sent = {"asked": asked, "part": 0, "of": 1, "text": "{}"}
        await tab.send(DeviceState.receive, answer=sent)


async def test_notes_keeps_what_a_guest_writes(run: Run) -> None:
    guest = "persistence_guest=" + "a" * 32
    async with run("notes") as (site, notes):
        assert notes.index() is not None
        tab = await opened(site, "t1", guest)
        await tab.operate(notes.Notebook, "text", "Gulls over the wake")
        assert tab.shows(notes.Notebook, "words") == 4
        await tab.send(notes.Notebook.stamp)
        await tab.send(notes.Paper.wider)
        await site.settle()
        assert "UTC" in tab.shows(notes.Notebook, "text")
        assert tab.shows(notes.Paper, "width") == 50
        assert tab.shows(notes.Notebook, "status") == "ready"
        again, other = await opened(site, "t2", guest), await opened(site, "t3", guest.upper())
        assert "Gulls" in again.shows(notes.Notebook, "text")
        assert other.shows(notes.Notebook, "text") in ("", None)
        await tab.operate(notes.Notebook, "title", "x" * 81)
        assert "at most 80" in tab.shows(notes.Notebook, "errors")["title"]


async def test_dashboard_cascades_from_the_organisation_and_holds_to_its_policy(run: Run) -> None:
    async with run("dashboard") as (site, module):
        board = module.Dashboard
        assert module.index() is not None
        ana, ben, cho = [
            await opened(site, f"t-{name}", f"person={name}") for name in ("ana", "ben", "cho")
        ]
        await ana.send(board.choose_edit_scope, scope="org")
        await ana.operate(board, "days", 7)
        await site.settle()
        assert [tab.shows(board, "days") for tab in (ana, ben, cho)] == [7, 7, 7]
        await ben.send(board.choose_edit_scope, scope="team")
        await ben.operate(board, "days", 14)
        await site.settle()
        assert [tab.shows(board, "days") for tab in (ana, ben, cho)] == [14, 14, 7]
        await cho.operate(board, "days", 90)
        await cho.operate(board, "currency", "JPY")
        await site.settle()
        assert (cho.shows(board, "days"), cho.shows(board, "currency")) == (90, "JPY")
        await ana.send(board.enforce_currency)
        await site.settle()
        assert cho.shows(board, "currency") == "EUR"
        await cho.operate(board, "currency", "USD")
        assert "one ledger" in cho.shows(board, "errors")["currency"]
        await ana.send(board.relax_currency)
        await site.settle()
        assert cho.shows(board, "currency") == "JPY"


async def test_dashboard_lets_nobody_write_what_they_dont_administer(run: Run) -> None:
    async with run("dashboard") as (site, module):
        cho = await opened(site, "t1", "person=cho")
        await cho.send(module.Dashboard.choose_edit_scope, scope="org")
        await cho.operate(module.Dashboard, "days", 1)
        await cho.send(module.Dashboard.enforce_currency)
        await site.settle()
        assert await site.stored("org", "acme", "dashboard") == {}
        nobody = await opened(site, "t2", "person=eve")
        assert not nobody.shows(module.Dashboard, "ready")


async def test_service_answers_with_values_their_origins_and_what_was_wrong(
    states: Any, folder: Callable[[str], Path]
) -> None:
    folder("service")
    app = importlib.import_module("service").app
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://here") as client,
    ):
        project = await client.patch("/shots/harbour/s1", json={"scope": "project", "frames": 41})
        assert project.status_code == 200
        other = (await client.get("/shots/harbour/s2")).json()
        assert other["frames"] == {"value": 41, "from": "project"}
        wrong = await client.patch("/shots/harbour/s2", json={"frames": 900, "quality": "best"})
        assert wrong.status_code == 422
        assert wrong.json() == {"field": "frames", "problem": "must be at most 241"}
        assert (await client.get("/shots/harbour/s2")).json() == other  # all of it or nothing
        await client.patch("/shots/harbour/s2", json={"frames": 5})
        back = await client.patch("/shots/harbour/s2", json={"frames": None})
        assert back.json()["frames"] == {"value": 41, "from": "project"}
        unknown = await client.patch("/shots/harbour/s2", json={"speed": 1})
        assert unknown.status_code == 422
    sys.modules.pop("service", None)


def test_each_example_has_a_command_and_a_paragraph() -> None:
    runner = importlib.import_module("examples.__main__")
    folders = {file.parent.name for file in EXAMPLES.glob("*/*.py")}
    readme = (EXAMPLES / "README.md").read_text()
    assert set(runner.APPS) == folders
    for name in folders:
        assert f"python3 -m examples {name}" in readme
        assert f"## {name.title()}" in readme
        assert str(3001) in runner.command(name, 3001)


def test_no_example_is_longer_than_one_sitting() -> None:
    for file in EXAMPLES.glob("*/*.py"):
        assert file.read_text().count("\n") <= 100, f"{file.name} teaches too much at once"
