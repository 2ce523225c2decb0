"""Requests while the app can't tell who asks."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from persistence.throttle import Throttle, throttled


@pytest.mark.parametrize("limit", [None, 50])
async def test_a_page_is_served_and_counted_by_its_address(limit: int | None):
    def identify(headers: Mapping[str, str]) -> str:
        raise RuntimeError("the database is away")

    page = Starlette(routes=[Route("/", lambda _: PlainTextResponse("the page"))])
    server = throttled(page, Throttle(identify, limit=limit))
    transport = httpx.ASGITransport(app=server)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as http:
        answers = [(await http.get("/")).status_code for _ in range(11)]
    assert answers == [200] * 10 + [200 if limit is None else 429]
