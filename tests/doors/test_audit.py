"""The audit of every door finds out what it is there for. Its run is in `tests/faults/doors.py`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from persistence.reflex import doors
from tests.doors.audit import handlers, routes, try_all
from tests.doors.door import Door, fresh_database, in_house, running
from tests.faults.tally import Tally


@in_house
async def test_every_door_takes_part(door: Door):
    """Of what is registered and mounted, and not of a list that somebody keeps."""
    states = {name.rpartition(".")[0].rpartition("____")[2] for name in handlers()}
    assert {"persistence_state", "history_state", "home", "project", "travel"} <= states
    assert not [name for name in handlers() if name.rpartition(".")[2].startswith("_")]
    assert {"/persistence/operations", "/auth/sign-in", "/ping"} <= {
        path for _, path in routes(door)
    }


def test_without_the_check_of_what_is_declared_the_audit_finds_server_errors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(doors, "check_event", lambda event: event)
    assert _finds_server_errors(tmp_path, "home.", "travel.")


def test_where_frames_are_not_looked_at_the_audit_finds_server_errors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(doors.rx_, "on_bad_frames", lambda *_: None)
    assert _finds_server_errors(tmp_path, "home.dismiss")


def _finds_server_errors(folder: Path, *handlers: str) -> bool:
    """With one of these seeds: what is tried, is drawn."""
    found = (_faults(folder / str(seed), seed, handlers) for seed in range(1, 9))
    return any("server error" in fault for faults in found for fault in faults)


def _faults(folder: Path, seed: int, handlers: tuple[str, ...]) -> list[str]:
    async def found() -> list[str]:
        tally = Tally()
        async with running() as door:
            await try_all(door, 160, seed, tally, roles=("guest",), only=handlers)
        return tally.faults

    folder.mkdir()
    with fresh_database(folder):
        return asyncio.run(found())
