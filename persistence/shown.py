"""What a binding shows: owners, their layers, the effective values, and how it stands with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import pydantic

from .checks import check_scope
from .errors import NotReady, PermissionDenied, StoreError, StoreUnavailable
from .explain import Explanation, explain
from .layers import Conflict, Layer, Refused, View
from .scopes import Stack
from .specs import ToolSpec
from .status import Status, last_saved, problems, status_of

if TYPE_CHECKING:
    from .engine import Engine

S = TypeVar("S")
OnChange = Callable[[Mapping[str, Any], str], None]
log = logging.getLogger("persistence")


class Shown(Generic[S]):
    """One tool, looked at through the layers of these owners.

    - Ready only when every layer is loaded.
    - Switching flushes what was shown, and a load that ends after the next switch is ignored.
    """

    def __init__(
        self, engine: Engine, spec: ToolSpec, declared: Any, *, actor: str, edit: str | None
    ) -> None:
        self.engine, self.spec, self.actor = engine, spec, actor
        self._declared = declared
        self.owners: dict[str, str] = {}
        self.stack: Stack = ()
        self.epoch = 0
        self.interacted = False
        """Has the user edited anything since these owners are shown?"""
        self.denied: Mapping[str, str] = {}
        """Scope → why this actor may not edit there, as far as that is known: edits are refused at
        once. Who binds may ask the app beforehand; it is asked at each write in any case."""
        self._view: View | None = None
        self._edit = edit
        self._edit_of: dict[str, str] = {}
        self._problem = ""
        self._callbacks: list[OnChange] = []
        self._held: list[Layer] = []

    # --- what is shown ---------------------------------------------------------------------------

    async def show(self, owners: Mapping[str, str]) -> None:
        """Look at other owners, `{}` for nobody. Returns when loaded, at once if in memory.

        What was edited before is saved in the background. A load that fails doesn't raise: `status`
        is `error`, `last_error` says why, and loading is tried again. Raises PermissionDenied.
        """
        stack = self.engine.scopes.stack(self.spec.tool, owners)
        if stack == self.stack and self._view is not None and not self._problem:
            await self._loaded()
            return
        self._leave()
        self.epoch += 1
        epoch = self.epoch
        self.owners, self.stack = {target.scope: target.owner for target in stack}, stack
        self.interacted = False
        if not stack:
            return
        try:
            if self.engine.authorise is not None:
                for target in stack:
                    await self.engine.permit(self.actor, "read", target)
        except PermissionDenied as error:
            if epoch == self.epoch:
                self._problem = f"not shown: {error.problem}"
            raise
        if epoch != self.epoch:
            return
        self._view = self.engine.view(self.spec, stack)
        self._view.watch(self._changed)
        await self._loaded()

    async def recheck(self) -> bool:
        """Ask the app again whether the actor may read what is shown. Shows none of it where not,
        and then returns False.

        For who passes changes on: a right may have been taken away since `show`.
        """
        if self.engine.authorise is None or self._view is None:
            return True
        epoch = self.epoch
        try:
            for target in self.stack:
                await self.engine.permit(self.actor, "read", target)
        except PermissionDenied as error:
            if epoch == self.epoch:
                self._leave()
                self._problem = f"not shown: {error.problem}"
                return False
        return True

    async def _loaded(self) -> None:
        if self._view is None or self.ready:
            return
        try:
            await self.engine.load([layer.target for layer in self._view.layers])
        except StoreError:
            return  # the gates say why; whoever needs to know asks `status`

    def _leave(self) -> None:
        """Stop looking; what is pending there is saved without being waited for."""
        self._problem = ""
        if (view := self._view) is None:
            return
        for layer in self._held:
            layer.pending.holds = max(0, layer.pending.holds - 1)
        self._held.clear()
        now = asyncio.get_running_loop().time()
        for layer in view.layers:
            if layer.pending.waiting and layer.gate.is_open:
                self.engine.scheduler.expedite(layer.pending, now)
        self.engine.committer.arm()
        self._view = None
        view.unwatch(self._changed)
        self.engine.release(view)

    def close(self) -> None:
        """Let go. Pending edits are saved; the binding shows nothing any more."""
        self._leave()
        self.epoch += 1
        self.owners, self.stack = {}, ()

    def require_ready(self) -> None:
        """Raises StoreUnavailable with the reason where the load failed, NotReady while it runs."""
        if self.status == "error" and not self.ready:
            raise StoreUnavailable(self.last_error)
        if not self.ready:
            raise NotReady(self.spec.tool, "nothing is loaded yet")

    # --- state -----------------------------------------------------------------------------------

    @property
    def view(self) -> View | None:
        """The effective values and who gives them; to be read only. None while nobody is shown."""
        return self._view

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers looked at, weakest first."""
        return self._view.layers if self._view is not None else ()

    @property
    def ready(self) -> bool:
        """Is everything loaded, so that edits are saved?"""
        return self._view is not None and all(each.gate.is_open for each in self._view.layers)

    @property
    def status(self) -> Status:
        """`idle`: nobody shown. `saving`: something is on its way. `error`: see `last_error`."""
        if self._problem:
            return "error"
        if self._view is None and self.stack:
            return "loading"  # the app is still being asked whether this actor may look
        return status_of(self.layers, self.actor)

    @property
    def is_dirty(self) -> bool:
        """Is anything shown here not durable yet, or something of this actor set aside?"""
        return any(layer.pending for layer in self.layers) or bool(self._aside)

    @property
    def last_error(self) -> str:
        """What isn't as it should be, in words for a user; "" when all is well."""
        return self._problem or next(problems(self.layers, self.actor), "")

    @property
    def last_saved(self) -> float | None:
        """When something of these layers was last made durable, in seconds since the epoch."""
        return last_saved(self.layers)

    @property
    def edit_scope(self) -> str:
        """Where edits go: chosen, else declared, else the strongest layer that is shown."""
        wanted = self._edit or self.spec.edit
        if wanted in self.owners:
            return wanted
        return self.stack[-1].scope if self.stack else wanted

    def edit_scope_of(self, field: str) -> str:
        """Where edits of one setting go: where was chosen for it, else where all go.

        A setting that may not be set there goes to the strongest scope shown that it allows.
        """
        return self._scope_in(self.stack, field)

    def choose_edit_scope(self, scope: str, *fields: str) -> None:
        """Send edits to another layer, of these settings or of all; "" takes a choice back.

        Raises ValueError for one that isn't shown, and the kinds of EditError for a setting that
        isn't there, or can't be set there.
        """
        if scope and scope not in self.owners:
            raise ValueError(f"{scope!r} isn't shown; shown are {sorted(self.owners)}")
        for field in fields:
            spec = self.spec.require(field)
            if scope:
                check_scope(spec, scope)
        if fields:
            self._edit_of.update(dict.fromkeys(fields, scope))
        else:
            self._edit, self._edit_of = scope or None, {}

    @property
    def refused(self) -> tuple[Refused, ...]:
        """Edits that were set aside, with the reason."""
        return tuple(each for each in self._aside if isinstance(each, Refused))

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Fields that were changed here and elsewhere: decide by `keep_mine`, `take_theirs` or
        `resolve`; `save` keeps all of mine, `revert` takes theirs."""
        return tuple(each for each in self._aside if isinstance(each, Conflict))

    @property
    def _aside(self) -> tuple[Refused | Conflict, ...]:
        """What was set aside of this actor's; another's is theirs to see and to decide."""
        return tuple(each for layer in self.layers for each in layer.aside_of(self.actor))

    # --- reading ---------------------------------------------------------------------------------

    @property
    def values(self) -> S:
        """The effective values, frozen, with the declaration's attributes and types."""
        held = self.as_dict()
        if isinstance(self._declared, type) and issubclass(self._declared, pydantic.BaseModel):
            return cast(S, self._declared.model_construct(**held))
        return cast(S, SimpleNamespace(**held))

    def get(self, field: str) -> Any:
        """One effective value, yours to change. Raises UnknownField."""
        spec = self.spec.require(field)
        if self._view is None:
            return spec.default()
        if field not in self._view.values:
            return spec.default()
        return spec.copy(self._view.values[field])

    def as_dict(self) -> dict[str, Any]:
        """All effective values by name, yours to change."""
        names = self._view.values if self._view is not None else self.spec.fields
        return {name: self.get(name) for name in names}

    def shown(self, field: str) -> Any:
        """The value at the edit target: the effective one, unless a stronger layer hides it."""
        spec = self.spec.require(field)
        if self._view is None:
            return spec.default()
        return spec.copy(self._view.at(field, self._index(None, field)))

    def origin(self, field: str) -> str:
        """The scope of the layer that gives the value, or "default"."""
        self.spec.require(field)
        winner = self._view.winners.get(field, -1) if self._view is not None else -1
        return "default" if winner < 0 else self.stack[winner].scope

    def explain(self, field: str) -> Explanation:
        """The value, its origin, and what every layer says. Raises UnknownField."""
        spec = self.spec.require(field)
        return explain(spec, self._view, self._index(None, field) if self._view else 0)

    # --- watching --------------------------------------------------------------------------------

    def on_change(self, callback: OnChange) -> Callable[[], None]:
        """Hear of changed effective values with their source; the result ends it.

        Called for every change, this binding's own edits included, as it happens. What the
        callback raises is logged: an edit doesn't fail by who listens.
        """
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback) if callback in self._callbacks else None

    def _changed(self, changed: Mapping[str, Any], source: str, origin: object | None) -> None:
        del origin
        if not self._callbacks:
            return
        copies = {name: self.spec.require(name).copy(value) for name, value in changed.items()}
        for callback in tuple(self._callbacks):
            try:
                callback(copies, source)
            except Exception:
                log.exception("a callback failed on %s", sorted(copies))

    # --- helpers ---------------------------------------------------------------------------------

    def _require_view(self) -> View:
        if self._view is None:
            raise NotReady(self.spec.tool, self._problem or "nobody's settings are shown")
        return self._view

    def _index(self, scope: str | None, field: str = "") -> int:
        """The position of a scope in the stack; of the edit target, when none is named."""
        name = scope or (self.edit_scope_of(field) if field else self.edit_scope)
        for index, target in enumerate(self.stack):
            if target.scope == name:
                return index
        raise NotReady(self.spec.tool, f"no {name or 'owner'} is shown")

    def _index_in(self, view: View, scope: str | None, field: str) -> int:
        name = scope or self._scope_in(view.stack, field)
        for index, target in enumerate(view.stack):
            if target.scope == name:
                return index
        raise NotReady(self.spec.tool, f"no {name or 'owner'} is shown")

    def _scope_in(self, stack: Stack, field: str) -> str:
        """Where edits of a setting go in a stack: the strongest, where nothing else is said."""
        scopes = [target.scope for target in stack]
        wanted = self._edit or self.spec.edit
        general = wanted if wanted in scopes else scopes[-1] if scopes else wanted
        if (chosen := self._edit_of.get(field)) in scopes and chosen:
            return chosen
        allowed = self.spec.require(field).scopes
        if allowed is None or general in allowed:
            return general
        return next((scope for scope in reversed(scopes) if scope in allowed), general)
