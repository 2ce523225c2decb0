"""A studio's database with a bit of everything, and the command line run on it in this process."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from persistence import Binding, Engine
from persistence.cli.app import app
from persistence.settings import registry
from persistence.vault import Vault

SCOPES = ("user", "project", "shot")
SHOT = ["user=ana", "project=harbour", "shot=s1"]

DECLARATIONS = """
from persistence import Settings, setting

class Travel(Settings, tool="travel-ui-state", edit="shot"):
    prompt: str = setting("", inherit=False, max_length=5000)
    frames: int = setting(61, ge=1, le=241, title="Frames")
    speed_mode: str = setting("basic")
    locks: dict[str, bool] = setting(default_factory=dict, merge=True)

class Images(Settings, tool="image-generation", edit="project"):
    model: str = setting("wan-local")
    token: str = setting("", secret=True)
"""


class Studio:
    """The folder that the commands run in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "app.db"

    def run(self, *arguments: str, code: int = 0, **options: Any) -> Result:
        """One command; fails unless it ends with that exit code."""
        result = CliRunner().invoke(app, arguments, **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def bytes(self) -> bytes:
        return self.path.read_bytes()

    def work(self, story: Any) -> Any:
        """Run `story(engine)` on the database, as the app would."""

        async def run() -> Any:
            url = f"sqlite:///{self.path}"
            async with Engine(url, scopes=SCOPES, key=Vault.new_key(), keep_history=None) as engine:
                return await story(engine)

        return asyncio.run(run())


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """An app with declarations in `studio.py` and settings in `app.db`."""
    (tmp_path / "studio.py").write_text(DECLARATIONS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "sqlite:///app.db")
    level, declared = logging.getLogger("persistence").level, dict(registry)
    registry.clear()
    made = Studio(tmp_path)
    made.work(fill)
    forget_declarations()
    yield made
    registry.clear()
    registry.update(declared)
    sys.modules.pop("studio", None)
    logging.getLogger("persistence").setLevel(level)


def forget_declarations() -> None:
    registry.clear()
    sys.modules.pop("studio", None)


async def fill(engine: Engine) -> None:
    studio = importlib.import_module("studio")
    owners = dict(each.split("=") for each in SHOT)
    travel: Binding[Any] = await engine.open(studio.Travel, owners, actor="ana")
    travel.update(frames=50, scope="project")
    travel.update(frames=41, prompt="Gulls over the wake")
    travel.set_key("locks", "gens", True, scope="user")
    await travel.flush()
    travel.update(frames=42)
    await travel.enforce("speed_mode", "advanced", scope="project", note="the budget")
    images: Binding[Any] = await engine.open(studio.Images, owners, actor="bob")
    images.update(model="sdxl", token="hunter2")
    other: Binding[Any] = await engine.open(studio.Travel, {"shot": "s2"}, actor="bob")
    other.update(prompt="Open sea")
