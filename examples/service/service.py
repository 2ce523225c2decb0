"""A JSON service over settings, without Reflex: `GET` and `PATCH /shots/{project}/{shot}`.

Any ASGI framework goes the same way: open the engine with the app's life, a binding for each
request, and answer a refused edit with what is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from persistence import EditError, Engine, Settings, StoreUnavailable, setting


class Render(Settings, tool="render", edit="shot"):
    frames: int = setting(61, ge=1, le=241)
    quality: Literal["draft", "balanced", "best"] = setting("balanced")
    prompt: str = setting("", inherit=False, max_length=5000)


@asynccontextmanager
async def life(app: Starlette) -> AsyncIterator[None]:
    """The engine saves what is pending before the server ends."""
    database = os.environ.get("DATABASE_URL", "sqlite:///service.db")
    async with Engine(database, scopes=("project", "shot")) as engine:
        app.state.engine = engine
        yield


@asynccontextmanager
async def opened(request: Request) -> AsyncIterator[Any]:
    """The settings that a request is about, by whoever its header names."""
    binding = await request.app.state.engine.open(
        Render, dict(request.path_params), actor=request.headers.get("x-user", "")
    )
    try:
        yield binding
    finally:
        binding.close()


def shown(render: Any) -> dict[str, Any]:
    return {
        name: {"value": render.get(name), "from": render.origin(name)}
        for name in ("frames", "quality", "prompt")
    }


async def read(request: Request) -> JSONResponse:
    async with opened(request) as render:
        return JSONResponse(shown(render))


async def change(request: Request) -> JSONResponse:
    """`{"scope": "project", "frames": 41, "quality": null}`: null resets; all of it or nothing."""
    sent: Any = await request.json()
    scope = sent.pop("scope", "shot")
    async with opened(request) as render:
        render.update(scope=scope, **{n: v for n, v in sent.items() if v is not None})
        if cleared := [name for name, value in sent.items() if value is None]:
            render.reset(*cleared, scope=scope)
        await render.flush()  # what is answered is durable
        return JSONResponse(shown(render))


async def refused(_: Request, error: Any) -> JSONResponse:
    return JSONResponse({"field": error.field, "problem": error.problem}, 422)


async def away(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"problem": f"try again: {error}"}, 503)


PATH = "/shots/{project}/{shot}"
app = Starlette(
    routes=[Route(PATH, read), Route(PATH, change, methods=["PATCH"])],
    exception_handlers={EditError: refused, StoreUnavailable: away},
    lifespan=life,
)
