"""The inspector in a real browser: the whole stack, what would be, what was; linked and live."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from servers import Server


class Inspecting:
    """What somebody does who wants to know where a value comes from."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    def open(self, query: str = "") -> None:
        self.page.goto(f"{self.url}/inspector{query}")
        expect(self.page.get_by_role("heading", name="Inspector")).to_be_visible()

    def choose(self, label: str, name: str, *, search: str = "") -> None:
        """In one of the two pickers."""
        head = self.page.locator(".picker-label").get_by_text(label, exact=True)
        picker = self.page.locator("details.picker").filter(has=head)
        picker.locator("summary").click()
        if search:
            picker.get_by_role("searchbox").press_sequentially(search)
        picker.locator(".picker-item").filter(has_text=name).first.click()

    def row(self, field: str) -> Locator:
        return self.page.locator(f"tr[data-field={field}]")

    def says(self, field: str, scope: str) -> Locator:
        return self.row(field).locator(f"td[data-scope={scope}]")

    def effective(self, field: str) -> Locator:
        return self.row(field).locator(".stack-effective")


@pytest.fixture
def film(workbench: Server, page: Page) -> Inspecting:
    """With the sample film, whose settings stand at every scope."""
    page.goto(workbench.url)
    page.get_by_role("button", name="Start with the sample").click()
    page.wait_for_url(re.compile("/p/"), timeout=30_000)
    return Inspecting(page, workbench.url)


def open_first_shot(inspecting: Inspecting) -> str:
    """The inspector of the film's first shot, from its page. Returns the address."""
    page = inspecting.page
    page.locator("#sidebar ol a").first.click()
    expect(page.locator("textarea[data-persistence=prompt]")).not_to_have_value("")
    page.locator("#sidebar").get_by_role("link", name="Inspector").click()
    expect(page.get_by_role("heading", name="Inspector")).to_be_visible()
    expect(page.locator(".stack thead")).to_contain_text("Shot")
    return page.url


def test_it_shows_every_layer_of_a_shot_and_who_wins(film: Inspecting):
    open_first_shot(film)
    heads = film.page.locator(".stack thead th .stack-place")
    expect(heads).to_have_text(["You", "Project", "Shot"])
    expect(film.row("prompt")).to_be_visible()
    expect(film.says("prompt", "shot")).to_have_attribute("data-state", "wins")
    expect(film.row("prompt").locator(".stack-from")).to_have_text("Shot")
    film.choose("Tool", "Image generation")
    expect(film.page).to_have_url(re.compile("tool=image-generation"))
    expect(film.row("default_model")).to_be_visible()
    expect(film.page.locator(".stack thead")).to_contain_text("Project")


def test_an_entity_is_chosen_by_name_and_stands_in_the_address(film: Inspecting):
    film.open()
    expect(film.page.locator(".stack thead th .stack-place")).to_have_text(["You"])
    film.choose("Of", "Shot of", search="a")
    expect(film.page).to_have_url(re.compile("shot="))
    expect(film.page.locator(".stack thead th .stack-place")).to_have_text(
        ["You", "Project", "Shot"]
    )
    address, chosen = film.page.url, film.page.locator(".picker-chosen").nth(1).inner_text()
    film.page.goto(address)
    expect(film.page.locator(".picker-chosen").nth(1)).to_have_text(chosen)


def test_muting_a_layer_shows_what_would_be_and_changes_nothing(film: Inspecting):
    open_first_shot(film)
    before = film.effective("prompt").inner_text()
    assert before != "Empty"
    mute = film.page.get_by_role("group", name="Mute").get_by_role("button", name="Shot")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(film.effective("prompt")).to_have_text("Empty")
    expect(film.row("prompt")).to_contain_text("changes")
    expect(film.says("prompt", "shot")).to_have_attribute("data-state", "muted")
    expect(film.page.locator(".stack thead")).to_contain_text("Would be")
    mute.click()
    expect(film.effective("prompt")).to_have_text(before)
    expect(film.says("prompt", "shot")).to_have_attribute("data-state", "wins")


def test_rows_are_searched_by_name_and_value_and_narrowed_to_what_is_set(film: Inspecting):
    open_first_shot(film)
    rows = film.page.locator(".stack tbody tr")
    every = rows.count()
    film.page.get_by_label("Only what is set").or_(
        film.page.get_by_role("button", name="Only what is set")
    ).click()
    expect(film.page.locator(".inspector-count")).not_to_contain_text(f"{every} of")
    expect(film.row("prompt")).to_be_visible()
    search = film.page.get_by_role("searchbox", name="Search settings and values")
    word = film.effective("prompt").inner_text().split()[1]
    search.fill(word)
    expect(rows).to_have_count(1)
    search.fill("nothing is called so")
    expect(film.page.get_by_role("heading", name="Nothing fits")).to_be_visible()


def test_a_settings_story_and_history_stand_beside_it_and_can_be_linked(film: Inspecting):
    open_first_shot(film)
    film.row("prompt").get_by_role("link").click()
    expect(film.page).to_have_url(re.compile("field=prompt"))
    story = film.page.get_by_role("complementary", name="About the setting")
    expect(story.get_by_role("heading", name="Prompt")).to_be_visible()
    expect(story.locator(".story-past li")).to_have_count(1)
    expect(story.locator(".story-past li time").first).to_have_text(re.compile(r"\d"))
    expect(film.row("prompt")).to_have_attribute("data-chosen", "true")
    film.page.goto(film.page.url)
    expect(story).to_be_visible()
    story.get_by_role("link", name="Close").click()
    expect(story).to_have_count(0)


def test_it_follows_what_changes_elsewhere(film: Inspecting):
    address = open_first_shot(film)
    other = film.page.context.new_page()
    other.goto(address)
    expect(other.locator("tr[data-field=prompt]")).to_be_visible()
    film.page.go_back()
    prompt = film.page.locator("textarea[data-persistence=prompt]")
    expect(prompt).not_to_have_value("")
    expect(film.page.locator("[data-persistence-line]")).to_contain_text("Saved")
    prompt.fill("A gull above the wake")
    expect(other.locator("tr[data-field=prompt] .stack-effective")).to_have_text(
        "A gull above the wake"
    )


def test_foreign_and_missing_entities_answer_alike(film: Inspecting, context):
    address = open_first_shot(film)
    stranger = context().new_page()
    told = []
    for url in (address, re.sub(r"shot=.*", "shot=AAAAAAAAAAAAAAAAAAAAAA", address)):
        stranger.goto(url)
        expect(stranger.get_by_role("heading", name="There’s nothing here")).to_be_visible()
        told.append(stranger.locator("main").inner_text())
    assert told[0] == told[1]
    film.page.goto(f"{film.url}/inspector?tool=never-heard-of")
    expect(film.page.get_by_role("heading", name="There’s nothing here")).to_be_visible()


def test_on_a_phone_rows_are_cards_and_nothing_is_wider_than_the_page(film: Inspecting):
    film.page.set_viewport_size({"width": 390, "height": 844})
    film.open()
    film.choose("Of", "Shot of", search="a")
    expect(film.says("prompt", "shot")).to_be_visible()
    width = film.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    left = film.row("prompt").bounding_box()
    assert left is not None
    assert left["width"] > 340
