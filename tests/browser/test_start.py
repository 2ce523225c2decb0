"""The first visit in a real browser: the sample film, the first steps, and the list of shots."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from servers import Server


@pytest.fixture
def film(workbench: Server, page: Page) -> Page:
    """On the sample project's page, made a moment ago; high enough for all first steps."""
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(workbench.url)
    page.get_by_role("button", name="Start with the sample").click()
    expect(page.locator(".card")).to_have_count(14)
    return page


def coach(page: Page) -> Locator:
    return page.get_by_role("region", name="Getting started")


def step(page: Page, title: str) -> Locator:
    return coach(page).get_by_role("listitem").filter(has_text=title)


def open_shot(page: Page, name: str) -> None:
    page.locator("#sidebar").get_by_role("link", name=name).click()
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator("[data-persistence=prompt]")).to_be_enabled()


def test_the_first_visit_offers_a_film_that_is_made_at_once_and_only_once(
    film: Page, workbench: Server
):
    expect(film.locator("h1")).to_have_text("The Last Ferry")
    expect(film.locator(".card").first).to_contain_text("Aerial wide, 24 mm")
    address = film.url
    film.goto(workbench.url)
    expect(film.locator(".card")).to_have_count(1)
    expect(film.get_by_text("Add the sample")).to_have_count(0)
    film.get_by_role("link", name="Continue with The Last Ferry").click()
    expect(film).to_have_url(address)
    expect(film.locator(".card")).to_have_count(14)


def test_the_film_can_be_deleted_and_asked_for_again(film: Page, workbench: Server):
    film.goto(workbench.url)
    film.get_by_label("Actions for The Last Ferry").click()
    film.get_by_role("button", name="Delete").click()
    film.get_by_role("button", name="Start with the sample").click()
    expect(film.locator("h1")).to_have_text("The Last Ferry")
    expect(film.locator(".card")).to_have_count(14)


def test_who_begins_without_the_film_finds_it_below_their_own_projects(
    workbench: Server, page: Page
):
    page.goto(workbench.url)
    page.get_by_role("button", name="New project").click()
    page.get_by_label("Name of the new project").fill("Mine")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Mine")
    page.goto(workbench.url)
    page.get_by_role("button", name="Add the sample").click()
    expect(page.locator("h1")).to_have_text("The Last Ferry")


def test_a_step_completes_itself_when_the_thing_was_done_and_stays_so_after_a_reload(film: Page):
    expect(coach(film)).to_contain_text("0 of 5")
    open_shot(film, "One ticket")
    film.locator("[data-persistence=prompt]").fill("Two-shot through the glass")
    expect(step(film, "Write a prompt")).to_have_attribute("data-state", "done")
    expect(step(film, "Set something for the project")).to_have_attribute("aria-current", "step")
    film.reload()
    expect(coach(film)).to_contain_text("1 of 5")
    expect(step(film, "Write a prompt")).to_have_attribute("data-state", "done")


def test_the_coach_points_at_what_a_step_is_about_by_keyboard_too(film: Page):
    open_shot(film, "One ticket")
    show = coach(film).get_by_role("button", name="Show me")
    show.focus()
    film.keyboard.press("Enter")
    expect(film.locator("[data-persistence=prompt]")).to_be_focused()


def test_the_first_steps_can_be_put_away_opened_again_skipped_and_started_anew(film: Page):
    coach(film).get_by_role("button", name="Put the first steps away").click()
    expect(coach(film).get_by_role("listitem")).to_have_count(0)
    film.reload()
    again = coach(film).get_by_role("button", name=re.compile("Getting started"))
    again.click()
    expect(coach(film).get_by_role("listitem")).to_have_count(5)
    for title in ("Write a prompt", "Set something", "Pin", "Take something back", "Look into"):
        coach(film).get_by_role("button", name=f"Skip “{title}").click()
    expect(coach(film)).to_contain_text("That’s the cascade")
    coach(film).get_by_role("button", name="Start again").click()
    expect(step(film, "Write a prompt")).to_have_attribute("aria-current", "step")


