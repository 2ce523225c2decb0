"""How Reflex builds and serves the workbench."""

import os
import sys
from pathlib import Path

# Before Reflex is imported: node comes from PyPI beside the interpreter, nothing calls home.
os.environ.setdefault("REFLEX_USE_NPM", "1")
os.environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")
os.environ.setdefault("REFLEX_USE_GRANIAN", "1")
os.environ["PATH"] = f"{Path(sys.prefix, 'bin')}{os.pathsep}{os.environ.get('PATH', '')}"

import reflex as rx

from persistence.reflex import PersistencePlugin

# In development the page comes from a port of its own, so from another origin than the server's.
# In production no other origin is let in. Reflex reads this file again once it knows which it is.
port = os.environ.get("REFLEX_FRONTEND_PORT", "3000")
proxies = int(os.environ.get("PROXIES") or 0)
own_pages = [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1")]

config = rx.Config(
    app_name="workbench",
    telemetry_enabled=False,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    show_built_with_reflex=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
    cors_allowed_origins=[] if os.environ.get("REFLEX_ENV_MODE") == "prod" else own_pages,
    trusted_proxy_hops=proxies,  # of whom a page's handlers see the address
    plugins=[
        PersistencePlugin(
            database=os.environ.get("DATABASE_URL") or "sqlite:///workbench.db",
            scopes=("user", "project", "shot"),
            identify="workbench.accounts:identify",
            authorise="workbench.accounts:authorise",
            scope_names={
                "default": "Default",
                "user": "You",
                "project": "Project",
                "shot": "This shot",
            },
            owners="workbench.accounts:owners",
            describe="workbench.directory:describe",
            members="workbench.directory:members",
            allowed_origins=[
                each for each in os.environ.get("ALLOWED_ORIGINS", "").split(",") if each
            ],
            rate_limit=float(os.environ.get("RATE_LIMIT") or 3_000) or None,
            proxies=proxies,
        )
    ],
)
