"""The plugin's keywords."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from persistence import Settings, setting
from persistence.reflex.components import persistence_root
from persistence.retention import KEEP_HISTORY


async def test_it_passes_on_how_long_history_is_kept(serve: Any) -> None:
    async with serve(keep_history=3_600.0) as site:
        assert site.engine.keep_history == 3_600.0
    async with serve() as site:
        assert site.engine.keep_history == KEEP_HISTORY


def test_a_page_is_built_with_the_versions_of_its_tools(states: Any):
    class Later(Settings, tool="p-later", version=3, migrations={1: dict, 2: dict}):
        frames: int = setting(1)

    class First(Settings, tool="p-first"):
        frames: int = setting(1)

    (root,) = [each for each in _all(persistence_root()) if each.custom_attrs.get("data-schemas")]
    built = json.loads(root.custom_attrs["data-schemas"])
    assert built["p-later"] == 3
    assert "p-first" not in built


def _all(component: Any) -> Iterator[Any]:
    yield component
    for each in component.children:
        yield from _all(each)
