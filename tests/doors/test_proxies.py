"""Behind a proxy of one's own: whom limits by address count."""

from __future__ import annotations

import pytest

from tests.doors.door import Door, running
from tests.doors.test_sockets import event, told
from workbench.states.share import Join


@pytest.mark.usefixtures("own_database")
async def test_behind_a_proxy_who_tries_links_locks_out_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
):
    """All come from the proxy's own address, and from the one that it says."""
    monkeypatch.setenv("PROXIES", "1")
    async with running() as door:
        for _ in range(2):  # 15 tries each: one person may try 20 times, one address 30
            tried = await look_at_links(door, "198.51.100.1", 15)
        assert "limited" not in tried
        assert "limited" in await look_at_links(door, "198.51.100.1", 1)
        assert "limited" not in await look_at_links(door, "198.51.100.2", 1)


async def look_at_links(door: Door, address: str, count: int) -> str:
    person = door.guest()
    socket = await person.socket(f"token-of-{id(person)}", more=[("x-forwarded-for", address)])
    for number in range(count):
        query = {"token": f"{number:022}"}
        path = f"/join/{query['token']}"
        router = {"pathname": path, "asPath": path, "query": query}
        socket.send("event", {**event(Join, "load"), "router_data": router})
    await door.settle(socket)
    await socket.close()
    assert "missing" in told(socket) or "limited" in told(socket)
    return told(socket)
