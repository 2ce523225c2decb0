"""A page that takes over what the browser held before, and buttons that edit by themselves."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from persistence.reflex import (
    SettingsState,
    bind,
    device_local,
    device_ready,
    put,
    save_status,
    setting,
    take_over,
    take_over_notice,
    toggle,
)


class Interface(SettingsState, tool="interface", edit="user"):
    theme: rx.Field[Literal["light", "dark", "system"]] = setting("system", title="Theme")
    compact: rx.Field[bool] = setting(False)
    columns: rx.Field[int] = setting(4, ge=1, le=8, title="Columns")
    locks: rx.Field[dict[str, bool]] = setting(default_factory=dict, merge=True)


class Drawer(rx.State):
    width: rx.Field[int] = device_local(200, key="drawer", title="Drawer", ge=0, le=1000)


def interface() -> rx.Component:
    el: Any = rx.el
    return rx.vstack(
        take_over(Interface.theme, local_storage="app.theme", remove=True),
        take_over(Interface.compact, cookie="compact", words={"yes": True, "no": False}),
        take_over(Interface.columns, local_storage="app.columns", remove=True),
        take_over(Drawer.width, local_storage="drawer-width", remove=True),
        take_over_notice(id="notice"),
        save_status(Interface, id="status"),
        rx.text(Interface.status, id="state"),
        rx.text(Interface.theme, id="theme"),
        rx.text(Interface.compact.to_string(), id="compact"),
        rx.text(Interface.columns, id="columns"),
        rx.text(Interface.locks.to_string(), id="locks"),
        rx.text(rx.cond(device_ready(), Drawer.width, "…"), id="drawer"),
        el.select(
            *[el.option(each, value=each) for each in ("light", "dark", "system")],
            **bind(Interface.theme, control="native", id="theme-control"),
        ),
        rx.button("light", on_click=put(Interface.theme, "light"), id="light"),
        rx.button("compact", on_click=toggle(Interface.compact), id="toggle"),
        rx.button("shots", on_click=toggle(Interface.locks, "shots"), id="shots"),
        rx.button("gens", on_click=toggle(Interface.locks, "gens"), id="gens"),
    )


def add_pages(app: rx.App) -> None:
    app.add_page(interface, route="/interface")
