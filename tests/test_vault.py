"""Secrets: nothing is readable without the app's key, and keys can be changed."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from persistence.errors import DeclarationError
from persistence.vault import Vault

pytest.importorskip("cryptography")


def tool(*, secret: bool) -> Any:
    return SimpleNamespace(
        tool="access", fields={"token": SimpleNamespace(name="token", secret=secret)}
    )


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)


def test_a_text_comes_back_and_stands_nowhere() -> None:
    vault = Vault(Vault.new_key())
    sealed = vault.encrypt('"påssword"')
    assert vault.decrypt(sealed) == '"påssword"'
    assert "ssword" not in sealed
    assert sealed.isascii()


def test_equal_secrets_cant_be_told() -> None:
    vault = Vault(Vault.new_key())
    assert vault.encrypt('"a"') != vault.encrypt('"a"')


def test_the_first_key_encrypts_and_each_decrypts() -> None:
    old, new = Vault.new_key(), Vault.new_key()
    before = Vault(old).encrypt('"a"')
    both = Vault(f"{new}, {old}")
    assert both.decrypt(before) == '"a"'
    assert Vault(new).decrypt(both.encrypt('"b"')) == '"b"'
    with pytest.raises(ValueError, match="none of the keys opens this secret"):
        Vault(new).decrypt(before)


@pytest.mark.parametrize("damaged", ["", "nonsense", "é", "gAAAA" * 20])
def test_what_isnt_a_secret_is_unreadable_and_not_shown(damaged: str) -> None:
    with pytest.raises(ValueError, match="none of the keys") as caught:
        Vault(Vault.new_key()).decrypt(damaged)
    assert not damaged or damaged not in str(caught.value)


@pytest.mark.parametrize("key", ["short", "x" * 44, "é" * 44, "a" * 43 + "="])
def test_a_wrong_key_is_refused_with_a_hint_and_not_shown(key: str) -> None:
    good = Vault.new_key()
    if key == "a" * 43 + "=":
        assert Vault(key).is_open  # 32 bytes, if not good ones
        return
    with pytest.raises(DeclarationError, match=r"key number 2 isn't 32 bytes.*new_key") as caught:
        Vault(f"{good},{key}")
    assert key not in str(caught.value)


@pytest.mark.parametrize("key", [None, "", " , "])
def test_without_a_key_only_secrets_are_refused(key: str | None) -> None:
    vault = Vault(key)
    assert not vault.is_open
    vault.require_for([tool(secret=False)])
    with pytest.raises(DeclarationError, match=r"access\.token: is secret.*Engine\(key=…\)"):
        vault.require_for([tool(secret=False), tool(secret=True)])
    with pytest.raises(DeclarationError, match="is secret"):
        vault.encrypt("x")
    with pytest.raises(ValueError, match="no key to open"):
        vault.decrypt("x")
    Vault(Vault.new_key()).require_for([tool(secret=True)])


@pytest.mark.usefixtures("no_package")
def test_without_the_package_only_secrets_are_refused() -> None:
    Vault(None).require_for([tool(secret=False)])
    with pytest.raises(DeclarationError, match=r"reflex-persistence\[secrets\]"):
        Vault("key")
    with pytest.raises(DeclarationError, match=r"reflex-persistence\[secrets\]"):
        Vault.new_key()
