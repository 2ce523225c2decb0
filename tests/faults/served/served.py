"""One tool. Whose page it is says a cookie, as it comes: nobody but the experiments is let in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from persistence.reflex import SettingsState, bind, setting


class Worked(SettingsState, tool="faults-served", edit="shot"):
    one: rx.Field[str] = setting("", inherit=False, max_length=10_000)
    two: rx.Field[str] = setting("", inherit=False, max_length=10_000)
    three: rx.Field[str] = setting("", inherit=False, max_length=10_000)
    count: rx.Field[int] = setting(0, inherit=False)

    @rx.event
    def more(self) -> None:
        self.count += 1


def identify(headers: Mapping[str, str]) -> str:
    return headers.get("cookie", "").removeprefix("who=")


def owners(page: Any) -> dict[str, str]:
    return {"shot": page.params.get("shot", "s1")}


def index() -> rx.Component:
    return rx.vstack(rx.input(**bind(Worked.one)), rx.button("More", on_click=Worked.more))


app = rx.App()
app.add_page(index, route="/")
