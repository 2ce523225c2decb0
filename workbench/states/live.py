"""Whose pages read again when a project, its shots or its members change. See `follow`.

The project's and its shots' pages follow the project; the list of projects follows the person, who
is told of each project that they see.
"""

from __future__ import annotations

from persistence.reflex import announce, recheck_rights
from workbench.database import Unavailable
from workbench.sharing import members_of


async def tell(project: str, *others: str) -> None:
    """Say after the commit that something of a project is new: to whom it is open, and to the lists
    of its owner, of its members, and of these others, who were or are to be members."""
    announce("project", project)
    try:
        people = await members_of(project)
    except Unavailable:
        people = []  # it is read again by hand, then
    for person in dict.fromkeys([*people, *others]):
        announce("user", person)


async def tell_rights(project: str, *others: str) -> None:
    """The same where somebody may do more or less with it than before: their open pages let go of
    it, or say that they may only look."""
    await recheck_rights("project", project)
    await tell(project, *others)
