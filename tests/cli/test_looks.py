"""`inspect` and `explain`: the database as it is, for people and for scripts."""

from __future__ import annotations

from typing import Any

import pytest

from persistence import Binding, Engine
from tests.cli.conftest import SHOT, Studio


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


def test_inspect_shows_the_scopes_and_how_many_have_settings_there(studio: Studio) -> None:
    told = lines(studio.run("inspect").stdout)
    assert told[:4] == [["Scope", "Owners"], ["project", "1"], ["shot", "2"], ["user", "1"]]
    assert studio.json("inspect")[1] == {"scope": "shot", "owners": 2}


def test_inspect_lists_the_owners_of_a_scope_page_by_page(studio: Studio) -> None:
    page = studio.run("inspect", "--owners-of", "shot", "--limit", "1").stdout
    assert lines(page)[1][:3] == ["s1", "travel-ui-state", "2"]
    assert "--after s1" in page
    rest = studio.json("inspect", "--owners-of", "shot", "--after", "s1")
    assert [(each["owner"], each["tools"], each["settings"]) for each in rest] == [
        ("s2", ["travel-ui-state"], 1)
    ]


def test_inspect_shows_all_that_an_owner_holds(studio: Studio) -> None:
    held = studio.json("inspect", "project=harbour")
    assert {(row["tool"], row["field"], row["value"], row["kind"]) for row in held} == {
        ("travel-ui-state", "frames", 50, "set"),
        ("travel-ui-state", "speed_mode", "advanced", "policy"),
        ("image-generation", "model", "sdxl", "set"),
        ("image-generation", "token", "••••••", "set"),
    }
    assert "advanced (policy)" in studio.run("inspect", "project=harbour").stdout
    found = studio.json("inspect", "project=harbour", "--search", "SDXL")
    assert [row["field"] for row in found] == ["model"]


def test_inspect_says_who_holds_something_of_a_tool(studio: Studio) -> None:
    holders = studio.json("inspect", "travel-ui-state")
    assert {(each["scope"], each["owner"]) for each in holders} == {
        ("user", "ana"),
        ("project", "harbour"),
        ("shot", "s1"),
        ("shot", "s2"),
    }
    assert "Nobody holds anything of other" in studio.run("inspect", "other").stdout


def test_inspect_shows_a_tools_whole_stack(studio: Studio) -> None:
    rows = {
        row["field"]: row
        for row in studio.json("inspect", "travel-ui-state", *SHOT, "-i", "studio")
    }
    frames = rows["frames"]
    assert (frames["value"], frames["origin"], frames["default"]) == (42, "shot", 61)
    assert [(cell["scope"], cell["value"], cell["state"]) for cell in frames["layers"]] == [
        ("user", None, "unset"),
        ("project", 50, "shadowed"),
        ("shot", 42, "wins"),
    ]
    assert rows["speed_mode"]["policy"] == "project"
    assert rows["locks"]["layers"][0]["value"] == {"set": {"gens": True}, "remove": []}
    told = studio.run("inspect", "travel-ui-state", *SHOT, "-i", "studio").stdout
    head = next(line for line in told.splitlines() if line.startswith("Setting"))
    assert head.split("  ") != [head], "columns stand apart"
    assert ["frames", "61", "50", "42", "42", "shot"] in lines(told)


def test_without_declarations_values_are_shown_as_stored(studio: Studio) -> None:
    rows = {row["field"]: row for row in studio.json("inspect", "travel-ui-state", *SHOT)}
    assert rows["frames"]["value"] == 42
    assert rows["frames"]["default"] is None
    assert rows["locks"]["value"] == {"set": {"gens": True}, "remove": []}


def test_only_what_is_set_or_searched_for_is_shown(studio: Studio) -> None:
    where = ["inspect", "image-generation", "project=harbour", "-i", "studio"]
    assert [row["field"] for row in studio.json(*where, "--search", "sdx")] == ["model"]
    where = ["inspect", "travel-ui-state", "shot=s2", "-i", "studio"]
    assert [row["field"] for row in studio.json(*where, "--set")] == ["prompt"]


