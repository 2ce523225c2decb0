"""The workbench's tools, each setting declared once: type, limits, title, help, where it may be.

The ids and the camelCase aliases are the names on the wire and in exports. Scopes, weakest first,
are the user, the project and the shot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import reflex as rx

from persistence import validates
from persistence.reflex import SettingsState, setting
from workbench.steps import COACH, IDS, progress, today

SCOPES = ("user", "project", "shot")

FRAME_LIMIT = 100_000
FRAMES_LIMIT = 200
FRAME_NAME_LIMIT = 120
FRAMES_APART = 24
"""Where a new image is put after the last: a second of film."""
SHORT_PROMPT = 160
STEPS_LIMIT = 50
"""More first steps and tips than there will ever be."""

Frame = tuple[str, int]
"""An image's name, and the frame of the shot at which it stands."""


@dataclass
class Tick:
    """One image on the ruler."""

    name: str
    frame: int
    left: str


def positions_fit(values: Mapping[str, Any]) -> None:
    for name, frame in values["timeline_frame_positions"]:
        if not 0 <= frame <= FRAME_LIMIT:
            raise ValueError(f"frame {frame} lies outside of 0 to {FRAME_LIMIT:,}")
        if len(name) > FRAME_NAME_LIMIT:
            raise ValueError(f"an image’s name has up to {FRAME_NAME_LIMIT} characters")


class Travel(SettingsState, tool="travel-ui-state", edit="shot", title="Travel"):
    """Prompt, texts and motion of one shot. What is written for a shot stays with it."""

    prompt: rx.Field[str] = setting(
        "", inherit=False, scopes=("shot",), max_length=5000, title="Prompt",
        placeholder="What happens in this shot?",
    )  # fmt: skip
    text_before: rx.Field[str] = setting(
        "", inherit=False, scopes=("shot",), max_length=2000, title="Text before",
        placeholder="Leads into the shot",
    )  # fmt: skip
    text_after: rx.Field[str] = setting(
        "", inherit=False, scopes=("shot",), max_length=2000, title="Text after",
        placeholder="Leads out of it",
    )  # fmt: skip
    timeline_frame_positions: rx.Field[list[Frame]] = setting(
        default_factory=list,
        max_length=FRAMES_LIMIT,
        title="Frame positions",
        help="Which image stands at which frame. Set for the project, every shot begins with them.",
    )
    accelerated_mode: rx.Field[bool] = setting(
        False, title="Accelerated mode", help="Fewer steps: faster, a little rougher."
    )
    random_seed: rx.Field[bool] = setting(
        True, title="Random seed", help="Off: the same input gives the same pictures."
    )

    _fits = validates("timeline_frame_positions")(positions_fit)

    @rx.event
    def shorten_prompt(self):
        self.prompt = shortened(self.prompt)

    @rx.event
    def add_frame(self):
        frames = self._frames()
        last = frames[-1][1] + FRAMES_APART if frames else 0
        frames.append((f"image-{len(frames) + 1}", min(last, FRAME_LIMIT)))
        self.timeline_frame_positions = frames

    @rx.event
    def remove_frame(self, index: int):
        frames = self._frames()
        if type(index) is int and 0 <= index < len(frames):
            del frames[index]
            self.timeline_frame_positions = frames

    @rx.event
    def even_out(self):
        self.timeline_frame_positions = evened(self._frames())

    @rx.var
    def ticks(self) -> list[Tick]:
        """Where the images stand on the ruler, in percent of its length."""
        frames = self._frames()
        end = max((frame for _, frame in frames), default=0) * 1.18 or 1  # room for the last number
        return [Tick(name, frame, f"{100 * frame / end:.2f}%") for name, frame in frames]

    def _frames(self) -> list[Frame]:
        """What the edit target says, though a stronger layer may hide it: that is edited."""
        shown = self.hidden.get("timeline_frame_positions", self.timeline_frame_positions)
        return [(name, frame) for name, frame in shown]


class ImageGeneration(
    SettingsState, tool="image-generation", edit="project", title="Image generation"
):
    """How pictures are made. Usually one choice for a whole project."""

    last_used_model: rx.Field[str] = setting(
        "", max_length=200, title="Model", widget="text", placeholder="The default model"
    )
    preferred_quality: rx.Field[Literal["draft", "balanced", "fine"]] = setting(
        "balanced", title="Quality"
    )
    images_per_prompt: rx.Field[int] = setting(4, ge=1, le=16, title="Images per prompt")
    default_model: rx.Field[str] = setting(
        "wan-local", min_length=1, max_length=200, title="Default model",
        widget="text", help="Taken where no model is chosen.",
    )  # fmt: skip

    @rx.event
    def use_default_model(self):
        self.last_used_model = self.default_model


