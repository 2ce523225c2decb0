"""The settings of many entities, as rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
import reflex as rx

from persistence.reflex import KeyedSettings, PersistenceState, SettingsState, bind_row, setting


def declare() -> tuple[Any, Any]:
    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        prompt: rx.Field[str] = setting("", inherit=False, max_length=20)
        frames: rx.Field[int] = setting(61, ge=1, le=241)

        @rx.event
        def shorten(self) -> None:
            self.frames = 41

    class Rows(KeyedSettings, settings=Travel, scope="shot", fields=("frames",)):
        @rx.event
        async def open(self, shots: list[str]) -> None:
            await self.show_rows(shots)

        @rx.event
        def lengthen(self, shot: str) -> None:
            self.set_value(shot, "frames", 200)

    return Travel, Rows


def frames(tab: Any, rows: Any) -> dict[str, int]:
    return {row["owner"]: row["values"]["frames"] for row in tab.shows(rows, "rows")}


async def test_rows_load_with_one_query_and_follow_changes(serve, until):
    travel, rows = declare()
    async with serve() as site:
        tab, other = await site.open("t1"), await site.open("t2")
        await other.send(travel.shorten)
        calls = []
        load = site.engine.store.load

        async def counted(targets: Any) -> Any:
            calls.append(list(targets))
            return await load(targets)

        site.engine.store.load = counted
        await tab.send(rows.open, shots=["ann-A", "ann-B", "ann-C"])
        assert frames(tab, rows) == {"ann-A": 41, "ann-B": 61, "ann-C": 61}
        assert len(calls) == 1
        assert len(calls[0]) == 2
        await other.send(travel.shorten)
        await tab.send(rows.lengthen, shot="ann-B")
        assert frames(tab, rows) == {"ann-A": 41, "ann-B": 200, "ann-C": 61}
        assert await site.stored("shot", "ann-B", "travel-ui-state") == {"frames": "200"}
        assert await site.stored("shot", "ann-A", "travel-ui-state") == {"frames": "41"}


async def test_a_bound_rows_edit_goes_to_its_own_entity(serve, until):
    _, rows = declare()
    async with serve() as site:
        tab, other = await site.open("t1"), await site.open("t2")
        await tab.send(rows.open, shots=["ann-B", "ann-C"])
        await other.send(rows.open, shots=["ann-C"])
        row = tab.shows(rows, "rows")[1]
        made = {
            "id": "op-1-w", "client": "c", "seq": 1, "target": json.loads(row["target"]),
            "field": "frames", "kind": "set", "value": 7, "base": row["info"]["frames"]["revision"],
        }  # fmt: skip
        await tab.send(PersistenceState.receive, operations=[made])
        assert frames(tab, rows) == {"ann-B": 61, "ann-C": 7}
        assert tab.shows(rows, "rows")[1]["info"]["frames"]["moves"] == 0
        await until(lambda: frames(other, rows) == {"ann-C": 7})
        made |= {"id": "op-2", "seq": 2, "value": 9999}
        await tab.send(PersistenceState.receive, operations=[made])
        assert "241" in tab.shows(rows, "rows")[1]["errors"]["frames"]
        await site.settle()
        assert await site.stored("shot", "ann-C", "travel-ui-state") == {"frames": "7"}


def test_a_wrong_view_is_refused_when_it_is_made(states):
    travel, rows = declare()
    row = rows.rows[0]
    assert bind_row(rows, row, "frames")["type"] == "number"
    with pytest.raises(TypeError, match="prompt"):
        bind_row(rows, row, "prompt")
    with pytest.raises(TypeError, match="has no"):

        class Wrong(KeyedSettings, settings=travel, scope="shot", fields=("nothing",)):
            pass
