"""`export` and `import`: out as JSON or TOML, and in after a look at what would change."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Studio

INTO_S2 = ["shot=s2", "--import", "studio"]
OUT_OF_S1 = ["export", "shot=s1", "--import", "studio"]


@pytest.fixture
def document(studio: Studio) -> Path:
    path = studio.folder / "s1.json"
    path.write_text(json.dumps({"travel-ui-state": {"frames": 12, "speedMode": "advanced"}}))
    return path


def held(studio: Studio, owner: str = "shot=s2") -> dict[str, object]:
    return {row["field"]: row["value"] for row in studio.json("inspect", owner)}


def test_export_gives_a_document_by_the_names_of_the_wire(studio: Studio) -> None:
    text = studio.run(*OUT_OF_S1).stdout
    assert json.loads(text)["travel-ui-state"] == {"frames": 42, "prompt": "Gulls over the wake"}
    text = studio.run("export", "project=harbour", "--import", "studio", "--format", "toml").stdout
    made = tomllib.loads(text)
    assert made["travel-ui-state"]["speedMode"] == "advanced"
    assert made["image-generation"] == {"model": "sdxl"}, "a secret stays out"


def test_export_of_one_tool_into_a_file_which_is_never_overwritten(studio: Studio) -> None:
    where = ["export", "project=harbour", "--import", "studio", "--output", "out.toml"]
    done = studio.run(*where, "--tool", "image-generation")
    assert done.stdout == ""
    made = tomllib.loads((studio.folder / "out.toml").read_text())
    assert [tool for tool in made if not tool.startswith("$")] == ["image-generation"]
    assert "--output" in studio.run(*where, code=2).stderr
    assert "--tool" in studio.run("export", "shot=s1", "--tool", "nothing", code=2).stderr
    assert "--output" in studio.run(*OUT_OF_S1, "--output", "no/where.json", code=2).stderr


def test_export_without_declarations_says_that_it_writes_what_is_stored(studio: Studio) -> None:
    done = studio.run("export", "shot=s1")
    assert json.loads(done.stdout)["travel-ui-state"]["frames"] == 42
    assert "Nothing declares travel-ui-state" in done.stderr


def test_import_shows_what_changes_and_does_it_after_a_yes(studio: Studio, document: Path) -> None:
    before = held(studio)
    told = studio.run("import", str(document), *INTO_S2, input="n\n")
    assert "Changes of shot s2" in told.stdout
    assert "Nothing was changed." in told.stdout
    assert "Make these changes?" in told.stderr
    assert held(studio) == before
    told = studio.run("import", str(document), *INTO_S2, input="y\n")
    assert "Imported: 2 settings." in told.stdout
    assert held(studio) == {**before, "frames": 12, "speed_mode": "advanced"}


def test_a_dry_run_shows_the_same_and_changes_nothing(studio: Studio, document: Path) -> None:
    before = studio.bytes()
    told = studio.json("import", str(document), *INTO_S2, "--dry-run")
    assert told["summary"] == "2 settings"
    assert not told["applied"]
    assert [(edit["field"], edit["before"], edit["after"]) for edit in told["edits"]] == [
        ("frames", {"kind": "reset", "value": None}, {"kind": "set", "value": 12}),
        ("speed_mode", {"kind": "reset", "value": None}, {"kind": "set", "value": "advanced"}),
    ]
    assert studio.bytes() == before


def test_an_import_is_one_action_with_its_author(studio: Studio, document: Path) -> None:
    told = studio.json("import", str(document), *INTO_S2, "--yes", "--author", "bob")
    assert told["applied"]
    assert told["group"]
    rows = [row for row in studio.json("inspect", "shot=s2") if row["field"] != "prompt"]
    assert {row["author"] for row in rows} == {"bob"}
    assert studio.json("import", str(document), *INTO_S2, "--yes")["applied"] is False
    again = studio.run("import", str(document), *INTO_S2).stdout
    assert "Nothing would change." in again


def test_what_doesnt_fit_is_left_out_with_the_reason(studio: Studio) -> None:
    (studio.folder / "bad.toml").write_text(
        '[travel-ui-state]\nframes = 500\ntempo = 3\nprompt = "Dusk"\n[c-other]\na = 1\n'
    )
    told = studio.json("import", "bad.toml", *INTO_S2, "--yes")
    assert [edit["field"] for edit in told["edits"]] == ["prompt"]
    assert {(each["tool"], each["field"], each["why"]) for each in told["skipped"]} == {
        ("travel-ui-state", "frames", "invalid"),
        ("travel-ui-state", "tempo", "unknown"),
        ("c-other", "", "unknown"),
    }
    assert any("241" in each["detail"] for each in told["skipped"])
    assert held(studio)["prompt"] == "Dusk"


def test_a_document_comes_by_a_pipe(studio: Studio) -> None:
    text = studio.run(*OUT_OF_S1).stdout
    assert studio.run("import", "-", *INTO_S2, "--yes", input=text)
    assert held(studio) == {"frames": 42, "prompt": "Gulls over the wake"}


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["import", "nowhere.json", *INTO_S2], 2, "FILE"),
        (["import", "app.db", *INTO_S2], 2, "FILE"),
        (["import", "s1.json", "shot=s2"], 2, "--import"),
        (["import", "s1.json", *INTO_S2, "project=harbour"], 2, "--owner"),
        (["import", "s1.json", "--import", "studio"], 2, "--owner"),
        (["import", "s1.json", *INTO_S2, "--yes", "--dry-run"], 2, "--yes"),
        (["import", "-", *INTO_S2], 2, "--yes"),
        (["import", "s1.json", *INTO_S2, "--format", "xml"], 2, "--format"),
        (["import", "studio.py", *INTO_S2], 1, "isn't TOML"),
        (["export"], 2, "--owner"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_changed(
    studio: Studio, document: Path, arguments: list[str], code: int, named: str
) -> None:
    before = studio.bytes()
    assert named in studio.run(*arguments, code=code).stderr
    assert studio.bytes() == before
