"""What the engine keeps in memory: what is used, and some of what was."""

from __future__ import annotations

import pytest

from persistence import Engine, Settings, setting

pytestmark = pytest.mark.virtual


class Note(Settings, tool="kept-note", edit="shot"):
    text: str = setting("")


async def test_targets_in_use_are_kept_however_many_they_are() -> None:
    async with Engine("memory:", scopes=("user", "shot"), keep_loaded=10) as engine:
        shown = [await engine.open(Note, {"user": "u", "shot": f"s{i}"}) for i in range(40)]
        for binding in shown:
            binding.update(text=binding.owners["shot"])
        await engine.flush()
        again = [await engine.open(Note, {"user": "u", "shot": f"s{i}"}) for i in range(40)]
        assert [binding.get("text") for binding in again] == [f"s{i}" for i in range(40)]
        assert len(engine.layers) == 41


async def test_targets_out_of_use_are_forgotten_oldest_first() -> None:
    async with Engine("memory:", scopes=("user", "shot"), keep_loaded=10) as engine:
        for i in range(40):
            binding = await engine.open(Note, {"shot": f"s{i}"})
            binding.close()
        kept = [target.owner for target in engine.layers]
        assert len(kept) <= 12
        assert kept == [f"s{i}" for i in range(40 - len(kept), 40)]
