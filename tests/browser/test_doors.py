"""A real server's doors, and that what people write is shown as text and nothing else."""

from __future__ import annotations

import re
import socket
import sqlite3
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page
    from servers import Server

UPGRADE = (
    "GET /_event/?token=a-token-of-nobody&EIO=4&transport=websocket HTTP/1.1\r\n"
    "Host: 127.0.0.1:{port}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
NAME = "<img src=x onerror=\"ran='name'\"><script>ran='name'</script><base href=//evil.example>"
TEXT = (
    f"{NAME}<iframe srcdoc=\"<script>parent.ran='frame'</script>\"></iframe>"
    "[x](javascript:ran='link') <style>main{display:none}</style><meta http-equiv=refresh "
    "content='0;//evil.example'>"
)


def upgrade(site: Server, origin: str) -> str:
    """The status line that a WebSocket of a page of that origin gets."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(UPGRADE.format(port=site.port, origin=origin).encode())
        return connection.recv(200).decode("latin-1").partition("\r\n")[0]


def test_a_page_of_another_site_gets_no_socket_and_no_answer_to_read(workbench: Server, page: Page):
    assert " 101 " in upgrade(workbench, workbench.url)
    for origin in ("http://evil.example", f"http://127.0.0.1:{workbench.port + 1}", "null"):
        assert " 403 " in upgrade(workbench, origin)
    answer = page.request.get(f"{workbench.url}/auth/me", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_markup_that_people_write_is_text_everywhere(workbench: Server, page: Page):
    refused: list[str] = []
    asked: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    page.on("console", note)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(workbench.url)
    page.get_by_role("button", name="Start with the sample").click()
    page.wait_for_url(re.compile("/p/"), timeout=30_000)
    project = page.url.rpartition("/")[2]
    page.locator("#sidebar ol a").first.click()
    prompt = page.locator("textarea[data-persistence=prompt]")
    expect(prompt).not_to_have_value("")
    shot = page.url.rpartition("/")[2]
    prompt.fill(TEXT)
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    with sqlite3.connect(workbench.database) as database:
        for table in ("workbench_project", "workbench_shot"):
            database.execute(f"UPDATE {table} SET name = ?", [NAME])
    database.close()
    shown = {
        "/": ".card, main",
        f"/p/{project}": "main",
        f"/p/{project}/s/{shot}": "textarea[data-persistence=prompt]",
        f"/inspector?project={project}&shot={shot}&field=prompt": "tr[data-field=prompt]",
    }
    for path, place in shown.items():
        page.goto(f"{workbench.url}{path}")
        expect(page.locator(place).first).to_be_visible()
        expect(page.get_by_text("<script>ran='name'</script>").first).to_be_attached()
        assert page.evaluate("window.ran") is None, path
        assert page.locator("img[src=x], iframe, base, meta[http-equiv=refresh]").count() == 0
    assert refused == []
    assert all(url.startswith((workbench.url, "data:", "blob:")) for url in asked), asked
