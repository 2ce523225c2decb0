"""The history panel: what was changed, by whom, when, from what to what; compared and restored.

    history_panel(Travel, Ui)             # of the owners that the page shows, once on a page

- Filters by setting and by person, older steps on demand, live while it is open.
- Every step, and every field of one, can be brought back, with a preview of what changes.
- A moment gets a name here, and is compared and restored by it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import reflex as rx

from ..presentation import words_of
from .components import ui
from .history import HistoryState
from .history_words import ChangeRow, MomentRow, StepRow
from .panel.base import button, icon, icon_button
from .telling import Part
from .worddiff import Segment

_state: Any = HistoryState
NOT_TAKEN = "met another edit, not written"


def history_panel(*tools: Any, **props: Any) -> rx.Component:
    """The history of these `SettingsState`s, for the owners that the page shows.

    Once on a page. `props` go to the panel's section.
    """
    names = [tool.__tool__.tool for tool in tools]
    shown: Any = ui.Var.create("")
    for tool in tools:
        shown = shown + tool.target + "|"
    ready: Any = tools[0].ready
    for tool in tools[1:]:
        ready = ready & tool.ready
    return ui.el.section(
        _filters(tools),
        _moments(),
        _comparison(),
        ui.cond(
            _state.problem != "",
            ui.el.div(
                icon("alert"),
                ui.el.span(_state.problem),
                role="alert",
                class_name="persistence-note persistence-note-bad",
            ),
        ),
        ui.el.ol(
            ui.foreach(_state.steps.to(list[StepRow]), _step),
            class_name="persistence-steps",
            custom_attrs={"aria-busy": ui.cond(_state.is_loaded, "false", "true")},
        ),
        _end(),
        ui.el.button(
            type="button",
            hidden=True,
            on_click=_state.open(names),
            custom_attrs={"data-persistence-open-history": ""},
        ),
        custom_attrs={
            "data-persistence-history": ui.cond(ready, shown, ""),
            "data-persistence-done": _state.done,
        },
        **{
            "aria_label": "History",
            **props,
            "class_name": f"persistence-history {props.get('class_name', '')}".strip(),
        },
    )


# --- above the steps -----------------------------------------------------------------------------


def _filters(tools: tuple[Any, ...]) -> rx.Component:
    options: list[tuple[str, str]] = []
    for tool in tools:
        spec = tool.__tool__
        about = f"{spec.title or words_of(spec.tool)}: " if len(tools) > 1 else ""
        options += [
            (f"{spec.tool}.{name}", about + (each.title or name))
            for name, each in spec.fields.items()
        ]
    return ui.el.div(
        ui.el.label(
            ui.el.span("Setting"),
            ui.el.select(
                ui.el.option("All settings", value=""),
                *[ui.el.option(words, value=value) for value, words in options],
                value=_state.only_field,
                on_change=_state.filter_field,
            ),
        ),
        ui.el.label(
            ui.el.span("By"),
            ui.el.select(
                ui.el.option("Everybody", value=""),
                ui.foreach(_state.people.to(list[str]), _person),
                value=_state.only_person,
                on_change=_state.filter_person,
            ),
        ),
        class_name="persistence-history-filters",
    )


def _person(name: Any, position: Any) -> rx.Component:
    return ui.el.option(name, value=position.to_string())


def _place(place: Any) -> rx.Component:
    return ui.el.option(place[1], value=place[0])


def _moments() -> rx.Component:
    count = _state.moments.length()
    return ui.el.details(
        ui.el.summary(
            icon("chevron"),
            ui.el.span("Named moments"),
            ui.cond(count > 0, ui.el.span(count.to_string(), class_name="persistence-count")),
        ),
        ui.el.form(
            ui.el.label(
                ui.el.span("Name this moment"),
                ui.el.input(
                    name="name",
                    max_length=80,
                    placeholder="Before grading",
                    auto_complete="off",
                    custom_attrs={
                        "aria-describedby": "persistence-moment-problem",
                        "aria-invalid": ui.cond(_state.name_problem != "", "true", "false"),
                    },
                ),
            ),
            ui.el.label(
                ui.el.span("Of", class_name="persistence-sr"),
                ui.el.select(
                    ui.foreach(_state.places.to(list[list[str]]), _place),
                    name="scope",
                    aria_label="What it is a moment of",
                ),
            ),
            ui.el.button("Name it", type="submit", class_name="persistence-button"),
            ui.el.p(
                _state.name_problem,
                id="persistence-moment-problem",
                role="alert",
                class_name="persistence-history-problem",
            ),
            on_submit=_state.name_moment,
            reset_on_submit=False,  # a name that is refused stays, to be mended
            key="name-" + count.to_string(),
            class_name="persistence-history-name",
        ),
        ui.el.ul(
            ui.foreach(_state.moments.to(list[MomentRow]), _moment),
            class_name="persistence-moments",
        ),
        class_name="persistence-history-moments",
    )


def _moment(moment: Any) -> rx.Component:
    number, name = moment["number"].to(int), moment["name"]
    return ui.el.li(
        ui.el.div(
            ui.el.strong(name),
            ui.el.small(moment["where"], " · ", moment["author"], " · ", _time(moment["at"])),
        ),
        ui.el.div(
            icon_button(
                "compare",
                "Compare “" + name + "” with now",
                on_click=_state.compare_moment(number),
            ),
            ui.cond(
                moment["can_edit"],
                ui.fragment(
                    icon_button(
                        "undo", "Restore “" + name + "”", on_click=_state.restore_moment(number)
                    ),
                    ui.cond(
                        moment["asking"],
                        button("Delete it?", on_click=_state.remove_moment(number)),
                        icon_button(
                            "remove", "Delete “" + name + "”", on_click=_state.remove_moment(number)
                        ),
                    ),
                ),
            ),
        ),
        key=name,
    )


def _comparison() -> rx.Component:
    compared: Any = _state.compared
    changes = compared["changes"].to(list[ChangeRow])
    return ui.cond(
        compared["is_open"],
        ui.el.section(
            ui.el.header(
                ui.el.h3(
                    "From ",
                    ui.cond(compared["name"] != "", compared["name"], _time(compared["at"])),
                    " to ",
                    ui.cond(
                        compared["until_at"].to(float) == 0,
                        "now",
                        ui.cond(
                            compared["until"] != "",
                            compared["until"],
                            _time(compared["until_at"]),
                        ),
                    ),
                ),
                icon_button("remove", "End comparing", on_click=_state.end_comparing),
            ),
            ui.el.p(
                "Compare another step or moment to see what changed up to there.",
                class_name="persistence-history-hint",
            ),
            ui.cond(
                changes.length() == 0,
                ui.el.p("Nothing is different."),
                ui.el.dl(ui.foreach(changes, _difference)),
            ),
            aria_label="Comparison",
            role="region",
            class_name="persistence-compared",
        ),
    )


def _difference(change: Any) -> rx.Component:
    return ui.el.div(_change_title(change), _parts(change))


# --- steps ---------------------------------------------------------------------------------------


def _step(step: Any) -> rx.Component:
    number = step["number"].to(int)
    return ui.el.li(
        ui.el.header(
            ui.el.strong(step["author"]),
            ui.match(
                step["verb"],
                ("undo", ui.el.span("undid", class_name="persistence-mark")),
                ("redo", ui.el.span("did again", class_name="persistence-mark")),
                ("conflict", ui.el.span(NOT_TAKEN, class_name="persistence-mark")),
                ui.fragment(),
            ),
            _time(step["at"]),
            ui.el.div(
                icon_button(
                    "compare", "Compare with now, from here", on_click=_state.compare(number)
                ),
                ui.cond(
                    step["can_restore"],
                    icon_button(
                        "undo", "Restore everything to here", on_click=_state.restore(number)
                    ),
                ),
                class_name="persistence-step-actions",
            ),
        ),
        ui.el.dl(ui.foreach(step["changes"].to(list[ChangeRow]), partial(_change, number))),
        ui.cond(
            step["more"].to(int) > 0,
            ui.el.p("and ", step["more"].to_string(), " more", class_name="persistence-step-more"),
        ),
        key=number.to_string(),
    )


def _change(number: Any, change: Any, at: Any) -> rx.Component:
    return ui.el.div(
        _change_title(change),
        _parts(change),
        ui.cond(
            change["can_restore"],
            ui.el.dd(
                icon_button(
                    "reset",
                    "Restore “" + change["title"].to(str) + "”",
                    on_click=_state.restore_field(number, at),
                ),
                class_name="persistence-restore",
            ),
        ),
    )


def _change_title(change: Any) -> rx.Component:
    return ui.el.dt(change["title"], ui.el.small(change["where"]))


def _parts(change: Any) -> rx.Component:
    return ui.el.dd(ui.foreach(change["parts"].to(list[Part]), _part))


def _part(part: Any) -> rx.Component:
    segments = part["segments"].to(list[Segment])
    return ui.el.div(
        ui.cond(part["label"] != "", ui.el.span(part["label"], class_name="persistence-part-key")),
        ui.cond(
            segments.length() > 0,
            ui.el.span(ui.foreach(segments, _segment), class_name="persistence-diff"),
            ui.fragment(
                ui.cond(part["before"] != "", ui.el.del_(part["before"])),
                ui.cond(
                    part["before"] != "",
                    ui.el.span("→", aria_label="became", role="img"),
                ),
                ui.el.ins(part["after"]),
            ),
        ),
    )


def _segment(segment: Any) -> rx.Component:
    return ui.match(
        segment["kind"],
        ("del", ui.el.del_(segment["text"])),
        ("ins", ui.el.ins(segment["text"])),
        ui.el.span(segment["text"]),
    )


def _end() -> rx.Component:
    """More, or where it begins, or that there is nothing."""
    begins = _state.begins.to(float)
    return ui.el.footer(
        ui.cond(_state.has_more, button("Load more", on_click=_state.load_more)),
        ui.cond(
            begins >= 0,
            ui.el.p(
                "History begins ",
                ui.cond(begins > 0, _time(_state.begins), "here"),
                ". What was changed before isn't kept.",
            ),
        ),
        ui.cond(
            _state.is_loaded & (_state.steps.length() == 0) & ~_state.has_more & (begins < 0),
            ui.el.p("Nothing was changed yet."),
        ),
        class_name="persistence-history-end",
    )


def _time(at: Any) -> rx.Component:
    """In the browser's own time; `assets/panel.js` fills it in."""
    return ui.el.time(custom_attrs={"data-persistence-at": at.to_string()})
