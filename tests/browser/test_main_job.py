"""The main job, by clicking; its first steps are the fixtures `owner`, `server` and `site`."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import work
from tests.browser.people import Person
from tests.browser.window import Window
from tests.browser.work import DeployedSite, ReadyServer


@pytest.fixture
def second_version(window: Window, site: DeployedSite) -> None:
    """Another commit, deployed."""
    site.repository.commit(work.page("Second version"), "Second version")
    work.deploy(window, site.path)
    work.succeeds(window)


def test_only_the_first_visitor_becomes_the_owner(stranger: Window, owner: Person) -> None:
    stranger.open("/")
    expect(stranger.page).to_have_url(re.compile("/accounts/login"))
    with stranger.expecting(403):
        stranger.open("/accounts/signup")
    stranger.sees("Registration is closed")


def test_the_server_is_provisioned(window: Window, server: ReadyServer) -> None:
    window.open(server.path)
    window.shot("main-job/06-server")

    expect(window.page.locator(".page-header").get_by_text("Active")).to_be_visible()
    window.sees("nginx")
    window.sees(server.host.ip)
    assert server.host.run("systemctl", "is-active", "nginx", "nftables").stdout.split() == ["active", "active"]


def test_the_site_is_served(window: Window, site: DeployedSite) -> None:
    window.open(site.path)
    expect(window.page.get_by_role("region", name="Deployments").get_by_text("Succeeded").last).to_be_visible()
    assert site.text().startswith("200")
    assert "First version" in site.text()


def test_the_log_streams_into_the_page(window: Window, site: DeployedSite) -> None:
    work.deploy(window, site.path)
    window.page.evaluate("window.isSamePage = true")
    log = window.page.get_by_role("log")

    expect(log).to_contain_text("building 1", timeout=20_000)
    expect(log).not_to_contain_text("building 4", timeout=100)
    window.shot("main-job/09-deploying")
    expect(log).to_contain_text("building 4")
    work.succeeds(window)
    assert window.page.evaluate("window.isSamePage")


@pytest.mark.usefixtures("second_version")
def test_rolling_back(window: Window, site: DeployedSite) -> None:
    assert "Second version" in site.text()
    window.open(site.path)
    window.shot("main-job/10-two-releases")
    releases = window.page.get_by_role("region", name="Releases").locator(".list-group-item")
    releases.filter(has_text="First version").get_by_role("button", name="Roll back").first.click()
    work.succeeds(window)

    assert "First version" in site.text()
    window.open(site.path)
    expect(releases.filter(has_text="Current")).to_contain_text("First version")
    window.shot("main-job/11-rolled-back")
