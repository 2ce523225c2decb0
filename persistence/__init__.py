"""Settings that cascade, save themselves and come back. See README.md.

`Engine` saves, `Settings` and `setting` declare, `Binding` is what an app works with. Nothing here
imports a web framework; `persistence.reflex` binds the same to Reflex.
"""

from .binding import Binding
from .changes import Moved, Patch
from .engine import Engine, Notice, Retry
from .errors import (
    DeclarationError,
    EditError,
    InvalidValue,
    NotReady,
    PermissionDenied,
    PersistenceError,
    PlanOutdated,
    PolicyViolation,
    ScopeNotAllowed,
    StoreError,
    StoreRefused,
    StoreTooNew,
    StoreUnavailable,
    UnknownField,
)
from .explain import Explanation, LayerView
from .layers import Conflict, Refused
from .operations import Operation, Outcome
from .plans import Opinion, Plan, Proposed, Skipped
from .scopes import ScopeChain, Stack, Target
from .settings import Settings, setting, validates
from .specs import UNSET, SettingSpec, ToolSpec

__all__ = [
    "UNSET",
    "Binding",
    "Conflict",
    "DeclarationError",
    "EditError",
    "Engine",
    "Explanation",
    "InvalidValue",
    "LayerView",
    "Moved",
    "NotReady",
    "Notice",
    "Operation",
    "Opinion",
    "Outcome",
    "Patch",
    "PermissionDenied",
    "PersistenceError",
    "Plan",
    "PlanOutdated",
    "PolicyViolation",
    "Proposed",
    "Refused",
    "Retry",
    "ScopeChain",
    "ScopeNotAllowed",
    "SettingSpec",
    "Settings",
    "Skipped",
    "Stack",
    "StoreError",
    "StoreRefused",
    "StoreTooNew",
    "StoreUnavailable",
    "Target",
    "ToolSpec",
    "UnknownField",
    "setting",
    "validates",
]
