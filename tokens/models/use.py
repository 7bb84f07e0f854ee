"""What is kept about the use of tokens. All of it is written behind, by `tokens.usage`, never in a request."""

from django.db import models
from django.utils import timezone

from tokens.models.token import Token


class TokenDay(models.Model):
    """How often a token was used on a day, in UTC."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "day"], name="one_row_per_token_and_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


class TokenCaller(models.Model):
    """Who used a token for what: an address, a user agent and a route."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="callers")
    ip = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=255, blank=True)
    route = models.CharField(max_length=255)
    count = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "ip", "agent", "route"], name="one_row_per_caller")]
        indexes = [models.Index(fields=["token", "-last_at"], name="token_caller_by_time")]

    def __str__(self) -> str:
        return f"{self.ip} {self.route}"


class TokenAbility(models.Model):
    """An ability that a token was used for."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="used_abilities")
    ability = models.CharField(max_length=64)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "ability"], name="one_row_per_used_ability")]

    def __str__(self) -> str:
        return self.ability


class TokenNetwork(models.Model):
    """A network that a token was used from; `country` is ISO 3166-1 alpha-2 where a database of places is set up."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="networks")
    network = models.CharField(max_length=64)
    country = models.CharField(max_length=2, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "network"], name="one_row_per_network")]

    def __str__(self) -> str:
        return self.network


class TokenFailure(models.Model):
    """Attempts with a token that were refused, by error code, address and day, in UTC."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="failures")
    code = models.CharField(max_length=32)
    ip = models.CharField(max_length=45, blank=True)
    day = models.DateField()
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "code", "ip", "day"], name="one_row_per_failure_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.code} from {self.ip}: {self.count}"


class TokenAlert(models.Model):
    """A warning that was sent about a token; `subject` tells two of a kind apart, so that none is sent twice."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "kind", "subject"], name="one_alert_per_reason")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
