"""Moving in from a JSON column: once, checked, and never over what was written here."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlmodel import JSON, Column, Field, Session, SQLModel, create_engine

from persistence import PermissionDenied, StoreUnavailable
from persistence.moving import MovedIn, move_in, move_in_column
from persistence.testing import FailingStore
from tests.scenarios.tools import MINE, Images, Range, Start, Travel, Ui


class MovingShot(SQLModel, table=True):
    """An app's own table, with its settings in a column."""

    id: str = Field(primary_key=True)
    settings: Any = Field(default=None, sa_column=Column(JSON))


@pytest.fixture
def shots(tmp_path: Path) -> sqlalchemy.Engine:
    database = create_engine(f"sqlite:///{tmp_path}/app.db")
    SQLModel.metadata.create_all(database, tables=[SQLModel.metadata.tables["movingshot"]])
    return database


def fill(database: sqlalchemy.Engine, rows: dict[str, Any]) -> None:
    with Session(database) as session:
        session.add_all(MovingShot(id=key, settings=value) for key, value in rows.items())
        session.commit()


async def move(engine: Any, shots: sqlalchemy.Engine, **options: Any) -> MovedIn:
    ids: Any = MovingShot.id
    return await move_in_column(engine, shots, ids, MovingShot.settings, scope="shot", **options)


async def test_every_row_becomes_its_owners_overrides(
    start: Start, shots: sqlalchemy.Engine
) -> None:
    fill(shots, {f"s{n:03}": {"s-travel": {"prompt": f"take {n}", "frames": 41}} for n in range(7)})
    async with start() as engine:
        report = await move(engine, shots, batch=3, actor="ada")
        assert (report.owners, report.moved, report.problems) == (7, 14, [])
        assert report.last == "s006"
        travel = await engine.open(Travel, {**MINE, "shot": "s004"})
        assert travel.values.prompt == "take 4"
        assert travel.origin("frames") == "shot"
        assert travel.origin("mode") == "default"


async def test_wire_names_and_python_names_both_move_in(start: Start) -> None:
    async with start() as engine:
        plan = await move_in(
            engine, "project", "film", {"s-images": {"perPrompt": 2, "model": "x"}}
        )
        assert len(plan.edits) == 2
        images = await engine.open(Images, MINE)
        assert (images.values.per_prompt, images.values.model) == (2, "x")


async def test_what_was_written_here_stays_also_where_it_was_reset_since(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=100, mode="advanced")
        await travel.flush()
        travel.reset("mode")
        travel.update(strength=0.75)  # not saved yet
        document = {"s-travel": {"frames": 1, "mode": "advanced", "strength": 0.1, "prompt": "old"}}
        plan = await move_in(engine, "shot", "s1", document)
        assert [edit.field for edit in plan.edits] == ["prompt"]
        assert {each.field: each.why for each in plan.skipped} == {
            "frames": "own", "mode": "own", "strength": "own",
        }  # fmt: skip
        assert travel.values.frames == 100
        assert travel.values.mode == "basic"
        assert travel.values.strength == 0.75
        assert travel.values.prompt == "old"


async def test_a_move_that_ended_half_way_goes_on_and_one_that_is_repeated_changes_nothing(
    start: Start, shots: sqlalchemy.Engine, store: FailingStore
) -> None:
    fill(shots, {f"s{n}": {"s-travel": {"frames": n + 1}} for n in range(6)})
    async with start() as engine:
        notes: list[Any] = []

        def note(report: MovedIn) -> None:
            notes.append(report.last)
            if len(notes) == 2:
                store.commits.fail(times=None)

        with pytest.raises(StoreUnavailable):
            await move(engine, shots, batch=2, on_batch=note)
        assert notes == ["s1", "s3"]
        store.commits.mend()
        await asyncio.sleep(60)
        rest = await move(engine, shots, batch=2, after=notes[-1])
        assert (rest.owners, rest.last) == (2, "s5")
        again = await move(engine, shots)
        assert (again.owners, again.moved, again.left["own"]) == (6, 0, 6)
        assert again.problems == []
        travel = await engine.open(Travel, {**MINE, "shot": "s5"})
        assert travel.values.frames == 6


