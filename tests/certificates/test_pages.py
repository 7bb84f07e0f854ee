"""The pages of certificates, for an owner, a viewer and a stranger."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from certificates import preview
from certificates.acme.directories import DIRECTORIES
from certificates.models import Account, Certificate, Issuance, IssuanceStatus, KeyType, Source, Status
from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from organizations.models import Organization
from providers.base import Kind
from providers.contracts.dns import Zone
from providers.errors import NotFound
from providers.models import Credential
from servers.models import Server
from servers.ssh import generate_key
from sites.models import Site
from tests import factories
from tests.certificates.authority import Authority

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def host_key() -> str:
    return " ".join(generate_key("host").public.split()[:2])


@pytest.fixture
def server(owner: Actor, host_key: str) -> Server:
    return factories.provisioned_server(owner.organization, host_key=host_key, name="web-1")


@pytest.fixture
def site(server: Server) -> Site:
    names: dict[str, Any] = {"domain": "shop.example", "aliases": ["www.shop.example"]}
    return factories.site(server, **names, username="s-shop", installed_at=timezone.now())


@pytest.fixture
def certificate(site: Site) -> Certificate:
    return factories.certificate(site, names=["shop.example", "www.shop.example"])


@pytest.fixture
def base(site: Site) -> str:
    return f"{site.get_absolute_url()}/certificates"


def text_of(client: Client, address: str, status: int = 200, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == status
    page = response.content.decode()
    assert "style=" not in page
    assert "<script>" not in page
    return re.sub(r"\s+", " ", page)


def refused(client: Client, address: str, given: dict[str, Any]) -> str:
    response = client.post(address, given)
    assert response.status_code == 422
    return response.content.decode()


# The list.


def test_empty_pages_offer_the_next_step(owner_client: Client, member_client: Client) -> None:
    assert 'href="/certificates/new"' in text_of(owner_client, "/certificates")
    assert "needs the ability certificate:create" in text_of(member_client, "/certificates")
    assert 'href="/servers"' in text_of(owner_client, "/certificates/new")
    assert 'href="/certificates/new"' in text_of(owner_client, "/settings/acme-accounts")


def test_the_list_is_narrowed_by_status_words_and_end(owner_client: Client, server: Server, site: Site) -> None:
    factories.certificate(site, names=["shop.example", "*.shop.example"], days=90)
    other = factories.site(server, domain="blog.example")
    factories.certificate(other, days=10, status=Status.FAILED, error="The CA could not reach the server.")

    def names(query: str) -> set[str]:
        page = text_of(owner_client, f"/certificates{query}", HX_Request="true")
        assert "<html" not in page
        return set(re.findall(r'fw-medium text-break" href="/certificates/\w+">([^<]+)<', page))

    assert names("") == names("?q=web-1") == names("?q=example") == {"shop.example", "blog.example"}
    assert names("?status=failed") == names("?soon=1") == names("?q=blog") == {"blog.example"}
    assert names("?q=*.shop") == {"shop.example"}
    assert names("?q=nothing") == names("?status=revoked") == set()
    page = text_of(owner_client, "/certificates")
    assert "with *.shop.example" in page
    assert "The CA could not reach the server." in page


def test_the_list_asks_for_itself_while_one_is_under_way(owner_client: Client, certificate: Certificate) -> None:
    assert "every 2s" not in text_of(owner_client, "/certificates")
    Certificate.objects.update(status=Status.INSTALLING)
    assert 'hx-get="/certificates?status=installing"' in text_of(owner_client, "/certificates?status=installing")


def test_the_list_costs_as_many_queries_however_much_there_is(
    owner_client: Client, server: Server, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        factories.certificate(factories.site(server))
    with django_assert_num_queries(7):
        text_of(owner_client, "/certificates")


def test_the_calendar_tells_what_it_draws(owner_client: Client, site: Site) -> None:
    renewed, ends = timezone.now() + timedelta(days=30), timezone.now() + timedelta(days=10)
    factories.certificate(site, names=["shop.example"], days=60, renew_at=renewed)
    factories.certificate(site, names=["old.example"], days=10, source=Source.UPLOADED, renew_at=None)
    factories.certificate(site, names=["gone.example"], days=20, status=Status.REVOKED, renew_at=None)
    page = text_of(owner_client, "/certificates")
    table = page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert f"{ends:%a %-d %b}</th>" in table
    assert "Ends: old.example" in table
    assert f"{renewed:%a %-d %b}</th>" in table
    assert "Renewed: shop.example" in table
    assert f"<title>{ends:%a %-d %b}: ends: old.example</title>" in page
    assert "gone.example" not in table
    assert "<svg" not in text_of(owner_client, "/certificates?q=shop", HX_Request="true").partition("<tbody>")[2]


# One certificate.


@pytest.mark.parametrize(
    ("fields", "days", "said"),
    [
        ({}, 60, "Active"),
        ({}, -1, "Expired"),
        ({"failures": 2}, 20, "Renewal fails"),
        ({"renew_at": None, "source": Source.UPLOADED}, 20, "Expires soon"),
        ({"renew_at": None, "source": Source.UPLOADED}, 60, "Active"),
        ({"status": Status.REVOKED}, 20, "Revoked"),
        ({"status": Status.ISSUING}, 20, "Issuing"),
    ],
)
def test_a_status_says_what_it_is_really_like(
    fields: dict[str, Any], days: int, said: str, owner_client: Client, site: Site
) -> None:
    page = text_of(owner_client, factories.certificate(site, days=days, **fields).get_absolute_url())
    state = page.partition('aria-label="State"')[2].partition("</section>")[0]
    assert f"</span> {said}</span>" in state


def test_a_page_tells_all_of_a_certificate_but_its_key(owner_client: Client, certificate: Certificate) -> None:
    Issuance.objects.create(
        certificate=certificate, is_rehearsal=True, status=IssuanceStatus.FAILED, error="ns1.example answers REFUSED."
    )
    page = text_of(owner_client, certificate.get_absolute_url())
    for said in (
        *("shop.example", "www.shop.example", "web-1", "Example CA", "https://ca.example/directory", "HTTP-01"),
        *("ECDSA P-256", "Rehearsal, never installed", "ns1.example answers REFUSED.", "Ordered, installed", "05a1c9"),
        *('value="33" max="100"', "Next renewal", "Renew now"),
    ):
        assert said in page, said
    assert "made up for tests" not in page


def test_a_failure_is_told_with_what_to_do(owner_client: Client, certificate: Certificate) -> None:
    Certificate.objects.update(
        failures=3, failed_at=timezone.now(), error="The CA could not look the name up.", hint="See its name servers."
    )
    page = text_of(owner_client, certificate.get_absolute_url())
    assert "The last 3 attempts have failed" in page
    assert "See its name servers." in page
    assert "the next attempt is made" in page


def test_what_is_under_way_is_followed(owner: Actor, owner_client: Client, base: str) -> None:
    owner_client.post(f"{base}/new", {"names": "shop.example", "directory": "letsencrypt", "key_type": "ecdsa"})
    certificate = Certificate.objects.get()
    assert certificate.job is not None
    page = text_of(owner_client, certificate.get_absolute_url(), HX_Request="true")
    assert "<html" not in page
    assert f'hx-get="{certificate.get_absolute_url()}"' in page
    for step in certificate.job.steps.all():
        assert step.label in page
    assert "Delete this certificate" not in page
    Job.objects.update(status=JobStatus.FAILED)
    Certificate.objects.update(status=Status.FAILED, error="It did not work.")
    assert "Try again" in text_of(owner_client, certificate.get_absolute_url())


def test_the_chain_is_a_file(owner_client: Client, certificate: Certificate) -> None:
    response = owner_client.get(f"{certificate.get_absolute_url()}/chain")
    assert response["Content-Disposition"] == 'attachment; filename="shop-example.pem"'
    assert response.content.startswith(b"-----BEGIN CERTIFICATE-----")
    Certificate.objects.update(current=None)
    assert owner_client.get(f"{certificate.get_absolute_url()}/chain").status_code == 409


def test_one_is_renewed_by_a_button(owner_client: Client, certificate: Certificate) -> None:
    page = owner_client.post(f"{certificate.get_absolute_url()}/renew", follow=True).content.decode()
    assert "It is being ordered anew." in page
    assert Job.objects.about(certificate).open().exists()


def test_one_is_revoked_and_deleted_once_its_name_is_typed(owner_client: Client, certificate: Certificate) -> None:
    address = certificate.get_absolute_url()
    for button, given in (("revoke", {"reason": "superseded"}), ("delete", {})):
        page = owner_client.post(f"{address}/{button}", given, follow=True).content.decode()
        assert "Type shop.example to confirm." in page
        assert not Job.objects.exists()
    typed = {"reason": "superseded", "confirm": "shop.example"}
    page = owner_client.post(f"{address}/revoke", typed, follow=True).content.decode()
    assert "Its authority is being told." in page
    Job.objects.update(status=JobStatus.SUCCEEDED)
    response = owner_client.post(f"{address}/delete", {"confirm": "shop.example"})
    assert response["Location"] == f"/jobs/{Job.objects.open().get().pk}"


def test_what_was_never_installed_is_gone_at_once(owner_client: Client, certificate: Certificate) -> None:
    Certificate.objects.update(current=None)
    response = owner_client.post(f"{certificate.get_absolute_url()}/delete", {"confirm": "shop.example"})
    assert response["Location"] == "/certificates"
    part = owner_client.get(certificate.get_absolute_url(), headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == "/certificates"
    assert owner_client.get(certificate.get_absolute_url()).status_code == 404


def test_alarms_stand_above_all(owner_client: Client, certificate: Certificate) -> None:
    Certificate.objects.update(alarm="It could not be renewed.\nIts rehearsal failed.", alarmed_at=timezone.now())
    for address in ("/certificates", certificate.get_absolute_url()):
        assert "It could not be renewed.<br>Its rehearsal failed." in text_of(owner_client, address)
    for _ in range(6):
        other = factories.certificate(certificate.site, alarm="It could not be renewed.", alarmed_at=timezone.now())
    page = text_of(owner_client, "/certificates")
    assert page.count("</a> needs you") == 5
    assert 'href="?alarm=1"' in page
    Certificate.objects.filter(pk=other.pk).update(alarm="", alarmed_at=None)
    assert other.get_absolute_url() not in text_of(owner_client, "/certificates?alarm=1")


def test_a_viewer_sees_and_changes_nothing(member_client: Client, certificate: Certificate, base: str) -> None:
    address = certificate.get_absolute_url()
    page = text_of(member_client, address)
    assert page.count("needs the ability certificate:delete") == 2
    assert "needs the ability certificate:create" in page
    assert "needs the ability certificate:create" in text_of(member_client, base)
    assert member_client.get(f"{address}/chain").status_code == 200
    for button in ("renew", "revoke", "delete"):
        assert member_client.post(f"{address}/{button}", {"confirm": "shop.example"}).status_code == 403
    for place in (f"{base}/new", f"{base}/new/proof", f"{base}/upload", "/certificates/new"):
        assert member_client.get(place).status_code == 403


def test_a_stranger_finds_nothing(outsider_client: Client, certificate: Certificate, base: str) -> None:
    address = certificate.get_absolute_url()
    for page in (address, f"{address}/chain", base, f"{base}/new", f"{base}/new/proof", f"{base}/upload"):
        assert outsider_client.get(page).status_code == 404
    for button in ("renew", "revoke", "delete"):
        assert outsider_client.post(f"{address}/{button}").status_code == 404
    for page in ("/certificates", "/certificates/new", "/settings/acme-accounts"):
        assert "shop.example" not in text_of(outsider_client, page)


# A site's certificates, and new ones.


def test_a_site_tells_of_its_certificates(owner_client: Client, server: Server, base: str, site: Site) -> None:
    assert "Visitors come by HTTP only" in text_of(owner_client, base)
    certificate = factories.certificate(site)
    factories.certificate(factories.site(server, domain="blog.example"))
    page = text_of(owner_client, base)
    assert certificate.get_absolute_url() in page
    assert "blog.example" not in page
    assert f'href="{base}"' in text_of(owner_client, site.get_absolute_url())
    assert f'href="{base}/new"' in text_of(owner_client, "/certificates/new")


def test_the_form_begins_with_the_names_of_the_site(owner_client: Client, base: str) -> None:
    page = text_of(owner_client, f"{base}/new")
    assert "shop.example www.shop.example</textarea>" in page
    assert "And all names below shop.example (*.shop.example)" in page
    assert "HTTP-01: a file on the server" in page
    for directory in DIRECTORIES.values():
        assert directory.label.replace("'", "&#x27;") in page


def test_a_wildcard_in_one_go(owner_client: Client, base: str) -> None:
    given = {"names": "shop.example\nwww.shop.example", "wildcard": "on", "directory": "letsencrypt", "key_type": "rsa"}
    response = owner_client.post(f"{base}/new", given)
    certificate = Certificate.objects.get()
    assert response["Location"] == certificate.get_absolute_url()
    assert certificate.names == ["shop.example", "*.shop.example"]
    assert (certificate.challenge, certificate.key_type) == ("dns-01", KeyType.RSA)
    assert certificate.account is not None
    assert certificate.account.directory_url == DIRECTORIES["letsencrypt"].url


def test_another_directory_by_its_address(owner_client: Client, base: str) -> None:
    given = {"names": "shop.example", "directory": "other", "key_type": "ecdsa"}
    assert "Give the address." in refused(owner_client, f"{base}/new", given)
    binding = {"eab_kid": "kid-1", "eab_key": "c2VjcmV0LWhtYWMta2V5", "email": "ops@shop.example"}
    owner_client.post(f"{base}/new", given | {"directory_url": "https://ca.example/acme/directory", **binding})
    account = Account.objects.get()
    assert (account.directory_url, account.eab_kid) == ("https://ca.example/acme/directory", "kid-1")


def test_what_is_wrong_is_said_at_its_field(owner_client: Client, base: str) -> None:
    given = {"names": "shop.example", "directory": "letsencrypt", "key_type": "ecdsa"}
    page = refused(owner_client, f"{base}/new", given | {"names": "-shop.example"})
    assert 'id="id_names_error"' in page
    page = refused(owner_client, f"{base}/new", given | {"eab_kid": "kid-1", "eab_key": "c2VjcmV0", "email": "nobody"})
    assert "c2VjcmV0" not in page
    assert not Certificate.objects.exists()


# How the names are proven.


def find_zone(organization: Organization, name: str) -> tuple[Credential, Zone]:
    """Stands for what the providers answer."""
    if not name.endswith("shop.example"):
        raise NotFound(f"No connected DNS provider holds a zone for {name}.", "Connect the one that serves the domain.")
    return Credential.objects.get(organization=organization), Zone("1", "shop.example")


@pytest.fixture
def dns(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> Credential:
    monkeypatch.setattr(preview, "follow_cname", lambda name: name)
    monkeypatch.setattr(preview, "credential_for", find_zone)
    return factories.storage(owner.organization, kind=Kind.DNS, provider="cloudflare", name="Our Cloudflare")


def test_the_credential_that_holds_the_zone_is_found_while_names_are_typed(
    owner_client: Client, base: str, dns: Credential
) -> None:
    page = text_of(owner_client, f"{base}/new/proof?names=shop.example&wildcard=on")
    assert "a wildcard can be proven in no other way" in page
    assert "Our Cloudflare holds its zone, shop.example" in page
    assert page.count("holds its zone") == 1
    assert "/settings/dns-providers/new" not in page
    page = text_of(owner_client, f"{base}/new/proof?names=shop.example%0A*.other.example&domain=other.example")
    assert "No connected DNS provider holds a zone for _acme-challenge.other.example." in page
    assert "Connect the one that serves the domain." in page
    assert 'href="/settings/dns-providers/new"' in page


def test_a_credential_or_a_challenge_that_was_chosen_is_not_looked_for(
    owner_client: Client, base: str, dns: Credential
) -> None:
    page = text_of(owner_client, f"{base}/new/proof?names=shop.example&challenge=dns-01&credential_id={dns.pk}")
    assert "with Our Cloudflare" in page
    assert "holds its zone" not in page
    page = text_of(owner_client, f"{base}/new/proof?names=shop.example")
    assert "no name is a wildcard" in page
    assert "every name has to lead to web-1" in page


# Uploading.


def test_one_is_uploaded_as_text_or_as_files(owner_client: Client, base: str) -> None:
    chain, key = Authority().issue("shop.example", "www.shop.example")
    response = owner_client.post(f"{base}/upload", {"chain": chain, "private_key": key})
    certificate = Certificate.objects.get(source=Source.UPLOADED)
    assert response["Location"] == certificate.get_absolute_url()
    Certificate.objects.all().delete()
    files = {
        "chain_file": SimpleUploadedFile("chain.pem", chain.encode()),
        "private_key_file": SimpleUploadedFile("key.pem", key.encode()),
    }
    assert owner_client.post(f"{base}/upload", files).status_code == 302
    assert Certificate.objects.get().names == ["shop.example", "www.shop.example"]


def test_what_cannot_be_used_is_refused_and_no_key_comes_back(owner_client: Client, base: str) -> None:
    chain, other = Authority().issue("shop.example")[0], Authority().issue("shop.example")[1]
    page = refused(owner_client, f"{base}/upload", {"chain": chain, "private_key": other})
    assert "The key does not belong to the certificate." in page
    assert "PRIVATE KEY" not in page
    assert "Paste it, or choose its file." in refused(owner_client, f"{base}/upload", {"chain": chain})
    binary = {"chain": chain, "private_key_file": SimpleUploadedFile("key.der", b"\xff\x00" * 9)}
    assert "This file is not PEM." in refused(owner_client, f"{base}/upload", binary)
    assert not Certificate.objects.exists()


# Accounts.


def test_the_accounts_of_the_organization(
    owner_client: Client, site: Site, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    factories.certificate(site)
    factories.certificate(site)
    Account.objects.create(
        organization=site.organization,
        directory_url=DIRECTORIES["zerossl"].url,
        email="ops@shop.example",
        private_key="made up",
        eab_kid="kid-1",
        eab_key="a secret key",
    )
    with django_assert_num_queries(5):
        page = text_of(owner_client, "/settings/acme-accounts")
    assert "ZeroSSL" in page
    assert "ops@shop.example" in page
    assert "kid-1" in page
    assert "a secret key" not in page
    assert re.findall(r'<td class="text-end">(\d+)</td>', page) == ["0", "2"]
    assert "ZeroSSL" not in text_of(owner_client, "/settings/acme-accounts?q=ca.example")
