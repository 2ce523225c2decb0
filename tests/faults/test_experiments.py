"""Every experiment briefly, and that each is found out without its guard."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MISSING
from tests.faults import power
from tests.faults.runner import experiments, main, parts, room
from tests.faults.tally import Experiment, Tally

ALL = experiments()


def marks(experiment: Experiment) -> list[pytest.MarkDecorator]:
    kinds = {"slow": experiment.slow, "browser": experiment.in_browser}
    return [getattr(pytest.mark, kind) for kind, is_so in kinds.items() if is_so]


def each() -> list[Any]:
    return [pytest.param(one, id=name, marks=marks(one)) for name, one in ALL.items()]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=room()) as name:
        yield Path(name)


def require(experiment: Experiment) -> None:
    if lacking := experiment.missing():
        pytest.skip(f"{MISSING}{lacking}")


@pytest.mark.parametrize("experiment", each())
def test_nothing_is_lost_doubled_or_elsewhere(experiment: Experiment, folder: Path) -> None:
    require(experiment)
    tally = experiment.run(experiment.short, 0, folder)
    assert not tally.faults, tally
    assert tally.count >= experiment.short


@pytest.mark.parametrize("experiment", each())
def test_without_the_guard_it_is_found_out(experiment: Experiment, folder: Path) -> None:
    require(experiment)
    assert experiment.control(0, folder).faults


@pytest.mark.slow
@pytest.mark.parametrize("number", [823, 502])
def test_a_sync_that_fails_behind_the_timelines_rows_loses_nothing(
    number: int, folder: Path
) -> None:
    """They were written without a sync of their own, and what was confirmed behind them stood on
    nothing: two of five such runs lost it."""
    require(ALL["power-cuts"])
    for turn in range(3):
        (place := folder / str(turn)).mkdir()
        tally = power.run(power.MANY, number * power.MANY, place, ["sync fails"])
        assert not tally.faults, tally


def test_a_count_is_shared_out_whole() -> None:
    experiment = ALL["schedules"]
    shares = list(parts(experiment, 610, 5))
    assert [(count, seed) for _, count, seed in shares] == [(250, 5), (250, 255), (110, 505)]


def test_a_tally_adds_up_and_says_what_it_found() -> None:
    one, other = Tally(count=2), Tally(count=3)
    one.lose("an edit")
    one.happened.update({"edits": 2, "slowest, in ms": 9})
    other.happened.update({"edits": 3, "slowest, in ms": 7})
    other.double("another")
    one.add(other)
    assert one.count == 5
    assert one.happened == {"edits": 5, "slowest, in ms": 9}
    assert one.numbers == "1 lost, 1 doubled, 0 elsewhere, 0 other faults"


def test_an_unknown_name_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nothing-of-the-kind"])
    assert "there are" in capsys.readouterr().err
