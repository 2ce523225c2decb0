"""The main pages, light and dark, desktop and phone: axe, nothing wider than the page, a picture in
`looks/` for people to look at. And the main job by keyboard alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe import axe
from playwright.sync_api import expect
from test_conflicts import control, meet, open_joint, ready
from unsaved_acts import entry, kept, press

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page
    from servers import Server

PICTURES = Path(__file__).parent / "looks"
LOOKS = pytest.mark.parametrize(
    ("scheme", "size"),
    [
        pytest.param(scheme, size, id=f"{scheme}-{name}")
        for scheme in ("light", "dark")
        for name, size in {"desktop": (1280, 900), "phone": (390, 844)}.items()
    ],
)


@pytest.fixture
def look(context: Any, scheme: str, size: tuple[int, int]) -> Page:
    """A page of that look."""
    width, height = size
    return context(color_scheme=scheme, viewport={"width": width, "height": height}).new_page()


@pytest.fixture
def examine(request: pytest.FixtureRequest, look: Page) -> Callable[..., None]:
    """`examine(name)`: axe, the width, and a picture of what is there."""
    about = request.node.callspec.id

    def examined(name: str, within: str = "") -> None:
        axe(look, within=within)
        wide, page = look.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= page, f"{name} is {wide} px wide on a page of {page}"
        PICTURES.mkdir(exist_ok=True)
        look.screenshot(path=PICTURES / f"{name}-{about}.png", full_page=True)

    return examined


@LOOKS
def test_axe_finds_nothing_serious_on_the_workbenchs_pages(
    workbench: Server, look: Page, examine: Callable[..., None]
):
    look.goto(workbench.url)
    start = look.get_by_role("button", name="Start with the sample")
    expect(start).to_be_visible()
    examine("home-empty")
    start.click()
    look.wait_for_url(re.compile("/p/"), timeout=30_000)
    expect(look.locator(".card").first).to_be_visible()
    examine("project")
    project = look.url
    look.get_by_role("button", name="Share", exact=True).click()
    dialog = look.get_by_role("dialog", name=re.compile("^Share "))
    dialog.get_by_role("button", name="Create link").click()
    expect(dialog.get_by_label("The new link")).to_be_visible()
    examine("share")
    invitation = dialog.get_by_label("The new link").input_value()
    shot = look.locator(".card a.card-name").first.get_attribute("href")
    look.goto(f"{workbench.url}{shot}")
    expect(look.locator("textarea[data-persistence=prompt]")).not_to_have_value("")
    examine("shot")
    look.get_by_role("button", name=re.compile("comes from$")).first.click()
    expect(look.locator("#persistence-explain:not([data-waiting]) [data-story]")).to_be_visible()
    examine("shot-explained")
    look.keyboard.press("Escape")
    look.get_by_role("button", name="History").first.click()
    expect(look.locator(".persistence-steps > li").first).to_be_visible()
    examine("shot-history")
    look.goto(f"{workbench.url}/inspector?shot={str(shot).rpartition('/')[2]}&field=prompt")
    expect(look.get_by_role("complementary", name="About the setting")).to_be_visible()
    examine("inspector")
    look.goto(workbench.url)
    expect(look.locator(".card").first).to_be_visible()
    examine("home")
    for path, sign in (("account", "h1"), ("sign-in", "form"), ("sign-up", "form")):
        look.goto(f"{workbench.url}/{path}")
        expect(look.locator(sign).first).to_be_visible()
        examine(path)
    look.goto(invitation)
    expect(look.get_by_text("This is your own project")).to_be_visible()
    examine("join")
    look.goto(re.sub("/p/.*", "/p/AAAAAAAAAAAAAAAAAAAAAA", project))
    expect(look.get_by_role("heading", name="There’s nothing here")).to_be_visible()
    examine("missing")


@LOOKS
def test_axe_finds_nothing_serious_on_the_librarys_panel(
    server: Any, look: Page, examine: Callable[..., None], tmp_path: Path
):
    site = server(Path(__file__).parent / "library_app", FAULTS=str(tmp_path / "faults"))
    look.goto(f"{site.url}/panel/a")
    expect(look.locator("#every")).to_have_attribute("aria-busy", "false", timeout=15_000)
    examine("panel", within="#every")  # the buttons around it are the test app's
    look.locator("#every").get_by_role("button", name=re.compile(": more$")).first.click()
    expect(look.locator(".persistence-menu:popover-open")).to_be_visible()
    examine("panel-menu", within="#every, .persistence-menu:popover-open")
    look.keyboard.press("Escape")
    look.locator("#every").get_by_role("button", name=re.compile("comes from$")).first.click()
    expect(look.locator("#persistence-explain:not([data-waiting]) [data-story]")).to_be_visible()
    examine("panel-explained", within="#persistence-explain")


@LOOKS
def test_axe_finds_nothing_serious_on_what_could_not_be_saved(
    server: Any, context: Any, look: Page, examine: Callable[..., None]
):
    site = server(Path(__file__).parent / "library_app")
    bob = open_joint(context(), site)
    look.goto(f"{site.url}/joint/shared1")
    ready(look)
    meet(look, bob, "The old ferry leans into the wind.", "The ferry turns into the storm.")
    control(look, "frames").fill("1000")
    control(look, "cues").locator("textarea").fill('{"dawn": "twelve"}')
    kept(look, 3)
    examine("unsaved-notes", within="#joint")
    card = entry(look, "Prompt")
    card.get_by_text("Before both").click()
    press(entry(look, "Cues"), "Edit")
    press(entry(look, "Frames"), "Discard")
    examine("unsaved", within="#persistence-unsaved")


def focused(page: Page) -> str:
    """What a keyboard's user is on: its name or its text."""
    return page.evaluate(
        """() => {
          const it = document.activeElement;
          const label = it.getAttribute("aria-label") || it.labels?.[0]?.innerText;
          return (label || it.innerText || it.id || it.tagName).trim();
        }"""
    )


