"""What the tests of history and undo do and look at."""

from __future__ import annotations

import asyncio
from typing import Any

from persistence import UNSET, Binding, Engine, Opinion, Plan, Step, Undoing


async def edited(binding: Binding[Any], scope: str | None = None, **values: Any) -> None:
    """One action, saved; the next one is a second later."""
    binding.update(scope=scope, **values)
    await binding.flush()
    await asyncio.sleep(1)


async def planned(engine: Engine, actor: str = "ada", *, redo: bool = False) -> Undoing:
    undoing = await engine.undo.plan(actor, redo=redo)
    assert undoing is not None, "nothing to take back"
    return undoing


async def undo(engine: Engine, actor: str = "ada", *, anyway: bool = False) -> Plan:
    return await engine.undo.apply(await planned(engine, actor), anyway=anyway)


async def redo(engine: Engine, actor: str = "ada") -> Plan:
    return await engine.undo.apply(await planned(engine, actor, redo=True))


async def fields_of_next(engine: Engine, actor: str = "ada") -> list[str] | None:
    step = await engine.undo.next(actor)
    return None if step is None else sorted(change.field for change in step.changes)


def told(step: Step) -> dict[str, tuple[Any, Any]]:
    """Field → from what to what; a word for what isn't a value."""
    return {each.field: (word(each.before), word(each.after)) for each in step.changes}


def word(opinion: Opinion | None) -> Any:
    if opinion is None:
        return "not kept"
    return opinion.kind if opinion.value is UNSET else opinion.value
