"""Every exception of the library. Pure; raised everywhere.

PersistenceError
├── DeclarationError      a settings class is wrong; raised at import
├── EditError             an edit was refused; the last good value stays
│   ├── InvalidValue      wrong type, out of bounds, too large, not JSON
│   ├── UnknownField      no such setting in that tool
│   ├── ScopeNotAllowed   the setting can't be set at that scope
│   ├── PolicyViolation   a weaker layer enforces another value
│   ├── PermissionDenied  missing and foreign answer alike
│   ├── PlanOutdated      what a plan would change was changed since
│   └── NotReady          nothing was loaded yet, so nothing may be saved
├── NotKept               a moment from before the kept history
└── StoreError
    ├── StoreUnavailable  away, locked, full, read-only: worth another try
    ├── StoreRefused      this write can never succeed
    └── StoreTooNew       the tables were made by a newer version of the library
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .changes import Moved


class PersistenceError(Exception):
    """Base of all errors of the library."""


class DeclarationError(PersistenceError, TypeError):
    """A settings class is wrong. Says which one, why, and what to write instead."""

    def __init__(self, where: str, problem: str, *, hint: str) -> None:
        super().__init__(f"{where}: {problem}. {hint}")
        self.where, self.problem, self.hint = where, problem, hint


class EditError(PersistenceError, ValueError):
    """An edit was refused. Nothing was changed and nothing else is disturbed.

    `field` is the setting's name, `problem` what is wrong in words for a user, with the limit.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


class InvalidValue(EditError):
    """The value has the wrong type, breaks a constraint, is too large, or isn't JSON."""


class UnknownField(EditError):
    """The tool declares no such setting."""


class ScopeNotAllowed(EditError):
    """The setting's declaration doesn't list this scope."""


class PolicyViolation(EditError):
    """A weaker layer enforces this setting, so that a stronger one can't override it."""


class PermissionDenied(EditError):
    """The app's `authorise` said no. A missing owner and a foreign one answer alike."""


class PlanOutdated(EditError):
    """What a plan would change was changed since it was made. Make it anew and look again.

    `moved` says which fields, and by whom.
    """

    def __init__(self, moved: tuple[Moved, ...]) -> None:
        first = moved[0]
        more = f", and {len(moved) - 1} more" if len(moved) > 1 else ""
        super().__init__(
            first.field, f"was changed by {first.author or 'somebody else'} meanwhile{more}"
        )
        self.moved: tuple[Moved, ...] = moved


class NotReady(EditError):
    """The target isn't loaded, so nothing may be saved to it yet."""


class NotKept(PersistenceError):
    """The moment lies before the kept history, so that nobody knows how things stood."""


class StoreError(PersistenceError):
    """The database couldn't do what was asked."""


class StoreUnavailable(StoreError):
    """Away, locked, full or read-only. The same write may succeed later."""


class StoreRefused(StoreError):
    """This write can never succeed as it is. Others may."""


class StoreTooNew(StoreError):
    """The tables were made by a newer version of the library. Upgrade it."""
