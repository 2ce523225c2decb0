"""The plugin's keywords."""

from __future__ import annotations

from typing import Any

from persistence.retention import KEEP_HISTORY


async def test_it_passes_on_how_long_history_is_kept(serve: Any) -> None:
    async with serve(keep_history=3_600.0) as site:
        assert site.engine.keep_history == 3_600.0
    async with serve() as site:
        assert site.engine.keep_history == KEEP_HISTORY
