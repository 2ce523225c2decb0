"""Settings of a Reflex app: the same engine and declarations, as states, controls and one plugin.

    class Travel(SettingsState, tool="travel-ui-state", edit="shot"):
        frames: rx.Field[int] = setting(61, ge=1, le=241)

    rx.input(**bind(Travel.frames))

Names are imported when they are used first, so that `rxconfig.py`, which needs the plugin alone,
stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .actors import current_actor, recheck_actors, running_engine
    from .causes import acting_as
    from .channel import PersistenceState
    from .components import bind, field_error, persistence_root
    from .device import device_copy, device_local, device_notice, device_ready, on_device
    from .edits import put, toggle
    from .fields import setting
    from .following import announce, follow
    from .history_view import history_panel
    from .keyed import KeyedSettings, bind_row
    from .listeners import on_change
    from .looking import PresenceState, whos_here
    from .panel import (
        edit_target,
        explain_button,
        field_menu,
        field_row,
        is_read_only,
        origin_badge,
        save_status,
        settings_panel,
    )
    from .plugin import PersistencePlugin
    from .preview import Choice, Question, ask
    from .rights import recheck_rights
    from .states import SettingsState, show
    from .tabs import Page
    from .takeover import take_over, take_over_notice
    from .transfer_forms import transfer_menu
    from .undo import undo_controls
    from .unsaved import unsaved_button
    from .variables import is_ready, is_saving, mark_as_interacted, persisted, status_of

__all__ = [
    "Choice",
    "KeyedSettings",
    "Page",
    "PersistencePlugin",
    "PersistenceState",
    "PresenceState",
    "Question",
    "SettingsState",
    "acting_as",
    "announce",
    "ask",
    "bind",
    "bind_row",
    "current_actor",
    "device_copy",
    "device_local",
    "device_notice",
    "device_ready",
    "edit_target",
    "explain_button",
    "field_error",
    "field_menu",
    "field_row",
    "follow",
    "history_panel",
    "is_read_only",
    "is_ready",
    "is_saving",
    "mark_as_interacted",
    "on_change",
    "on_device",
    "origin_badge",
    "persisted",
    "persistence_root",
    "put",
    "recheck_actors",
    "recheck_rights",
    "running_engine",
    "save_status",
    "setting",
    "settings_panel",
    "show",
    "status_of",
    "take_over",
    "take_over_notice",
    "toggle",
    "transfer_menu",
    "undo_controls",
    "unsaved_button",
    "whos_here",
]

_HOME = {
    "Choice": "preview",
    "KeyedSettings": "keyed",
    "Page": "tabs",
    "PersistencePlugin": "plugin",
    "PersistenceState": "channel",
    "PresenceState": "looking",
    "Question": "preview",
    "SettingsState": "states",
    "acting_as": "causes",
    "announce": "following",
    "ask": "preview",
    "bind": "components",
    "bind_row": "keyed",
    "current_actor": "actors",
    "device_copy": "device",
    "device_local": "device",
    "device_notice": "device",
    "device_ready": "device",
    "edit_target": "panel",
    "explain_button": "panel",
    "field_error": "components",
    "field_menu": "panel",
    "field_row": "panel",
    "follow": "following",
    "history_panel": "history_view",
    "is_read_only": "panel",
    "is_ready": "variables",
    "is_saving": "variables",
    "mark_as_interacted": "variables",
    "on_change": "listeners",
    "on_device": "device",
    "origin_badge": "panel",
    "persisted": "variables",
    "persistence_root": "components",
    "put": "edits",
    "recheck_actors": "actors",
    "recheck_rights": "rights",
    "running_engine": "actors",
    "save_status": "panel",
    "setting": "fields",
    "settings_panel": "panel",
    "show": "states",
    "status_of": "variables",
    "take_over": "takeover",
    "take_over_notice": "takeover",
    "toggle": "edits",
    "transfer_menu": "transfer_forms",
    "undo_controls": "undo",
    "whos_here": "looking",
    "unsaved_button": "unsaved",
}


def __getattr__(name: str) -> Any:
    if (home := _HOME.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{home}", __name__), name)
