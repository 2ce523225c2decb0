"""One tool with every widget there is, as a panel; and its parts used alone."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any, Literal

import reflex as rx
from typing_extensions import TypedDict

from persistence.reflex import (
    SettingsState,
    bind,
    edit_target,
    explain_button,
    field_menu,
    field_row,
    origin_badge,
    running_engine,
    save_status,
    setting,
    settings_panel,
)
from persistence.reflex import current_actor as actor_here


class Mood(Enum):
    CALM = "calm"
    WILD = "wild"


class Cue(TypedDict):
    name: str
    frame: int
    loud: bool


class Every(SettingsState, tool="every", edit="shot", title="Every widget"):
    """One setting of each kind."""

    prompt: rx.Field[str] = setting(
        "", inherit=False, scopes=("shot",), max_length=5000, title="Prompt",
        placeholder="What happens?",
    )  # fmt: skip
    model: rx.Field[str] = setting(
        "wan-local", min_length=1, max_length=40, title="Model", help="The name of a model."
    )
    nickname: rx.Field[str | None] = setting(None, title="Nickname", placeholder="None")
    frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames", unit="frames")
    limit: rx.Field[int | None] = setting(None, ge=0, title="Limit")
    strength: rx.Field[float] = setting(0.5, ge=0, le=1, title="Strength")
    fast: rx.Field[bool] = setting(False, title="Fast", help="Fewer steps, a little rougher.")
    cached: rx.Field[bool | None] = setting(None, title="Cached")
    mode: rx.Field[Literal["basic", "advanced"]] = setting("basic", title="Mode")
    mood: rx.Field[Mood] = setting(Mood.CALM, title="Mood")
    quality: rx.Field[Literal["draft", "low", "middle", "high", "best"]] = setting(
        "middle", title="Quality", labels={"best": "Best there is"}
    )
    steps: rx.Field[int] = setting(
        8, ge=1, le=50, title="Steps", group="Advanced", shown_if={"mode": "advanced"}
    )
    shown_on: rx.Field[date] = setting(date(2026, 1, 31), title="Shown on", group="Advanced")
    words: rx.Field[list[str]] = setting(default_factory=list, title="Words", group="Parts")
    numbers: rx.Field[list[int]] = setting(default_factory=list, title="Numbers", group="Parts")
    cues: rx.Field[list[Cue]] = setting(default_factory=list, title="Cues", group="Parts")
    spots: rx.Field[list[tuple[str, int]]] = setting(
        default_factory=list, title="Spots", group="Parts", labels={0: "Image", 1: "Frame"}
    )
    size: rx.Field[tuple[int, int]] = setting(
        (1280, 720), title="Size", group="Parts", labels={0: "Width", 1: "Height"}
    )
    panes: rx.Field[dict[str, bool]] = setting(
        default_factory=lambda: {"gens": False, "shots": False}, merge=True, title="Panes",
        group="Parts", labels={"gens": "Generations", "shots": "Shots"},
    )  # fmt: skip
    tones: rx.Field[dict[str, int]] = setting(default_factory=dict, title="Tones", group="Parts")
    anything: rx.Field[dict[str, list[int]]] = setting(
        default_factory=dict, title="Anything", group="Parts"
    )
    token: rx.Field[str] = setting("", secret=True, scopes=("user",), title="Token", group="Parts")
    unseen: rx.Field[str] = setting("", widget="none")

    @rx.event
    async def rule(self) -> None:
        """A policy of the project's."""
        owners = dict(self.binding.owners)
        producer = await running_engine().open(type(self), owners, actor=actor_here())
        await producer.enforce("frames", 24, scope="project", note="until the review")

    @rx.event
    def from_a_handler(self) -> None:
        self.words = ["from", "a", "handler"]


class Small(SettingsState, tool="small", edit="shot", title="Small"):
    """A second tool for the same status line."""

    note: rx.Field[str] = setting("", title="Note")
    volume: rx.Field[int] = setting(5, ge=0, le=10, title="Volume")


def panel() -> rx.Component:
    return rx.el.main(
        rx.el.div(
            save_status(Every, Small, id="line"),
            rx.link("b", href="/panel/b", id="to-b"),
            rx.button("rule", on_click=Every.rule, id="rule"),
            rx.button("handler", on_click=Every.from_a_handler, id="handler"),
            rx.color_mode.button(id="colours"),
            style={"display": "flex", "gap": "12px", "margin_bottom": "12px"},
        ),
        settings_panel(Every, id="every"),
        rx.el.div(
            settings_panel(
                Small,
                id="small",
                title="Replaced",
                widgets={"volume": loud},
                parts={"help": lambda field: rx.el.p(f"about {field.name}", class_name="own-help")},
                scope_names={"shot": "Take"},
            ),
            settings_panel(Every, id="few", only=("frames", "fast"), header=False),
            rx.el.section(
                edit_target(Small),
                field_row(Small.note, prefix="alone"),
                rx.el.div(
                    rx.el.input(**bind(Small.volume, id="own-control")),
                    origin_badge(Small.volume),
                    explain_button(Small.volume),
                    field_menu(Small.volume),
                    custom_attrs={"data-persistence-field": ""},
                ),
                id="parts",
            ),
            style={"display": "grid", "gap": "16px", "align_content": "start"},
        ),
        class_name="panels",
    )


def loud(field: Any) -> rx.Component:
    return rx.el.input(
        **bind(field.state.volume, id=field.id, custom_attrs={"data-own-widget": ""})
    )
