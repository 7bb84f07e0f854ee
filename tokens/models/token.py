"""One table for the three kinds of token. The secret itself is not stored, only a keyed digest of it."""

from typing import ClassVar, Self, cast

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from accounts.models import User
from deploynix.actor import Actor
from deploynix.ids import IdField
from organizations.models import Organization, OwnedQuerySet
from tokens.resources import within_limits

# What the id of an API key starts with where it is shown; the public id follows.
KEY_ID_PREFIX = "key_"
SHORTEST_NAME = 3
LONGEST_DESCRIPTION = 1000


class Kind(models.TextChoices):
    PERSONAL = "personal", "Personal token"
    API_KEY = "api_key", "API key"
    ACCESS = "access", "Access token"


class Environment(models.TextChoices):
    """What a test key does is undone: it is a dry run."""

    LIVE = "live"
    TEST = "test"


class RateType(models.TextChoices):
    STANDARD = "standard"
    HIGH_VOLUME = "high_volume", "High volume"
    LIMITED = "limited"
    UNLIMITED = "unlimited"


class TokenQuerySet(OwnedQuerySet["Token"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those of the organization; for a token that is limited, itself and those that see no more than it does."""
        own = super().visible_to(actor)
        if actor.resources is None:
            return own
        limited = own.filter(resources__isnull=False).values_list("pk", "resources")
        return own.filter(pk__in=within_limits(actor, limited))

    def unrevoked(self) -> "TokenQuerySet":
        return self.filter(revoked_at=None)

    def active(self) -> "TokenQuerySet":
        """Those that open something now."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.unrevoked().filter(unexpired, is_active=True)

    def of_actor(self, actor: Actor) -> "TokenQuerySet":
        """The actor's own. An API key or access token is no person: of all tokens, only itself is its own."""
        own = self.visible_to(actor).filter(user=actor.user)
        return own if actor.token_kind in ("", Kind.PERSONAL) else own.filter(pk=actor.token_id)

    def shown_to(self, actor: Actor) -> "TokenQuerySet":
        """The actor's own, and with token:read everybody's in the organization."""
        return self.visible_to(actor) if actor.can("token:read") else self.of_actor(actor)

    def revocable_by(self, actor: Actor) -> "TokenQuerySet":
        """The actor's own, and with token:delete everybody's in the organization."""
        return self.visible_to(actor) if actor.can("token:delete") else self.of_actor(actor)


class Token(models.Model):
    """A credential of an organization, made by one of its members.

    `grants` are words of the kind's vocabulary (`tokens.vocabularies`), as they were granted; they open no more than
    the role of the maker does at the time of a request. `ip_allowlist` holds networks in CIDR form; an empty one lets
    everybody in. `resources` is null, or the only servers and sites the token sees: `{"servers": [id], "sites": [id]}`.
    `passphrase` is an Argon2 hash. `successor` took this one's place when it was rotated; both work until `expires_at`.
    """

    id = IdField()
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.PERSONAL)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=255)
    description = models.TextField(max_length=LONGEST_DESCRIPTION, blank=True)
    prefix = models.CharField(max_length=32)
    public_id = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    pepper = models.PositiveSmallIntegerField()
    passphrase = models.CharField(max_length=255, blank=True)
    grants = models.JSONField(default=list)
    environment = models.CharField(max_length=8, choices=Environment.choices, default=Environment.LIVE)
    is_active = models.BooleanField(default=True)
    ip_allowlist = models.JSONField(default=list, blank=True)
    rate_type = models.CharField(max_length=16, choices=RateType.choices, blank=True)
    resources = models.JSONField(null=True, blank=True)
    auto_rotate = models.BooleanField(default=False)
    rotation_period = models.CharField(max_length=8, blank=True)
    grace_period = models.CharField(max_length=8, default="7d")
    notification_email = models.EmailField(blank=True)
    rotates_at = models.DateTimeField(null=True, blank=True)
    successor = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="predecessor"
    )
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
            models.Index(fields=["organization", "kind", "-id"], name="token_by_kind"),
            models.Index(fields=["rotates_at"], condition=models.Q(rotates_at__isnull=False), name="token_to_rotate"),
            models.Index(fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="token_to_expire"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}{self.public_id})"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def key_id(self) -> str:
        return KEY_ID_PREFIX + self.public_id


TokenManager = models.Manager.from_queryset(TokenQuerySet)


class _OfKind(TokenManager["Token"]):
    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind = kind

    def get_queryset(self) -> TokenQuerySet:
        return cast(TokenQuerySet, super().get_queryset()).filter(kind=self.kind)


class PersonalToken(Token):
    """Carries abilities, and acts as the user who made it."""

    objects: ClassVar[_OfKind] = _OfKind(Kind.PERSONAL)

    class Meta:
        proxy = True


class ApiKey(Token):
    """Carries permissions, of resources or of duties; its prefix says which. Everything but the secret may change."""

    objects: ClassVar[_OfKind] = _OfKind(Kind.API_KEY)

    class Meta:
        proxy = True
        verbose_name = "API key"

    def clean(self) -> None:
        _require_name(self)
        # A text column does not check its length itself.
        if len(self.description) > LONGEST_DESCRIPTION:
            text = f"The description field must not be greater than {LONGEST_DESCRIPTION} characters."
            raise ValidationError({"description": text})


class AccessToken(Token):
    """Carries scopes, and where it has a passphrase, opens nothing without it. It never changes."""

    objects: ClassVar[_OfKind] = _OfKind(Kind.ACCESS)

    class Meta:
        proxy = True

    def clean(self) -> None:
        _require_name(self)


def _require_name(token: Token) -> None:
    if len(token.name) < SHORTEST_NAME:
        raise ValidationError({"name": f"The name field must be at least {SHORTEST_NAME} characters."})
