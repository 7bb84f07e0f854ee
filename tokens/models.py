"""Tokens of every kind. The secret itself is not stored, only a keyed digest of it."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models import User
from deploynix.actor import Actor
from deploynix.ids import IdField
from organizations.models import Organization, OwnedQuerySet


class Kind(models.TextChoices):
    PERSONAL = "personal"


class TokenQuerySet(OwnedQuerySet["Token"]):
    def active(self) -> "TokenQuerySet":
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.filter(unexpired, revoked_at=None)

    def of_actor(self, actor: Actor) -> "TokenQuerySet":
        """The actor's own."""
        return self.visible_to(actor).filter(user=actor.user)

    def shown_to(self, actor: Actor) -> "TokenQuerySet":
        """The actor's own, and with token:read everybody's in the organization."""
        return self.visible_to(actor) if actor.can("token:read") else self.of_actor(actor)

    def revocable_by(self, actor: Actor) -> "TokenQuerySet":
        """The actor's own, and with token:delete everybody's in the organization."""
        return self.visible_to(actor) if actor.can("token:delete") else self.of_actor(actor)


class Token(models.Model):
    """A credential of a user in one organization.

    What it may do is `abilities`, as granted, cut to what the user's role allows at the time of the request.
    """

    id = IdField()
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.PERSONAL)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=255)
    prefix = models.CharField(max_length=32)
    public_id = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    pepper = models.PositiveSmallIntegerField()
    abilities = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)
    use_count = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[TokenQuerySet] = TokenQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(fields=["organization", "user", "-id"], name="token_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}{self.public_id})"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()
