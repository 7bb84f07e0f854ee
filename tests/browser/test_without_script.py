"""With JavaScript switched off: forms, menus, and the page of a job by reloading it."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser import work
from tests.browser.conftest import Open
from tests.browser.people import Person, sign_in
from tests.browser.test_tokens import choose, create_token
from tests.browser.window import Window
from tests.browser.work import DeployedSite


@pytest.fixture
def plain(open_window: Open, owner: Person) -> Window:
    """The owner's window, without JavaScript."""
    return open_window(owner, java_script_enabled=False)


def test_signing_in_and_out(open_window: Open, owner: Person) -> None:
    plain = open_window(java_script_enabled=False)
    sign_in(plain, owner)
    expect(plain.page.get_by_role("heading", name="Dashboard")).to_be_visible()

    plain.page.get_by_role("button", name=f"Account: {owner.name}").focus()
    plain.click("Sign out")
    expect(plain.page).to_have_url(re.compile("/accounts/login"))


def test_the_page_of_a_job_by_reloading(plain: Window, site: DeployedSite) -> None:
    work.deploy(plain, site.path)
    deadline = time.monotonic() + work.JOB_SECONDS
    state = plain.page.get_by_role("region", name="State")
    while state.get_by_text("Succeeded").count() == 0 and time.monotonic() < deadline:
        plain.page.reload()

    expect(state).to_contain_text("Succeeded")
    expect(plain.page.get_by_role("log")).to_contain_text("building 4")
    plain.shot("without-script/job")


def refused(plain: Window, place: str, button: str) -> None:
    """Types another name into the danger zone; nothing must happen."""
    plain.open(place)
    plain.page.locator("[name=confirm]").fill("another name")
    plain.click(button)
    plain.sees("Nothing was")


def test_a_danger_zone_demands_the_name_of_a_token(plain: Window) -> None:
    create_token(plain, "Precious")
    plain.open("/settings/tokens")
    choose(plain, "Precious", "Delete")
    refused(plain, plain.path, "Delete")

    plain.open("/settings/tokens")
    expect(plain.page.get_by_role("link", name="Precious")).to_be_visible()


def test_a_danger_zone_demands_the_name_of_the_organization(plain: Window) -> None:
    refused(plain, "/settings/organization", "Leave")


def test_a_danger_zone_demands_the_name_of_a_server_and_a_site(plain: Window, site: DeployedSite) -> None:
    refused(plain, f"{site.path}/settings", "Remove")
    refused(plain, f"{work.server_of(site.path)}/settings", "Remove")
