"""Having certificates issued by an authority."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.db import transaction

from audit.log import record
from certificates.accounts import account_at
from certificates.acme.directories import directory_at, url_of
from certificates.actions import checks
from certificates.models import Account, Certificate, Challenge, KeyType, Status
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.actions import enqueue_job
from jobs.models import Job
from providers.base import Kind
from providers.models import Credential
from sites.models import Site

ISSUE = "issue_certificate"


@transaction.atomic
def issue_certificate(
    actor: Actor,
    *,
    site: Site,
    names: Sequence[str] = (),
    domain: str = "",
    challenge: str = "",
    credential: Credential | None = None,
    directory_url: str = "",
    email: str = "",
    eab_kid: str = "",
    eab_key: str = "",
    key_type: str = KeyType.ECDSA,
    preferred_chain: str = "",
) -> Certificate:
    """Queues a certificate for the names, without any for those of the site; a wildcard is proven by DNS-01.

    Each name is one of the site's, a wildcard that one of them falls under, or at or below `domain`. `directory_url` is
    an https:// address, or a key of DIRECTORIES. `credential` is the DNS credential, looked for where none is given.
    `eab_kid` and `eab_key` bind a new account to a customer of the authority.

    Raises Denied, Invalid (naming the field), ValidationError, and Conflict for a site that is not on its server.
    """
    actor.require("certificate:create")
    site = Site.objects.select_for_update().select_related("server").get(pk=site.pk)
    checks.ready(site)
    wanted = checks.names_of(site, names, domain)
    certificate = Certificate(
        organization=site.organization,
        server=site.server,
        site=site,
        names=wanted,
        challenge=chosen_challenge(wanted, challenge, credential),
        credential=_dns_credential(actor, credential),
        key_type=key_type,
        preferred_chain=preferred_chain,
    )
    certificate.clean_fields(exclude=["account"])
    _require_new(certificate)
    certificate.account = _account(actor, directory_url, email, eab_kid, eab_key)
    certificate.save()
    record(actor, "certificate.issued", certificate, {"names": [None, wanted]})
    enqueue_issue(actor, certificate, f"Issue a certificate for {site}")
    return certificate


@transaction.atomic
def renew_certificate(actor: Actor, *, certificate: Certificate) -> Job:
    """Queues another one of the same names, or finds the job that makes one. What is installed stays until then.

    Raises Denied, and Conflict for one that was uploaded or revoked.
    """
    actor.require("certificate:create")
    certificate = checks.locked(certificate)
    if certificate.account is None:
        raise Conflict("This certificate was uploaded.", "Upload another one in its place.")
    if certificate.status == Status.REVOKED:
        raise Conflict("This certificate was revoked.", "Issue another one.")
    known = Job.objects.open().about(certificate).filter(kind=ISSUE).first()
    record(actor, "certificate.renewed", certificate)
    return known or enqueue_issue(actor, certificate, f"Renew the certificate of {certificate.site}")


def enqueue_issue(actor: Actor, certificate: Certificate, label: str) -> Job:
    job = enqueue_job(actor, kind=ISSUE, subject=certificate, label=label, lane=certificate.lane)
    certificate.job = job
    certificate.save(update_fields=["job", "updated_at"])
    return job


def chosen_challenge(names: Sequence[str], wanted: str, credential: Credential | None = None) -> str:
    """How the names are to be proven, where `wanted` may be empty. Raises Invalid for a way that does not fit."""
    has_wildcard = any(name.startswith("*.") for name in names)
    if wanted == Challenge.HTTP and has_wildcard:
        raise Invalid({"challenge": ["A wildcard can only be proven by dns-01."]})
    if wanted == Challenge.HTTP and credential:
        raise Invalid({"credential_id": ["A DNS credential is of no use for http-01."]})
    return wanted or (Challenge.DNS if has_wildcard or credential else Challenge.HTTP)


def _dns_credential(actor: Actor, credential: Credential | None) -> Credential | None:
    if credential and (credential.kind != Kind.DNS or credential.organization_id != actor.organization.pk):
        raise Invalid({"credential_id": ["The selected credential id is invalid."]})
    return credential


def _require_new(certificate: Certificate) -> None:
    rows = Certificate.objects.filter(site=certificate.site).exclude(account=None)
    for row in rows.exclude(status__in=(Status.REVOKED, Status.FAILED)):
        if set(row.names) == set(certificate.names):
            raise Invalid({"names": ["The site has a certificate of these names already: renew that one."]})


def _account(actor: Actor, directory: str, email: str, eab_kid: str, eab_key: str) -> Account:
    url = url_of(directory)
    _check_directory(url)
    if bool(eab_kid) != bool(eab_key):
        missing = "eab_key" if eab_kid else "eab_kid"
        raise Invalid({missing: ["The key id and the HMAC key belong together: give both."]})
    checks.hmac_key(eab_key)
    account = account_at(actor.organization, url, email=email, eab_kid=eab_kid, eab_key=eab_key)
    known = directory_at(url)
    if known and known.needs_binding and not (account.url or account.eab_kid or eab_kid):
        text = f"{known.label} serves its customers only: give the key id and HMAC key that it gave you."
        raise Invalid({"eab_kid": [text]})
    return account


def _check_directory(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or len(url) > 500:
        raise Invalid({"directory_url": ["Give the https:// address of an ACME directory."]})
