"""A team's dashboard: an organisation's defaults, a team's, one's own, and what is enforced."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from persistence import PermissionDenied
from persistence.reflex import PersistenceState, SettingsState, on_device, setting, settings_panel

el: Any = rx.el


class Dashboard(SettingsState, tool="dashboard", edit="user", title="What it shows"):
    """What the dashboard shows. The strongest layer that says something wins, field by field."""

    currency: rx.Field[Literal["EUR", "USD", "JPY"]] = setting("EUR", title="Currency")
    days: rx.Field[int] = setting(30, ge=1, le=365, title="Days", help="How far back it looks.")
    goal: rx.Field[int] = setting(
        100, ge=0, title="Monthly goal", scopes=("org", "team"), help="Not for one person alone."
    )
    tiles: rx.Field[dict[str, bool]] = setting(
        {"revenue": True, "visits": True}, merge=True, title="Tiles"
    )

    @rx.event
    async def enforce_currency(self):
        """What the administrator sees now, for all of the organisation."""
        try:
            await self.binding.enforce("currency", self.currency, scope="org", note="one ledger")
        except PermissionDenied as error:
            return rx.toast.error(error.problem)

    @rx.event
    async def relax_currency(self):
        try:
            await self.binding.relax("currency", scope="org")
        except PermissionDenied as error:
            return rx.toast.error(error.problem)


def enter(person: str) -> rx.Component:
    become = f"document.cookie = 'person={person}; path=/; samesite=lax'; location.reload()"
    return el.button(person.title(), on_click=rx.call_script(become), id=f"as-{person}")


def tile(name: str, value: Any) -> rx.Component:
    return rx.cond(
        Dashboard.tiles[name],
        el.article(el.h3(name.title()), el.p(value), id=f"tile-{name}"),
    )


def board() -> rx.Component:
    return el.section(
        el.h2("Last ", Dashboard.days, " days", id="heading"),
        tile("revenue", f"{Dashboard.goal} {Dashboard.currency}"),
        tile("visits", Dashboard.days * 7),
        aria_label="Board",
    )


def index() -> rx.Component:
    everything = el.div(
        board(),
        el.details(
            el.summary("Settings"),
            settings_panel(Dashboard),
            el.button("Enforce this currency", on_click=Dashboard.enforce_currency, id="enforce"),
            el.button("Let everybody choose", on_click=Dashboard.relax_currency, id="relax"),
            **on_device("settings.open", "open"),  # folded or not, on this screen
            id="settings",
        ),
    )
    return el.main(
        el.nav(*[enter(person) for person in ("ana", "ben", "cho")], id="people"),
        el.p("Signed in: ", PersistenceState.actor, id="actor"),
        rx.cond(Dashboard.ready, everything, el.p("Choose who you are.")),
    )


app = rx.App(stylesheets=["/dashboard.css"])
app.add_page(index, route="/", title="Dashboard")
