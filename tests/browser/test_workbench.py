"""The workbench in a real browser, against a real server that is killed at bad moments."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route
    from servers import Server

SAVED = re.compile(r"^Saved \d")


class Workbench:
    """What a user does, in their words."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def make_project(self, name: str) -> None:
        self.open()
        self.page.get_by_role("button", name="New project").first.click()
        self.page.get_by_label("Name of the new project").fill(name)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()

    def add_shots(self, *names: str) -> None:
        self.page.get_by_role("button", name="New shot").first.click()
        for name in names:
            self.page.get_by_label("Name of the new shot").fill(name)
            self.page.keyboard.press("Enter")
            expect(self.card(name)).to_be_visible()
        self.page.keyboard.press("Escape")
        expect(self.page.get_by_label("Name of the new shot")).not_to_be_visible()

    def card(self, name: str) -> Locator:
        return self.page.locator(".card").filter(has_text=name)

    def act(self, card: str, action: str) -> None:
        self.page.get_by_label(f"Actions for {card}").click()
        self.card(card).get_by_role("button", name=action).click()

    def open_shot(self, name: str) -> None:
        self.card(name).locator("a.card-name").click()
        self.wait_for_shot(name)

    def switch_to(self, name: str) -> None:
        self.page.locator("#sidebar").get_by_role("link", name=name).click()
        self.wait_for_shot(name)

    def wait_for_shot(self, name: str) -> None:
        expect(self.page.locator("h1")).to_have_text(name)
        expect(self.field("prompt")).to_be_enabled()

    def field(self, name: str) -> Locator:
        """A setting's control; of a slider the number beside it."""
        return self.page.locator(f"[data-persistence={name}]:not([type=range])")

    def row(self, field: str) -> Locator:
        return self.page.locator(f"[data-persistence-field$='.{field}']")

    def origin(self, field: str) -> Locator:
        return self.row(field).locator(".persistence-origin-word")

    def reset(self, field: str) -> Locator:
        return self.row(field).get_by_role("button", name="Reset")

    def panel(self, title: str) -> Locator:
        return self.page.get_by_role("region", name=title)

    def edit_for(self, title: str, place: str) -> None:
        choice = self.panel(title).get_by_role("button", name=place, exact=True)
        choice.click()
        expect(choice).to_have_attribute("aria-pressed", "true")

    @property
    def status(self) -> Locator:
        return self.page.locator(".persistence-status")

    def wait_saved(self) -> None:
        self.page.wait_for_function("!window.persistence.unconfirmed.length")
        expect(self.status).to_have_attribute("data-state", "ready")
        expect(self.status.locator(".persistence-status-text")).to_have_text(SAVED)


@pytest.fixture
def bench(workbench: Server, page: Page) -> Workbench:
    return Workbench(page, workbench.url)


@pytest.fixture
def shot(bench: Workbench) -> Workbench:
    """On the first of two shots of a project."""
    bench.make_project("Harbour at dawn")
    bench.add_shots("Trawler", "Gulls")
    bench.open_shot("Trawler")
    return bench


def test_where_the_browser_keeps_nothing_a_lost_connection_promises_nothing(
    bench: Workbench, workbench: Server, page: Page
):
    page.add_init_script(
        "indexedDB.open = () => { throw new DOMException('no', 'SecurityError'); }"
    )
    bench.make_project("Harbour at dawn")
    bench.add_shots("Trawler")
    bench.open_shot("Trawler")
    workbench.kill()
    notice = page.get_by_role("alert").filter(has_text="No connection")
    expect(notice.get_by_text("Leave this page open")).to_be_visible(timeout=20_000)
    expect(notice.get_by_text("is kept in this browser")).to_be_hidden()


def test_an_edited_prompt_is_said_to_be_saved_and_is_there_after_a_reload(shot: Workbench):
    expect(shot.origin("prompt")).to_have_text("Default")
    shot.field("prompt").press_sequentially("A trawler leaves the harbour", delay=5)
    shot.wait_saved()
    expect(shot.origin("prompt")).to_have_text("This shot")
    shot.page.reload()
    expect(shot.field("prompt")).to_have_value("A trawler leaves the harbour")
    expect(shot.origin("prompt")).to_have_text("This shot")


