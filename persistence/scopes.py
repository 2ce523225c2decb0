"""Scopes and targets: where a value may live. Pure; used by everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .errors import DeclarationError


class Target(NamedTuple):
    """One layer of one tool: the values at `scope` for `owner`. Frozen, hashable, cheap."""

    scope: str
    owner: str
    tool: str

    def __str__(self) -> str:
        return f"{self.scope} {self.owner} of {self.tool}"


Stack = tuple[Target, ...]
"""The layers that a tool's values resolve from, weakest first."""


@dataclass(frozen=True, slots=True)
class ScopeChain:
    """The app's scopes, weakest first: `ScopeChain(("user", "project", "shot"))`.

    Any number and any names; order is strength. `default` isn't a scope: it is what answers
    when nothing was written.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        where = f"ScopeChain({self.names})"
        if not self.names:
            raise DeclarationError(where, "no scope", hint="Name at least one, weakest first.")
        if len(set(self.names)) != len(self.names):
            raise DeclarationError(where, "a scope stands twice", hint="Each name once.")
        for name in self.names:
            if not name.isidentifier() or name == "default" or len(name) > 40:
                raise DeclarationError(
                    where,
                    f"{name!r} can't name a scope",
                    hint="Use a Python identifier of up to 40 characters other than 'default'.",
                )

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def strength(self, name: str) -> int:
        """0 for the weakest. Raises ValueError for a scope that isn't in the chain."""
        return self.names.index(name)

    def stack(self, tool: str, owners: Mapping[str, str]) -> Stack:
        """The targets of `tool` for these owners, weakest first; a scope without owner has none.

        Raises ValueError when `owners` names a scope that isn't in the chain.
        """
        if unknown := owners.keys() - set(self.names):
            raise ValueError(f"{sorted(unknown)} not among the scopes {self.names}")
        return tuple(Target(name, owners[name], tool) for name in self.names if owners.get(name))
