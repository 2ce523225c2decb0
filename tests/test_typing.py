"""What a type checker makes of a declaration, on both sides: right where right, else an error.

Each snippet is a whole module, checked by pyright in strict mode. A line that ends in `# error` has
to be reported, and no other line may be.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

PLAIN = """
from typing import Any, Literal, assert_type

from persistence import Binding, Engine, Explanation, Settings, setting


class Travel(Settings, tool="types-travel", edit="shot"):
    prompt: str = setting("", inherit=False, max_length=5000)
    mode: Literal["basic", "advanced"] = setting("basic")
    frames: int = setting(61, ge=1, le=241, title="Frames", help="How many", scopes=("shot",))
    positions: list[tuple[str, int]] = setting(default_factory=list)
    locks: dict[str, bool] = setting({}, merge=True, flush="now")
    token: str = setting("", secret=True, alias="apiToken")


async def use(engine: Engine) -> None:
    travel = await engine.open(Travel, {"shot": "s1"}, edit="shot", actor="ada")
    assert_type(travel, Binding[Travel])
    assert_type(travel.values, Travel)
    assert_type(travel.values.frames, int)
    assert_type(travel.values.mode, Literal["basic", "advanced"])
    assert_type(travel.values.positions, list[tuple[str, int]])
    assert_type(travel.explain("frames"), Explanation)
    assert_type(travel.update(frames=41), dict[str, str])
    assert_type(travel.as_dict(), dict[str, Any])
    assert_type(engine.bind(Travel), Binding[Travel])

    words: str = travel.values.frames  # error
    travel.values.frame  # error
    travel.values.frames = 3  # error
    travel.update(3)  # error
    await engine.open(Travel)  # error
    await engine.open(Travel, {"shot": 1})  # error
    travel.status = "ready"  # error
    travel.nonsense()  # error
    print(words)
"""

KEYWORDS = """
from persistence import Settings, setting


class Wrong(Settings, tool="types-wrong", edit="shot"):
    one: int = setting(1, minimum=3)  # error
    two: int = setting(1, ge="a")  # error
    three: int = setting(1, title=3)  # error
    four: int = setting(1, flush="later")  # error
    five: int = setting(1, scopes=3)  # error
    six: int = setting(1, merge="yes")  # error
    seven: int = setting(1, max_length=2.5)  # error
    eight: int = setting(1, 2)  # error


class Fine(Settings, tool="types-fine"):
    one: int = setting(1, ge=0, gt=-1, le=9, lt=10, multiple_of=1)
    two: str = setting("", min_length=0, max_length=9, pattern="^$")
"""

REFLEX = """
from typing import Literal, assert_type

import reflex as rx

from persistence import Engine
from persistence.reflex import SettingsState, setting


class Travel(SettingsState, tool="types-reflex-travel", edit="shot"):
    prompt: rx.Field[str] = setting("", inherit=False, max_length=5000)
    mode: rx.Field[Literal["basic", "advanced"]] = setting("basic")
    frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames")

    @rx.event
    def shorten(self) -> None:
        assert_type(self.frames, int)
        assert_type(self.prompt, str)
        self.frames = 41
        self.frames = "41"  # error
        self.prompt = 3  # error


assert_type(Travel.prompt, rx.vars.StringVar[str])
assert_type(Travel.frames, rx.vars.NumberVar[int])
longer = Travel.frames + 1
shout = Travel.prompt.upper()
never = Travel.frame  # error


async def use(engine: Engine) -> None:
    travel = await engine.open(Travel, {"shot": "s1"})
    assert_type(travel.values.frames, int)
    words: str = travel.values.frames  # error
    print(words, longer, shout, never)
"""


CONFIGURATION = {
    "typeCheckingMode": "strict",
    "pythonVersion": "3.11",
    "extraPaths": [str(ROOT)],
    "reportUnusedExpression": "none",
    "reportUnknownMemberType": "none",
    "reportUnknownVariableType": "none",
    "reportUnknownArgumentType": "none",
    "reportUnusedClass": "none",
}
"""Strict, but for what Reflex's own types leave open."""

SNIPPETS = {
    "a_binding_has_the_types_of_its_declaration": PLAIN,
    "the_keywords_of_setting_are_checked": KEYWORDS,
    "a_state_gives_vars_on_the_class_and_values_on_the_instance": REFLEX,
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, str]]:
    """pyright's errors in each snippet, by line; all in one run, since its start takes longest."""
    folder = tmp_path_factory.mktemp("snippets")
    (folder / "pyrightconfig.json").write_text(json.dumps(CONFIGURATION))
    for name, snippet in SNIPPETS.items():
        (folder / f"{name}.py").write_text(snippet)
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["generalDiagnostics"]
    except ValueError:
        pytest.fail(f"pyright didn't answer: {done.stdout}{done.stderr}")
    errors: dict[str, dict[int, str]] = {name: {} for name in SNIPPETS}
    for each in found:
        if each["severity"] == "error":
            line = each["range"]["start"]["line"]
            errors[Path(each["file"]).stem][line] = each["message"]
    return errors


@pytest.mark.slow
@pytest.mark.parametrize("name", SNIPPETS)
def test_types(name: str, errors: dict[str, dict[int, str]]) -> None:
    lines = SNIPPETS[name].splitlines()
    expected = {number for number, line in enumerate(lines) if line.endswith("# error")}
    wrong = [
        f"{lines[number]!r}: {message}"
        for number, message in errors[name].items()
        if number not in expected
    ]
    assert wrong == []
    missed = [lines[number] for number in sorted(expected - errors[name].keys())]
    assert missed == []
