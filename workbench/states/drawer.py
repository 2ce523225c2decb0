"""Whether the history stands open beside the page."""

from __future__ import annotations

import reflex as rx


class Drawer(rx.State):
    is_open: rx.Field[bool] = rx.field(False)

    @rx.event
    def toggle(self):
        self.is_open = not self.is_open

    @rx.event
    def close(self):
        self.is_open = False
