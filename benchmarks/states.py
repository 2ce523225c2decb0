"""Two states of a page that do the same: with settings, and with vars of Reflex's own."""

from __future__ import annotations

import reflex as rx

from persistence.reflex import SettingsState, setting


class Persisted(SettingsState, tool="bench-observe", edit="user"):
    frames: rx.Field[int] = setting(61, ge=1, le=1_000_000)
    notes: rx.Field[dict[str, int]] = setting(default_factory=dict)

    @rx.event
    def more(self) -> None:
        self.frames += 1


class Own(rx.State):
    frames: rx.Field[int] = rx.field(61)
    notes: rx.Field[dict[str, int]] = rx.field(default_factory=dict)

    @rx.event
    def more(self) -> None:
        self.frames += 1
