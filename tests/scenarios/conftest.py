"""Every scenario runs in virtual time, on the memory store and on a real SQLite file."""

from __future__ import annotations

from typing import Any

import pytest

from persistence import Engine, Settings, setting
from persistence.settings import registry
from persistence.testing import FailingStore
from tests.scenarios.tools import SCOPES, Start


@pytest.fixture
def store(persistence_store: FailingStore) -> FailingStore:
    return persistence_store


@pytest.fixture
def start(store: FailingStore, persistence_engine: Any) -> Start:
    def make(**options: Any) -> Engine:
        return persistence_engine(**{"scopes": SCOPES, **options})

    return make


@pytest.fixture
def secret_tool(monkeypatch: pytest.MonkeyPatch) -> type[Settings]:
    """Declared for one test: an engine without a key refuses to start where there is a secret."""

    class Keys(Settings, tool="s-secrets", edit="user"):
        token: str = setting("", secret=True)
        label: str = setting("")

    monkeypatch.setitem(registry, "s-secrets", registry.pop("s-secrets"))
    return Keys
