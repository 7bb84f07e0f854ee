"""The API of certificates: each operation as a program uses it, and what it costs."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from certificates.models import Certificate, Issuance, Source, Status
from deploynix.actor import Actor
from deploynix.ids import new_id
from jobs.models import Job
from jobs.models import Status as JobStatus
from providers.base import Kind
from servers.models import Server
from servers.ssh import generate_key
from sites.models import Site
from tests import factories
from tests.apiclient import ApiClient
from tests.certificates.authority import Authority
from tokens.actions import create_token

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def host_key() -> str:
    return " ".join(generate_key("host").public.split()[:2])


@pytest.fixture
def server(owner: Actor, host_key: str) -> Server:
    return factories.provisioned_server(owner.organization, host_key=host_key, name="web-1")


@pytest.fixture
def site(server: Server) -> Site:
    return factories.site(
        server, domain="shop.example", aliases=["www.shop.example"], username="s-shop", installed_at=timezone.now()
    )


@pytest.fixture
def certificate(site: Site) -> Certificate:
    return factories.certificate(site)


@pytest.fixture
def path(site: Site) -> str:
    return f"/servers/{site.server_id}/sites/{site.pk}/certificates"


def ids_of(api: ApiClient, path: str) -> list[str]:
    response = api.get(path)
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["data"]]


def test_one_is_issued_for_the_names_of_the_site(api: ApiClient, path: str) -> None:
    response = api.post(path)
    assert response.status_code == 202, response.content
    body = response.json()
    assert body["message"] == "The certificate is queued."
    assert body["data"]["names"] == ["shop.example", "www.shop.example"]
    assert (body["data"]["source"], body["data"]["challenge"]) == ("acme", "http-01")
    assert body["data"]["directory_url"] == "https://acme-v02.api.letsencrypt.org/directory"
    assert body["data"]["not_after"] is None
    assert body["job"]["id"] == body["data"]["job_id"]
    assert Job.objects.get(pk=body["job"]["id"]).subject_id == body["data"]["id"]


def test_a_wildcard_is_issued_with_all_that_can_be_chosen(api: ApiClient, path: str, owner: Actor) -> None:
    credential = factories.storage(owner.organization, kind=Kind.DNS, provider="cloudflare")
    given: dict[str, Any] = {
        "names": ["shop.example", "*.shop.example"],
        "challenge": "dns-01",
        "credential_id": credential.pk,
        "directory_url": "https://dv.acme-v02.api.pki.goog/directory",
        "email": "ops@shop.example",
        "eab_kid": "kid-1",
        "eab_key": "c2VjcmV0LWhtYWMta2V5",
        "key_type": "rsa",
        "preferred_chain": "GTS Root R1",
    }
    response = api.post(path, given)
    assert response.status_code == 202, response.content
    assert given["eab_key"].encode() not in response.content
    data = response.json()["data"]
    for name in ("directory_url", "names", "challenge", "credential_id", "key_type", "preferred_chain"):
        assert data[name] == given[name], name
    account = Certificate.objects.get(pk=data["id"]).account
    assert account is not None
    assert (account.email, account.eab_kid, account.eab_key) == ("ops@shop.example", "kid-1", given["eab_key"])


def test_one_is_uploaded_and_its_key_never_comes_back(api: ApiClient, path: str) -> None:
    chain, key = Authority().issue("shop.example", "www.shop.example")
    response = api.post(path, {"chain": chain, "private_key": key})
    assert response.status_code == 202, response.content
    data = response.json()["data"]
    assert (data["source"], data["names"]) == ("uploaded", ["shop.example", "www.shop.example"])
    assert (data["directory_url"], data["renew_at"]) == (None, None)
    answers = [response, api.get(f"{path}/{data['id']}"), api.get(path), api.get("/certificates")]
    for answer in answers:
        assert b"PRIVATE KEY" not in answer.content
    assert Issuance.objects.get(certificate=data["id"]).private_key.startswith("-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"credential_id": new_id()}, "credential_id", "The selected credential id is invalid."),
        ({"challenge": "tls-alpn-01"}, "challenge", "The selected challenge is invalid."),
        ({"key_type": "dsa"}, "key_type", "The selected key type is invalid."),
        ({"names": []}, "names", "at least 1"),
        ({"names": ["-shop.example"]}, "names", ""),
        ({"names": ["*.shop.example"], "challenge": "http-01"}, "challenge", ""),
        ({"chain": "-----BEGIN CERTIFICATE-----"}, "private_key", "The private key field is required."),
        ({"chain": "x", "private_key": "y", "names": ["shop.example"]}, "names", "leave this out"),
        ({"chain": "x", "private_key": Authority().issue("shop.example")[1]}, "chain", "This is no chain"),
        ({"names": ["other.example"]}, "names", "other.example is no name of the site."),
        ({"directory_url": "http://ca.example/directory"}, "directory_url", "https://"),
        ({"wildcard": True}, "wildcard", ""),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], field: str, said: str, api: ApiClient, path: str) -> None:
    response = api.post(path, values)
    assert response.status_code == 422, response.content
    assert field in {name.partition(".")[0] for name in response.json()["errors"]}
    assert said in str(response.json()["errors"])
    assert not Certificate.objects.exists()


def test_a_credential_of_another_kind_is_refused(api: ApiClient, path: str, owner: Actor) -> None:
    response = api.post(path, {"credential_id": factories.storage(owner.organization).pk})
    assert response.json()["errors"] == {"credential_id": ["The selected credential id is invalid."]}


def test_one_is_read_in_three_places(api: ApiClient, path: str, certificate: Certificate) -> None:
    other = factories.certificate(factories.site(certificate.server))
    elsewhere = factories.certificate(factories.site(factories.server(certificate.organization)), status=Status.FAILED)
    assert ids_of(api, path) == [certificate.pk]
    assert ids_of(api, f"/servers/{certificate.server_id}/certificates") == [other.pk, certificate.pk]
    assert ids_of(api, "/certificates") == [elsewhere.pk, other.pk, certificate.pk]
    assert ids_of(api, "/certificates?status=failed") == [elsewhere.pk]
    assert api.get("/certificates?status=lost").status_code == 422
    shown = api.get(f"{path}/{certificate.pk}").json()["data"]
    assert shown == api.get(f"/servers/{certificate.server_id}/certificates/{certificate.pk}").json()["data"]
    assert (shown["issuer"], shown["directory_url"]) == ("Example CA", "https://ca.example/directory")
    assert shown["not_before"] < shown["renew_at"] < shown["not_after"]
    assert api.get(f"{path}/{other.pk}").status_code == 404


def test_the_chain_is_shown_and_the_key_is_not(api: ApiClient, path: str, certificate: Certificate) -> None:
    response = api.get(f"{path}/{certificate.pk}/chain")
    assert response.json()["data"]["chain"].startswith("-----BEGIN CERTIFICATE-----")
    assert response.json()["data"].keys() == {"chain", "fingerprint"}
    Certificate.objects.update(current=None)
    assert api.get(f"{path}/{certificate.pk}/chain").status_code == 409


def test_one_is_renewed_and_revoked(api: ApiClient, path: str, certificate: Certificate) -> None:
    for name, body, message in (
        ("renew", None, "The renewal is queued."),
        ("revoke", {"reason": "superseded"}, "The revocation is queued."),
    ):
        response = api.post(f"{path}/{certificate.pk}/{name}", body)
        assert response.status_code == 202, response.content
        assert response.json()["message"] == message
        assert Job.objects.get(pk=response.json()["job"]["id"]).subject_id == certificate.pk
        Job.objects.update(status=JobStatus.SUCCEEDED)
    assert api.post(f"{path}/{certificate.pk}/revoke", {"reason": "boredom"}).status_code == 422


def test_what_was_uploaded_is_not_renewed(api: ApiClient, path: str, site: Site) -> None:
    uploaded = factories.certificate(site, source=Source.UPLOADED, account=None, renew_at=None)
    assert api.post(f"{path}/{uploaded.pk}/renew").status_code == 409


def test_one_is_deleted_below_its_site_and_its_server(api: ApiClient, path: str, site: Site) -> None:
    for address in (path, f"/servers/{site.server_id}/certificates"):
        made = factories.certificate(site)
        response = api.delete(f"{address}/{made.pk}")
        assert response.status_code in (202, 204), response.content
        Job.objects.update(status=JobStatus.SUCCEEDED)


def test_a_token_that_sees_one_site_sees_its_certificates_alone(owner: Actor, certificate: Certificate) -> None:
    other = factories.certificate(factories.site(certificate.server))
    api = ApiClient(create_token(owner, name="limited", sites=[certificate.site_id])[1])
    assert ids_of(api, "/certificates") == [certificate.pk]
    assert ids_of(api, f"/servers/{certificate.server_id}/certificates") == [certificate.pk]
    hidden = f"/servers/{other.server_id}/sites/{other.site_id}/certificates"
    assert api.get(hidden).status_code == api.get(f"{hidden}/{other.pk}").status_code == 404
    assert api.post(hidden).status_code == 404


@pytest.mark.parametrize("below", ["", "/servers/{server}", "/servers/{server}/sites/{site}"])
def test_a_list_costs_the_same_however_long_it_is(
    below: str, api: ApiClient, site: Site, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        factories.certificate(site)
    address = below.format(server=site.server_id, site=site.pk) + "/certificates"
    # The token, and one page with the number of all.
    with django_assert_num_queries(2):
        assert len(ids_of(api, address)) == 4


def test_a_list_below_what_is_not_there_is_not_found(api: ApiClient, site: Site) -> None:
    assert ids_of(api, f"/servers/{site.server_id}/sites/{site.pk}/certificates") == []
    assert api.get(f"/servers/{new_id()}/certificates").status_code == 404
    assert api.get(f"/servers/{site.server_id}/sites/{new_id()}/certificates").status_code == 404
