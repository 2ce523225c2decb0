"""Transfers as a page asks for them: forms, previews, and what nobody may send."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import reflex as rx

from persistence import Target
from persistence.reflex import SettingsState, setting, transfer_forms
from persistence.reflex.forms import LARGEST
from persistence.reflex.preview import PreviewState
from persistence.reflex.transfer_forms import dialogs, promote_items, transfer_menu
from persistence.reflex.transfers import TransferState
from persistence.store.base import Preset

TOOL = "transfer-travel"
HERE = ("shot", "ann-A")
NAMES = {"ann-A": "Opening", "B": "Harbour", "C": "Storm", "ann": "Ann", "ann-p": "Film"}


def travel_state() -> Any:
    class Travel(SettingsState, tool=TOOL, edit="shot", title="Travel"):
        prompt: rx.Field[str] = setting("", inherit=False)
        frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames", unit="frames")
        mode: rx.Field[str] = setting("basic", title="Mode")
        model: rx.Field[str] = setting("wan", title="Model", scopes=("project", "shot"))

    return Travel


def members(actor: str, scope: str, owners: Mapping[str, str]) -> list[str]:
    return ["ann-A", "B", "C"] if scope == "shot" else []


def describe(scope: str, ids: list[str]) -> dict[str, str]:
    return {each: NAMES[each] for each in ids if each in NAMES}


class Site:
    """One tab, and what its dialogs show."""

    def __init__(self, site: Any, tab: Any, state: Any) -> None:
        self.site, self.tab, self.state = site, tab, state

    @property
    def form(self) -> dict[str, Any]:
        return self.tab.shows(TransferState, "form") or {"number": 0}

    @property
    def preview(self) -> dict[str, Any]:
        return self.tab.shows(PreviewState, "preview") or {"number": 0}

    async def edit(self, owner: str, scope: str = "shot", **values: Any) -> Any:
        binding = await self.site.engine.open(self.state, {scope: owner}, actor="ann")
        binding.update(scope=scope, **values)
        await binding.flush()
        return binding

    async def open(self, kind: str) -> None:
        await self.tab.send(TransferState.open, tool=TOOL, kind=kind)

    async def submit(self, **data: Any) -> None:
        sent = {name.replace("__", "."): value for name, value in data.items()}
        sent = {"number": str(self.form["number"]), **sent}
        await self.tab.send(TransferState.submit, data=sent)

    async def confirm(self) -> None:
        await self.tab.send(PreviewState.confirm, number=self.preview["number"])

    async def held(self, owner: str, scope: str = "shot") -> dict[str, Any]:
        stored = await self.site.stored(scope, owner, TOOL)
        return {name: json.loads(text) if text else None for name, text in stored.items()}


@pytest.fixture
def opened(serve: Any) -> Any:
    @asynccontextmanager
    async def open_site(**options: Any) -> AsyncIterator[Site]:
        state = travel_state()
        options = {"members": members, "describe": describe, **options}
        async with serve(**options) as site:
            yield Site(site, await site.open("one"), state)

    return open_site


def rows(preview: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (group["name"], row["title"], row["before"], row["after"])
        for group in preview["groups"]
        for row in group["rows"]
    ]


# ------------------------------------------------------------------------------ promote


async def test_a_setting_becomes_the_projects_default_after_a_look(opened: Any) -> None:
    async with opened() as page:
        await page.edit("ann-A", frames=41)
        await page.tab.send(TransferState.promote, tool=TOOL, name="frames", to="project")
        assert page.preview["title"] == "Make “Frames” the project's default?"
        assert rows(page.preview) == [
            ("Film", "Frames", "inherits", "41 frames"),
            ("Opening", "Frames", "41 frames", "inherits"),
        ]
        assert await page.held("ann-A") == {"frames": 41}
        await page.confirm()
        await page.site.settle()
        assert await page.held("ann-A") == {}
        assert await page.held("ann-p", "project") == {"frames": 41}
        assert page.tab.shows(page.state, "frames") == 41
        assert page.tab.shows(page.state, "origins")["frames"] == "project"


async def test_the_page_never_hears_of_a_value_in_between(opened: Any) -> None:
    async with opened() as page:
        await page.edit("ann-A", frames=41)
        await page.site.settle()
        before = len(page.tab.updates)
        await page.tab.send(TransferState.promote, tool=TOOL, name="frames", to="project")
        await page.confirm()
        await page.site.settle()
        name = page.state.get_full_name()
        told = [
            update.delta[name]["frames_rx_state_"]
            for update in page.tab.updates[before:]
            if "frames_rx_state_" in update.delta.get(name, {})
        ]
        assert set(told) <= {41}


async def test_a_promotion_that_isnt_allowed_is_said_in_a_dialog(opened: Any) -> None:
    def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
        return action == "read" or scope == "shot"

    async with opened(authorise=authorise) as page:
        await page.edit("ann-A", frames=41)
        await page.tab.send(TransferState.promote, tool=TOOL, name="frames", to="project")
        assert "no such project of yours" in page.preview["note"]
        assert page.preview["is_empty"]


# ------------------------------------------------------------------------------ copy and push


async def test_copy_from_another_shot_asks_what_becomes_of_own_values(opened: Any) -> None:
    async with opened() as page:
        await page.edit("B", frames=7, mode="advanced", prompt="a fox")
        await page.edit("ann-A", frames=41)
        await page.open("copy")
        assert page.form["owners"] == ["Harbour", "Storm"]
        assert (page.form["scope"], page.form["name"]) == ("shot", "Opening")
        await page.submit(owner="0")
        assert page.form["number"] == 0
        assert rows(page.preview) == [("Opening", "Mode", "inherits", "advanced")]
        assert {each["words"] for each in page.preview["left_out"]} == {
            "1 with a value of their own",
            "1 content that stays",
        }
        await page.tab.send(PreviewState.choose, number=page.preview["number"], choice=1)
        await page.confirm()
        assert await page.held("ann-A") == {"frames": 7, "mode": "advanced"}


async def test_push_to_the_chosen_shots(opened: Any) -> None:
    async with opened() as page:
        (await page.edit("C")).pin("frames")
        await page.edit("ann-A", frames=41)
        await page.open("push")
        fields = {each["title"]: each for each in page.form["fields"]}
        assert {title: each["chosen"] for title, each in fields.items()} == {
            "Frames": True, "Mode": False, "Model": False,
        }  # fmt: skip
        assert fields["Frames"]["value"] == "41 frames"
        assert fields["Frames"]["key"] == "0"
        await page.submit(field__0="on", owner__0="on", owner__1="on")
        assert page.preview["title"] == "Push 1 setting to 2 shots?"
        assert page.preview["summary"] == "1 shot, 1 pinned"
        await page.confirm()
        assert (await page.held("B"), await page.held("C")) == ({"frames": 41}, {"frames": 61})


async def test_nothing_chosen_is_said_in_the_form(opened: Any) -> None:
    async with opened() as page:
        await page.open("push")
        await page.submit(field__0="on")
        assert page.form["problem"] == "Choose settings, and at least one shot"
        await page.open("copy")
        await page.submit()
        assert page.form["problem"] == "Choose whose settings to copy"
        assert page.preview["number"] == 0


async def test_a_push_is_one_step_to_undo(opened: Any) -> None:
    async with opened() as page:
        await page.edit("ann-A", frames=41)
        await page.open("push")
        await page.submit(field__0="on", owner__0="on", owner__1="on")
        await page.confirm()
        undo = page.site.engine.undo
        step = await undo.plan("ann")
        assert len(step.everything.edits) == 2
        await undo.apply(step)
        assert (await page.held("B"), await page.held("C")) == ({}, {})
        assert await page.held("ann-A") == {"frames": 41}


# ------------------------------------------------------------------------------ presets


async def test_a_preset_is_kept_applied_and_deleted(opened: Any) -> None:
    async with opened() as page:
        await page.edit("ann-A", frames=41)
        await page.open("presets")
        assert page.form["scopes"] == ["user", "project"]
        await page.submit(name="Slow", at="project", field__0="on")
        (kept,) = page.form["presets"]
        assert (kept["name"], kept["about"]) == ("Slow", "Project preset by you · Frames")
        assert page.tab.shows(TransferState, "done").endswith("|Kept “Slow”")
        await page.submit(name="Slow", at="project", field__0="on")
        assert "taken" in page.form["problem"]
        await page.edit("ann-A", frames=7)
        number = page.form["number"]
        await page.tab.send(TransferState.apply_preset, number=number, position=0)
        assert rows(page.preview) == [("Opening", "Frames", "7 frames", "41 frames")]
        await page.confirm()
        assert await page.held("ann-A") == {"frames": 41}
        await page.open("presets")
        number = page.form["number"]
        await page.tab.send(TransferState.remove_preset, number=number, position=0)
        assert page.form["presets"][0]["asking"]
        await page.tab.send(TransferState.remove_preset, number=number, position=0)
        assert page.form["presets"] == []


async def test_a_preset_that_cant_be_read_says_why(opened: Any) -> None:
    async with opened() as page:
        await page.site.engine.store.keep_preset(Preset("user", "ann", TOOL, "Old", "{", "x", 1.0))
        await page.open("presets")
        (kept,) = page.form["presets"]
        assert not kept["is_readable"]
        assert "can't be read" in kept["about"]


# ------------------------------------------------------------------------------ documents


async def test_export_gives_a_file_that_import_takes(opened: Any) -> None:
    async with opened() as page:
        await page.edit("ann-A", frames=41, prompt="a fox")
        await page.open("export")
        before = len(page.tab.updates)
        await page.submit(form="toml")
        events = [e for update in page.tab.updates[before:] for e in update.events]
        (download,) = [e.payload for e in events if "download" in e.name]
        assert download["filename"] == f"Opening-{TOOL}.toml"
        text = b64decode(download["url"].partition("base64,")[2]).decode()
        assert "frames = 41" in text
        assert page.form["number"] == 0
        await page.edit("ann-A", frames=7)
        await page.open("import")
        await page.submit(text=f'["{TOOL}"]\nframes = 41\nmode = 3\nnope = 1\n')
        assert rows(page.preview) == [("Opening", "Frames", "7 frames", "41 frames")]
        assert page.preview["summary"] == "1 setting, 1 unknown, 1 not valid"
        reasons = [name for each in page.preview["left_out"] for name in each["names"]]
        assert "Mode – must be a text" in reasons
        await page.confirm()
        assert await page.held("ann-A") == {"frames": 41, "prompt": "a fox"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{", "line 1"), ("", "empty"), ("x" * (LARGEST + 1), "too large"), ("[1, 2]", "line 1")],
)
async def test_a_bad_document_is_said_in_the_form(opened: Any, text: str, problem: str) -> None:
    async with opened() as page:
        await page.open("import")
        await page.submit(text=text)
        assert problem in page.form["problem"]
        assert page.preview["number"] == 0


# ------------------------------------------------------------------------------ bad senders


BAD: list[Any] = [None, 7, -1, True, 1.5, "x", [1], {"a": 1}, "__class__", "9" * 30]


@pytest.mark.parametrize("bad", BAD)
async def test_nonsense_from_a_client_does_nothing(opened: Any, bad: Any) -> None:
    async with opened() as page:
        await page.edit("ann-A", frames=41)
        send = page.tab.send
        await send(TransferState.open, tool=bad, kind="copy")
        await send(TransferState.open, tool=TOOL, kind=bad)
        await send(TransferState.promote, tool=TOOL, name=bad, to="project")
        await send(TransferState.promote, tool=TOOL, name="frames", to=bad)
        await send(TransferState.promote, tool=bad, name="frames", to="project")
        assert (page.form["number"], page.preview["number"]) == (0, 0)
        await page.open("presets")
        number = page.form["number"]
        await send(TransferState.submit, data=bad)
        await send(TransferState.submit, data={"number": bad, "name": "x", "field.0": "on"})
        await send(TransferState.submit, data={"number": str(number), "at": bad, "name": "x"})
        for handler in (TransferState.apply_preset, TransferState.remove_preset):
            await send(handler, number=number, position=bad)
            await send(handler, number=bad, position=0)
        await send(TransferState.close, number=bad)
        assert page.form["number"] == number
        await page.open("copy")
        await page.submit(owner=bad)
        assert page.preview["number"] == 0
        assert await page.site.engine.store.presets("user", "ann", TOOL) == []


async def test_a_form_is_for_the_shot_that_was_shown(opened: Any) -> None:
    def owners(page: Any) -> dict[str, str]:
        return {"project": "ann-p", "shot": page.params.get("shot", "ann-A")}

    async with opened(owners=owners) as page:
        await page.edit("B", frames=7)
        await page.open("copy")
        data = {"number": str(page.form["number"]), "owner": "0"}
        page.tab.params = {"shot": "C"}
        await page.tab.send(TransferState.submit, data=data)
        assert page.preview["number"] == 0


async def test_another_tab_cant_use_a_form(opened: Any) -> None:
    async with opened() as page:
        await page.edit("B", frames=7)
        await page.open("copy")
        other = await page.site.open("two", "ann")
        data = {"number": str(page.form["number"]), "owner": "0"}
        await other.send(TransferState.submit, data=data)
        assert (other.shows(PreviewState, "preview") or {"number": 0})["number"] == 0


async def test_a_database_that_is_away_is_said(opened: Any) -> None:
    from persistence.store import open_store
    from persistence.testing import FailingStore

    store = FailingStore(open_store("memory:"))
    async with opened(database=store) as page:
        await page.edit("B", frames=7)
        page.site.engine.layers.pop(Target("shot", "B", TOOL), None)
        await page.open("copy")
        store.loads.fail(None)
        await page.submit(owner="0")
        assert "can't be reached" in page.form["problem"]
        store.loads.mend()
        await page.submit(owner="0")
        assert page.preview["number"] == 1


def test_menus_and_dialogs_compile(states: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from persistence.reflex.panel import field_of

    travel = travel_state()
    monkeypatch.setattr(transfer_forms, "scope_chain", lambda: ("user", "project", "shot"))
    for made in dialogs({"shot": "This shot"}):
        assert "data-persistence-open" in str(made.render())
    assert "Export" in str(transfer_menu(travel).render())
    offered = str(promote_items(field_of(travel.frames)).render())  # type: ignore[union-attr]
    assert "Make this my default" in offered
    assert "Make this the project" in offered
    assert promote_items(field_of(travel.prompt)) is None
    model = str(promote_items(field_of(travel.model)).render())  # type: ignore[union-attr]
    assert "my default" not in model
