"""The first steps: what completes one, what doesn't, and how the list goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from persistence import Binding, Engine
from workbench.onboarding import Watcher
from workbench.sample.make import make
from workbench.settings import SCOPES, ImageGeneration, Interface, Onboarding, Travel
from workbench.steps import IDS, progress

OWNERS = {"user": "ana", "project": "p", "shot": "s"}


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[Engine, Binding[Any]]]:
    """An engine whose commits are watched, and how far its user Ana is."""
    async with Engine("memory:", scopes=SCOPES, debounce=0.001, max_wait=0.001) as engine:
        watcher = Watcher(engine)
        yield engine, await engine.open(Onboarding, {"user": "ana"}, actor="ana")
        watcher.close()


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came to hold")


async def done_after_everything(engine: Engine, tour: Binding[Any]) -> list[str]:
    """What is done once a later commit, a saved prompt of somebody's, was looked at."""
    other = await engine.open(Travel, {"user": "bo", "shot": "t"}, actor="bo")
    theirs = await engine.open(Onboarding, {"user": "bo"}, actor="bo")
    other.update(prompt="Bo's")
    await until(lambda: theirs.values.steps_completed == ["edit"])
    return tour.values.steps_completed


async def test_a_saved_prompt_completes_the_first_step():
    async with watched() as (engine, tour):
        travel = await engine.open(Travel, OWNERS, actor="ana")
        travel.update(prompt="A trawler leaves")
        assert tour.values.steps_completed == []
        await until(lambda: tour.values.steps_completed == ["edit"])
        assert (tour.values.current_step, tour.values.completed) == (2, False)
        assert len(tour.values.last_active_date) == 10


async def test_the_steps_complete_in_any_order_and_are_told_in_theirs():
    async with watched() as (engine, tour):
        images = await engine.open(ImageGeneration, OWNERS, actor="ana")
        images.pin("preferred_quality", scope="shot")
        await until(lambda: tour.values.steps_completed == ["pin"])
        assert tour.values.current_step == 1
        images.update(images_per_prompt=6)
        await until(lambda: tour.values.steps_completed == ["cascade", "pin"])


async def test_what_was_taken_back_completes_its_step():
    async with watched() as (engine, tour):
        images = await engine.open(ImageGeneration, OWNERS, actor="ana")
        images.update(images_per_prompt=6, source="undo", scope="shot")
        await until(lambda: tour.values.steps_completed == ["undo"])


async def test_other_edits_and_those_of_programs_complete_nothing():
    async with watched() as (engine, tour):
        travel = await engine.open(Travel, OWNERS, actor="ana")
        travel.update(prompt="By a program", source="program")
        travel.update(text_before="Not the prompt")
        interface = await engine.open(Interface, OWNERS, actor="ana")
        interface.update(theme="dark")
        await asyncio.gather(travel.flush(), interface.flush())
        assert await done_after_everything(engine, tour) == []


async def test_a_copy_of_settings_is_no_pin_of_the_users():
    async with watched() as (engine, tour):
        images = await engine.open(ImageGeneration, OWNERS, actor="ana")
        images.update(images_per_prompt=6, preferred_quality="fine", scope="shot")
        await images.flush()
        await engine.copy(("shot", "s"), ("shot", "t"), actor="ana")
        assert await done_after_everything(engine, tour) == []


async def test_the_sample_film_completes_nothing(new_user):
    me = new_user()
    async with Engine("memory:", scopes=SCOPES) as engine:
        watcher = Watcher(engine)
        async for _ in make(engine, me):
            pass
        tour = await engine.open(Onboarding, {"user": me}, actor=me)
        assert await done_after_everything(engine, tour) == []
        watcher.close()


async def test_somebody_elses_edit_completes_nothing_of_mine():
    async with watched() as (engine, tour):
        assert await done_after_everything(engine, tour) == []


async def test_steps_done_before_a_restart_are_to_be_done_again():
    async with watched() as (engine, tour):
        travel = await engine.open(Travel, OWNERS, actor="ana")
        travel.update(prompt="First")
        await until(lambda: tour.values.steps_completed == ["edit"])
        tour.update(source="program", **progress([], [], day="2026-11-21"))
        travel.update(text_before="Something else of the same shot")
        await travel.flush()
        assert await done_after_everything(engine, tour) == []
        travel.update(prompt="Second")
        await until(lambda: tour.values.steps_completed == ["edit"])


def test_all_done_or_put_away_is_the_end():
    assert progress(IDS[:4], [], day="d") == {
        "steps_completed": ["edit", "cascade", "pin", "undo"],
        "current_step": 5,
        "completed": False,
        "last_active_date": "d",
    }
    ended = progress(IDS[1:4], ["edit", "history"], day="d")
    assert (ended["current_step"], ended["completed"]) == (0, True)
