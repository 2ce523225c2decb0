"""BIND: one settings declaration over one layer stack, as an app holds it.

A binding is what a page or a script works with: it reads effective values, edits one layer, and can
be switched to other owners. It holds no values of its own; several bindings on the same owners see
the same engine. Only `show`, `save`, `flush`, `enforce` and `relax` wait for anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from .changes import Patch, difference
from .checks import check_scope
from .errors import EditError, InvalidValue, NotReady, PermissionDenied, PolicyViolation
from .layers import Conflict, Layer, View
from .recorder import Cause, Prepared
from .scopes import Stack
from .shown import Shown
from .specs import SettingSpec
from .store.base import Kind

S = TypeVar("S")
Hidden = dict[str, str]
"""Edited field → the stronger scope that hides the edit."""


class Binding(Shown[S]):
    """One tool, looked at through the layers of these owners, and edited in one of them.

    - Not ready until every layer is loaded: until then users' edits wait, programs' are dropped.
    - An edit goes to the layer that was shown when it was made, whatever is shown later.
    - All edits of one call are checked before any is made.
    """

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

    def set(
        self,
        field: str,
        value: Any,
        *,
        source: str = "user",
        scope: str | None = None,
        group: str = "",
        operation: str = "",
        durable: bool = False,
        stack: Stack | None = None,
    ) -> Hidden:
        """Edit one field, whatever it is called; the keywords are those of `update`."""
        return self._edit_all(
            "set", {field: value}, scope, self._cause(source, group, operation, durable), stack
        )

    def pin(self, field: str, *, scope: str | None = None, source: str = "user") -> Hidden:
        """Write the value that is shown, though it may be inherited: it stays when that changes.

        Raises NotReady before the load, when nobody has seen that value yet.
        """
        self.spec.require(field)
        view = self._require_view()
        if not self.ready:
            raise NotReady(field, "isn't loaded yet, so that there is no value to pin")
        value = view.at(field, self._index(scope, field))
        return self._edit_all("pin", {field: value}, scope, self._cause(source, "", "", True))

    def block(self, field: str, *, scope: str | None = None, source: str = "user") -> Hidden:
        """Hide what weaker layers say: the default answers."""
        return self._edit_all("block", {field: None}, scope, self._cause(source, "", "", True))

    def reset(self, *fields: str, scope: str | None = None, source: str = "user") -> None:
        """Remove overrides, so that the layer inherits; all of the layer's, when none is named."""
        view = self._require_view()
        layer = view.layers[self._index(scope)]
        names = fields or tuple(sorted(f for f in layer.fields() if self._can_reset(layer, f)))
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
                self.set(field, value, source=source, group=group, durable=durable, stack=stack)
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
        held = self._require_view().layers[index].opinion(field)
        if held is not None and held.kind == "policy":
            await self._administer("reset", field, None, scope, "")

    async def _administer(self, kind: Kind, field: str, value: Any, scope: str, note: str) -> None:
        view = self._require_view()
        layer = view.layers[self._index(scope)]
        spec = self.spec.require(field)
        check_scope(spec, scope)
        delta = Patch(value) if spec.merge and kind == "policy" else None
        self.engine.recorder.record(
            layer, spec, kind, value, self._cause("user", "", "", True),
            view=view, delta=delta, note=note or None, admin=True,
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
        """Wait until everything edited here is durable.

        Raises StoreUnavailable, and EditError where an edit was set aside instead.
        """
        await self.engine.committer.flush(self.layers)

    def retry(self, *fields: str) -> None:
        """Try edits that were set aside once more; all, when no field is named."""
        cause = self._cause("user", "", "", True)
        for layer in self.layers:
            for aside in layer.aside_of(self.actor):
                if fields and aside.field not in fields:
                    continue
                self.engine.recorder.restore(layer, aside.edit, cause)

    def discard(self, field: str) -> None:
        """Give up an edit that was set aside."""
        for layer in self.layers:
            if any(each.field == field for each in layer.aside_of(self.actor)):
                self.engine.recorder.revert(layer, field, author=self.actor)

    def conflict(self, field: str) -> Conflict | None:
        """The actor's conflict in a field: mine, theirs, and what both were made on, with authors
        and times. The strongest layer's, if there are several."""
        found = (layer.conflicts.get((field, self.actor)) for layer in reversed(self.layers))
        return next(filter(None, found), None)

    def keep_mine(self, field: str) -> bool:
        """Write mine over theirs. False where there is no conflict."""
        return self._decide(field, lambda layer, each: self.engine.recorder.restore(
            layer, each.edit, self._cause("user", "", "", True)))  # fmt: skip

    def take_theirs(self, field: str) -> bool:
        """Leave theirs; mine can be found in the history. False where there is no conflict."""
        return self._decide(field, lambda layer, _: self.engine.recorder.revert(
            layer, field, author=self.actor))  # fmt: skip

    def resolve(self, field: str, value: Any) -> Hidden:
        """Write something else, at the layer that is in conflict. Raises the kinds of EditError,
        NotReady where there is no conflict."""
        if (found := self.conflict(field)) is None:
            raise NotReady(field, "isn't in conflict with anybody's edit")
        return self.set(field, value, scope=found.target.scope, durable=True)

    def _decide(self, field: str, act: Callable[[Layer, Conflict], object]) -> bool:
        if (found := self.conflict(field)) is None:
            return False
        act(self.engine.layer(found.target), found)
        return True

    def revert(self, *fields: str) -> None:
        """Take this actor's edits back to what was last confirmed; all, when no field is named.

        What is being written at this moment is written over afterwards.
        """
        for layer in self.layers:
            edits = [*layer.pending.edits(), *(each.edit for each in layer.aside)]
            mine = {edit.field for edit in edits if edit.author == self.actor}
            for field in mine if not fields else mine & set(fields):
                self.engine.recorder.revert(layer, field, author=self.actor)

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

    # --- helpers ---------------------------------------------------------------------------------

    def _cause(self, source: str, group: str, operation: str, durable: bool) -> Cause:
        group = group or self.engine.recorder.group()
        return Cause(self.actor, source, group, operation, self, durable)

    def _can_reset(self, layer: Layer, field: str) -> bool:
        held = layer.opinion(field)
        if held is not None and held.kind == "policy":
            return False  # to remove it takes `relax`
        return field in self.spec.fields or not self.spec.is_declared

    def _check(
        self, kind: Kind, values: Mapping[str, Any], view: View, scope: str | None
    ) -> list[tuple[int, SettingSpec, Any]]:
        """All of an action before any of it: names, scopes, policies, values, rules across them."""
        checked: dict[str, Any] = {}
        edits: list[tuple[int, SettingSpec, Any]] = []
        for field, value in values.items():
            spec = self.spec.require(field)
            index = self._index_in(view, scope, field)
            check_scope(spec, view.stack[index].scope)
            view.check_policy(field, index)
            if view is self._view and (why := self.denied.get(view.stack[index].scope)):
                raise PermissionDenied(field, why)
            checked[field] = spec.check(value) if kind in ("set", "pin") else value
            edits.append((index, spec, checked[field]))
        if kind in ("set", "pin") and self.spec.validators:
            self.spec.check_together({**view.values, **checked}, checked)
        return edits

    def _edit_all(
        self,
        kind: Kind,
        values: Mapping[str, Any],
        scope: str | None,
        cause: Cause,
        stack: Stack | None = None,
        delta: Patch | None = None,
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
        return self._edit_in(self._require_view(), kind, values, scope, cause, delta)

    def _edit_in(
        self,
        view: View,
        kind: Kind,
        values: Mapping[str, Any],
        scope: str | None,
        cause: Cause,
        delta: Patch | None = None,
    ) -> Hidden:
        if cause.source == "load":
            return {}  # what a page load sets is initialisation: the database wins
        if cause.source != "user" and not all(each.gate.is_open for each in view.layers):
            return {}  # a program's edit before the load: the database wins
        recorder = self.engine.recorder
        prepared: list[tuple[int, Prepared]] = []
        for index, spec, value in self._check(kind, values, view, scope):
            change = delta
            if change is None and spec.merge and kind in ("set", "pin"):
                change = _delta(kind, view.at(spec.name, index), value)
            edit = recorder.prepare(view.layers[index], spec, kind, value, delta=change)
            prepared.append((index, edit))
        hidden: Hidden = {}
        for index, each in prepared:
            recorder.accept(view.layers[index], each, cause, view=view)
            if by := view.hidden_by(each.spec.name, index):
                hidden[each.spec.name] = by
        return hidden

    def _edit_keys(self, field: str, patch: Patch, scope: str | None) -> Hidden:
        spec = self.spec.require(field)
        if not spec.merge:
            raise InvalidValue(field, "doesn't merge: set it as a whole")
        view = self._require_view()
        index = self._index_in(view, scope, field)
        whole = patch.apply(view.at(field, index))
        # Before the load nobody knows what the keys are changed from: the patch itself goes along.
        delta = None if self.ready else patch
        cause = self._cause("user", "", "", False)
        return self._edit_all("set", {field: whole}, scope, cause, delta=delta)


def _delta(kind: Kind, shown: Mapping[str, Any], value: Mapping[str, Any]) -> Patch:
    """What an edit of a merging dict changes; a pin holds all of its keys."""
    return Patch(dict(value)) if kind == "pin" else difference(shown, value)
