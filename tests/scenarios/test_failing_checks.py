"""An app's check that fails itself costs the edit that it is about, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic
import pytest

from persistence import Settings, setting, validates
from persistence.http import submit_durably
from persistence.testing import FailingStore
from tests.scenarios.tools import MINE, Start, operation, stored, target

RATES = {"pal": 25, "film": 24}


class Rate(pydantic.BaseModel):
    name: str = "film"

    @pydantic.field_validator("name")
    @classmethod
    def is_known(cls, name: str) -> str:
        if RATES[name] < 0:  # KeyError for what it doesn't know
            raise ValueError("must be positive")
        return name


class Rates(Settings, tool="s-rates", edit="shot"):
    rate: Rate = setting(Rate())
    first: int | None = setting(1)
    last: int | None = setting(9)

    @validates("first", "last")
    def in_order(values: Mapping[str, Any]) -> None:  # noqa: N805  # it becomes a static method
        if values["first"] > values["last"]:  # TypeError for None
            raise ValueError("first must not lie after last")


@pytest.mark.parametrize(("field", "value"), [("rate", {"name": "ntsc"}), ("first", None)])
async def test_it_is_refused_and_those_behind_it_are_saved(
    start: Start, store: FailingStore, field: str, value: object
) -> None:
    at = target(Rates)
    async with start() as engine:
        await engine.open(Rates, MINE)
        edits = [
            operation("bad", field, value, target=at, seq=1),
            operation("good", "last", 20, target=at, seq=2),
        ]
        outcomes = await submit_durably(engine, edits, "ada")
        assert [each.status for each in outcomes] == ["refused", "confirmed"]
        assert await stored(store, at) == {"last": 20}


async def test_a_stored_value_on_which_it_fails_is_unreadable_and_the_rest_is_loaded(
    start: Start, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as engine:
        settings = await engine.open(Rates, MINE)
        settings.update(rate=Rate(name="pal"), last=20)
        await settings.flush()
    monkeypatch.delitem(RATES, "pal")
    async with start() as engine:
        settings = await engine.open(Rates, MINE)
        assert (settings.values.rate.name, settings.values.last) == ("film", 20)
        assert engine.layer(target(Rates)).unreadable.keys() == {"rate"}
