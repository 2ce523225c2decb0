"""What a page is told of edits that weren't saved: words that last, and who keeps the edit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pytest
import reflex as rx

from persistence import Target
from persistence.reflex import PersistenceState, SettingsState, setting
from persistence.store.base import Write
from persistence.store.memory import MemoryStore

SHOT = Target("shot", "s1", "travel")
NAMES = {"user": {"bob": "Bob"}, "shot": {"s1": "Dusk"}, "project": {"p1": "The Last Ferry"}}


def declare() -> Any:
    class Travel(SettingsState, tool="travel", edit="shot", title="Travel"):
        prompt: rx.Field[str] = setting("", inherit=False, max_length=2000, title="Prompt")
        mode: rx.Field[Literal["basic", "advanced"]] = setting("basic")
        frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames", unit="frames")
        key: rx.Field[str] = setting("", secret=True, max_length=20)
        locks: rx.Field[dict[str, bool]] = setting(default_factory=dict, merge=True)

        @rx.event
        def shorten(self) -> None:
            self.frames = 41

        @rx.event
        def lock(self) -> None:
            self.locks["gens"] = True

        @rx.event
        def rekey(self) -> None:
            self.key = "a new secret"

    return Travel


def describe(scope: str, ids: list[str]) -> Mapping[str, str]:
    return {each: name for each, name in NAMES[scope].items() if each in ids}


@pytest.fixture
def shared(serve: Any) -> Any:
    """An app in which everybody sees the same shot, unless `authorise` says otherwise."""

    def running(**options: Any) -> Any:
        return serve(
            owners=lambda _: {"project": "p1", "shot": "s1"},
            describe=describe,
            key="s_sOgmGJZ4Kg6Gj8Q2QasC2WAJTbx0qOHHT4-1fPws0=",  # a key of the tests alone
            **options,
        )

    return running


def answers(tab: Any) -> list[dict[str, Any]]:
    return tab.shows(PersistenceState, "answers") or []


class Behind:
    """A store behind which somebody else's server writes."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    async def write(self, field: str, text: str, author: str = "bob") -> None:
        rows = (await self.store.load([SHOT]))[SHOT]
        base = rows[field].revision if field in rows else 0
        receipt = await self.store.commit(
            [Write(SHOT, field, "set", text, base, author, "user", 1_700_000_000.0)]
        )
        assert not receipt.moved


async def test_a_refusal_says_what_where_and_with_which_control(shared: Any) -> None:
    travel = declare()
    async with shared() as site:
        tab = await site.open()
        await tab.operate(travel, "frames", 1000)
        [told] = answers(tab)
        about = told["about"]
        assert (told["status"], about["title"], about["tool"]) == ("refused", "Frames", "Travel")
        assert about["where"] == ["Dusk", "The Last Ferry"]
        assert about["control"] == {
            "kind": "number", "min": 1, "max": 241, "step": 1, "unit": "frames",
        }  # fmt: skip
        await tab.operate(travel, "mode", "wild")
        assert answers(tab)[-1]["about"]["control"]["choices"] == [
            ["basic", "Basic"], ["advanced", "Advanced"],
        ]  # fmt: skip
        await tab.operate(travel, "prompt", "x" * 3000)
        assert answers(tab)[-1]["about"]["control"] == {"kind": "long"}


async def test_no_name_is_told_of_an_owner_that_one_may_not_read(shared: Any) -> None:
    travel = declare()

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return scope != "project"

    async with shared(authorise=authorise) as site:
        tab = await site.open()
        made = site.operation(tab, travel, "frames", 1000, target=["shot", "s1", "travel"])
        await tab.send(PersistenceState.receive, operations=[made])
        assert answers(tab)[0]["about"]["where"] == ["Dusk"]


async def test_a_secrets_answer_says_that_it_is_one(shared: Any) -> None:
    travel = declare()
    async with shared() as site:
        tab = await site.open()
        await tab.operate(travel, "key", "k" * 30)
        [told] = answers(tab)
        assert told["about"]["secret"]
        assert "kkk" not in str(told)


async def test_an_edit_of_what_was_deleted_says_so(shared: Any) -> None:
    travel = declare()
    async with shared() as site:
        tab = await site.open()
        made = site.operation(tab, travel, "frames", 30)
        await site.engine.forget("shot", "s1")
        await tab.send(PersistenceState.receive, operations=[made])
        assert answers(tab)[-1]["about"]["gone"]


async def test_a_handlers_conflict_goes_to_its_persons_browser_with_all_three_values(
    shared: Any,
) -> None:
    travel, behind = declare(), Behind()
    await behind.write("frames", "20")
    async with shared(database=behind.store) as site:
        ann, bob = await site.open("t1", "ann"), await site.open("t2", "bob")
        await behind.write("frames", "30")
        await ann.send(travel.shorten)
        await site.settle()
        [told] = answers(ann)
        assert (told["status"], told["origin"]) == ("conflict", "handler")
        assert told["problem"] == "was changed by Bob meanwhile"
        assert told["about"]["people"] == {"bob": "Bob"}
        assert (told["theirs"]["value"], told["theirs"]["by"]) == (30, "bob")
        assert told["base_value"]["value"] == 20
        assert (told["operation"]["kind"], told["operation"]["value"]) == ("set", 41)
        assert told["target"] == list(SHOT)
        assert answers(bob) == []


