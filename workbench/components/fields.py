"""One setting on the page: label, control, where its value comes from, and the way back. STUB"""
from __future__ import annotations
from typing import Any
import reflex as rx
from workbench.components.base import icon, icon_button

WORDS = {"default": "Default", "user": "You", "project": "Project", "shot": "This shot"}

def origin_badge(origin: Any) -> rx.Component:
    return rx.el.span(rx.match(origin, *[(k, v) for k, v in WORDS.items()], origin), class_name="origin", custom_attrs={"data-origin": origin})

def field(tool, name, title, control, help="", kind="", note=None):
    return rx.el.div(
        rx.el.div(
            rx.el.label(title, html_for=name, class_name="field-label"),
            rx.el.span(origin_badge(tool.origins[name]), rx.cond(tool.origins[name] == tool.edit_scope, icon_button("rotate-ccw", "Reset " + title)), class_name="field-source"),
            class_name="field-head"),
        control, 
        rx.el.p(help, class_name="field-help") if help else rx.fragment(),
        class_name="field " + kind)
