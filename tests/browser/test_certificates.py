"""A wildcard for a site by clicking, from a real authority with real name servers, and what its pages then say."""

import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from playwright.sync_api import Browser, expect

from tests.browser import work
from tests.browser.conftest import Open
from tests.browser.install import Install
from tests.browser.people import Person
from tests.browser.survey import LOOKS, problems_of
from tests.browser.window import Window
from tests.browser.work import DOMAIN, DeployedSite
from tests.certificates.authority import Authority
from tests.lab.authorities import Pebble
from tests.lab.dns_servers import Served
from tests.lab.names import Names

HTTPS = 443
SERVER = "Our name server"


def served_names(site: DeployedSite, name: str) -> list[str]:
    """Those of the certificate that a visitor of this name is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection((site.host.ip, HTTPS), timeout=10)
    with context.wrap_socket(plain, server_hostname=name) as connection:
        shown = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
    extension = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return sorted(extension.value.get_values_for_type(x509.DNSName))


def becomes(window: Window, status: str) -> None:
    """Waits on the page of a certificate; fails where it becomes something else."""
    state = window.page.get_by_role("region", name="State").locator(".status")
    settled = re.compile("Active|Failed|Revoked|Renewal fails")
    expect(state).to_have_text(settled, timeout=2 * work.JOB_SECONDS * 1000)
    assert state.inner_text().strip() == status, window.page.locator("main").inner_text()


def end(window: Window, certificate: str) -> None:
    """Deletes it: what the tests after this expect of the site is told by HTTP."""
    window.open(certificate)
    zone = window.page.get_by_role("region", name="Delete this certificate")
    zone.locator("[name=confirm]").fill(DOMAIN)
    zone.get_by_role("button", name="Delete").click()
    work.succeeds(window)


@pytest.fixture(scope="module")
def peers(names: Names | None, authority: Pebble | None) -> tuple[Names, Pebble]:
    if names is None or authority is None:
        pytest.skip("it needs root, and the packages bind9, pdns-server and pebble")
    return names, authority


@pytest.fixture(scope="module")
def certificate(
    chromium: Browser, install: Install, owner: Person, site: DeployedSite, peers: tuple[Names, Pebble]
) -> Iterator[str]:
    """A wildcard, issued by clicking; the path of its page."""
    names, authority = peers
    with Window(chromium, install.url, owner.state) as window:
        work.connect_name_server(window, names.bind, SERVER)
        path = work.issue_certificate(window, site.path, authority.url, wildcard=True)
        window.shot("certificates/under-way")
        becomes(window, "Active")
        window.shot("certificates/active")
    yield path
    with Window(chromium, install.url, owner.state) as window:
        end(window, path)


def test_a_wildcard_is_served(
    window: Window, site: DeployedSite, certificate: str, peers: tuple[Names, Pebble]
) -> None:
    assert served_names(site, DOMAIN) == [f"*.{DOMAIN}", DOMAIN]
    found = Served(peers[0].bind).found("example.test", f"_acme-challenge.{DOMAIN}", "TXT")
    assert list(found) == []
    window.open(certificate)
    window.sees("Pebble Intermediate")
    window.open("/certificates")
    window.sees(f"with *.{DOMAIN}")
    expect(window.page.get_by_role("region", name="Calendar")).to_contain_text("Nothing is due")
    window.open("/settings/acme-accounts")
    window.sees(peers[1].url)


def test_who_holds_the_zone_is_found_while_names_are_typed(
    window: Window, site: DeployedSite, certificate: str
) -> None:
    window.open(f"{site.path}/certificates/new")
    proof = window.page.get_by_role("region", name="How it is proven")
    expect(proof).to_contain_text("no name is a wildcard")
    window.page.locator("main [name=wildcard]").check()
    expect(proof).to_contain_text("a wildcard can be proven in no other way")
    expect(proof).to_contain_text(f"{SERVER} holds its zone, example.test")
    window.shot("certificates/zone-found")
    window.page.get_by_text("Names that the site does not have").click()
    window.fill(domain="pdns.test", names=f"{DOMAIN}\nshop.pdns.test")
    expect(proof).to_contain_text("shop.pdns.test")
    expect(proof).to_contain_text("No connected DNS provider holds a zone for")
    window.shot("certificates/zone-missing")
    window.fill(names="elsewhere.example")
    expect(proof).to_contain_text("is no name of the site")
    binding = window.page.locator("main [name=eab_kid]")
    expect(binding).to_be_hidden()
    window.page.locator("main [name=directory]").select_option("zerossl")
    expect(binding).to_be_visible()


def test_renewing_now(window: Window, site: DeployedSite, certificate: str) -> None:
    window.open(certificate)
    window.click("Renew now")
    history = window.page.get_by_role("region", name="History")
    expect(history.get_by_text("Superseded")).to_have_count(1, timeout=2 * work.JOB_SECONDS * 1000)
    becomes(window, "Active")
    assert served_names(site, DOMAIN) == [f"*.{DOMAIN}", DOMAIN]


def test_the_pages_look_well(open_window: Open, owner: Person, site: DeployedSite, certificate: str) -> None:
    pages = {
        "certificates/detail": certificate,
        "certificates/list": "/certificates",
        "certificates/site": f"{site.path}/certificates",
        "certificates/accounts": "/settings/acme-accounts",
    }
    for look, options in LOOKS.items():
        assert problems_of(open_window(owner, **options), look, pages) == []


def test_uploading_without_script(
    open_window: Open, owner: Person, window: Window, site: DeployedSite, certificate: str, tmp_path: Path
) -> None:
    chain, key = Authority().issue(DOMAIN)
    (tmp_path / "chain.pem").write_text(chain)
    plain = open_window(owner, java_script_enabled=False)
    plain.open(f"{site.path}/certificates")
    plain.click("Upload one", "link")
    with plain.expecting(422):
        plain.click("Upload")
        plain.sees("Paste it, or choose its file.")
    plain.page.locator("main [name=chain_file]").set_input_files(tmp_path / "chain.pem")
    plain.fill(private_key=key)
    plain.click("Upload")
    plain.sees("by you: upload the next one before this one ends")
    window.open(plain.path)
    becomes(window, "Active")
    assert served_names(site, DOMAIN) == [DOMAIN]
    end(window, plain.path)
