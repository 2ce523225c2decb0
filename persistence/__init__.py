"""Settings that cascade, save themselves and come back. See README.md.

`Engine` saves, `Settings` and `setting` declare, `Binding` is what an app works with. Nothing here
imports a web framework; `persistence.reflex` binds the same to Reflex.
"""

from .appliers import Applier, Submitted, applier
from .binding import Binding
from .changes import Moved, Patch
from .engine import Engine, Notice, Retry
from .errors import (
    DeclarationError,
    EditError,
    InvalidValue,
    NotKept,
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
from .journal import Difference, Step
from .layers import Conflict, Refused
from .ledger import Ledger
from .moving import MovedIn, move_in, move_in_column
from .operations import Operation, Outcome
from .plans import Opinion, Plan, Proposed, Skipped
from .scopes import ScopeChain, Stack, Target
from .settings import Settings, setting, validates
from .specs import UNSET, SettingSpec, ToolSpec
from .store.base import Moment
from .undo import Changed, Undoing

__all__ = [
    "UNSET",
    "Applier",
    "Binding",
    "Changed",
    "Conflict",
    "DeclarationError",
    "Difference",
    "EditError",
    "Engine",
    "Explanation",
    "InvalidValue",
    "LayerView",
    "Ledger",
    "Moment",
    "Moved",
    "MovedIn",
    "NotKept",
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
    "Step",
    "StoreError",
    "StoreRefused",
    "StoreTooNew",
    "StoreUnavailable",
    "Submitted",
    "Target",
    "ToolSpec",
    "Undoing",
    "UnknownField",
    "applier",
    "move_in",
    "move_in_column",
    "setting",
    "validates",
]
