"""Domains connected by clicking: with a DNS credential at PowerDNS, and by hand, while the page looks on."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.people import Person
from tests.browser.survey import LOOKS, problems_of
from tests.browser.window import Window
from tests.browser.work import JOB_SECONDS, add_application, connect_domain, connect_once
from tests.lab.dns_servers import Served
from tests.lab.names import Names

ADDRESS, OTHER = "203.0.113.10", "192.0.2.1"
SOON = JOB_SECONDS * 1000


@pytest.fixture
def running(names: Names | None) -> Names:
    if names is None:
        pytest.skip("it needs root, and the packages bind9 and pdns-server")
    return names


@pytest.fixture
def served(running: Names) -> Served:
    return Served(running.pdns)


@pytest.fixture
def shop(window: Window, running: Names) -> str:
    """The path of an application that uses PowerDNS."""
    connect_once(window, "dns", "PowerDNS", "Our PowerDNS", **running.pdns.values())
    return add_application(window, "Shop")


def state(window: Window) -> Locator:
    return window.page.get_by_role("region", name="State").locator(".status").first


def disconnect(window: Window, domain: str) -> None:
    zone = window.page.get_by_role("region", name="Disconnect", exact=True)
    zone.locator("[name=confirm]").fill(domain)
    zone.get_by_role("button", name="Disconnect", exact=True).click()


def test_a_domain_is_connected_with_a_credential(window: Window, shop: str, served: Served) -> None:
    domain = "token.pdns.test"
    served.add("pdns.test", domain, "A", OTHER)
    connect_domain(window, shop, domain, "With a DNS credential", ADDRESS)
    conflicts = window.page.get_by_role("region", name="Conflicts")
    expect(conflicts).to_contain_text(OTHER, timeout=SOON)
    assert served.values("pdns.test", domain, "A") == [OTHER]
    window.shot("connections/conflicts")

    conflicts.get_by_role("checkbox").check()
    conflicts.get_by_role("button", name="Overwrite what is ticked").click()
    expect(state(window)).to_have_text("Active", timeout=SOON)
    assert served.values("pdns.test", domain, "A") == [ADDRESS]
    expect(window.page.get_by_role("region", name="Overwritten")).to_contain_text(OTHER)
    expect(window.page.get_by_role("region", name="Records")).to_contain_text("There")
    window.shot("connections/active")

    disconnect(window, domain)
    expect(state(window)).to_have_text("Disconnected", timeout=SOON)
    assert served.values("pdns.test", domain, "A") == served.values("pdns.test", f"_deploynix.{domain}", "TXT") == []
    window.page.reload()
    window.click("Forget it")
    window.sees(f"{domain} is removed.")


def test_a_domain_is_connected_by_hand(window: Window, shop: str, served: Served) -> None:
    domain = "hand.pdns.test"
    connect_domain(window, shop, domain, "By hand", ADDRESS)
    rows = window.page.get_by_role("region", name="Records").locator(".list-group-item")
    expect(rows.nth(0)).to_contain_text("Not there yet", timeout=SOON)
    expect(rows.nth(0).locator("code").first).to_have_text("hand")
    expect(rows.nth(1).locator("code").first).to_have_text("_deploynix.hand")
    window.shot("connections/by-hand")

    # What is entered at the provider is seen without a click.
    served.add("pdns.test", domain, "A", ADDRESS)
    expect(rows.nth(0).locator(".status")).to_have_text("There", timeout=SOON)
    expect(rows.nth(1).locator(".status")).to_have_text("Not there yet")
    token = rows.nth(1).locator("code").nth(1).inner_text()
    assert re.fullmatch("deploynix-verification=[0-9a-f]{32}", token)
    served.add("pdns.test", f"_deploynix.{domain}", "TXT", token)
    expect(rows.nth(1).locator(".status")).to_have_text("There", timeout=SOON)
    window.click("Check now")
    expect(state(window)).to_have_text("Active", timeout=SOON)
    window.open(shop)
    expect(window.page.get_by_role("region", name="Domains")).to_contain_text("Active")


def test_a_domain_is_connected_without_script(open_window: Open, owner: Person, shop: str, served: Served) -> None:
    plain = open_window(owner, java_script_enabled=False)
    connect_domain(plain, shop, "plain.pdns.test", "By hand", ADDRESS)
    plain.sees("Enter these at")
    disconnect(plain, "plain.pdns.test")
    plain.sees("plain.pdns.test is disconnected.")


def test_the_pages_fit_everywhere(open_window: Open, owner: Person, window: Window, shop: str, served: Served) -> None:
    with_credential = connect_domain(window, shop, "fits.pdns.test", "With a DNS credential", ADDRESS)
    expect(state(window)).to_have_text("Active", timeout=SOON)
    pages = {
        "connections/application": shop,
        "connections/ways": f"{shop}/connect?domain=another.pdns.test",
        "connections/with-credential": with_credential,
        "connections/guide": connect_domain(window, shop, "guided.pdns.test", "By hand", ADDRESS),
        "connections/domain-connect": "/settings/domain-connect",
    }
    found = [problem for look in LOOKS for problem in problems_of(open_window(owner, **LOOKS[look]), look, pages)]
    assert not found, "\n".join(found)
