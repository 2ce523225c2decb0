"""Puts the sample film into a user's list: its rows, then its settings, step by step.

- Every step is one action with a name of its own, written whole or not at all, so that what was
  interrupted goes on where it stopped, and a second click finds nothing to do.
- Ids follow from the user: one has one such film, and deleting it is deleting any project.
- What the user has set for themselves stays as it is.
- A program makes it, so it is no step of the user's to undo.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from weakref import WeakValueDictionary

from persistence import Engine, Patch, Plan, Proposed, Target
from persistence.layers import Layer
from persistence.plans import confirmed_layers, propose
from persistence.store.base import Preset as Kept
from workbench import projects
from workbench.sample.film import Edit, Film, Preset, Step, read_film

NAME = "sample"

_making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
"""Two tabs of one user make it one after the other."""


def id_of(actor: str, part: str = "project") -> str:
    """The id of a user's sample project, or of one of its shots by key; 128 bits of a hash."""
    digest = hashlib.sha256(f"{NAME}:{actor}:{part}".encode()).digest()
    return urlsafe_b64encode(digest[:16]).decode().rstrip("=")


async def make(engine: Engine, actor: str, film: Film | None = None) -> AsyncGenerator[int]:
    """Make it, or what is missing of it. Yields how many of `film.steps` are there.

    Raises NotFound for nobody, Refused, Unavailable, and what `engine.apply` raises.
    """
    film = film or read_film()
    shots = [(id_of(actor, key), name) for key, name in film.shots]
    async with _making.setdefault(actor, asyncio.Lock()):
        await projects.plant_project(actor, id_of(actor), film.title, shots)
        for done, step in enumerate(film.steps, 1):
            group = f"{NAME}-{id_of(actor)}-{done}"
            if not await engine.store.group(group, actor):
                await _do(engine, actor, step, group)
                await _keep_names(engine, actor, film, done)
            yield done


async def _do(engine: Engine, actor: str, step: Step, group: str) -> None:
    targets = dict.fromkeys(_target(actor, edit) for edit in step.edits)
    layers = {layer.target: layer for layer in await confirmed_layers(engine, targets)}
    plan = Plan(step.what, tuple(_proposed(actor, step.edits, layers)))
    await engine.apply(plan, actor=actor, source="program", group=group)


def _proposed(
    actor: str, edits: Iterable[Edit], layers: Mapping[Target, Layer]
) -> Iterator[Proposed]:
    for edit in edits:
        layer = layers[_target(actor, edit)]
        spec = layer.spec.by_alias[edit.name]
        if edit.place == "user" and layer.opinion(spec.name) is not None:
            continue
        value = spec.parse(json.dumps(edit.value))
        held = Patch(value) if spec.merge else value
        yield propose(layer, spec.name, edit.kind, held, note=edit.note or None)


def _target(actor: str, edit: Edit) -> Target:
    if edit.place == "user":
        return Target("user", actor, edit.tool)
    if edit.place == "project":
        return Target("project", id_of(actor), edit.tool)
    return Target("shot", id_of(actor, edit.place), edit.tool)


async def _keep_names(engine: Engine, actor: str, film: Film, done: int) -> None:
    """The moments that stand after this step, and after the last one the presets."""
    for name, after in film.moments:
        if after == done:
            await engine.history.name_moment("project", id_of(actor), name, actor=actor)
    if done == len(film.steps):
        for preset in film.presets:
            await engine.store.keep_preset(_preset(engine, actor, preset))


def _preset(engine: Engine, actor: str, preset: Preset) -> Kept:
    """By the names of the declaration, as the library keeps it."""
    spec = engine.tool(preset.tool)
    values = {spec.by_alias[name].name: value for name, value in preset.values.items()}
    return Kept(
        "project", id_of(actor), preset.tool, preset.name, json.dumps(values), actor,
        engine.wall(), spec.version,
    )  # fmt: skip
