"""The guide keeps its word: examples run, links lead somewhere, no exception is missing."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from tests.documents import ROOT, examples_of, run_example

GUIDE = ROOT / "docs" / "guide"
PAGES = [ROOT / "README.md", ROOT / "docs" / "guide.md", *sorted(GUIDE.glob("*.md"))]
ERRORS = importlib.import_module("persistence.errors")
EXCEPTIONS = {n: kind for n, kind in vars(ERRORS).items() if inspect.isclass(kind)}
BASES = {"PersistenceError", "EditError", "StoreError"}


def sections() -> dict[str, str]:
    """The sections of the page about errors, by heading."""
    parts = re.split(r"^## (.+)$", (GUIDE / "errors.md").read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("example", [each for page in PAGES for each in examples_of(page)])
def test_the_documents_examples_run(
    example: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_example(*example)


def test_every_exception_has_its_section_and_every_section_its_exception() -> None:
    assert set(sections()) == set(EXCEPTIONS)


@pytest.mark.parametrize("name", sorted(set(EXCEPTIONS) - BASES))
def test_an_errors_example_raises_it_with_the_message_that_is_shown(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    section = sections()[name]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    refused: Any = run_example(GUIDE / "errors.md", code)["refused"]
    assert type(refused.value).__name__ == name
    assert str(refused.value) == shown.strip()
    assert "**To do:**" in section


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_pages_and_headings_that_are_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}"


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    bare = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in bare}


def test_every_page_of_the_guide_is_in_its_index() -> None:
    index = (GUIDE / "index.md").read_text()
    for page in GUIDE.glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, f"{page.name} isn't listed"
