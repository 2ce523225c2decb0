"""Who may only look: known before they try to edit, live when roles change, refused in any case."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import reflex as rx

from persistence import EditError, PermissionDenied, Retry, StoreUnavailable
from persistence.reflex import (
    KeyedSettings,
    PersistenceState,
    SettingsState,
    bind,
    persisted,
    recheck_rights,
    setting,
    settings_panel,
)
from persistence.reflex.history import HistoryState

ASK = "You can look at this project. Ask Ana for the right to edit."
SHARED = {"project": "p", "shot": "s"}


def declare() -> Any:
    class Travel(SettingsState, tool="r.travel", edit="shot", title="Travel"):
        prompt: rx.Field[str] = setting("")
        frames: rx.Field[int] = setting(61, ge=1, le=241)
        fast: rx.Field[bool] = setting(False)
        seed: rx.Field[int] = setting(1, scopes=("user",))

        @rx.event
        def shorten(self):
            self.prompt = self.prompt[:3]

        @rx.event
        def dream(self):
            self.binding.update(prompt="dream")

    return Travel


class Roles:
    """An app's: project `p` with shot `s`, and who is what to it. Users hold their own."""

    def __init__(self, **roles: str) -> None:
        self.roles = roles
        self.asked: list[tuple[str, str, str]] = []
        self.has_words = True

    def authorise(self, actor: str, action: str, scope: str, owner: str) -> bool:
        self.asked.append((actor, action, scope))
        if scope == "user":
            return actor == owner
        role = self.roles.get(actor, "")
        if role == "viewer" and action != "read" and self.has_words:
            raise PermissionDenied(scope, ASK)
        return role == "editor" or (role == "viewer" and action == "read")


def site_of(serve: Any, roles: Roles, **options: Any) -> Any:
    return serve(authorise=roles.authorise, owners=lambda _: SHARED, **options)


async def test_a_page_knows_before_any_edit_where_its_reader_may_not_edit_and_why(serve: Any):
    travel, roles = declare(), Roles(ben="editor", cleo="viewer")
    async with site_of(serve, roles) as site:
        ben, cleo = await site.open("t1", user="ben"), await site.open("t2", user="cleo")
        assert ben.shows(travel, "denied") in (None, {})
        assert cleo.shows(travel, "denied") == {"project": ASK, "shot": ASK}
        assert cleo.shows(travel, "status") == "ready"
        assert cleo.shows(travel, "errors") in (None, {})


async def test_where_the_app_doesnt_say_why_the_library_does(serve: Any):
    travel, roles = declare(), Roles(cleo="viewer")
    roles.has_words = False
    async with site_of(serve, roles) as site:
        cleo = await site.open("t1", user="cleo")
        assert cleo.shows(travel, "denied")["shot"] == "You can look at this, and not change it."


async def test_it_is_asked_once_an_owner_and_not_once_a_tool(serve: Any):
    declare()

    class Other(SettingsState, tool="r.other", edit="shot"):
        size: rx.Field[int] = setting(1)

    roles = Roles(cleo="viewer")
    async with site_of(serve, roles) as site:
        await site.open("t1", user="cleo")
        writes = [each for each in roles.asked if each[1] == "write"]
        assert sorted(scope for _, _, scope in writes) == ["project", "shot", "user"]


