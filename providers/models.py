"""What organizations have connected: one row per credential, its secrets encrypted."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils import timezone
from fernet_fields import DecryptionError

from deploynix.actor import Actor
from deploynix.errors import Error
from deploynix.fields import EncryptedJSONField
from deploynix.ids import IdField
from organizations.models import Organization, OwnedQuerySet
from providers.base import KIND_LABELS, Kind, Provider
from providers.registry import provider_of

# So long before its end a credential asks to be replaced.
EXPIRY_WARNING = timedelta(days=14)


class Unopenable(Error):
    """What is stored does not open: it was encrypted under another key, or for another row."""

    code = "credential_unopenable"


class Status(models.TextChoices):
    """What the last verification found. `limited`: a permission that is needed is denied."""

    UNCHECKED = "unchecked"
    OK = "ok", "OK"
    LIMITED = "limited"
    INVALID = "invalid"
    UNREACHABLE = "unreachable"


class CredentialManager(models.Manager["Credential"]):
    """Leaves the secrets in the database until one row's are asked for."""

    def get_queryset(self) -> OwnedQuerySet["Credential"]:
        return OwnedQuerySet(self.model, using=self._db).defer("sealed")

    def visible_to(self, actor: Actor) -> OwnedQuerySet["Credential"]:
        return self.get_queryset().visible_to(actor)


class Credential(models.Model):
    """What opens an account at a provider. `settings` are its fields that are no secrets, by name; `sealed` holds the
    others, bound to this row and organization. `findings` are of the last verification: a list of `{"permission",
    "label", "verdict", "evidence", "fix"}`; `last_ok_at` is when one last found these secrets in order. `expires_at` is
    when the credential ends, where the provider tells.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="credentials")
    kind = models.CharField(max_length=16, choices=[(kind.value, label) for kind, label in KIND_LABELS.items()])
    provider = models.CharField(max_length=32)
    name = models.CharField(max_length=100)
    settings = models.JSONField(default=dict, blank=True)
    sealed = EncryptedJSONField(editable=False)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.UNCHECKED)
    status_reason = models.TextField(blank=True)
    findings = models.JSONField(default=list, blank=True)
    account = models.CharField(max_length=255, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[CredentialManager] = CredentialManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "name"], name="one_credential_per_name"),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="credential_by_time"),
            models.Index(fields=["checked_at"], name="credential_by_check"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("credential_detail", args=[self.kind, self.pk])

    @property
    def declaration(self) -> type[Provider]:
        return provider_of(Kind(self.kind), self.provider)

    @property
    def lane(self) -> str:
        return f"credential:{self.pk}"

    def seal(self, secrets: Mapping[str, str]) -> None:
        self.sealed = {  # type: ignore[assignment]  # the stubs know no JSON field that is encrypted
            "organization": self.organization_id,
            "credential": self.pk,
            "secrets": dict(secrets),
        }

    @property
    def secrets(self) -> dict[str, str]:
        """Raises Unopenable."""
        try:
            sealed = self.sealed
        except DecryptionError as error:
            raise Unopenable(
                f"The secrets of {self} cannot be decrypted.",
                "FERNET_KEYS lacks the key that they were stored under: put it back, or replace the secrets.",
            ) from error
        if (sealed["organization"], sealed["credential"]) != (self.organization_id, self.pk):
            raise Unopenable(
                f"What is stored as the secrets of {self} belongs to another credential.",
                "Somebody has changed the database by hand. Replace the secrets.",
            )
        return dict(sealed["secrets"])

    @property
    def values(self) -> dict[str, str]:
        """All its fields, by name. Raises Unopenable."""
        return {**self.settings, **self.secrets}

    @property
    def adapter(self) -> Provider:
        """Makes the provider's calls with this credential. Raises Unopenable."""
        return self.declaration(self.values)

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def expires_soon(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now() + EXPIRY_WARNING


class CredentialAlert(models.Model):
    """A warning that was sent about a credential; `subject` tells two of a kind apart, so that none is sent twice."""

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["credential", "kind", "subject"], name="one_credential_alert_per_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
