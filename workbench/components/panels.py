"""STUB panels"""
from __future__ import annotations
import reflex as rx
from workbench.components.base import button, icon, icon_button
from workbench.components.fields import field
from workbench.settings import ImageGeneration, Interface, Travel

def edit_target(tool, scopes):
    names = {"shot": "Shot", "project": "Project", "user": "You"}
    return rx.el.div(rx.el.span("Edit for", class_name="segmented-label"), rx.el.div(*[rx.el.button(names[s], type="button", aria_pressed=rx.cond(tool.edit_scope == s, "true", "false")) for s in scopes], class_name="segmented", role="group"), class_name="target")

def panel(title, *children, actions=None, target=None, sub=""):
    return rx.el.section(
        rx.el.header(rx.el.div(rx.el.h2(title), class_name="panel-title"), target or rx.fragment(), actions or rx.fragment(), class_name="panel-head"),
        rx.el.div(*children, class_name="panel-body"), class_name="panel", aria_label=title)

def words():
    return panel("Prompt",
        field(Travel, "prompt", "Prompt", rx.el.textarea(default_value=Travel.prompt, id="prompt", rows=5, class_name="input prompt")),
        rx.el.div(field(Travel, "text_before", "Text before", rx.el.textarea(default_value=Travel.text_before, id="text_before", rows=2, class_name="input", placeholder="Said or shown before the shot")),
        field(Travel, "text_after", "Text after", rx.el.textarea(default_value=Travel.text_after, id="text_after", rows=2, class_name="input")), class_name="pair"),
        actions=button(icon("scissors", size=14), "Shorten", kind="plain"))

def motion():
    return panel("Motion",
        field(Travel, "timeline_frame_positions", "Frame positions", rx.fragment(rx.el.div(rx.foreach(Travel.timeline_frame_positions, lambda p: rx.el.span(rx.el.span(p[1], class_name="tick-frame"), class_name="tick", style={"left": f"{p[1]}%"})), class_name="ruler"),
            rx.el.ol(rx.foreach(Travel.timeline_frame_positions, lambda p: rx.el.li(rx.el.input(default_value=p[0], class_name="input", aria_label="Image"), rx.el.input(default_value=p[1].to_string(), type="number", class_name="input number", aria_label="Frame"), icon_button("x", "Remove"))), class_name="frames"),
            button(icon("plus", size=14), "Add frame", kind="quiet"))),
        rx.el.div(field(Travel, "accelerated_mode", "Accelerated mode", rx.el.input(type="checkbox", id="accelerated_mode", class_name="switch"), kind="field-row"),
        field(Travel, "random_seed", "Random seed", rx.el.input(type="checkbox", id="random_seed", default_checked=True, class_name="switch"), kind="field-row"), class_name="pair"),
        target=edit_target(Travel, ["shot", "project", "user"]), actions=button(icon("align-horizontal-distribute-center", size=14), "Even out", kind="plain"))

def images():
    return panel("Image generation",
        field(ImageGeneration, "last_used_model", "Model", rx.el.input(default_value=ImageGeneration.last_used_model, id="last_used_model", class_name="input")),
        field(ImageGeneration, "preferred_quality", "Quality", rx.el.select(rx.el.option("Draft"), rx.el.option("Balanced"), rx.el.option("Fine"), id="preferred_quality", class_name="input")),
        field(ImageGeneration, "images_per_prompt", "Images per prompt", rx.el.input(type="number", default_value="4", id="images_per_prompt", class_name="input number"), kind="field-row"),
        field(ImageGeneration, "default_model", "Default model", rx.el.input(default_value=ImageGeneration.default_model, id="default_model", class_name="input")),
        target=edit_target(ImageGeneration, ["shot", "project", "user"]))

def interface():
    return panel("Interface",
        *[field(Interface, "pane_locks", f"Keep {n} open", rx.el.input(type="checkbox", id="lock_" + n, class_name="switch"), kind="field-row") for n in ("generations", "shots", "tasks")])
