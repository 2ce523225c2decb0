"""An app whose server is killed, ended and starved by the experiments, without a built page."""

import os

import reflex as rx

from persistence.reflex import PersistencePlugin

config = rx.Config(
    app_name="served",
    app_module_import="served",
    state_manager_mode="memory",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
    plugins=[
        PersistencePlugin(
            database=os.environ["DATABASE_URL"],
            scopes=("user", "shot"),
            owners="served:owners",
            identify="served:identify",
        )
    ],
)
