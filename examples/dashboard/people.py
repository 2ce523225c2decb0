"""Who is who, and who may do what. An app of yours asks its own tables and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import NamedTuple

from persistence.reflex import Page


class Person(NamedTuple):
    org: str
    team: str
    administers: str = ""
    """The scope that this person sets policies for."""


PEOPLE = {
    "ana": Person("acme", "design", "org"),
    "ben": Person("acme", "design", "team"),
    "cho": Person("acme", "sales"),
}


def identify(headers: Mapping[str, str]) -> str:
    """The actor of a request; "" for nobody. Never trust such a cookie outside of an example."""
    cookie = SimpleCookie(headers.get("cookie", "")).get("person")
    return cookie.value if cookie and cookie.value in PEOPLE else ""


def owners(page: Page) -> dict[str, str]:
    """Whose layers a page shows: the same three everywhere in this app."""
    person = PEOPLE[page.actor]
    return {"org": person.org, "team": person.team, "user": page.actor}


def authorise(actor: str, action: str, scope: str, owner: str) -> bool:
    """Everybody reads their own layers and writes their own; a scope is for who administers it."""
    person = PEOPLE.get(actor)
    if (
        person is None
        or owner not in {"org": person.org, "team": person.team, "user": actor}[scope]
    ):
        return False
    may = scope in ("user", person.administers) or (person.administers, scope) == ("org", "team")
    return action == "read" or may
