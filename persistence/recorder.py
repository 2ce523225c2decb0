"""RECORD: a checked edit becomes a pending one, or nothing where it changes nothing.

- An edit that changes nothing writes nothing, and an edit and its reverse neither: inherited
  values never become overrides by being shown and sent back.
- An edit made before its target was loaded waits, and is put on top of what the load brings.
- Values are encoded here, so that what can't be stored is refused at the edit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .changes import Override, Patch, same
from .codec import encode
from .errors import EditError, NotReady, PermissionDenied, PolicyViolation
from .layers import Layer, Refused, View, patch_of
from .pending import Dirty, both
from .quotas import check_fields, check_keys
from .specs import UNSET, SettingSpec
from .store.base import VALUED, Kind

if TYPE_CHECKING:
    from .engine import Engine

UNLOADED = -1
"""The base of an edit that was made before its target was loaded."""


GROWN = 100
"""A dict that reaches so many keys is probably a map by entity (`dataByShot`): worth a warning."""

log = logging.getLogger("persistence")


class Cause(NamedTuple):
    """Who makes an edit and why; the same for all fields of one action."""

    actor: str = ""
    source: str = "user"
    group: str = ""
    operation: str = ""
    origin: object | None = None
    """The binding that the edit was made through."""
    durable: bool = False
    """Save at once: nothing on the user's side could replay it."""
    seen: int = 0
    """The revision of the field that its page showed, which may be newer than what is known here;
    0 where nobody says."""


class Prepared(NamedTuple):
    """A checked and encoded edit of one field, on its way into a layer."""

    spec: SettingSpec
    kind: Kind
    value: Any
    text: str | None
    delta: Patch | None = None
    note: str | None = None


