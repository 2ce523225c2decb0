"""`prune` and `doctor`: what would go, what goes, what is wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from persistence import Binding, Engine
from tests.cli.conftest import SHOT, Studio

A_DAY = 86_400.0


def change(path: Path, statement: str, *parameters: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, parameters)


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT count(*) FROM persistence_{table}").fetchone()[0]


@pytest.fixture
def aged(studio: Studio) -> Studio:
    """Everything in it was written a hundred days ago; `frames` has three older values."""

    async def more(engine: Engine) -> None:
        shot: Binding[Any] = await engine.open("c-free", {"shot": "s1"}, actor="ana")
        for step in range(4):
            shot.set("step", step, operation=f"op-{step}")
            await shot.flush()

    studio.work(more)
    change(studio.path, "UPDATE persistence_change SET at = at - ?", 100 * A_DAY)
    change(studio.path, "UPDATE persistence_operation SET at = at - ?", 100 * A_DAY)
    return studio


def test_a_dry_run_counts_what_would_go_and_removes_nothing(aged: Studio) -> None:
    before = aged.bytes()
    counted = aged.json("prune", "--dry-run")
    assert counted == {
        "dry_run": True,
        "rows": 8,
        "of": {"change": 4, "override": 0, "operation": 4},
    }
    told = aged.run("prune", "--dry-run").stdout
    assert "changes in the journal" in told
    assert aged.bytes() == before


def test_prune_removes_as_much_as_the_dry_run_said_and_no_setting(aged: Studio) -> None:
    held = aged.json("inspect", *SHOT)
    expected = aged.json("prune", "--dry-run")
    removed = aged.json("prune")
    assert removed == {"dry_run": False, "rows": expected["rows"]}
    assert aged.json("inspect", *SHOT) == held
    assert rows(aged.path, "operation") == 0
    assert "Nothing that could go is that old." in aged.run("prune").stdout


def test_only_what_is_older_than_asked_goes(aged: Studio) -> None:
    assert aged.json("prune", "--older-than", "15w", "--dry-run")["rows"] == 0
    assert aged.json("prune", "--older-than", "14w", "--dry-run")["rows"] == 8
    assert "8 rows are gone." in aged.run("prune", "--older-than", "2000h").stdout


def test_operations_stay_known_for_as_long_as_a_browser_may_hold_one(studio: Studio) -> None:
    async def more(engine: Engine) -> None:
        shot: Binding[Any] = await engine.open("c-free", {"shot": "s1"}, actor="ana")
        shot.set("step", 1, operation="op-new")
        await shot.flush()

    studio.work(more)
    studio.run("prune", "--older-than", "0h")
    assert rows(studio.path, "operation") == 1


def test_prune_goes_beside_a_running_app(aged: Studio) -> None:
    import concurrent.futures

    async def busy(engine: Engine) -> None:
        shot: Binding[Any] = await engine.open("c-free", {"shot": "s1"}, actor="ana")
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            pruned = thread.submit(aged.json, "prune")
            for step in range(20):
                shot.set("step", step + 10)
                await shot.flush()
            assert pruned.result()["rows"] >= 4, "the app drops old operation ids, too"
        assert shot.get("step") == 29

    aged.work(busy)
    assert [row["value"] for row in aged.json("inspect", "shot=s1", "--search", "step")] == [29]


def test_doctor_finds_nothing_wrong_with_a_sound_database(studio: Studio) -> None:
    before = studio.bytes()
    findings = studio.json("doctor", "--import", "studio")
    assert {each["level"] for each in findings} == {"ok"}
    assert any("fit their declarations" in each["what"] for each in findings)
    assert "Finding" in studio.run("doctor").stdout
    assert studio.bytes() == before


def test_doctor_names_values_that_no_longer_fit_their_declaration(studio: Studio) -> None:
    change(
        studio.path,
        "UPDATE persistence_change SET text = '\"many\"' WHERE field = 'frames' AND owner = 's1'",
    )
    assert all("frames" not in each["what"] for each in studio.json("doctor"))
    found = studio.json("doctor", "--import", "studio")
    warning = next(each for each in found if each["level"] == "warning")
    assert "travel-ui-state.frames" in warning["what"]
    assert "must be a whole number" in warning["what"]
    assert "shot s1" in warning["what"]
    assert warning["hint"]


def test_doctor_ends_with_1_and_says_what_to_do_where_something_is_wrong(studio: Studio) -> None:
    change(studio.path, "DROP TABLE persistence_change")
    found = studio.json("doctor", code=1)
    errors = [each for each in found if each["level"] == "error"]
    assert errors
    assert all(each["hint"] for each in errors)


def test_doctor_reports_a_damaged_file_instead_of_failing(studio: Studio) -> None:
    studio.path.write_bytes(b"no database at all" * 100)
    found = studio.json("doctor", "--import", "studio", code=1)
    assert found[-1]["level"] == "error"


# --- quarantine ----------------------------------------------------------------------------------


def test_what_an_edit_replaced_unread_is_told_shown_and_removed(studio: Studio) -> None:
    assert "Nothing" in studio.run("quarantine").stdout
    change(
        studio.path,
        "INSERT INTO persistence_quarantine SELECT owner, scope, tool, field, revision, kind, "
        "CAST(x'7b22ff' AS TEXT), 'ana', 1.0, 1, 'no JSON' FROM persistence_override "
        "WHERE owner = 's1' LIMIT 1",
    )
    told = [each for each in studio.json("doctor") if "quarantine" in each["what"]]
    assert [each["level"] for each in told] == ["warning"]
    (kept,) = studio.json("quarantine")
    assert (kept["text"], kept["owner"], kept["problem"]) == ('{"\\udcff', "s1", "no JSON")
    assert "no JSON" in studio.run("quarantine", "--remove").stdout
    assert studio.json("quarantine") == []


def test_a_secret_in_quarantine_is_never_printed(studio: Studio) -> None:
    change(
        studio.path,
        "INSERT INTO persistence_quarantine SELECT owner, scope, tool, field, revision, kind, "
        "'gAAAAsealed', 'ana', 1.0, 1, 'no key opens it' FROM persistence_override LIMIT 1",
    )
    for told in (studio.run("quarantine").stdout, studio.run("quarantine", "--json").stdout):
        assert "no key opens it" in told
        assert "sealed" not in told
    studio.run("quarantine", "--remove")
    assert studio.json("quarantine") == []