async def test_nobodys_values_change_by_what_a_reader_sends_not_for_a_moment(serve: Any):
    travel, roles = declare(), Roles(ben="editor", cleo="viewer")
    async with site_of(serve, roles, debounce=60, max_wait=60) as site:
        ben, cleo = await site.open("t1", user="ben"), await site.open("t2", user="cleo")
        await ben.operate(travel, "prompt", "gulls over the pier")
        await site.settle()
        seen: list[Any] = []
        watch = await site.engine.open(travel.__tool__, {"user": "ben", **SHARED}, actor="ben")
        watch.on_change(lambda changed, _: seen.append(changed))
        target = ["shot", "s", "r.travel"]
        for attempt in (
            lambda: cleo.send(travel.shorten),
            lambda: cleo.send(travel.dream),
            lambda: cleo.send(travel.reset_field, field="prompt"),
            lambda: cleo.send(travel.block_field, field="prompt"),
            lambda: cleo.send(travel.pin_field, field="frames"),
            lambda: cleo.send(travel.reset_fields),
            lambda: cleo.send(travel.reset_shown, fields=["prompt", "frames"]),
            lambda: cleo.operate(travel, "prompt", "mine", target=target),
        ):
            try:
                await attempt()
            except PermissionDenied:
                pass  # what the handler of an app raised itself
            await site.settle()
        assert seen == []
        assert cleo.shows(travel, "prompt") == "gulls over the pier"
        assert await site.stored(*target) in ({}, {"prompt": '"gulls over the pier"'})
        assert cleo.shows(PersistenceState, "answers")[-1]["problem"] == ASK
        watch.close()


async def test_a_refused_handlers_edit_says_why_at_the_setting(serve: Any):
    travel, roles = declare(), Roles(cleo="viewer")
    async with site_of(serve, roles) as site:
        cleo = await site.open("t1", user="cleo")
        await cleo.send(travel.shorten)
        await cleo.send(travel.pin_field, field="frames")
        assert cleo.shows(travel, "errors") == {"prompt": ASK, "frames": ASK}
        assert cleo.shows(travel, "is_dirty") in (None, False)


async def test_what_is_the_readers_own_they_edit_as_ever(serve: Any):
    travel, roles = declare(), Roles(cleo="viewer")
    async with site_of(serve, roles) as site:
        cleo = await site.open("t1", user="cleo")
        await cleo.operate(travel, "seed", 7, target=["user", "cleo", "r.travel"])
        await cleo.send(travel.choose_edit_scope, scope="user")
        await cleo.operate(travel, "frames", 41, target=["user", "cleo", "r.travel"])
        await site.settle()
        assert await site.stored("user", "cleo", "r.travel") == {"frames": "41", "seed": "7"}
        assert cleo.shows(travel, "frames") == 41


async def test_a_change_of_role_takes_effect_where_the_page_stands(serve: Any):
    travel, roles = declare(), Roles(cleo="viewer", ben="editor")
    async with site_of(serve, roles) as site:
        cleo, ben = await site.open("t1", user="cleo"), await site.open("t2", user="ben")
        roles.roles = {"cleo": "editor", "ben": "viewer"}
        assert await recheck_rights("project", "p") == 2
        await site.settle()
        assert cleo.shows(travel, "denied") == {}
        assert ben.shows(travel, "denied") == {"project": ASK, "shot": ASK}
        await cleo.operate(travel, "prompt", "gulls")
        await ben.operate(travel, "prompt", "nets")
        await site.settle()
        assert await site.stored("shot", "s", "r.travel") == {"prompt": '"gulls"'}
        assert await recheck_rights("project", "another") == 0


async def test_a_page_that_is_loaded_anew_asks_anew(serve: Any):
    travel, roles = declare(), Roles(ben="editor")
    async with site_of(serve, roles) as site:
        ben = await site.open("t1", user="ben")
        roles.roles = {"ben": "viewer"}  # by another process
        await ben.open()
        await site.settle()
        assert ben.shows(travel, "denied") == {"project": ASK, "shot": ASK}


