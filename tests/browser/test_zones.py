"""Zones and records by clicking, on a real name server: found, added, followed until all servers answer, removed."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.people import Person
from tests.browser.survey import LOOKS, problems_of
from tests.browser.window import Window
from tests.browser.work import JOB_SECONDS, connect_name_server
from tests.lab.dns_servers import Served
from tests.lab.names import Names

NAME, VALUE = "www.example.test", "203.0.113.10"


@pytest.fixture
def zones(window: Window, names: Names | None) -> str:
    """The path of the page with the zones of a name server's credential."""
    if names is None:
        pytest.skip("it needs root, and the packages bind9 and pdns-server")
    pk = connect_name_server(window, names.bind, "Our name server")
    return f"/settings/dns-providers/{pk}/zones"


@pytest.fixture
def served(names: Names) -> Served:
    return Served(names.bind)


def remove(window: Window) -> None:
    zone = window.page.get_by_role("region", name="Remove this record")
    zone.locator("[name=confirm]").fill(NAME)
    zone.get_by_role("button", name="Remove").click()


def test_a_record_is_added_followed_and_removed(window: Window, zones: str, served: Served) -> None:
    window.open(zones.removesuffix("/zones"))
    window.click("Zones and records", "link")
    window.page.locator("main [name=q]").fill("example")
    window.click("example.test", "link")
    records = window.page.get_by_role("region", name="Records")
    expect(records).to_contain_text("ns1.example.test")

    window.fill(name="www", value=VALUE)
    window.page.locator("main [name=type]").select_option("A")
    window.click("Add")
    window.sees(f"A {NAME} is being added.")
    propagation = window.page.get_by_role("region", name="Propagation")
    expect(propagation).to_contain_text("All name servers answer it", timeout=JOB_SECONDS * 1000)
    expect(propagation).to_contain_text("ns1.example.test")
    window.shot("zones/record-added")
    assert served.values("example.test", NAME, "A") == [VALUE]

    window.page.get_by_role("region", name="Record", exact=True).get_by_role(
        "link", name="example.test", exact=True
    ).click()
    expect(records).to_contain_text(VALUE)
    window.page.locator("main [name=q]").fill("ns1")
    expect(records).not_to_contain_text(VALUE)
    records.get_by_role("link", name="TXT", exact=True).click()
    expect(records).to_contain_text("No record")
    records.get_by_role("link", name="All", exact=True).click()
    window.click(NAME, "link")
    remove(window)
    window.sees(f"A {NAME} is being removed.")
    expect(records).to_contain_text("Remove A www.example.test")
    expect(records.get_by_role("link", name=NAME, exact=True)).to_have_count(0, timeout=JOB_SECONDS * 1000)
    assert served.values("example.test", NAME, "A") == []


def test_a_record_is_added_without_script(open_window: Open, owner: Person, zones: str, served: Served) -> None:
    plain = open_window(owner, java_script_enabled=False)
    plain.open(zones)
    plain.click("Show it", "link")
    plain.click("example.test", "link")
    with plain.expecting(422):
        plain.fill(name="www", value="here")
        plain.click("Add")
        plain.sees("is no address")
    plain.fill(value=VALUE)
    plain.click("Add")
    plain.sees(f"A {NAME} is being added.")
    plain.click("Show it", "link")
    plain.sees("Name servers of the zone")
    remove(plain)
    expect(plain.page).to_have_url(re.compile("/zones/example.test$"))


def test_the_pages_look_well(open_window: Open, owner: Person, zones: str, served: Served) -> None:
    served.add("example.test", "example.test", "TXT", "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkqhkiG9w0BAQEF" * 9)
    served.add("example.test", NAME, "A", VALUE)
    for look, options in LOOKS.items():
        window = open_window(owner, **options)
        window.open(f"{zones}/example.test")
        window.click(NAME, "link")
        window.sees("Name servers of the zone")
        pages = {"zones/list": zones, "zones/detail": f"{zones}/example.test", "zones/record": window.path}
        assert problems_of(window, look, {name: f"{path}?now=1" for name, path in pages.items()}) == []
