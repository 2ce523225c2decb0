"""The pages of sharing in the app's own event pipeline: what they show, to whom, and live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from persistence.reflex.testing import FakeTab
from tests.workbench.shared_film import HERE, Film
from workbench import projects, sharing
from workbench.accounts import authorise, owners
from workbench.directory import describe
from workbench.models import new_id
from workbench.settings import SCOPES, Travel
from workbench.states.live import tell
from workbench.states.project import Project, Prompts
from workbench.states.share import Join, Share

HOSTILE: list[Any] = ["", "none", None, 3, ["x"], {"id": "x"}, "x" * 5000, "' OR 1=1", "__class__"]


@pytest.fixture
def project_page(persistence_site: Any, film: Film) -> Any:
    """`async with project_page() as (site, open)`; `await open(who)` is a tab on the film."""

    @asynccontextmanager
    async def running() -> AsyncIterator[Any]:
        async with persistence_site(
            scopes=SCOPES, route="/p/[project_id]", on_load=Project.load, authorise=authorise,
            owners=owners, describe=describe,
        ) as site:  # fmt: skip

            async def visit(who: str, token: str = "") -> FakeTab:
                tab = site.tab(token or who, user=film.people[who], path=f"/p/{film.project}")
                tab.params = {"project_id": film.project}
                await tab.open()
                return tab

            yield site, visit

    return running


async def test_members_see_the_project_as_what_they_are_to_it(project_page: Any):
    async with project_page() as (_, visit):
        for who, role, owner in (
            ("owner", "owner", ""), ("editor", "editor", "Ana"), ("viewer", "viewer", "Ana"),
        ):  # fmt: skip
            tab = await visit(who)
            assert (tab.shows(Project, "role"), tab.shows(Project, "owner") or "") == (role, owner)
            assert tab.shows(Project, "members") == 3
        stranger = await visit("stranger")
        assert stranger.shows(Project, "status") == "missing"
        assert not stranger.shows(Project, "name")


async def test_whoever_opens_a_project_finds_it_first_in_their_list(project_page: Any, film: Film):
    ben = film.people["editor"]
    await projects.create_project(ben, "Pier")
    async with project_page() as (_, visit), asyncio.timeout(10):
        await visit("editor")
        while (await projects.list_projects(ben)).live[0].id != film.project:
            await asyncio.sleep(0)  # the page doesn't wait for it


async def test_the_dialog_shows_links_to_the_owner_alone_and_a_new_one_once(
    project_page: Any, film: Film
):
    async with project_page() as (_, visit):
        ana, ben = await visit("owner"), await visit("editor")
        for tab in (ana, ben):
            await tab.send(Share.open, project=film.project)
            assert len(tab.shows(Share, "people")) == 4
        assert len(ana.shows(Share, "links")) == 3
        assert not ben.shows(Share, "links")
        await ana.send(Share.make_link, form={"role": "viewer", "kind": "once"})
        url = ana.shows(Share, "url")
        assert (await sharing.look_at(url.rpartition("/")[2], "", HERE)).role == "viewer"
        await ben.send(Share.make_link, form={"role": "editor", "kind": "all"})
        assert "Only Ana" in ben.shows(Share, "problem")
        assert not ben.shows(Share, "url")
        await ana.send(Share.open, project=film.project)
        assert ana.shows(Share, "url") == ""


async def test_a_new_link_stays_to_be_copied_for_as_long_as_it_is_open(
    project_page: Any, film: Film
):
    async with project_page() as (site, visit):
        ana, other = await visit("owner"), await visit("owner", "their other tab")
        for tab in (ana, other):
            await tab.send(Share.open, project=film.project)
        await ana.send(Share.make_link, form={"role": "viewer", "kind": "once"})
        url = ana.shows(Share, "url")
        new, old, *_ = [each.id for each in ana.shows(Share, "links")]
        await ana.send(Share.revoke, link=old)
        assert (ana.shows(Share, "url"), ana.shows(Share, "said")) == (url, "The link was revoked.")
        await site.until(lambda: other.shows(Share, "links")[0].id == new)
        await other.send(Share.revoke, link=new)
        await site.until(lambda: ana.shows(Share, "url") == "")
        await ana.send(Share.make_link, form={"role": "editor", "kind": "all"})
        assert (bool(ana.shows(Share, "url")), ana.shows(Share, "said")) == (True, "")
        await ana.send(Share.ask, what="remove", user=film.people["editor"])
        await ana.send(Share.confirm)
        assert ana.shows(Share, "url") == ""
        assert "revoked" in ana.shows(Share, "said")


async def test_a_dialog_that_is_open_goes_on_hearing_after_a_lost_connection(
    project_page: Any, film: Film
):
    async with project_page() as (site, visit):
        ana = await visit("owner")
        await ana.send(Share.open, project=film.project)
        ana.close()
        site.tabs.sweep()
        await ana.open()
        await sharing.remove(film.people["owner"], film.project, film.people["viewer"])
        await tell(film.project)
        await site.until(lambda: len(ana.shows(Share, "people")) == 3)


async def test_a_change_of_role_and_a_removal_reach_the_open_page(project_page: Any, film: Film):
    async with project_page() as (site, visit):
        ana, ben = await visit("owner"), await visit("editor")
        await ana.send(Share.open, project=film.project)
        await ana.send(Share.set_role, user=film.people["editor"], role="viewer")
        await site.until(lambda: ben.shows(Project, "role") == "viewer")
        await site.until(lambda: "Ask Ana" in str(ben.shows(Travel, "denied")))
        await ana.send(Share.ask, what="remove", user=film.people["editor"])
        assert ana.shows(Share, "about_name") == "Ben"
        await ana.send(Share.confirm)
        await site.until(lambda: ben.shows(Project, "status") == "ended")
        assert (ben.shows(Project, "name"), ben.shows(Project, "shots")) == ("", [])
        assert not ben.shows(Prompts, "rows")
        await site.until(lambda: ben.shows(Travel, "scopes") == ["user"])
        await ben.send(Project.add_shot, form={"name": "Crane"})
        page = await projects.open_project(film.people["owner"], film.project)
        assert [shot.name for shot in page.shots] == ["Gulls"]


async def test_a_deleted_project_closes_for_its_members(project_page: Any, film: Film):
    from workbench.states.home import Home

    async with project_page() as (site, visit):
        ana, ben = await visit("owner"), await visit("editor")
        await ana.send(Home.delete, project=film.project)
        await site.until(lambda: ben.shows(Project, "status") == "ended")


async def test_whoever_leaves_is_out_and_the_dialogs_of_others_hear_of_it(
    project_page: Any, film: Film
):
    async with project_page() as (site, visit):
        ana, ben = await visit("owner"), await visit("editor")
        await ana.send(Share.open, project=film.project)
        await ben.send(Share.open, project=film.project)
        await ben.send(Share.ask, what="leave", user="")
        await ben.send(Share.confirm)
        assert await projects.role_in(film.people["editor"], "project", film.project) is None
        await site.until(lambda: len(ana.shows(Share, "people")) == 3)


async def test_a_viewer_who_sends_what_no_page_offers_changes_nothing_and_is_told(
    project_page: Any, film: Film
):
    async with project_page() as (_, visit):
        cleo = await visit("viewer")
        for event, sent in (
            (Project.add_shot, {"form": {"name": "Crane"}}),
            (Project.new_from, {"shot": film.shot}),
            (Project.move, {"shot": film.shot, "by": 1}),
            (Project.delete, {"shot": film.shot}),
            (Project.restore, {"shot": film.deleted_shot}),
        ):
            await cleo.send(event, **sent)
            assert "Ask Ana for the right to edit" in cleo.shows(Project, "problem"), event
        await cleo.send(Share.open, project=film.project)
        for event, sent in (
            (Share.set_role, {"user": film.people["viewer"], "role": "editor"}),
            (Share.revoke, {"link": "none"}),
            (Share.make_link, {"form": {"role": "editor"}}),
        ):
            await cleo.send(event, **sent)
            assert "Only Ana" in cleo.shows(Share, "problem"), event
        assert await projects.role_in(film.people["viewer"], "project", film.project) == "viewer"
        page = await projects.open_project(film.people["owner"], film.project)
        assert [shot.name for shot in page.shots] == ["Gulls"]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_arguments_are_no_errors_of_ours(project_page: Any, film: Film, hostile: Any):
    async with project_page() as (_, visit):
        ana = await visit("owner")
        await ana.send(Share.open, project=film.project)
        for event, sent in (
            (Share.set_role, {"user": hostile, "role": "viewer"}),
            (Share.set_role, {"user": film.people["viewer"], "role": hostile}),
            (Share.ask, {"what": hostile, "user": hostile}),
            (Share.ask, {"what": "remove", "user": hostile}),
            (Share.confirm, {}),
            (Share.revoke, {"link": hostile}),
            (Share.make_link, {"form": hostile}),
            (Share.make_link, {"form": {"role": hostile, "kind": hostile}}),
            (Share.open, {"project": hostile}),
        ):
            await ana.send(event, **sent)
        assert ana.shows(Share, "status") == "missing"
        members = (await sharing.sharing_of(film.people["owner"], film.project)).members
        assert [m.role for m in members] == ["owner", "editor", "editor", "viewer"]
        assert len((await sharing.sharing_of(film.people["owner"], film.project)).links) == 3


# --- the page of a link --------------------------------------------------------------------------


@pytest.fixture
def join_page(persistence_site: Any) -> Any:
    @asynccontextmanager
    async def running() -> AsyncIterator[Any]:
        async with persistence_site(
            scopes=SCOPES, route="/join/[token]", on_load=Join.load, authorise=authorise
        ) as site:

            async def visit(user: str, token: str) -> FakeTab:
                tab = site.tab(new_id(), user=user, path=f"/join/{token}")
                tab.params = {"token": token}
                await tab.open()
                return tab

            yield visit

    return running


async def test_the_page_of_a_link_tells_and_joins_only_when_asked_to(join_page: Any, film: Film):
    ana, sam = film.people["owner"], film.people["stranger"]
    token = await sharing.invite(ana, film.project, "editor")
    async with join_page() as visit:
        tab = await visit(sam, token)
        told = {name: tab.shows(Join, name) for name in ("state", "name", "by", "role")}
        assert told == {"state": "open", "name": "Harbour", "by": "Ana", "role": "editor"}
        assert await projects.role_in(sam, "project", film.project) is None
        await tab.send(Join.join)
        assert await projects.role_in(sam, "project", film.project) == "editor"
        assert (await visit(ana, token)).shows(Join, "state") == "own"
        assert (await visit(film.people["viewer"], token)).shows(Join, "state") == "raise"


async def test_the_page_of_a_link_that_is_over_tells_nothing_of_the_project(
    join_page: Any, film: Film
):
    ana, sam = film.people["owner"], film.people["stranger"]
    token = await sharing.invite(ana, film.project, "editor")
    await sharing.remove(ana, film.project, film.people["guest"])
    async with join_page() as visit:
        tab = await visit(sam, token)
        assert (tab.shows(Join, "state"), tab.shows(Join, "name") or "") == ("revoked", "")
        await tab.send(Join.join)
        assert "was revoked" in tab.shows(Join, "problem")
        assert await projects.role_in(sam, "project", film.project) is None
        wrong = await visit(sam, new_id())
        assert wrong.shows(Join, "status") == "missing"
        await wrong.send(Join.join)
        assert await projects.role_in(sam, "project", film.project) is None
