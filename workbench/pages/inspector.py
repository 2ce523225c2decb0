"""`/inspector`: the whole layer stack of any tool, for oneself, a project or a shot."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.vars import VarData

from workbench.components.base import button, icon, link
from workbench.components.lists import away, cookies_blocked, empty, not_found
from workbench.components.shell import shell, skeleton, trail
from workbench.components.sidebar import home_sidebar
from workbench.states.inspector import Inspector


def inspector() -> rx.Component:
    return shell(
        rx.el.div(
            rx.match(
                _status(),
                ("ready", rx.fragment(_head(), _body())),
                ("missing", not_found()),
                ("away", away(Inspector, Inspector.load)),
                ("blocked", cookies_blocked()),
                rx.fragment(skeleton("title", "lead"), skeleton("panel")),
            ),
            class_name="page page-inspector",
        ),
        trail=trail(link("Projects", to="/"), rx.el.span("Inspector", class_name="trail-here")),
        sidebar=home_sidebar(),
    )


def _status() -> rx.Var[str]:
    """Loading until what the server has is what the address asks for. From one setting to another
    of the same stack the table stays."""
    is_known = (Inspector.status != "ready") | (_asked() == Inspector.address_of_stack)
    return rx.cond(is_known, Inspector.status, "loading")


def _asked() -> rx.Var[str]:
    """The stack that the browser's address asks for at this moment."""
    return rx.Var(
        "['tool', 'project', 'shot'].map((each) => "
        "new URLSearchParams(useLocationInspector.search).get(each) ?? '').join(' ')",
        _var_type=str,
        _var_data=VarData(
            imports={"react-router": [rx.ImportVar(tag="useLocation")]},
            hooks={"const useLocationInspector = useLocation();": None},
        ),
    ).to(str)


def _head() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h1("Inspector"),
            rx.el.p(
                "What every layer says, who wins, and what would be without one of them.",
                class_name="lead",
            ),
        ),
        rx.el.div(
            _picker(
                "Tool",
                rx.foreach(
                    Inspector.tools, lambda each: rx.cond(each.is_here, rx.el.span(each.name))
                ),
                rx.el.ul(rx.foreach(Inspector.tools, _choice), class_name="picker-list"),
            ),
            _picker(
                "Of",
                rx.el.span(
                    rx.el.bdi(Inspector.entity),
                    rx.cond(
                        Inspector.place != "You",
                        rx.el.span(Inspector.place, class_name="picker-place"),
                    ),
                ),
                rx.el.input(
                    type="search",
                    default_value="",
                    placeholder="Find a project or shot",
                    aria_label="Find a project or shot",
                    auto_complete="off",
                    class_name="input",
                    on_change=Inspector.find.debounce(120),
                ),
                rx.cond(
                    Inspector.found.length() > 0,
                    rx.el.ul(rx.foreach(Inspector.found, _choice), class_name="picker-list"),
                    rx.el.p("Nothing of yours is called so.", class_name="meta picker-none"),
                ),
            ),
            class_name="pickers",
        ),
        class_name="page-head",
    )


def _picker(label: str, chosen: rx.Component, *content: rx.Component) -> rx.Component:
    """A button that opens a list to choose from; closes by itself (workbench.js)."""
    return rx.el.details(
        rx.el.summary(
            rx.el.span(label, class_name="picker-label"),
            rx.el.span(chosen, class_name="picker-chosen"),
            icon("chevrons-up-down", size=14),
            class_name="picker-button",
        ),
        rx.el.div(*content, class_name="picker-pop"),
        class_name="menu picker",
    )


def _choice(each: Any) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(each.name, class_name="picker-name", dir="auto"),
            rx.el.span(each.detail, class_name="meta"),
            rx.cond(each.is_here, icon("check", size=14)),
            to=each.href,
            class_name="picker-item",
            aria_current=rx.cond(each.is_here, "true", "false"),
        ),
        key=each.href,
    )


def _body() -> rx.Component:
    return rx.fragment(
        _tools(),
        rx.el.div(
            rx.cond(Inspector.lines.length() > 0, _table(), _nothing()),
            rx.cond(Inspector.field != "", _story()),
            class_name=rx.cond(Inspector.field != "", "inspector-body has-story", "inspector-body"),
        ),
    )


