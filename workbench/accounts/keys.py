"""The app's secret key, and what is signed with it.

A signature is for one purpose, so that what was signed for one can't be used for another.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path

KEY_FILE = Path(".secret_key")


def sign(purpose: str, text: str) -> str:
    """`text.signature`."""
    return f"{text}.{_signature(purpose, text)}"


def signed(purpose: str, value: str) -> str:
    """The text of a value that we signed for that purpose; "" for any other."""
    text, _, signature = value.rpartition(".")
    if not text or not value.isascii():
        return ""
    return text if hmac.compare_digest(signature, _signature(purpose, text)) else ""


def hash_of(text: str) -> str:
    """SHA-256 in hex: how secrets are stored, which have 128 random bits and need no salt."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _signature(purpose: str, text: str) -> str:
    return hmac.new(secret_key(), f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


@cache
def secret_key() -> bytes:
    """`SECRET_KEY`, or one that is made at the first run and kept beside the app."""
    if given := os.environ.get("SECRET_KEY"):
        return given.encode()
    if not KEY_FILE.exists():
        _keep_new_key()
    return KEY_FILE.read_text().strip().encode()


def _keep_new_key() -> None:
    """Whole or not at all, and only the first of several processes that start together."""
    draft = KEY_FILE.with_name(f"{KEY_FILE.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(secrets.token_hex(32))
    try:
        os.link(draft, KEY_FILE)
    except FileExistsError:
        pass  # another one was first
    finally:
        draft.unlink()
