"""Orders of certificates that nobody installs: as much of issuing as takes place between Deploynix, a CA and DNS."""

from typing import Any

import dns.message
import dns.query
from django.conf import settings

from certificates.accounts import account_at
from certificates.acme.client import Acme
from certificates.acme.keys import account_key
from certificates.actions.proofs import CLEAN
from certificates.models import Account, Certificate, Challenge, Issuance, Proof
from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job, JobLog
from jobs.runner import run_job
from providers import values as fields
from providers.base import Kind
from providers.models import Credential, Status
from providers.registry import provider_of
from tests import factories
from tests.lab.authorities import Authority
from tests.lab.dns_servers import Bind, DnsServer, PowerDns, Served
from tests.lab.toyapp.kinds import OrderOnly
from tests.peers import wait_until

NAMES = ("example.test", "*.example.test")
RECORD = "_acme-challenge.example.test"


def dns_credential(actor: Actor, server: Bind | PowerDns, /, **other: str) -> Credential:
    provider = "rfc2136" if isinstance(server, Bind) else "powerdns"
    declaration = provider_of(Kind.DNS, provider)
    given, secrets = fields.divide(declaration, fields.complete(declaration, server.values(**other)))
    rows = Credential.objects.filter(organization=actor.organization)
    credential = Credential(
        organization=actor.organization, kind=Kind.DNS, provider=provider, name=f"DNS {rows.count()}", status=Status.OK
    )
    credential.settings = given
    credential.seal(secrets)
    credential.save()
    return credential


def certificate(actor: Actor, authority: Authority, *names: str, **values: Any) -> Certificate:
    site = factories.site(factories.server(actor.organization), domain="example.test")
    defaults: dict[str, Any] = {"challenge": Challenge.DNS, "account": account_at(actor.organization, authority.url)}
    return Certificate.objects.create(
        organization=actor.organization, server=site.server, site=site, names=names or NAMES, **defaults | values
    )


def ordered(actor: Actor, certificate: Certificate) -> Job:
    return enqueue_job(actor, kind=OrderOnly.name, subject=certificate, label="Order", lane=certificate.lane)


def run(job: Job) -> Job:
    run_job(job.pk)
    job.refresh_from_db()
    return job


def issued(actor: Actor, certificate: Certificate) -> Issuance:
    job = run(ordered(actor, certificate))
    assert job.status == "succeeded", (job.error, job.hint, log_of(job))
    await_forgetting()
    return Issuance.objects.get(pk=job.result["issuance"])


def await_forgetting() -> None:
    """Until the resolver, and so the authority, sees nothing more of proofs that were removed."""
    for proof in Proof.objects.exclude(removed_at=None).order_by("-pk")[:2]:
        question = dns.message.make_query(proof.record_name, "TXT")
        wait_until(lambda value=proof.value, asked=question: value not in resolved(asked), 10, "forgetting")  # type: ignore[misc]


def resolved(question: dns.message.Message) -> str:
    return dns.query.udp(question, settings.DNS_RESOLVERS[0], timeout=5).to_text()


def log_of(job: Job) -> str:
    return "".join(JobLog.objects.filter(job=job).order_by("offset").values_list("text", flat=True))


def values_at(server: DnsServer, name: str = RECORD) -> set[str]:
    """The TXT values that the server holds there."""
    zone = ".".join(name.split(".")[-2:])
    return {row.value for row in Served(server).found(zone, name, "TXT")}


def cleaned(actor: Actor) -> None:
    """Runs the jobs that remove what others have left."""
    for job in Job.objects.open().filter(organization=actor.organization, kind=CLEAN):
        assert run(job).status == "succeeded", job.error


def orders_at(authority: Authority) -> int:
    """So many were placed there, whoever wrote them down."""
    count = 0
    for account in Account.objects.filter(directory_url=authority.url).exclude(url=""):
        count += len(list(Acme(authority.url, account_key(account.private_key), account.url).orders()))
    return count
