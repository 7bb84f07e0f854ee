"""Without a mouse: the main action of a page is reached, is seen to be reached, and works."""

import re
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.people import OWNER, PASSWORD, Person
from tests.browser.window import Window
from tests.browser.work import DeployedSite

MOST_STOPS = 40
IS_SEEN = """(element) => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none";
}"""


def tab_to(window: Window, wanted: Locator) -> None:
    """Presses Tab until it is focused; every stop on the way must show that it has the focus."""
    for _ in range(MOST_STOPS):
        window.page.keyboard.press("Tab")
        focused: Any = window.page.locator(":focus")
        assert focused.evaluate(IS_SEEN), f"nobody sees the focus on {focused.inner_text()}"
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{MOST_STOPS} stops do not lead to {wanted}")


def test_skipping_to_the_content(window: Window) -> None:
    window.open("/servers")
    window.page.keyboard.press("Tab")
    expect(window.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    window.page.keyboard.press("Enter")
    expect(window.page.locator("#content")).to_be_focused()


def test_signing_in(stranger: Window, owner: Person) -> None:
    stranger.open("/accounts/login")
    tab_to(stranger, stranger.page.locator("[name=login]"))
    stranger.page.keyboard.type(OWNER.email)
    tab_to(stranger, stranger.page.locator("[name=password]"))
    stranger.page.keyboard.type(PASSWORD)
    stranger.page.keyboard.press("Enter")
    expect(stranger.page.get_by_role("heading", name="Dashboard")).to_be_visible()


def test_opening_a_menu(window: Window) -> None:
    window.open("/")
    tab_to(window, window.page.get_by_role("button", name="Account: "))
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("ArrowDown")
    expect(window.page.get_by_role("link", name="Profile")).to_be_focused()
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("link", name="Profile")).to_be_hidden()


def test_starting_to_add_a_server(window: Window) -> None:
    window.open("/servers/new")
    tab_to(window, window.page.get_by_role("button", name="Add server"))


def test_deploying(window: Window, site: DeployedSite) -> None:
    window.open(site.path)
    tab_to(window, window.page.get_by_role("button", name="Deploy", exact=True))
    window.page.keyboard.press("Enter")
    expect(window.page).to_have_url(re.compile("/jobs/"))
