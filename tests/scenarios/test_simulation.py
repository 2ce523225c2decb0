"""Seeded schedules of tabs, servers and failures; and that each guard, taken out, is missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from persistence import Ledger, Operation, Settings, setting
from persistence.appliers import Appliers
from persistence.operations import Operations
from persistence.pending import Pending
from persistence.scopes import Target
from persistence.simulation import Odds, Report, simulate
from persistence.simulation.lists import Lists
from persistence.simulation.play import Play
from persistence.store import MemoryStore
from persistence.store.base import Receipt, Write
from persistence.store.sqlite import SQLiteStore


class Simulated(Settings, tool="simulated", edit="shot"):
    frames: int = setting(61, ge=1, le=241)
    mode: Literal["a", "b", "c"] = setting("a")
    prompt: str = setting("", inherit=False, max_length=500)
    quick: int = setting(0, flush="now")
    locks: dict[str, bool] = setting({"a": True}, merge=True)


VALUES = {"locks": [{"a": True}, {"a": False}, {"b": True}]}


def played(seeds: range, **options: Any) -> Report:
    report = Report()
    for seed in seeds:
        report.add(simulate(seed, [Simulated], values=VALUES, **options))
    return report


def wrong(what: str, seeds: range, **options: Any) -> bool:
    """Does one of these schedules, played until one does, come out so?"""
    alone = (played(range(seed, seed + 1), **options) for seed in seeds)
    return any(what in fault for report in alone for fault in report.faults)


@pytest.mark.parametrize("servers", [1, 2, 3])
def test_whatever_happens_no_edit_is_lost_doubled_misplaced_or_unasked(servers: int) -> None:
    report = played(range(25), servers=servers)
    assert not report.faults, report
    assert report.happened["edits"] > 500
    assert report.happened["servers killed"] > 10
    assert report.happened["browsers killed"] > 10
    assert report.happened["conflict"] > 0


def test_the_same_with_servers_that_hear_of_one_another() -> None:
    """1022: a look superseded a load, whose waiter then took an unloaded layer for a loaded one."""
    report = played(range(1020, 1040), servers=2, feed=True)
    assert not report.faults, report
    assert report.happened["conflict"] > 0


@pytest.mark.parametrize("seed", [241, 370])  # an older edit, held up, took a newer one back
def test_schedules_that_once_went_wrong_come_out_right(seed: int) -> None:
    report = played(range(seed, seed + 1), servers=2)
    assert not report.faults, report


def test_it_comes_out_right_on_a_file_too(tmp_path: Path) -> None:
    report = Report()
    for seed in range(8):
        file = tmp_path / f"{seed}.db"
        report.add(simulate(seed, [Simulated], values=VALUES, store=lambda: SQLiteStore(file)))  # noqa: B023
    assert not report.faults, report


def test_a_seed_plays_the_same_schedule_again() -> None:
    one, again, other = (played(range(n, n + 1), servers=2) for n in (7, 7, 8))
    assert one == again
    assert one.happened != other.happened


# --- controls: without the guard, the same schedules come out wrong ------------------------------


class Forgetful(MemoryStore):
    """Doesn't keep which operations were done."""

    async def commit(self, writes: Sequence[Write]) -> Receipt:
        return await super().commit([write._replace(operations=()) for write in writes])


class Trusting(MemoryStore):
    """Doesn't compare revisions."""

    async def commit(self, writes: Sequence[Write]) -> Receipt:
        rows = await self.load({write.target for write in writes})
        checked = [
            write._replace(base=row.revision if (row := rows[write.target].get(write.field)) else 0)
            for write in writes
        ]
        return await super().commit(checked)


def test_without_the_operations_ids_edits_are_doubled() -> None:
    assert wrong("doubled", range(20), store=Forgetful)


def test_without_the_check_of_revisions_edits_are_written_over_unasked() -> None:
    assert wrong("unasked", range(60), servers=2, store=Trusting)


def test_with_an_outbox_that_dies_with_the_browser_edits_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep = Play._do_kill_browser

    def forget(play: Play) -> None:
        before = {name: len([t for t in play.tabs if t.user == name]) for name in play.outboxes}
        keep(play)
        for user in [u for u, n in before.items() if n and not any(t.user == u for t in play.tabs)]:
            play.outboxes[user].clear()

    monkeypatch.setattr(Play, "_do_kill_browser", forget)
    assert wrong("was lost", range(40))


def test_with_a_confirmation_that_clears_more_than_was_sent_edits_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    confirm = Pending.confirm

    def mark_clean(pending: Pending, field: str, revision: int) -> Any:
        pending.drop(field)
        return confirm(pending, field, revision)

    monkeypatch.setattr(Pending, "confirm", mark_clean)
    odds = replace(Odds(), edit=80, store_slow=30, switch=0)
    assert wrong("", range(40), odds=odds)


def test_with_a_target_that_is_read_when_it_is_sent_edits_are_misplaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submit = Operations.submit

    async def late(self: Operations, operation: Operation, **options: Any) -> Any:
        shown = Target("shot", "shot-1", operation.target.tool)
        at = shown if operation.target.scope == "shot" else operation.target
        return await submit(self, replace(operation, target=at), **options)

    monkeypatch.setattr(Operations, "submit", late)
    assert wrong("was misplaced", range(20))


# --- an app's own kind ---------------------------------------------------------------------------


SAYING = {"lists": ("one", "two"), "odds": replace(Odds(), say=60, kill_server=6)}


@pytest.mark.parametrize("servers", [1, 2])
def test_whatever_happens_each_line_of_a_list_is_there_once_and_in_order(servers: int) -> None:
    report = played(range(15), servers=servers, **SAYING)
    assert not report.faults, report
    assert report.happened["lines"] > 250
    assert report.happened["lines refused"] > 10
    assert report.happened["servers killed"] > 20
    assert report.happened["lines not added at once"] > 10


def test_without_the_ledger_lines_are_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "once", lambda *_: True)
    assert wrong("was doubled", range(10), **SAYING)


def test_without_waiting_for_the_one_before_lines_are_out_of_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Appliers, "_after", lambda *_: 0)
    assert wrong("out of order", range(15), **SAYING)


def test_with_a_ledger_that_is_committed_first_lines_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add = Lists._add

    def early(self: Lists, submitted: Any) -> None:
        with self._database.begin() as connection:
            is_new = self.ledger.once(connection, submitted)
        if is_new and self._play.random.random() > 0.1:  # else: the process died in between
            with monkeypatch.context() as inner:
                inner.setattr(Ledger, "once", lambda *_: True)
                add(self, submitted)

    monkeypatch.setattr(Lists, "_add", early)
    assert wrong("confirmed and lost", range(10), **SAYING)
