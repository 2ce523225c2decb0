"""The tools: their names on the wire, their limits, and what their handlers compute."""

from __future__ import annotations

import pytest

from persistence import Engine, InvalidValue, ScopeNotAllowed
from workbench.settings import (
    SCOPES,
    ImageGeneration,
    Interface,
    Onboarding,
    Preferences,
    Travel,
    evened,
    positions_fit,
    shortened,
)


def engine() -> Engine:
    return Engine("memory:", scopes=SCOPES)


OWNERS = {"user": "u", "project": "p", "shot": "s"}


@pytest.mark.parametrize(
    ("tool", "edit", "aliases"),
    [
        (
            Travel, "shot",
            {"timelineFramePositions", "acceleratedMode", "randomSeed", "prompt", "textBefore",
             "textAfter"},
        ),
        (
            ImageGeneration, "project",
            {"lastUsedModel", "preferredQuality", "imagesPerPrompt", "defaultModel"},
        ),
        (Interface, "user", {"paneLocks", "theme"}),
        (Preferences, "user", {"lastOpenedProjectId"}),
        (
            Onboarding, "user",
            {"completed", "currentStep", "stepsCompleted", "dismissedTips", "lastActiveDate"},
        ),
    ],
)  # fmt: skip
def test_a_tool_has_the_names_that_others_rely_on(tool, edit: str, aliases: set[str]):
    assert set(tool.__tool__.by_alias) == aliases
    assert tool.__tool__.edit == edit


async def test_the_tools_work_without_a_page_too():
    async with engine() as one:
        travel = await one.open(Travel, OWNERS)
        travel.update(timeline_frame_positions=[("wide", 0), ("close", 24)])
        document = await one.export_document("shot", "s")
    assert document == {"travel-ui-state": {"timelineFramePositions": [["wide", 0], ["close", 24]]}}


async def test_content_can_be_set_for_a_shot_alone():
    async with engine() as one:
        travel = await one.open(Travel, OWNERS)
        with pytest.raises(ScopeNotAllowed):
            travel.update(scope="project", prompt="for all of them")


@pytest.mark.parametrize(
    ("tool", "field", "value"),
    [
        (ImageGeneration, "images_per_prompt", 0),
        (ImageGeneration, "images_per_prompt", 17),
        (ImageGeneration, "images_per_prompt", True),
        (ImageGeneration, "preferred_quality", "best"),
        (ImageGeneration, "default_model", ""),
        (Travel, "prompt", "x" * 5001),
        (Travel, "timeline_frame_positions", [("wide", -1)]),
        (Travel, "timeline_frame_positions", [("x" * 121, 0)]),
        (Travel, "timeline_frame_positions", [("wide", 0)] * 201),
        (Travel, "timeline_frame_positions", [("wide", 1.5)]),
        (Interface, "theme", "sepia"),
        (Interface, "pane_locks", {"gens": 1}),
    ],
)
async def test_what_breaks_a_limit_is_refused_with_the_field(tool, field: str, value: object):
    async with engine() as one:
        binding = await one.open(tool, OWNERS)
        with pytest.raises(InvalidValue) as refused:
            binding.update(**{field: value})
        assert refused.value.field == field
        assert binding.origin(field) == "default"


def test_a_frame_outside_of_the_shot_is_named():
    with pytest.raises(ValueError, match="frame -1 lies outside of 0 to 100,000"):
        positions_fit({"timeline_frame_positions": [("wide", -1)]})


@pytest.mark.parametrize(
    ("prompt", "short"),
    [
        ("", ""),
        ("One sentence.", "One sentence."),
        ("One. Two. Three.", "One. Two."),
        ("word " * 60, ("word " * 32).strip()),
        ("First sentence here. " + "x" * 200, "First sentence here."),
    ],
)
def test_a_prompt_is_shortened_by_sentences_then_by_words(prompt: str, short: str):
    assert shortened(prompt) == short


def test_frames_are_evened_out_between_the_first_and_the_last():
    frames = [("a", 10), ("b", 11), ("c", 90), ("d", 40)]
    assert evened(frames) == [("a", 10), ("b", 37), ("c", 63), ("d", 90)]
    assert evened(frames[:2]) == frames[:2]
