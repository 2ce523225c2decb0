"""A panel with its history beside it, and the buttons that undo."""

from __future__ import annotations

from typing import Literal

import reflex as rx

from persistence.reflex import (
    SettingsState,
    history_panel,
    running_engine,
    save_status,
    setting,
    settings_panel,
    undo_controls,
)


class Scene(SettingsState, tool="scene", edit="shot", title="Scene"):
    """A few settings of a shot."""

    prompt: rx.Field[str] = setting("", inherit=False, max_length=2000, title="Prompt")
    frames: rx.Field[int] = setting(61, ge=1, le=1000, title="Frames", widget="number")
    mood: rx.Field[Literal["calm", "wild"]] = setting("calm", title="Mood")
    fast: rx.Field[bool] = setting(False, title="Fast")
    tags: rx.Field[list[str]] = setting(default_factory=list, title="Tags")

    @rx.event
    def both(self) -> None:
        """One action on two settings."""
        self.frames, self.mood = 12, "wild"

    @rx.event
    async def as_bob(self) -> None:
        """Somebody else edits."""
        bob = await running_engine().open(type(self), dict(self.binding.owners), actor="x:bob")
        bob.update(frames=33)
        await bob.flush()


def history() -> rx.Component:
    return rx.el.main(
        rx.el.header(
            undo_controls(id="undo"),
            save_status(Scene, id="line"),
            rx.link("b", href="/history/b", id="to-b"),
            rx.button("both", on_click=Scene.both, id="both"),
            rx.button("bob", on_click=Scene.as_bob, id="bob"),
            rx.color_mode.button(id="colours"),
            style={"display": "flex", "gap": "12px", "grid_column": "1 / -1"},
        ),
        settings_panel(Scene, id="scene"),
        history_panel(Scene, id="history"),
        class_name="panels",
    )


def add_pages(app: rx.App) -> None:
    app.add_page(history, route="/history/[shot]")
