"""The project keeps its word: README, public names, packaging, and what must not be in the tree."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.documents import run_python

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
LOCKED = {"requirements.txt", "package-lock.json", "bun.lock"}


def tracked() -> list[Path]:
    """Every text file that a clone has (or will have, once what is new is added)."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git clone")
    files = [ROOT / line for line in listed.stdout.splitlines()]
    binary = {".png", ".ico", ".woff2", ".jpg", ".webp"}
    return [file for file in files if file.is_file() and file.suffix not in binary]


def test_the_readme_has_the_glossary_and_a_section_per_error() -> None:
    assert "| concept | word | not |" in README
    for word in ("setting", "layer stack", "edit target", "policy", "epoch"):
        assert f"**{word}**" in README
    errors = importlib.import_module("persistence.errors")
    names = {name for name, kind in vars(errors).items() if inspect.isclass(kind)}
    for name in sorted(names - {"PersistenceError", "EditError", "StoreError"}):
        assert f"### {name}\n" in README, f"README has no section about {name}"


def test_the_readme_names_the_engines_arguments_with_their_defaults() -> None:
    engine = importlib.import_module("persistence").Engine
    for name in inspect.signature(engine).parameters:
        assert f"`{name}`" in README, f"README's configuration table lacks {name}"


def constants_classes_functions(name: str) -> tuple[int, str]:
    """The order that ruff keeps."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("module", ["persistence", "persistence.store", "persistence.reflex"])
def test_all_is_sorted_and_is_what_is_exported(module: str) -> None:
    package = importlib.import_module(module)
    assert list(package.__all__) == sorted(package.__all__, key=constants_classes_functions)
    for name in package.__all__:
        assert getattr(package, name, None) is not None, f"{name} isn't there"
    source = ast.parse(Path(inspect.getfile(package)).read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
        if alias.name != "SQLiteStore"  # imported where it is used
    }
    assert imported == set(package.__all__) - {
        node.name for node in source.body if isinstance(node, ast.FunctionDef)
    }


def test_importing_the_library_imports_no_web_framework() -> None:
    code = """
import sys, persistence, persistence.testing
heavy = {"reflex", "reflex_base", "starlette", "cryptography"} & sys.modules.keys()
raise SystemExit(f"imports {sorted(heavy)}" if heavy else 0)
"""
    run_python("-c", code)


def test_no_file_is_longer_than_500_lines() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in tracked()
        if file.name not in LOCKED | {"LICENSE"}
        and (lines := file.read_text(errors="replace").count("\n")) > 500
    }
    assert long == {}


def test_no_machines_path_and_no_registrys_address_is_in_the_tree() -> None:
    # Put together here, so that this file isn't its own find.
    paths = ["/" + "home/", "/" + "root/", "/" + "work/", "/" + "Users/", "/" + "opt/"]
    hosts = [
        "pypi" + r"\.org",
        "pythonhosted" + r"\.org",
        "registry" + r"\.npmjs",
        "npm" + "mirror",
    ]
    forbidden = re.compile("|".join([rf"(?<![\w.$}}~-]){path}\w" for path in paths] + hosts))
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in tracked()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []


def test_the_locks_name_exact_versions_with_hashes() -> None:
    for folder in ("workbench", "tests", "benchmarks"):
        text = (ROOT / folder / "requirements.txt").read_text()
        entries = [line for line in text.splitlines() if re.match(r"[a-z]", line)]
        assert len(entries) > 20
        assert all("==" in line and line.endswith("\\") for line in entries)
        assert text.count("--hash=sha256:") >= len(entries)


def test_the_wheel_holds_only_the_library_and_needs_only_what_that_needs(tmp_path: Path) -> None:
    backend = pytest.importorskip("hatchling.builders.wheel", reason="hatchling isn't installed")
    built = next(backend.WheelBuilder(str(ROOT)).build(directory=str(tmp_path)))
    with zipfile.ZipFile(built) as wheel:
        names = wheel.namelist()
        metadata = next(name for name in names if name.endswith("/METADATA"))
        text = wheel.read(metadata).decode()
    folders = {name.split("/")[0] for name in names}
    assert folders == {"persistence", metadata.split("/")[0]}
    assert "persistence/py.typed" in names
    for file in (ROOT / "persistence").rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            assert str(file.relative_to(ROOT)) in names
    needs = {
        re.split(r"[<>=;\[ ]", line.removeprefix("Requires-Dist: "))[0]
        for line in text.splitlines()
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    }
    assert needs == {"alembic", "pydantic", "sqlmodel", "tomli-w"}
    assert "Provides-Extra: reflex" in text
    assert "Provides-Extra: secrets" in text


def test_what_reflex_wants_ignored_is_so_that_starting_it_changes_no_file() -> None:
    ignored = set((ROOT / ".gitignore").read_text().splitlines())
    assert {"*.db", "*.py[cod]", ".states", ".web", "__pycache__/", "assets/external/"} <= ignored


def test_no_test_takes_a_promise_for_an_answer() -> None:
    """Playwright's `wait_for_function` does: `tests/browser/waiting.py` has a wait that doesn't."""
    found = []
    for file in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "wait_for_function":
                asked = ast.unparse(node)
                if re.search(r"async|\.then\(|Promise|\.(failed|aside|sealed|left)\(", asked):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert found == []