def _tools() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            icon("search", size=14),
            rx.el.input(
                type="search",
                default_value=Inspector.search,
                key=Inspector.tool,
                placeholder="Search settings and values",
                aria_label="Search settings and values",
                auto_complete="off",
                class_name="input",
                on_change=Inspector.look_for.debounce(120),
            ),
            class_name="search-field",
        ),
        rx.el.button(
            "Only what is set",
            type="button",
            on_click=Inspector.toggle_only_set,
            aria_pressed=rx.cond(Inspector.only_set, "true", "false"),
            class_name="chip",
        ),
        rx.el.div(
            rx.el.span("Mute", class_name="meta", id="mute-label"),
            rx.foreach(Inspector.heads, _mute),
            role="group",
            aria_labelledby="mute-label",
            class_name="mutes",
        ),
        rx.el.span(
            Inspector.lines.length(), " of ", Inspector.count, " settings",
            class_name="meta inspector-count", role="status",
        ),
        class_name="inspector-tools",
    )  # fmt: skip


def _mute(head: Any) -> rx.Component:
    """As if this layer said nothing: only looked at, nothing is changed."""
    return rx.el.button(
        rx.cond(head.muted, icon("eye-off", size=14), icon("eye", size=14)),
        head.place,
        type="button",
        on_click=Inspector.toggle_mute(head.scope),
        aria_pressed=rx.cond(head.muted, "true", "false"),
        title="Show what would be without this layer",
        class_name="chip",
        custom_attrs={"data-scope": head.scope},
        key=head.scope,
    )


def _table() -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("Setting", scope="col", role="columnheader"),
                    rx.el.th("Default", scope="col", role="columnheader"),
                    rx.foreach(Inspector.heads, _column),
                    rx.el.th(
                        rx.cond(Inspector.muted.length() > 0, "Would be", "Effective"),
                        scope="col",
                        role="columnheader",
                    ),
                    role="row",
                ),
                role="rowgroup",
            ),
            rx.el.tbody(rx.foreach(Inspector.lines, _line), role="rowgroup"),
            role="table",
            aria_label="The layers of " + Inspector.tool,
            class_name="stack",
        ),
        role="region",
        aria_label="Layers",
        tab_index=0,
        class_name="stack-scroll",
    )


def _column(head: Any) -> rx.Component:
    return rx.el.th(
        rx.el.span(head.place, class_name="stack-place"),
        rx.cond(head.scope != "user", rx.el.span(head.name, class_name="stack-owner", dir="auto")),
        rx.cond(head.muted, rx.el.span("muted", class_name="mark")),
        scope="col",
        role="columnheader",
        custom_attrs={"data-scope": head.scope, "data-muted": head.muted.to_string()},
    )


def _line(line: Any) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            link(
                line.title,
                to=line.href,
                prevent_scroll_reset=True,
                aria_current=rx.cond(line.field == Inspector.field, "true", "false"),
                class_name="stack-name",
            ),
            rx.el.code(line.field),
            scope="row",
            role="rowheader",
        ),
        rx.el.td(
            rx.el.span(
                line.default,
                class_name="stack-value",
                dir="auto",
                custom_attrs={
                    "data-state": rx.cond(line.origin == "default", "wins", "shadowed")
                },
            ),
            role="cell",
            custom_attrs={"data-label": "Default", "data-scope": "default"},
        ),
        rx.foreach(line.cells, _cell),
        rx.el.td(
            rx.el.span(line.value, class_name="stack-value stack-effective", dir="auto"),
            rx.el.span(
                rx.el.span(line.place, class_name="stack-place"),
                class_name="stack-from",
                custom_attrs={"data-scope": line.origin},
            ),
            rx.cond(line.policy, rx.el.span(icon("lock", size=12), "policy", class_name="mark")),
            rx.cond(line.would, rx.el.span("changes", class_name="mark mark-would")),
            role="cell",
            custom_attrs={"data-label": rx.cond(Inspector.muted.length() > 0, "Would be",
                                                "Effective"),
                          "data-would": line.would.to_string()},
        ),
        role="row",
        key=line.field,
        custom_attrs={"data-field": line.field,
                      "data-chosen": (line.field == Inspector.field).to_string()},
    )  # fmt: skip


