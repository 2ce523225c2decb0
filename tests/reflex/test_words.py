"""What a value is called for people."""

from __future__ import annotations

from persistence import Settings, setting
from persistence.reflex.panel.words import value_words


class Reel(Settings, tool="words-reel", edit="user"):
    frames: list[tuple[str, int]] = setting(default_factory=list)
    tags: list[str] = setting(default_factory=list)


def test_a_list_tells_how_many_it_holds_and_a_pair_in_it_tells_its_parts() -> None:
    specs = Reel.__tool__.fields
    assert value_words(specs["frames"], [("dawn", 0), ("dusk", 96)]) == "2: (dawn, 0), (dusk, 96)"
    assert value_words(specs["tags"], ["fog", "sea"]) == "2: fog, sea"
    assert value_words(specs["tags"], []) == "Empty"