def test_a_guest_stays_the_same_over_reloads_and_is_nobody_elses(shot: Workbench, context):
    address = shot.page.url
    shot.page.reload()
    shot.wait_for_shot("Trawler")
    stranger = context().new_page()
    stranger.goto(address)
    expect(stranger.get_by_role("heading", name="There’s nothing here")).to_be_visible()
    foreign = stranger.locator("main").inner_text()
    stranger.goto(shot.url + "/p/AAAAAAAAAAAAAAAAAAAAAA/s/AAAAAAAAAAAAAAAAAAAAAA")
    expect(stranger.get_by_role("heading", name="There’s nothing here")).to_be_visible()
    assert stranger.locator("main").inner_text() == foreign
    expect(stranger.locator(".trouble")).to_have_count(0)


def test_a_page_that_came_without_a_cookie_asks_for_one_by_itself(bench: Workbench):
    bench.page.goto(bench.url, wait_until="commit")
    bench.page.context.clear_cookies()  # before its script connects
    expect(bench.page.get_by_text("Start your first project")).to_be_visible()
    bench.make_project("Harbour at dawn")
    bench.open()
    expect(bench.card("Harbour at dawn")).to_be_visible()


def test_a_browser_that_keeps_no_cookies_is_told_so_instead_of_loading_for_ever(bench: Workbench):
    asked = "sessionStorage.setItem('workbench-guest', 'asked')"  # and nothing came of it
    bench.page.add_init_script(asked)

    def without_cookies(route: Route) -> None:
        bench.page.context.clear_cookies()
        route.continue_()

    bench.page.route("**/assets/*.js", without_cookies)  # gone before a script can connect
    bench.page.goto(bench.url)
    expect(bench.page.get_by_text("This browser keeps no cookies")).to_be_visible()


def test_two_tabs_show_each_others_edits_without_touching_what_is_typed(shot: Workbench):
    other = Workbench(shot.page.context.new_page(), shot.url)
    other.page.goto(shot.page.url)
    other.wait_for_shot("Trawler")
    other.field("text_before").press_sequentially("Once, ")
    shot.field("prompt").fill("From the first tab")
    expect(other.field("prompt")).to_have_value("From the first tab")
    expect(other.origin("prompt")).to_have_text("This shot")
    other.field("text_before").press_sequentially("at sea")
    expect(other.field("text_before")).to_have_value("Once, at sea")
    expect(shot.field("text_before")).to_have_value("Once, at sea")
    shot.field("accelerated_mode").click()
    expect(other.field("accelerated_mode")).to_be_checked()


def test_a_switch_while_an_edit_is_pending_takes_it_to_the_shot_it_was_made_on(shot: Workbench):
    shot.field("prompt").press_sequentially("The trawler’s own")
    shot.switch_to("Gulls")
    expect(shot.field("prompt")).to_have_value("")
    shot.field("prompt").press_sequentially("The gulls’ own")
    shot.switch_to("Trawler")
    expect(shot.field("prompt")).to_have_value("The trawler’s own")
    shot.switch_to("Gulls")
    expect(shot.field("prompt")).to_have_value("The gulls’ own")
    shot.page.get_by_label("Previous shot").click()
    shot.wait_for_shot("Trawler")
    expect(shot.field("prompt")).to_have_value("The trawler’s own")


def test_what_was_saved_outlives_a_killed_server_with_its_origin(
    workbench: Server, shot: Workbench
):
    shot.field("prompt").fill("Saved before the crash")
    shot.wait_saved()
    shot.field("images_per_prompt").fill("7")
    shot.wait_saved()
    expect(shot.origin("images_per_prompt")).to_have_text("Project")
    workbench.restart()
    shot.page.reload()
    expect(shot.field("prompt")).to_have_value("Saved before the crash")
    expect(shot.origin("prompt")).to_have_text("This shot")
    expect(shot.field("images_per_prompt")).to_have_value("7")
    expect(shot.origin("images_per_prompt")).to_have_text("Project")
    shot.switch_to("Gulls")
    expect(shot.field("images_per_prompt")).to_have_value("7")
    expect(shot.field("prompt")).to_have_value("")