def test_muting_a_layer_shows_what_would_be_without_it(studio: Studio) -> None:
    rows = studio.json("inspect", "travel-ui-state", *SHOT, "-i", "studio", "--mute", "shot")
    frames = next(row for row in rows if row["field"] == "frames")
    assert (frames["value"], frames["origin"]) == (50, "project")
    assert frames["layers"][2]["state"] == "muted"
    assert "(muted)" in studio.run("inspect", "travel-ui-state", *SHOT, "--mute", "shot").stdout


def test_explain_tells_the_value_who_said_what_and_what_changed_lately(studio: Studio) -> None:
    owners = ["--owner", "user=ana", "project=harbour", "shot=s1"]
    told = studio.run("explain", "travel-ui-state", "frames", *owners, "-i", "studio").stdout
    assert told.startswith("travel-ui-state.frames = 42\nfrom the shot\n")
    table = lines(told)
    assert table[3][:5] == ["shot", "s1", "wins", "42", "ana"]
    assert table[4][:5] == ["project", "harbour", "shadowed", "50", "ana"]
    assert ["default", "61"] in table
    story = studio.json("explain", "travel-ui-state", "frames", *owners)
    assert [each["json"] for each in story["changes"]] == ["42", "41", "50"]
    assert story["changes"][0]["at"].endswith("+00:00")


def test_explain_tells_of_a_policy_with_its_reason(studio: Studio) -> None:
    told = studio.run("explain", "travel-ui-state", "speedMode", *SHOT, "-i", "studio").stdout
    assert "from the project (it is enforced there)" in told
    assert "policy, wins" in told
    assert "the budget" in told


@pytest.mark.parametrize("declared", [[], ["--import", "studio"]])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_secret_is_never_printed_not_even_encrypted(
    studio: Studio, declared: list[str], form: list[str]
) -> None:
    told = [
        studio.run(*command, *declared, *form).output
        for command in (
            ["inspect", "project=harbour"],
            ["inspect", "image-generation"],
            ["inspect", "image-generation", "project=harbour"],
            ["explain", "image-generation", "token", "project=harbour"],
        )
    ]
    assert "••••••" in told[0] + told[2] + told[3]
    assert not any("hunter2" in each or "gAAAA" in each for each in told)


def test_what_would_steer_a_terminal_is_written_out(studio: Studio) -> None:
    async def vandalise(engine: Engine) -> None:
        shot: Binding[Any] = await engine.open("c-free", {"shot": "s\x1b[2J"}, actor="\x9b31m")
        shot.set("text", "red \x1b[31m\x9b1m [bold]not[/bold]")

    studio.work(vandalise)
    told = studio.run("inspect", "shot=s\x1b[2J").stdout + studio.run("inspect", "c-free").stdout
    assert "\x1b" not in told
    assert "\x9b" not in told
    assert "\\x1b[2J" in told
    assert "[bold]not[/bold]" in told


def test_looking_changes_nothing_and_goes_beside_a_running_app(studio: Studio) -> None:
    async def busy(engine: Engine) -> None:
        shot: Binding[Any] = await engine.open("c-free", {"shot": "s9"}, actor="ana")
        shot.set("step", 1)
        await shot.flush()
        assert [row["value"] for row in studio_json("inspect", "shot=s9")] == [1]
        shot.set("step", 2)
        await shot.flush()

    def studio_json(*arguments: str) -> Any:
        import concurrent.futures

        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            return thread.submit(studio.json, *arguments).result()

    studio.work(busy)
    before = studio.bytes()
    studio.run("inspect", "travel-ui-state", *SHOT)
    studio.run("explain", "c-free", "step", "shot=s9")
    assert studio.bytes() == before
