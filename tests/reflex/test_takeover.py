"""Old values of the browser, taken over by the server: once, checked, never over what is here."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
import reflex as rx

from persistence import DeclarationError
from persistence.reflex import (
    SettingsState,
    device_local,
    persisted,
    put,
    setting,
    take_over,
    toggle,
)
from persistence.reflex.takeover import MAX_TEXT, TakeOverState


def declare() -> Any:
    class Ui(SettingsState, tool="takeover-ui", edit="user"):
        theme: rx.Field[Literal["light", "dark", "system"]] = setting("system", title="Theme")
        columns: rx.Field[int] = setting(4, ge=1, le=8)
        compact: rx.Field[bool] = setting(False)
        locks: rx.Field[dict[str, bool]] = setting(default_factory=dict, merge=True)
        keyed: rx.Field[str] = setting("", scopes=("shot",))

        @rx.event
        def go_dark(self) -> None:
            self.theme = "dark"

    return Ui


async def offer(tab: Any, field: str, value: Any, /, *, once: bool = False, **more: Any) -> str:
    """What the page's script sends for an old value; returns the answer. Unless `once`, as often
    as it is told to ask later: a busy machine's database is slow."""
    sent = {
        "name": f"move-{field}", "tool": "takeover-ui", "field": field, "scope": "",
        "text": json.dumps(value), **more,
    }  # fmt: skip
    for _ in range(100):
        await tab.send(TakeOverState.receive, move=sent)
        answer = (tab.shows(TakeOverState, "answers") or {}).get(sent["name"], "")
        if once or answer != "later":
            break
    return answer


async def test_an_old_value_becomes_the_persons_setting(serve: Any, until: Any) -> None:
    ui = declare()
    async with serve() as site:
        tab = await site.open("t1")
        assert await offer(tab, "theme", "dark") == "moved"
        assert await site.stored("user", "ann", "takeover-ui") == {"theme": '"dark"'}
        await until(lambda: tab.shows(ui, "theme") == "dark")


async def test_what_is_written_here_stays_also_where_it_was_reset(serve: Any) -> None:
    ui = declare()
    async with serve() as site:
        tab = await site.open("t1")
        await tab.send(ui.go_dark)
        assert await offer(tab, "theme", "light") == "kept"
        assert await site.stored("user", "ann", "takeover-ui") == {"theme": '"dark"'}
        await tab.send(ui.reset_field, field="theme")
        await site.settle()
        assert await offer(tab, "theme", "light") == "kept"
        assert await site.stored("user", "ann", "takeover-ui") == {}


async def test_an_answer_that_got_lost_is_given_again(serve: Any) -> None:
    declare()
    async with serve() as site:
        tab = await site.open("t1")
        assert await offer(tab, "theme", "dark") == "moved"
        assert await offer(tab, "theme", "dark") == "moved"


async def test_what_doesnt_fit_is_refused_in_words(serve: Any) -> None:
    declare()
    async with serve() as site:
        tab = await site.open("t1")
        assert await offer(tab, "columns", 99) == "refused"
        problem = tab.shows(TakeOverState, "problems")["move-columns"]
        assert problem == "“Columns” couldn't be taken over from this browser: must be at most 8."
        assert await offer(tab, "columns", 3, name="again") == "moved"


@pytest.mark.parametrize(
    "more",
    [
        {"text": "{"},
        {"text": "NaN"},
        {"text": '"' + "x" * MAX_TEXT + '"'},
        {"text": 5},
        {"tool": "takeover-other"},
        {"tool": None},
        {"field": "nothing"},
        {"field": "status"},
        {"field": ["theme"]},
        {"scope": "planet"},
        {"scope": "user", "field": "keyed"},
        {"name": "x" * 501},
    ],
)
async def test_hostile_offers_write_nothing(serve: Any, more: dict[str, Any]) -> None:
    declare()
    async with serve() as site:
        tab = await site.open("t1")
        assert await offer(tab, "theme", "dark", **more) in ("", "refused")
        await tab.send(TakeOverState.receive, move={})
        await tab.send(TakeOverState.receive, move=[1])
        assert await site.stored("user", "ann", "takeover-ui") == {}


async def test_nobodys_and_strangers_settings_are_never_reached(serve: Any) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return owner.startswith(actor) and actor != "eve"

    declare()
    async with serve(authorise=authorise) as site:
        nobody = await site.open("t1", user="")
        assert await offer(nobody, "theme", "dark") == ""
        eve = await site.open("t2", user="eve")
        assert await offer(eve, "theme", "dark", once=True) in ("", "later")
        assert await site.stored("user", "eve", "takeover-ui") == {}


async def test_a_database_that_is_away_makes_it_later_and_not_never(serve: Any) -> None:
    from persistence.store import MemoryStore
    from persistence.testing import FailingStore

    declare()
    store = FailingStore(MemoryStore())
    async with serve(database=store) as site:
        tab = await site.open("t1")
        store.commits.fail(times=None)
        assert await offer(tab, "theme", "dark", once=True) == "later"
        store.commits.mend()
        await site.engine.flush()
        assert await offer(tab, "theme", "dark", name="next visit") == "moved"


def test_what_cant_be_declared_is_refused(states: Any) -> None:
    ui = declare()

    class Gallery(rx.State):
        columns: rx.Field[int] = device_local(4, key="takeover-columns")
        wide: rx.Field[bool] = persisted(False, tool="takeover-gallery", edit="user")
        plain: int = 0

    take_over(ui.theme, local_storage="theme")
    take_over(Gallery.columns, local_storage="columns")
    take_over(Gallery.wide, cookie="wide", words={"yes": True})
    for wrong in (
        lambda: take_over(ui.theme),
        lambda: take_over(ui.theme, local_storage="a", cookie="b"),
        lambda: take_over(ui.theme, cookie="theme", words={"night": "black"}),
        lambda: take_over(Gallery.plain, cookie="plain"),
        lambda: toggle(ui.theme),
        lambda: toggle(ui.compact, "a"),
        lambda: put(Gallery.plain, 1),
    ):
        with pytest.raises(DeclarationError):
            wrong()
    with pytest.raises(ValueError, match="must be"):
        put(ui.theme, "black")
    put(ui.theme, "dark")
    toggle(ui.compact)
    toggle(ui.locks, "shots")
