"""The page's side of who is here: is this tab looked at, and who else looks at the same.

`assets/presence.js` tells when the tab is hidden and when it is looked at again, by a hidden
button. The answer carries the page's own number back: without it the script knows that the
connection is dead, though nobody has noticed yet, and has the page connect anew at once.
"""

from __future__ import annotations

from typing import Any, cast

import reflex as rx
from reflex.vars.function import FunctionStringVar

from . import _private as rx_
from .presence import Person
from .tabs import Tab, require_tabs

ui: Any = rx
"""Reflex's components by name: their signatures hold types that no checker knows."""


class PresenceState(rx.State):
    """One a tab."""

    here: rx.Field[dict[str, list[Person]]] = rx.field(default_factory=dict)
    """Scope → who else looks at the same owner of it; "" for the strongest that the page shows."""
    hidden: rx.Field[bool] = rx.field(False)
    """Does the server take this tab for hidden?"""
    answered: rx.Field[int] = rx.field(0)
    """The newest number that the page sent."""

    @rx.event
    def look(self, hidden: bool, number: int):
        """The tab was hidden, or is looked at again: then it is told what it missed."""
        from .following import run_due

        tabs, event = require_tabs(), rx_.current_event()
        tab = tabs.by_token.get(event.token) if event is not None else None
        if tab is None or type(hidden) is not bool or type(number) is not int:
            return
        self.hidden, self.answered = hidden, number
        if tab.is_hidden != hidden:
            tab.is_hidden = hidden
            tabs.presence.moved(tab)
        if not hidden:
            run_due(tabs, tab)

    @rx_.override
    def hear(self, tab: Tab) -> None:
        """Take over who is here."""
        here: dict[str, list[Person]] = {scope: [*told] for scope, told in tab.here.items() if told}
        strongest = next(
            (s for s in reversed(require_tabs().engine.scopes.names) if s in tab.owners), ""
        )
        if strongest in here:
            here[""] = here[strongest]
        if self.here != here:
            self.here = here


def presence_root() -> rx.Component:
    """What the script talks to. The plugin puts it into every page."""
    hidden: Any = cast(Any, FunctionStringVar.create("window.persistencePresence.hidden")).call()
    number: Any = cast(Any, FunctionStringVar.create("window.persistencePresence.number")).call()
    return ui.el.button(
        id="persistence-presence",
        type="button",
        hidden=True,
        tab_index=-1,
        on_click=cast(Any, PresenceState).look(hidden.to(bool), number.to(int)),
        custom_attrs={
            "aria-hidden": "true",
            "data-hidden": ui.cond(PresenceState.hidden, "true", "false"),
            "data-answered": PresenceState.answered.to_string(),
        },
    )


def whos_here(scope: str = "", *, most: int = 3, **props: Any) -> rx.Component:
    """Who else looks at the same now: initials in colours, with names on request. Nothing while
    nobody does.

    `scope` says the same what ("project": whoever shows any of it); if not given, the strongest
    that the page shows. Of more than `most` people only their number shows.
    """
    here: Any = PresenceState.here
    people = here[scope].to(list[Person])
    count = people.length()
    class_name = f"persistence-here {props.pop('class_name', '')}".strip()
    shown = ui.foreach(people[:most], _avatar)
    more = ui.cond(
        count > most, ui.el.span("+", count - most, class_name="persistence-avatar-more")
    )
    words = ui.cond(
        count == 1, people[0]["name"].to(str) + " is here", count.to_string() + " others are here"
    )
    return ui.cond(
        here.contains(scope),
        ui.el.details(
            ui.el.summary(
                ui.el.span(
                    shown,
                    more,
                    ui.el.span(count, class_name="persistence-avatar-more persistence-here-count"),
                    class_name="persistence-avatars",
                    aria_hidden=True,
                    custom_attrs={"data-many": (count > 1).to_string()},
                ),
                ui.el.span(words, class_name="persistence-sr"),
                title=words,
            ),
            ui.el.ul(
                ui.foreach(people, _line),
                class_name="persistence-here-list",
                aria_label="Also here",
            ),
            class_name=class_name,
            **props,
        ),
    )


def _avatar(each: Any) -> rx.Component:
    return ui.el.span(
        each["initials"].to(str),
        class_name="persistence-avatar",
        custom_attrs={"data-hue": each["hue"].to_string(), "data-away": each["away"].to_string()},
        key=each["id"].to(str),
    )


def _line(each: Any) -> rx.Component:
    return ui.el.li(
        ui.el.span(_avatar(each), aria_hidden=True),
        ui.el.span(each["name"].to(str), class_name="persistence-here-name", dir="auto"),
        ui.cond(each["away"].bool(), ui.el.span("away", class_name="persistence-here-away")),
        key=each["id"].to(str),
    )
