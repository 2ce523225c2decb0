import os

import reflex as rx

from persistence.reflex import PersistencePlugin

config = rx.Config(
    app_name="dashboard",
    app_module_import="dashboard",
    state_manager_mode="memory",  # what must last is in our database
    telemetry_enabled=False,
    show_built_with_reflex=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
    plugins=[
        PersistencePlugin(
            database=os.environ.get("DATABASE_URL", "sqlite:///dashboard.db"),
            scopes=("org", "team", "user"),  # weakest first
            identify="people:identify",
            authorise="people:authorise",
            owners="people:owners",
        )
    ],
)
