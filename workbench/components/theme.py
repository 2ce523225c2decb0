"""Light, dark, or as the system has it: the switch, and what carries the setting into the page."""

from __future__ import annotations

import reflex as rx
from reflex_base.components.component import Component

from persistence.reflex import put
from workbench.components.base import icon
from workbench.settings import Interface

CHOICES = {
    "light": ("sun", "Light"),
    "system": ("monitor", "As the system"),
    "dark": ("moon", "Dark"),
}


def theme_switch() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Appearance", class_name="sr-only"),
        *[_choice(value, *shown) for value, shown in CHOICES.items()],
        class_name="segmented theme-switch",
    )


def _choice(value: str, name: str, label: str) -> rx.Component:
    return rx.el.button(
        icon(name, size=14),
        type="button",
        title=label,
        aria_label=label,
        aria_pressed=rx.cond(Interface.theme == value, "true", "false"),
        on_click=put(Interface.theme, value),
    )


class _ThemeSync(Component):
    """Once the setting is loaded it rules; until then what this browser showed last."""

    def add_imports(self):
        return {
            "react": [rx.ImportVar(tag="useContext"), rx.ImportVar(tag="useEffect")],
            "$/utils/context-registry": [rx.ImportVar(tag="ColorModeContext")],
        }

    def add_hooks(self):
        theme = rx.cond(Interface.ready, Interface.theme, "")
        return [
            rx.Var(f"const wantedTheme = {theme};"),
            "const { setColorMode } = useContext(ColorModeContext);",
            "useEffect(() => { if (wantedTheme) setColorMode(wantedTheme); }, [wantedTheme]);",
        ]


def theme_sync() -> rx.Component:
    return _ThemeSync.create()
