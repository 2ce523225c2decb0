"""The sample film: a file that reads as a film, and a project that is made of it once."""

from __future__ import annotations

import asyncio

import pytest

from persistence import Engine, PermissionDenied, PolicyViolation, Target, presets
from workbench import projects
from workbench.access import NotFound
from workbench.accounts import authorise
from workbench.sample.film import read_film
from workbench.sample.make import id_of, make
from workbench.settings import SCOPES, ImageGeneration, Interface, Travel

FILM = read_film()


def engine() -> Engine:
    return Engine("memory:", scopes=SCOPES, authorise=authorise)


async def film_of(one: Engine, actor: str) -> list[int]:
    return [done async for done in make(one, actor)]


def shot(actor: str, key: str) -> dict[str, str]:
    return {"user": actor, "project": id_of(actor), "shot": id_of(actor, key)}


def test_the_film_has_twelve_shots_and_more_each_with_words_and_pictures_of_its_own():
    prompts = [e.value for step in FILM.steps for e in step.edits if e.name == "prompt"]
    assert len(FILM.shots) == len(set(prompts)) == 14
    assert min(map(len, prompts)) > 250
    assert len({name for _, name in FILM.shots}) == 14
    for key, _ in FILM.shots:
        edits = [e for step in FILM.steps for e in step.edits if e.place == key]
        names = {e.name for e in edits}
        assert {"prompt", "timelineFramePositions"} <= names
        assert names & {"textBefore", "textAfter", "imagesPerPrompt", "randomSeed"}


def test_the_film_uses_every_place_and_every_verb():
    edits = [edit for step in FILM.steps for edit in step.edits]
    assert {"user", "project", "rail"} <= {edit.place for edit in edits}
    assert {edit.kind for edit in edits} == {"set", "pin", "policy"}
    assert all(edit.note for edit in edits if edit.kind == "policy")


async def test_it_is_made_with_each_setting_where_a_film_maker_would_set_it(new_user):
    me = new_user()
    async with engine() as one:
        assert await film_of(one, me) == list(range(1, len(FILM.steps) + 1))
        images = await one.open(ImageGeneration, shot(me, "lights"), actor=me)
        assert images.values.preferred_quality == "fine"
        assert [layer.value for layer in images.explain("preferred_quality").layers] == [
            "draft", "balanced", "fine",
        ]  # fmt: skip
        rope = await one.open(ImageGeneration, shot(me, "rope"), actor=me)
        assert [layer.kind for layer in rope.explain("preferred_quality").layers][-1] == "pin"
        travel = await one.open(Travel, shot(me, "key"), actor=me)
        assert travel.values.prompt.startswith("Medium shot, 40 mm")
        assert travel.origin("random_seed") == "project"
        interface = await one.open(Interface, {"user": me}, actor=me)
        assert interface.values.pane_locks == {"gens": False, "shots": True, "tasks": False}
    page = await projects.open_project(me, id_of(me))
    assert (page.project.name, [s.name for s in page.shots]) == (
        "The Last Ferry", [name for _, name in FILM.shots],
    )  # fmt: skip


async def test_its_policy_holds_with_its_reason(new_user):
    me = new_user()
    async with engine() as one:
        await film_of(one, me)
        images = await one.open(ImageGeneration, shot(me, "ramp"), actor=me)
        with pytest.raises(PolicyViolation, match="ask Ida before you change it"):
            images.update(default_model="another", scope="shot")


async def test_its_history_tells_of_several_steps_and_a_named_moment(new_user):
    me = new_user()
    async with engine() as one:
        await film_of(one, me)
        project = Target("project", id_of(me), "image-generation")
        changes = await one.store.history([project], field="last_used_model")
        assert [change.text for change in changes] == ['"wan-local-14b"', '"wan-local"']
        assert len({change.group for change in await one.store.authored(me)}) == len(FILM.steps)
        moments = await one.store.moments("project", id_of(me))
        assert [moment.name for moment in moments] == ["Picture lock"]
        at = (await one.store.at([project], moments[0].revision))[project]
        assert at["default_model"].kind == "policy"


async def test_its_presets_can_be_applied_and_a_deleted_one_stays_deleted(new_user):
    me = new_user()
    async with engine() as one:
        await film_of(one, me)
        images = await one.open(ImageGeneration, shot(me, "ramp"), edit="shot", actor=me)
        kept = await presets.listed(images, at="project")
        assert [(each.name, dict(each.problems)) for each in kept] == [
            ("Hero shot", {}), ("Quick sketch", {}),
        ]  # fmt: skip
        await one.apply(await presets.plan(images, "Hero shot", at="project"), actor=me)
        assert (images.values.preferred_quality, images.values.images_per_prompt) == ("fine", 8)
        await presets.remove(images, "Hero shot", at="project")
        await film_of(one, me)
        kept = await presets.listed(images, at="project")
        assert [each.name for each in kept] == ["Quick sketch"]


async def test_clicking_twice_makes_one_and_changes_nothing_that_was_edited_since(new_user):
    me = new_user()
    async with engine() as one:
        await film_of(one, me)
        travel = await one.open(Travel, shot(me, "rope"), actor=me)
        travel.update(prompt="Mine now")
        travel.reset("text_after")
        await travel.flush()
        before = await one.store.last_revision()
        await film_of(one, me)
        assert await one.store.last_revision() == before
        assert (travel.values.prompt, travel.values.text_after) == ("Mine now", "")
    assert len((await projects.list_projects(me)).live) == 1


async def test_what_was_interrupted_is_completed_by_the_next_click(new_user):
    me = new_user()
    async with engine() as one:
        begun = make(one, me)
        async for done in begun:
            if done == 5:
                break
        await begun.aclose()
        assert await film_of(one, me) == list(range(1, len(FILM.steps) + 1))
        authored = await one.store.authored(me)
        edits = [edit for step in FILM.steps for edit in step.edits]
        assert len(authored) == len(edits)


async def test_two_tabs_that_make_it_at_once_make_one(new_user):
    me = new_user()
    async with engine() as one:
        await asyncio.gather(film_of(one, me), film_of(one, me))
        assert len(await one.store.authored(me)) == sum(len(step.edits) for step in FILM.steps)


async def test_what_the_user_chose_for_themselves_stays(new_user):
    me = new_user()
    async with engine() as one:
        images = await one.open(ImageGeneration, {"user": me}, actor=me)
        images.update(preferred_quality="fine", scope="user")
        await images.flush()
        await film_of(one, me)
        assert images.values.preferred_quality == "fine"


async def test_deleted_it_comes_back_as_it_was(new_user):
    me = new_user()
    async with engine() as one:
        await film_of(one, me)
        travel = await one.open(Travel, shot(me, "rope"), actor=me)
        travel.update(prompt="Mine now")
        await travel.flush()
        await projects.delete_project(me, id_of(me))
        assert (await projects.list_projects(me)).live == []
        await film_of(one, me)
        again = await one.open(Travel, shot(me, "rope"), actor=me)
        assert again.values.prompt == "Mine now"
    assert [row.shots for row in (await projects.list_projects(me)).live] == [14]


async def test_it_is_nobody_elses_and_nobody_makes_none(new_user):
    me, other = new_user(), new_user()
    assert id_of(me) != id_of(other)
    async with engine() as one:
        await film_of(one, me)
        with pytest.raises(NotFound):
            await projects.open_project(other, id_of(me))
        with pytest.raises(PermissionDenied):
            await one.open(Travel, shot(me, "rope"), actor=other)
        with pytest.raises(NotFound):
            await film_of(one, "")
