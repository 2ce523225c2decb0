"""Whose settings a page shows: the shot is in the address, `/shot/[shot]`."""

from __future__ import annotations

from persistence.reflex import Page


def owners(page: Page) -> dict[str, str]:
    shot = str(page.params.get("shot", ""))
    project = {"project": f"{page.actor}:p"}
    return {**project, "shot": f"{page.actor}:{shot}"} if shot else project