class Recorder:
    """Turns edits into pending ones. The only writer of `Layer.pending.waiting`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._process = f"{engine.random.getrandbits(24):x}"
        self.seq = 0

    def group(self) -> str:
        """An id for an action: its edits share it. Grows with time, and is no other process's."""
        self.seq += 1
        return f"{int(self._engine.wall() * 1000):011x}-{self._process}-{self.seq:x}"

    def record(
        self,
        layer: Layer,
        spec: SettingSpec,
        kind: Kind,
        value: Any,
        cause: Cause,
        *,
        view: View | None = None,
        delta: Patch | None = None,
        note: str | None = None,
        admin: bool = False,
    ) -> bool:
        """Prepare and accept an edit. False where it changes nothing."""
        prepared = self.prepare(layer, spec, kind, value, delta=delta, note=note, admin=admin)
        return self.accept(layer, prepared, cause, view=view)

    def prepare(
        self,
        layer: Layer,
        spec: SettingSpec,
        kind: Kind,
        value: Any,
        *,
        delta: Patch | None = None,
        whole: Patch | None = None,
        note: str | None = None,
        admin: bool = False,
    ) -> Prepared:
        """Encode an edit whose value was checked; changes nothing yet.

        For a setting that merges, `delta` is what changes, or `whole` what the layer then holds,
        and `value` isn't read. Raises InvalidValue where the value can't be stored,
        PolicyViolation where this layer enforces it (unless `admin`), PermissionDenied where its
        owner is gone, NotReady where the engine has stopped.
        """
        if not self._engine.is_running:
            raise NotReady(spec.name, "can't be saved: the engine isn't running")
        if layer.gate.state == "gone":
            raise PermissionDenied(spec.name, layer.gate.problem)
        if not admin:
            self._check_own_policy(layer, spec)
        text: str | None = None
        if kind in VALUED:
            if not spec.declared:
                check_fields(spec, layer.target.tool, {*layer.confirmed, *layer.pending.waiting})
            value, text = self._encode(layer, spec, value, delta, whole)
            self._warn_of_growth(spec, value)
        else:
            value = None
        return Prepared(spec, kind, value, text, delta, note)

    def accept(
        self, layer: Layer, prepared: Prepared, cause: Cause, *, view: View | None = None
    ) -> bool:
        """Take an edit in. False where it changes nothing."""
        spec, kind, value = prepared[:3]
        name = spec.name
        stored = layer.confirmed.get(name)
        waiting, sent = layer.pending.waiting.get(name), layer.pending.sent.get(name)
        current = waiting or sent
        if current is not None and _repeats(current, prepared, waiting, cause):
            if waiting is not None:
                named = (cause.operation,) if cause.operation else ()
                layer.pending.waiting[name] = _seen(waiting, prepared.delta, cause)._replace(
                    operations=(*waiting.operations, *named),
                    delta=both(waiting.delta, prepared.delta),
                )
            elif cause.operation:
                self._engine.operations.follow(cause.operation, current.operations)
            if cause.durable:
                self._schedule(layer, spec, cause)
            return False
        is_others = waiting is not None and waiting.author != cause.actor
        is_others = is_others or name in (layer.pending.ahead or ())  # theirs leaves first
        unsure = sent is not None or is_others or (waiting is not None and waiting.attempted)
        unsure = unsure or layer.has_moved(name)
        if not unsure and self._is_back(layer, spec, kind, value, stored, view):
            if waiting is None:
                self._engine.operations.settle([cause.operation], "confirmed")
                return layer.forget_aside(name, cause.actor)
            return self._take_back(layer, name, cause)
        self._record(layer, prepared, cause)
        self._edited(layer, name, cause)
        self._schedule(layer, spec, cause)
        return True

    def accept_together(self, edits: Sequence[tuple[Layer, Prepared]], cause: Cause) -> None:
        """Take the edits of a plan in exactly as they are, also where one sets what is inherited.

        All are recorded before any view is patched, and the stronger layers are shown first: no
        view ever shows a value in between.
        """
        for layer, prepared in edits:
            self._record(layer, prepared, cause)
        strength = self._engine.scopes.strength
        for layer, prepared in sorted(edits, key=lambda edit: -strength(edit[0].target.scope)):
            self._edited(layer, prepared.spec.name, cause)
            self._schedule(layer, prepared.spec, cause)

    def _record(self, layer: Layer, prepared: Prepared, cause: Cause) -> None:
        spec, kind, value, text, delta, note = prepared
        name = spec.name
        self.seq += 1
        base = max(layer.revision(name), cause.seen) if layer.gate.is_open else UNLOADED
        edit = Dirty(
            name, kind, value, text, base, cause.actor, cause.source, self._engine.wall(),
            cause.group or self.group(), self.seq,
            (cause.operation,) if cause.operation else (), note, delta,
        )  # fmt: skip
        if (older := layer.pending.waiting.get(name)) is not None:
            layer.pending.waiting[name] = _seen(older, delta, cause)
        layer.pending.record(edit)
        layer.forget_aside(name, cause.actor)  # whoever edits again has dealt with it

    def rebase(self, layer: Layer) -> None:
        """A load ended: edits made before it stand on what it brought, or turn out to be none."""
        for name, edit in list(layer.pending.waiting.items()):
            if edit.base != UNLOADED:
                continue
            spec = layer.spec.require(name)
            value, text = edit.value, edit.text
            try:
                for each, index in layer.views:
                    each.check_policy(name, index)
                    layer.spec.check_together(each.values, [name])
                if spec.merge and edit.kind in VALUED:
                    value, text = self._encode(layer, spec, None, edit.delta, patch_of(
                        layer.confirmed.get(name)))  # fmt: skip
            except EditError as error:
                layer.pending.drop(name)
                self.set_aside(layer, edit, error.problem)
                continue
            stored = layer.confirmed.get(name)
            if self._is_back(layer, spec, edit.kind, value, stored, None):
                layer.pending.drop(name)
                self._engine.operations.settle(edit.operations, "confirmed")
            else:
                layer.pending.waiting[name] = edit._replace(
                    value=value, text=text, base=layer.revision(name)
                )
            layer.show(name, "load")
        if layer.pending.waiting:
            self._engine.scheduler.touch(layer.pending, asyncio.get_running_loop().time())
            self._engine.committer.arm()

    def set_aside(self, layer: Layer, edit: Dirty, problem: str) -> None:
        """It will never be stored as it is: show that, and the last good value again."""
        layer.refused[edit.field, edit.author] = Refused(layer.target, edit, problem)
        if edit.attempted:  # what it was folded onto may have arrived: look what is stored
            self._engine.loader.begin(layer, again=True)
        self._engine.operations.settle(edit.operations, "refused", problem)
        if layer.pending.waiting:  # what stood behind it
            self.rewrite_line(layer, edit.field, layer.confirmed.get(edit.field))
            self._hurry(layer)
        layer.show(edit.field, "revert")
        self._engine.tell_of(layer, "refused", [edit.field], edit.operations, edit.author)

    def rewrite_line(self, layer: Layer, name: str, held: Override | None) -> None:
        """What waits for a dict that merges was made on edits that are none: write the same keys on
        what is held instead."""
        line, spec = layer.pending.in_line(name), layer.spec.fields.get(name)
        if spec is None or not spec.merge or not line:
            return
        patch, edits = patch_of(held), list[Dirty]()
        for edit in line:
            rewritten = edit
            if edit.delta is not None:
                patch = patch.then(edit.delta)
                rewritten = edit._replace(value=patch, text=self.encode_patch(spec, patch))
            elif isinstance(edit.value, Patch):
                patch = edit.value
            else:
                patch = Patch()
            edits.append(rewritten)
        layer.pending.replace_line(name, edits)

    def _hurry(self, layer: Layer) -> None:
        if layer.pending.waiting and layer.pending.slot is None and layer.gate.is_open:
            now = asyncio.get_running_loop().time()
            self._engine.scheduler.expedite(layer.pending, now)
            self._engine.committer.arm()

    def revert(self, layer: Layer, name: str, *, author: str | None = None) -> bool:
        """Back to what is stored: forget what waits, and what was set aside; of one author, if one
        is named.

        What is being written at this moment can't be called back: it is written over.
        """
        waiting = layer.pending.waiting.get(name)
        newest = waiting or layer.pending.sent.get(name)
        if newest is not None and author is not None and newest.author != author:
            return self._revert_ahead(layer, name, author)
        if name in layer.pending.sent or (waiting is not None and waiting.attempted):
            self._write_back(layer, name)
            return True
        dropped = layer.pending.drop(name)
        if dropped is not None:
            self._engine.operations.settle(dropped.operations, "refused", "taken back")
        if not layer.pending.waiting:
            self._engine.scheduler.cancel(layer.pending)
        if not layer.forget_aside(name, author) and dropped is None:
            return False
        layer.show(name, "revert")
        self._engine.tell_of(layer, "edited", [name])
        return True

    def _revert_ahead(self, layer: Layer, name: str, author: str) -> bool:
        """Somebody else has edited the field since: theirs stays, and shows."""
        was_aside = layer.forget_aside(name, author)
        dropped = layer.pending.drop_ahead(name, author)
        for edit in dropped:
            self._engine.operations.settle(edit.operations, "refused", "taken back")
        if dropped:
            self.rewrite_line(layer, name, layer.opinion_in_flight(name))
            layer.show(name, "revert")
        if was_aside:
            self._engine.tell_of(layer, "edited", [name])
        return was_aside or bool(dropped)

    def _write_back(self, layer: Layer, name: str) -> None:
        stored = layer.confirmed.get(name) or Override("reset", None)
        waiting = layer.pending.drop(name)
        edit = waiting or layer.pending.sent[name]
        if waiting is not None:
            self._engine.operations.settle(waiting.operations, "refused", "taken back")
        spec = layer.spec.require(name)
        text: str | None = None
        if stored.holds:
            held = stored.value if spec.merge else None
            _, text = self._encode(layer, spec, stored.value, None, held)
        self.seq += 1
        layer.pending.record(
            edit._replace(kind=stored.kind, value=stored.value, text=text, note=stored.note,
                    seq=self.seq, group=self.group(), operations=(), delta=None)
        )  # fmt: skip
        cause = Cause(edit.author, "revert")
        self._edited(layer, name, cause)
        self._schedule(layer, spec, cause)

    def restore(self, layer: Layer, edit: Dirty, cause: Cause) -> None:
        """Try an edit that was set aside once more, on what is stored now; of a dict that merges
        the keys that it changed."""
        spec = layer.spec.require(edit.field)
        layer.forget_aside(edit.field, edit.author)
        self.seq += 1
        base = layer.revision(edit.field) if layer.gate.is_open else UNLOADED
        edit = edit._replace(base=base, seq=self.seq, operations=())
        if edit.delta is not None:
            patch = patch_of(layer.opinion(edit.field)).then(edit.delta)
            edit = edit._replace(value=patch, text=self.encode_patch(spec, patch))
        layer.pending.record(edit)
        self._edited(layer, edit.field, cause)
        self._schedule(layer, spec, cause)

    # --- helpers ---------------------------------------------------------------------------------

    def _encode(
        self,
        layer: Layer,
        spec: SettingSpec,
        value: Any,
        delta: Patch | None,
        held: Patch | None = None,
    ) -> tuple[Any, str]:
        limit = self._engine.value_limit
        if not spec.merge:
            adapter = None if spec.is_native else spec.adapter
            return value, encode(value, field=spec.name, adapter=adapter, limit=limit)
        patch = held if held is not None else patch_of(layer.opinion(spec.name))
        patch = patch.then(delta or Patch())
        check_keys(spec, patch)
        return patch, self.encode_patch(spec, patch)

    def encode_patch(self, spec: SettingSpec, patch: Patch) -> str:
        """A merging field's layer as canonical JSON: `{"remove": [keys], "set": {key: value}}`."""
        limit = self._engine.value_limit
        adapter = None if spec.is_native else spec.adapter
        keys = encode(dict(patch.set), field=spec.name, adapter=adapter, limit=limit)
        gone = encode(sorted(patch.remove), field=spec.name, limit=limit)
        return f'{{"remove":{gone},"set":{keys}}}'

    def _warn_of_growth(self, spec: SettingSpec, value: Any) -> None:
        if isinstance(value, dict) and len(cast("dict[str, Any]", value)) == GROWN:
            log.warning(
                "%s holds %d keys: if they are ids of entities, give each entity a row of its own",
                spec.name, GROWN,
            )  # fmt: skip

    def _check_own_policy(self, layer: Layer, spec: SettingSpec) -> None:
        opinion = layer.opinion(spec.name)
        if opinion is not None and opinion.kind == "policy":
            raise PolicyViolation(spec.name, f"is enforced by this {layer.target.scope} itself")

    def _is_back(
        self,
        layer: Layer,
        spec: SettingSpec,
        kind: Kind,
        value: Any,
        stored: Override | None,
        view: View | None,
    ) -> bool:
        """Would the layer say exactly what is stored, or set what it inherits anyway?"""
        if not layer.gate.is_open or spec.name in layer.unreadable:
            return False
        if stored is None or stored.kind == "reset":
            if kind == "reset":
                return True
            if kind != "set":
                return False
            below = self._below(layer, spec, view)
            if below is UNSET:
                return False
            return same(value.apply(below) if spec.merge else value, below)
        if kind == "set" and stored.kind == "pin":
            kind = "pin"
        return stored.kind == kind and same(stored.value, value)

    def _below(self, layer: Layer, spec: SettingSpec, view: View | None) -> Any:
        """What the layer inherits; UNSET where nobody looks at it, or not all see the same."""
        if not spec.inherit or self._engine.scopes.strength(layer.target.scope) == 0:
            return spec.default()
        views = layer.views
        if view is not None and layer.target in view.stack:
            views = [(view, view.stack.index(layer.target))]
        answers = [each.below(spec.name, index) for each, index in views]
        if not answers or not all(same(answers[0], each) for each in answers):
            return UNSET
        return answers[0]

    def _take_back(self, layer: Layer, name: str, cause: Cause) -> bool:
        dropped = layer.pending.drop(name)
        if not layer.pending.waiting:
            self._engine.scheduler.cancel(layer.pending)
        folded = dropped.operations if dropped else ()
        self._engine.operations.settle([*folded, cause.operation], "confirmed")
        self._edited(layer, name, cause)
        return True

    def _edited(self, layer: Layer, name: str, cause: Cause) -> None:
        layer.actions[name] = cause.group
        layer.show(name, cause.source, cause.origin)
        self._engine.tell_of(layer, "edited", [name], actor=cause.actor, origin=cause.origin)

    def _schedule(self, layer: Layer, spec: SettingSpec, cause: Cause) -> None:
        self._engine.dirty[layer] = None
        if not layer.gate.is_open:
            self._engine.loader.begin(layer)
            return
        now = asyncio.get_running_loop().time()
        if cause.durable or spec.flush == "now":
            self._engine.scheduler.expedite(layer.pending, now)
        else:
            self._engine.scheduler.touch(layer.pending, now)
        self._engine.committer.arm()


def _seen(older: Dirty, delta: Patch | None, cause: Cause) -> Dirty:
    """What waits of the same author, made on what the page showed of whoever replaces it."""
    is_replaced = delta is None and older.author == cause.actor
    return (
        older._replace(base=cause.seen) if is_replaced and 0 <= older.base < cause.seen else older
    )


def _repeats(current: Dirty, edit: Prepared, waiting: Dirty | None, cause: Cause) -> bool:
    """Does an edit say what is on its way already, of the same author?

    Somebody else's may be taken back or refused, and this one mustn't go with it. Nor is one of
    other keys than those in flight none, though the layer's dict is the same: where somebody else
    wrote it meanwhile, what is in flight writes its own keys alone.

    An operation that meets a handler's edit in flight is none: nobody could tell its client when
    that is durable, so it gets a write of its own.
    """
    said = (edit.kind, edit.text, cause.actor)
    if said != (current.kind, current.text, current.author):
        return False
    if waiting is not None:
        return True
    if current.delta is not None and both(current.delta, edit.delta) != current.delta:
        return False
    return not cause.operation or bool(current.operations)
