"""What belongs to the API itself rather than to an app."""

from django.db import models
from django.utils import timezone

from deploynix.ids import IdField


class IdempotencyKey(models.Model):
    """A key under which a client sent a POST, and what that answered, without the secrets it showed.

    `scope` is the organization and the user, or the limited token, that may use the key again; `digest` is an HMAC of
    the body, `answer` JSON.
    """

    id = IdField()
    scope = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=512)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(default="")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="one_use_per_idempotency_key")]

    def __str__(self) -> str:
        return f"{self.request} ({self.key})"
