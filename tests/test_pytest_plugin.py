"""The pytest plugin, as an app's own tests meet it: in a run of pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]

HEAD = """
import asyncio, pytest
from persistence import Settings, Target, setting
from persistence.testing import assert_nothing_pending, assert_written

class Notes(Settings, tool=__name__, edit="shot"):
    text: str = setting("")
    mode: str = setting("basic")

NOTES = Target("shot", "s1", __name__)
"""

FAILING = """
async def test_it(persistence_engine, persistence_memory, persistence_clock):
    async with persistence_engine(scopes=("user", "shot")) as engine:
        notes = await engine.open(Notes, {"shot": "s1"})
        persistence_memory.commits.fail(times=3)
        notes.update(text="kept")
        with pytest.raises(AssertionError, match="text of shot s1 of test_failing is pending"):
            assert_nothing_pending(engine)
        await persistence_clock.advance(3600)
        assert_nothing_pending(engine)
        assert persistence_clock.now >= 3600
        assert engine.wall() == persistence_clock.wall
    assert_written(persistence_memory, {NOTES: {"text": "kept"}})
"""

STORES = """
async def test_it(persistence_store, persistence_engine):
    async with persistence_engine(scopes=("shot",)) as engine:
        (await engine.open(Notes, {"shot": "s1"})).update(text="kept")
    async with persistence_engine(scopes=("shot",)) as engine:
        assert (await engine.open(Notes, {"shot": "s1"})).values.text == "kept"

async def test_sqlite(persistence_engine, persistence_sqlite, tmp_path):
    async with persistence_engine(scopes=("shot",)) as engine:
        (await engine.open(Notes, {"shot": "s1"})).update(text="kept")
    assert (tmp_path / "persistence.db").exists()
"""

WRITTEN = """
async def test_it(persistence_memory, persistence_engine):
    async with persistence_engine(scopes=("shot",)) as engine:
        notes = await engine.open(Notes, {"shot": "s1"})
        notes.update(text="a", mode="advanced")
        await notes.flush()
        notes.reset("mode")
        await notes.flush()
    assert_written(persistence_memory, {NOTES: ["text", "mode"]})
    assert_written(persistence_memory, {NOTES: {"text": "a", "mode": "reset"}})
    for wrong in ({}, {NOTES: ["text"]}, {NOTES: {"text": "b", "mode": "reset"}}):
        with pytest.raises(AssertionError):
            assert_written(persistence_memory, wrong)
"""

MARKED = """
async def order():
    done = []
    async def one(name):
        for _ in range(3):
            await asyncio.sleep(0)
        done.append(name)
    await asyncio.gather(*map(one, range(8)))
    return done

@pytest.mark.virtual_time
async def test_plain():
    await asyncio.sleep(86_400)
    assert await order() == list(range(8))

@pytest.mark.virtual_time(seed=3)
async def test_shuffled():
    assert await order() != list(range(8))
"""

REFLEX = """
import reflex as rx
from persistence.reflex import SettingsState, setting

class Travel(SettingsState, tool="plugin-travel", edit="shot"):
    frames: rx.Field[int] = setting(61, ge=1, le=241)

    @rx.event
    def shorten(self):
        self.frames -= 20

async def test_it(persistence_site):
    owners = lambda page: {"shot": page.params.get("shot", "s1")}
    async with persistence_site(scopes=("user", "shot"), owners=owners) as site:
        tab, other = await site.open("t1"), await site.open("t2", user="ann")
        assert tab.shows(Travel, "frames") == 61
        await tab.send(Travel.shorten)
        assert tab.shows(Travel, "frames") == 41
        await site.until(lambda: other.shows(Travel, "frames") == 41)
        await tab.operate(Travel, "frames", 30)
        await tab.operate(Travel, "frames", 500)
        assert "241" in tab.shows(Travel, "errors")["frames"]
        await site.settle()
        assert await site.stored("shot", "s1", "plugin-travel") == {"frames": 30}
        tab.params = {"shot": "s2"}
        await tab.open()
        assert tab.shows(Travel, "frames") == 61

async def test_another_one_begins_anew(persistence_site):
    async with persistence_site(owners=lambda page: {}) as site:
        assert await site.stored("user", "ann", "plugin-travel") == {}
"""

CASES = {
    "failing": FAILING,
    "stores": STORES,
    "written": WRITTEN,
    "marked": MARKED,
    "reflex": REFLEX,
}


def guide() -> list[str]:
    """The guide's tests."""
    text = (ROOT / "docs" / "guide" / "testing.md").read_text()
    blocks = [each.split("```")[0] for each in text.split("```python\n")[1:]]
    return [block for block in blocks if "persistence_" in block]


def run(folder: Path, *arguments: str) -> str:
    """A run of pytest as where the package is installed: its entry point is there, and nothing of
    this project. Returns what it printed."""
    options = "-p persistence.pytest_plugin -p no:cacheprovider"
    environment = {**os.environ, "PYTEST_ADDOPTS": options, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """File → how each of its tests ended: "" for one that passed."""
    folder = tmp_path_factory.mktemp("app")
    for name, code in CASES.items():
        (folder / f"test_{name}.py").write_text(HEAD + code)
    for number, block in enumerate(guide()):
        (folder / f"test_guide_{number}.py").write_text(block)
    (folder / "pytest.ini").write_text("[pytest]\n")
    said = run(folder, "-W", "error", "--junit-xml=results.xml")
    found: dict[str, list[str]] = {}
    for case in ElementTree.parse(folder / "results.xml").iter("testcase"):
        file = case.get("classname", "").removeprefix("test_")
        found.setdefault(file, []).append(said if len(case) else "")
    return found


def all_passed(said: list[str], count: int) -> None:
    assert len(said) == count
    for each in said:
        assert not each, each


def test_an_engine_runs_in_virtual_time_and_its_store_fails_on_request(
    results: dict[str, list[str]],
):
    all_passed(results["failing"], 1)


def test_a_test_runs_on_both_stores_and_restarts_on_the_same_one(results: dict[str, list[str]]):
    all_passed(results["stores"], 3)


def test_what_was_written_is_compared_by_field_and_by_value(results: dict[str, list[str]]):
    all_passed(results["written"], 1)


def test_a_marked_test_runs_in_virtual_time_and_a_seed_shuffles_its_tasks(
    results: dict[str, list[str]],
):
    all_passed(results["marked"], 2)


def test_a_reflex_state_is_driven_without_a_browser(results: dict[str, list[str]]):
    all_passed(results["reflex"], 2)


def test_the_guides_tests_pass(results: dict[str, list[str]]):
    assert len(guide()) == 2
    all_passed(results["guide_0"] + results["guide_1"], 4)


def test_projects_that_dont_ask_for_it_are_left_alone(tmp_path: Path):
    (tmp_path / "test_plain.py").write_text("""
import sys, pytest

def test_a_plain_test_runs_as_ever():
    assert not {"reflex", "typer", "rich", "persistence.testing"} & sys.modules.keys()

async def test_a_coroutine_is_somebody_elses_to_run():
    raise SystemExit("it ran")

@pytest.fixture
def engine():
    return 1

def test_names_of_its_own(engine):
    assert engine == 1
""")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = strict")
    said = run(tmp_path)
    assert "async def functions are not natively supported" in said
    assert "1 failed, 2 passed" in said
    assert "it ran" not in said


def test_pytest_finds_it_where_the_package_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["pytest11"] == {
        "persistence": "persistence.pytest_plugin"
    }
