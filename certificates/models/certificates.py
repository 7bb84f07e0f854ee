"""Certificates: what names a site is to be served under, and how they are proven."""

from collections.abc import Iterator
from typing import ClassVar, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone

from certificates.models.accounts import Account
from deploynix.actor import Actor
from deploynix.ids import IdField
from jobs.models import Job
from organizations.models import OwnedQuerySet
from providers.models import Credential
from providers.uses import Use
from servers.models import Server
from sites.models import Site


class Source(models.TextChoices):
    ACME = "acme", "Issued by a certificate authority"
    UPLOADED = "uploaded", "Uploaded"


class Challenge(models.TextChoices):
    """RFC 8555, sections 8.3 and 8.4."""

    HTTP = "http-01", "HTTP-01"
    DNS = "dns-01", "DNS-01"


class KeyType(models.TextChoices):
    ECDSA = "ecdsa", "ECDSA P-256"
    RSA = "rsa", "RSA 2048"


class Reason(models.TextChoices):
    """Why one is revoked: RFC 5280, section 5.3.1."""

    UNSPECIFIED = "unspecified", "None of these"
    KEY_COMPROMISE = "key_compromise", "Its private key may be in other hands"
    AFFILIATION_CHANGED = "affiliation_changed", "The names belong to somebody else now"
    SUPERSEDED = "superseded", "Another certificate took its place"
    CESSATION_OF_OPERATION = "cessation_of_operation", "The site is given up"

    @property
    def code(self) -> int:
        return {"key_compromise": 1, "affiliation_changed": 3, "superseded": 4, "cessation_of_operation": 5}.get(
            self, 0
        )


class Status(models.TextChoices):
    """`active`: the server serves it, which was read back by a TLS handshake."""

    PENDING = "pending"
    ISSUING = "issuing"
    INSTALLING = "installing"
    ACTIVE = "active"
    FAILED = "failed"
    REVOKED = "revoked"


class CertificateQuerySet(OwnedQuerySet["Certificate"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those of the organization; for a token that is limited, those of the sites and servers that it sees."""
        own = super().visible_to(actor)
        if actor.resources is None:
            return own
        return own.filter(site__in=Site.objects.visible_to(actor))


class Certificate(models.Model):
    """Names that a site is served under by TLS, kept so by renewal. `current` is what is installed.

    `names` are in small letters and ASCII, the first is the common one; a wildcard implies DNS-01. `credential` is the
    DNS credential that was chosen; without one it is looked for each time. `preferred_chain` is the common name of the
    root that is preferred, where the CA offers several chains. `renew_at` is when it is next due, `ask_at` when the CA
    is next asked for that (RFC 9773), `rehearse_at` when its renewal is rehearsed; `failures` counts those in a row,
    `failed_at` is the last one. `alarm` says why people are needed. `served_at` is when a handshake last found
    `current` on the server.
    """

    id = IdField()
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.CASCADE, related_name="certificates"
    )
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="certificates")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="certificates")
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.ACME)
    names = models.JSONField(default=list)
    challenge = models.CharField(max_length=16, choices=Challenge.choices, blank=True)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.RESTRICT, related_name="certificates")
    credential = models.ForeignKey(
        Credential, null=True, blank=True, on_delete=models.RESTRICT, related_name="certificates"
    )
    key_type = models.CharField(max_length=16, choices=KeyType.choices, default=KeyType.ECDSA)
    preferred_chain = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    current = models.ForeignKey("Issuance", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    renew_at = models.DateTimeField(null=True, blank=True)
    ask_at = models.DateTimeField(null=True, blank=True)
    rehearse_at = models.DateTimeField(null=True, blank=True)
    rehearsed_at = models.DateTimeField(null=True, blank=True)
    rehearsal_error = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    hint = models.TextField(blank=True)
    alarm = models.TextField(blank=True)
    alarmed_at = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="certificates")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[CertificateQuerySet] = CertificateQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="certificate_by_time"),
            models.Index(fields=["server", "-id"], name="certificate_by_server"),
            models.Index(fields=["site", "-id"], name="certificate_by_site"),
            models.Index(fields=["renew_at"], condition=models.Q(renew_at__isnull=False), name="certificate_due"),
            models.Index(fields=["ask_at"], condition=models.Q(ask_at__isnull=False), name="certificate_to_ask"),
            models.Index(
                fields=["rehearse_at"], condition=models.Q(rehearse_at__isnull=False), name="certificate_to_try"
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(self.names)

    def get_absolute_url(self) -> str:
        return reverse("certificate_detail", args=[self.pk])

    @property
    def lane(self) -> str:
        """One job at a time works on a certificate."""
        return f"certificate:{self.pk}"

    @property
    def has_wildcard(self) -> bool:
        return any(name.startswith("*.") for name in self.names)


def uses_of_dns_credential(credential: Credential) -> Iterator[Use]:
    for certificate in Certificate.objects.filter(credential=credential).select_related("site").order_by("pk"):
        yield Use(f"the certificate of {certificate.site}", certificate.get_absolute_url())
