"""BACK: collect the edits that make layers say again what they said once, as a plan.

What can't come back is left out, with the reason: its owner is gone or somebody else's, a policy
stands in the way, today's declaration doesn't take the value, or it is a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .changes import Patch
from .checks import check_scope
from .errors import EditError, PermissionDenied, PolicyViolation, ScopeNotAllowed
from .journal import Place, agree, is_secret
from .layers import Layer
from .plans import (
    Opinion,
    Plan,
    Proposed,
    Skipped,
    Why,
    administers,
    check_policy,
    confirmed_layers,
    opinion_of,
    propose,
)
from .scopes import Target
from .specs import SettingSpec
from .store.base import VALUED

if TYPE_CHECKING:
    from .engine import Action, Engine


class Back:
    """Edits of one actor, on what stands now. `open` first, then `put`, then `plan`."""

    def __init__(self, engine: Engine, actor: str) -> None:
        self._engine, self._actor = engine, actor
        self.layers: dict[Target, Layer] = {}
        self.skipped: list[Skipped] = []
        self._edits: list[Proposed] = []
        self._answers: dict[tuple[Action, str, str], bool] = {}

    async def open(self, targets: Iterable[Target]) -> None:
        """Load those that the actor may write; the others are gone, as far as they can tell.

        Raises StoreUnavailable.
        """
        mine = [target for target in dict.fromkeys(targets) if await self._may("write", target)]
        loaded = await confirmed_layers(self._engine, mine)
        self.layers = {each.target: each for each in loaded if each.gate.state != "gone"}

    def twin(self) -> Back:
        """Another collection, on the same layers."""
        made = Back(self._engine, self._actor)
        made.layers, made._answers = self.layers, self._answers
        return made

    def now(self, place: Place) -> Opinion:
        """What the layer says at this moment."""
        return opinion_of(self.layers[place[0]], place[1])

    def skip(self, place: Place, why: Why, detail: str = "") -> None:
        self.skipped.append(Skipped(*place, why, detail))

    def hinders(self, place: Place) -> bool:
        """Is it gone, a secret, or no setting any more? Then that is noted."""
        target, field = place
        layer = self.layers.get(target)
        if layer is None:
            self.skip(place, "gone", f"there is no such {target.scope} of yours")
        elif is_secret(layer.spec, field):
            self.skip(place, "secret", "what it was isn't kept")
        elif layer.spec.is_declared and field not in layer.spec.fields:
            self.skip(place, "unknown", "no such setting any more")
        else:
            return False
        return True

    async def put(self, place: Place, to: Opinion) -> None:
        """Have the field's layer say that. Nothing, where it says so already."""
        layer, field = self.layers[place[0]], place[1]
        if agree(self.now(place), to):
            return
        value = to.value if to.kind in VALUED else None
        edit = propose(layer, field, to.kind, value, note=to.note or None)
        if administers(layer, edit) and not await self._may("admin", layer.target):
            scope = layer.target.scope
            self.skip(place, "policy", f"only who administers this {scope} may change its policy")
            return
        try:
            if edit.kind in VALUED:
                _check(layer.spec.require(field), edit)
        except ScopeNotAllowed as error:
            self.skip(place, "scope", error.problem)
        except EditError as error:
            self.skip(place, "invalid", error.problem)
        else:
            self._edits.append(edit)

    def plan(self, title: str) -> Plan:
        """All of it that no policy of a weaker layer forbids."""
        planned = {(edit.target, edit.field): edit for edit in self._edits}
        allowed: list[Proposed] = []
        skipped = list(self.skipped)
        for place, edit in planned.items():
            try:
                if edit.kind not in ("reset", "policy"):
                    for view, index in self.layers[edit.target].views:
                        check_policy(view, index, edit.field, planned)
            except PolicyViolation as error:
                skipped.append(Skipped(*place, "policy", error.problem))
            else:
                allowed.append(edit)
        return Plan(title, tuple(allowed), tuple(skipped))

    async def _may(self, action: Action, target: Target) -> bool:
        key = (action, target.scope, target.owner)
        if key not in self._answers:
            try:
                await self._engine.permit(self._actor, action, target)
                self._answers[key] = target.scope in self._engine.scopes
            except PermissionDenied:
                self._answers[key] = False
        return self._answers[key]


def _check(spec: SettingSpec, edit: Proposed) -> None:
    """Does today's declaration take it? Raises ScopeNotAllowed and InvalidValue."""
    check_scope(spec, edit.target.scope)
    spec.check(dict(edit.value.set) if isinstance(edit.value, Patch) else edit.value)
