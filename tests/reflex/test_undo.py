"""Undo and redo in the real event pipeline: what the buttons say and do, and when one is asked."""

from __future__ import annotations

from typing import Any

import reflex as rx

from persistence.reflex import SettingsState, setting, undo_controls
from persistence.reflex.preview import PreviewState
from persistence.reflex.undo import UndoState


def studio() -> Any:
    class Clip(SettingsState, tool="undo-clip", edit="shot", title="Clip"):
        frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames")
        mode: rx.Field[str] = setting("basic", title="Mode")

        @rx.event
        def put(self, frames: int, mode: str = ""):
            self.frames = frames
            if mode:
                self.mode = mode

        @rx.event(background=True)
        async def later(self, frames: int):
            async with self:
                self.frames = frames

    class Look(SettingsState, tool="undo-look", edit="user", title="Look"):
        theme: rx.Field[str] = setting("system", title="Theme")

        @rx.event
        async def both(self, theme: str, frames: int):
            self.theme = theme
            (await self.get_state(Clip)).frames = frames

    return Clip, Look


def describe(scope: str, ids: list[str]) -> dict[str, str]:
    del scope
    return {each: {"bob": "Bob", "s1": "Dusk"}.get(each, "") for each in ids}


def one_shot(page: Any) -> dict[str, str]:
    del page
    return {"project": "p1", "shot": "s1"}


async def opened(site: Any, token: str, user: str = "ann") -> Any:
    tab = await site.open(token, user)
    await tab.send(UndoState.watch)
    return tab


def labels(tab: Any) -> tuple[str, str]:
    return tab.shows(UndoState, "undo_label"), tab.shows(UndoState, "redo_label")


def said(tab: Any) -> str:
    return (tab.shows(UndoState, "said") or "").partition("|")[2]


async def test_the_buttons_say_what_they_will_do_and_do_it(serve: Any, until: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot, describe=describe) as site:
        tab = await opened(site, "one")
        assert labels(tab) == ("", "")
        await tab.send(clip.put, frames=41)
        await until(lambda: labels(tab) == ("Frames in Dusk", ""))
        await tab.send(UndoState.undo)
        assert (tab.shows(clip, "frames"), said(tab)) == (61, "Undid: Frames in Dusk")
        assert labels(tab) == ("", "Frames in Dusk")
        await tab.send(UndoState.redo)
        assert (tab.shows(clip, "frames"), said(tab)) == (41, "Did again: Frames in Dusk")
        assert labels(tab) == ("Frames in Dusk", "")


async def test_an_event_over_two_tools_is_undone_at_once(serve: Any) -> None:
    clip, look = studio()
    async with serve(owners=one_shot) as site:
        tab = await opened(site, "one")
        await tab.send(clip.put, frames=20)
        await tab.send(look.both, theme="dark", frames=30)
        await tab.send(UndoState.undo)
        assert (tab.shows(clip, "frames"), tab.shows(look, "theme")) == (20, "system")


async def test_another_tab_of_the_person_knows_what_is_next_and_shows_what_was_undone(
    serve: Any, until: Any
) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        one, two = await opened(site, "one"), await opened(site, "two")
        await one.send(clip.put, frames=41)
        await until(lambda: labels(two)[0] == "Frames in Shot")
        await two.send(UndoState.undo)
        await until(lambda: one.shows(clip, "frames") == 61)
        await until(lambda: labels(one) == ("", "Frames in Shot"))


async def test_what_others_and_programs_do_is_nothing_to_undo(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        ann, bob = await opened(site, "one"), await opened(site, "two", "bob")
        await bob.send(clip.put, frames=20)
        await ann.send(clip.later, frames=30)
        await site.settle()
        await ann.send(UndoState.undo)
        assert (ann.shows(clip, "frames"), said(ann)) == (30, "Nothing to undo")


async def test_what_somebody_changed_since_is_asked_about(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot, describe=describe) as site:
        ann, bob = await opened(site, "one"), await opened(site, "two", "bob")
        await ann.send(clip.put, frames=20, mode="advanced")
        await bob.send(clip.put, frames=33)
        await ann.send(UndoState.undo)
        preview = ann.shows(PreviewState, "preview")
        assert preview["title"] == "Undo 2 settings in Dusk?"
        assert preview["note"] == "Bob changed Frames in Dusk to 33 since."
        assert preview["choices"] == ["Undo the rest", "Undo all of it anyway"]
        await ann.send(PreviewState.confirm, number=preview["number"])
        assert (ann.shows(clip, "frames"), ann.shows(clip, "mode")) == (33, "basic")
        assert said(ann).startswith("Undid: 2 settings in Dusk. Left out:")
        await ann.send(UndoState.redo)
        assert ann.shows(clip, "mode") == "advanced"


async def test_one_may_undo_all_of_it_anyway_or_leave_it(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        ann, bob = await opened(site, "one"), await opened(site, "two", "bob")
        await ann.send(clip.put, frames=20)
        await bob.send(clip.put, frames=33)
        await ann.send(UndoState.undo)
        preview = ann.shows(PreviewState, "preview")
        assert preview["choices"] == ["Leave it", "Undo all of it anyway"]
        await ann.send(PreviewState.cancel, number=preview["number"])
        assert ann.shows(clip, "frames") == 33
        await ann.send(UndoState.undo)
        number = ann.shows(PreviewState, "preview")["number"]
        await ann.send(PreviewState.choose, number=number, choice=1)
        await ann.send(PreviewState.confirm, number=number)
        assert ann.shows(clip, "frames") == 61
        await ann.send(UndoState.redo)
        await ann.send(clip.put, frames=20)
        await bob.send(clip.put, frames=40)
        await ann.send(UndoState.undo)
        await ann.send(PreviewState.confirm, number=ann.shows(PreviewState, "preview")["number"])
        assert (ann.shows(clip, "frames"), "wasn't undone" in said(ann)) == (40, True)


async def test_what_is_gone_is_said_and_passed_over(serve: Any) -> None:
    clip, look = studio()
    foreign: set[str] = set()

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        del actor, action, scope
        return owner not in foreign

    async with serve(owners=one_shot, authorise=authorise, describe=describe) as site:
        tab = await opened(site, "one")
        await tab.send(look.both, theme="dark", frames=61)
        await tab.send(clip.put, frames=20)
        foreign.add("s1")
        await tab.send(UndoState.undo)
        assert said(tab) == "Frames in Shot wasn't undone: there is no such shot of yours"
        await tab.send(UndoState.undo)
        assert await site.stored("user", "ann", "undo-look") == {}


async def test_while_the_database_is_away_that_is_said(serve: Any, monkeypatch: Any) -> None:
    from persistence import StoreUnavailable

    clip, _ = studio()

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    async with serve(owners=one_shot) as site:
        tab = await opened(site, "one")
        await tab.send(clip.put, frames=20)
        with monkeypatch.context() as patch:
            patch.setattr(site.engine.store, "authored", away)
            await tab.send(UndoState.undo)
        assert "can't be reached" in said(tab)
        assert tab.shows(clip, "frames") == 20


async def test_nobody_undoes_nothing(serve: Any) -> None:
    clip, _ = studio()
    async with serve(owners=one_shot) as site:
        tab = await opened(site, "one", "")
        await tab.send(UndoState.undo)
        assert said(tab) == ""
        del clip


async def test_the_controls_can_be_put_on_a_page(serve: Any) -> None:
    studio()
    async with serve(owners=one_shot):
        assert "data-persistence-key" in str(undo_controls(id="undo"))
