"""Repositories, by clicking: searched in what the account offers, connected, read, removed. GitLab stands in."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.people import Person
from tests.browser.survey import LOOKS, problems_of
from tests.browser.vendors import GITLAB
from tests.browser.window import Window
from tests.browser.work import JOB_SECONDS, connect


def search(window: Window, text: str) -> None:
    window.page.get_by_role("searchbox", name="Name").fill(text)


def offered(window: Window) -> list[str]:
    return window.page.get_by_role("region", name="Repositories").locator("li strong").all_inner_texts()


def test_a_repository_is_found_connected_read_and_removed(window: Window) -> None:
    path = connect(window, "git", "GitLab", "Of the shop", access_token=GITLAB)
    window.click("Connect a repository", "link")
    assert offered(window) == ["acme/blog", "acme/shop", "other/shop-too"]
    search(window, "shop")
    expect(window.page.get_by_role("button", name="Connect acme/blog")).to_have_count(0)
    assert offered(window) == ["acme/shop", "other/shop-too"]
    window.shot("repositories/search")
    window.page.get_by_role("button", name="Connect acme/shop").click()

    window.sees("acme/shop is connected")
    assert window.path == path
    card = window.page.get_by_role("region", name="Connected repositories")
    row = card.get_by_role("listitem").filter(has_text="acme/shop")
    # The row follows its job by itself.
    expect(row).to_contain_text("Connected", timeout=JOB_SECONDS * 1000)
    expect(row).to_contain_text("git@gitlab.com:acme/shop.git")
    expect(row).to_contain_text("Private, branch main")
    expect(window.page.get_by_role("region", name="Disconnect")).to_contain_text("epository acme/shop")
    window.shot("repositories/connected")

    window.click("Connect a repository", "link")
    listed = window.page.get_by_role("listitem").filter(has_text="acme/shop")
    expect(listed).to_contain_text("Connected")
    expect(listed.get_by_role("button")).to_have_count(0)
    window.open(path)
    window.page.get_by_role("button", name="Remove acme/shop").click()
    window.sees("acme/shop is disconnected")
    window.sees("No repository is connected yet")


def test_without_script(open_window: Open, owner: Person, window: Window) -> None:
    path = connect(window, "git", "GitLab", "Plain repositories", access_token=GITLAB)
    plain = open_window(owner, java_script_enabled=False)
    plain.open(f"{path}/repositories/connect")
    search(plain, "too")
    plain.page.get_by_role("searchbox", name="Name").press("Enter")
    expect(plain.page).to_have_url(re.compile(r"\?search=too$"))
    assert offered(plain) == ["other/shop-too"]
    plain.page.get_by_role("button", name="Connect other/shop-too").click()
    plain.sees("other/shop-too is connected")
    plain.page.get_by_role("button", name="Remove other/shop-too").click()
    plain.sees("other/shop-too is disconnected")


def test_the_card_and_the_search_fit_everywhere(open_window: Open, owner: Person, window: Window) -> None:
    path = connect(window, "git", "GitLab", "Looked at", access_token=GITLAB)
    window.click("Connect a repository", "link")
    window.page.get_by_role("button", name="Connect acme/blog").click()
    window.sees("acme/blog is connected")
    pages = {"repositories/of-a-provider": path, "repositories/connect": f"{path}/repositories/connect"}
    found = [problem for look in LOOKS for problem in problems_of(open_window(owner, **LOOKS[look]), look, pages)]
    assert not found, "\n".join(found)
