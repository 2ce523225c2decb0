"""Whose settings a page shows: the shot is in the address, `/shot/[shot]`."""

from __future__ import annotations

from collections.abc import Mapping

from persistence.reflex import Page


def owners(page: Page) -> dict[str, str]:
    shot = str(page.params.get("shot", ""))
    project = {"project": f"{page.actor}:p"}
    return {**project, "shot": f"{page.actor}:{shot}"} if shot else project


def describe(scope: str, ids: list[str]) -> dict[str, str]:
    """Names for people: of each entity the last part of its id."""
    return {each: f"{scope} {each.rpartition(':')[2]}" for each in ids if ":" in each}


def members(actor: str, scope: str, owners: Mapping[str, str]) -> list[str]:
    """Every project has the shots a, b and c."""
    del owners
    return [f"{actor}:{shot}" for shot in "abc"] if scope == "shot" else []
