"""No secret is in a log of any level, in an answer, in an exception, or in the history."""

from __future__ import annotations

import json
import logging
import time
from typing import Annotated, Any

import httpx
import pydantic
import pytest
from starlette.applications import Starlette

from persistence import Engine, Settings, Target, setting
from persistence.http import operation_routes
from persistence.settings import registry
from persistence.store import MemoryStore
from persistence.store.base import Write
from persistence.testing import FailingStore
from persistence.vault import Vault
from tests.doors.audit import Heard, listening
from tests.doors.door import PASSWORD, Door, in_house
from workbench.accounts import resets

VALUE = "hunter2-of-the-harbour"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> type[Settings]:
    """Declared for one test: an engine without a key refuses to start where there is a secret."""

    class Keys(Settings, tool="doors-keys", edit="user"):
        api_key: str = setting("", secret=True, max_length=40)
        kind: str = setting("a", max_length=5)

    monkeypatch.setitem(registry, "doors-keys", registry.pop("doors-keys"))
    return Keys


@in_house
async def test_using_an_account_logs_none_of_its_secrets(door: Door):
    other = "another harbour at dusk"
    with listening() as heard:
        ann = await door.sign_up("logged-ann")
        secrets = [PASSWORD, other, *_cookies(ann)]
        assert (await ann.refresh()).is_success
        secrets += _cookies(ann)
        wrong = {"name": "logged-ann", "password": "a wrong guess at it"}
        assert (await door.guest().http.post("/auth/sign-in", json=wrong)).status_code == 401
        secrets.append(wrong["password"])
        link = await resets.make_link("logged-ann", now=time.time())
        sent = {"token": link, "new_password": other}
        assert (await door.guest().http.post("/auth/reset", json=sent)).is_success
        secrets.append(link)
        back = door.guest()
        signed_in = await back.http.post(
            "/auth/sign-in", json={"name": "logged-ann", "password": other}
        )
        secrets += [signed_in.json()["token"], *_cookies(back)]
        socket = await back.socket("token-of-a-logged-page")
        await door.settle(socket)
        await socket.close()
        exported = (await back.http.get("/auth/export")).text
        assert (await back.http.post("/auth/sign-out")).is_success
    assert heard.lines
    _hold_none(heard, secrets)
    assert not [each for each in secrets if each in exported]


def _cookies(person: Any) -> list[str]:
    return [each.value for each in person.http.cookies.jar if len(each.value or "") > 20]


def _hold_none(heard: Heard, secrets: list[str]) -> None:
    found = [line for _, line in heard.lines for each in secrets if each in line]
    assert not found, found[0][:300]


async def test_a_secret_settings_value_is_in_no_log_answer_or_history(keys: Any):
    store = FailingStore(MemoryStore())
    async with Engine(store, scopes=("user",), key=Vault.new_key(), debounce=0.0) as engine:
        answers = await _hostile_and_good(engine, store, keys)
        steps = await engine.history.steps([_target()])
        document = await engine.export_document("user", "ana")
    told = json.dumps([answers, document], default=str) + repr(steps)
    assert "confirmed" in told
    assert "refused" in told
    assert VALUE not in told


async def _hostile_and_good(engine: Engine, store: FailingStore, keys: Any) -> list[Any]:
    app = Starlette(routes=operation_routes(lambda: engine, lambda _: "ana"))
    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient(transport=transport, base_url="http://film.example")
    answers: list[Any] = []
    with listening() as heard:
        for number, value in enumerate(
            (VALUE, [VALUE], {"a": VALUE}, VALUE * 10, VALUE + "\ud800", VALUE + "\0", f"{VALUE}2")
        ):
            if number == 0:
                store.commits.fail()
            sent = {"operations": [_operation(number, value)]}
            body = json.dumps(sent)
            answers.append((await client.post("/persistence/operations", content=body)).text)
        binding = await engine.open(keys, {"user": "ana"}, actor="ana")
        with pytest.raises(ValueError) as error:
            binding.update(api_key=VALUE * 10)
        answers += [str(error.value), repr(error.value), repr(binding.explain("kind"))]
    logged = [line for _, line in heard.lines if VALUE in line]
    assert not logged, logged[0]
    return answers


def _operation(number: int, value: Any) -> dict[str, Any]:
    return {
        "id": f"c.{number:08x}", "client": "c", "seq": number, "target": list(_target()),
        "field": "api_key", "kind": "set", "value": value, "base": 0,
    }  # fmt: skip


def _target() -> Any:
    return Target("user", "ana", "doors-keys")


def test_the_ear_hears_every_level():
    """The control: what is logged anywhere is heard, also at debug, and in a traceback."""
    with listening() as heard:
        logging.getLogger("persistence").debug("it says %s", VALUE)
        try:
            raise ValueError(VALUE)
        except ValueError:
            logging.getLogger("reflex").exception("failed")
    assert sum(VALUE in line for _, line in heard.lines) == 2


def _fits(value: str) -> str:
    if value:
        raise ValueError(f"{value} isn't a key")
    return value


Fitting = Annotated[str, pydantic.AfterValidator(_fits)]


async def test_what_cannot_be_read_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch):
    """What a migration raises and what an app's check says may hold the value."""

    def fails(old: dict[str, Any]) -> dict[str, Any]:
        return {"number": int(old["number"])}

    class Unread(Settings, tool="doors-unread", edit="user", version=2, migrations={1: fails}):
        number: int = setting(0)
        word: Fitting = setting("")
        api_key: Fitting = setting("", secret=True)

    monkeypatch.setitem(registry, "doors-unread", registry.pop("doors-unread"))
    key, at, store = Vault.new_key(), Target("user", "ana", "doors-unread"), MemoryStore()
    rows = [("number", f'"{VALUE}"', 1), ("word", f'"{VALUE}"', 2)]
    rows += [("api_key", Vault(key).encrypt(f'"{VALUE}"'), 2)]
    await store.open()
    await store.commit([
        Write(at, field, "set", text, 0, "ana", "user", 1.0, version=version,
              secret=field == "api_key")
        for field, text, version in rows
    ])  # fmt: skip
    with listening() as heard:
        async with Engine(store, scopes=("user",), key=key, debounce=0.0) as engine:
            binding = await engine.open(Unread, {"user": "ana"}, actor="ana")
            problems = dict(binding.layers[0].unreadable)
            binding.update(number=1)
            await binding.flush()
            kept = await engine.quarantined("user", "ana")
    assert problems.keys() == {"number", "word", "api_key"}
    assert "ValueError" in problems["number"]
    assert VALUE not in problems["number"] + problems["api_key"]
    assert [each.field for each in kept] == ["number"]
    _hold_none(heard, [VALUE])
