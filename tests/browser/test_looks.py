"""Light or dark as one chose, the menu of a phone, forms that say what is wrong, and a plan without the API."""

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.install import Install
from tests.browser.people import Person
from tests.browser.survey import LOOKS
from tests.browser.window import Window


def test_dark_stays_dark(window: Window, owner: Person) -> None:
    window.open("/")
    window.click(f"Account: {owner.name}")
    window.click("Dark")
    page = window.page.locator("html")
    expect(page).to_have_attribute("data-bs-theme", "dark")

    window.open("/servers")
    expect(page).to_have_attribute("data-bs-theme", "dark")


def test_the_menu_of_a_phone(open_window: Open, owner: Person) -> None:
    phone = open_window(owner, **LOOKS["phone"])
    phone.open("/")
    jobs = phone.page.get_by_role("link", name="Jobs", exact=True)
    expect(jobs).to_be_hidden()
    phone.click("Menu")
    phone.shot("phone-menu")
    jobs.click()
    expect(phone.page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()


def test_a_form_says_what_is_wrong_and_keeps_the_rest(window: Window) -> None:
    window.open("/servers/new")
    window.fill(name="web 1", ip_address="198.18.0.1")
    with window.expecting(422):
        window.click("Add server")

    name = window.page.get_by_label("Name")
    expect(name).to_have_attribute("aria-invalid", "true")
    described = name.get_attribute("aria-describedby") or ""
    assert "id_name_error" in described.split()
    expect(window.page.locator("#id_name_error")).to_be_visible()
    expect(window.page.get_by_label("IP address")).to_have_value("198.18.0.1")
    window.shot("form-with-errors")


def test_a_plan_without_the_api_offers_another(open_window: Open, install: Install, newcomer: Person) -> None:
    window = open_window(newcomer)
    window.open("/settings/tokens")
    window.sees("No tokens yet")

    install.manage("set_plan", "Empty", "free")
    window.page.reload()
    window.sees("The API needs another plan")
    window.shot("settings/tokens-upgrade")
