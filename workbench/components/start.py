"""The first visit: start with the sample film, or with an empty project."""

from __future__ import annotations

import reflex as rx

from workbench.components.base import button, icon
from workbench.sample.film import read_film
from workbench.states.home import Home

FILM = read_film()


def first_choice() -> rx.Component:
    """In the place of a list that is still empty."""
    return rx.el.section(
        rx.el.h2("Start your first project"),
        rx.el.p(
            "A project holds the shots of a film. What you set for the project, every shot "
            "inherits, until you set it on the shot itself.",
            class_name="lead",
        ),
        rx.el.div(_sample(), _empty(), class_name="start-choices"),
        class_name="start",
    )


def _sample() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.span(*[rx.el.span() for _ in range(6)], class_name="strip"),
            rx.el.span(f"{len(FILM.shots)} shots", class_name="frame-number"),
            class_name="cover",
            aria_hidden=True,
            custom_attrs={"data-hue": "7"},
        ),
        rx.el.h3(FILM.title),
        rx.el.p(
            f"A short film in {len(FILM.shots)} shots: prompts, timing, and settings at every "
            "place they can be, to look around in and to change."
        ),
        rx.cond(
            Home.sample_steps > 0,
            _progress(),
            button("Start with the sample", kind="primary", on_click=Home.make_sample),
        ),
        class_name="start-choice",
    )


def _empty() -> rx.Component:
    return rx.el.div(
        rx.el.div(icon("plus", size=22), class_name="cover cover-empty", aria_hidden=True),
        rx.el.h3("An empty project"),
        rx.el.p("Nothing set yet. Name it, add shots, write their prompts."),
        button("New project", on_click=Home.start_creating, disabled=Home.sample_steps > 0),
        class_name="start-choice",
    )


def _progress() -> rx.Component:
    return rx.el.div(
        rx.el.progress(
            value=Home.sample_done.to_string(),
            max=Home.sample_steps.to_string(),
            aria_label="Making the sample film",
        ),
        rx.el.span(
            "Making it: ", Home.sample_done, " of ", Home.sample_steps, " steps", role="status"
        ),
        class_name="start-progress",
    )


def sample_offer() -> rx.Component:
    """For who began without it, below their own projects."""
    return rx.el.div(
        rx.cond(
            Home.sample_steps > 0,
            _progress(),
            rx.fragment(
                rx.el.span(
                    "Want something to try things on? The sample film has ",
                    f"{len(FILM.shots)} shots with settings at every place.",
                ),
                button("Add the sample", class_name="button-small", on_click=Home.make_sample),
            ),
        ),
        class_name="sample-offer",
    )