def test_an_edit_that_a_handler_made_is_there_after_a_kill_right_behind_it(
    workbench: Server, shot: Workbench
):
    shot.field("prompt").fill("One sentence. Another one. A third.")
    shot.page.get_by_role("button", name="Shorten prompt").click()
    expect(shot.field("prompt")).to_have_value("One sentence. Another one.")
    told = shot.status.locator("[data-persistence-tool-id=travel-ui-state]")
    expect(told).to_have_attribute("data-persistence-status", "ready")  # a slow commit shows before
    workbench.kill()
    workbench.start()
    shot.page.reload()
    expect(shot.field("prompt")).to_have_value("One sentence. Another one.")
    expect(shot.origin("prompt")).to_have_text("This shot")


def test_what_is_typed_while_the_server_is_away_is_said_and_comes_after_it(
    workbench: Server, shot: Workbench
):
    workbench.kill()
    shot.field("prompt").fill("Typed in the dark")
    expect(shot.status).to_have_attribute("data-state", "waiting")
    expect(shot.status).to_contain_text(re.compile("Not saved yet|1 change waits"))
    workbench.start()
    expect(shot.status).to_have_attribute("data-state", "ready", timeout=30_000)
    shot.page.reload()
    expect(shot.field("prompt")).to_have_value("Typed in the dark")


def test_every_control_of_a_shot_shows_what_was_entered_without_a_connection(shot: Workbench):
    page = shot.page
    panes = {each: page.get_by_role("switch", name=each) for each in ("Generations", "Tasks")}

    def expect_all() -> None:
        for pane in panes.values():
            expect(pane).to_be_checked()
        expect(shot.field("accelerated_mode")).to_be_checked()
        expect(page.get_by_role("radio", name="Fine")).to_be_checked()
        expect(shot.field("images_per_prompt")).to_have_value("7")
        expect(shot.field("prompt")).to_have_value("In the tunnel")

    page.context.set_offline(True)
    for pane in panes.values():
        pane.click()
    shot.field("accelerated_mode").click()
    page.get_by_role("radio", name="Fine").click()
    shot.field("images_per_prompt").fill("7")
    shot.field("prompt").fill("In the tunnel")
    expect_all()
    expect(shot.status).to_contain_text("No connection. 5 changes wait")
    page.context.set_offline(False)
    shot.wait_saved()
    page.reload()
    shot.wait_for_shot("Trawler")
    expect_all()


