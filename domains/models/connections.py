"""Connections: a domain that leads to an application, by records that are wanted in its zone."""

from datetime import datetime
from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from deploynix.ids import IdField
from deploynix.names import check_domain
from domains.models.applications import Application
from organizations.models import Organization, OwnedQuerySet
from providers.models import Credential

SHORTEST_TTL, USUAL_TTL, LONGEST_TTL = 60, 300, 86_400
LONGEST_VALUE = 2048
# Where, below the domain, the token stands that shows whose it is, and what is written before it.
OWNERSHIP_LABEL = "_deploynix"
OWNERSHIP_PREFIX = "deploynix-verification="


class Way(models.TextChoices):
    """How the records come into the zone."""

    CREDENTIAL = "credential", "With a DNS credential"
    DOMAIN_CONNECT = "domain_connect", "Domain Connect"
    MANUAL = "manual", "By hand"


class State(models.TextChoices):
    """`pending`: somebody has to do something, `verifying`: the name servers are asked, `active`: they answer it."""

    PENDING = "pending"
    APPLYING = "applying"
    VERIFYING = "verifying"
    ACTIVE = "active"
    FAILING = "failing"
    DISCONNECTED = "disconnected"


class RecordType(models.TextChoices):
    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    TXT = "TXT"


class ConnectionQuerySet(OwnedQuerySet["Connection"]):
    def standing(self) -> Self:
        """Those that have not been disconnected."""
        return self.exclude(state=State.DISCONNECTED)


class Connection(models.Model):
    """A domain, and how it is connected to an application.

    `zone` is what the provider calls the zone, where its credential does not say: a hosted zone id, a managed zone.
    `apex` is the zone's name, once it was found. `token` shows that whoever writes the zone means this organization.
    `dns_provider` is who hosts the zone, where that is known, and `sync_url` where Domain Connect sends people.
    `reason` says why it is pending or failing; `alarmed_at` is when people were told that it fails, until it no longer
    does. `leaving_at` is when somebody asked for it to be disconnected.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="connections")
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="connections")
    domain = models.CharField(max_length=253, validators=[check_domain])
    way = models.CharField(max_length=16, choices=Way.choices)
    credential = models.ForeignKey(
        Credential, null=True, blank=True, on_delete=models.RESTRICT, related_name="connections"
    )
    zone = models.CharField(max_length=253, blank=True)
    apex = models.CharField(max_length=253, blank=True)
    token = models.CharField(max_length=64)
    sync_url = models.CharField(max_length=500, blank=True)
    dns_provider = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    reason = models.TextField(blank=True)
    alarmed_at = models.DateTimeField(null=True, blank=True)
    leaving_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    active_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[ConnectionQuerySet] = ConnectionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "domain"],
                condition=~models.Q(state="disconnected"),
                name="one_connection_per_domain",
            ),
            # Whoever shows the token first holds the domain, whatever other organizations there are.
            models.UniqueConstraint(
                fields=["domain"], condition=models.Q(state="active"), name="one_active_connection_per_domain"
            ),
        ]
        indexes = [
            models.Index(fields=["application", "-id"], name="connection_by_application"),
            models.Index(fields=["checked_at"], name="connection_by_check"),
        ]

    def __str__(self) -> str:
        return self.domain

    def get_absolute_url(self) -> str:
        return reverse("connection_detail", args=[self.application_id, self.pk])

    @property
    def lane(self) -> str:
        """One job at a time works on a connection."""
        return f"connection:{self.pk}"

    @property
    def is_busy(self) -> bool:
        return self.state in (State.APPLYING, State.VERIFYING) or self.is_leaving

    @property
    def is_leaving(self) -> bool:
        return self.leaving_at is not None and self.state != State.DISCONNECTED


class WantedRecord(models.Model):
    """A value that shall be in the zone; `name` is relative to the connection's domain, and empty for itself.

    `put_at` is written before the value is put there by us, and taken away once it is gone again: what was there before
    has none. `seen_at` is when all name servers that answered last had it, `sight` is what they say otherwise.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="records")
    type = models.CharField(max_length=8, choices=RecordType.choices)
    name = models.CharField(max_length=253, blank=True)
    value = models.CharField(max_length=LONGEST_VALUE)
    ttl = models.PositiveIntegerField(
        default=USUAL_TTL, validators=[MinValueValidator(SHORTEST_TTL), MaxValueValidator(LONGEST_TTL)]
    )
    put_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    sight = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.full_name} {self.type}"

    @property
    def full_name(self) -> str:
        return f"{self.name}.{self.connection.domain}" if self.name else self.connection.domain

    @property
    def is_ownership(self) -> bool:
        return self.name == OWNERSHIP_LABEL


class RecordConflict(models.Model):
    """A value of others that stands in the way of what is wanted; `name` is absolute.

    It is overwritten only once somebody has confirmed that. `removed_at` is written before it is taken away, so that
    what was there stays on record.
    """

    id = IdField()
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="conflicts")
    name = models.CharField(max_length=253)
    type = models.CharField(max_length=8, choices=RecordType.choices)
    value = models.TextField()
    ttl = models.PositiveIntegerField(default=0)
    found_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name", "type", "value")

    def __str__(self) -> str:
        return f"{self.name} {self.type} {self.value}"


class Handover(models.Model):
    """Somebody was sent to their DNS provider, and may come back once. The state is stored only as its SHA-256."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="handovers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    state_hash = models.CharField(max_length=64, unique=True)
    expires_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.connection} of {self.user}"