def _cell(cell: Any) -> rx.Component:
    return rx.el.td(
        rx.cond(
            cell.state == "unset",
            rx.el.span("says nothing", class_name="sr-only"),
            rx.el.div(
                rx.cond(
                    (cell.state == "wins") | (cell.state == "blocks"),
                    rx.el.span(
                        icon("check", size=13),
                        rx.el.span("wins: ", class_name="sr-only"),
                        class_name="stack-wins",
                    ),
                ),
                rx.el.div(
                    rx.cond(
                        cell.text != "",
                        rx.el.span(
                            cell.text,
                            class_name="stack-value",
                            dir="auto",
                            custom_attrs={"data-state": cell.state},
                        ),
                    ),
                    rx.match(
                        cell.state,
                        ("shadowed", rx.el.span(" (shadowed)", class_name="sr-only")),
                        ("muted", rx.el.span(" (muted)", class_name="sr-only")),
                        rx.fragment(),
                    ),
                    rx.match(
                        cell.mark,
                        ("pinned", _mark("pin", "pinned")),
                        ("policy", _mark("lock", "policy")),
                        ("blocked", _mark("ban", "blocked")),
                        rx.fragment(),
                    ),
                    rx.cond(cell.pending, rx.el.span("not saved yet", class_name="mark")),
                ),
                class_name="stack-cell",
            ),
        ),
        role="cell",
        key=cell.scope,
        custom_attrs={
            "data-label": cell.place,
            "data-scope": cell.scope,
            "data-state": cell.state,
        },
    )  # fmt: skip


def _mark(name: str, text: str) -> rx.Component:
    return rx.el.span(icon(name, size=12), text, class_name="mark")


def _nothing() -> rx.Component:
    return rx.cond(
        Inspector.search != "",
        empty(
            "search-x",
            "Nothing fits",
            "No setting of this tool and no value of it contains what you search for.",
        ),
        rx.cond(
            Inspector.only_set,
            empty(
                "layers",
                "Nothing is set here",
                "Every setting of this tool has its default. Set one, and it shows up at once.",
                button("Show all settings", on_click=Inspector.toggle_only_set),
            ),
            empty("layers", "This tool has no settings here", "Nothing is stored of it any more."),
        ),
    )


def _story() -> rx.Component:
    """One setting: what each layer says, who wrote it when, and what was before."""
    return rx.el.aside(
        rx.el.div(
            rx.el.h2(Inspector.chosen.title),
            link(
                icon("x"),
                to=Inspector.closed_href,
                prevent_scroll_reset=True,
                aria_label="Close",
                title="Close",
                class_name="icon-button",
            ),
            class_name="story-head",
        ),
        rx.cond(Inspector.chosen.help != "", rx.el.p(Inspector.chosen.help, class_name="lead")),
        rx.el.div(
            Inspector.chosen.whole,
            role="region",
            aria_label="Value",
            tab_index=0,
            class_name="story-value",
            dir="auto",
        ),
        rx.el.ol(rx.foreach(Inspector.story, _says), class_name="story-layers"),
        rx.el.h3("History"),
        rx.cond(
            Inspector.past.length() > 0,
            rx.el.ol(rx.foreach(Inspector.past, _past), class_name="story-past"),
            rx.el.p("Nobody has changed it yet.", class_name="meta"),
        ),
        rx.cond(Inspector.more_past, rx.el.p("There is more, further back.", class_name="meta")),
        aria_label="About the setting",
        class_name="story",
    )


def _says(each: Any) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(each.place, class_name="stack-place"),
            rx.cond(each.scope != "user", rx.el.bdi(each.owner, class_name="meta")),
        ),
        rx.cond(
            each.state == "unset",
            rx.el.span("Says nothing", class_name="meta"),
            rx.fragment(
                rx.el.div(
                    rx.cond(each.text != "", rx.el.span(
                        each.text, class_name="stack-value", dir="auto",
                        custom_attrs={"data-state": each.state},
                    )),
                    rx.cond(each.mark != "", rx.el.span(each.mark, class_name="mark")),
                ),
                rx.cond(each.note != "", rx.el.p("“", each.note, "”", class_name="meta")),
                rx.el.p(
                    rx.cond(each.author != "", each.author + ", ", ""), _time(each.at),
                    ", revision ", each.revision, class_name="meta",
                ),
            ),
        ),
        key=each.scope,
        custom_attrs={"data-scope": each.scope, "data-state": each.state},
    )  # fmt: skip


def _past(each: Any) -> rx.Component:
    return rx.el.li(
        rx.el.p(
            rx.el.span(each.before, class_name="past-before", dir="auto"),
            rx.el.span(" → ", aria_hidden=True),
            rx.el.span("became ", class_name="sr-only"),
            rx.el.span(each.after, class_name="past-after", dir="auto"),
        ),
        rx.el.p(
            each.place, " · ", each.author, " · ", _time(each.at),
            rx.cond(each.verb != "", rx.el.span(each.verb, class_name="mark")),
            class_name="meta",
        ),
        key=each.key,
        custom_attrs={"data-scope": each.scope},
    )  # fmt: skip


def _time(at: Any) -> rx.Component:
    """In the browser's own time (the library's script writes it)."""
    return rx.el.time(custom_attrs={"data-persistence-at": at.to_string()})
