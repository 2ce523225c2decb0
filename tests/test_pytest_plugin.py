"""The pytest plugin, as an app's own tests meet it: each in a run of pytest of its own."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.usefixtures("away_from_here")

HEAD = """
import asyncio, pytest
from persistence import Settings, Target, setting
from persistence.testing import assert_nothing_pending, assert_written

class Notes(Settings, tool="plugin-notes", edit="shot"):
    text: str = setting("")
    mode: str = setting("basic")

NOTES = Target("shot", "s1", "plugin-notes")
"""


@pytest.fixture
def away_from_here(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the package is installed: its entry point is there, and nothing of this project."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p persistence.pytest_plugin -p no:cacheprovider")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def run(pytester: pytest.Pytester, code: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(HEAD + code)
    return pytester.runpytest_subprocess("-q", "-W", "error", *arguments)


def test_an_engine_runs_in_virtual_time_and_its_store_fails_on_request(pytester: pytest.Pytester):
    run(pytester, """
async def test_it(persistence_engine, persistence_memory, persistence_clock):
    async with persistence_engine(scopes=("user", "shot")) as engine:
        notes = await engine.open(Notes, {"shot": "s1"})
        persistence_memory.commits.fail(times=3)
        notes.update(text="kept")
        with pytest.raises(AssertionError, match="text of shot s1 of plugin-notes is pending"):
            assert_nothing_pending(engine)
        await persistence_clock.advance(3600)
        assert_nothing_pending(engine)
        assert persistence_clock.now >= 3600
        assert engine.wall() == persistence_clock.wall
    assert_written(persistence_memory, {NOTES: {"text": "kept"}})
""").assert_outcomes(passed=1)  # fmt: skip


def test_a_test_runs_on_both_stores_and_restarts_on_the_same_one(pytester: pytest.Pytester):
    run(pytester, """
async def test_it(persistence_store, persistence_engine):
    async with persistence_engine(scopes=("shot",)) as engine:
        (await engine.open(Notes, {"shot": "s1"})).update(text="kept")
    async with persistence_engine(scopes=("shot",)) as engine:
        assert (await engine.open(Notes, {"shot": "s1"})).values.text == "kept"

async def test_sqlite(persistence_engine, persistence_sqlite, tmp_path):
    async with persistence_engine(scopes=("shot",)) as engine:
        (await engine.open(Notes, {"shot": "s1"})).update(text="kept")
    assert (tmp_path / "persistence.db").exists()
""").assert_outcomes(passed=3)  # fmt: skip


def test_what_was_written_is_compared_by_field_and_by_value(pytester: pytest.Pytester):
    run(pytester, """
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
""").assert_outcomes(passed=1)  # fmt: skip


def test_a_marked_test_runs_in_virtual_time_and_a_seed_shuffles_its_tasks(
    pytester: pytest.Pytester,
):
    run(pytester, """
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
""", "--strict-markers").assert_outcomes(passed=2)  # fmt: skip


def test_a_reflex_state_is_driven_without_a_browser(pytester: pytest.Pytester):
    run(pytester, """
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
""").assert_outcomes(passed=2)  # fmt: skip


def test_projects_that_dont_ask_for_it_are_left_alone(pytester: pytest.Pytester):
    pytester.makepyfile("""
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
""")  # fmt: skip
    pytester.makeini("[pytest]\nasyncio_mode = strict")
    done = pytester.runpytest_subprocess("-q", "--strict-markers")
    done.stdout.fnmatch_lines(["*async def functions are not natively supported*"])
    done.assert_outcomes(passed=2, failed=1, warnings=done.parseoutcomes().get("warnings", 0))
    assert "it ran" not in done.stdout.str()


def test_pytest_finds_it_where_the_package_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["pytest11"] == {
        "persistence": "persistence.pytest_plugin"
    }


def test_the_guides_tests_pass(pytester: pytest.Pytester):
    guide = (ROOT / "docs" / "guide" / "testing.md").read_text()
    blocks = [each.split("```")[0] for each in guide.split("```python\n")[1:]]
    chosen = [block for block in blocks if "persistence_" in block]
    assert len(chosen) == 2
    pytester.makepyfile(**{f"test_{number}": block for number, block in enumerate(chosen)})
    pytester.runpytest_subprocess("-q", "-W", "error").assert_outcomes(passed=4)
