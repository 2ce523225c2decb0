"""Whose settings a page shows: the shot is in the address, `/shot/[shot]`.

Everybody has shots of their own, but for those that are called "shared…".
"""

from __future__ import annotations

from collections.abc import Mapping

from persistence.reflex import Page
from persistence.reflex.guests import COOKIE, identify_guest

PEOPLE = {
    identify_guest({"cookie": f"{COOKIE}={name * 8}"}): name.title() for name in ("ana", "bob")
}
"""Guests with a cookie that tests know, and so with a name."""


def owners(page: Page) -> dict[str, str]:
    shot = str(page.params.get("shot", ""))
    whose = "all" if shot.startswith("shared") else page.actor
    project = {"project": f"{whose}:p"}
    return {**project, "shot": f"{whose}:{shot}"} if shot else project


def describe(scope: str, ids: list[str]) -> dict[str, str]:
    """Names for people: of each entity the last part of its id."""
    named = {each: f"{scope} {each.rpartition(':')[2]}" for each in ids if ":" in each}
    return named | {each: PEOPLE[each] for each in ids if each in PEOPLE}


def members(actor: str, scope: str, owners: Mapping[str, str]) -> list[str]:
    """Every project has the shots a, b and c."""
    del owners
    return [f"{actor}:{shot}" for shot in "abc"] if scope == "shot" else []