def tab_to(page: Page, name: str, *, most: int = 150) -> None:
    """Press Tab until it is focused, and see that the focus shows."""
    passed: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        passed.append(focused(page))
        if re.search(name, passed[-1]):
            shows = page.evaluate(
                """() => {
                  const style = getComputedStyle(document.activeElement);
                  return style.outlineStyle !== "none" || style.boxShadow !== "none";
                }"""
            )
            assert shows, f"nothing shows that {passed[-1]!r} has the focus"
            return
    raise AssertionError(f"{name} isn't reached; passed {passed}")


def test_the_main_job_is_done_by_keyboard_alone(workbench: Server, page: Page):
    page.goto(workbench.url)
    expect(page.get_by_role("button", name="Start with the sample")).to_be_visible()
    tab_to(page, "^Start with the sample")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/p/"), timeout=30_000)
    expect(page.locator(".card").first).to_be_visible()
    name = page.locator(".card a.card-name").first.inner_text()
    tab_to(page, f"^{re.escape(name)}$")
    page.keyboard.press("Enter")
    prompt = page.locator("textarea[data-persistence=prompt]")
    expect(prompt).not_to_have_value("")
    before = prompt.input_value()
    tab_to(page, "^Prompt")
    page.keyboard.press("Control+End")
    page.keyboard.type(" And a gull.")
    page.wait_for_function("window.persistence.unconfirmed.length === 0")
    expect(page.locator("[data-persistence-line]").first).to_contain_text("Saved")
    expect(prompt).to_have_value(before + " And a gull.")
    tab_to(page, "^Reset Prompt")
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("")
    tab_to(page, "^Undo")  # in a text Ctrl+Z is the browser's own
    page.keyboard.press("Enter")
    expect(prompt).to_have_value(before + " And a gull.")
