import os

import reflex as rx

from persistence.reflex import PersistencePlugin

config = rx.Config(
    app_name="notes",
    app_module_import="notes",
    state_manager_mode="memory",  # what must last is in our database
    telemetry_enabled=False,
    show_built_with_reflex=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
    plugins=[
        PersistencePlugin(
            database=os.environ.get("DATABASE_URL", "sqlite:///notes.db"), scopes=("user",)
        )
    ],
)
