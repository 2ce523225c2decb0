"""The smallest parts: icons, links, buttons, and the browser's own address."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx
from reflex.vars import StringVar
from reflex_base.vars import VarData
from reflex_components_core.react_router.dom import ReactRouterLink

Text = str | rx.Var[str]
Click = Any
"""What `on_click` takes: an event handler, or several."""


def icon(name: str, *, size: int = 16) -> rx.Component:
    """A line icon. It only decorates: the control that holds it carries the label."""
    return rx.icon(name, size=size, stroke_width=1.75, custom_attrs={"aria-hidden": "true"})


def link(*children: Any, to: Text, **props: Any) -> rx.Component:
    """A link within the app, which doesn't load the page anew."""
    return ReactRouterLink.create(*children, to=to, **props)


def button(
    *children: Any,
    kind: Literal["plain", "primary", "quiet", "danger"] = "plain",
    submit: bool = False,
    class_name: str = "",
    **props: Any,
) -> rx.Component:
    return rx.el.button(
        *children,
        type="submit" if submit else "button",
        class_name=f"button button-{kind} {class_name}",
        **props,
    )


def icon_button(name: str, label: Text, **props: Any) -> rx.Component:
    """A button that is only an icon; `label` is read aloud and shown on hover."""
    return rx.el.button(
        icon(name), type="button", class_name="icon-button", aria_label=label, title=label, **props
    )


def here() -> StringVar[str]:
    """The address that the browser shows at this moment, which the server may not know yet."""
    return rx.Var(
        "useLocationHere.pathname.replace(/(.)\\/$/, '$1')",
        _var_type=str,
        _var_data=VarData(
            imports={"react-router": [rx.ImportVar(tag="useLocation")]},
            hooks={"const useLocationHere = useLocation();": None},
        ),
    ).to(str)
