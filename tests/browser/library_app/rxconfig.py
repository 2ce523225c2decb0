"""A small app on the library alone, for the browser tests. Its visitors are guests."""

import os
import sys
from pathlib import Path

os.environ.setdefault("REFLEX_USE_NPM", "1")
os.environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")
os.environ.setdefault("REFLEX_USE_GRANIAN", "1")
os.environ["PATH"] = str(Path(sys.prefix) / "bin") + os.pathsep + os.environ.get("PATH", "")

import reflex as rx
from library_app.stores import slow_store

from persistence.reflex import PersistencePlugin

config = rx.Config(
    app_name="library_app",
    telemetry_enabled=False,
    state_manager_mode="memory",
    show_built_with_reflex=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
    plugins=[
        PersistencePlugin(
            database=slow_store(os.environ.get("DATABASE_URL", "sqlite:///library_app.db")),
            scopes=("user", "project", "shot"),
            owners="library_app.pages:owners",
            describe="library_app.pages:describe",
            members="library_app.pages:members",
            scope_names={"user": "You", "shot": "This shot"},
            key="s_sOgmGJZ4Kg6Gj8Q2QasC2WAJTbx0qOHHT4-1fPws0=",  # a key of the tests alone
        )
    ],
)
