"""What happens between the signal to end and the server's own handler of it."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from persistence import Engine, Settings, Target, setting
from persistence.reflex.shutdown import WITHIN, save_on_signals
from persistence.settings import registry
from persistence.store import MemoryStore
from persistence.testing import FailingStore

AT = Target("shot", "s1", "shutdown")


class Shot(Settings, tool="shutdown", edit="shot"):
    frames: int = setting(61)


registry.pop("shutdown")


@contextmanager
def server(ended: list[float]) -> Iterator[None]:
    """A server that notes when it is told to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: ended.append(loop.time()))
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def edited(store: FailingStore) -> AsyncIterator[Engine]:
    """An engine with an edit that isn't due for a minute."""
    engine = Engine(store, scopes=("shot",), debounce=60.0, max_wait=60.0)
    await engine.start()
    try:
        binding = await engine.open(Shot, {"shot": "s1"}, actor="ada")
        binding.update(frames=41)
        yield engine
    finally:
        await engine.stop(timeout=0.1)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FailingStore:
    monkeypatch.setitem(registry, "shutdown", Shot.__tool__)
    return FailingStore(MemoryStore())


async def stored(store: FailingStore) -> dict[str, Any]:
    return {field: row.text for field, row in (await store.load([AT]))[AT].items()}


async def until_told(ended: list[float], times: int = 1) -> None:
    async with asyncio.timeout(60):
        while len(ended) < times:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_what_waits_is_saved_before_the_server_begins_to_end(
    store: FailingStore, number: signal.Signals
) -> None:
    ended: list[float] = []
    with server(ended):
        async with edited(store) as engine:
            save_on_signals(engine)
            signal.raise_signal(number)
            assert not ended
            await until_told(ended)
            assert await stored(store) == {"frames": "41"}


async def test_told_twice_it_saves_once_and_passes_both_on(store: FailingStore) -> None:
    ended: list[float] = []
    with server(ended):
        async with edited(store) as engine:
            save_on_signals(engine)
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            await until_told(ended, 2)
            assert len(store.written) == 1


async def test_a_store_that_is_away_or_says_nothing_does_not_keep_the_server(
    store: FailingStore, caplog: pytest.LogCaptureFixture
) -> None:
    faults = {
        "was asked to fail": lambda: store.commits.fail(1_000),
        "out of time": lambda: store.commits.delay(1e6),
    }
    for why, fault in faults.items():
        ended: list[float] = []
        with server(ended), caplog.at_level(logging.WARNING):
            async with edited(store) as engine:
                save_on_signals(engine)
                fault()
                began = asyncio.get_running_loop().time()
                signal.raise_signal(signal.SIGTERM)
                await until_told(ended)
                assert ended[0] - began <= WITHIN + 1
                assert re.search(f"not everything was saved before the end: .*{why}", caplog.text)
            assert "stopped with unsaved edits: out of time" in caplog.text
        store.commits.mend()
        caplog.clear()


async def test_an_engine_that_has_stopped_holds_up_nothing(store: FailingStore) -> None:
    ended: list[float] = []
    with server(ended):
        async with edited(store) as engine:
            save_on_signals(engine)
        signal.raise_signal(signal.SIGTERM)
        await until_told(ended)