async def test_who_may_no_longer_look_is_shown_nothing_of_it_and_hears_of_nothing(serve: Any):
    travel, roles = declare(), Roles(ben="editor", ana="editor")

    class Rows(KeyedSettings, settings=travel, scope="shot", fields=("prompt",)):
        @rx.event
        async def open(self):
            await self.show_rows(["s"])

    async with site_of(serve, roles) as site:
        ben, ana = await site.open("t1", user="ben"), await site.open("t2", user="ana")
        await ben.send(Rows.open)
        await ana.operate(travel, "prompt", "gulls")
        await site.settle()
        assert ben.shows(travel, "prompt") == "gulls"
        assert ben.shows(Rows, "rows")[0]["values"] == {"prompt": "gulls"}
        del roles.roles["ben"]
        await recheck_rights("project", "p")
        await site.settle()
        assert (ben.shows(travel, "prompt"), ben.shows(travel, "target")) == ("", "")
        assert ben.shows(travel, "status") == "error"
        assert ben.shows(Rows, "rows")[0]["values"] == {"prompt": ""}
        await ana.operate(travel, "prompt", "nets")
        await site.settle()
        assert ben.shows(travel, "prompt") == ""
        assert ben.shows(Rows, "rows")[0]["values"] == {"prompt": ""}
        assert ana.shows(travel, "prompt") == "nets"


async def test_a_right_that_another_process_took_away_shows_at_the_next_change_and_whole(
    serve: Any,
):
    travel, roles = declare(), Roles(ben="editor", ana="editor")

    class Rows(KeyedSettings, settings=travel, scope="shot", fields=("prompt",)):
        @rx.event
        async def open(self):
            await self.show_rows(["s"])

    async with site_of(serve, roles) as site:
        ben, ana = await site.open("t1", user="ben"), await site.open("t2", user="ana")
        await ben.send(Rows.open)
        await ana.operate(travel, "frames", 41)
        await ana.operate(travel, "prompt", "gulls")
        await site.settle()
        assert (ben.shows(travel, "prompt"), ben.shows(travel, "frames")) == ("gulls", 41)
        del roles.roles["ben"]
        await ana.operate(travel, "prompt", "nets")
        await site.settle()
        assert (ben.shows(travel, "prompt"), ben.shows(travel, "frames")) == ("", 61)
        assert ben.shows(Rows, "rows")[0]["values"] == {"prompt": ""}


async def test_what_was_on_its_way_when_a_role_ended_is_told_to_its_author_and_to_nobody_else(
    serve: Any,
):
    travel, roles = declare(), Roles(ben="editor", ana="editor")
    async with site_of(serve, roles, debounce=60, max_wait=60) as site:
        ben, ana = await site.open("t1", user="ben"), await site.open("t2", user="ana")
        made = site.operation(ben, travel, "prompt", "ben's words")
        await ben.send(PersistenceState.receive, operations=[made])
        del roles.roles["ben"]
        await recheck_rights("project", "p")
        with pytest.raises(EditError, match="no such shot"):
            await site.settle()
        await site.settle()
        assert await site.stored("shot", "s", "r.travel") == {}
        [answer] = ben.shows(PersistenceState, "answers")
        assert (answer["id"], answer["status"]) == (made["id"], "refused")
        await ana.send(travel.choose_edit_scope, scope="shot")
        await site.settle()
        assert ana.shows(travel, "aside") in (None, {})
        assert ana.shows(travel, "status") == "ready"
        assert ana.shows(travel, "prompt") == ""
        assert "ben's words" not in str(ana.shows(PersistenceState, "answers"))


async def test_single_vars_know_it_too(serve: Any):
    class Gallery(rx.State):
        columns: rx.Field[int] = persisted(4, tool="r.gallery", edit="project", ge=1, le=8)

    roles = Roles(cleo="viewer")
    async with site_of(serve, roles) as site:
        cleo = await site.open("t1", user="cleo")
        assert cleo.shows(PersistenceState, "tools")["r.gallery"]["denied"] == {
            "project": ASK, "shot": ASK,
        }  # fmt: skip


