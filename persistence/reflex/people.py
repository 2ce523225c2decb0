"""Names of people, for what is shown beside a setting without being asked for: who made a policy.

The app's `describe` hook may take its time, and facts are written at once: a name that isn't known
yet is asked for behind the back, and shown when it comes.
"""

from __future__ import annotations

from .tabs import Tab, Tabs, tabs_of_process

MOST = 10_000
"""Names that are kept; asked anew after that."""


def person(tab: Tab, tool: str, field: str, author: str) -> str:
    """What to call an author: "you", a name, or "" while and where there is none."""
    tabs = tabs_of_process()
    if not author or tabs is None:
        return ""
    if author == tab.actor:
        return "you"
    if author not in tabs.people:
        if len(tabs.people) >= MOST:
            tabs.people.clear()
        tabs.people[author] = ""
        tabs.engine.spawn(_ask(tabs, tool, field, author))
    return tabs.people[author]


async def _ask(tabs: Tabs, tool: str, field: str, author: str) -> None:
    name = await tabs.directory.name(tabs.engine.scopes.names[0], author)
    if name == author:
        return  # the app has none: an id says nothing to people
    tabs.people[author] = name
    for tab in tuple(tabs.by_token.values()):
        if tool in tab.bindings and (behind := tab.behind.setdefault(tool, set())) is not None:
            behind.add(field)
            tabs.push(tab)
