"""STUB"""
from __future__ import annotations
from typing import Literal
import reflex as rx

class Travel(rx.State):
    prompt: str = "A trawler leaves the harbour at first light; gulls over the wake, the camera low and drifting."
    text_before: str = ""
    text_after: str = "Fade to grey."
    timeline_frame_positions: list[tuple[str, int]] = [("harbour-wide", 0), ("trawler", 24), ("gulls", 41), ("open-sea", 80)]
    accelerated_mode: bool = False
    random_seed: bool = True
    ready: bool = True
    status: str = "ready"
    origins: dict[str, str] = {"prompt": "shot", "text_before": "default", "text_after": "shot", "timeline_frame_positions": "project", "accelerated_mode": "user", "random_seed":"default"}
    edit_scope: str = "shot"

class ImageGeneration(rx.State):
    last_used_model: str = "wan-local"
    preferred_quality: str = "balanced"
    images_per_prompt: int = 4
    default_model: str = "wan-local"
    ready: bool = True
    status: str = "ready"
    origins: dict[str, str] = {"last_used_model":"project", "preferred_quality":"default","images_per_prompt":"shot","default_model":"default"}
    edit_scope: str = "project"

class Interface(rx.State):
    theme: str = "system"
    ready: bool = True
    status: str = "ready"
    pane_locks: dict[str, bool] = {"gens": False, "shots": True, "tasks": False}
    origins: dict[str, str] = {"theme": "default", "pane_locks": "user"}
    edit_scope: str = "user"
    @rx.event
    def choose_theme(self, t: str): self.theme = t
