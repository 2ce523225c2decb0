"""An app's own states in the simulator, as the guide shows it."""

from __future__ import annotations

import reflex as rx

from persistence.reflex import SettingsState, setting
from persistence.testing import Odds, Report, simulate


def test_a_state_of_an_app_loses_nothing_whatever_happens() -> None:
    class Sound(SettingsState, tool="simulated-state", edit="shot"):
        volume: rx.Field[int] = setting(50, ge=0, le=100)
        mood: rx.Field[str] = setting("", inherit=False, max_length=200)
        tags: rx.Field[list[str]] = setting(default_factory=list)

    report = Report()
    for seed in range(8):
        report.add(
            simulate(
                seed, [Sound], scopes=("user", "project", "shot"), servers=2,
                values={"tags": [["a"], ["a", "b"], []]}, odds=Odds(kill_server=8),
            )
        )  # fmt: skip
    assert not report.faults, report
    assert report.happened["edits"] > 100
    assert report.happened["servers killed"] > 10
