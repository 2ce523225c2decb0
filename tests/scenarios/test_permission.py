"""Rights and policies: who may read, write and enforce, on every way in."""

from __future__ import annotations

import asyncio

import pytest

from persistence import (
    EditError,
    InvalidValue,
    PermissionDenied,
    PolicyViolation,
    StoreError,
    StoreUnavailable,
)
from persistence.http import submit_durably
from persistence.testing import FailingStore
from tests.scenarios.tools import (
    MINE,
    OTHER,
    Start,
    Travel,
    Ui,
    operation,
    stored,
    target,
)


def only_ada(actor: str, action: str, scope: str, owner: str) -> bool:
    """Ada's are ada, film and s1; anyone else's answer like missing ones."""
    return actor == "ada" and owner in ("ada", "film", "s1") and action != "admin"


async def test_a_shot_of_somebody_else_answers_like_one_that_does_not_exist(
    start: Start, store: FailingStore
) -> None:
    async with start(authorise=only_ada) as engine:
        mine = await engine.open(Travel, MINE, actor="ada")
        mine.update(prompt="secret")
        await mine.flush()
        problems = set()
        for actor, owners in (
            ("ada", {**MINE, "shot": "s2"}),
            ("ada", {**MINE, "shot": "never-made"}),
            ("bob", {"shot": "s1"}),
            ("", {"shot": "s1"}),
        ):
            with pytest.raises(PermissionDenied) as caught:
                await engine.open(Travel, owners, actor=actor)
            problems.add(str(caught.value))
        for actor in ("bob", ""):
            outcome = await engine.submit(
                operation(f"op-{actor}", "prompt", "mine now"), actor=actor, wait=True
            )
            assert outcome.status == "refused"
            assert "secret" not in outcome.problem
        assert len(problems) == 1
        assert await stored(store) == {"prompt": "secret"}


async def test_a_binding_that_was_denied_shows_nothing_and_takes_nothing(
    start: Start, store: FailingStore
) -> None:
    async with start(authorise=only_ada) as engine:
        mine = await engine.open(Travel, MINE, actor="ada")
        mine.update(prompt="secret")
        await mine.flush()
        writes = len(store.written)
        bob = engine.bind(Travel, actor="bob")
        with pytest.raises(PermissionDenied):
            await bob.show(MINE)
        assert (bob.status, bob.ready, bob.values.prompt) == ("error", False, "")
        with pytest.raises(EditError):
            bob.update(prompt="mine now")
        bob.capture({"prompt": "mine now"}, source="program", stack=mine.stack)
        await asyncio.sleep(5)
        assert len(store.written) == writes
        mine.discard("prompt")
        assert mine.values.prompt == "secret"


