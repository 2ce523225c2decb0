"""A shared project, with everybody whom a rule may concern."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench import projects, sharing
from workbench.database import write
from workbench.models import User, new_id

HERE = "192.0.2.1"


class Film(NamedTuple):
    """A project of Ana's with an editor and a viewer, and people who are neither."""

    project: str
    shot: str
    deleted_shot: str
    foreign: str
    """A project of the stranger's."""
    people: dict[str, str]
    """Who they are to the project → their id. The guest is an editor without an account."""


WHO = ("owner", "editor", "guest", "viewer", "stranger", "nobody")


async def accounts(**names: str) -> None:
    def make(session: Any) -> None:
        for name, user in names.items():
            session.add(User(id=user, kind="account", name=name, name_key=f"{name}-{user}"))

    await write(make)


async def admit(owner: str, project: str, user: str, role: str) -> None:
    token = await sharing.invite(owner, project, role)
    await sharing.join(token, user, HERE)


async def make_film() -> Film:
    who = {each: new_id() for each in WHO[:-1]} | {"nobody": ""}
    await accounts(Ana=who["owner"], Ben=who["editor"], Cleo=who["viewer"], Sam=who["stranger"])
    project = await projects.create_project(who["owner"], "Harbour")
    shot = await projects.create_shot(who["owner"], project, "Gulls")
    gone = await projects.create_shot(who["owner"], project, "Nets")
    await projects.delete_shot(who["owner"], gone)
    for each, role in (("editor", "editor"), ("guest", "editor"), ("viewer", "viewer")):
        await admit(who["owner"], project, who[each], role)
    foreign = await projects.create_project(who["stranger"], "Dune")
    return Film(project, shot, gone, foreign, who)
