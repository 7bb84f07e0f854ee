"""Tokens: made, shown once, used, revoked."""

import re

import requests
from playwright.sync_api import expect

from tests.browser.window import Window


def create_token(window: Window, name: str) -> str:
    """By clicking; returns the header line that the page shows."""
    window.open("/settings/tokens")
    window.page.get_by_role("link", name="Create token").first.click()
    window.fill(name=name)
    window.page.get_by_label("Everything my role may do").check()
    window.click("Create token")
    return window.page.get_by_role("status", name="Your new token").locator("pre").first.inner_text()


def choose(window: Window, name: str, action: str) -> None:
    """From the menu of a token in its list, or on its page."""
    window.click(f"Actions for {name}")
    window.page.locator("[popover]:popover-open").get_by_text(action, exact=True).click()


def revoke_token(window: Window, name: str) -> None:
    window.open("/settings/tokens")
    choose(window, name, "Delete")
    window.page.locator("[name=confirm]").fill(name)
    window.click("Delete")
    window.sees(f"The token {name} is revoked.")


def asked_with(window: Window, header: str) -> int:
    """The status of an API request that carries this header line."""
    name, _, value = header.partition(": ")
    return requests.get(f"{window.url}/api/v1/user", headers={name: value}, timeout=10).status_code


def test_a_token_is_shown_once_and_works_until_it_is_revoked(window: Window) -> None:
    header = create_token(window, "CI pipeline")
    window.shot("settings/token-shown-once")
    assert re.fullmatch(r"Authorization: Bearer dnx_\w+", header)
    assert asked_with(window, header) == 200

    window.page.reload()
    expect(window.page.get_by_role("link", name="CI pipeline")).to_be_visible()
    secret = header.rpartition("_")[2]
    assert secret not in window.page.content()

    revoke_token(window, "CI pipeline")
    assert asked_with(window, header) == 401


def test_the_command_shown_works_as_it_is(window: Window) -> None:
    header = create_token(window, "Copied")
    command = window.page.get_by_role("status", name="Your new token").locator("pre").nth(1).inner_text()

    assert header in command
    assert f"{window.url}/api/v1/auth/test" in command


def test_copying_a_token(window: Window) -> None:
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    header = create_token(window, "To copy")
    window.page.get_by_role("button", name="Copy").first.click()

    expect(window.page.get_by_text("Copied").first).to_be_visible()
    assert window.page.evaluate("navigator.clipboard.readText()") == header