async def test_what_doesnt_fit_is_reported_and_the_rest_of_its_row_moves(
    start: Start, shots: sqlalchemy.Engine
) -> None:
    fill(shots, {
        "s1": {"s-travel": {"frames": 9000, "mode": "expert", "prompt": "kept", "gone": 1}},
        "s2": {"s-images": {"model": "x"}, "who-knows": {"a": 1}, "s-travel": [1]},
        "s3": "{not json",
        "s4": None,
        "s5": json.dumps({"s-travel": {"frames": 3}}),
        "s6": [1, 2],
    })  # fmt: skip
    async with start() as engine:
        report = await move(engine, shots)
        assert report.moved == 2
        assert report.owners == 6
        told = {(p.owner, p.tool, p.field): p.problem for p in report.problems}
        assert told["s1", "s-travel", "frames"] == "must be at most 241"
        assert "expert" not in told["s1", "s-travel", "mode"]
        assert told["s1", "s-travel", "gone"] == "no such setting is declared"
        assert "can't be set at shot" in told["s2", "s-images", "model"]
        assert told["s2", "who-knows", ""] == "no such tool is declared"
        assert told["s2", "s-travel", ""] == "isn't an object of settings"
        assert set(told) - {key for key in told if key[0] in ("s1", "s2")} == {
            ("s3", "", ""), ("s6", "", ""),
        }  # fmt: skip
        travel = await engine.open(Travel, MINE)
        assert travel.values.prompt == "kept"
    with Session(shots) as session:
        assert session.get(MovingShot, "s1").settings["s-travel"]["frames"] == 9000  # type: ignore[union-attr]


async def test_rules_across_settings_and_policies_are_kept(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="boss")
        await travel.enforce("mode", "basic", scope="project", note="until the review")
        document = {
            "s-range": {"first": 9, "last": 3},
            "s-travel": {"mode": "advanced", "frames": 2},
        }
        plan = await move_in(engine, "shot", "s1", document)
        assert [edit.field for edit in plan.edits] == ["frames"]
        assert {(s.field, s.why) for s in plan.skipped} == {
            ("first", "invalid"), ("last", "invalid"), ("mode", "policy"),
        }  # fmt: skip


async def test_a_rule_that_only_an_open_page_breaks_leaves_that_owner_alone(
    start: Start, shots: sqlalchemy.Engine
) -> None:
    fill(shots, {"s1": {"s-range": {"last": 3}}, "s2": {"s-range": {"last": 3}}})
    async with start() as engine:
        ranges = await engine.open(Range, MINE)
        ranges.update(first=5, scope="project")  # s1 is open and inherits it
        report = await move(engine, shots)
        assert (report.moved, [p.owner for p in report.problems]) == (1, ["s1"])


async def test_merging_dicts_move_in_as_their_keys(start: Start) -> None:
    async with start() as engine:
        await move_in(engine, "user", "ada", {"s-ui": {"locks": {"shots": True}}})
        ui = await engine.open(Ui, MINE)
        assert ui.values.locks == {"gens": False, "shots": True}


async def test_who_may_not_write_moves_nothing(start: Start) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return actor == "move-in" or action == "read"

    async with start(authorise=authorise) as engine:
        with pytest.raises(PermissionDenied):
            await move_in(engine, "shot", "s1", {"s-travel": {"frames": 3}}, actor="eve")
        plan = await move_in(engine, "shot", "s1", {"s-travel": {"frames": 3}}, actor="move-in")
        assert len(plan.edits) == 1


async def test_an_edit_in_between_wins(start: Start) -> None:
    """The edit comes after the plan was made, while the app's `authorise` is asked."""
    opened: list[Any] = []

    async def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if actor == "move-in" and opened:
            opened.pop().update(frames=77)
            await asyncio.sleep(1)
        return True

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        opened.append(travel)
        document = {"s-travel": {"frames": 3, "mode": "advanced"}}
        plan = await move_in(engine, "shot", "s1", document, actor="move-in")
        assert [edit.field for edit in plan.edits] == ["mode"]
        assert travel.values.frames == 77