async def test_what_the_browser_keeps_the_server_lets_go_of_and_not_before(shared: Any) -> None:
    travel, behind = declare(), Behind()
    async with shared(database=behind.store) as site:
        ann, bob = await site.open("t1", "ann"), await site.open("t2", "bob")
        await behind.write("frames", "30")
        await ann.send(travel.shorten)
        await site.settle()
        layer = site.engine.layer(SHOT)
        [told] = answers(ann)
        held = {"id": told["id"], "target": list(SHOT), "field": "frames"}
        await bob.send(PersistenceState.hold, report={"held": [held], "decided": [held]})
        await ann.send(PersistenceState.hold, report={"held": [held | {"id": "another"}]})
        assert list(layer.conflicts) == [("frames", "ann")]
        assert ann.shows(travel, "status") == "error"
        await ann.send(PersistenceState.hold, report={"held": [held]})
        await site.settle()
        assert not layer.conflicts
        assert ann.shows(travel, "status") == "ready"
        assert ann.shows(travel, "frames") == 30


async def test_a_page_that_comes_later_hears_of_it_too(shared: Any) -> None:
    travel, behind = declare(), Behind()
    async with shared(database=behind.store) as site:
        ann = await site.open("t1", "ann")
        await behind.write("frames", "30")
        await ann.send(travel.shorten)
        await site.settle()
        again = await site.open("t2", "ann")
        await site.settle()
        assert [each["id"] for each in answers(again)] == [each["id"] for each in answers(ann)]


async def test_a_key_that_a_handler_set_is_told_as_an_edit_of_that_key(shared: Any) -> None:
    travel, allowed = declare(), {"write"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action != "write" or "write" in allowed

    async with shared(authorise=authorise) as site:
        ann = await site.open("t1", "ann")
        allowed.clear()
        await ann.send(travel.lock)
        await site.settle()
        [told] = answers(ann)
        assert told["status"] == "refused"
        assert told["operation"]["kind"] == "keys"
        assert told["operation"]["value"] == {"set": {"gens": True}, "remove": []}


async def test_a_secret_that_a_handler_set_goes_to_no_browser(shared: Any) -> None:
    travel, allowed = declare(), {"write"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action != "write" or "write" in allowed

    async with shared(authorise=authorise) as site:
        ann = await site.open("t1", "ann")
        allowed.clear()
        await ann.send(travel.rekey)
        await site.settle()
        assert answers(ann) == []
        assert list(site.engine.layer(SHOT).refused) == [("key", "ann")]
        assert "a new secret" not in str(ann.told)


async def test_a_decision_takes_the_complaint_back(shared: Any) -> None:
    travel = declare()
    async with shared() as site:
        tab = await site.open()
        known = await tab.operate(travel, "frames", 1000)
        assert "frames" in tab.shows(travel, "errors")
        decided = [{"id": known, "target": list(SHOT), "field": "frames"}]
        await tab.send(PersistenceState.hold, report={"held": [], "decided": decided})
        assert tab.shows(travel, "errors") == {}


@pytest.mark.parametrize(
    "report",
    [
        None, [], "held", {"held": 7}, {"held": ["x", None]},
        {"held": [{"id": 1, "target": ["a"], "field": {}}], "decided": {"a": 1}},
        {"decided": [{"id": "x", "target": ["nowhere", "s1", "no-tool"], "field": "f"}] * 1000},
    ],
)  # fmt: skip
async def test_what_no_page_of_ours_would_report_changes_nothing(shared: Any, report: Any) -> None:
    travel = declare()
    async with shared() as site:
        tab = await site.open()
        await tab.operate(travel, "frames", 1000)
        await tab.send(PersistenceState.hold, report=report)
        assert "frames" in tab.shows(travel, "errors")


async def test_what_a_handler_set_on_top_of_a_browsers_edit_is_told_as_the_handlers(
    shared: Any,
) -> None:
    travel, allowed = declare(), {"write"}

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action != "write" or "write" in allowed

    async with shared(authorise=authorise) as site:
        ann = await site.open("t1", "ann")
        site.engine.layer(SHOT).pending.holds += 1  # until the handler's edit folds onto it
        sent = await ann.operate(travel, "frames", 30)
        allowed.clear()
        await ann.send(travel.shorten)
        await site.settle()
        told = {each["origin"]: each for each in answers(ann) if "origin" in each}
        assert sent in {each["id"] for each in answers(ann)}
        assert told["handler"]["operation"]["value"] == 41
        assert told["handler"]["status"] == "refused"
