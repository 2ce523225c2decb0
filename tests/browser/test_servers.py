"""The contract of `Server`, and that a page works at whatever port it got."""

from __future__ import annotations

import socket

import pytest


def test_two_servers_of_one_app_answer_at_once_from_databases_of_their_own(server) -> None:
    one, other = server(), server()
    assert one.answers()
    assert other.answers()
    assert one.port != other.port
    assert one.database != other.database


def test_a_killed_server_is_gone_and_comes_back_at_its_port(server) -> None:
    app = server()
    url = app.url
    app.kill()
    assert not app.running
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", app.port), timeout=1)
    app.start()
    assert app.url == url
    assert app.answers()


def test_a_terminated_server_ends_by_itself(server) -> None:
    app = server()
    assert app.terminate() == 0
    assert not app.answers()


def test_the_page_finds_its_server_at_the_port_it_got(workbench, page) -> None:
    with page.expect_websocket() as opened:
        page.goto(workbench.url)
    assert f":{workbench.port}/" in opened.value.url
