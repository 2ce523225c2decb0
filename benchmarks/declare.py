"""Tools of any size for the benchmarks."""

from __future__ import annotations

from typing import Any

from persistence import Settings, setting


def texts(tool: str, size: int, *, edit: str = "shot") -> Any:
    """A tool of `size` texts k0, k1, …"""
    return _settings(tool, edit, {f"k{i}": (str, setting("")) for i in range(size)})


def numbers(tool: str, size: int, *, edit: str = "shot") -> Any:
    """A tool of `size` whole numbers k0, k1, …, each its own default."""
    return _settings(tool, edit, {f"k{i}": (int, setting(i)) for i in range(size)})


def _settings(tool: str, edit: str, fields: dict[str, tuple[type, Any]]) -> Any:
    body: dict[str, Any] = {name: declared for name, (_, declared) in fields.items()}
    body["__annotations__"] = {name: kind for name, (kind, _) in fields.items()}
    body["__module__"] = __name__
    return type(Settings)("Tool", (Settings,), body, tool=tool, edit=edit)
