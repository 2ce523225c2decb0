"""The history panel in the real event pipeline: what it tells, compares, restores and names."""

from __future__ import annotations

from typing import Any

import reflex as rx

from persistence.reflex import SettingsState, history_panel, setting
from persistence.reflex.history import PAGE, HistoryState
from persistence.reflex.preview import PreviewState


def studio() -> Any:
    class Clip(SettingsState, tool="history-clip", edit="shot", title="Clip"):
        frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames")
        prompt: rx.Field[str] = setting("", inherit=False, title="Prompt")
        locks: rx.Field[dict[str, bool]] = setting(default_factory=dict, merge=True)
        tags: rx.Field[list[str]] = setting(default_factory=list)

        @rx.event
        def put(self, name: str, value: Any):
            setattr(self, name, value)

    class Look(SettingsState, tool="history-look", edit="user", title="Look"):
        theme: rx.Field[str] = setting("system", title="Theme")

        @rx.event
        async def both(self, theme: str, frames: int):
            self.theme = theme
            (await self.get_state(Clip)).frames = frames

    return Clip, Look


def describe(scope: str, ids: list[str]) -> dict[str, str]:
    del scope
    return {each: {"ann": "Ann", "bob": "Bob", "s1": "Dusk"}.get(each, "") for each in ids}


def one_shot(page: Any) -> dict[str, str]:
    del page
    return {"project": "p1", "shot": "s1"}


def told(tab: Any) -> list[Any]:
    """Who changed what, from what to what, newest first."""
    steps = tab.shows(HistoryState, "steps") or []
    return [
        (step["author"], [line for c in step["changes"] for line in lines(c)]) for step in steps
    ]


def lines(change: Any) -> list[tuple[str, str, str]]:
    return [(change["title"], part["before"], part["after"]) for part in change["parts"]]


async def opened(site: Any, token: str, user: str = "ann") -> Any:
    tab = await site.open(token, user)
    await tab.send(HistoryState.open, tools=["history-clip", "history-look"])
    return tab


async def test_steps_are_told_with_names_and_in_words(serve: Any) -> None:
    clip, _ = studio()
    async with serve(describe=describe, owners=one_shot) as site:
        ann, bob = await site.open("one"), await site.open("two", "bob")
        await ann.send(clip.put, name="frames", value=41)
        await bob.send(clip.put, name="frames", value=50)
        await ann.send(HistoryState.open, tools=["history-clip"])
        assert told(ann) == [
            ("Bob", [("Frames", "41", "50")]),
            ("You", [("Frames", "inherited", "41")]),
        ]
        (change,) = ann.shows(HistoryState, "steps")[0]["changes"]
        assert change["where"] == "Shot"
        assert ann.shows(HistoryState, "people") == ["Bob", "You"]


