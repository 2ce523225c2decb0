"""The app: its pages, its frame in the browser and what it answers over HTTP."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.accounts.life import watch_accounts
from workbench.onboarding import watch_first_steps
from workbench.pages.account import account
from workbench.pages.home import home
from workbench.pages.inspector import inspector
from workbench.pages.join import join
from workbench.pages.missing import missing
from workbench.pages.project import project
from workbench.pages.shot import shot
from workbench.pages.signing import bring, reset, sign_in, sign_up
from workbench.states.account import Account, Reset
from workbench.states.home import Home
from workbench.states.inspector import Inspector
from workbench.states.me import TellWho
from workbench.states.project import Project
from workbench.states.share import Join
from workbench.web import protect, routes

STYLES = [
    "tokens", "base", "layout", "controls", "lists", "shot", "start", "accounts", "inspector",
    "sharing",
]  # fmt: skip

app = rx.App(
    stylesheets=[f"/styles/{name}.css" for name in STYLES],
    head_components=[
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.link(
            rel="preload", href="/fonts/inter.woff2", type="font/woff2",
            custom_attrs={"as": "font", "crossOrigin": "anonymous"},
        ),
        rx.el.meta(name="theme-color", content="#f8f8fa", media="(prefers-color-scheme: light)"),
        rx.el.meta(name="theme-color", content="#141416", media="(prefers-color-scheme: dark)"),
        rx.el.script(src="/workbench.js", defer=True),
        rx.el.script(src="/accounts.js", defer=True),
        rx.el.script(src="/sharing.js", defer=True),
        rx.el.script(src="/again.js", defer=True),
    ],
    reset_style=False,
    api_transformer=[routes, protect],
)  # fmt: skip


def title_of(name: Any) -> rx.Var[str]:
    """What the browser's tab says; no name before it is known, or where there is nothing."""
    return rx.cond(Project.status == "ready", name + " · Workbench", "Workbench")


app.register_lifespan_task(watch_first_steps)
app.register_lifespan_task(watch_accounts)
app.add_middleware(TellWho())

del app.app_wraps[5, "Overlay"]  # Reflex's word for a lost connection; the shell has its own

app.add_page(home, route="/", title="Projects · Workbench", on_load=Home.load)
app.add_page(project, route="/p/[project_id]", title=title_of(Project.name), on_load=Project.load)
app.add_page(
    shot,
    route="/p/[project_id]/s/[shot_id]",
    title=title_of(Project.shot.name),
    on_load=Project.load,
)
app.add_page(account, route="/account", title="Account · Workbench", on_load=Account.load)
app.add_page(bring, route="/bring", title="Your guest’s work · Workbench", on_load=Account.load)
app.add_page(sign_in, route="/sign-in", title="Sign in · Workbench")
app.add_page(sign_up, route="/sign-up", title="Sign up · Workbench")
app.add_page(reset, route="/reset/[token]", title="New password · Workbench", on_load=Reset.load)
app.add_page(join, route="/join/[token]", title="Invitation · Workbench", on_load=Join.load)
app.add_page(inspector, route="/inspector", title="Inspector · Workbench", on_load=Inspector.load)
app.add_page(missing, route="404", title="Not found · Workbench")