def test_on_a_phone_the_next_step_stands_above_the_page(workbench: Server, context):
    phone = context(viewport={"width": 390, "height": 844}, has_touch=True).new_page()
    phone.goto(workbench.url)
    phone.get_by_role("button", name="Start with the sample").click()
    expect(phone.locator(".card")).to_have_count(14)
    strip = phone.locator(".coach-strip")
    expect(strip).to_contain_text("Write a prompt")
    strip.locator("summary").click()
    strip.get_by_role("link", name="Open the first shot").click()
    expect(phone.locator("h1")).to_have_text("The strait at dusk")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_a_shot_made_from_another_has_its_configuration_and_no_content(film: Page):
    film.get_by_label("Actions for The ramp lifts").click()
    film.locator(".card", has_text="The ramp lifts").get_by_role(
        "button", name="New from this shot"
    ).click()
    expect(film.locator("h1")).to_have_text("The ramp lifts 2")
    expect(film.locator("[data-persistence=prompt]")).to_have_value("")
    expect(film.locator("[data-persistence=accelerated_mode]")).to_be_checked()
    expect(film.locator("#sidebar nav ol li").nth(5)).to_contain_text("The ramp lifts 2")


def test_shots_are_put_into_another_order_by_dragging(film: Page):
    names = film.locator("a.card-name")
    cards = film.locator("[data-shot]")
    cards.nth(2).drag_to(cards.nth(0), target_position={"x": 10, "y": 40})
    expect(names.nth(0)).to_have_text("Marit unlocks the wheelhouse")
    cards.nth(0).drag_to(cards.nth(1), target_position={"x": 220, "y": 40})
    expect(names.nth(0)).to_have_text("The strait at dusk")
    expect(names.nth(1)).to_have_text("Marit unlocks the wheelhouse")
    film.reload()
    expect(names.nth(1)).to_have_text("Marit unlocks the wheelhouse")


def test_the_lists_follow_another_tab_of_the_same_browser(film: Page, workbench: Server):
    project = film.url
    home, shot = film.context.new_page(), film.context.new_page()
    home.goto(workbench.url)
    expect(home.locator("li.card")).to_contain_text("14 shots", timeout=15_000)
    shot.goto(project)
    open_shot(shot, "The horn")
    film.get_by_label("Actions for The horn").click()
    film.locator(".card", has_text="The horn").get_by_role("button", name="Delete").click()
    expect(shot.locator("#sidebar nav ol li")).to_have_count(13)
    expect(shot.locator("h1")).to_have_text("The horn")  # what is open stays
    home.get_by_label("Actions for The Last Ferry").click()
    home.get_by_role("button", name="Rename").click()
    home.get_by_label("Name of the project").fill("The last crossing")
    home.keyboard.press("Enter")
    expect(film.locator("h1")).to_have_text("The last crossing")


def test_each_of_the_first_steps_is_done_on_a_shots_page(film: Page):
    open_shot(film, "One ticket")
    images = film.get_by_role("region", name="Image generation")
    images.locator("[data-persistence=images_per_prompt]:not([type=range])").fill("5")
    expect(step(film, "Set something for the project")).to_have_attribute("data-state", "done")
    images.get_by_role("button", name="This shot", exact=True).click()
    images.get_by_role("button", name="Quality: more").click()
    film.get_by_role("menuitem", name="Pin this value").click()
    expect(step(film, "Pin a value")).to_have_attribute("data-state", "done")
    images.get_by_role("button", name="where Quality comes from").click()
    expect(film.get_by_role("dialog", name="Quality")).to_be_visible()
    expect(step(film, "Look into a value’s story")).to_have_attribute("data-state", "done")
    film.keyboard.press("Escape")
    film.locator("[data-persistence=prompt]").fill("One ticket, punched by hand")
    expect(step(film, "Write a prompt")).to_have_attribute("data-state", "done")
    film.get_by_role("button", name="Undo: Prompt").click()
    expect(coach(film)).to_contain_text("5 of 5")
    expect(coach(film)).to_contain_text("That’s the cascade")
    expect(film.locator("[data-persistence=prompt]")).to_have_value(re.compile("^Two-shot"))


def test_the_history_stands_beside_the_page_and_gives_the_focus_back(film: Page):
    open_shot(film, "Two at the rail")
    opener = film.get_by_role("button", name="History", exact=True)
    opener.focus()
    film.keyboard.press("Enter")
    history = film.get_by_role("complementary", name="History")
    expect(history).to_contain_text("three-quarter")
    expect(film.get_by_role("button", name="Close the history")).to_be_focused()
    film.locator("[data-persistence=text_before]").fill("Wind, a halyard.")
    expect(history).to_contain_text("Wind, a halyard.")
    film.get_by_role("button", name="Close the history").focus()
    film.keyboard.press("Escape")
    expect(history.locator(".drawer")).to_have_count(0)
    expect(opener).to_be_focused()
