"""The inspector's state in the app's own event pipeline, without a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from persistence.reflex.testing import FakeTab, Site
from workbench import projects, sharing
from workbench.accounts import authorise
from workbench.projects import delete_shot
from workbench.settings import SCOPES, Travel
from workbench.states.inspector import Inspector
from workbench.states.live import tell_rights


class Bench:
    """The page of somebody who inspects a shot of theirs."""

    def __init__(self, site: Site, tab: FakeTab, project: str, shot: str) -> None:
        self.site, self.tab, self.project, self.shot = site, tab, project, shot

    def shows(self, name: str) -> Any:
        return self.tab.shows(Inspector, name)

    def line(self, field: str) -> Any:
        return next(line for line in self.shows("lines") if line.field == field)

    async def edit(self, scope: str, **values: Any) -> None:
        owners = {"user": self.tab.user, "project": self.project, "shot": self.shot}
        binding: Any = await self.site.engine.open(Travel, owners, actor=self.tab.user)
        binding.update(scope=scope, **values)
        await binding.flush()
        binding.close()

    async def visit(self, **params: str) -> None:
        self.tab.params = params
        await self.tab.open()


@pytest.fixture
def bench(persistence_site: Any, new_user: Callable[[], str]) -> Any:
    @asynccontextmanager
    async def running() -> AsyncIterator[Bench]:
        ann = new_user()
        project = await projects.create_project(ann, "Harbour at dawn")
        shot = await projects.create_shot(ann, project, "Gulls")
        async with persistence_site(
            scopes=SCOPES, route="/inspector", on_load=Inspector.load, authorise=authorise
        ) as site:
            tab = site.tab("t1", user=ann, path="/inspector")
            made = Bench(site, tab, project, shot)
            await made.visit(shot=shot)
            yield made

    return running


async def test_it_shows_the_stack_of_what_the_address_names(bench: Any) -> None:
    async with bench() as page:
        assert page.shows("status") == "ready"
        assert [head.name for head in page.shows("heads")] == ["You", "Harbour at dawn", "Gulls"]
        assert page.shows("tool") == "travel-ui-state"
        await page.visit(project=page.project, tool="image-generation")
        assert [head.scope for head in page.shows("heads")] == ["user", "project"]
        assert page.line("default_model").value == "wan-local"
        await page.visit()
        assert [head.scope for head in page.shows("heads")] == ["user"]


async def test_it_hears_of_changes_in_every_layer_also_shadowed_ones(bench: Any) -> None:
    async with bench() as page:
        await page.edit("shot", random_seed=False)
        await page.site.until(lambda: page.line("random_seed").place == "Shot")
        await page.edit("project", random_seed=False)
        await page.site.until(lambda: page.line("random_seed").cells[1].state == "shadowed")


async def test_a_muted_layer_says_nothing_until_another_stack_is_looked_at(bench: Any) -> None:
    async with bench() as page:
        await page.edit("project", random_seed=False)
        await page.tab.send(Inspector.toggle_mute, scope="project")
        assert page.shows("muted") == ["project"]
        assert (page.line("random_seed").value, page.line("random_seed").would) == ("On", True)
        await page.tab.send(Inspector.toggle_mute, scope="nobody")
        assert page.shows("muted") == ["project"]
        await page.visit(shot=page.shot, field="random_seed")
        assert page.shows("muted") == ["project"], "the same stack"
        await page.visit(project=page.project)
        assert page.shows("muted") == []
        assert not page.line("random_seed").would


async def test_a_settings_story_tells_who_said_what_and_what_was(bench: Any) -> None:
    async with bench() as page:
        await page.edit("shot", prompt="Gulls")
        await page.edit("shot", prompt="Gulls over the wake")
        await page.visit(shot=page.shot, field="prompt")
        assert page.shows("chosen").whole == "Gulls over the wake"
        assert [each.state for each in page.shows("story")] == ["wins", "unset", "unset"]
        newest = page.shows("past")[0]
        assert (newest.author, newest.after) == ("You", "Gulls over the wake")
        await page.visit(shot=page.shot, field="never_heard_of")
        assert (page.shows("field"), page.shows("story")) == ("", [])


async def test_a_search_narrows_the_lines_and_bad_input_does_nothing(bench: Any) -> None:
    async with bench() as page:
        count = page.shows("count")
        await page.tab.send(Inspector.look_for, text="RANDOM")
        assert [line.field for line in page.shows("lines")] == ["random_seed"]
        assert page.shows("count") == count
        await page.tab.send(Inspector.look_for, text="")
        await page.tab.send(Inspector.toggle_only_set)
        assert page.shows("lines") == []
        await page.edit("shot", random_seed=False)
        await page.site.until(lambda: len(page.shows("lines")) == 1)


async def test_what_is_foreign_missing_or_gone_answers_alike(bench: Any) -> None:
    async with bench() as page:
        stranger = page.site.tab("t2", user="stranger", path="/inspector")
        stranger.params = {"shot": page.shot}
        await stranger.open()
        assert stranger.shows(Inspector, "status") == "missing"
        assert not stranger.shows(Inspector, "lines")
        for asked in ({"shot": "nothing"}, {"project": page.shot}, {"tool": "never-heard-of"}):
            await page.visit(**asked)
            assert page.shows("status") == "missing"
            assert page.shows("lines") == []
        await page.visit(shot=page.shot)
        assert page.shows("status") == "ready"
        await delete_shot(page.tab.user, page.shot)
        await page.tab.send(Inspector.refresh)
        assert page.shows("status") == "missing"
        assert "never-heard-of" not in page.site.engine._undeclared


async def test_who_is_a_member_no_more_is_shown_nothing_of_it_at_once(
    bench: Any, new_user: Callable[[], str]
) -> None:
    async with bench() as page:
        ann, ben = page.tab.user, new_user()
        await page.edit("shot", prompt="gulls over the pier")
        await sharing.join(await sharing.invite(ann, page.project, "editor"), ben, "10.0.0.7")
        tab = page.site.tab("t2", user=ben, path="/inspector")
        tab.params = {"shot": page.shot, "field": "prompt"}
        await tab.open()
        assert tab.shows(Inspector, "entity") == "Gulls"
        await sharing.remove(ann, page.project, ben)
        await tell_rights(page.project, ben)
        await page.site.until(lambda: tab.shows(Inspector, "status") == "missing")
        told = repr(tab.told[Inspector.get_full_name()]).casefold()
        assert "gulls" not in told
        assert "harbour" not in told
