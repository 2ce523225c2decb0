"""A page for two people: refused edits, conflicts, the drawer."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from persistence.reflex import (
    SettingsState,
    bind,
    running_engine,
    save_status,
    setting,
    settings_panel,
    unsaved_button,
)
from persistence.reflex import current_actor as actor_here


class Joint(SettingsState, tool="joint", edit="shot", title="Travel"):
    """What two people edit together."""

    prompt: rx.Field[str] = setting("", inherit=False, max_length=400, title="Prompt")
    frames: rx.Field[int] = setting(61, ge=1, le=241, title="Frames", unit="frames")
    name: rx.Field[str] = setting("untitled", max_length=12, title="Name")
    mood: rx.Field[Literal["calm", "wild", "eerie"]] = setting("calm", title="Mood")
    token: rx.Field[str] = setting("", secret=True, max_length=8, title="Token")
    cues: rx.Field[dict[str, list[int]]] = setting(default_factory=dict, title="Cues")

    @rx.event
    async def calm_down(self) -> None:
        """A handler that edits what somebody else has just changed, in another process."""
        self.frames = 24

    @rx.event
    async def rule(self) -> None:
        """A policy of the project's."""
        owners = dict(self.binding.owners)
        producer = await running_engine().open(type(self), owners, actor=actor_here())
        await producer.enforce("frames", 24, scope="project", note="until the review")


def shared() -> rx.Component:
    el: Any = rx.el
    return el.main(
        el.header(
            el.h1("A shared shot", style={"font_size": "1rem", "flex": "1"}),
            unsaved_button(id="unsaved"),
            save_status(Joint, id="line"),
            rx.button("handler", on_click=Joint.calm_down, id="handler"),
            rx.button("rule", on_click=Joint.rule, id="rule"),
            rx.link("b", href="/joint/sharedB", id="to-b"),
            style={"display": "flex", "gap": "12px", "align_items": "center"},
        ),
        settings_panel(Joint, id="joint"),
        el.section(
            el.label("Bound by itself", el.input(**bind(Joint.name, id="bare"))),
            style={"margin_top": "16px"},
        ),
        style={"max_width": "620px", "margin": "0 auto", "padding": "16px"},
    )


def add_pages(app: rx.App) -> None:
    app.add_page(shared, route="/joint/[shot]")