async def test_a_right_that_was_taken_away_meanwhile_stops_the_write_and_keeps_the_edit(
    start: Start, store: FailingStore
) -> None:
    allowed = {"write", "read"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action in allowed

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        travel.update(prompt="too late")
        allowed.discard("write")
        await asyncio.sleep(5)
        assert await stored(store) == {}
        assert [(one.field, one.value) for one in travel.refused] == [("prompt", "too late")]
        assert travel.status == "error"


async def test_what_was_refused_and_is_tried_again_changes_its_own_keys_alone(
    start: Start, store: FailingStore
) -> None:
    allowed = {"bo"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action == "read" or actor in allowed

    async with start(authorise=authorise) as engine:
        mine = await engine.open(Ui, MINE, actor="ada")
        theirs = await engine.open(Ui, MINE, actor="bo")
        mine.set_key("locks", "mine", True)
        with pytest.raises(EditError):
            await mine.flush()
        theirs.set_key("locks", "theirs", True)
        await theirs.flush()
        allowed.add("ada")
        mine.retry("locks")
        await mine.flush()
        held = (await stored(store, target(Ui, "user")))["locks"]
        assert held["set"] == {"mine": True, "theirs": True}


async def test_an_authorise_that_takes_its_time_shows_as_loading(
    start: Start, store: FailingStore
) -> None:
    async def slow(actor: str, action: str, scope: str, owner: str) -> bool:
        await asyncio.sleep(0.1)
        return True

    async with start(authorise=slow) as engine:
        travel = engine.bind(Travel, actor="ada")
        showing = asyncio.create_task(travel.show(MINE))
        await asyncio.sleep(0.15)
        assert travel.status == "loading"
        await showing
        assert travel.status == "ready"


async def test_an_authorise_that_fails_refuses_and_harms_nobody_else(
    start: Start, store: FailingStore
) -> None:
    def broken(actor: str, action: str, scope: str, owner: str) -> bool:
        if actor == "bob":
            raise RuntimeError("the accounts are away")
        return True

    async with start(authorise=broken) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        with pytest.raises((RuntimeError, EditError, StoreError)):
            await engine.open(Travel, OTHER, actor="bob")
        travel.update(frames=41)
        await travel.flush()
        assert await stored(store) == {"frames": 41}


async def test_a_field_under_policy_cannot_be_overridden_on_any_way_in(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(frames=41)
        await travel.flush()
        await travel.enforce("frames", 24, scope="project", note="delivery is in 24")
        assert (travel.values.frames, travel.origin("frames")) == (24, "project")
        for attempt in (
            lambda: travel.update(frames=48),
            lambda: travel.pin("frames"),
            lambda: travel.block("frames"),
            lambda: travel.update(scope="project", frames=48),
        ):
            with pytest.raises(PolicyViolation, match="project"):
                attempt()
        with pytest.raises(PolicyViolation, match="delivery is in 24"):
            travel.update(frames=48)
        outcome = await engine.submit(operation("op", "frames", 48), actor="ada", wait=True)
        assert outcome.status == "refused"
        assert travel.values.frames == 24
        await engine.flush()
        assert await stored(store) == {"frames": 41}


async def test_a_policy_cannot_be_set_or_removed_by_who_does_not_administer_the_scope(
    start: Start, store: FailingStore
) -> None:
    rights = {"ada": {"read", "write"}, "boss": {"read", "write", "admin"}}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action in rights.get(actor, set())

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        boss = await engine.open(Travel, MINE, actor="boss")
        with pytest.raises(PermissionDenied):
            await travel.enforce("frames", 24, scope="project", note="no")
        await boss.enforce("frames", 24, scope="project", note="yes")
        with pytest.raises(PermissionDenied):
            await travel.relax("frames", scope="project")
        for attempt in (
            lambda: travel.reset("frames", scope="project"),
            lambda: travel.block("frames", scope="project"),
            lambda: travel.pin("frames", scope="project"),
        ):
            with pytest.raises(EditError):
                attempt()
        travel.reset(scope="project")  # all of the layer's: the policy isn't theirs to remove
        for kind in ("reset", "block", "pin", "set"):
            outcome = await engine.submit(
                operation(f"op-{kind}", "frames", 48, kind=kind,
                          target=target(Travel, "project"), base=1),
                actor="ada",
                wait=True,
            )  # fmt: skip
            assert outcome.status == "refused"
        await engine.flush()
        assert travel.values.frames == 24
        assert await stored(store, target(Travel, "project")) == {"frames": 24}
        await boss.relax("frames", scope="project")
        assert travel.values.frames == 61


async def test_relaxing_what_is_no_policy_removes_nothing(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.update(scope="project", frames=24)
        await travel.flush()
        await travel.relax("frames", scope="project")
        assert travel.values.frames == 24
        assert await stored(store, target(Travel, "project")) == {"frames": 24}


async def test_a_policy_with_a_wrong_value_is_refused(start: Start) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        with pytest.raises(InvalidValue, match="241"):
            await travel.enforce("frames", 999, scope="project", note="")
        with pytest.raises(EditError):
            await travel.enforce("prompt", "x", scope="project", note="content has no policy")


async def test_a_policy_that_came_while_an_edit_waited_stops_the_write_and_keeps_the_edit(
    start: Start, store: FailingStore
) -> None:
    async with start() as engine:
        travel = await engine.open(Travel, MINE)
        travel.hold()
        travel.update(frames=41)
        boss = await engine.open(Travel, {"user": "ada", "project": "film"}, edit="project")
        await boss.enforce("frames", 24, scope="project", note="delivery")
        travel.release()
        await asyncio.sleep(5)
        assert travel.values.frames == 24
        assert await stored(store) == {}
        assert [(one.field, one.value) for one in travel.refused] == [("frames", 41)]


async def test_a_policy_that_another_process_made_is_not_written_over(
    start: Start, store: FailingStore
) -> None:
    async with start() as one, start() as two:
        here = await one.open(Travel, MINE, actor="ada")
        there = await two.open(Travel, MINE, actor="ada")
        there.update(scope="project", frames=48)
        await here.enforce("frames", 24, scope="project", note="delivery")
        await asyncio.sleep(5)
        assert await stored(store, target(Travel, "project")) == {"frames": 24}
        assert there.values.frames == 24
        assert [(one.field, one.value) for one in there.refused] == [("frames", 48)]
        assert "delivery" in there.last_error


async def test_an_authorise_that_fails_for_one_actor_holds_up_no_other_ones_edits(
    start: Start, store: FailingStore
) -> None:
    broken = {"bob"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if action == "write" and actor in broken:
            raise RuntimeError("the accounts are away")
        return True

    async with start(authorise=authorise) as engine:
        ada = await engine.open(Travel, MINE, actor="ada")
        bob = await engine.open(Travel, OTHER, actor="bob")
        bob.update(frames=42)
        ada.update(frames=41)
        await asyncio.sleep(5)
        assert await stored(store) == {"frames": 41}
        assert (ada.status, bob.status, bob.is_dirty) == ("ready", "error", True)
        broken.clear()
        await asyncio.sleep(30)
        assert (bob.status, bob.is_dirty) == ("ready", False)
        assert await stored(store, target(Travel, owner="s2")) == {"frames": 42}


async def test_an_authorise_whose_database_is_away_is_no_failure_of_it(
    start: Start, store: FailingStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Each edit of each page asks it again: a traceback for every one would bury the log."""
    is_away = False

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if is_away and action == "write":
            raise StoreUnavailable("the accounts are away")
        return True

    async with start(authorise=authorise) as engine:
        travel = await engine.open(Travel, MINE, actor="ada")
        is_away = True
        travel.update(frames=41)
        outcome = await engine.submit(operation("op", "mode", "advanced"), actor="ada", wait=True)
        assert (outcome.status, outcome.problem) == ("pending", "the accounts are away")
        await asyncio.sleep(5)
        assert (travel.status, travel.is_dirty) == ("error", True)
        is_away = False
        await asyncio.sleep(30)
        assert (travel.status, await stored(store)) == ("ready", {"frames": 41})
    assert not [each for each in caplog.records if each.exc_info]


async def test_an_authorise_that_never_answers_holds_up_others_for_a_while_only(
    start: Start, store: FailingStore
) -> None:
    async def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if action == "write" and actor != "ada":
            await asyncio.Event().wait()
        return True

    async with start(authorise=authorise) as engine:
        for n in range(20):
            stuck = await engine.open(Travel, {**OTHER, "shot": f"t{n}"}, actor=f"bob{n}")
            stuck.update(frames=42)
        ada = await engine.open(Travel, MINE, actor="ada")
        ada.update(frames=41)
        await asyncio.sleep(12)
        assert (await stored(store), ada.is_dirty) == ({"frames": 41}, False)


async def test_an_authorise_that_fails_at_once_for_one_leaves_others_their_time(
    start: Start, store: FailingStore
) -> None:
    async def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if action == "write":
            if actor != "ada":
                raise KeyError(actor)
            await asyncio.sleep(2)
        return True

    async with start(authorise=authorise) as engine:
        bob = await engine.open(Travel, OTHER, actor="bob")
        ada = await engine.open(Travel, MINE, actor="ada")
        bob.update(frames=42)
        ada.update(frames=41)
        await asyncio.sleep(10)
        assert await stored(store) == {"frames": 41}


async def test_an_operation_nobody_says_who_may_make_holds_up_none_that_came_with_it(
    start: Start, store: FailingStore
) -> None:
    async def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if action == "write" and owner == "s2":
            await asyncio.Event().wait()
        return True

    async with start(authorise=authorise) as engine:
        hangs = operation("op1", "frames", 42, target=target(Travel, owner="s2"))
        good = operation("op2", "frames", 41, seq=2)
        answers = await submit_durably(engine, [hangs, good], "ada")
        assert [each.status for each in answers] == ["pending", "confirmed"]
        assert await stored(store) == {"frames": 41}
