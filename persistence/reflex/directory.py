"""What the app says about owners: how they are called, and which belong to what is shown.

Two hooks of the plugin. They are asked for words and choices only, never for a right: a hook that
fails or answers nonsense is logged, and costs a name or a choice, nothing else.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

log = logging.getLogger("persistence")

LONGEST_NAME = 200
"""Characters of a name that are shown."""

MOST_MEMBERS = 10_000
"""Entities that one push reaches."""


class Describe(Protocol):
    """`describe(scope, ids) -> {id: name}`: names of owners; of people, at the weakest scope."""

    def __call__(
        self, scope: str, ids: list[str], /
    ) -> Mapping[str, str] | Awaitable[Mapping[str, str]]: ...


class Members(Protocol):
    """`members(actor, scope, owners) -> [ids]`: the entities of a scope that belong to what is
    shown, in the order of the app: all shots of this project."""

    def __call__(
        self, actor: str, scope: str, owners: Mapping[str, str], /
    ) -> Iterable[str] | Awaitable[Iterable[str]]: ...


@dataclass(frozen=True, slots=True)
class Directory:
    """Asks the hooks and checks their answers. Without a hook ids are names, and nobody belongs."""

    describe: Describe | None = None
    members: Members | None = None

    async def names(self, scope: str, ids: Iterable[str]) -> dict[str, str]:
        """A name for each of these owners; the id itself where the app has none."""
        names = {each: each for each in ids if each}
        if self.describe is None or not names:
            return names
        said = await _ask("describe", self.describe, scope, list(names))
        if not isinstance(said, Mapping):
            return names
        for owner, name in cast("Mapping[Any, Any]", said).items():
            if owner in names and isinstance(name, str) and name.strip():
                names[owner] = name.strip()[:LONGEST_NAME]
        return names

    async def name(self, scope: str, owner: str) -> str:
        """The name of one owner."""
        return (await self.names(scope, [owner])).get(owner, owner)

    async def belonging(self, actor: str, scope: str, owners: Mapping[str, str]) -> list[str]:
        """The entities of `scope` that belong to what this actor sees, each once."""
        if self.members is None:
            return []
        said = await _ask("members", self.members, actor, scope, dict(owners))
        if said is None or isinstance(said, str | bytes | Mapping):
            return []
        try:
            found = [each for each in said if isinstance(each, str) and each]
        except TypeError:
            log.warning("members answered %s, which is no list of ids", type(said).__name__)
            return []
        return list(dict.fromkeys(found))[:MOST_MEMBERS]


async def _ask(name: str, hook: Any, *arguments: object) -> Any:
    """The hook's answer, None where it fails."""
    try:
        answer = hook(*arguments)
        return await answer if inspect.isawaitable(answer) else answer
    except Exception:
        log.exception("the hook %r failed", name)
        return None