class Interface(SettingsState, tool="ui", edit="user", title="Interface"):
    """How a user likes the workbench, wherever they are."""

    pane_locks: rx.Field[dict[str, bool]] = setting(
        default_factory=lambda: {"gens": False, "shots": False, "tasks": False},
        merge=True,
        scopes=("user",),
        title="Panes that stay open",
        labels={"gens": "Generations", "shots": "Shots", "tasks": "Tasks"},
    )
    theme: rx.Field[Literal["light", "dark", "system"]] = setting(
        "system", scopes=("user",), flush="now", title="Appearance"
    )


class Preferences(SettingsState, tool="user-preferences", edit="user", title="Where you left off"):
    """What the workbench remembers about its user's way through it."""

    last_opened_project_id: rx.Field[str] = setting(
        "", scopes=("user",), max_length=64, title="Project opened last"
    )


class Onboarding(SettingsState, tool="onboarding", edit="user", title="Getting started"):
    """How far a user is with the first steps; `workbench.steps` says which there are."""

    completed: rx.Field[bool] = setting(False, scopes=("user",), title="Completed")
    current_step: rx.Field[int] = setting(
        0,
        scopes=("user",),
        ge=0,
        le=STEPS_LIMIT,
        title="Current step",
        help="1 for the first; 0 before and after.",
    )
    steps_completed: rx.Field[list[str]] = setting(
        default_factory=list, scopes=("user",), max_length=STEPS_LIMIT, title="Steps done"
    )
    dismissed_tips: rx.Field[list[str]] = setting(
        default_factory=list, scopes=("user",), max_length=STEPS_LIMIT, title="Tips put away"
    )
    last_active_date: rx.Field[str] = setting(
        "", scopes=("user",), max_length=10, title="Last active",
        help="A day, such as 2026-11-21.",
    )  # fmt: skip

    @rx.event
    def look(self):
        """The user has opened a setting's story or the history."""
        self._go_on(done=[*self.steps_completed, "history"])

    @rx.event
    def skip(self, step: str):
        if step in IDS:
            self._go_on(skipped=[*self.dismissed_tips, step])

    @rx.event
    def put_away(self):
        """Fold the list; it stays where it can be opened again."""
        self._go_on(skipped=[*self.dismissed_tips, COACH])

    @rx.event
    def resume(self):
        self._go_on(skipped=[tip for tip in self.dismissed_tips if tip != COACH])

    @rx.event
    def restart(self):
        self._go_on(done=[], skipped=[])

    def _go_on(self, *, done: list[str] | None = None, skipped: list[str] | None = None) -> None:
        """A program's edits: how far the tour is isn't a step that anybody would undo."""
        done = self.steps_completed if done is None else done
        skipped = self.dismissed_tips if skipped is None else skipped
        with self.acting_as("program"):
            self.dismissed_tips = sorted(set(skipped))
            self.update_fields(**progress(set(done), set(skipped), day=today()))


TOOLS: tuple[type[SettingsState], ...] = (Travel, ImageGeneration, Interface)
"""The tools of a shot's page."""


def shortened(prompt: str, *, limit: int = SHORT_PROMPT) -> str:
    """The first sentences that fit, else the first words that do."""
    text = " ".join(prompt.split())
    if len(text) <= limit:
        head = text.split(". ")
        return text if len(head) < 2 else ". ".join(head[:-1]) + "."
    cut = text[:limit]
    end = max(cut.rfind(". "), cut.rfind("! "), cut.rfind("? "))
    return cut[: end + 1] if end > 0 else cut.rsplit(" ", 1)[0]


def evened(frames: list[Frame]) -> list[Frame]:
    """The same images in the same order, at equal distances from the first to the last frame."""
    if len(frames) < 3:
        return frames
    first, last = min(frame for _, frame in frames), max(frame for _, frame in frames)
    step = (last - first) / (len(frames) - 1)
    return [(name, round(first + index * step)) for index, (name, _) in enumerate(frames)]