def test_while_nothing_can_be_written_shots_are_opened_and_what_is_typed_waits(
    workbench: Server, shot: Workbench
):
    other = sqlite3.connect(workbench.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    shot.field("prompt").fill("While it is locked")
    shot.switch_to("Gulls")
    shot.switch_to("Trawler")
    shot.page.reload()
    shot.wait_for_shot("Trawler")
    expect(shot.status).to_contain_text("Not saved")
    shot.page.get_by_role("link", name="Projects", exact=True).click()
    expect(shot.card("Harbour at dawn")).to_be_visible()
    expect(shot.status).to_contain_text("Not saved")  # what waits is of another page's tool
    other.execute("ROLLBACK")
    other.close()
    shot.wait_saved()
    shot.page.go_back()
    shot.wait_for_shot("Trawler")
    expect(shot.field("prompt")).to_have_value("While it is locked")


def test_a_reset_brings_back_what_is_inherited(shot: Workbench):
    number = shot.field("images_per_prompt")
    number.fill("6")  # for the project, where this tool's edits usually go
    expect(shot.origin("images_per_prompt")).to_have_text("Project")
    shot.edit_for("Image generation", "This shot")
    expect(shot.reset("images_per_prompt")).to_have_count(0)
    number.fill("9")
    expect(shot.origin("images_per_prompt")).to_have_text("This shot")
    shot.reset("images_per_prompt").click()
    expect(number).to_have_value("6")
    expect(shot.origin("images_per_prompt")).to_have_text("Project")
    shot.edit_for("Image generation", "Project")
    shot.reset("images_per_prompt").click()
    expect(number).to_have_value("4")
    expect(shot.origin("images_per_prompt")).to_have_text("Default")


def test_an_edit_that_a_stronger_layer_hides_says_so(shot: Workbench):
    shot.edit_for("Image generation", "This shot")
    shot.field("images_per_prompt").fill("9")
    expect(shot.origin("images_per_prompt")).to_have_text("This shot")
    shot.edit_for("Image generation", "You")
    note = shot.row("images_per_prompt").locator(".persistence-note")
    expect(note).to_contain_text("Hidden here: This shot has a value of its own")
    expect(shot.field("images_per_prompt")).to_have_value("4")
    shot.field("images_per_prompt").fill("5")
    shot.wait_saved()
    expect(shot.origin("images_per_prompt")).to_have_text("This shot")


def test_a_value_out_of_bounds_is_refused_at_the_field(shot: Workbench):
    shot.field("images_per_prompt").fill("99")
    note = shot.row("images_per_prompt").locator(".persistence-note:visible")
    expect(note).to_contain_text("16")
    shot.field("prompt").fill("Still works")
    expect(shot.origin("prompt")).to_have_text("This shot")
    expect(shot.status).to_contain_text("Not saved")
    shot.page.reload()
    expect(shot.field("prompt")).to_have_value("Still works")
    expect(shot.field("images_per_prompt")).to_have_value("4")
    expect(note).to_contain_text("Yours: 99")  # until somebody decides
    shot.page.get_by_role("button", name="Not saved: 1").click()
    drawer = shot.page.locator("#persistence-unsaved")
    expect(drawer).to_contain_text("Harbour at dawn")
    shot.page.keyboard.press("Escape")
    note.get_by_role("button", name="Discard").click()
    expect(note).to_have_count(0)
    shot.field("images_per_prompt").fill("16")
    shot.wait_saved()


def test_what_is_typed_into_a_shot_that_was_deleted_elsewhere_stays_and_is_said(shot: Workbench):
    other = Workbench(shot.page.context.new_page(), shot.url)
    other.open(shot.page.url.removeprefix(shot.url).split("/s/")[0])
    other.act("Trawler", "Delete")
    expect(other.page.get_by_role("button", name="Undo", exact=True)).to_be_visible()
    shot.field("prompt").fill("Into the void")
    note = shot.row("prompt").locator(".persistence-note:visible")
    expect(note).to_contain_text("no such shot")
    expect(shot.field("prompt")).to_have_value("Into the void")
    expect(shot.status).to_contain_text("Not saved")
    other.page.get_by_role("button", name="Undo", exact=True).click()
    expect(other.card("Trawler")).to_be_visible()
    shot.field("prompt").fill("Back again")
    expect(note).to_have_count(0)
    shot.wait_saved()


def test_frame_positions_are_added_named_evened_out_and_kept(shot: Workbench):
    panel = shot.panel("Motion")
    for count in (1, 2, 3):
        panel.get_by_role("button", name="Add frame").click()
        expect(panel.locator(".frames li")).to_have_count(count)
    panel.get_by_label("Image 2", exact=True).fill("gulls")
    panel.get_by_label("Frame of image 2").fill("30")
    shot.wait_saved()
    panel.get_by_role("button", name="Even out").click()
    expect(panel.get_by_label("Frame of image 2")).to_have_value("24")
    panel.get_by_role("button", name="Remove").first.click()
    expect(panel.locator(".frames li")).to_have_count(2)
    shot.wait_saved()
    shot.page.reload()
    expect(panel.get_by_label("Image 1", exact=True)).to_have_value("gulls")
    expect(panel.locator(".tick-frame")).to_have_text(["24", "48"])


def test_a_row_that_a_slow_save_has_just_made_can_be_named_at_once(
    workbench: Server, shot: Workbench
):
    busy = sqlite3.connect(workbench.database, isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    shot.page.get_by_role("button", name="Add frame").click()
    name = shot.page.get_by_label("Image 1", exact=True)
    expect(name).to_be_visible()
    shot.page.wait_for_timeout(300)  # the page's answer no longer waits for the save
    busy.execute("ROLLBACK")
    busy.close()
    name.fill("harbour")
    shot.wait_saved()
    shot.page.reload()
    expect(name).to_have_value("harbour")


def test_the_theme_is_chosen_once_for_the_user_and_stays(shot: Workbench):
    shot.page.get_by_role("button", name="Dark").click()
    expect(shot.page.locator("html")).to_have_class(re.compile("dark"))
    shot.page.reload()
    expect(shot.page.locator("html")).to_have_class(re.compile("dark"))
    expect(shot.page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_a_theme_that_is_chosen_without_a_connection_outlives_the_page(shot: Workbench):
    here = shot.page.url
    shot.page.context.set_offline(True)
    shot.page.get_by_role("button", name="Dark").click()
    expect(shot.status).to_contain_text("No connection. 1 change waits")
    shot.page.goto("about:blank")
    shot.page.context.set_offline(False)
    shot.page.goto(here)
    shot.wait_for_shot("Trawler")
    expect(shot.page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    expect(shot.page.locator("html")).to_have_class(re.compile("dark"))


def test_a_deleted_shot_comes_back_by_undo_with_its_settings(shot: Workbench):
    shot.field("prompt").fill("Don’t lose me")
    shot.wait_saved()
    shot.page.locator(".sidebar-project").click()
    shot.act("Trawler", "Delete")
    expect(shot.card("Trawler")).to_have_count(0)
    shot.page.get_by_role("button", name="Undo", exact=True).click()
    shot.open_shot("Trawler")
    expect(shot.field("prompt")).to_have_value("Don’t lose me")


def test_what_was_deleted_waits_in_a_place_of_its_own(bench: Workbench):
    bench.make_project("Night market")
    bench.open()
    bench.act("Night market", "Delete")
    expect(bench.page.get_by_text("Start your first project")).to_be_visible()
    bench.page.reload()
    bench.page.get_by_text("Recently deleted").click()
    bench.page.get_by_role("button", name="Restore").click()
    expect(bench.card("Night market")).to_be_visible()


def test_names_are_changed_with_the_keyboard_and_escape_gives_up(bench: Workbench):
    bench.make_project("Night market")
    bench.add_shots("One", "Two")
    bench.act("One", "Rename")
    bench.page.get_by_label("Name of the shot").fill("Nothing")
    bench.page.keyboard.press("Escape")
    expect(bench.page.get_by_label("Name of the shot")).to_have_count(0)
    expect(bench.card("One")).to_be_visible()
    bench.act("One", "Rename")
    bench.page.get_by_label("Name of the shot").fill("<b>Crane & rain</b>")
    bench.page.keyboard.press("Enter")
    expect(bench.card("<b>Crane & rain</b>")).to_be_visible()
    bench.act("Two", "Move earlier")
    expect(bench.page.locator(".card-name").first).to_have_text("Two")


def test_no_page_scrolls_sideways_on_a_phone(workbench: Server, context):
    phone = context(viewport={"width": 390, "height": 844}, has_touch=True).new_page()
    bench = Workbench(phone, workbench.url)
    bench.open()
    widths = [width(phone)]
    bench.make_project("A name that is by far too long for a phone, " + "x" * 70)
    bench.add_shots("Wide " + "y" * 100)
    widths.append(width(phone))
    phone.locator("a.card-name").click()
    expect(bench.field("prompt")).to_be_enabled()
    phone.get_by_role("button", name="Add frame").click()
    expect(phone.locator(".frames li")).to_have_count(1)
    widths.append(width(phone))
    phone.get_by_role("button", name="Navigation").click()
    expect(phone.locator("#sidebar").get_by_role("link", name="All projects")).to_be_visible()
    widths.append(width(phone))
    assert widths == [390] * 4


def width(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")
