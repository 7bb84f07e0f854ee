"""A site's environment, suspending it, a deploy that fails, and what a viewer sees of it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import work
from tests.browser.conftest import Open
from tests.browser.install import Install
from tests.browser.people import Person, accept_invitation, invite
from tests.browser.window import Window
from tests.browser.work import DeployedSite, ReadyServer
from tests.lab.git_server import GitServer

SECRET = "s3cret-value-of-a-variable"


def test_a_variable_is_hidden_until_it_is_revealed(window: Window, site: DeployedSite) -> None:
    work.add_variable(window, site.path, "PAYMENT_KEY", SECRET)
    assert SECRET not in window.page.content()

    window.page.get_by_role("link", name="PAYMENT_KEY").click()
    assert SECRET not in window.page.content()
    window.click("Reveal")
    window.sees(SECRET)
    window.shot("site-variable-revealed")

    window.open("/settings/audit")
    window.sees("PAYMENT_KEY")
    assert SECRET not in window.page.content()


def test_suspending_and_resuming(window: Window, site: DeployedSite) -> None:
    window.open(f"{site.path}/settings")
    window.click("Suspend")
    work.succeeds(window)
    assert site.text().startswith("503")
    window.open(site.path)
    window.shot("site-suspended")

    window.open(f"{site.path}/settings")
    window.click("Resume")
    work.succeeds(window)
    assert site.text().startswith("200")


@pytest.fixture
def broken_build(window: Window, site: DeployedSite) -> Iterator[None]:
    """The site's next deploy fails at its build."""
    site.repository.commit({"build.sh": "#!/bin/sh\necho it does not fit\nexit 3\n"}, "Broken", branch="broken")
    change_build(window, site, "broken", "./build.sh")
    yield
    change_build(window, site, site.repository.branch, work.BUILD)


def change_build(window: Window, site: DeployedSite, branch: str, build_commands: str) -> None:
    window.open(f"{site.path}/settings")
    window.fill(branch=branch, build_commands=build_commands)
    window.click("Save")
    window.sees("The site is saved.")


@pytest.mark.usefixtures("broken_build")
def test_a_deploy_that_fails_says_why(window: Window, site: DeployedSite) -> None:
    before = site.text()
    work.deploy(window, site.path)

    expect(window.page.get_by_role("alert")).to_contain_text("build.sh", timeout=30_000)
    expect(window.page.get_by_role("log")).to_contain_text("it does not fit")
    expect(window.page.get_by_role("button", name="Retry")).to_be_visible()
    window.shot("job-failed")
    assert site.text() == before


def test_removing_a_site_demands_its_name(window: Window, server: ReadyServer, git_server: GitServer) -> None:
    repository = git_server.create_repository("acme/blog", work.page("Blog"))
    path = work.add_site(window, server.path, repository, "blog.example.test")
    window.open(f"{path}/settings")
    remove = window.page.get_by_role("button", name="Remove")
    expect(remove).to_be_disabled()
    window.page.locator("[name=confirm]").fill("blog.example.tes")
    expect(remove).to_be_disabled()

    window.page.locator("[name=confirm]").fill("blog.example.test")
    remove.click()
    expect(window.page).not_to_have_url(re.compile("/settings"))
    window.open("/sites")
    expect(window.page.get_by_role("link", name="blog.example.test")).to_have_count(0, timeout=30_000)


def test_a_viewer_sees_what_is_missing(window: Window, open_window: Open, install: Install, site: DeployedSite) -> None:
    invite(window, "viewer@acme.test", "Viewer")
    viewer = open_window()
    accept_invitation(viewer, install, Person("viewer@acme.test", "Vera Viewer"))
    viewer.open(site.path)

    deploy = viewer.page.get_by_role("button", name=re.compile(r"^Deploy\s*: needs the ability site:deploy$"))
    expect(deploy).to_be_disabled()
    viewer.shot("site-as-viewer")
