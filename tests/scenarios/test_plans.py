"""Plans: several edits that are looked at first, and then made together or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from persistence import (
    UNSET,
    Engine,
    InvalidValue,
    Patch,
    PermissionDenied,
    Plan,
    PlanOutdated,
    PolicyViolation,
    Proposed,
    Settings,
    Skipped,
    StoreUnavailable,
    Target,
    setting,
)
from persistence.changes import Override
from persistence.layers import Layer
from persistence.plans import Why, confirmed_layers, propose
from persistence.testing import FailingStore
from tests.scenarios.tools import (
    MINE,
    OTHER,
    SHOT,
    Images,
    Range,
    Start,
    Travel,
    Ui,
    journal,
    stored,
    target,
)

PROJECT = target(Travel, "project")
SHOT_2 = target(Travel, "shot", "s2")


async def proposed(
    engine: Engine, at: Target, field: str, kind: Any, value: Any = None
) -> Proposed:
    (layer,) = await confirmed_layers(engine, [at])
    return propose(layer, field, kind, value)


async def moved_up(engine: Engine, value: int = 41) -> Plan:
    """The shot's frames become the project's."""
    up = await proposed(engine, PROJECT, "frames", "set", value)
    return Plan("Make it the project's", (up, await proposed(engine, SHOT, "frames", "reset")))


async def test_a_plan_changes_nothing_until_it_is_applied(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(frames=41)
        await travel.flush()
        plan = await moved_up(engine)
        assert (await stored(store), await stored(store, PROJECT)) == ({"frames": 41}, {})
        group = await engine.apply(plan, actor="ada")
        assert (await stored(store), await stored(store, PROJECT)) == ({}, {"frames": 41})
        rows = await store.history([SHOT, PROJECT], limit=2)
        assert {row.group for row in rows} == {group}


async def test_a_plan_tells_what_each_layer_says_before_and_after(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        up, down = (await moved_up(engine, 41)).edits
        assert (up.before.kind, up.after.kind, up.after.value) == ("reset", "set", 41)
        assert (down.before.kind, down.before.value, down.after.kind) == ("set", 41, "reset")


@pytest.mark.parametrize("upside_down", [False, True])
async def test_no_value_in_between_is_shown_whatever_the_order_of_the_edits(
    start: Start, upside_down: bool
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        plan = await moved_up(engine)
        back = await engine.open(Travel, OTHER)
        told: list[Any] = []
        travel.on_change(lambda values, _: told.append(values))
        back.on_change(lambda values, _: told.append(("other", values)))
        edits = plan.edits[::-1] if upside_down else plan.edits
        await engine.apply(Plan("", edits), actor="")
        assert told == [("other", {"frames": 41})]
        down = await proposed(engine, PROJECT, "frames", "reset")
        again = await proposed(engine, SHOT, "frames", "set", 41)
        edits = (again, down) if upside_down else (down, again)
        await engine.apply(Plan("", edits), actor="")
        assert told == [("other", {"frames": 41}), ("other", {"frames": 61})]


async def test_a_stronger_layer_that_takes_the_value_over_hides_the_weaker_ones_new_one(
    start: Start,
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", frames=41)
        told: list[Any] = []
        travel.on_change(lambda values, _: told.append(values))
        new = await proposed(engine, PROJECT, "frames", "set", 7)
        kept = await proposed(engine, SHOT, "frames", "set", 41)
        await engine.apply(Plan("", (new, kept)), actor="")
        assert (told, travel.values.frames) == ([], 41)


async def test_a_plan_of_many_targets_is_one_commit(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        targets = [target(Travel, "shot", f"s{number}") for number in range(300)]
        layers = await confirmed_layers(engine, targets)
        assert len(store.loads.log) == 1
        edits = tuple(propose(layer, "frames", "set", 41) for layer in layers)
        await engine.apply(Plan("", edits), actor="ada")
        assert [len(writes) for writes in store.commits.log] == [300]


async def test_a_plan_sets_what_is_inherited_already_if_it_says_so(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        edit = await proposed(engine, SHOT, "frames", "set", travel.values.frames)
        await engine.apply(Plan("", (edit,)), actor="")
        assert await stored(store) == {"frames": 61}


async def test_an_outdated_plan_does_nothing_and_says_what_moved_and_by_whom(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(frames=41)
        await travel.flush()
        plan = await moved_up(engine)
        other = await engine.open(Travel, MINE, actor="bob")
        other.update(frames=7)
        with pytest.raises(PlanOutdated) as refused:
            await engine.apply(plan, actor="ada")
        assert [(each.target, each.field, each.author) for each in refused.value.moved] == [
            (SHOT, "frames", "bob")
        ]
        assert "bob" in str(refused.value)
        assert (await stored(store), await stored(store, PROJECT)) == ({"frames": 7}, {})


async def test_what_another_process_wrote_outdates_a_plan(
    start: Start, store: FailingStore
) -> None:
    async with start() as here, start() as there:
        await here.open(Travel, MINE, actor="ada")
        plan = await moved_up(here)
        theirs = await there.open(Travel, MINE, actor="bob")
        theirs.update(scope="project", frames=7)
        await theirs.flush()
        with pytest.raises(PlanOutdated) as refused:
            await here.apply(plan, actor="ada")
        assert [each.author for each in refused.value.moved] == ["bob"]
        assert await stored(store, PROJECT) == {"frames": 7}
        await here.apply(await moved_up(here), actor="ada")
        assert await stored(store, PROJECT) == {"frames": 41}


async def test_an_edit_in_the_last_moment_outdates_a_plan_before_it_is_saved(
    start: Start, store: FailingStore
) -> None:
    async def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if action == "admin":
            bob.update(scope="project", frames=7)  # what is checked last has been asked already
        return True

    async with start(authorise=authorise) as engine:
        bob = await engine.open(Travel, MINE, actor="bob")
        policy = await proposed(engine, PROJECT, "frames", "policy", 24)
        with pytest.raises(PlanOutdated):
            await engine.apply(Plan("", (policy,)), actor="ada")
        await engine.flush()
        assert await stored(store, PROJECT) == {"frames": 7}


async def test_a_change_of_another_field_doesnt_outdate_a_plan(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        plan = await moved_up(engine)
        travel.update(mode="advanced")
        await engine.apply(plan, actor="")
        assert await stored(store) == {"mode": "advanced"}
        assert await stored(store, PROJECT) == {"frames": 41}


async def test_what_isnt_permitted_at_one_owner_changes_none(
    start: Start, store: FailingStore
) -> None:
    def only_shots(actor: str, action: str, scope: str, owner: str) -> bool:
        return action == "read" or scope == "shot"

    async with start(authorise=only_shots) as engine:
        plan = await moved_up(engine)
        with pytest.raises(PermissionDenied):
            await engine.apply(plan, actor="ada")
        assert store.written == []


async def test_the_app_is_asked_once_an_owner(start: Start) -> None:
    asked: list[tuple[str, str]] = []

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        asked.append((action, owner))
        return True

    async with start(authorise=authorise) as engine:
        edits = [await proposed(engine, SHOT, "frames", "set", 41)]
        edits.append(await proposed(engine, SHOT, "mode", "set", "advanced"))
        edits.append(await proposed(engine, target(Images, "shot"), "prompt", "set", "x"))
        await engine.apply(Plan("", tuple(edits)), actor="ada")
        assert asked.count(("write", "s1")) == 2  # by the plan, and at the commit


@pytest.mark.parametrize("kind", ["set", "reset"])
async def test_to_set_or_lift_a_policy_takes_an_administrator(
    start: Start, store: FailingStore, kind: str
) -> None:
    admins = {"boss"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action != "admin" or actor in admins

    async with start(authorise=authorise) as engine:
        boss = await engine.open(Travel, MINE, actor="boss")
        await boss.enforce("frames", 24, scope="project")
        lift = await proposed(engine, PROJECT, "frames", kind, 9 if kind == "set" else None)
        with pytest.raises(PermissionDenied):
            await engine.apply(Plan("", (lift,)), actor="ada")
        assert await stored(store, PROJECT) == {"frames": 24}
        await engine.apply(Plan("", (lift,)), actor="boss")
        assert await stored(store, PROJECT) == ({"frames": 9} if kind == "set" else {})


async def test_a_policy_that_came_since_stops_a_plan_unless_the_plan_lifts_it(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        edit = await proposed(engine, SHOT, "frames", "set", 9)
        await travel.enforce("frames", 24, scope="project")
        with pytest.raises(PolicyViolation):
            await engine.apply(Plan("", (edit,)), actor="")
        assert await stored(store) == {}
        lift = await proposed(engine, PROJECT, "frames", "reset")
        await engine.apply(Plan("", (edit, lift)), actor="")
        assert await stored(store) == {"frames": 9}


async def test_rules_across_settings_hold_for_a_plan_as_a_whole(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        shown = await engine.open(Range, MINE)
        at = target(Range)
        first = await proposed(engine, at, "first", "set", 20)
        last = await proposed(engine, at, "last", "set", 30)
        with pytest.raises(InvalidValue):
            await engine.apply(Plan("", (first,)), actor="")
        assert await stored(store, at) == {}
        await engine.apply(Plan("", (first, last)), actor="")
        assert (shown.values.first, shown.values.last) == (20, 30)


async def test_a_bad_value_anywhere_in_a_plan_changes_nothing(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        good = await proposed(engine, SHOT, "mode", "set", "advanced")
        bad = await proposed(engine, SHOT_2, "frames", "set", 500)
        with pytest.raises(InvalidValue):
            await engine.apply(Plan("", (good, bad)), actor="")
        assert store.written == []


async def test_a_plan_gives_a_merging_dict_the_whole_patch_of_its_layer(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        panes = await engine.open(Ui, MINE)
        panes.set_key("locks", "shots", True)
        panes.set_key("locks", "tasks", True)
        at = target(Ui, "user")
        edit = await proposed(engine, at, "locks", "set", Patch({"shots": False}))
        await engine.apply(Plan("", (edit,)), actor="")
        assert panes.values.locks == {"gens": False, "shots": False}
        assert await stored(store, at) == {"locks": {"remove": [], "set": {"shots": False}}}


async def test_while_the_store_is_away_a_plan_waits_as_a_whole(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        plan = await moved_up(engine)
        store.commits.fail()
        with pytest.raises(StoreUnavailable):
            await engine.apply(plan, actor="")
        assert (await stored(store), await stored(store, PROJECT)) == ({"frames": 41}, {})
        assert travel.values.frames == 41
        assert travel.origin("frames") == "project"
        await engine.flush()
        assert (await stored(store), await stored(store, PROJECT)) == ({}, {"frames": 41})
        assert len(store.commits.log[-1]) == 2


async def test_a_store_that_cant_be_read_leaves_a_plan_undone(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        plan = await moved_up(engine)
    async with start() as engine:
        store.loads.fail(None)
        with pytest.raises(StoreUnavailable):
            await engine.apply(plan, actor="")
        assert store.written == []


def test_a_secret_is_never_told_in_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persistence.settings.registry", {})

    class Keys(Settings, tool="s-plan-keys", edit="user"):
        token: str = setting("", secret=True)

    layer = Layer(target(Keys, "user"), Keys.__tool__)
    layer.confirmed["token"] = Override("set", "x8", 3)
    edit = propose(layer, "token", "set", "x9")
    assert (edit.before, edit.after) == (("set", UNSET, ""), ("set", UNSET, ""))


def skipped(why: Why, owner: str, field: str = "frames") -> Skipped:
    return Skipped(target(Travel, "shot", owner), field, why)


async def test_a_summary_counts_entities_where_there_are_several_else_settings(
    start: Start,
) -> None:
    async with start() as engine:
        layers = await confirmed_layers(
            engine, [target(Travel, "shot", f"s{number}") for number in range(37)]
        )
        edits = tuple(propose(layer, "frames", "set", 41) for layer in layers)
        more = tuple(propose(layer, "mode", "set", "advanced") for layer in layers)
        left = [skipped("policy", "p1"), skipped("policy", "p2")]
        left += [skipped("pinned", f"q{number}") for number in range(5)]
        plan = Plan("", (*edits, *more), tuple(left))
        assert plan.summary() == "37 shots, 5 pinned, 2 under policy"
        assert Plan("", edits[:1]).summary() == "1 setting"
        one = Plan("", (edits[0], more[0]), (skipped("same", "s0", "prompt"),))
        assert one.summary() == "2 settings, 1 already so"
        assert (await moved_up(engine)).summary() == "1 setting"
        empty = Plan("", (), (skipped("same", "s0"),))
        assert empty.is_empty
        assert empty.summary() == "nothing changes, 1 already so"


async def test_an_empty_plan_writes_nothing(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        assert await engine.apply(Plan("", ()), actor="ada")
        assert store.written == []
        assert await journal(engine) == []
