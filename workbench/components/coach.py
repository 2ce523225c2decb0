"""The coach: a quiet list of first steps in the sidebar, on a phone a strip above the page.

It never covers anything, it completes itself (`workbench.onboarding`), and it can be folded away,
opened again and started anew. `workbench.js` shows on the page what a step is about.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from workbench.components.base import button, here, icon, icon_button, link
from workbench.settings import Onboarding, Preferences
from workbench.states.project import Project
from workbench.steps import COACH, STEPS, Step


def coach() -> rx.Component:
    """In the sidebar: the list, or the one line that opens it again."""
    return rx.cond(
        Onboarding.ready,
        rx.el.section(
            rx.cond(_is_away(), _folded(), _opened()),
            rx.el.span(_count(), " steps done", class_name="sr-only", role="status"),
            rx.cond(~Onboarding.steps_completed.contains("history"), _looked()),
            class_name="coach",
            aria_label="Getting started",
        ),
    )


def _looked() -> rx.Component:
    """Pressed by `workbench.js` when a value’s story is opened."""
    return rx.el.button(
        id="looked", type="button", hidden=True, tab_index=-1, on_click=Onboarding.look
    )


def coach_strip() -> rx.Component:
    """On a phone, where the sidebar is out of sight: the next step, and the list behind it."""
    return rx.cond(
        Onboarding.ready & ~_is_away(),
        rx.el.details(
            rx.el.summary(
                _ring(),
                rx.el.span(_next_title(), class_name="coach-title"),
                rx.el.span(_count(), class_name="coach-count"),
                icon("chevron-down"),
                class_name="coach-summary",
            ),
            _body(),
            class_name="coach-strip",
            aria_label="Getting started",
        ),
    )


def _is_away() -> rx.Var[bool]:
    return Onboarding.dismissed_tips.contains(COACH)


def _next_title() -> Any:
    titles = {number: step.title for number, step in enumerate(STEPS, 1)}
    first = rx.cond(Onboarding.completed, "You know the cascade", STEPS[0].title)
    return rx.match(Onboarding.current_step, *titles.items(), first)


def _count() -> rx.Var[str]:
    return Onboarding.steps_completed.length().to_string() + f" of {len(STEPS)}"


def _folded() -> rx.Component:
    return rx.el.button(
        _ring(),
        rx.el.span("Getting started", class_name="nav-text"),
        rx.el.span(_count(), class_name="nav-count"),
        type="button",
        on_click=Onboarding.resume,
        class_name="nav-item coach-folded",
    )


def _opened() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            _ring(),
            rx.el.h2("Getting started", class_name="coach-title"),
            rx.el.span(_count(), class_name="coach-count"),
            icon_button("chevron-down", "Put the first steps away", on_click=Onboarding.put_away),
            class_name="coach-head",
        ),
        _body(),
    )


def _body() -> rx.Component:
    return rx.cond(
        Onboarding.completed,
        rx.el.div(
            rx.el.p("That’s the cascade: set once, inherited everywhere, yours to override."),
            rx.el.div(
                button(
                    "Start again",
                    kind="quiet",
                    class_name="button-small",
                    on_click=Onboarding.restart,
                ),
                button("Close", class_name="button-small", on_click=Onboarding.put_away),
                class_name="coach-actions",
            ),
            class_name="coach-text",
        ),
        rx.el.ol(
            *[_step(number, step) for number, step in enumerate(STEPS, 1)], class_name="coach-steps"
        ),
    )


def _step(number: int, step: Step) -> rx.Component:
    is_done = Onboarding.steps_completed.contains(step.id)
    is_skipped = Onboarding.dismissed_tips.contains(step.id)
    is_next = Onboarding.current_step == number
    is_first = (Onboarding.current_step == 0) & ~Onboarding.completed & (number == 1)
    state = rx.cond(is_done, "done", rx.cond(is_skipped, "skipped", "ahead"))
    return rx.el.li(
        rx.el.span(
            icon("check", size=11),
            class_name="coach-mark",
        ),
        rx.el.span(
            step.title,
            rx.el.span(
                rx.cond(is_done, ", done", rx.cond(is_skipped, ", skipped", "")),
                class_name="sr-only",
            ),
            class_name="coach-name",
        ),
        rx.cond(
            is_next | is_first,
            rx.el.div(
                rx.el.p(step.text),
                rx.el.div(
                    _show(step),
                    button(
                        "Skip",
                        kind="quiet",
                        class_name="button-small",
                        on_click=Onboarding.skip(step.id),
                        aria_label=f"Skip “{step.title}”",
                    ),
                    class_name="coach-actions",
                ),
                class_name="coach-text",
            ),
        ),
        custom_attrs={"data-state": state},
        aria_current=rx.cond(is_next | is_first, "step", "false"),
    )


def _show(step: Step) -> rx.Component:
    """On a shot’s page: point at it. Elsewhere: the way to a shot."""
    project, shots = Project.id, Project.shots
    return rx.cond(
        here().contains("/s/"),
        button("Show me", class_name="button-small", custom_attrs={"data-coach-show": step.shows}),
        rx.cond(
            (project != "") & here().contains(project) & (shots.length() > 0),
            _way("Open the first shot", shots[0].href),
            rx.cond(
                Preferences.last_opened_project_id != "",
                _way("Open a project", "/p/" + Preferences.last_opened_project_id),
            ),
        ),
    )


def _way(label: str, to: Any) -> rx.Component:
    return link(label, to=to, class_name="button button-plain button-small")


def _ring() -> rx.Component:
    """How far one is, as a ring of as many parts as there are steps."""
    done = Onboarding.steps_completed.length().to_string()
    return rx.el.svg(
        rx.el.svg.circle(cx="9", cy="9", r="7", class_name="coach-ring-all"),
        rx.el.svg.circle(
            cx="9", cy="9", r="7", path_length=len(STEPS), class_name="coach-ring-done",
            stroke_dasharray=done + f" {len(STEPS)}",
        ),
        view_box="0 0 18 18", width="16", height="16", class_name="coach-ring",
        custom_attrs={"aria-hidden": "true"},
    )  # fmt: skip
