"""The status line: STUB"""
from __future__ import annotations
import reflex as rx
from workbench.components.base import icon

def interface_status() -> rx.Component:
    return line("saved", "Saved 12:04")

def line(kind, text):
    return rx.el.div(rx.el.span(class_name="status-dot"), rx.el.span(text, class_name="status-text"), class_name="status", role="status", custom_attrs={"data-status": kind})
