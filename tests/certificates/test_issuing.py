"""What can be asked of certificates, by whom, and what is refused before anything is ordered."""

from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from certificates import actions
from certificates.acme.directories import DIRECTORIES
from certificates.models import Account, Certificate, Status
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Invalid
from jobs.models import Job
from providers.base import Kind
from providers.models import Credential
from providers.uses import uses_of
from sites.models import Site
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(owner: Actor) -> Site:
    server = factories.server(owner.organization)
    return factories.site(server, domain="shop.example", aliases=["www.shop.example"], installed_at=timezone.now())


def dns_credential(actor: Actor) -> Credential:
    credential = Credential(organization=actor.organization, kind=Kind.DNS, provider="hetzner", name="Zones")
    credential.seal({"token": "0" * 40})
    credential.save()
    return credential


def refused(actor: Actor, site: Site, **values: Any) -> dict[str, list[str]]:
    """The errors; nothing is left of it."""
    with pytest.raises(Invalid) as error:
        actions.issue_certificate(actor, site=site, **values)
    assert not Certificate.objects.exists()
    assert not Job.objects.exists()
    return error.value.errors


def test_without_a_word_it_is_for_the_names_of_the_site(owner: Actor, site: Site) -> None:
    certificate = actions.issue_certificate(owner, site=site)
    assert certificate.names == ["shop.example", "www.shop.example"]
    assert (certificate.challenge, certificate.status, certificate.key_type) == ("http-01", Status.PENDING, "ecdsa")
    assert certificate.account
    assert certificate.account.directory_url == DIRECTORIES["letsencrypt"].url
    assert "BEGIN PRIVATE KEY" in certificate.account.private_key
    assert certificate.job
    assert (certificate.job.kind, certificate.job.lane) == ("issue_certificate", certificate.lane)
    event = AuditEvent.objects.get(event="certificate.issued")
    assert event.target_id == certificate.pk


def test_a_wildcard_is_proven_by_dns_and_takes_the_place_of_what_it_covers(owner: Actor, site: Site) -> None:
    names = ["Shop.Example.", "*.shop.example", "www.shop.example"]
    certificate = actions.issue_certificate(owner, site=site, names=names)
    assert (certificate.names, certificate.challenge) == (["shop.example", "*.shop.example"], "dns-01")
    with pytest.raises(Invalid) as error:
        actions.issue_certificate(owner, site=site, names=["*.shop.example", "shop.example"])
    assert "renew that one" in error.value.errors["names"][0]


def test_names_are_the_site_s_own_or_below_a_domain_that_was_named(owner: Actor, site: Site) -> None:
    names = ["shop.example", "api.other.example", "*.other.example"]
    assert "api.other.example is no name of the site" in refused(owner, site, names=names)["names"][0]
    certificate = actions.issue_certificate(owner, site=site, names=names, domain="other.example")
    assert certificate.names == ["shop.example", "*.other.example"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"names": ["not a name"]}, "names"),
        ({"names": ["192.0.2.1"]}, "names"),
        ({"names": ["*"]}, "names"),
        ({"names": ["a.other.example"], "domain": "other.example"}, "names"),
        ({"names": ["*.shop.example"], "challenge": "http-01"}, "challenge"),
        ({"directory_url": "http://ca.example/directory"}, "directory_url"),
        ({"directory_url": "https://user@ca.example/directory"}, "directory_url"),
        ({"directory_url": "nobody"}, "directory_url"),
        ({"directory_url": "zerossl"}, "eab_kid"),
        ({"directory_url": "zerossl", "eab_kid": "kid"}, "eab_key"),
        ({"directory_url": "zerossl", "eab_kid": "kid", "eab_key": "no base64!"}, "eab_key"),
        ({"names": [f"n{number}.shop.example" for number in range(101)], "domain": "shop.example"}, "names"),
    ],
)
def test_what_could_not_be_issued_is_refused(owner: Actor, site: Site, values: dict[str, Any], field: str) -> None:
    assert list(refused(owner, site, **values)) == [field]
    assert not Account.objects.filter(directory_url__startswith="http:").exists()


def test_a_credential_is_one_of_the_organization_for_dns(owner: Actor, outsider: Actor, site: Site) -> None:
    invalid = {"credential_id": ["The selected credential id is invalid."]}
    assert refused(owner, site, credential=dns_credential(outsider)) == invalid
    assert refused(owner, site, credential=factories.storage(owner.organization)) == invalid
    credential = dns_credential(owner)
    assert "credential_id" in refused(owner, site, credential=credential, challenge="http-01")
    certificate = actions.issue_certificate(owner, site=site, credential=credential)
    assert certificate.challenge == "dns-01"
    assert [use.text for use in uses_of(credential)] == ["the certificate of shop.example"]


def test_an_account_is_bound_once(owner: Actor, site: Site) -> None:
    values: dict[str, Any] = {"directory_url": "zerossl", "eab_kid": "kid", "eab_key": "c2VjcmV0LWtleQ"}
    first = actions.issue_certificate(owner, site=site, names=["shop.example"], **values)
    again = actions.issue_certificate(owner, site=site, names=["www.shop.example"], directory_url="zerossl")
    assert first.account == again.account
    assert "c2VjcmV0LWtleQ" not in str(list(AuditEvent.objects.values()) + list(Job.objects.values()))


def test_who_may_not(owner: Actor, member: Actor, site: Site) -> None:
    certificate = factories.certificate(site)
    for attempt in (
        lambda: actions.issue_certificate(member, site=site),
        lambda: actions.renew_certificate(member, certificate=certificate),
        lambda: actions.revoke_certificate(member, certificate=certificate),
        lambda: actions.delete_certificate(member, certificate=certificate),
    ):
        with pytest.raises(Denied):
            attempt()
    assert not Job.objects.exists()


def test_a_site_that_is_not_on_its_server(owner: Actor) -> None:
    with pytest.raises(Conflict, match="not on its server"):
        actions.issue_certificate(owner, site=factories.site(factories.server(owner.organization)))


def test_renewing_is_queued_once(owner: Actor, site: Site) -> None:
    certificate = factories.certificate(site)
    job = actions.renew_certificate(owner, certificate=certificate)
    assert actions.renew_certificate(owner, certificate=certificate) == job
    Certificate.objects.update(status=Status.REVOKED)
    with pytest.raises(Conflict, match="revoked"):
        actions.renew_certificate(owner, certificate=certificate)


def test_revoking_names_a_reason_and_waits_for_other_work(owner: Actor, site: Site) -> None:
    certificate = factories.certificate(site)
    with pytest.raises(Invalid):
        actions.revoke_certificate(owner, certificate=certificate, reason="boredom")
    job = actions.revoke_certificate(owner, certificate=certificate, reason="key_compromise")
    assert job.params == {"issuance": certificate.current_id, "reason": "key_compromise"}
    with pytest.raises(Conflict, match="at work"):
        actions.delete_certificate(owner, certificate=certificate)


def test_what_was_never_installed_is_deleted_at_once(owner: Actor, site: Site) -> None:
    certificate = actions.issue_certificate(owner, site=site)
    Job.objects.update(status="failed")
    with pytest.raises(Conflict, match="Nothing"):
        actions.revoke_certificate(owner, certificate=certificate)
    assert actions.delete_certificate(owner, certificate=certificate) is None
    assert not Certificate.objects.exists()
    assert AuditEvent.objects.filter(event="certificate.deleted").count() == 1
