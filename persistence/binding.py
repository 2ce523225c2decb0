"""BIND: one settings declaration over one layer stack, as an app holds it.

A binding is what a page or a script works with: it reads effective values, edits one layer, and can
be switched to other owners. It holds no values of its own; several bindings on the same owners see
the same engine. Only `show`, `save`, `flush`, `enforce` and `relax` wait for anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import pydantic

from .changes import Patch, difference
from .errors import (
    EditError,
    InvalidValue,
    NotReady,
    PermissionDenied,
    PolicyViolation,
    StoreError,
    StoreUnavailable,
)
from .explain import Explanation, explain
from .layers import Conflict, Layer, Refused, View
from .operations import check_scope
from .recorder import Cause, Prepared
from .scopes import Stack
from .specs import ToolSpec
from .status import Status, last_saved, problems, status_of
from .store.base import Kind

if TYPE_CHECKING:
    from .engine import Engine

S = TypeVar("S")
Hidden = dict[str, str]
"""Edited field → the stronger scope that hides the edit."""

OnChange = Callable[[Mapping[str, Any], str], None]


class Binding(Generic[S]):
    """One tool, looked at through the layers of these owners.

    - Not ready until every layer is loaded: until then users' edits wait, programs' are dropped.
    - An edit goes to the layer that was shown when it was made, whatever is shown later.
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
        self._view: View | None = None
        self._edit = edit
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
                self._problem = error.problem
            raise
        if epoch != self.epoch:
            return
        self._view = self.engine.view(self.spec, stack)
        self._view.watch(self._changed)
        await self._loaded()

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
        return status_of(self.layers)

    @property
    def is_dirty(self) -> bool:
        """Is anything shown here not durable yet, or set aside?"""
        return any(layer.is_dirty for layer in self.layers)

    @property
    def last_error(self) -> str:
        """What isn't as it should be, in words for a user; "" when all is well."""
        return self._problem or next(problems(self.layers), "")

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

    def choose_edit_scope(self, scope: str) -> None:
        """Send edits to another layer. Raises ValueError for one that isn't shown."""
        if scope not in self.owners:
            raise ValueError(f"{scope!r} isn't shown; shown are {sorted(self.owners)}")
        self._edit = scope

    @property
    def refused(self) -> tuple[Refused, ...]:
        """Edits that were set aside, with the reason."""
        return tuple(each for layer in self.layers for each in layer.refused.values())

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Fields that were changed here and elsewhere: `save` keeps mine, `revert` takes theirs."""
        return tuple(each for layer in self.layers for each in layer.conflicts.values())

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
        return spec.copy(self._view.at(field, self._index(None)))

    def origin(self, field: str) -> str:
        """The scope of the layer that gives the value, or "default"."""
        self.spec.require(field)
        winner = self._view.winners.get(field, -1) if self._view is not None else -1
        return "default" if winner < 0 else self.stack[winner].scope

    def explain(self, field: str) -> Explanation:
        """The value, its origin, and what every layer says. Raises UnknownField."""
        spec = self.spec.require(field)
        return explain(spec, self._view, self._index(None) if self._view else 0)

    # --- editing ---------------------------------------------------------------------------------

    def update(
        self,
        *,
        source: str = "user",
        scope: str | None = None,
        group: str = "",
        operation: str = "",
        durable: bool = False,
        stack: Stack | None = None,
        **values: Any,
    ) -> Hidden:
        """Edit several fields as one action; all are checked before any is changed.

        Returns which of them a stronger layer hides. Raises the kinds of EditError.
        """
        return self._edit_all(
            "set", values, scope, self._cause(source, group, operation, durable), stack
        )

    def set(self, field: str, value: Any, *, scope: str | None = None, **more: Any) -> Hidden:
        """Edit one field; the keywords are those of `update`."""
        return self.update(scope=scope, **more, **{field: value})

    def pin(self, field: str, *, scope: str | None = None, source: str = "user") -> Hidden:
        """Write the value that is shown, though it may be inherited: it stays when that changes."""
        value = self._view.at(field, self._index(scope)) if self._view else None
        return self._edit_all("pin", {field: value}, scope, self._cause(source, "", "", True))

    def block(self, field: str, *, scope: str | None = None, source: str = "user") -> Hidden:
        """Hide what weaker layers say: the default answers."""
        return self._edit_all("block", {field: None}, scope, self._cause(source, "", "", True))

    def reset(self, *fields: str, scope: str | None = None, source: str = "user") -> None:
        """Remove overrides, so that the layer inherits; all of the layer's, when none is named."""
        view = self._require_view()
        layer = view.layers[self._index(scope)]
        names = fields or tuple(sorted(f for f in layer.fields() if self._is_known(f)))
        values = dict.fromkeys(names)
        self._edit_all("reset", values, scope, self._cause(source, "", "", True))

    def set_key(self, field: str, key: str, value: Any, *, scope: str | None = None) -> Hidden:
        """Set one key of a dict that merges; its other keys go on inheriting."""
        return self._edit_keys(field, Patch({key: value}), scope)

    def remove_key(self, field: str, key: str, *, scope: str | None = None) -> Hidden:
        """Remove one key of a dict that merges, though a weaker layer has it."""
        return self._edit_keys(field, Patch(remove=frozenset((key,))), scope)

    def capture(
        self,
        changed: Mapping[str, Any],
        *,
        source: str,
        durable: bool = False,
        stack: Stack | None = None,
        group: str = "",
    ) -> dict[str, EditError]:
        """New live values, as a state had them after an event. Each is edited by itself.

        Returns the refused fields. `stack` names the layers that the event began with.
        """
        problems: dict[str, EditError] = {}
        group = group or self.engine.recorder.group()
        for field, value in changed.items():
            try:
                self.update(
                    source=source, group=group, durable=durable, stack=stack, **{field: value}
                )
            except EditError as error:
                problems[field] = error
        return problems

    async def enforce(self, field: str, value: Any, *, scope: str, note: str = "") -> None:
        """Make a policy: stronger layers can't override it. Waits until it is durable.

        Raises PermissionDenied unless the app lets this actor administer the scope.
        """
        spec = self.spec.require(field)
        index = self._index(scope)
        await self.engine.permit(self.actor, "admin", self.stack[index], field)
        if not spec.inherit:
            raise PolicyViolation(field, "doesn't inherit, so that no layer can enforce it")
        await self._administer("policy", field, spec.check(value), scope, note)

    async def relax(self, field: str, *, scope: str) -> None:
        """Remove a policy. Waits until that is durable. Raises PermissionDenied."""
        index = self._index(scope)
        await self.engine.permit(self.actor, "admin", self.stack[index], field)
        await self._administer("reset", field, None, scope, "")

    async def _administer(self, kind: Kind, field: str, value: Any, scope: str, note: str) -> None:
        view = self._require_view()
        layer = view.layers[self._index(scope)]
        spec = self.spec.require(field)
        check_scope(spec, scope)
        delta = Patch(value) if spec.merge and kind == "policy" else None
        self.engine.recorder.record(
            layer, spec, kind, value, self._cause("user", "", "", True),
            view=view, delta=delta, note=note or None,
        )  # fmt: skip
        await self.engine.flush([layer.target])

    def mark_as_interacted(self) -> None:
        """Count what a program changed as the user's, and save at once."""
        self.interacted = True
        if self._view is None:
            return
        now = asyncio.get_running_loop().time()
        for layer in self._view.layers:
            if layer.pending.waiting and layer.gate.is_open:
                self.engine.scheduler.expedite(layer.pending, now)
        self.engine.committer.arm()

    async def save(self) -> None:
        """Save now. Edits that were set aside and conflicts are tried again as they are: mine wins.

        Raises StoreUnavailable; the edits wait and are retried.
        """
        self.retry()
        await self.flush()

    async def flush(self) -> None:
        """Wait until everything edited here is durable. Raises StoreUnavailable."""
        await self.engine.committer.flush(self.layers)

    def retry(self) -> None:
        """Try edits that were set aside once more."""
        cause = self._cause("user", "", "", True)
        for layer in self.layers:
            for aside in (*layer.refused.values(), *layer.conflicts.values()):
                self.engine.recorder.restore(layer, aside.edit, cause)

    def discard(self, field: str) -> None:
        """Give up an edit that was set aside."""
        for layer in self.layers:
            if field in layer.refused or field in layer.conflicts:
                self.engine.recorder.revert(layer, field)

    def revert(self, *fields: str) -> None:
        """Back to what was last confirmed; every field of the shown layers, when none is named.

        What is being written at this moment is written over afterwards.
        """
        for layer in self.layers:
            dirty = {*layer.pending.fields(), *layer.refused, *layer.conflicts}
            for field in dirty if not fields else dirty & set(fields):
                self.engine.recorder.revert(layer, field)

    # --- gestures --------------------------------------------------------------------------------

    def hold(self) -> None:
        """A gesture begins (a drag): nothing of the edit target is sent until `release`."""
        layer = self._require_view().layers[self._index(None)]
        layer.pending.holds += 1
        self._held.append(layer)

    def release(self) -> None:
        """The gesture ends: the newest value is sent."""
        if not self._held:
            return
        layer = self._held.pop()
        layer.pending.holds = max(0, layer.pending.holds - 1)
        if layer.pending.waiting and not layer.pending.holds:
            now = asyncio.get_running_loop().time()
            self.engine.scheduler.expedite(layer.pending, now)
            self.engine.committer.arm()

    @contextmanager
    def gesture(self) -> Generator[None]:
        self.hold()
        try:
            yield
        finally:
            self.release()

    # --- watching --------------------------------------------------------------------------------

    def on_change(self, callback: OnChange) -> Callable[[], None]:
        """Hear of changed effective values with their source; the result ends it."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback) if callback in self._callbacks else None

    def _changed(self, changed: Mapping[str, Any], source: str, origin: object | None) -> None:
        del origin
        copies = {name: self.spec.require(name).copy(value) for name, value in changed.items()}
        for callback in tuple(self._callbacks):
            callback(copies, source)

    # --- helpers ---------------------------------------------------------------------------------

    def _cause(self, source: str, group: str, operation: str, durable: bool) -> Cause:
        return Cause(self.actor, source, group, operation, "", self, durable)

    def _require_view(self) -> View:
        if self._view is None:
            raise NotReady(self.spec.tool, self._problem or "nobody's settings are shown")
        return self._view

    def _index(self, scope: str | None) -> int:
        """The position of a scope in the stack; of the edit target, when none is named."""
        name = scope or self.edit_scope
        for index, target in enumerate(self.stack):
            if target.scope == name:
                return index
        raise NotReady(self.spec.tool, f"no {name or 'owner'} is shown")

    def _is_known(self, field: str) -> bool:
        return field in self.spec.fields or not self.spec.is_declared

    def _check(
        self, kind: Kind, values: Mapping[str, Any], view: View, index: int
    ) -> dict[str, Any]:
        """All of an action before any of it: names, scopes, policies, values, rules across them."""
        checked: dict[str, Any] = {}
        for field, value in values.items():
            spec = self.spec.require(field)
            check_scope(spec, view.stack[index].scope)
            view.check_policy(field, index)
            checked[field] = spec.check(value) if kind in ("set", "pin") else value
        if kind in ("set", "pin") and self.spec.validators:
            self.spec.check_together({**view.values, **checked}, checked)
        return checked

    def _edit_all(
        self,
        kind: Kind,
        values: Mapping[str, Any],
        scope: str | None,
        cause: Cause,
        stack: Stack | None = None,
    ) -> Hidden:
        view = self._view
        if stack is not None and (view is None or stack != view.stack):
            other = self.engine.view(self.spec, stack)
            try:
                return self._edit_in(other, kind, values, scope, cause)
            finally:
                self.engine.release(other)
        if cause.source == "user":
            self.interacted = True
        return self._edit_in(self._require_view(), kind, values, scope, cause)

    def _edit_in(
        self, view: View, kind: Kind, values: Mapping[str, Any], scope: str | None, cause: Cause
    ) -> Hidden:
        index = self._index_in(view, scope)
        layer = view.layers[index]
        if cause.source == "load":
            return {}  # what a page load sets is initialisation: the database wins
        if cause.source != "user" and not all(each.gate.is_open for each in view.layers):
            return {}  # a program's edit before the load: the database wins
        recorder = self.engine.recorder
        prepared: list[Prepared] = []
        for field, value in self._check(kind, values, view, index).items():
            spec = self.spec.require(field)
            delta = None
            if spec.merge and kind in ("set", "pin"):
                delta = _delta(kind, view.at(field, index), value)
            prepared.append(recorder.prepare(layer, spec, kind, value, delta=delta))
        cause = cause if cause.group else replace(cause, group=recorder.group())
        hidden: Hidden = {}
        for each in prepared:
            recorder.accept(layer, each, cause, view=view)
            if by := view.hidden_by(each.spec.name, index):
                hidden[each.spec.name] = by
        return hidden

    def _index_in(self, view: View, scope: str | None) -> int:
        scopes = [target.scope for target in view.stack]
        name = scope or self._edit or self.spec.edit
        if scope is None and scopes and name not in scopes:
            name = scopes[-1]
        if name not in scopes:
            raise NotReady(self.spec.tool, f"no {name} is shown")
        return scopes.index(name)

    def _edit_keys(self, field: str, patch: Patch, scope: str | None) -> Hidden:
        spec = self.spec.require(field)
        if not spec.merge:
            raise InvalidValue(field, "doesn't merge: set it as a whole")
        view = self._require_view()
        index = self._index_in(view, scope)
        return self.set(field, patch.apply(view.at(field, index)), scope=scope)


def _delta(kind: Kind, shown: Mapping[str, Any], value: Mapping[str, Any]) -> Patch:
    """What an edit of a merging dict changes; a pin holds all of its keys."""
    return Patch(dict(value)) if kind == "pin" else difference(shown, value)