async def test_an_app_that_cant_tell_just_now_keeps_nobody_from_trying(serve: Any):
    travel, roles = declare(), Roles(ben="editor")
    away = True

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if away and action == "write":
            raise RuntimeError("the directory is away")
        return roles.authorise(actor, action, scope, owner)

    async with serve(authorise=authorise, owners=lambda _: SHARED) as site:
        ben = await site.open("t1", user="ben")
        assert ben.shows(travel, "denied") in (None, {})
        assert ben.shows(travel, "status") == "ready"


async def test_the_history_offers_to_restore_only_what_its_reader_may_edit(serve: Any):
    travel, roles = declare(), Roles(ben="editor", cleo="viewer")
    async with site_of(serve, roles) as site:
        ben, cleo = await site.open("t1", user="ben"), await site.open("t2", user="cleo")
        await ben.operate(travel, "prompt", "gulls")
        await cleo.operate(travel, "seed", 7, target=["user", "cleo", "r.travel"])
        await site.settle()
        for tab, offered in ((ben, {"Prompt": True}), (cleo, {"Prompt": False, "Seed": True})):
            await tab.send(HistoryState.open, tools=["r.travel"])
            steps = tab.shows(HistoryState, "steps")
            assert {c["title"]: c["can_restore"] for s in steps for c in s["changes"]} == offered
            assert [step["can_restore"] for step in steps] == list(reversed(offered.values()))
        assert [scope for scope, _ in cleo.shows(HistoryState, "places")] == ["user"]


# --- on the page ---------------------------------------------------------------------------------


def test_text_stays_readable_and_other_controls_are_off_for_who_may_only_look(states: Any):
    travel = declare()
    text, switch = bind(travel.prompt), bind(travel.fast, control="native")
    assert "denied" in str(text["read_only"])
    assert "denied" not in str(text["disabled"])
    assert "denied" in str(switch["disabled"])
    assert "read_only" not in switch


def test_a_panel_says_why_and_offers_nothing_that_edits(states: Any):
    travel = declare()
    made = str(settings_panel(travel))
    assert "denied" in made
    replaced = str(settings_panel(travel, parts={"read_only": lambda _: rx.text("View only")}))
    assert "View only" in replaced


@pytest.mark.parametrize("words", [True, False])
async def test_a_write_is_refused_in_the_apps_words_or_in_ours(serve: Any, words: bool):
    travel, roles = declare(), Roles(cleo="viewer")
    roles.has_words = words
    async with site_of(serve, roles) as site:
        shared = {"user": "cleo", **SHARED}
        held = await site.engine.open(travel.__tool__, shared, actor="cleo")
        held.update(prompt="mine")
        with pytest.raises(Exception, match="Ask Ana" if words else "no such shot of yours"):
            await held.flush()
        held.denied = {"shot": ASK}
        with pytest.raises(PermissionDenied, match="Ask Ana"):
            held.update(prompt="mine")
        held.close()


async def test_while_the_app_cannot_tell_a_page_stays_as_it_is_and_its_events_go_on(serve: Any):
    travel, roles = declare(), Roles(ben="editor", dana="editor")
    is_away = False

    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        if is_away and (actor, action) == ("ben", "read"):
            raise StoreUnavailable("away")
        return roles.authorise(actor, action, scope, owner)

    hooks: Any = {"authorise": authorise, "owners": lambda _: SHARED}
    async with serve(**hooks, retry=Retry(longest=0.05)) as site:
        ben, dana = await site.open("t1", user="ben"), await site.open("t2", user="dana")
        await ben.operate(travel, "prompt", "gulls over the pier")
        await site.settle()
        is_away = True
        await dana.operate(travel, "frames", 99)
        await site.settle()
        assert dana.shows(travel, "frames") == 99
        assert ben.shows(travel, "frames") == 61
        await ben.send(travel.shorten)
        assert ben.shows(travel, "prompt") == "gul"
        await dana.operate(travel, "frames", 100)
        await site.settle()
        is_away = False
        async with asyncio.timeout(5):
            while ben.shows(travel, "frames") != 100:  # without a word of his or of hers
                await asyncio.sleep(0.01)
