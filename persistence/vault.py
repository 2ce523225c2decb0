"""Secret settings: their text as ciphertext, with a key of the app's. Used by the engine.

The key is Fernet's (AES-128-CBC with HMAC-SHA256), made by `Vault.new_key()`. Several, separated by
commas, let an app change it: the first encrypts, each decrypts. It needs the package's extra
`secrets`; without a secret setting neither key nor package is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .errors import DeclarationError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

    from .settings import ToolSpec

WHERE = "Engine(key=…)"
MAKE_ONE = "Make one with persistence.vault.Vault.new_key() and keep it as you keep passwords."


class Vault:
    """Encrypts and decrypts texts.

    - The first key encrypts, each of them decrypts.
    - The same text encrypts differently each time, so that equal secrets can't be told.
    - Neither texts nor keys stand in any message.
    """

    def __init__(self, key: str | None = None) -> None:
        """Raises DeclarationError where a key isn't one, or the package is missing."""
        keys = [each.strip() for each in (key or "").split(",") if each.strip()]
        self._fernet = _fernet(keys) if keys else None

    @staticmethod
    def new_key() -> str:
        """A new random key, 44 characters."""
        try:
            from cryptography.fernet import Fernet
        except ImportError:
            raise _no_package("Vault.new_key()") from None
        return Fernet.generate_key().decode()

    @property
    def is_open(self) -> bool:
        """Whether there is a key."""
        return self._fernet is not None

    def require_for(self, tools: Iterable[ToolSpec]) -> None:
        """Raises DeclarationError where one of the tools has a secret and there is no key."""
        if self.is_open:
            return
        for tool in tools:
            for spec in tool.fields.values():
                if spec.secret:
                    raise _no_key(f"{tool.tool}.{spec.name}")

    def encrypt(self, text: str) -> str:
        """Raises DeclarationError without a key."""
        if self._fernet is None:
            raise _no_key("a secret setting")
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, text: str) -> str:
        """Raises ValueError for what none of the keys opens, or where there is none."""
        if self._fernet is None:
            raise ValueError("there is no key to open this secret with")
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(text).decode()
        except (InvalidToken, ValueError):
            raise ValueError("none of the keys opens this secret, or it is damaged") from None


def is_ciphertext(text: str) -> bool:
    """Does it look like what a vault has encrypted? No JSON begins so."""
    return text.startswith("gAAAAA")  # the version's byte, and a time before the year 2106


def _fernet(keys: list[str]) -> MultiFernet:
    try:
        from cryptography.fernet import Fernet, MultiFernet
    except ImportError:
        raise _no_package(WHERE) from None
    made: list[Fernet] = []
    for number, key in enumerate(keys, start=1):
        try:
            made.append(Fernet(key))
        except ValueError:
            problem = f"key number {number} isn't 32 bytes in URL-safe base64"
            raise DeclarationError(WHERE, problem, hint=MAKE_ONE) from None
    return MultiFernet(made)


def _no_key(where: str) -> DeclarationError:
    problem = "is secret, and the engine has no key to encrypt it with"
    return DeclarationError(where, problem, hint=f"Give it {WHERE}. {MAKE_ONE}")


def _no_package(where: str) -> DeclarationError:
    return DeclarationError(
        where,
        "secrets need the package `cryptography`",
        hint='Install the extra: pip install "reflex-persistence[secrets]".',
    )
