"""Between layers: promote, copy, push; each as a plan that says what it leaves out and why."""

from __future__ import annotations

from typing import Any

import pytest

from persistence import (
    Binding,
    EditError,
    PermissionDenied,
    Plan,
    PlanOutdated,
    ScopeNotAllowed,
    Settings,
    StoreUnavailable,
    UnknownField,
    setting,
    transfers,
)
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
    stored,
    target,
)

PROJECT = target(Travel, "project")


def reasons(plan: Plan) -> dict[str, list[str]]:
    """Why → the owners, or for one owner the fields, that were left out."""
    found: dict[str, list[str]] = {}
    for each in plan.skipped:
        found.setdefault(each.why, []).append(each.target.owner)
    return found


def fields(plan: Plan) -> dict[str, str]:
    return {each.field: each.why for each in plan.skipped}


# --------------------------------------------------------------------------------- promote


async def test_promote_writes_the_weaker_layer_and_removes_the_stronger_in_one_commit(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(frames=41, mode="advanced")
        await travel.flush()
        before = len(store.commits.log)
        plan = await transfers.promote(travel, "frames", "mode", to="project")
        assert plan.summary() == "2 settings"
        await engine.apply(plan, actor="ada")
        assert len(store.commits.log) == before + 1
        assert await stored(store) == {}
        assert await stored(store, PROJECT) == {"frames": 41, "mode": "advanced"}
        assert (travel.values.frames, travel.origin("frames")) == (41, "project")


async def test_promote_shows_here_nothing_else_meanwhile_and_elsewhere_the_new_value_once(
    start: Start,
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        other = await engine.open(Travel, OTHER)
        overriding = await engine.open(Travel, {**MINE, "shot": "s3"})
        overriding.update(frames=7)
        travel.update(scope="user", frames=5)
        travel.update(frames=41)
        await engine.flush()
        told: dict[str, list[Any]] = {"here": [], "other": [], "overriding": []}
        for name, binding in (("here", travel), ("other", other), ("overriding", overriding)):
            binding.on_change(lambda values, _, name=name: told[name].append(values["frames"]))
        await engine.apply(await transfers.promote(travel, "frames", to="project"), actor="")
        assert told == {"here": [], "other": [41], "overriding": []}


async def test_promote_of_what_the_weaker_layer_says_already_only_removes(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.pin("frames")
        travel.update(scope="project", frames=61)
        travel.pin("frames", scope="project")
        await travel.flush()
        plan = await transfers.promote(travel, "frames", to="project")
        assert [(edit.target, edit.kind) for edit in plan.edits] == [(SHOT, "reset")]
        await engine.apply(plan, actor="")
        assert await stored(store, PROJECT) == {"frames": 61}


async def test_promote_leaves_out_what_cant_go_there(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(prompt="a fox", frames=3, strength=0.1)
        await travel.enforce("frames", 24, scope="user", note="house rule")
        plan = await transfers.promote(travel, "prompt", "mode", "frames", "strength", to="project")
        assert fields(plan) == {"prompt": "content", "mode": "same", "frames": "policy"}
        assert "house rule" in next(e.detail for e in plan.skipped if e.field == "frames")
        assert {edit.field for edit in plan.edits} == {"strength"}
        images = await engine.open(Images, MINE)
        images.update(model="other")
        plan = await transfers.promote(images, "model", to="user")
        assert fields(plan) == {"model": "scope"}


async def test_promote_over_a_layer_with_a_value_of_its_own_would_not_show_and_is_left_out(
    start: Start,
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", frames=24)
        travel.update(frames=41)
        plan = await transfers.promote(travel, "frames", to="user")
        assert fields(plan) == {"frames": "own"}


async def test_promote_folds_the_keys_of_a_merging_dict_and_hands_a_block_on(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        panes = await engine.open(Ui, MINE, edit="shot")
        panes.set_key("locks", "tasks", True, scope="project")
        panes.set_key("locks", "shots", True, scope="shot")
        panes.remove_key("locks", "gens", scope="shot")
        shown = panes.values.locks
        await engine.apply(await transfers.promote(panes, "locks", to="project"), actor="")
        assert panes.values.locks == shown == {"tasks": True, "shots": True}
        assert await stored(store, target(Ui, "shot")) == {}
        travel = await engine.open(Travel, MINE)
        travel.update(scope="user", frames=5)
        travel.block("frames")
        await engine.apply(await transfers.promote(travel, "frames", to="project"), actor="")
        assert (travel.values.frames, await stored(store, PROJECT)) == (61, {"frames": "block"})


async def test_promote_to_where_it_is_set_already_is_refused(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        with pytest.raises(ScopeNotAllowed, match="at the shot already"):
            await transfers.promote(travel, "frames", to="shot")
        with pytest.raises(UnknownField):
            await transfers.promote(travel, "nonsense", to="project")


async def test_promote_to_a_layer_of_somebody_else_is_refused(start: Start) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action == "read" or scope != "project"

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(frames=41)
        with pytest.raises(PermissionDenied):
            await transfers.promote(travel, "frames", to="project")


# --------------------------------------------------------------------------------- copy


async def test_copy_takes_configuration_and_names_what_stays(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(prompt="a fox", frames=41, mode="advanced")
        travel.pin("strength")
        travel.block("positions")
        other = await engine.open(Travel, OTHER)
        other.update(mode="basic", frames=7)
        other.pin("mode")
        plan = await transfers.copy(engine, ("shot", "s1"), ("shot", "s2"), actor="ada")
        assert fields(plan) == {"prompt": "content", "frames": "own", "mode": "pinned"}
        await engine.apply(plan, actor="ada")
        assert await stored(store, target(Travel, owner="s2")) == {
            "frames": 7, "mode": "basic", "strength": 0.5, "positions": "block",
        }  # fmt: skip
        assert other.explain("strength").layers[-1].kind == "pin"


async def test_copy_replaces_own_values_if_asked_to_but_not_pinned_ones(start: Start) -> None:
    async with start() as engine:
        travel, other = await engine.open(Travel, MINE), await engine.open(Travel, OTHER)
        travel.update(frames=41, mode="advanced", strength=0.25)
        other.update(frames=7, strength=0.25)
        other.pin("mode")
        plan = await transfers.copy(
            engine, ("shot", "s1"), ("shot", "s2"), actor="ada", own="replace"
        )
        assert fields(plan) == {"mode": "pinned", "strength": "same"}
        await engine.apply(plan, actor="ada")
        assert (other.values.frames, other.values.mode) == (41, "basic")


async def test_copy_can_be_of_one_tool(start: Start, store: FailingStore) -> None:
    async with start() as engine:
        (await engine.open(Travel, MINE)).update(frames=41)
        (await engine.open(Images, MINE)).update(scope="shot", prompt="x")
        plan = await transfers.copy(
            engine, ("shot", "s1"), ("shot", "s2"), actor="", tools=["s-travel", "s-none"]
        )
        assert [edit.target.tool for edit in plan.edits] == ["s-travel"]


async def test_copy_of_somebody_elses_shot_is_refused(start: Start) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return owner != "theirs"

    async with start(authorise=authorise) as engine:
        (await engine.open(Travel, MINE)).update(frames=41)
        await engine.flush()
        engine.authorise = None
        (await engine.open(Travel, {"shot": "theirs"})).update(frames=7)
        await engine.flush()
        engine.authorise = authorise
        for source, to in (("theirs", "s1"), ("s1", "theirs")):
            with pytest.raises(PermissionDenied):
                await transfers.copy(engine, ("shot", source), ("shot", to), actor="ada")


# --------------------------------------------------------------------------------- push


def shots(count: int) -> list[str]:
    return [f"t{number:02}" for number in range(count)]


async def opened(engine: Any, owner: str) -> Binding[Travel]:
    return await engine.open(Travel, {**MINE, "shot": owner}, actor="ada")


async def test_push_to_many_shots_is_counted_loaded_and_saved_together(
    start: Start, store: FailingStore
) -> None:
    owners = shots(44)
    async with start() as engine:
        for owner in owners[:5]:
            (await opened(engine, owner)).pin("frames")
        for owner in owners[5:7]:
            await (await opened(engine, owner)).enforce("frames", 9, scope="shot")
    async with start() as engine:
        travel = await opened(engine, "s1")
        travel.update(frames=41)
        await travel.flush()
        loads, commits = len(store.loads.log), len(store.commits.log)
        plan = await transfers.push(travel, "frames", owners=owners)
        assert len(store.loads.log) == loads + 1
        assert plan.summary() == "37 shots, 5 pinned, 2 under policy"
        assert plan.title == "Push to other shots"
        await engine.apply(plan, actor="ada")
        assert len(store.loads.log) == loads + 2  # what stands now
        assert [len(writes) for writes in store.commits.log[commits:]] == [37]
        assert (await opened(engine, owners[-1])).values.frames == 41
        assert (await opened(engine, owners[0])).values.frames == 61


async def test_push_keeps_own_values_unless_they_are_to_be_replaced(start: Start) -> None:
    async with start() as engine:
        travel = await opened(engine, "s1")
        travel.update(frames=41)
        (await opened(engine, "own")).update(frames=7)
        (await opened(engine, "blocks")).block("frames")
        (await opened(engine, "same")).update(frames=41)
        (await opened(engine, "pins")).pin("frames")
        owners = ["own", "blocks", "same", "pins", "free", "s1", "free"]
        plan = await transfers.push(travel, "frames", owners=owners)
        assert reasons(plan) == {"own": ["own", "blocks"], "same": ["same"], "pinned": ["pins"]}
        assert [edit.target.owner for edit in plan.edits] == ["free"]
        plan = await transfers.push(travel, "frames", owners=owners, own="replace")
        assert [edit.target.owner for edit in plan.edits] == ["own", "blocks", "free"]


async def test_push_gives_what_is_shown_here_also_where_it_is_inherited(start: Start) -> None:
    async with start() as engine:
        travel = await opened(engine, "s1")
        travel.update(scope="project", frames=24)
        elsewhere = {"s2": {"project": "other"}}
        plan = await transfers.push(travel, "frames", owners=["s2", "s3"], weaker=elsewhere)
        assert [edit.target.owner for edit in plan.edits] == ["s2"]
        assert reasons(plan) == {"same": ["s3"]}  # it inherits the same


async def test_push_sees_the_policies_that_others_are_under(start: Start) -> None:
    async with start() as engine:
        elsewhere = await engine.open(Travel, {"user": "ada", "project": "other"}, edit="project")
        await elsewhere.enforce("frames", 12, scope="project", note="by contract")
        travel = await opened(engine, "s1")
        travel.update(frames=41)
        plan = await transfers.push(
            travel, "frames", owners=["s2", "s3"], weaker={"s3": {"project": "other"}}
        )
        assert [edit.target.owner for edit in plan.edits] == ["s2"]
        assert [(each.why, each.target.owner) for each in plan.skipped] == [("policy", "s3")]
        assert "by contract" in plan.skipped[0].detail


async def test_push_leaves_content_behind_and_shots_that_are_gone_or_not_mine(
    start: Start,
) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return owner != "theirs" and (action == "read" or owner != "readonly")

    async with start(authorise=authorise) as engine:
        travel = await opened(engine, "s1")
        travel.update(prompt="a fox", frames=41)
        await opened(engine, "deleted")
        await engine.forget("shot", "deleted")
        plan = await transfers.push(
            travel, "prompt", "frames", owners=["theirs", "readonly", "deleted", "s2"]
        )
        assert [(edit.target.owner, edit.field) for edit in plan.edits] == [("s2", "frames")]
        assert {(s.target.owner, s.why) for s in plan.skipped} == {
            ("theirs", "gone"), ("readonly", "gone"), ("deleted", "gone"), ("s2", "content"),
        }  # fmt: skip


async def test_push_leaves_out_a_shot_where_the_settings_would_contradict_each_other(
    start: Start,
) -> None:
    async with start() as engine:
        here = await engine.open(Range, MINE)
        there = await engine.open(Range, OTHER)
        here.update(first=8)
        there.update(last=5)
        plan = await transfers.push(here, "first", owners=["s2", "s3"])
        assert [edit.target.owner for edit in plan.edits] == ["s3"]
        assert [(each.why, each.detail) for each in plan.skipped] == [
            ("invalid", "first must not lie after last")
        ]


async def test_push_merges_the_keys_that_this_layer_sets(start: Start) -> None:
    async with start() as engine:
        here = await engine.open(Ui, MINE, edit="shot")
        there = await engine.open(Ui, OTHER, edit="shot")
        here.set_key("locks", "shots", True, scope="shot")
        there.set_key("locks", "tasks", True, scope="shot")
        plan = await transfers.push(here, "locks", owners=["s2"], scope="shot", own="replace")
        await engine.apply(plan, actor="")
        assert there.values.locks == {"gens": False, "shots": True, "tasks": True}


async def test_a_push_that_the_store_cant_take_yet_is_saved_as_a_whole_later(
    start: Start, store: FailingStore
) -> None:
    owners = shots(20)
    async with start() as engine:
        travel = await opened(engine, "s1")
        travel.update(frames=41)
        plan = await transfers.push(travel, "frames", owners=owners)
        store.commits.fail()
        with pytest.raises(StoreUnavailable):
            await engine.apply(plan, actor="ada")
        held = [await stored(store, target(Travel, owner=owner)) for owner in owners]
        assert held == [{}] * 20
        await engine.flush()
        held = [await stored(store, target(Travel, owner=owner)) for owner in owners]
        assert held == [{"frames": 41}] * 20
        assert len(store.commits.log[-1]) == 20


async def test_a_push_is_outdated_by_one_shot_that_changed(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await opened(engine, "s1")
        travel.update(frames=41)
        plan = await transfers.push(travel, "frames", owners=["s2", "s3"])
        (await opened(engine, "s3")).update(frames=7)
        with pytest.raises(PlanOutdated) as refused:
            await engine.apply(plan, actor="ada")
        assert [each.target.owner for each in refused.value.moved] == ["s3"]
        assert await stored(store, target(Travel, owner="s2")) == {}


def test_secrets_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from persistence.layers import Layer

    monkeypatch.setattr("persistence.settings.registry", {})

    class Keys(Settings, tool="s-transfer-keys", edit="user"):
        token: str = setting("", secret=True)

    layer = Layer(target(Keys, "user"), Keys.__tool__)
    assert transfers.refusal(layer, Keys.__tool__.require("token")) == (
        "secret",
        "secrets stay where they are",
    )


async def test_a_transfer_from_what_isnt_loaded_is_refused(start: Start) -> None:
    async with start() as engine:
        travel = engine.bind(Travel)
        with pytest.raises(EditError, match="nothing is loaded"):
            await transfers.promote(travel, "frames", to="project")
