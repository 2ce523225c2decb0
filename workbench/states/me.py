"""Who one is, on every page: kept right by a look before each page load."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import reflex as rx
from reflex.middleware.middleware import Middleware

from persistence.reflex import current_actor
from workbench.accounts import people
from workbench.accounts.people import Person
from workbench.database import Unavailable

if TYPE_CHECKING:
    from reflex.app import App
    from reflex.state import BaseState, StateUpdate
    from reflex_base.event import Event

_LOADING = ("hydrate", "hydrate_and_load", "on_load_internal")


class Me(rx.State):
    kind: rx.Field[str] = rx.field("")
    """guest · account · "" before it is known, and for nobody."""
    name: rx.Field[str] = rx.field("")
    _actor: str = ""

    @rx.var
    def initial(self) -> str:
        return self.name[:1].upper()


class TellWho(Middleware):
    """Shows each tab who it is, whatever page it loads. Runs after the library's gate has asked."""

    async def preprocess(self, app: App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002  # Reflex calls it so
        actor = current_actor()
        me: Any = await state.get_state(Me)
        if me._actor != actor or event.name.rpartition(".")[2] in _LOADING:  # noqa: SLF001  # ours
            person = await _person(actor)
            if person is not None:
                me.kind, me.name, me._actor = person.kind, person.name, actor  # noqa: SLF001
        return None


async def _person(actor: str) -> Person | None:
    """None while the database is away: then what was known stays."""
    if not actor:
        return Person("", "gone")
    try:
        return await people.person(actor, now=time.time())
    except Unavailable:
        return None
