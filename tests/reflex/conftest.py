"""A real Reflex app in its real event pipeline, without a browser and without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from reflex_base.registry import RegistrationContext

from persistence import Target
from persistence.reflex import tabs as tabs_module
from persistence.reflex import testing
from persistence.settings import registry

FakeTab, identify = testing.FakeTab, testing.by_cookie


class Site(testing.Site):
    """The app, its engine, and the tabs that are open."""

    async def stored(self, *target: str) -> dict[str, Any]:
        """The texts that the database holds for (scope, owner, tool)."""
        rows = (await self.engine.store.load([Target(*target)]))[Target(*target)]
        return {name: row.text for name, row in rows.items() if row.kind != "reset"}


def without_the_workbench(context: RegistrationContext) -> RegistrationContext:
    """Other tests of the same run import the workbench, whose states aren't of these apps."""
    for name, state in list(context.base_states.items()):
        if is_of_the_workbench(state):
            del context.base_states[name]
    for name, states in list(context.base_state_substates.items()):
        context.base_state_substates[name] = {s for s in states if not is_of_the_workbench(s)}
    return context


def is_of_the_workbench(state: type) -> bool:
    return state.__module__.partition(".")[0] == "workbench"


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> Any:
    """States declared by a test are gone after it; those of the workbench are away meanwhile."""
    monkeypatch.setenv("REFLEX_TELEMETRY_ENABLED", "false")
    before = dict(registry)
    registry.clear()
    outside = RegistrationContext.ensure_context()
    RegistrationContext.set(without_the_workbench(outside.fork()))
    yield
    RegistrationContext.set(outside)
    registry.clear()
    registry.update(before)
    tabs_module.install(None)


Serve = Callable[..., Any]


@pytest.fixture
def serve(states: Any, persistence_site: Any) -> Serve:
    """`async with serve(on_load=…, owners=…) as site`: an app that runs."""

    def running(*, owners: Any = None, **options: Any) -> Any:
        return persistence_site(
            site=Site,
            scopes=options.pop("scopes", ("user", "project", "shot")),
            owners=owners
            or (lambda page: {"project": f"{page.actor}-p", "shot": f"{page.actor}-A"}),
            **options,
        )

    return running


Wait = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def until() -> Wait:
    """`await until(lambda: …)`: soon, or the test fails."""

    async def wait(holds: Callable[[], bool]) -> None:
        for _ in range(400):
            if holds():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("it never came to hold")

    return wait
