"""A network between browser and server that can be cut, held, slowed and torn."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from random import Random
from typing import Literal, Self

Mood = Literal["open", "cut", "held", "slow", "torn"]
"""`cut`: every connection is reset and none is made. `held`: nothing gets through, and nobody is
told. `slow`: each piece takes up to 0.3 s. `torn`: a connection brings half of a piece now and
then, and is reset."""
MOODS: tuple[Mood, ...] = ("cut", "held", "slow", "torn")
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on a free port of 127.0.0.1, in a thread of its own; set `mood` at any time."""

    def __init__(self, to: int, seed: int) -> None:
        self._to, self._random = to, Random(seed)
        self._mood: Mood = "open"
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._is_open = asyncio.Event()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.set("cut")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set(self, mood: Mood) -> None:
        """Returns once it is so."""
        asyncio.run_coroutine_threadsafe(self._become(mood), self._loop).result(10)

    async def _listen(self) -> None:
        self._is_open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _become(self, mood: Mood) -> None:
        self._mood = mood
        if mood == "held":
            self._is_open.clear()
        else:
            self._is_open.set()
        if mood == "cut":
            for writer in tuple(self._writers):
                self._reset(writer)

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        plug: socket.socket | None = writer.get_extra_info("socket")
        with suppress(OSError):
            if plug is not None:
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._mood == "cut":
                return
            await self._is_open.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            self._writers.add(back)
            try:
                ways = (self._pump(reader, back), self._pump(there, writer))
                _, left = await asyncio.wait(
                    [asyncio.ensure_future(way) for way in ways],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for way in left:
                    way.cancel()
            finally:
                self._writers.discard(back)
                self._reset(back)
        except OSError:
            pass  # nobody listens there just now
        finally:
            self._writers.discard(writer)
            self._reset(writer)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(65_536):
                await self._is_open.wait()
                if self._mood == "slow":
                    await asyncio.sleep(self._random.uniform(0, 0.3))
                if self._mood == "torn" and self._random.random() < 0.3:
                    sink.write(piece[: len(piece) // 2])
                    await sink.drain()
                    return
                sink.write(piece)
                await sink.drain()
