"""How many keys and fields a layer may hold: refused with the limit; nothing else is touched."""

from __future__ import annotations

import pytest

from persistence import Engine, InvalidValue, Settings, quotas, setting


class Locks(Settings, tool="quota-locks", edit="user"):
    panes: dict[str, bool] = setting(default_factory=dict, merge=True)
    size: int = setting(1)


@pytest.mark.virtual
async def test_a_dict_that_merges_takes_so_many_keys_of_a_layer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quotas, "MOST_KEYS", 3)
    async with Engine("memory:", scopes=("user", "shot")) as engine:
        locks = await engine.open(Locks, {"user": "ana", "shot": "s1"})
        for key in ("a", "b", "c"):
            locks.set_key("panes", key, True)
        with pytest.raises(InvalidValue) as refused:
            locks.set_key("panes", "d", True)
        assert refused.value.field == "panes"
        assert "more than 3 keys" in refused.value.problem
        locks.set_key("panes", "a", False)  # those that are there can be changed
        locks.update(size=2)
        locks.set_key("panes", "d", True, scope="shot")  # and another layer has its own
        await locks.flush()
        assert locks.values.panes == {"a": False, "b": True, "c": True, "d": True}


@pytest.mark.virtual
async def test_a_tool_that_nobody_declared_takes_so_many_fields_of_a_layer(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(quotas, "MOST_FIELDS", 2)
    async with Engine("memory:", scopes=("user",)) as engine:
        loose = await engine.open("quota-nobody-declared", {"user": "ana"})
        loose.set("a", 1)
        loose.set("b", 2)
        with pytest.raises(InvalidValue) as refused:
            loose.set("c", 3)
        assert refused.value.field == "c"
        assert "2 fields" in refused.value.problem
        loose.set("a", 5)
        await loose.flush()
        assert (loose.get("a"), loose.get("b")) == (5, 2)
