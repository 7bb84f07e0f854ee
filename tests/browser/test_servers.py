"""A server that drifts, one that cannot be reached, and removing one."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import work
from tests.browser.window import Window
from tests.browser.work import ReadyServer
from tools.targethost import Lab

CHANGED = "/etc/nginx/conf.d/deploynix.conf"


def test_drift_is_shown_and_put_back(window: Window, server: ReadyServer) -> None:
    before = server.host.run("cat", CHANGED).stdout
    server.host.run("tee", CHANGED, stdin=f"# somebody was here\n{before}")
    window.open(f"{server.path}/configuration")
    window.click("Check now")
    comparison = window.page.get_by_role("region", name="Desired configuration")
    expect(comparison.get_by_text("Differs")).to_be_visible(timeout=20_000)
    expect(comparison).to_contain_text("-# somebody was here")
    window.shot("server-drift")

    window.click("Apply")
    work.succeeds(window)
    assert server.host.run("cat", CHANGED).stdout == before


def test_the_logs_of_a_server(window: Window, server: ReadyServer) -> None:
    server.host.run("logger", "somebody left a note")
    window.open(f"{server.path}/logs")
    window.click("System", "link")
    window.sees("somebody left a note")


@pytest.fixture
def unreachable(window: Window, lab: Lab, server: ReadyServer) -> str:
    """The path of a server that nothing answers for; its provisioning has failed."""
    window.open("/servers/new")
    window.fill(name="lost", ip_address=lab.gateway, ssh_port="9", private_key=server.host.private_key_path.read_text())
    window.click("Add server")
    expect(window.page).to_have_url(re.compile(r"/servers/[0-9A-Z]{26}$"))
    expect(window.page.locator(".page-header").get_by_text("Failed")).to_be_visible(timeout=90_000)
    return window.path


def test_a_server_that_cannot_be_reached_can_be_removed(window: Window, unreachable: str) -> None:
    window.open(unreachable)
    expect(window.page.get_by_role("alert")).to_contain_text("9")
    window.shot("server-failed")

    window.open(f"{unreachable}/settings")
    remove = window.page.get_by_role("button", name="Remove")
    expect(remove).to_be_disabled()
    window.page.locator("[name=confirm]").fill("lost")
    remove.click()
    work.succeeds(window)
    window.open("/servers")
    expect(window.page.get_by_role("link", name="lost")).to_have_count(0)
