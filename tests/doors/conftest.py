"""Each test has the whole app, and a database of its own."""

from __future__ import annotations

from tests.workbench.conftest import new_user, own_database

__all__ = ["new_user", "own_database"]