async def test_a_long_text_is_told_word_by_word_and_a_dict_key_by_key(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        tab = await site.open("one")
        await tab.send(clip.put, name="prompt", value="a slow pan over the harbour at dusk")
        await tab.send(clip.put, name="prompt", value="a slow pan over the old harbour at dawn")
        await tab.send(clip.put, name="locks", value={"gens": True, "shots": False})
        await tab.send(clip.put, name="locks", value={"shots": True})
        await tab.send(HistoryState.open, tools=["history-clip"])
        newest, first, text, _ = tab.shows(HistoryState, "steps")
        parts = [(p["label"], p["before"], p["after"]) for p in newest["changes"][0]["parts"]]
        assert parts == [("gens", "On", "removed"), ("shots", "Off", "On")]
        assert [p["label"] for p in first["changes"][0]["parts"]] == ["gens", "shots"]
        segments = text["changes"][0]["parts"][0]["segments"]
        assert [s["text"] for s in segments if s["kind"] == "del"] == ["dusk"]
        assert [s["text"].strip() for s in segments if s["kind"] == "ins"] == ["old", "dawn"]


async def test_an_event_that_edits_two_tools_is_one_step(serve: Any) -> None:
    _, look = studio()
    async with serve(owners=one_shot) as site:
        tab = await opened(site, "one")
        await tab.send(look.both, theme="dark", frames=12)
        await tab.send(HistoryState.open, tools=["history-clip", "history-look"])
        (step,) = tab.shows(HistoryState, "steps")
        assert {change["title"] for change in step["changes"]} == {"Theme", "Frames"}


async def test_what_happens_shows_in_open_panels_by_itself(serve: Any, until: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        ann, bob = await opened(site, "one"), await site.open("two", "bob")
        assert told(ann) == []
        await bob.send(clip.put, name="frames", value=50)
        await until(lambda: len(told(ann)) == 1)
        assert told(ann) == [("bob", [("Frames", "inherited", "50")])]


async def test_filters_and_older_steps(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        ann, bob = await site.open("one"), await site.open("two", "bob")
        for number in range(PAGE + 3):
            await ann.send(clip.put, name="frames", value=number + 1)
        await bob.send(clip.put, name="tags", value=["a"])
        await ann.send(HistoryState.open, tools=["history-clip"])
        assert (len(told(ann)), ann.shows(HistoryState, "has_more")) == (PAGE, True)
        await ann.send(HistoryState.load_more)
        assert (len(told(ann)), ann.shows(HistoryState, "has_more")) == (PAGE + 4, False)
        await ann.send(HistoryState.filter_field, field="history-clip.tags")
        assert [who for who, _ in told(ann)] == ["bob"]
        await ann.send(HistoryState.filter_field, field="")
        people = ann.shows(HistoryState, "people")
        await ann.send(HistoryState.filter_person, person=str(people.index("bob")))
        assert [who for who, _ in told(ann)] == ["bob"]


async def test_a_field_and_everything_are_restored_after_a_look(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        tab = await site.open("one")
        for value in (10, 20, 30):
            await tab.send(clip.put, name="frames", value=value)
        await tab.send(clip.put, name="tags", value=["a"])
        await tab.send(HistoryState.open, tools=["history-clip"])
        steps = tab.shows(HistoryState, "steps")
        await tab.send(HistoryState.restore_field, number=steps[2]["number"], position=0)
        preview = tab.shows(PreviewState, "preview")
        assert preview["title"] == "Restore “Frames”?"
        assert preview["choices"] == ["As it was after this", "As it was before this"]
        (row,) = preview["groups"][0]["rows"]
        assert (row["before"], row["after"]) == ("30", "20")
        await tab.send(PreviewState.confirm, number=preview["number"])
        assert tab.shows(clip, "frames") == 20
        await tab.send(HistoryState.restore, number=steps[3]["number"])
        preview = tab.shows(PreviewState, "preview")
        assert preview["summary"] == "2 settings"
        await tab.send(PreviewState.confirm, number=preview["number"])
        assert await site.stored("shot", "s1", "history-clip") == {"frames": "10"}


async def test_the_newest_change_offers_what_was_before_it(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        tab = await site.open("one")
        await tab.send(clip.put, name="frames", value=10)
        await tab.send(HistoryState.open, tools=["history-clip"])
        (step,) = tab.shows(HistoryState, "steps")
        await tab.send(HistoryState.restore_field, number=step["number"], position=0)
        preview = tab.shows(PreviewState, "preview")
        assert preview["chosen"] == 1
        assert preview["groups"][0]["rows"][0]["after"] == "inherits"


async def test_moments_are_named_compared_restored_and_deleted(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot, describe=describe) as site:
        tab = await site.open("one")
        await tab.send(clip.put, name="frames", value=10)
        await tab.send(HistoryState.open, tools=["history-clip"])
        assert tab.shows(HistoryState, "places")[0] == ["shot", "Shot"]
        await tab.send(HistoryState.name_moment, data={"name": "ten", "scope": "shot"})
        assert [m["name"] for m in tab.shows(HistoryState, "moments")] == ["ten"]
        await tab.send(HistoryState.name_moment, data={"name": "ten", "scope": "shot"})
        assert "is taken" in tab.shows(HistoryState, "name_problem")
        await tab.send(clip.put, name="frames", value=20)
        await tab.send(HistoryState.compare_moment, number=0)
        compared = tab.shows(HistoryState, "compared")
        assert (compared["name"], compared["until_at"]) == ("ten", 0)
        assert [c["parts"][0]["after"] for c in compared["changes"]] == ["20"]
        await tab.send(HistoryState.restore_moment, number=0)
        await tab.send(PreviewState.confirm, number=tab.shows(PreviewState, "preview")["number"])
        assert tab.shows(clip, "frames") == 10
        await tab.send(HistoryState.remove_moment, number=0)
        assert tab.shows(HistoryState, "moments")[0]["asking"]
        await tab.send(HistoryState.remove_moment, number=0)
        assert tab.shows(HistoryState, "moments") == []


async def test_two_steps_are_compared(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        tab = await site.open("one")
        for value in (10, 20, 30):
            await tab.send(clip.put, name="frames", value=value)
        await tab.send(HistoryState.open, tools=["history-clip"])
        newest, middle, first = (s["number"] for s in tab.shows(HistoryState, "steps"))
        await tab.send(HistoryState.compare, number=middle)
        await tab.send(HistoryState.compare, number=first)
        (change,) = tab.shows(HistoryState, "compared")["changes"]
        assert [(p["before"], p["after"]) for p in change["parts"]] == [("10", "20")]
        await tab.send(HistoryState.compare, number=newest)
        assert tab.shows(HistoryState, "compared")["changes"] == []
        await tab.send(HistoryState.end_comparing)
        assert not tab.shows(HistoryState, "compared")["is_open"]


async def test_what_no_page_of_ours_would_send_changes_nothing(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        tab, other = await site.open("one"), await site.open("two", "eve")
        await tab.send(clip.put, name="frames", value=10)
        await tab.send(HistoryState.open, tools=["history-clip"])
        before = tab.shows(HistoryState, "steps")
        await tab.send(HistoryState.open, tools=["no-such-tool", {"x": 1}])
        await tab.send(HistoryState.filter_field, field="history-clip.no_such")
        await tab.send(HistoryState.filter_person, person="-1")
        for number in (-1, 10**9, True, "x", None):
            await tab.send(HistoryState.restore, number=number)
            await tab.send(HistoryState.compare, number=number)
            await tab.send(HistoryState.restore_moment, number=number)
            await tab.send(HistoryState.remove_moment, number=number)
            await tab.send(HistoryState.restore_field, number=before[0]["number"], position=number)
        await tab.send(HistoryState.name_moment, data={"name": "x", "scope": "planet"})
        await tab.send(HistoryState.name_moment, data={"name": ["x"], "scope": "shot"})
        await other.send(HistoryState.restore, number=before[0]["number"])
        assert tab.shows(HistoryState, "steps") == before
        assert not (tab.shows(PreviewState, "preview") or {}).get("number")
        assert not (other.shows(PreviewState, "preview") or {}).get("number")
        assert await site.engine.store.moments("shot", "s1") == []


async def test_nothing_is_told_of_what_one_may_not_read_any_more(serve: Any) -> None:
    clip, _ = studio()
    foreign: set[str] = set()

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        del actor, action, scope
        return owner not in foreign

    async with serve(owners=one_shot, authorise=authorise) as site:
        tab = await site.open("one")
        await tab.send(clip.put, name="frames", value=10)
        foreign.add("s1")
        await tab.send(HistoryState.open, tools=["history-clip"])
        assert told(tab) == []


async def test_the_panel_can_be_put_on_a_page(serve: Any) -> None:
    clip, look = studio()
    async with serve(owners=one_shot):
        made = history_panel(clip, look, id="history")
        assert "persistence-history" in str(made)


async def test_an_edit_that_lost_a_conflict_is_told_as_one_and_can_be_brought_back(
    serve: Any,
) -> None:
    clip, _ = studio()
    history_panel(clip)
    async with serve(describe=describe, owners=one_shot) as site:
        ann, bob = await site.open("one"), await site.open("two", "bob")
        await ann.send(clip.put, name="frames", value=41)
        await bob.operate(clip, "frames", 50, base=0)
        await ann.send(HistoryState.open, tools=["history-clip"])
        lost, first = ann.shows(HistoryState, "steps")
        assert (lost["verb"], lost["author"], first["verb"]) == ("conflict", "Bob", "")
        assert lines(lost["changes"][0]) == [("Frames", "41", "50")]
        await ann.send(HistoryState.restore_field, number=lost["number"], position=0)
        preview = ann.shows(PreviewState, "preview")
        await ann.send(PreviewState.confirm, number=preview["number"])
        await site.settle()
        assert ann.shows(clip, "frames") == 50
